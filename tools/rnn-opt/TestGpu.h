//===- TestGpu.h - Code for GPUs in rnn-opt -----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For tests of what becomes of kernels and launch lists that are written by
// hand. Part of rnn-opt alone.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TOOLS_RNN_OPT_TESTGPU_H
#define RNN_TOOLS_RNN_OPT_TESTGPU_H

namespace mlir::rnn {

/// Registers `test-rnn-launch-table` and `test-rnn-emit-ptx`.
void registerTestGpuPasses();

} // namespace mlir::rnn

#endif // RNN_TOOLS_RNN_OPT_TESTGPU_H
