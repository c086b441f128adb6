//===- Recurrence.cpp - What must run in time order -----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Recurrence.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <queue>

using namespace mlir;
using namespace mlir::rnn;

StringRef rnn::stringifyComponentKind(ComponentKind kind) {
  switch (kind) {
  case ComponentKind::Static:
    return "static";
  case ComponentKind::Stream:
    return "stream";
  case ComponentKind::Parallel:
    return "parallel";
  case ComponentKind::Reduction:
    return "reduction";
  case ComponentKind::Recurrent:
    return "recurrent";
  }
  llvm_unreachable("all kinds are covered");
}

//===----------------------------------------------------------------------===//
// Costs of one op
//===----------------------------------------------------------------------===//

static uint64_t getNumElements(Type type) {
  uint64_t elements = 1;
  for (int64_t size : cast<RankedTensorType>(type).getShape())
    elements = llvm::SaturatingMultiply<uint64_t>(elements, std::max<int64_t>(size, 0));
  return elements;
}

uint64_t rnn::getByteSize(Type type) {
  uint64_t bits = cast<RankedTensorType>(type).getElementTypeBitWidth();
  return llvm::SaturatingMultiply<uint64_t>(getNumElements(type), llvm::divideCeil(bits, 8));
}

uint64_t rnn::getFlops(Operation *op) {
  return llvm::TypeSwitch<Operation *, uint64_t>(op)
      .Case([](ContractOp contract) {
        uint64_t products = 2;
        for (int64_t size : contract.getLoopSizes())
          products = llvm::SaturatingMultiply<uint64_t>(products, size);
        return products;
      })
      .Case([](LinearOp linear) {
        uint64_t products = llvm::SaturatingMultiply<uint64_t>(2, getNumElements(linear.getWeight().getType()));
        return linear.getBias() ? llvm::SaturatingAdd(products, getNumElements(linear.getType())) : products;
      })
      .Case([](SumOp sum) {
        return llvm::SaturatingMultiply<uint64_t>(sum.getTerms().size() - 1, getNumElements(sum.getType()));
      })
      .Case<ReduceOp, SumFramesOp>([](auto reduce) { return getNumElements(reduce.getSource().getType()); })
      .Case([](ScatterAddOp scatter) { return getNumElements(scatter.getUpdate().getType()); })
      .Case<SigmoidOp, SoftplusOp>([](Operation *unary) { return getNumElements(unary->getResult(0).getType()); })
      .Case<arith::ConstantOp>([](Operation *) { return 0; })
      .Default([](Operation *other) -> uint64_t {
        bool computes = isa_and_nonnull<arith::ArithDialect, math::MathDialect>(other->getDialect());
        return computes && other->getNumResults() ? getNumElements(other->getResult(0).getType()) : 0;
      });
}

/// True if a result element of `op` reads elements of `operand` that other units own.
static bool exchanges(OpOperand &operand) {
  if (auto contract = dyn_cast<ContractOp>(operand.getOwner())) {
    // Elementwise in this operand if the result has exactly its dimensions.
    AffineMap from = contract.getMap(operand.getOperandNumber()), to = contract.getMap(2);
    llvm::SmallDenseSet<AffineExpr> dims(from.getResults().begin(), from.getResults().end());
    return from.getNumResults() != to.getNumResults() ||
           !llvm::all_of(to.getResults(), [&](AffineExpr dim) { return dims.contains(dim); });
  }
  return isa<LinearOp, ReduceOp, GatherOp, ScatterAddOp>(operand.getOwner());
}

//===----------------------------------------------------------------------===//
// Components
//===----------------------------------------------------------------------===//

RecurrenceAnalysis::RecurrenceAnalysis(RNNFunctionInterface function)
    : RecurrenceAnalysis(*function.getBodyBlock(), RateAnalysis(function)) {}

RecurrenceAnalysis::RecurrenceAnalysis(Block &block, RateAnalysis rates)
    : rates(std::move(rates)), graph(block), componentOf(graph.size()) {
  sortComponents(graph.getComponents());
}

/// Numbers the components: of those that are ready the first in the text comes first (Kahn's algorithm).
void RecurrenceAnalysis::sortComponents(SmallVector<SmallVector<unsigned>> found) {
  SmallVector<unsigned> foundOf(graph.size()), waiting(found.size(), 0);
  for (auto [i, members] : llvm::enumerate(found))
    for (unsigned node : members)
      foundOf[node] = i;
  for (const SignalGraph::Edge &edge : graph.getEdges())
    if (foundOf[edge.from] != foundOf[edge.to])
      ++waiting[foundOf[edge.to]];

  // A component is known by its first node in the text.
  std::priority_queue<unsigned, std::vector<unsigned>, std::greater<unsigned>> ready;
  for (auto [i, members] : llvm::enumerate(found))
    if (waiting[i] == 0)
      ready.push(members.front());
  SmallVector<unsigned> order;
  while (!ready.empty()) {
    unsigned index = foundOf[ready.top()];
    ready.pop();
    for (unsigned node : found[index]) {
      componentOf[node] = order.size();
      for (unsigned number : graph.getEdgesOutOf(node))
        if (unsigned to = foundOf[graph.getEdge(number).to]; to != index && --waiting[to] == 0)
          ready.push(found[to].front());
    }
    order.push_back(index);
  }
  for (unsigned index : order)
    components.push_back(describe(found[index]));
}

