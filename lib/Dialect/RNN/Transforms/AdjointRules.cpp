//===- AdjointRules.cpp - The derivative rules of level 1 -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One rule per op: what the error e of the result adds to the error of operand i. Elementwise rules are a line each;
// the list of ops that have a rule stands at the end. An op without a rule that lies on the way from a parameter to the
// loss is an error of `rnn-differentiate`.
//
//===----------------------------------------------------------------------===//
#include "mlir/IR/Matchers.h"
#include "rnn/Dialect/RNN/Transforms/Adjoint.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace mlir::rnn;
using arith::CmpFPredicate;

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

static Value rule(AdjointBuilder &a, arith::AddFOp, unsigned) { return a.getError(); }
static Value rule(AdjointBuilder &a, arith::SubFOp, unsigned i) { return i == 0 ? a.getError() : a.neg(a.getError()); }
static Value rule(AdjointBuilder &a, arith::MulFOp op, unsigned i) {
  return a.mul(a.getError(), a.use(op.getOperand(1 - i)));
}
static Value rule(AdjointBuilder &a, arith::DivFOp op, unsigned i) {
  Value quotient = a.div(a.getError(), a.use(op.getRhs()));
  return i == 0 ? quotient : a.neg(a.mul(quotient, a.use(op)));
}
static Value rule(AdjointBuilder &a, arith::NegFOp, unsigned) { return a.neg(a.getError()); }

/// A2: to the first operand on ties.
static Value toFirstIf(AdjointBuilder &a, CmpFPredicate predicate, Operation *op, unsigned i) {
  Value first = a.compare(predicate, a.use(op->getOperand(0)), a.use(op->getOperand(1)));
  Value zero = a.zero(a.getError().getType());
  return i == 0 ? a.select(first, a.getError(), zero) : a.select(first, zero, a.getError());
}
static Value rule(AdjointBuilder &a, arith::MaximumFOp op, unsigned i) {
  return toFirstIf(a, CmpFPredicate::OGE, op, i);
}
static Value rule(AdjointBuilder &a, arith::MinimumFOp op, unsigned i) {
  return toFirstIf(a, CmpFPredicate::OLE, op, i);
}

static Value rule(AdjointBuilder &a, arith::SelectOp op, unsigned i) {
  Value condition = a.use(op.getCondition()), zero = a.zero(a.getError().getType());
  return i == 1 ? a.select(condition, a.getError(), zero) : a.select(condition, zero, a.getError());
}
static Value rule(AdjointBuilder &a, arith::ExtFOp op, unsigned) {
  return arith::TruncFOp::create(a.getBuilder(), a.getLoc(), op.getIn().getType(), a.getError());
}
static Value rule(AdjointBuilder &a, arith::TruncFOp op, unsigned) {
  return arith::ExtFOp::create(a.getBuilder(), a.getLoc(), op.getIn().getType(), a.getError());
}

static Value rule(AdjointBuilder &a, SigmoidOp op, unsigned) {
  Value y = a.use(op);
  return a.mul(a.getError(), a.mul(y, a.sub(1, y)));
}
static Value rule(AdjointBuilder &a, SoftplusOp op, unsigned) {
  Value x = a.use(op.getSource());
  return a.mul(a.getError(), SigmoidOp::create(a.getBuilder(), a.getLoc(), x.getType(), x));
}
static Value rule(AdjointBuilder &a, math::TanhOp op, unsigned) {
  Value y = a.use(op);
  return a.mul(a.getError(), a.sub(1, a.mul(y, y)));
}
static Value rule(AdjointBuilder &a, math::ExpOp op, unsigned) { return a.mul(a.getError(), a.use(op)); }
static Value rule(AdjointBuilder &a, math::LogOp op, unsigned) { return a.div(a.getError(), a.use(op.getOperand())); }
static Value rule(AdjointBuilder &a, math::Log1pOp op, unsigned) {
  Value x = a.use(op.getOperand());
  return a.div(a.getError(), a.add(a.constant(x.getType(), 1), x));
}
static Value rule(AdjointBuilder &a, math::SqrtOp op, unsigned) { return a.div(a.mul(0.5, a.getError()), a.use(op)); }
static Value rule(AdjointBuilder &a, math::RsqrtOp op, unsigned) {
  Value y = a.use(op);
  return a.mul(a.mul(-0.5, a.getError()), a.mul(y, a.mul(y, y)));
}
static Value rule(AdjointBuilder &a, math::ErfOp op, unsigned) {
  Value x = a.use(op.getOperand());
  Value bell = math::ExpOp::create(a.getBuilder(), a.getLoc(), a.neg(a.mul(x, x)));
  return a.mul(a.getError(), a.mul(1.1283791670955126, bell)); // 2 / sqrt(pi)
}
static Value rule(AdjointBuilder &a, math::SinOp op, unsigned) {
  return a.mul(a.getError(), math::CosOp::create(a.getBuilder(), a.getLoc(), a.use(op.getOperand())));
}
static Value rule(AdjointBuilder &a, math::CosOp op, unsigned) {
  return a.neg(a.mul(a.getError(), math::SinOp::create(a.getBuilder(), a.getLoc(), a.use(op.getOperand()))));
}
static Value rule(AdjointBuilder &a, math::AbsFOp op, unsigned) {
  Value x = a.use(op.getOperand()), e = a.getError(), zero = a.zero(x.getType());
  Value negative = a.select(a.compare(CmpFPredicate::OLT, x, zero), a.neg(e), zero); // A2: abs'(0) = 0
  return a.select(a.compare(CmpFPredicate::OGT, x, zero), e, negative);
}

