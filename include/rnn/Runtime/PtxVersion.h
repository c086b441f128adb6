//===- PtxVersion.h - Which CUDA knows which PTX ----------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_PTXVERSION_H
#define RNN_RUNTIME_PTXVERSION_H

namespace mlir::rnn::runtime {

/// The first CUDA release, 12000 for 12.0, that reads a version of PTX, 80 for
/// 8.0; from PTX 8.0 on.
constexpr int cudaReleaseOf(int ptx) {
  if (ptx >= 90)
    return 13000 + (ptx - 90) * 10;
  // There is no PTX of CUDA 12.6.
  return 12000 + (ptx - 80 + (ptx > 85 ? 1 : 0)) * 10;
}

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_PTXVERSION_H
