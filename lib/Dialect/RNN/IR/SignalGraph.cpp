//===- SignalGraph.cpp - The ops of a block as a graph --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Components: R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1 (1972), with a stack of
// our own. Edges are followed from a node to what it reads, so components come out in the order in which they can run.
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/IR/SignalGraph.h"
#include <queue>

using namespace mlir;
using namespace mlir::rnn;

SignalGraph::SignalGraph(Block &block) {
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      continue;
    nodes[&op] = ops.size();
    ops.push_back(&op);
  }
  firstOut.assign(size() + 1, 0);
  for (auto [node, op] : llvm::enumerate(ops)) {
    firstInto.push_back(edges.size());
    auto delay = dyn_cast<DelayOp>(op);
    for (OpOperand &operand : op->getOpOperands()) {
      auto it = nodes.find(operand.get().getDefiningOp());
      if (it == nodes.end())
        continue;
      int64_t distance = delay && operand.getOperandNumber() == 0 ? delay.getBy() : 0;
      edges.push_back({it->second, static_cast<unsigned>(node), distance, operand.getOperandNumber()});
      ++firstOut[it->second + 1];
    }
  }
  firstInto.push_back(edges.size());
  for (unsigned node = 0; node < size(); ++node)
    firstOut[node + 1] += firstOut[node];
  outEdges.resize(edges.size());
  SmallVector<unsigned> next(firstOut.begin(), firstOut.end());
  for (auto [number, edge] : llvm::enumerate(edges))
    outEdges[next[edge.from]++] = number;
}

SmallVector<SmallVector<unsigned>> SignalGraph::getComponents(EdgeFilter keep) const {
  constexpr unsigned unseen = ~0u;
  struct Frame {
    unsigned node, nextEdge;
  };
  SmallVector<unsigned> order(size(), unseen), low(size(), unseen);
  SmallVector<bool> onStack(size(), false);
  SmallVector<unsigned> stack;
  SmallVector<Frame> frames;
  SmallVector<SmallVector<unsigned>> components;
  unsigned time = 0;

  auto enter = [&](unsigned node) {
    order[node] = low[node] = time++;
    onStack[node] = true;
    stack.push_back(node);
    frames.push_back({node, firstInto[node]});
  };
  for (unsigned root = 0; root < size(); ++root) {
    if (order[root] != unseen)
      continue;
    enter(root);
    while (!frames.empty()) {
      Frame &frame = frames.back();
      unsigned node = frame.node;
      if (frame.nextEdge < firstInto[node + 1]) {
        const Edge &edge = edges[frame.nextEdge++];
        if (keep && !keep(edge))
          continue;
        if (order[edge.from] == unseen)
          enter(edge.from);
        else if (onStack[edge.from])
          low[node] = std::min(low[node], order[edge.from]);
        continue;
      }
      frames.pop_back();
      if (!frames.empty())
        low[frames.back().node] = std::min(low[frames.back().node], low[node]);
      if (low[node] != order[node])
        continue;
      SmallVector<unsigned> &component = components.emplace_back();
      unsigned member;
      do {
        member = stack.pop_back_val();
        onStack[member] = false;
        component.push_back(member);
      } while (member != node);
      llvm::sort(component);
    }
  }
  return components;
}

bool SignalGraph::isCyclic(ArrayRef<unsigned> component, EdgeFilter keep) const {
  if (component.size() > 1)
    return true;
  return llvm::any_of(getEdgesInto(component.front()),
                      [&](const Edge &edge) { return edge.from == component.front() && (!keep || keep(edge)); });
}

//===----------------------------------------------------------------------===//
// Shortest cycles
//===----------------------------------------------------------------------===//

namespace {
/// Dijkstra's algorithm from one node, forwards or backwards, to be run many times on one graph.
class PathSearch {
public:
  /// Sum of |distance|, then number of edges.
  using Cost = std::pair<uint64_t, uint64_t>;
  static constexpr Cost kUnreached{~0ull, ~0ull};

  PathSearch(const SignalGraph &graph, SignalGraph::EdgeFilter keep, bool backwards)
      : graph(graph), keep(keep), backwards(backwards), cost(graph.size(), kUnreached), via(graph.size(), 0) {}