/// x^p with constant p; for p = 0 the derivative is 0 for any x.
static Value rule(AdjointBuilder &a, math::PowFOp op, unsigned i) {
  DenseFPElementsAttr exponent;
  if (i != 0 || !matchPattern(op.getRhs(), m_Constant(&exponent)))
    return {};
  double p = FloatAttr::get(exponent.getElementType(), exponent.getSplatValue<APFloat>()).getValueAsDouble();
  if (p == 0)
    return {};
  Value less = a.constant(op.getType(), p - 1);
  Value power = math::PowFOp::create(a.getBuilder(), a.getLoc(), a.use(op.getLhs()), less);
  return a.mul(a.getError(), a.mul(p, power));
}

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

/// Rule A1.
static Value rule(AdjointBuilder &a, DelayOp op, unsigned i) {
  OpBuilder &b = a.getBuilder();
  if (i == 0 && a.isFrameRate(op.getSource()))
    return DelayOp::create(b, a.getLoc(), a.getError(), -op.getBy(), StringRef(), Value(), /*local=*/true);
  // The error where the delay gives its init, else zero.
  Value ofInit =
      DelayOp::create(b, a.getLoc(), a.zero(op.getType()), op.getBy(), StringRef(), a.getError(), op.getLocal());
  // A source that is the same at all frames has the error of all others, wherever in the window these are.
  return i == 1 ? ofInit : a.sub(a.getError(), ofInit);
}

// The errors of a save are those of the window; only second derivatives, without older frames (A5), get here.
static Value rule(AdjointBuilder &a, SaveOp, unsigned) { return a.getError(); }
static Value rule(AdjointBuilder &a, SeedOp, unsigned) { return a.getError(); }
static Value rule(AdjointBuilder &a, SumFramesOp, unsigned) { return a.getError(); }

//===----------------------------------------------------------------------===//
// Products, sums, tables
//===----------------------------------------------------------------------===//

static Value rule(AdjointBuilder &a, SumOp, unsigned) { return a.getError(); }

/// The operand's place is taken by the error: e[out] · other[…] -> operand[…]. Dimensions that only this operand has
/// are repeated.
static Value rule(AdjointBuilder &a, ContractOp op, unsigned i) {
  AffineMap own = op.getMap(i), other = op.getMap(1 - i), out = op.getMap(2);
  auto type = cast<RankedTensorType>(op.getOperand(i).getType());
  llvm::SmallBitVector known(own.getNumDims());
  for (AffineMap map : {other, out})
    for (AffineExpr dim : map.getResults())
      known.set(cast<AffineDimExpr>(dim).getPosition());

  SmallVector<AffineExpr> kept;
  SmallVector<int64_t> shape, missing;
  for (auto [position, dim] : llvm::enumerate(own.getResults())) {
    if (known.test(cast<AffineDimExpr>(dim).getPosition())) {
      kept.push_back(dim);
      shape.push_back(type.getDimSize(position));
    } else {
      missing.push_back(position);
    }
  }
  AffineMap result = AffineMap::get(own.getNumDims(), 0, kept, own.getContext());
  Value operands[] = {a.use(op.getLhs()), a.use(op.getRhs())};
  operands[i] = a.getError();
  SmallVector<AffineMap> maps(3);
  maps[i] = out;
  maps[1 - i] = other;
  maps[2] = result;
  maps = compressUnusedDims(maps);
  Value product =
      ContractOp::create(a.getBuilder(), a.getLoc(), RankedTensorType::get(shape, type.getElementType()), operands[0],
                         operands[1], a.getBuilder().getAffineMapArrayAttr(maps), RateAttr(), op.getRoundToAttr());
  if (missing.empty())
    return product;
  return BroadcastOp::create(a.getBuilder(), a.getLoc(), type, product, missing);
}

