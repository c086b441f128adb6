//===- Run.h - The tool rnn-run ---------------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_RUN_H
#define RNN_TOOLS_RUN_H

namespace mlir::rnn::tools {

/// All of rnn-run: runs a function of a model on the tensors of files. Returns
/// the exit code.
int runTool(int argc, const char *const *argv);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_RUN_H
