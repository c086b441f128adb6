//===- CompileTool.h - The command line of rnn-compile --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TOOLS_RNN_COMPILE_COMPILETOOL_H
#define RNN_TOOLS_RNN_COMPILE_COMPILETOOL_H

namespace mlir::rnn {

/// Reads the command line, compiles, writes the files and returns the exit code of INTERFACE 0.7.
int compileTool(int argc, char **argv);

} // namespace mlir::rnn

#endif // RNN_TOOLS_RNN_COMPILE_COMPILETOOL_H
