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
  PassPipelineRegistration<ToGraphOptions>(
      "rnn-to-graph", "One flat graph per network, sorted; states and random ops have their names",
      buildToGraphPipeline);
}

} // namespace mlir::rnn

#endif // RNN_INITALLPIPELINES_H
