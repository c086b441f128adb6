//===- RegionEmitter.cpp - The body of a schedule region as loops -----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

bool loops::isElementwise(Operation *op) {
  return isa<SumOp, SigmoidOp, SoftplusOp>(op) ||
         (isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) && !isa<arith::ConstantOp>(op));
}

/// True for ops that are another view of their operand's memory.
static bool isView(Operation *op) {
  return isa<BroadcastOp, StopGradientOp, tensor::ExtractSliceOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
}

bool loops::isTimed(Operation *op) { return isa<DelayOp, SaveOp, SeedOp>(op); }

static Domain getDomain(Operation *region) {
  return llvm::TypeSwitch<Operation *, Domain>(region).Case<ParallelOp, RecurrentOp, ReductionOp>(
      [](auto op) { return op.getDomain(); });
}

RegionEmitter::RegionEmitter(FunctionEmitter &emitter, Operation *region, function_ref<View(Value)> sequences,
                             function_ref<View(StringRef)> stateOf)
    : e(emitter), b(emitter.b), loc(region->getLoc()), index(emitter.index), region(region),
      body(region->getRegion(0).front()), domain(getDomain(region)), inWindow(domain == Domain::Window),
      stateOf(stateOf) {
  for (auto [operand, argument] : llvm::zip(region->getOperands(), body.getArguments())) {
    rates[argument] = getSequenceRate(operand.getType(), argument.getType());
    View view = sequences(operand);
    view.type = cast<RankedTensorType>(argument.getType());
    views[argument] = view;
  }
}

/// Rule R2, in the order of the body: cycles pass through delays, whose rate is
/// known.
void RegionEmitter::computeRates() {
  for (Operation &op : body.without_terminator()) {
    Rate rate = Rate::Static;
    for (Value operand : op.getOperands())
      rate = std::max(rate, rates.lookup(operand));
    auto summed = [](std::optional<Rate> to) { return to.value_or(Rate::Static); };
    if (isTimed(&op))
      rate = Rate::Frame;
    else if (auto random = dyn_cast<RandomOp>(&op))
      rate = random.getRate();
    else if (auto sum = dyn_cast<SumFramesOp>(&op))
      rate = summed(sum.getSumTo());
    else if (auto contract = dyn_cast<ContractOp>(&op))
      rate = contract.getSumTo() ? *contract.getSumTo() : rate;
    else if (auto scatter = dyn_cast<ScatterAddOp>(&op))
      rate = scatter.getSumTo() ? *scatter.getSumTo() : rate;
    for (Value result : op.getResults())
      rates[result] = rate;
  }
}

LogicalResult RegionEmitter::run() {
  computeRates();
  planResults();
  for (Value value : body.getTerminator()->getOperands())
    outliving.insert(value);
  if (isa<RecurrentOp>(region))
    for (DelayOp delay : body.getOps<DelayOp>())
      outliving.insert(delay.getSource());
  LogicalResult status = isa<RecurrentOp>(region) ? emitLoop() : emitBody();
  if (failed(status))
    return failure();
  // Scratch memory of the region is used again by the next one.
  e.synchronize();
  return success();
}

LogicalResult RegionEmitter::emitBody() {
  for (Operation &op : body.without_terminator())
    if (failed(emitOp(&op)))
      return failure();
  flushAll();
  finishResults();
  return success();
}

LogicalResult RegionEmitter::emitLoop() {
  // What does not change from frame to frame is done once.
  SmallVector<Operation *> perFrame;
  for (Operation &op : body.without_terminator()) {
    if (op.getNumResults() == 1 && rateOf(op.getResult(0)) == Rate::Frame)
      perFrame.push_back(&op);
    else if (failed(emitOp(&op)))
      return failure();
  }
  flushAll();
  e.synchronize();
  // What later frames read needs its place before the loop.
  for (Operation *op : perFrame)
    if (outliving.contains(op->getResult(0)))
      allocateResult(op->getResult(0));

  const FailureOr<bool> isEmitted = e.emitFrames(*this, perFrame);
  if (failed(isEmitted) || *isEmitted)
    return isEmitted;
  e.beginLoop();
  Value zero = index.constant(0), one = index.constant(1);
  beforeLoop = one.getDefiningOp();
  auto forOp = scf::ForOp::create(b, loc, zero, countFrames(), one);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    frame = frameOfStep(forOp.getInductionVar());
    for (Operation *op : perFrame)
      if (failed(emitOp(op)))
        return failure();
    flushAll();
    finishResults();
    e.synchronize();
  }
  e.endLoop();
  return success();
}

Value RegionEmitter::frameOfStep(Value step) {
  if (cast<RecurrentOp>(region).getDirection() == Direction::Anticausal)
    step = index.sub(index.sub(countFrames(), index.constant(1)), step);
  return e.pieceBegin ? index.add(e.pieceBegin, step) : step;
}

void RegionEmitter::planResults() {
  auto slots = region->getAttrOfType<ArrayAttr>("slots");
  for (auto [slot, result, value] :
       llvm::zip(slots.getAsRange<SlotAttr>(), region->getResults(), body.getTerminator()->getOperands())) {
    auto type = cast<RankedTensorType>(value.getType());
    Rate rate = getSequenceRate(result.getType(), type);
    results.push_back(e.planned(slot, type, rate));
    if (rate == rateOf(value))
      places.insert({value, results.back()});
  }
}

void RegionEmitter::finishResults() {
  for (auto [place, result, value] : llvm::zip(results, region->getResults(), body.getTerminator()->getOperands())) {
    View view = materialize(value);
    if (view.buffer == place.buffer)
      continue;
    e.access({view.buffer}, {place.buffer});
    emitCopy(view, place, getSequenceRate(result.getType(), value.getType()));
  }
}

LogicalResult RegionEmitter::emitOp(Operation *op) {
  if (op->getNumResults() != 1)
    return e.unsupported(op);
  if (isElementwise(op) || isTimed(op)) {
    addToGroup(op);
    return success();
  }
  if (isView(op))
    return emitView(op);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      // Constants have memory only where somebody asks for it.
      .Case([&](arith::ConstantOp) { return success(); })
      .Case([&](ContractOp op) { return emitContract(op); })
      .Case([&](RandomOp op) { return emitRandom(op); })
      .Case([&](ReduceOp op) { return emitReduce(op); })
      .Case([&](SumFramesOp op) { return emitSumFrames(op); })
      .Case([&](GatherOp op) { return emitGather(op); })
      .Case([&](ScatterAddOp op) { return emitScatterAdd(op); })
      .Case([&](tensor::ConcatOp op) { return emitConcat(op); })
      .Case([&](tensor::InsertSliceOp op) { return emitInsertSlice(op); })
      .Default([&](Operation *op) { return e.unsupported(op); });
}
