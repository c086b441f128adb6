//===- ReductionPatterns.h - Simpler networks for mlir-reduce -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_REDUCE_REDUCTIONPATTERNS_H
#define RNN_REDUCE_REDUCTIONPATTERNS_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::rnn {

/// Gives the dialect the patterns that `-reduction-tree` tries on networks and steps: drop a layer (an op becomes an
/// operand of its type; so activations become linear), drop an edge (the last term of a sum), a delay by one frame, a
/// delay without init. All of them keep a network legal, and ask the tester before they change it.
void registerReductionPatterns(DialectRegistry &registry);

} // namespace mlir::rnn

#endif // RNN_REDUCE_REDUCTIONPATTERNS_H
