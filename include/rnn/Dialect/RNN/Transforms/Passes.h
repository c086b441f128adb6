//===- Passes.h - Passes on level 1, the graph ---------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_TRANSFORMS_PASSES_H
#define RNN_DIALECT_RNN_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"
#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_TRANSFORMS_PASSES_H
