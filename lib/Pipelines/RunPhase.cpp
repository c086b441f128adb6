//===- RunPhase.cpp - One phase, once -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/IR/RNN.h"
#include "rnn/Pipelines/Passes.h"
#include "rnn/Pipelines/Pipelines.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_RUNPHASE
#include "rnn/Pipelines/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-run-phase"

StringRef rnn::stringifyPhase(Phase phase) {
  switch (phase) {
  case Phase::Graph:
    return "graph";
  case Phase::Gradient:
    return "gradient";
  case Phase::Schedule:
    return "schedule";
  case Phase::Lowered:
    return "lowered";
  }
  llvm_unreachable("all phases are covered");
}

std::optional<Phase> rnn::symbolizePhase(StringRef name) {
  for (Phase phase : {Phase::Graph, Phase::Gradient, Phase::Schedule, Phase::Lowered})
    if (stringifyPhase(phase) == name)
      return phase;
  return std::nullopt;
}

/// Whoever writes the level by hand may be wrong: passes that are skipped would leave networks that nobody lowers.
static LogicalResult checkLevel(ModuleOp module, Phase level) {
  for (auto function : module.getOps<RNNFunctionInterface>())
    if (level == Phase::Lowered || (level == Phase::Schedule && !isa<ScheduleOp>(function)))
      return function.emitError() << "'" << RNNDialect::kLevelAttrName << "' of the module is '"
                                  << stringifyPhase(level) << "', but here is a '" << function->getName() << "'";
  return success();
}

namespace {
struct RunPhase : mlir::rnn::impl::RunPhaseBase<RunPhase> {
  using RunPhaseBase::RunPhaseBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<RNNDialect>();
    for (const OpPassManager &pipeline : passes)
      pipeline.getDependentDialects(registry);
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::optional<Phase> phase = symbolizePhase(level);
    if (!phase) {
      module.emitError() << "unknown level '" << level << "'; expected graph, gradient, schedule or lowered";
      return signalPassFailure();
    }
    auto reached = module->getAttrOfType<StringAttr>(RNNDialect::kLevelAttrName);
    if (reached) {
      std::optional<Phase> current = symbolizePhase(reached.getValue());
      if (!current) {
        module.emitError() << "unknown level " << reached << " in '" << RNNDialect::kLevelAttrName
                           << "'; expected graph, gradient, schedule or lowered";
        return signalPassFailure();
      }
      if (failed(checkLevel(module, *current)))
        return signalPassFailure();
      if (*current >= *phase)
        return;
    }
    for (OpPassManager &pipeline : passes)
      if (failed(runPipeline(pipeline, module)))
        return signalPassFailure();
    module->setAttr(RNNDialect::kLevelAttrName, StringAttr::get(module.getContext(), stringifyPhase(*phase)));
  }
};
} // namespace
