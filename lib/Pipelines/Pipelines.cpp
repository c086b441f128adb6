//===- Pipelines.cpp - From a graph to code, phase by phase -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Pipelines/Pipelines.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Transforms/Passes.h"
#include "rnn/Analysis/Passes.h"
#include "rnn/Conversion/Passes.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Pipelines/Passes.h"
#include "rnn/Target/CPU/HostCode.h"

using namespace mlir;
using namespace mlir::rnn;

/// Appends a phase: `build` adds its passes.
static void addPhase(OpPassManager &pm, Phase phase, llvm::function_ref<void(OpPassManager &)> build) {
  RunPhaseOptions options;
  options.level = stringifyPhase(phase).str();
  build(options.passes.emplace_back(ModuleOp::getOperationName()));
  pm.addPass(createRunPhase(options));
}

void rnn::buildToGraphPipeline(OpPassManager &pm, const ToGraphOptions &options) {
  addPhase(pm, Phase::Graph, [&](OpPassManager &phase) {
    // One flat graph per network.
    phase.addPass(createInline());
    phase.addPass(createExpandCells({llvm::to_vector(options.cells)}));
    if (!options.type.empty())
      phase.addPass(createSetFloat({options.type}));
    // What state a network carries is decided here, in order, and named for good.
    phase.addPass(createSimplifyDelays());
    phase.addPass(createSort());
    // Equal signals become one before either has a state of its own.
    phase.addPass(createCSEPass());
    phase.addPass(createAssignIds());
    // Who leaves cells closed wants to see them.
    if (options.cells.empty())
      phase.addPass(createVerifyGraph());
  });
}

/// One graph per step and mode with every gradient written out, and the networks as they are for inference.
static void buildGradientPhase(OpPassManager &phase, const ToGradientOptions &options) {
  SmallVector<std::string> kept(options.keep.begin(), options.keep.end());
  bool keepsSignals = llvm::is_contained(kept, "signals");
  llvm::erase(kept, "signals");
  phase.addPass(createBuildStep({llvm::to_vector(options.of), kept}));
  phase.addPass(createDifferentiate());
  phase.addPass(createSpecialise({"infer"}));
  if (keepsSignals)
    phase.addPass(createKeepSignals());
  if (options.matmulPrecision != "f32")
    phase.addPass(createSetMatmulPrecision({options.matmulPrecision}));
  // Adjoint rules ask for the same constants, saves and slopes again and again.
  phase.addPass(createSort());
  phase.addPass(createCSEPass());
  if (options.cells.empty())
    phase.addPass(createVerifyGraph());
}

void rnn::buildToGradientPipeline(OpPassManager &pm, const ToGradientOptions &options) {
  buildToGraphPipeline(pm, options);
  addPhase(pm, Phase::Gradient, [&](OpPassManager &phase) { buildGradientPhase(phase, options); });
}

/// Up to the schedule; `plansMemory` also gives its sequences places.
static void buildToSchedulePipeline(OpPassManager &pm, const ToScheduleOptions &options, bool plansMemory) {
  buildToGradientPipeline(pm, options);
  addPhase(pm, Phase::Schedule, [&](OpPassManager &phase) {
    phase.addPass(createPartition({options.mode, options.streams}));
    // The baseline stays as it is: nothing moves between its loops.
    if (options.mode != "sequential") {
      phase.addPass(createSink());
      phase.addPass(createFuseElementwise());
    }
    if (plansMemory)
      phase.addPass(createPlanMemory({options.remat, options.limit}));
    phase.addPass(createVerifySchedule());
  });
}

void rnn::buildToSchedulePipeline(OpPassManager &pm, const ToScheduleOptions &options) {
  ::buildToSchedulePipeline(pm, options, /*plansMemory=*/true);
}

void rnn::buildToLinalgPipeline(OpPassManager &pm, const ToLinalgOptions &options) {
  // Any number of streams has no plan; whoever gives options of the plan is told so.
  bool plansMemory = options.streams != 0 || options.limit != 0 || options.remat != "auto";
  ::buildToSchedulePipeline(pm, options, plansMemory);
  addPhase(pm, Phase::Lowered, [&](OpPassManager &phase) {
    phase.addPass(createConvertRNNToLinalg());
    phase.addPass(createCanonicalizerPass());
    phase.addPass(createCSEPass());
    phase.addPass(createVerifyLowered());
  });
}

/// The width of the vector registers of the processor that `options` name; 256 bits of one that LLVM does not know,
/// which whoever generates its code reports.
static unsigned getVectorBits(const ToCpuOptions &options) {
  if (options.vectorBits)
    return options.vectorBits;
  HostTarget host = options.cpu == "native" ? detectHost() : HostTarget{options.cpu, options.features};
  return getHostVectorBits(host).value_or(256);
}

void rnn::buildToCpuPipeline(OpPassManager &pm, const ToCpuOptions &options) {
  buildToSchedulePipeline(pm, options);
  unsigned vectorBits = getVectorBits(options);
  addPhase(pm, Phase::Lowered, [&](OpPassManager &phase) {
    phase.addPass(createConvertRNNToCPU({vectorBits}));
    phase.addPass(createExpandMath());
    phase.addPass(createCanonicalizerPass());
    phase.addPass(createCSEPass());
    phase.addPass(createVerifyLowered());
  });
}

void rnn::buildToGpuPipeline(OpPassManager &pm, const ToGpuOptions &options) {
  buildToSchedulePipeline(pm, options);
  addPhase(pm, Phase::Lowered, [&](OpPassManager &phase) {
    // Launches can overlap here, which takes more memory.
    phase.addPass(createFormWavefronts({options.multiprocessors, options.pieceFrames}));
    phase.addPass(createPlanMemory({options.remat, options.limit}));
    ConvertRNNToGPUOptions kernels;
    kernels.regime = options.regime;
    kernels.multiprocessors = options.multiprocessors;
    kernels.clusterBlocks = options.clusterBlocks;
    kernels.sharedBytes = options.sharedBytes;
    kernels.pieceFrames = options.pieceFrames;
    phase.addPass(createConvertRNNToGPU(kernels));
    phase.addPass(createExpandMath());
    phase.addPass(createCanonicalizerPass());
    phase.addPass(createCSEPass());
    phase.addPass(createVerifyLowered());
  });
}

void rnn::buildKernelsToNVVMPipeline(OpPassManager &pm) {
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertKernelsToNVVM());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
}
