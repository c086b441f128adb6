//===- Transforms.h - Transformations that passes share -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_TRANSFORMS_TRANSFORMS_H
#define RNN_DIALECT_RNN_TRANSFORMS_TRANSFORMS_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::rnn {

/// Orders the body of a network or step as `rnn-sort` does.
void sortFunction(RNNFunctionInterface function);

/// Erases the ops of a graph region that no op without results, the terminator among them, depends on; dead cycles
/// included. Returns how many.
unsigned eraseDeadSignals(Block &block);

/// Replaces every `rnn.training` of a graph region by what it is there, a select between two signals by it by one of
/// them, and erases the signals that nothing needs any more.
void fixTraining(Block &block, bool trains);

/// Removes from a network the results marked in `dropped` and the arguments that only they needed.
void dropResults(NetworkOp network, const llvm::SmallBitVector &dropped);

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_TRANSFORMS_TRANSFORMS_H
