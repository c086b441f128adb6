//===- InitAllPipelines.h - All pipelines of rnn-mlir -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INITALLPIPELINES_H
#define RNN_INITALLPIPELINES_H

#include "mlir/Pass/PassRegistry.h"
#include "rnn/Pipelines/Pipelines.h"

namespace mlir::rnn {

/// Makes our pipelines known by name.
inline void registerAllPipelines() {
  PassPipelineRegistration<ToGraphOptions>("rnn-to-graph",
                                           "One flat graph per network, sorted; states and random ops have their names",
                                           buildToGraphPipeline);
  PassPipelineRegistration<ToGradientOptions>(
      "rnn-to-gradient", "One graph per step and mode, every gradient written out", buildToGradientPipeline);
  PassPipelineRegistration<ToScheduleOptions>(
      "rnn-to-schedule", "Regions over sequences, in order, with their memory planned", buildToSchedulePipeline);
  PassPipelineRegistration<ToLinalgOptions>("rnn-to-linalg", "Functions on tensors, for other compilers",
                                            buildToLinalgPipeline);
  PassPipelineRegistration<ToCpuOptions>("rnn-to-cpu", "Functions for the threads of a CPU", buildToCpuPipeline);
  PassPipelineRegistration<ToGpuOptions>("rnn-to-gpu", "Kernels for a GPU, and a list of their launches",
                                         buildToGpuPipeline);
}

} // namespace mlir::rnn

#endif // RNN_INITALLPIPELINES_H