  /// Finds the cheapest paths from `start` of a cost below `limit`, or, with `onlyCycle`, the cheapest cycle through
  /// it. Returns the number of edges looked at.
  uint64_t run(unsigned start, Cost limit, bool onlyCycle) {
    for (unsigned node : touched)
      cost[node] = kUnreached;
    touched.clear();
    closing = kUnreached;
    uint64_t work = 0;
    using Entry = std::pair<Cost, unsigned>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> queue;
    auto visit = [&](Cost base, unsigned number) {
      const SignalGraph::Edge &edge = graph.getEdge(number);
      ++work;
      if (!keep(edge))
        return;
      unsigned node = backwards ? edge.from : edge.to;
      Cost next{base.first + std::abs(edge.distance), base.second + 1};
      // The start has no cost of its own: what leads back to it closes a cycle.
      Cost &known = node == start ? closing : cost[node];
      if (next >= known || next >= limit)
        return;
      if (node != start && known == kUnreached)
        touched.push_back(node);
      known = next;
      via[node] = number;
      if (node != start)
        queue.push({next, node});
    };
    auto expand = [&](Cost base, unsigned node) {
      if (backwards)
        for (const SignalGraph::Edge &edge : graph.getEdgesInto(node))
          visit(base, &edge - graph.getEdges().data());
      else
        for (unsigned number : graph.getEdgesOutOf(node))
          visit(base, number);
    };
    origin = start;
    expand({0, 0}, start);
    while (!queue.empty()) {
      auto [base, node] = queue.top();
      queue.pop();
      if (onlyCycle && base >= closing)
        break;
      if (base == cost[node])
        expand(base, node);
    }
    return work;
  }

  Cost getCost(unsigned node) const { return cost[node]; }
  /// The cost of the cycle through the start.
  Cost getCycleCost() const { return closing; }

  /// The path between the start and `node`, in the direction of the edges. From the start to itself: the cycle.
  SignalGraph::Path getPath(unsigned node) const {
    SignalGraph::Path path;
    do {
      path.push_back(via[node]);
      const SignalGraph::Edge &edge = graph.getEdge(via[node]);
      node = backwards ? edge.to : edge.from;
    } while (node != origin);
    if (!backwards)
      std::reverse(path.begin(), path.end());
    return path;
  }

private:
  const SignalGraph &graph;
  SignalGraph::EdgeFilter keep;
  bool backwards;
  SmallVector<Cost> cost;
  SmallVector<unsigned> via;
  SmallVector<unsigned> touched;
  Cost closing = kUnreached;
  unsigned origin = 0;
};
} // namespace

/// How many edges a search may look at.
static uint64_t getBudget(const SignalGraph &graph) { return 64 * uint64_t(graph.getEdges().size() + 64); }

SignalGraph::Path SignalGraph::findShortestCycle(ArrayRef<unsigned> starts, EdgeFilter keep) const {
  PathSearch search(*this, keep, /*backwards=*/false);
  Path best;
  PathSearch::Cost bestCost = PathSearch::kUnreached;
  uint64_t work = 0, budget = getBudget(*this);
  for (unsigned start : starts) {
    work += search.run(start, bestCost, /*onlyCycle=*/true);
    if (search.getCycleCost() < bestCost) {
      bestCost = search.getCycleCost();
      best = search.getPath(start);
    }
    if (work > budget)
      break;
  }
  return best;
}

SignalGraph::Path SignalGraph::findShortestWalk(ArrayRef<unsigned> firsts, ArrayRef<unsigned> seconds,
                                                EdgeFilter keep) const {
  PathSearch forwards(*this, keep, /*backwards=*/false), backwards(*this, keep, /*backwards=*/true);
  Path best;
  PathSearch::Cost bestCost = PathSearch::kUnreached;
  uint64_t work = 0, budget = getBudget(*this);
  for (unsigned first : firsts) {
    const Edge &one = edges[first];
    work += forwards.run(one.to, bestCost, /*onlyCycle=*/false) +
            backwards.run(one.from, bestCost, /*onlyCycle=*/false) + seconds.size();
    for (unsigned second : seconds) {
      const Edge &other = edges[second];
      // A search gives its start no cost; the way from a node to itself is empty.
      auto there = one.to == other.from ? PathSearch::Cost{0, 0} : forwards.getCost(other.from);
      auto back = other.to == one.from ? PathSearch::Cost{0, 0} : backwards.getCost(other.to);
      if (there == PathSearch::kUnreached || back == PathSearch::kUnreached)
        continue;
      PathSearch::Cost cost{there.first + back.first + std::abs(one.distance) + std::abs(other.distance),
                            there.second + back.second + 2};
      if (cost >= bestCost)
        continue;
      bestCost = cost;
      best = {first};
      if (one.to != other.from)
        llvm::append_range(best, forwards.getPath(other.from));
      best.push_back(second);
      if (other.to != one.from)
        llvm::append_range(best, backwards.getPath(other.to));
    }
    if (work > budget)
      break;
  }
  return best;
}

llvm::DenseSet<Operation *> rnn::findLiveOps(Block &block, ArrayRef<Operation *> roots) {
  llvm::DenseSet<Operation *> live;
  SmallVector<Operation *> worklist;
  auto visit = [&](Operation *op) {
    if (op && live.insert(op).second)
      worklist.push_back(op);
  };
  for (Operation &op : block)
    if (op.getNumResults() == 0)
      visit(&op);
  llvm::for_each(roots, visit);
  while (!worklist.empty())
    for (Value operand : worklist.pop_back_val()->getOperands())
      visit(operand.getDefiningOp());
  return live;
}
