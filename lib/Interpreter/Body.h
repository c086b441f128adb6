//===- Body.h - A block of level-1 ops, evaluated at points -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A value of a network, a step or a region of a schedule is a function of frame and stream: a tensor at every point of
// its domain. Frame 0 is the first of the chunk; the window begins at frame -H (rule A3).
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INTERPRETER_BODY_H
#define RNN_INTERPRETER_BODY_H

#include "Operations.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Dialect/RNN/IR/Rates.h"
#include "rnn/Interpreter/Interpreter.h"

#include <memory>

namespace mlir::rnn {

/// What all bodies of one call share.
struct Call {
  const InterpreterOptions &options;
  int64_t frames;  ///< T
  int64_t streams; ///< B
  int64_t history; ///< H
  /// The inputs, complete: every tensor of the ABI that has a value before the call.
  TensorMap inputs;
  /// Rule T4, for the frames of the window: [H + T, B]; older frames are -1 where absent.
  std::vector<int64_t> ages;
  uint64_t seed = 0;
  int64_t firstFrame = 0; ///< The absolute number of frame 0.
  bool outOfRange = false;

  int64_t getAge(int64_t frame, int64_t stream) const { return ages[(frame + history) * streams + stream]; }
};

struct Point {
  int64_t frame, stream;
};

/// A value at the points of its domain; points not computed yet are empty.
class Signal {
public:
  /// Static: one point; stream: B points; frame: all frames from `start` on.
  Signal(Rate rate, int64_t start, const Call &call);

  Rate getRate() const { return rate; }
  int64_t getStart() const { return start; }
  /// True if the domain has the point; a signal of lower rate is spread (rule R2).
  bool contains(Point point) const;
  /// The value at a point of the domain, or null if it has not been computed.
  const Tensor *get(Point point) const;
  void set(Point point, Tensor value);
  /// True between the first look at a point and its value: meeting such a point again means a cycle without delay.
  bool isPending(Point point) const { return states[getIndex(point)] == State::Pending; }
  void setPending(Point point) { states[getIndex(point)] = State::Pending; }

  /// Calls `visit` at all points, frame by frame.
  LogicalResult forEachPoint(llvm::function_ref<LogicalResult(Point)> visit) const;

private:
  enum class State : uint8_t { Empty, Pending, Done };
  size_t getIndex(Point point) const;

  Rate rate;
  int64_t start, frames, streams;
  std::vector<Tensor> values;
  std::vector<State> states;
};

/// The values of a block.
class Body {
public:
  /// `states` names the carried sources of a network or step; in a schedule the delays name them.
  Body(Block &block, Call &call, RateAnalysis rates, llvm::MapVector<Value, CarriedState> states = {});

  /// Gives a block argument its values.
  void bind(Value argument, std::shared_ptr<Signal> signal) { signals[argument] = std::move(signal); }

  /// To be called first: checks that chunk and window meet in saves and seeds alone (rule A3), and that all values at
  /// all points are not more numbers than the options allow.
  LogicalResult verify();

  /// Level 1: computes a value at a point, and whatever it needs.
  FailureOr<const Tensor *> demand(Value value, Point point);
  /// Level 2: computes an op at a point; what it needs must be there.
  LogicalResult compute(Operation *op, Point point);

  /// A value at a point, or null if it has not been computed.
  const Tensor *lookup(Value value, Point point);
  /// The signal of a value of the block.
  Signal &getSignal(Value value);

private:
  /// A value at a point that an op has to wait for.
  struct Need {
    Value value;
    Point point;
  };
  using Needs = SmallVectorImpl<Need>;

  LogicalResult verifySize();

  /// The value of `op` at `point`; if `needs` is not empty afterwards, the result means nothing.
  FailureOr<Tensor> evaluateAt(Operation *op, Point point, Needs &needs);
  FailureOr<Tensor> evaluateDelay(DelayOp op, Point point, Needs &needs);
  FailureOr<Tensor> evaluateSave(SaveOp op, Point point, Needs &needs);
  FailureOr<Tensor> evaluateRandom(RandomOp op, Point point);
  FailureOr<Tensor> evaluateFrameSum(Operation *op, Rate to, Point point, Needs &needs);
  /// The tensor if it is there, else null and one more need.
  const Tensor *need(Value value, Point point, Needs &needs);
  Perturbation getNoise(Operation *op, Point point);

  Block &block;
  Call &call;
  RateAnalysis rates;
  llvm::MapVector<Value, CarriedState> states;
  llvm::DenseMap<Value, std::shared_ptr<Signal>> signals;
  llvm::DenseMap<Operation *, uint64_t> numbers; ///< In textual order.
};

} // namespace mlir::rnn

#endif // RNN_INTERPRETER_BODY_H
