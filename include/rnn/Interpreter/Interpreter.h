//===- Interpreter.h - The meaning of the dialect, as a program -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The reference of levels 1 and 2: slow and obvious, in f64. Every pass and every target is compared with it.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INTERPRETER_INTERPRETER_H
#define RNN_INTERPRETER_INTERPRETER_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "rnn/Interpreter/Tensor.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::rnn {

struct InterpreterOptions {
  /// Error budgets: every result of an operation on floats is moved by a random multiple in [-1, 1] of
  /// perturbUlps * u * (sum of the magnitudes of its terms), drawn from the seed; u is 2^-24 for f32 and, since the
  /// interpreter rounds too, 2^-52 for f64. 0: exact.
  double perturbUlps = 0;
  uint64_t perturbSeed = 0;
  /// The largest number of elements that a call may hold: 8 bytes each.
  double elementLimit = 1 << 30;
};

/// Runs one call of `function`, a `rnn.network`, `rnn.step` or `rnn.schedule`, over `frames` frames of `streams`
/// streams.
///
/// `inputs` holds tensors by the names and shapes of the ABI (`getAbi`), with T = `frames` and B = `streams`, and
/// optionally `seed`. What is missing takes the default of the ABI: arguments their `rnn.default`, optimizer slots
/// zero, states zero, ages -1, but `state.age` 2^31-1 where some other `state.…` is given. A missing parameter, or
/// argument without a default, is an error. Names that the function lacks are ignored.
///
/// `outputs` receives the results, `flags` (steps), and the new values of everything that lives in the session:
/// parameters, optimizer slots, states and rings. Where the operand of `rnn.guard` is false these keep their values.
///
/// Errors are emitted with the location of what is wrong; nothing is assumed of the IR but that it verifies.
/// Composites and calls are expanded in a copy (see `cloneExpanded`); a `rnn.gradient` is an error.
LogicalResult interpret(RNNFunctionInterface function, const TensorMap &inputs, int64_t frames, int64_t streams,
                        TensorMap &outputs, const InterpreterOptions &options = {});

/// A copy of the module in which every call of a network is inlined and every composite expanded.
FailureOr<OwningOpRef<ModuleOp>> cloneExpanded(ModuleOp module);

/// True if a function is at a stage that the interpreter knows: neither it nor a network that it calls holds an
/// `rnn.gradient`, a random op without id, or what becomes one.
bool isInterpretable(RNNFunctionInterface function);

/// The symbol of a function.
StringRef getFunctionName(RNNFunctionInterface function);

} // namespace mlir::rnn

#endif // RNN_INTERPRETER_INTERPRETER_H
