//===- Abi.h - The tensors that a function exchanges with its caller -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The flat namespace of a function (docs/Artifact.md): arguments, parameters, optimizer slots, carried state, rings and
// results. The same list serves the artifact's tables, the generated code, the interpreter and `rnn-print-abi`.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_ANALYSIS_ABI_H
#define RNN_ANALYSIS_ABI_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::rnn {

/// What a tensor is for; the `role` of docs/Artifact.md.
enum class AbiRole { Argument, Parameter, Optimizer, State, Ring, Result };
StringRef stringifyAbiRole(AbiRole role);

/// One tensor of a function.
struct AbiTensor {
  std::string name;
  AbiRole role;
  /// Frame: [T, B, …]; stream: [B, …]; static: […]. States and rings are static in this sense.
  Rate rate;
  /// Type without T and B. States have [D, B, …] with B the number of streams, or kDynamic if that is not fixed yet.
  RankedTensorType type;
  /// The value of an unbound argument, or of a state at creation.
  std::optional<double> fill;
};

/// A carried source of a function: the signal that delays with this state read.
struct CarriedState {
  std::string name; ///< without the prefix `state.`
  int64_t depth;    ///< D, the number of frames kept
  RankedTensorType type;
};

/// The carried sources of a network or step (level 1), by delayed value, in textual order of their first carried delay.
/// Names are the recorded ones (`state`, else `name`), else `s0`, `s1`, …, made unique.
llvm::MapVector<Value, CarriedState> getCarriedStates(RNNFunctionInterface function);

/// All tensors of a network, step or schedule, in the order of the artifact's table.
SmallVector<AbiTensor> getAbi(RNNFunctionInterface function, int64_t streams);

/// The shape of a tensor in files: T, written as `frames`, and B in front, as the rate asks. B is "B" where `streams`
/// is kDynamic.
llvm::json::Array describeShape(const AbiTensor &tensor, const llvm::json::Value &frames, int64_t streams);

} // namespace mlir::rnn

#endif // RNN_ANALYSIS_ABI_H
