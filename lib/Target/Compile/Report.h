//===- Report.h - What became of the network ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_TARGET_COMPILE_REPORT_H
#define RNN_LIB_TARGET_COMPILE_REPORT_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "rnn/Target/Compile.h"

namespace mlir::rnn {

/// Writes the report of a scheduled module into `result`: of its first train step, or else of its first function.
/// Sizes and counts only, no times, so that equal inputs give equal bytes.
void buildReport(ModuleOp module, const CompileOptions &options, CompileResult &result);

} // namespace mlir::rnn

#endif // RNN_LIB_TARGET_COMPILE_REPORT_H
