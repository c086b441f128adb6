//===- Passes.h - Passes that print and check ----------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_ANALYSIS_PASSES_H
#define RNN_ANALYSIS_PASSES_H

#include "mlir/Pass/Pass.h"
#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "rnn/Analysis/Passes.h.inc"

} // namespace mlir::rnn

#endif // RNN_ANALYSIS_PASSES_H
