//===- Passes.h - Passes to and on level 2, the schedule -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_SCHEDULE_PASSES_H
#define RNN_DIALECT_RNN_SCHEDULE_PASSES_H

#include "mlir/Pass/Pass.h"
#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "rnn/Dialect/RNN/Schedule/Passes.h.inc"

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_SCHEDULE_PASSES_H
