//===- LossOps.cpp - Losses, written out -------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "rnn/Dialect/RNN/IR/BackedgeBuilder.h"
#include "mlir/IR/TypeUtilities.h"

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

/// Logits less their maximum, and the logarithm of the sum of their exponentials: the logarithm of a softmax is the
/// difference. The shift changes neither value nor gradient.
static std::pair<Value, Value> writeLogSoftmax(OpBuilder &builder, Location loc, Value logits) {
  Type vector = logits.getType(), scalar = RankedTensorType::get({}, getElementTypeOrSelf(vector));
  auto reduce = [&](ReduceKind kind, Value x) -> Value {
    return ReduceOp::create(builder, loc, scalar, kind, x, ArrayRef<int64_t>{0});
  };
  Value max = reduce(ReduceKind::Max, StopGradientOp::create(builder, loc, vector, logits));
  Value spread = BroadcastOp::create(builder, loc, vector, max, ArrayRef<int64_t>{0});
  Value shifted = arith::SubFOp::create(builder, loc, logits, spread);
  Value sum = reduce(ReduceKind::Sum, math::ExpOp::create(builder, loc, shifted));
  return {shifted, math::LogOp::create(builder, loc, sum)};
}

FailureOr<SmallVector<Value>> SoftmaxCrossEntropyOp::expand(OpBuilder &builder) {
  auto [shifted, logSum] = writeLogSoftmax(builder, getLoc(), getLogits());
  Value atTarget = GatherOp::create(builder, getLoc(), getType(), shifted, getTarget());
  return SmallVector<Value>{arith::SubFOp::create(builder, getLoc(), logSum, atTarget)};
}

//===----------------------------------------------------------------------===//
// CTCOp
//===----------------------------------------------------------------------===//

LogicalResult CTCOp::verify() {
  auto logits = cast<RankedTensorType>(getLogits().getType()), labels = cast<RankedTensorType>(getLabels().getType());
  Type length = getLength().getType(), index = labels.getElementType();
  if (logits.getRank() != 1 || !isa<FloatType>(logits.getElementType()))
    return emitOpError() << "expected a float vector of logits, but got " << debugString(logits);
  if (labels.getRank() != 1 || !(index.isSignlessInteger(32) || index.isSignlessInteger(64)))
    return emitOpError() << "expected a vector of i32 or i64 labels, but got " << debugString(labels);
  if (length != RankedTensorType::get({}, index))
    return emitOpError() << "expected a scalar " << debugString(index) << " length, but got " << debugString(length);
  if (getType() != RankedTensorType::get({}, logits.getElementType()))
    return emitOpError() << "expected a scalar " << debugString(logits.getElementType()) << " result, but got "
                         << debugString(getType());
  return success();
}

namespace {
/// Writes CTC's recursion: `states` blanks and labels in turn, a blank at both ends.
struct CTCWriter {
  /// The logarithm of a probability of 0, and a number that no other logarithm comes near. Infinity would become NaN in
  /// differences; this is so far away that exp makes 0 of its difference from any other logarithm.
  static constexpr double kNever = -1e30, kNearNever = -1e29;

  OpBuilder &b;
  Location loc;
  int64_t labels, states;
  Type real, index;

  CTCWriter(OpBuilder &builder, CTCOp op)
      : b(builder), loc(op.getLoc()), labels(cast<RankedTensorType>(op.getLabels().getType()).getDimSize(0)),
        states(2 * labels + 1), real(cast<RankedTensorType>(op.getType()).getElementType()),
        index(cast<RankedTensorType>(op.getLabels().getType()).getElementType()) {}

