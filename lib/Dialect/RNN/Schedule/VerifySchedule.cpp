//===- VerifySchedule.cpp - The border of level 2 -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Regions.h"
#include "rnn/Dialect/RNN/IR/Rates.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_VERIFYSCHEDULE
#include "rnn/Dialect/RNN/Schedule/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-verify-schedule"

/// Checks one op in the body of a region. `kept` holds the states and rings that the schedule keeps.
static LogicalResult verifyBodyOp(Operation &op, Operation *region, const llvm::StringSet<> &kept) {
  if (isa<GradientOp, LinearOp, CallOp, ParamOp, AssignOp, GuardOp, CompositeOpInterface>(op))
    return op.emitOpError("is not allowed in a region of a schedule");
  if (sumsFrames(&op) && !isa<ReductionOp>(region))
    return op.emitOpError("sums over frames, which is allowed in 'rnn.reduction' only");
  if (auto delay = dyn_cast<DelayOp>(op)) {
    // A loop may delay its arguments too: where the init is what it computes.
    if (!isa<BlockArgument>(delay.getSource()) && !isa<RecurrentOp>(region))
      return op.emitOpError() << "delays a value of the body; expected an argument of the region";
    if (delay.isCarried() && delay.getState() && !kept.contains(("state." + *delay.getState()).str()))
      return op.emitOpError() << "reads 'state." << *delay.getState() << "', which no 'rnn.keep' keeps";
  }
  if (auto save = dyn_cast<SaveOp>(op); save && !isa<BlockArgument>(save.getSource()))
    return op.emitOpError("saves a value of the body; expected an argument of the region");
  // In a loop only delays may look ahead in the text; elsewhere nothing may.
  for (Value operand : op.getOperands())
    if (Operation *source = operand.getDefiningOp(); source && !source->isBeforeInBlock(&op) && !isa<DelayOp>(op))
      return op.emitOpError("reads a value that is computed after it");
  return success();
}

static LogicalResult verifySchedule(ScheduleOp schedule) {
  llvm::StringSet<> kept;
  for (KeepOp keep : schedule.getBodyBlock()->getOps<KeepOp>())
    if (!kept.insert(keep.getName()).second)
      return keep.emitOpError() << "keeps '" << keep.getName() << "' a second time";
  for (Operation &op : *schedule.getBodyBlock()) {
    if (!isRegionOp(&op)) {
      if (!isa<ParamOp, KeepOp, AssignOp, GuardOp, ReturnOp>(op))
        return op.emitOpError("is not allowed in a schedule");
      continue;
    }
    Block &body = op.getRegion(0).front();
    for (Operation &inner : body.without_terminator())
      if (failed(verifyBodyOp(inner, &op, kept)))
        return failure();
    if (!isa<ReductionOp>(op))
      continue;
    for (Value value : body.getTerminator()->getOperands())
      if (!value.getDefiningOp() || !sumsFrames(value.getDefiningOp()))
        return op.emitOpError("yields a value that is no sum over frames");
  }
  return success();
}

namespace {
struct VerifySchedule : mlir::rnn::impl::VerifyScheduleBase<VerifySchedule> {
  void runOnOperation() override {
    for (Operation &op : *getOperation().getBody()) {
      if (isa<NetworkOp, StepOp, TrainStepOp>(op)) {
        op.emitOpError("is not allowed after rnn-partition");
        return signalPassFailure();
      }
      if (auto schedule = dyn_cast<ScheduleOp>(op); schedule && failed(verifySchedule(schedule)))
        return signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
