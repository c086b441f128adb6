//===- VerifyGraph.cpp - Ops, rates and single mentions ---------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "mlir/IR/Matchers.h"
#include "rnn/Dialect/RNN/IR/Rates.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::detail;

//===----------------------------------------------------------------------===//
// L1: the closed list
//===----------------------------------------------------------------------===//

/// True for the ops of other dialects that a graph may hold.
static bool isListedUpstream(Operation *op) {
  return isa<arith::ConstantOp, arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp,
             arith::MaximumFOp, arith::MinimumFOp, arith::CmpFOp, arith::CmpIOp, arith::SelectOp, arith::AndIOp,
             arith::OrIOp, arith::XOrIOp, arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::ExtFOp, arith::TruncFOp,
             arith::SIToFPOp, arith::UIToFPOp>(op) ||
         isa<math::ExpOp, math::LogOp, math::Log1pOp, math::SqrtOp, math::RsqrtOp, math::TanhOp, math::ErfOp,
             math::AbsFOp, math::SinOp, math::CosOp, math::PowFOp>(op) ||
         isa<tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::ConcatOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp>(op);
}

static bool isListed(Operation *op, bool inStep) {
  if (op->getNumRegions() != 0)
    return false;
  if (inStep && isa<SaveOp, SeedOp, GradientOp, AssignOp, GuardOp>(op))
    return true;
  return isListedUpstream(op) ||
         isa<ParamOp, DelayOp, RandomOp, TrainingOp, LinearOp, ContractOp, SumOp, ReduceOp, BroadcastOp, GatherOp,
             ScatterAddOp, SumFramesOp, SigmoidOp, SoftplusOp, StopGradientOp, CallOp, OutputOp, CompositeOpInterface>(
             op);
}

