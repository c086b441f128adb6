//===- CudaLibrary.h - libcuda, if it is there ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_RUNTIME_GPU_CUDALIBRARY_H
#define RNN_LIB_RUNTIME_GPU_CUDALIBRARY_H

#include "CudaAbi.h"

#include "rnn/Runtime/Status.h"

#include <string>

namespace mlir::rnn::runtime::cuda {

/// A device.
struct DeviceInfo {
  CUdevice handle = 0;
  std::string name;
  int chip = 0; ///< 90 for sm_90
  int multiprocessors = 0;
};

/// The functions of libcuda.so.1, opened at run time.
class Library {
public:
#define RNN_CUDA(name, parameters) CUresult(*name) parameters = nullptr;
#include "CudaFunctions.inc"
#undef RNN_CUDA

  /// Finds the driver; errors 20: there is none, or it is older than CUDA 12.0.
  Status load();
  /// Looks at device `number`; errors 20: there is none, or it is too old.
  Status describe(int number, DeviceInfo &device);

  /// 12020 for CUDA 12.2.
  int version() const { return driverVersion; }
  /// An error if a call failed: `cuMemAlloc failed: CUDA_ERROR_…`.
  Status check(CUresult result, const char *function) const;

private:
  int driverVersion = 0;
};

/// Error 20: the driver does not know this version of PTX, 83 for 8.3.
Status driverTooOld(int driverVersion, int ptx);

} // namespace mlir::rnn::runtime::cuda

#endif // RNN_LIB_RUNTIME_GPU_CUDALIBRARY_H