  RankedTensorType scalar(Type element) { return RankedTensorType::get({}, element); }
  RankedTensorType vector(Type element, int64_t size) { return RankedTensorType::get({size}, element); }
  Value splat(RankedTensorType type, double value) { return createSplat(b, loc, type, value); }
  Value never(int64_t size) { return splat(vector(real, size), kNever); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }
  /// The first elements of `x` moved `by` places up, behind `filling` of that size.
  Value shift(Value x, Value filling, int64_t by) {
    auto part = vector(cast<RankedTensorType>(x.getType()).getElementType(), states - by);
    Value first =
        tensor::ExtractSliceOp::create(b, loc, part, x, ValueRange(), ValueRange(), ValueRange(), ArrayRef<int64_t>{0},
                                       ArrayRef<int64_t>{states - by}, ArrayRef<int64_t>{1});
    return tensor::ConcatOp::create(b, loc, x.getType(), 0, ValueRange{filling, first});
  }
  /// log Σ exp(xi), elementwise; `kNever` where all terms are. The maximum by which terms are shifted changes neither
  /// value nor gradient.
  Value logSumExp(ArrayRef<Value> terms) {
    auto type = cast<RankedTensorType>(terms.front().getType());
    Value max = terms.front(), sum;
    for (Value term : terms.drop_front())
      max = arith::MaximumFOp::create(b, loc, max, term);
    max = StopGradientOp::create(b, loc, type, max);
    // Two numbers as large as `kNever` differ by a rounding error, which would be a large number: no difference is
    // taken.
    Value isNever = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, max, splat(type, kNearNever));
    Value shift = select(isNever, splat(type, 0), max);
    for (Value term : terms) {
      Value part = math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, term, shift));
      sum = sum ? add(sum, part) : part;
    }
    Value log = math::LogOp::create(b, loc, select(isNever, splat(type, 1), sum));
    return select(isNever, splat(type, kNever), add(shift, log));
  }

  /// The class of each state: the first `length` of `given` with blanks around them, blanks behind.
  Value classes(Value given, Value length) {
    auto type = vector(index, labels);
    SmallVector<APInt> places;
    for (int64_t i = 0; i < labels; ++i)
      places.emplace_back(index.getIntOrFloatBitWidth(), i);
    Value place = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, places));
    Value spread = BroadcastOp::create(b, loc, type, length, ArrayRef<int64_t>{0});
    Value kept = select(compare(arith::CmpIPredicate::slt, place, spread), given, splat(type, 0));
    return tensor::InsertSliceOp::create(b, loc, kept, splat(vector(index, states), 0), ValueRange(), ValueRange(),
                                         ValueRange(), ArrayRef<int64_t>{1}, ArrayRef<int64_t>{labels},
                                         ArrayRef<int64_t>{2});
  }

  /// Before the first frame: at the first blank, or on the way to the first label.
  Value start() {
    SmallVector<APFloat> values;
    for (int64_t i = 0; i < states; ++i) {
      values.emplace_back(i == 0 ? 0.0 : kNever);
      bool inexact;
      values.back().convert(cast<FloatType>(real).getFloatSemantics(), APFloat::rmNearestTiesToEven, &inexact);
    }
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vector(real, states), values));
  }
};
} // namespace

FailureOr<SmallVector<Value>> CTCOp::expand(OpBuilder &builder) {
  CTCWriter w(builder, *this);
  Location loc = getLoc();
  Type logits = getLogits().getType(), scalar = getType();
  auto alphas = w.vector(w.real, w.states);

  // log softmax, and its elements at the class of each state.
  auto [shifted, logSum] = writeLogSoftmax(builder, loc, getLogits());
  Value spread = BroadcastOp::create(builder, loc, logits, logSum, ArrayRef<int64_t>{0});
  Value logSoftmax = arith::SubFOp::create(builder, loc, shifted, spread);
  Value classes = w.classes(getLabels(), getLength());
  Value emitted = GatherOp::create(builder, loc, alphas, logSoftmax, classes);

  // A state is reached from itself, from the one before, and past a blank if that is between different labels.
  BackedgeBuilder edges(builder, loc);
  Backedge alpha = edges.get(alphas);
  Value before = DelayOp::create(builder, loc, alpha, 1, (getName() + ".alpha").str(), w.start());
  Value twoBack = w.shift(classes, w.splat(w.vector(w.index, 2), 0), 2);
  Value differs = w.compare(arith::CmpIPredicate::ne, classes, twoBack);
  Value skipped = w.select(differs, w.shift(before, w.never(2), 2), w.never(w.states));
  Value reached = w.logSumExp({before, w.shift(before, w.never(1), 1), skipped});
  Value now = w.add(emitted, reached);
  alpha.setValue(now);
  if (failed(edges.close()))
    return failure();

  // The labels are spelled at the last label and at the blank behind it; without labels at the blank alone.
  Type index = w.scalar(w.index);
  Value last = arith::AddIOp::create(builder, loc, getLength(), getLength());
  Value isEmpty = w.compare(arith::CmpIPredicate::eq, getLength(), w.splat(cast<RankedTensorType>(index), 0));
  Value lastLabel = arith::SubIOp::create(builder, loc, last, w.splat(cast<RankedTensorType>(index), 1));
  Value atBlank = GatherOp::create(builder, loc, scalar, now, last);
  Value atLabel = GatherOp::create(builder, loc, scalar, now, w.select(isEmpty, last, lastLabel));
  auto number = cast<RankedTensorType>(scalar);
  atLabel = w.select(isEmpty, w.splat(number, CTCWriter::kNever), atLabel);
  Value spelled = w.logSumExp({atBlank, atLabel});
  Value isNever =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, spelled, w.splat(number, CTCWriter::kNearNever));
  double never = getZeroInfinity() ? 0 : std::numeric_limits<double>::infinity();
  return SmallVector<Value>{w.select(isNever, w.splat(number, never), arith::NegFOp::create(builder, loc, spelled))};
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
