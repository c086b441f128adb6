//===- Recurrence.h - What must run in time order -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The strongly connected components of a signal graph decide what runs frame by frame and what runs for all frames at
// once: an op on no cycle is parallel, the ops of a cycle are one loop. (K. Hwang, W. Sung, "Single stream
// parallelization of generalized LSTM-like RNNs", ICASSP 2015.)
//
//===----------------------------------------------------------------------===//
#ifndef RNN_ANALYSIS_RECURRENCE_H
#define RNN_ANALYSIS_RECURRENCE_H

#include "rnn/Dialect/RNN/IR/Rates.h"
#include "rnn/Dialect/RNN/IR/SignalGraph.h"

namespace mlir::rnn {

/// What a component is, and so how often it runs.
enum class ComponentKind {
  Static,    ///< once per step
  Stream,    ///< once per stream
  Parallel,  ///< one op, at every frame on its own
  Reduction, ///< one op, a sum over the frames of its domain
  Recurrent, ///< a loop over frames
};
StringRef stringifyComponentKind(ComponentKind kind);

/// A strongly connected component of the graph.
struct Component {
  ComponentKind kind;
  /// Where its frames lie. For a reduction: the frames that it sums over.
  Domain domain;
  /// The order in which a loop visits its frames; only of recurrent components.
  Direction direction = Direction::Causal;
  /// The ops in the order of one frame, delays cut: first the delays (but one whose init the frame computes), then by
  /// what reads what, ties by text.
  SmallVector<Operation *> ops;
  /// The delays whose source the component computes: what a loop carries from frame to frame. In textual order.
  SmallVector<DelayOp> delays;
  /// The values along the shortest cycle, by total delay and then by number of ops; each is read by the op of the next.
  /// Begins with a delayed source. Empty if the component is not recurrent.
  SmallVector<Value> cycle;
  /// The delay around `cycle`: so many frames of the loop do not depend on each other. 0 if not recurrent.
  int64_t cycleDelay = 0;
  /// The number of exchanges of a whole vector between the units of a loop, one after the other, in one frame:
  /// products, reductions within the frame and gathers that read what the frame, or the one before, has computed.
  unsigned stages = 0;
  /// Arithmetic per frame and stream (for static components per step); a multiply-add counts two, everything else that
  /// computes counts one per element. Saturates.
  uint64_t flops = 0;
  /// Bytes of the frame-rate values that enter or leave the component, per frame and stream; of all values that do
  /// where the component is static or of stream rate. Saturates.
  uint64_t bytes = 0;

  bool isRecurrent() const { return kind == ComponentKind::Recurrent; }
};

/// The components of the body of a network, a step or a loop, in topological order, ties by textual order.
/// The terminator belongs to none; ops without results (`rnn.assign`, `rnn.guard`) are components as any other.
/// Takes n log n time; a snapshot, to be built again after a change.
class RecurrenceAnalysis {
public:
  /// `function` is a network or a step (level 1).
  explicit RecurrenceAnalysis(RNNFunctionInterface function);
  /// Any block of level-1 ops, with its rates.
  RecurrenceAnalysis(Block &block, RateAnalysis rates);

  ArrayRef<Component> getComponents() const { return components; }
  /// The number of the component of an op of the block.
  unsigned getIndex(Operation *op) const { return componentOf[graph.getNode(op)]; }
  const Component &getComponent(Operation *op) const { return components[getIndex(op)]; }
  /// True if both ops lie on cycles of one loop.
  bool inSameLoop(Operation *a, Operation *b) const {
    return getIndex(a) == getIndex(b) && getComponent(a).isRecurrent();
  }

  const RateAnalysis &getRates() const { return rates; }
  const SignalGraph &getGraph() const { return graph; }

  /// All ops but the terminator, component by component, each in the order of its frame: the order of `rnn-sort`.
  SmallVector<Operation *> getOrder() const;

private:
  void sortComponents(SmallVector<SmallVector<unsigned>> found);
  Component describe(ArrayRef<unsigned> members);
  void orderFrame(ArrayRef<unsigned> members, Component &component);
  void findCycle(ArrayRef<unsigned> members, Component &component);
  void countStages(Component &component);
  void countCosts(Component &component);
  bool isInside(Value value, unsigned index) const;

  RateAnalysis rates;
  SignalGraph graph;
  SmallVector<Component> components;
  SmallVector<unsigned> componentOf;
};

/// Arithmetic of one op at one point of its domain, as counted in `Component::flops`.
uint64_t getFlops(Operation *op);

/// Bytes of a value: of a signal those of one frame of one stream. i1 counts a byte per element. Saturates.
uint64_t getByteSize(Type type);

} // namespace mlir::rnn

#endif // RNN_ANALYSIS_RECURRENCE_H
