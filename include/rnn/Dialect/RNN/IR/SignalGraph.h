//===- SignalGraph.h - The ops of a block as a graph ----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A view of the body of a network, step or loop: one node per op, one edge per operand that another op of the block
// computes. An edge has the distance of rule T2: d from the source of a `rnn.delay` by d to its result, 0 else.
//
// Everything here is iterative and linear, or stops at a bound that is: graphs come from untrusted text.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_SIGNALGRAPH_H
#define RNN_DIALECT_RNN_IR_SIGNALGRAPH_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::rnn {

/// The graph of a block. A snapshot, to be built again after a change. Nodes are numbered in textual order; the
/// terminator is no node.
class SignalGraph {
public:
  /// Node `to` reads a value of node `from`, `distance` frames earlier, as its operand number `operand`.
  struct Edge {
    unsigned from, to;
    int64_t distance;
    unsigned operand;
  };
  /// Edges that follow each other, by number: the head of each is the tail of the next.
  using Path = SmallVector<unsigned>;
  using EdgeFilter = llvm::function_ref<bool(const Edge &)>;

  explicit SignalGraph(Block &block);

  unsigned size() const { return ops.size(); }
  Operation *getOp(unsigned node) const { return ops[node]; }
  ArrayRef<Operation *> getOps() const { return ops; }
  /// The node of an op of the block other than its terminator.
  unsigned getNode(Operation *op) const { return nodes.lookup(op); }
  bool contains(Operation *op) const { return nodes.contains(op); }

  const Edge &getEdge(unsigned edge) const { return edges[edge]; }
  ArrayRef<Edge> getEdges() const { return edges; }
  /// The value that travels along an edge.
  Value getValue(const Edge &edge) const { return ops[edge.to]->getOperand(edge.operand); }
  /// The edges into a node, in the order of its operands; their numbers are consecutive.
  ArrayRef<Edge> getEdgesInto(unsigned node) const {
    return ArrayRef(edges).slice(firstInto[node], firstInto[node + 1] - firstInto[node]);
  }
  /// The numbers of the edges out of a node, in textual order.
  ArrayRef<unsigned> getEdgesOutOf(unsigned node) const {
    return ArrayRef(outEdges).slice(firstOut[node], firstOut[node + 1] - firstOut[node]);
  }

  /// The strongly connected components along the edges that `keep` admits (all without), by Tarjan's algorithm.
  /// Each is a list of nodes in textual order; a component comes after all that it depends on.
  SmallVector<SmallVector<unsigned>> getComponents(EdgeFilter keep = nullptr) const;

  /// True if the component holds a cycle: more than one node, or one that reads itself along an edge of `keep`.
  bool isCyclic(ArrayRef<unsigned> component, EdgeFilter keep = nullptr) const;

  /// The shortest cycle through one of `starts` along the edges that `keep` admits: the least sum of |distance|, then
  /// the fewest edges, then the first start. Empty if there is none. Begins with the edge out of the start.
  /// After a number of steps in proportion to the graph the best cycle found so far is taken.
  Path findShortestCycle(ArrayRef<unsigned> starts, EdgeFilter keep) const;

  /// The shortest closed walk along `keep` with one of the edges `firsts` and one of the edges `seconds` on it, with
  /// the same bound. Begins with the former.
  Path findShortestWalk(ArrayRef<unsigned> firsts, ArrayRef<unsigned> seconds, EdgeFilter keep) const;

private:
  SmallVector<Operation *> ops;
  llvm::DenseMap<Operation *, unsigned> nodes;
  SmallVector<Edge> edges;
  SmallVector<unsigned> firstInto, firstOut, outEdges;
};

/// The ops of `block` that an op without results, the terminator among them, or one of `roots` depends on, these
/// included.
llvm::DenseSet<Operation *> findLiveOps(Block &block, ArrayRef<Operation *> roots = {});

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_IR_SIGNALGRAPH_H
