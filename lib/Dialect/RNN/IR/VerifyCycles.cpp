//===- VerifyCycles.cpp - Which cycles a graph may have ---------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rule C1. What a `rnn.call` does between its operands and results is not known before `rnn-inline`: its edges are left
// out here, and the inlined body is verified in full.
//
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "rnn/Dialect/RNN/IR/Rates.h"
#include "rnn/Dialect/RNN/IR/SignalGraph.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"

using namespace mlir;
using namespace mlir::rnn;

using Edge = SignalGraph::Edge;
using Path = SignalGraph::Path;

namespace {
class CycleVerifier {
public:
  explicit CycleVerifier(RNNFunctionInterface function) : function(function), graph(*function.getBodyBlock()) {}

  LogicalResult verify() {
    return failure(failed(verifyDelayed()) || failed(verifyDirections()) || failed(verifySums()));
  }

private:
  LogicalResult verifyDelayed();
  LogicalResult verifyDirections();
  LogicalResult verifyCells(ArrayRef<uint8_t> signs);
  LogicalResult verifySums();

  bool isKnown(const Edge &edge) const { return !isa<CallOp>(graph.getOp(edge.to)); }
  bool isInside(const Edge &edge) const { return isKnown(edge) && componentOf[edge.from] == componentOf[edge.to]; }
  Operation *getReader(unsigned edge) const { return graph.getOp(graph.getEdge(edge).to); }
  Value getValue(unsigned edge) const { return graph.getValue(graph.getEdge(edge)); }

  /// Finds the components along `keep`, numbers their nodes and returns those that hold a cycle.
  SmallVector<SmallVector<unsigned>> findCyclic(SignalGraph::EdgeFilter keep);

  /// Writes `%a -> %b -> %a`.
  void describe(InFlightDiagnostic &diag, const Path &path, SignalNames &names);
  /// Adds a note at every delay; returns what they add up to.
  int64_t noteDelays(InFlightDiagnostic &diag, const Path &path);
  /// Adds a note at every reader.
  void noteReaders(InFlightDiagnostic &diag, const Path &path, SignalNames &names);

  RNNFunctionInterface function;
  SignalGraph graph;
  SmallVector<unsigned> componentOf;
};
} // namespace

SmallVector<SmallVector<unsigned>> CycleVerifier::findCyclic(SignalGraph::EdgeFilter keep) {
  SmallVector<SmallVector<unsigned>> components = graph.getComponents(keep);
  componentOf.assign(graph.size(), 0);
  for (auto [i, component] : llvm::enumerate(components))
    for (unsigned node : component)
      componentOf[node] = i;
  llvm::erase_if(components, [&](ArrayRef<unsigned> component) { return !graph.isCyclic(component, keep); });
  return components;
}

void CycleVerifier::describe(InFlightDiagnostic &diag, const Path &path, SignalNames &names) {
  for (unsigned edge : path)
    diag << names.getName(getValue(edge)) << " -> ";
  diag << names.getName(getValue(path.front()));
}

void CycleVerifier::noteReaders(InFlightDiagnostic &diag, const Path &path, SignalNames &names) {
  for (auto [i, edge] : llvm::enumerate(path))
    diag.attachNote(getReader(edge)->getLoc())
        << names.getName(getValue(path[(i + 1) % path.size()])) << " uses " << names.getName(getValue(edge)) << " here";
}

int64_t CycleVerifier::noteDelays(InFlightDiagnostic &diag, const Path &path) {
  int64_t net = 0;
  for (unsigned number : path) {
    int64_t distance = graph.getEdge(number).distance;
    net += distance;
    if (distance != 0)
      diag.attachNote(getReader(number)->getLoc()) << "delayed by " << distance << " here";
  }
  return net;
}

/// The delay with which a composite reads a signal that it owns, which it has a name for; 0 if it owns none.
static int64_t getDelayOfState(Operation *op) {
  if (!isa<CompositeOpInterface>(op) || !op->hasAttr("name"))
    return 0;
  return op->hasAttr("reverse") ? -1 : 1;
}

