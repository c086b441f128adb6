//===- VerifyGraph.cpp - The border of level 1 ----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Passes.h"
#include "rnn/Dialect/RNN/IR/Rates.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_VERIFYGRAPH
#include "rnn/Analysis/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-verify-graph"

/// True if `op` may read `operand` before it is computed: a delay reads another frame of its source.
static bool mayLookAhead(Operation &op, OpOperand &operand) {
  return isa<DelayOp>(op) && operand.getOperandNumber() == 0;
}

static LogicalResult verifyOp(Operation &op, const RateAnalysis &rates) {
  if (isa<CallOp>(op))
    return op.emitOpError("is not allowed in a flat graph; run rnn-inline first");
  if (isa<CompositeOpInterface, LinearOp>(op))
    return op.emitOpError("is not allowed in a flat graph; run rnn-expand-cells first");
  // R4: a delay of a static or stream value needs no state.
  if (auto delay = dyn_cast<DelayOp>(op);
      delay && delay.isCarried() && !delay.getState() && rates.getRate(delay.getSource()) == Rate::Frame)
    return op.emitOpError("has no name for its state; run rnn-assign-ids first");
  if (auto random = dyn_cast<RandomOp>(op); random && !random.getId())
    return op.emitOpError("has no id; run rnn-assign-ids first");
  for (OpOperand &operand : op.getOpOperands()) {
    Operation *source = operand.get().getDefiningOp();
    if (!source || source->isBeforeInBlock(&op) || mayLookAhead(op, operand))
      continue;
    InFlightDiagnostic diag = op.emitOpError("reads a value that is computed after it; run rnn-sort first");
    diag.attachNote(source->getLoc()) << "computed here";
    return diag;
  }
  return success();
}

namespace {
struct VerifyGraph : mlir::rnn::impl::VerifyGraphBase<VerifyGraph> {
  void runOnOperation() override {
    for (Operation &op : *getOperation().getBody()) {
      if (isa<ScheduleOp>(op)) {
        op.emitOpError("is not allowed before rnn-partition");
        return signalPassFailure();
      }
      if (!isa<NetworkOp, StepOp>(op))
        continue;
      auto function = cast<RNNFunctionInterface>(op);
      RateAnalysis rates(function);
      for (Operation &inner : *function.getBodyBlock())
        if (failed(verifyOp(inner, rates)))
          return signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
