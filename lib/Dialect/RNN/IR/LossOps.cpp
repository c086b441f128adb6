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