/// C1: every cycle has a delay.
LogicalResult CycleVerifier::verifyDelayed() {
  auto isInstant = [&](const Edge &edge) { return edge.distance == 0 && isKnown(edge); };
  SmallVector<SmallVector<unsigned>> components = findCyclic(isInstant);
  if (components.empty())
    return success();
  // A small component has a short cycle: with it known, the search in a large one ends early.
  llvm::sort(components, [](ArrayRef<unsigned> a, ArrayRef<unsigned> b) {
    return std::make_pair(a.size(), a.front()) < std::make_pair(b.size(), b.front());
  });
  SmallVector<unsigned> starts;
  for (ArrayRef<unsigned> component : components)
    llvm::append_range(starts, component);
  Path path = graph.findShortestCycle(
      starts, [&](const Edge &edge) { return isInstant(edge) && componentOf[edge.from] == componentOf[edge.to]; });

  SignalNames names(function);
  InFlightDiagnostic diag = function->emitError();
  diag << (isa<NetworkOp>(function) ? "network" : "step") << " @" << SymbolTable::getSymbolName(function).getValue()
       << " has a cycle without a delay: ";
  describe(diag, path, names);
  noteReaders(diag, path, names);
  return diag;
}

/// C1: all delays within one component have one sign.
LogicalResult CycleVerifier::verifyDirections() {
  if (findCyclic([&](const Edge &edge) { return isKnown(edge); }).empty())
    return success();
  // The first component, in the order of the text, with delays of both signs on its cycles.
  SmallVector<uint8_t> signs(graph.size(), 0);
  std::optional<unsigned> mixed;
  for (const Edge &edge : graph.getEdges()) {
    if (edge.distance == 0 || !isInside(edge))
      continue;
    uint8_t &seen = signs[componentOf[edge.to]];
    seen |= edge.distance > 0 ? 1 : 2;
    if (seen == 3) {
      mixed = componentOf[edge.to];
      break;
    }
  }
  if (!mixed)
    return verifyCells(signs);
  SmallVector<unsigned> later, earlier;
  for (auto [number, edge] : llvm::enumerate(graph.getEdges()))
    if (edge.distance != 0 && componentOf[edge.to] == *mixed && isInside(edge))
      (edge.distance > 0 ? later : earlier).push_back(number);
  Path path = graph.findShortestWalk(later, earlier, [&](const Edge &edge) { return isInside(edge); });

  SignalNames names(function);
  InFlightDiagnostic diag = function->emitError() << "cycle mixes positive and negative delays: ";
  describe(diag, path, names);
  if (int64_t net = noteDelays(diag, path); net > 0)
    diag.attachNote() << "the delays of the cycle add up to " << net << ": retimed, it has one delay by " << net
                      << " and no other";
  return diag;
}

/// C1 for what a cell reads of itself, with the signs of the delays of each component: 1 positive, 2 negative.
LogicalResult CycleVerifier::verifyCells(ArrayRef<uint8_t> signs) {
  for (unsigned node = 0; node < graph.size(); ++node) {
    int64_t delay = getDelayOfState(graph.getOp(node));
    uint8_t others = signs[componentOf[node]];
    if (delay == 0 || others == 0 || others == (delay > 0 ? 1 : 2))
      continue;
    Path path = graph.findShortestCycle({node}, [&](const Edge &edge) { return isInside(edge); });
    SignalNames names(function);
    InFlightDiagnostic diag = function->emitError() << "cycle mixes positive and negative delays: ";
    describe(diag, path, names);
    noteDelays(diag, path);
    diag.attachNote(graph.getOp(node)->getLoc()) << "the state of this cell is delayed by " << delay;
    return diag;
  }
  return success();
}

/// C1: no sum over frames lies on a cycle. Neither does a gradient, which sums over frames when it is written out.
LogicalResult CycleVerifier::verifySums() {
  SmallVector<unsigned> starts;
  for (ArrayRef<unsigned> component : findCyclic([&](const Edge &edge) { return isKnown(edge); }))
    for (unsigned node : component)
      if (Operation *op = graph.getOp(node); sumsFrames(op) || isa<GradientOp>(op))
        starts.push_back(node);
  if (starts.empty())
    return success();
  Path path = graph.findShortestCycle(starts, [&](const Edge &edge) { return isInside(edge); });
  SignalNames names(function);
  Operation *sum = graph.getOp(graph.getEdge(path.front()).from);
  InFlightDiagnostic diag = sum->emitOpError("sums over frames on a cycle: ");
  describe(diag, path, names);
  noteReaders(diag, path, names);
  return diag;
}

LogicalResult rnn::detail::verifyCycles(RNNFunctionInterface function) { return CycleVerifier(function).verify(); }
