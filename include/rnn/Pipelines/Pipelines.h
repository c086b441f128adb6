//===- Pipelines.h - From a graph to code, phase by phase -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every tool builds its pipelines with these functions. Each contains the one before and skips the phases that the
// module has passed already (module attribute `rnn.level`).
//
//===----------------------------------------------------------------------===//
#ifndef RNN_PIPELINES_PIPELINES_H
#define RNN_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "rnn/Dialect/RNN/Schedule/Wavefront.h"
#include <optional>

namespace mlir::rnn {

/// The borders that a module passes, in order; the values of `rnn.level`.
enum class Phase {
  Graph,    ///< one flat, sorted graph per network; states and random ops have their names
  Gradient, ///< one graph per step and mode, every gradient written out
  Schedule, ///< level 2: regions over sequences, memory planned
  Lowered,  ///< no rnn op is left
};
/// The text of `rnn.level`.
StringRef stringifyPhase(Phase phase);
/// The phase of that name, or nothing.
std::optional<Phase> symbolizePhase(StringRef name);

/// Options of `rnn-to-graph`.
struct ToGraphOptions : PassPipelineOptions<ToGraphOptions> {
  ListOption<std::string> cells{*this, "cells", llvm::cl::desc("the composites to expand (all)")};
  Option<std::string> type{*this, "type", llvm::cl::desc("f64: widen every f32, for checking")};
};

/// Options of `rnn-to-gradient`.
struct ToGradientOptions : ToGraphOptions, PassPipelineOptions<ToGradientOptions> {
  using PassPipelineOptions<ToGradientOptions>::createFromString;
  ListOption<std::string> of{*this, "of", llvm::cl::desc("the train steps to build (all)")};
  ListOption<std::string> keep{
      *this, "keep",
      llvm::cl::desc("gradients, results: what a train step returns as well; signals: of every function")};
  Option<std::string> matmulPrecision{
      *this, "matmul-precision", llvm::cl::desc("f32, or bf16: products round their operands"), llvm::cl::init("f32")};
};

/// Options of `rnn-to-schedule`.
struct ToScheduleOptions : ToGradientOptions, PassPipelineOptions<ToScheduleOptions> {
  using PassPipelineOptions<ToScheduleOptions>::createFromString;
  Option<std::string> mode{*this, "mode", llvm::cl::desc("split, or sequential: one loop holds everything"),
                           llvm::cl::init("split")};
  Option<int64_t> streams{*this, "streams", llvm::cl::desc("B, the number of streams; 0: any, rnn-to-linalg only"),
                          llvm::cl::init(1)};
  Option<std::string> remat{*this, "remat", llvm::cl::desc("auto, keep or recompute"), llvm::cl::init("auto")};
  Option<int64_t> limit{*this, "limit", llvm::cl::desc("largest workspace in bytes; 0: none"), llvm::cl::init(0)};
};

/// Options of `rnn-to-linalg`.
struct ToLinalgOptions : ToScheduleOptions, PassPipelineOptions<ToLinalgOptions> {
  using PassPipelineOptions<ToLinalgOptions>::createFromString;
};

/// Options of `rnn-to-cpu`.
struct ToCpuOptions : ToScheduleOptions, PassPipelineOptions<ToCpuOptions> {
  using PassPipelineOptions<ToCpuOptions>::createFromString;
  Option<std::string> cpu{*this, "cpu", llvm::cl::desc("a processor or level known to LLVM, or native"),
                          llvm::cl::init("native")};
  Option<std::string> features{*this, "features", llvm::cl::desc("more features, as for -mattr; of native: its own")};
  Option<unsigned> vectorBits{*this, "vector-bits", llvm::cl::desc("width of a vector register; 0: the processor's"),
                              llvm::cl::init(0)};
};

/// Options of `rnn-to-gpu`.
struct ToGpuOptions : ToScheduleOptions, PassPipelineOptions<ToGpuOptions> {
  using PassPipelineOptions<ToGpuOptions>::createFromString;
  Option<int64_t> multiprocessors{*this, "multiprocessors", llvm::cl::desc("how many blocks run at the same time"),
                                  llvm::cl::init(80)};
  Option<int64_t> clusterBlocks{*this, "cluster-blocks",
                                llvm::cl::desc("blocks of a cluster at most; 1: the chip has no clusters"),
                                llvm::cl::init(16)};
  Option<int64_t> sharedBytes{*this, "shared-bytes", llvm::cl::desc("shared memory that a block may have"),
                              llvm::cl::init(232448)};
  Option<std::string> regime{*this, "regime",
                             llvm::cl::desc("auto, block, cluster or grid: how far a loop by units spreads"),
                             llvm::cl::init("auto")};
  Option<int64_t> pieceFrames{*this, "piece-frames", llvm::cl::desc("frames of a piece of a wavefront, at least"),
                              llvm::cl::init(kPieceFrames)};
};

/// Appends the passes of a pipeline to `pm`, a pass manager of modules. Each pipeline contains the one before; the
/// exits to lower dialects each contain `rnn-to-schedule`.
void buildToGraphPipeline(OpPassManager &pm, const ToGraphOptions &options);
void buildToGradientPipeline(OpPassManager &pm, const ToGradientOptions &options);
void buildToSchedulePipeline(OpPassManager &pm, const ToScheduleOptions &options);
void buildToLinalgPipeline(OpPassManager &pm, const ToLinalgOptions &options);
void buildToCpuPipeline(OpPassManager &pm, const ToCpuOptions &options);
void buildToGpuPipeline(OpPassManager &pm, const ToGpuOptions &options);

/// Appends what a GPU and its emulator have in common behind `rnn-to-gpu`: kernels to the LLVM and NVVM dialects.
void buildKernelsToNVVMPipeline(OpPassManager &pm);

} // namespace mlir::rnn

#endif // RNN_PIPELINES_PIPELINES_H