static Value rule(AdjointBuilder &a, BroadcastOp op, unsigned) {
  return ReduceOp::create(a.getBuilder(), a.getLoc(), op.getSource().getType(), ReduceKind::Sum, a.getError(),
                          op.getDims());
}

static Value rule(AdjointBuilder &a, ReduceOp op, unsigned) {
  OpBuilder &b = a.getBuilder();
  auto type = cast<RankedTensorType>(op.getSource().getType());
  auto spread = [&](Value x) -> Value { return BroadcastOp::create(b, a.getLoc(), type, x, op.getDims()); };
  if (op.getKind() == ReduceKind::Sum)
    return spread(a.getError());

  // A2: to the first of the largest elements, the one with the least number along the reduced dimensions.
  SmallVector<double> numbers(type.getNumElements());
  for (auto [position, number] : llvm::enumerate(numbers)) {
    int64_t stride = 1, rest = position, own = 0;
    for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
      if (llvm::is_contained(op.getDims(), dim)) {
        own += stride * (rest % type.getDimSize(dim));
        stride *= type.getDimSize(dim);
      }
      rest /= type.getDimSize(dim);
    }
    number = -static_cast<double>(own);
  }
  SmallVector<Attribute> elements;
  for (double number : numbers)
    elements.push_back(b.getFloatAttr(type.getElementType(), number));
  Value ranks = arith::ConstantOp::create(b, a.getLoc(), DenseElementsAttr::get(type, elements));
  Value isLargest = a.compare(CmpFPredicate::OEQ, a.use(op.getSource()), spread(a.use(op)));
  Value candidates = a.select(isLargest, ranks, a.constant(type, -static_cast<double>(type.getNumElements())));
  Value best = ReduceOp::create(b, a.getLoc(), op.getType(), ReduceKind::Max, candidates, op.getDims());
  // Where nothing is largest (a NaN) nothing gets an error.
  Value isFirst =
      arith::AndIOp::create(b, a.getLoc(), isLargest, a.compare(CmpFPredicate::OEQ, candidates, spread(best)));
  return a.select(isFirst, spread(a.getError()), a.zero(type));
}

static Value rule(AdjointBuilder &a, GatherOp op, unsigned) {
  return ScatterAddOp::create(a.getBuilder(), a.getLoc(), op.getTable().getType(), a.getError(), a.use(op.getIndex()),
                              RateAttr());
}
static Value rule(AdjointBuilder &a, ScatterAddOp op, unsigned) {
  return GatherOp::create(a.getBuilder(), a.getLoc(), op.getUpdate().getType(), a.getError(), a.use(op.getIndex()));
}

//===----------------------------------------------------------------------===//
// Reshaping
//===----------------------------------------------------------------------===//

/// The part of `source` that a slice op of static offsets names, of type `type`.
static Value extract(AdjointBuilder &a, OffsetSizeAndStrideOpInterface slice, Type type, Value source) {
  return tensor::ExtractSliceOp::create(a.getBuilder(), a.getLoc(), cast<RankedTensorType>(type), source, ValueRange(),
                                        ValueRange(), ValueRange(), slice.getStaticOffsets(), slice.getStaticSizes(),
                                        slice.getStaticStrides());
}
static Value insert(AdjointBuilder &a, OffsetSizeAndStrideOpInterface slice, Value source, Value into) {
  return tensor::InsertSliceOp::create(a.getBuilder(), a.getLoc(), into.getType(), source, into, ValueRange(),
                                       ValueRange(), ValueRange(), slice.getStaticOffsets(), slice.getStaticSizes(),
                                       slice.getStaticStrides());
}

