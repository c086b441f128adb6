//===- GpuDevice.h - Launch lists on a GPU ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_RUNTIME_GPU_GPUDEVICE_H
#define RNN_LIB_RUNTIME_GPU_GPUDEVICE_H

#include "rnn/Runtime/Device.h"
#include "rnn/Runtime/GpuDriver.h"

namespace mlir::rnn::runtime {

/// Runs the launch lists of an artifact through a driver.
Status createGpuDevice(const Artifact &artifact, std::unique_ptr<GpuDriver> driver, std::unique_ptr<Device> &device);

} // namespace mlir::rnn::runtime

#endif // RNN_LIB_RUNTIME_GPU_GPUDEVICE_H
