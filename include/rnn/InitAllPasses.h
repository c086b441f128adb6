//===- InitAllPasses.h - All passes of rnn-mlir -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INITALLPASSES_H
#define RNN_INITALLPASSES_H

#include "rnn/Analysis/Passes.h"
#include "rnn/Conversion/Passes.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Pipelines/Passes.h"

namespace mlir::rnn {

/// Makes our passes known by name; upstream's are registered by `mlir::registerAllPasses`.
inline void registerAllPasses() {
  registerRNNAnalysisPasses();
  registerRNNTransformsPasses();
  registerRNNSchedulePasses();
  registerRNNConversionPasses();
  registerRNNPipelinesPasses();
}

} // namespace mlir::rnn

#endif // RNN_INITALLPASSES_H