Component RecurrenceAnalysis::describe(ArrayRef<unsigned> members) {
  Component component;
  Operation *first = graph.getOp(members.front());
  component.domain = first->getNumResults() ? rates.getDomain(first->getResult(0)) : Domain::Static;
  if (graph.isCyclic(members)) {
    component.kind = ComponentKind::Recurrent;
    orderFrame(members, component);
    findCycle(members, component);
    countStages(component);
  } else {
    component.ops.push_back(first);
    if (sumsFrames(first)) {
      component.kind = ComponentKind::Reduction;
      bool window = llvm::any_of(first->getOperands(), [&](Value v) { return rates.getDomain(v) == Domain::Window; });
      component.domain = window ? Domain::Window : Domain::Chunk;
    } else {
      component.kind = component.domain == Domain::Static   ? ComponentKind::Static
                       : component.domain == Domain::Stream ? ComponentKind::Stream
                                                            : ComponentKind::Parallel;
    }
  }
  countCosts(component);
  return component;
}

/// Orders the ops of a loop within one frame: of those that are ready delays come first, then the first in the text.
void RecurrenceAnalysis::orderFrame(ArrayRef<unsigned> members, Component &component) {
  unsigned index = componentOf[members.front()];
  auto isCut = [&](const SignalGraph::Edge &edge) {
    return edge.distance != 0 || componentOf[edge.from] != index || componentOf[edge.to] != index;
  };
  llvm::DenseMap<unsigned, unsigned> waiting;
  using Key = std::pair<bool, unsigned>;
  std::priority_queue<Key, std::vector<Key>, std::greater<Key>> ready;
  auto push = [&](unsigned node) { ready.push({!isa<DelayOp>(graph.getOp(node)), node}); };
  for (unsigned node : members) {
    unsigned count = llvm::count_if(graph.getEdgesInto(node), [&](const auto &edge) { return !isCut(edge); });
    if (count == 0)
      push(node);
    else
      waiting[node] = count;
  }
  while (!ready.empty()) {
    unsigned node = ready.top().second;
    ready.pop();
    component.ops.push_back(graph.getOp(node));
    for (unsigned number : graph.getEdgesOutOf(node)) {
      const SignalGraph::Edge &edge = graph.getEdge(number);
      if (isCut(edge))
        continue;
      if (auto it = waiting.find(edge.to); --it->second == 0) {
        waiting.erase(it);
        push(edge.to);
      }
    }
  }
  // What is left lies on a cycle without a delay, which the verifier rejects but for cycles through a `rnn.call`.
  for (unsigned node : members)
    if (waiting.contains(node))
      component.ops.push_back(graph.getOp(node));
}

void RecurrenceAnalysis::findCycle(ArrayRef<unsigned> members, Component &component) {
  unsigned index = componentOf[members.front()];
  SmallVector<unsigned> starts;
  for (unsigned node : members) {
    auto delay = dyn_cast<DelayOp>(graph.getOp(node));
    if (!delay || !isInside(delay.getSource(), index))
      continue;
    component.delays.push_back(delay);
    starts.push_back(node);
  }
  if (component.delays.empty())
    return;
  component.direction = component.delays.front().getBy() > 0 ? Direction::Causal : Direction::Anticausal;

  auto inside = [&](const SignalGraph::Edge &edge) {
    return componentOf[edge.from] == index && componentOf[edge.to] == index;
  };
  SignalGraph::Path path = graph.findShortestCycle(starts, inside);
  // The search starts at a delay; the cycle is told from the delayed source on, the tail of the last edge.
  std::rotate(path.begin(), path.end() - (path.empty() ? 0 : 1), path.end());
  for (unsigned number : path) {
    component.cycle.push_back(graph.getValue(graph.getEdge(number)));
    component.cycleDelay += std::abs(graph.getEdge(number).distance);
  }
}

void RecurrenceAnalysis::countStages(Component &component) {
  unsigned index = getIndex(component.ops.front());
  llvm::DenseMap<Operation *, unsigned> stageOf;
  for (Operation *op : component.ops) {
    unsigned stage = 0;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isInside(operand.get(), index) || (isa<DelayOp>(op) && operand.getOperandNumber() == 0))
        continue;
      stage = std::max(stage, stageOf.lookup(operand.get().getDefiningOp()) + exchanges(operand));
    }
    stageOf[op] = stage;
    component.stages = std::max(component.stages, stage);
  }
}

void RecurrenceAnalysis::countCosts(Component &component) {
  unsigned index = getIndex(component.ops.front());
  bool overFrames = component.domain == Domain::Chunk || component.domain == Domain::Window;
  llvm::DenseSet<Value> counted;
  auto count = [&](Value value) {
    if ((!overFrames || rates.getRate(value) == Rate::Frame) && counted.insert(value).second)
      component.bytes = llvm::SaturatingAdd(component.bytes, getByteSize(value.getType()));
  };
  for (Operation *op : component.ops) {
    component.flops = llvm::SaturatingAdd(component.flops, getFlops(op));
    for (Value operand : op->getOperands())
      if (!isInside(operand, index))
        count(operand);
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !graph.contains(user) || getIndex(user) != index; }))
        count(result);
  }
}

bool RecurrenceAnalysis::isInside(Value value, unsigned index) const {
  Operation *op = value.getDefiningOp();
  return op && graph.contains(op) && getIndex(op) == index;
}

SmallVector<Operation *> RecurrenceAnalysis::getOrder() const {
  SmallVector<Operation *> order;
  for (const Component &component : components)
    llvm::append_range(order, component.ops);
  return order;
}