static Value rule(AdjointBuilder &a, tensor::ExtractSliceOp op, unsigned) {
  return insert(a, op, a.getError(), a.zero(op.getSource().getType()));
}
std::optional<Tiling> rnn::findTiling(SmallVector<tensor::ExtractSliceOp> slices) {
  auto type = cast<RankedTensorType>(slices.front().getSource().getType());
  std::optional<int64_t> cut;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (slices.front().getStaticSizes()[dim] != type.getDimSize(dim)) {
      if (cut)
        return std::nullopt;
      cut = dim;
    }
  if (!cut)
    return std::nullopt;
  Tiling tiling{*cut, std::move(slices)};
  llvm::stable_sort(tiling.slices, [&](tensor::ExtractSliceOp a, tensor::ExtractSliceOp b) {
    return a.getStaticOffsets()[*cut] < b.getStaticOffsets()[*cut];
  });
  int64_t next = 0;
  for (tensor::ExtractSliceOp slice : tiling.slices) {
    if (cast<RankedTensorType>(slice.getType()).getRank() != type.getRank())
      return std::nullopt;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      bool isWhole = slice.getStaticOffsets()[dim] == 0 && slice.getStaticSizes()[dim] == type.getDimSize(dim);
      if ((dim == *cut ? slice.getStaticOffsets()[dim] != next : !isWhole) || slice.getStaticStrides()[dim] != 1)
        return std::nullopt;
    }
    next += slice.getStaticSizes()[*cut];
  }
  return next == type.getDimSize(*cut) ? std::optional<Tiling>(tiling) : std::nullopt;
}
static Value rule(AdjointBuilder &a, tensor::InsertSliceOp op, unsigned i) {
  return i == 0 ? extract(a, op, op.getSource().getType(), a.getError())
                : insert(a, op, a.zero(op.getSource().getType()), a.getError());
}
static Value rule(AdjointBuilder &a, tensor::ConcatOp op, unsigned i) {
  auto type = cast<RankedTensorType>(op.getInputs()[i].getType());
  SmallVector<int64_t> offsets(type.getRank(), 0), strides(type.getRank(), 1);
  for (Value before : op.getInputs().take_front(i))
    offsets[op.getDim()] += cast<RankedTensorType>(before.getType()).getDimSize(op.getDim());
  return tensor::ExtractSliceOp::create(a.getBuilder(), a.getLoc(), type, a.getError(), ValueRange(), ValueRange(),
                                        ValueRange(), offsets, type.getShape(), strides);
}
static Value rule(AdjointBuilder &a, tensor::ExpandShapeOp op, unsigned) {
  return tensor::CollapseShapeOp::create(a.getBuilder(), a.getLoc(), op.getSrcType(), a.getError(),
                                         op.getReassociationIndices());
}
static Value rule(AdjointBuilder &a, tensor::CollapseShapeOp op, unsigned) {
  return tensor::ExpandShapeOp::create(a.getBuilder(), a.getLoc(), op.getSrcType(), a.getError(),
                                       op.getReassociationIndices());
}

//===----------------------------------------------------------------------===//
// The list
//===----------------------------------------------------------------------===//

namespace {
template <typename OpT>
struct Model : AdjointOpInterface::ExternalModel<Model<OpT>, OpT> {
  Value buildAdjoint(Operation *op, AdjointBuilder &adjoint, unsigned operand) const {
    return rule(adjoint, cast<OpT>(op), operand);
  }
};
} // namespace

template <typename... OpTs>
static void attach(MLIRContext *context) {
  (OpTs::template attachInterface<Model<OpTs>>(*context), ...);
}

static void attachRNN(MLIRContext *context, RNNDialect *) {
  attach<BroadcastOp, ContractOp, DelayOp, GatherOp, ReduceOp, SaveOp, ScatterAddOp, SeedOp, SigmoidOp, SoftplusOp,
         SumFramesOp, SumOp>(context);
}
static void attachArith(MLIRContext *context, arith::ArithDialect *) {
  attach<arith::AddFOp, arith::DivFOp, arith::ExtFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MulFOp,
         arith::NegFOp, arith::SelectOp, arith::SubFOp, arith::TruncFOp>(context);
}
static void attachMath(MLIRContext *context, math::MathDialect *) {
  attach<math::AbsFOp, math::CosOp, math::ErfOp, math::ExpOp, math::Log1pOp, math::LogOp, math::PowFOp, math::RsqrtOp,
         math::SinOp, math::SqrtOp, math::TanhOp>(context);
}
static void attachTensor(MLIRContext *context, tensor::TensorDialect *) {
  attach<tensor::CollapseShapeOp, tensor::ConcatOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp,
         tensor::InsertSliceOp>(context);
}

void rnn::registerAdjointModels(DialectRegistry &registry) {
  registry.addExtension(attachRNN);
  registry.addExtension(attachArith);
  registry.addExtension(attachMath);
  registry.addExtension(attachTensor);
}
