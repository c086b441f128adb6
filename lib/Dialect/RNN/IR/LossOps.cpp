//===- LossOps.cpp - Losses, written out -------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Verify.h"

using namespace mlir;
using namespace mlir::rnn;

//===----------------------------------------------------------------------===//
// SoftmaxCrossEntropyOp
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxCrossEntropyOp::verify() {
  auto logits = cast<RankedTensorType>(getLogits().getType());
  auto target = cast<RankedTensorType>(getTarget().getType());
  if (logits.getRank() != 1 || !isa<FloatType>(logits.getElementType()))
    return emitOpError() << "expected a float vector of logits, but got " << debugString(logits);
  if (target.getRank() != 0 || !target.getElementType().isSignlessInteger() ||
      target.getElementType().isSignlessInteger(1))
    return emitOpError() << "expected a scalar integer target, but got " << debugString(target);
  if (getType() != RankedTensorType::get({}, logits.getElementType()))
    return emitOpError() << "expected a scalar " << debugString(logits.getElementType()) << " result, but got "
                         << debugString(getType());
  return success();
}

FailureOr<SmallVector<Value>> SoftmaxCrossEntropyOp::expand(OpBuilder &builder) {
  Location loc = getLoc();
  Type scalar = getType(), vector = getLogits().getType();
  auto reduce = [&](ReduceKind kind, Value x) -> Value {
    return ReduceOp::create(builder, loc, scalar, kind, x, ArrayRef<int64_t>{0});
  };
  // The shift by the maximum changes neither value nor gradient.
  Value max = reduce(ReduceKind::Max, StopGradientOp::create(builder, loc, vector, getLogits()));
  Value spread = BroadcastOp::create(builder, loc, vector, max, ArrayRef<int64_t>{0});
  Value shifted = arith::SubFOp::create(builder, loc, getLogits(), spread);
  Value sum = reduce(ReduceKind::Sum, math::ExpOp::create(builder, loc, shifted));
  Value logSum = math::LogOp::create(builder, loc, sum);
  Value atTarget = GatherOp::create(builder, loc, scalar, shifted, getTarget());
  return SmallVector<Value>{arith::SubFOp::create(builder, loc, logSum, atTarget)};
}

//===----------------------------------------------------------------------===//
// Losses of every element, and their mean
//===----------------------------------------------------------------------===//

/// Prediction and target have one floating-point type, the result is a scalar of its elements.
static LogicalResult verifyElementwiseLoss(Operation *op) {
  auto prediction = cast<RankedTensorType>(op->getOperand(0).getType());
  auto target = cast<RankedTensorType>(op->getOperand(1).getType());
  if (!isa<FloatType>(prediction.getElementType()))
    return op->emitOpError() << "expected a float prediction, but got " << debugString(prediction);
  if (target != prediction)
    return op->emitOpError() << "expected a target of the prediction's type " << debugString(prediction) << ", but got "
                             << debugString(target);
  Type result = op->getResult(0).getType();
  if (result != RankedTensorType::get({}, prediction.getElementType()))
    return op->emitOpError() << "expected a scalar " << debugString(prediction.getElementType()) << " result, but got "
                             << debugString(result);
  return success();
}

namespace {
/// Writes a loss as arithmetic on tensors of the prediction's type.
struct LossWriter {
  OpBuilder &b;
  Location loc;
  RankedTensorType type;

  LossWriter(OpBuilder &builder, Operation *loss)
      : b(builder), loc(loss->getLoc()), type(cast<RankedTensorType>(loss->getOperand(0).getType())) {}

  Value constant(double value) { return createSplat(b, loc, type, value); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value abs(Value x) { return math::AbsFOp::create(b, loc, x); }
  Value softplus(Value x) { return SoftplusOp::create(b, loc, type, x); }
  /// The sum of all elements divided by their number.
  SmallVector<Value> mean(Value x) {
    auto scalar = RankedTensorType::get({}, type.getElementType());
    if (type.getRank() == 0)
      return {x};
    Value sum =
        ReduceOp::create(b, loc, scalar, ReduceKind::Sum, x, llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
    if (type.getNumElements() == 1)
      return {sum};
    return {arith::DivFOp::create(b, loc, sum, createSplat(b, loc, scalar, type.getNumElements()))};
  }
};
} // namespace

LogicalResult SigmoidCrossEntropyOp::verify() { return verifyElementwiseLoss(*this); }

FailureOr<SmallVector<Value>> SigmoidCrossEntropyOp::expand(OpBuilder &builder) {
  LossWriter w(builder, *this);
  Value logit = getPrediction(), target = getTarget();
  Value missed = w.mul(target, w.softplus(arith::NegFOp::create(builder, getLoc(), logit)));
  return w.mean(w.add(missed, w.mul(w.sub(w.constant(1), target), w.softplus(logit))));
}

LogicalResult MeanSquaredErrorOp::verify() { return verifyElementwiseLoss(*this); }

FailureOr<SmallVector<Value>> MeanSquaredErrorOp::expand(OpBuilder &builder) {
  LossWriter w(builder, *this);
  Value error = w.sub(getPrediction(), getTarget());
  return w.mean(w.mul(error, error));
}

LogicalResult MeanAbsoluteErrorOp::verify() { return verifyElementwiseLoss(*this); }

FailureOr<SmallVector<Value>> MeanAbsoluteErrorOp::expand(OpBuilder &builder) {
  LossWriter w(builder, *this);
  return w.mean(w.abs(w.sub(getPrediction(), getTarget())));
}

LogicalResult HuberOp::verify() {
  if (failed(verifyElementwiseLoss(*this)))
    return failure();
  double delta = getDelta().convertToDouble();
  if (!(delta > 0) || std::isinf(delta))
    return emitOpError() << "expected a positive delta, but got " << delta;
  return success();
}

FailureOr<SmallVector<Value>> HuberOp::expand(OpBuilder &builder) {
  LossWriter w(builder, *this);
  Value error = w.abs(w.sub(getPrediction(), getTarget()));
  // min(d, delta)·(d - min(d, delta)/2) is both branches in one, and has the derivative of each.
  Value bounded = arith::MinimumFOp::create(builder, getLoc(), error, w.constant(getDelta().convertToDouble()));
  return w.mean(w.mul(bounded, w.sub(error, w.mul(w.constant(0.5), bounded))));
}
