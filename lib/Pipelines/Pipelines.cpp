//===- Pipelines.cpp - From a graph to code, phase by phase -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Pipelines/Pipelines.h"
#include "mlir/Transforms/Passes.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Pipelines/Passes.h"

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
    phase.addPass(createAssignIds());
  });
}
