//===- CudaCode.h - Which code of an artifact suits a GPU -------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_RUNTIME_GPU_CUDACODE_H
#define RNN_LIB_RUNTIME_GPU_CUDACODE_H

#include "rnn/Runtime/Artifact.h"

namespace mlir::rnn::runtime::cuda {

/// The sections of one `cuda:<chip>`.
struct Code {
  const Section *launches = nullptr;
  const Section *cubin = nullptr; ///< null: none that this chip runs
  const Section *ptx = nullptr;   ///< null: none that this chip's driver compiles
};

/// The code that suits a chip, 90 for sm_90, best: the newest that it runs.
/// Error 19 if there is none.
Status chooseCode(const Artifact &artifact, int chip, Code &code);

/// The target of rnn-compile for a chip of sm_80 or newer: `cuda:sm_90`.
std::string targetOf(int chip);

/// 83 for PTX 8.3, by the text's `.version`; 0 if it has none.
int ptxVersionOf(std::string_view ptx);

} // namespace mlir::rnn::runtime::cuda

#endif // RNN_LIB_RUNTIME_GPU_CUDACODE_H
