//===- Operations.h - What an op computes within one frame ------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one op table of both levels: operands and result are the tensors of one frame of one stream. Ops that look at
// time, streams or the session are in Body.cpp.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INTERPRETER_OPERATIONS_H
#define RNN_INTERPRETER_OPERATIONS_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "rnn/Interpreter/Tensor.h"

namespace mlir::rnn {

/// Moves results by rounding errors (InterpreterOptions::perturbUlps).
class Perturbation {
public:
  /// No errors.
  Perturbation() = default;
  /// Errors of `scale` * (magnitude of the terms), drawn from `seed`. Numbers below `least`, the smallest normal one,
  /// have the errors of that: they lie as far apart.
  Perturbation(double scale, double least, uint64_t seed)
      : scale(scale), least(least), state(seed), tieDirection(seed % 2 ? 1 : -1) {}

  bool isActive() const { return scale != 0; }
  /// `value`, computed from terms of total magnitude `terms`.
  double apply(double value, double terms);
  /// The same for every element.
  void apply(Tensor &value, const Tensor &terms);
  /// Where a value goes that is rounded to bf16 and, but for an error, is in the middle of two: 1, away from zero, with
  /// odd seeds, -1 with even ones; 0: there are no errors. So two runs show both.
  int getTieDirection() const { return isActive() ? tieDirection : 0; }

private:
  double scale = 0, least = 0;
  uint64_t state = 0;
  int tieDirection = 0;
};

/// The result of a pure op from its operands. Sets `outOfRange` where a gather meets a bad index (rule N3).
/// An op outside level 1 is an error that names it.
FailureOr<Tensor> evaluate(Operation *op, ArrayRef<const Tensor *> operands, Perturbation &noise, bool &outOfRange);

/// Adds what one frame contributes to a `rnn.contract`, `rnn.scatter_add` or `rnn.sum_frames`, and if `terms` is given
/// the magnitudes of what is added. Integers wrap around.
void accumulate(Operation *op, ArrayRef<const Tensor *> operands, Tensor &sum, Tensor *terms,
                const Perturbation &noise);

} // namespace mlir::rnn

#endif // RNN_INTERPRETER_OPERATIONS_H
