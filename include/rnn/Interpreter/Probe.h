//===- Probe.h - Functions run on made-up inputs ----------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// To see whether a pass keeps the meaning of a function, run it before and after on the same inputs, over a few chunks.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INTERPRETER_PROBE_H
#define RNN_INTERPRETER_PROBE_H

#include "rnn/Interpreter/Interpreter.h"

namespace mlir::rnn {

struct ProbeOptions {
  int64_t frames = 4;  ///< At most; a step with bptt takes no more than its advance.
  int64_t streams = 2; ///< Of networks, steps and schedules for any number; other schedules have their own.
  int64_t chunks = 3;
  uint64_t seed = 0;
};

/// The frames of chunk `chunk`: all in even chunks, one less (but at least one) in odd ones.
int64_t getProbeFrames(RNNFunctionInterface function, const ProbeOptions &options, int64_t chunk);

/// The number of streams of a schedule that has one, else that of the options.
int64_t getProbeStreams(RNNFunctionInterface function, const ProbeOptions &options);

/// The chunks before the current one that a step with bptt goes back over, when all of them are full: none without.
int64_t getProbeHistory(RNNFunctionInterface function);

/// Inputs for chunk `chunk`: all arguments and all parameters. Element i of tensor `name` follows from
/// (seed, name, chunk, i) alone, u being uniform in [0, 1):
/// floats with a default: the default; other float arguments: 2u - 1; parameters: u - 1/2; integers: 0, 1 or 2;
/// the argument marked `rnn.reset`: true for one in five; other booleans (so `mask`): true for three in four.
TensorMap getProbeInputs(RNNFunctionInterface function, const ProbeOptions &options, int64_t chunk);

/// The outputs of every chunk. The first chunk starts afresh; each other goes on from the one before, but stream 0 is
/// reset by the host (`state.age` and `ring.age` -1) before the third.
FailureOr<SmallVector<TensorMap>> probe(RNNFunctionInterface function, const ProbeOptions &options);

/// The first difference between tensors that both maps have, as text: `'h' at 5: expected 0.25, got 0.5`. Integers are
/// compared exactly, numbers up to `tolerance` times the largest magnitude in the tensor. States and rings are left
/// out but for ages, since passes name and merge them; what they hold shows in the results of later chunks.
std::optional<std::string> findDifference(const TensorMap &expected, const TensorMap &found, double tolerance = 1e-10);

/// Compares the results `grad.<parameter>` of a differentiated step with central differences of its result `loss`, at
/// up to `count` elements of every parameter: `'grad.w' at 3: expected 0.25, got 0.5`, or nothing. Chunks after the
/// first are left out where the step goes back over older frames: its loss does not cover these (rule S7).
FailureOr<std::optional<std::string>> checkGradients(RNNFunctionInterface step, const ProbeOptions &options,
                                                     int64_t count = 8);

} // namespace mlir::rnn

#endif // RNN_INTERPRETER_PROBE_H