LogicalResult rnn::detail::verifyOpList(RNNFunctionInterface function) {
  bool inStep = isa<StepOp>(function);
  for (Operation &op : *function.getBodyBlock()) {
    if (isListed(&op, inStep))
      continue;
    InFlightDiagnostic diag = op.emitOpError("is not allowed in a ") << (inStep ? "step" : "network");
    diag.attachNote() << "allowed: elementwise arith and math, tensor reshapes, rnn ops";
    return diag;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// L2 to L5, N2: ops of other dialects
//===----------------------------------------------------------------------===//

/// N2, L2: arithmetic means what its op says, without leave to be inexact or undefined.
static LogicalResult verifyFlags(Operation *op) {
  if (auto math = dyn_cast<arith::ArithFastMathInterface>(op))
    if (auto flags = math.getFastMathFlagsAttr(); flags && flags.getValue() != arith::FastMathFlags::none)
      return op->emitOpError("fast-math flags are not allowed");
  if (auto integer = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(op))
    if (auto flags = integer.getOverflowAttr(); flags && flags.getValue() != arith::IntegerOverflowFlags::none)
      return op->emitOpError("overflow flags are not allowed");
  if (auto rounding = dyn_cast<arith::ArithRoundingModeInterface>(op))
    if (auto mode = rounding.getRoundingModeAttr(); mode && mode.getValue() != arith::RoundingMode::to_nearest_even)
      return op->emitOpError("expected rounding to nearest, ties to even");
  return success();
}

/// L5: a slice has positive strides and lies inside the tensor `whole`.
static LogicalResult verifySlice(OffsetSizeAndStrideOpInterface slice, Type whole) {
  auto type = cast<RankedTensorType>(whole);
  for (auto [dim, offset, size, stride] :
       llvm::enumerate(slice.getStaticOffsets(), slice.getStaticSizes(), slice.getStaticStrides())) {
    int64_t extent = type.getDimSize(dim);
    if (offset < 0 || size < 1 || stride < 1 || offset >= extent || size - 1 > (extent - 1 - offset) / stride)
      return slice->emitOpError() << "expected a slice inside " << debugString(type)
                                  << " with positive strides, but dimension " << dim << " has offset " << offset
                                  << ", size " << size << " and stride " << stride;
  }
  return success();
}

LogicalResult rnn::detail::verifyOps(RNNFunctionInterface function) {
  // R4, for every value: types first, since all that follows reads them.
  for (Operation &op : *function.getBodyBlock())
    for (OpResult result : op.getResults()) {
      bool isOnly = op.getNumResults() == 1;
      if (failed(verifySignalType(&op, result.getType(),
                                  isOnly ? Twine("the result") : "result " + Twine(result.getResultNumber()))))
        return failure();
    }

  for (Operation &op : *function.getBodyBlock()) {
    if (failed(verifyFlags(&op)))
      return failure();
    // L3: constants are dense.
    if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && !isa<DenseElementsAttr>(constant.getValue()))
      return op.emitOpError("expected a dense constant");
    // L4: the exponent of a power is a constant, the same for all elements.
    if (auto power = dyn_cast<math::PowFOp>(op)) {
      DenseElementsAttr exponent;
      if (!matchPattern(power.getRhs(), m_Constant(&exponent)) || !exponent.isSplat())
        return op.emitOpError("expected a constant exponent, the same for all elements");
    }
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op); slice && failed(verifySlice(slice, slice.getSourceType())))
      return failure();
    if (auto slice = dyn_cast<tensor::InsertSliceOp>(op); slice && failed(verifySlice(slice, slice.getDestType())))
      return failure();
    // F2: recorded names become names of tensors.
    if (isa<DelayOp, CallOp, CompositeOpInterface>(op))
      for (StringRef kind : {"name", "state"})
        if (auto name = op.getAttrOfType<StringAttr>(kind); name && failed(verifyTensorName(&op, name.getValue())))
          return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// R3, A0, A3, S4: rates and domains
//===----------------------------------------------------------------------===//

/// Checks that an op which belongs to no frame and no stream reads a static value.
static LogicalResult verifyStatic(Operation *op, StringRef what, Rate rate) {
  if (rate == Rate::Static)
    return success();
  return op->emitOpError() << "expected a static " << what << ", but got one of " << stringifyRate(rate) << " rate";
}

LogicalResult rnn::detail::verifyRates(RNNFunctionInterface function) {
  Block &body = *function.getBodyBlock();
  // The rates of a call's results are those of its body, known after rnn-inline.
  if (!body.getOps<CallOp>().empty())
    return success();
  RateAnalysis rates(function);
  // A4: without older frames the window is the chunk, and nothing can be mixed.
  auto step = dyn_cast<StepOp>(function.getOperation());
  bool hasHistory = step && step.getHistory() > 0;
  for (Operation &op : body) {
    if (auto gradient = dyn_cast<GradientOp>(op); // A0
        gradient && failed(verifyStatic(&op, "loss", rates.getRate(gradient.getLoss()))))
      return failure();
    if (auto assign = dyn_cast<AssignOp>(op); // S4
        assign && failed(verifyStatic(&op, "value", rates.getRate(assign.getValue()))))
      return failure();
    if (auto guard = dyn_cast<GuardOp>(op); // S4
        guard && failed(verifyStatic(&op, "condition", rates.getRate(guard.getCondition()))))
      return failure();

    // A3: between chunk and window there are only saves and seeds.
    bool hasWindow = false, hasChunk = false;
    for (Value operand : op.getOperands())
      if (rates.getRate(operand) == Rate::Frame)
        (rates.isInWindow(operand) ? hasWindow : hasChunk) = true;
    if (isa<SaveOp>(op) && hasWindow && hasHistory)
      return op.emitOpError("expected a signal of the chunk, but got one of the window");
    if (isa<SeedOp>(op) && (hasWindow || hasChunk))
      return op.emitOpError("expected a static or stream signal, but got one of frame rate");
    if (hasWindow && hasChunk && hasHistory && !isa<OutputOp, GradientOp>(op))
      return op.emitOpError("mixes signals of the chunk and of the window");
  }

  // R3: a result of lower rate than declared is spread, one of higher rate has no meaning.
  for (OpOperand &operand : body.back().getOpOperands()) {
    unsigned number = operand.getOperandNumber();
    Rate rate = rates.getRate(operand.get()), declared = function.getResRate(number);
    if (rate > declared)
      return body.back().emitOpError() << "result '" << function.getResultName(number) << "' is declared "
                                       << stringifyRate(declared) << ", but varies per " << stringifyRate(rate);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// S4, N1, S5: what is said once
//===----------------------------------------------------------------------===//

LogicalResult rnn::detail::verifyUnique(RNNFunctionInterface function) {
  Block &body = *function.getBodyBlock();
  llvm::DenseMap<StringAttr, AssignOp> assigns;
  llvm::DenseMap<int64_t, RandomOp> randoms;
  llvm::DenseMap<StringAttr, DelayOp> states;
  GuardOp guard;
  auto reject = [](Operation *op, Operation *first, StringRef note, const Twine &message) -> LogicalResult {
    InFlightDiagnostic diag = op->emitOpError(message);
    diag.attachNote(first->getLoc()) << note;
    return diag;
  };
  for (Operation &op : body) {
    if (auto assign = dyn_cast<AssignOp>(op)) { // S4
      auto [it, isNew] = assigns.try_emplace(assign.getParameterAttr().getAttr(), assign);
      if (!isNew)
        return reject(&op, it->second, "first assigned here", "assigns '@" + assign.getParameter() + "' again");
    } else if (auto next = dyn_cast<GuardOp>(op)) { // S4
      if (guard)
        return reject(&op, guard, "first guard here", "expected at most one guard in a step");
      guard = next;
    } else if (auto random = dyn_cast<RandomOp>(op)) { // N1
      if (!random.getId())
        continue;
      auto [it, isNew] = randoms.try_emplace(static_cast<int32_t>(*random.getId()), random);
      if (!isNew)
        return reject(&op, it->second, "first used here", "id " + Twine(*random.getId()) + " is used twice");
    } else if (auto delay = dyn_cast<DelayOp>(op)) { // S5
      if (!delay.getStateAttr())
        continue;
      auto [state, isNew] = states.try_emplace(delay.getStateAttr(), delay);
      if (!isNew && state->second.getSource() != delay.getSource())
        return reject(&op, state->second, "first used here",
                      "state '" + *delay.getState() + "' is used for two signals");
    }
  }
  return success();
}
