//===- ExpandMath.cpp - Expand elementary functions -------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The pass `rnn-expand-math`. A plain walk, not greedy rewriting: the greedy
// driver folds `math` operations of constants with the host's libm, and the
// results would differ from ours.
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/ExpandMath.h"
#include "rnn/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::rnn {
#define GEN_PASS_DEF_EXPANDMATH
#include "rnn/Conversion/Passes.h.inc"
} // namespace mlir::rnn

using namespace mlir;
using namespace mlir::rnn;

/// The x of `1 / (1 + exp(-x))`, or null.
static Value matchSigmoid(arith::DivFOp op) {
  auto add = op.getRhs().getDefiningOp<arith::AddFOp>();
  if (!matchPattern(op.getLhs(), m_OneFloat()) || !add)
    return {};
  for (auto [one, other] : {std::pair(add.getLhs(), add.getRhs()), std::pair(add.getRhs(), add.getLhs())}) {
    auto exp = other.getDefiningOp<math::ExpOp>();
    auto neg = exp ? exp.getOperand().getDefiningOp<arith::NegFOp>() : nullptr;
    if (neg && matchPattern(one, m_OneFloat()))
      return neg.getOperand();
  }
  return {};
}

/// True for operations that every target has as one instruction.
static bool isNative(Operation *op) {
  return isa<math::FmaOp, math::SqrtOp, math::AbsFOp, math::AbsIOp, math::CopySignOp, math::FloorOp, math::CeilOp,
             math::TruncOp, math::RoundEvenOp>(op);
}

Value mlir::rnn::expandMathOp(OpBuilder &builder, Operation *op) {
  Location loc = op->getLoc();
  Type element = op->getNumResults() == 1 ? getElementTypeOrSelf(op->getResult(0).getType()) : Type();
  if (!element || !(element.isF32() || element.isF64()))
    return {};
  Value x = op->getOperand(0);
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) { return buildExp(builder, loc, x); })
      .Case([&](math::LogOp) { return buildLog(builder, loc, x); })
      .Case([&](math::Log1pOp) { return buildLog1p(builder, loc, x); })
      .Case([&](math::TanhOp) { return buildTanh(builder, loc, x); })
      .Case([&](math::ErfOp) { return buildErf(builder, loc, x); })
      .Case([&](math::SinOp) { return buildSin(builder, loc, x); })
      .Case([&](math::CosOp) { return buildCos(builder, loc, x); })
      .Case([&](math::RsqrtOp) { return buildRsqrt(builder, loc, x); })
      .Case([&](math::PowFOp pow) -> Value {
        auto definition = pow.getRhs().getDefiningOp<arith::ConstantOp>();
        if (!definition)
          return {};
        Attribute constant = definition.getValue();
        if (auto splat = dyn_cast<SplatElementsAttr>(constant))
          constant = splat.getSplatValue<Attribute>();
        auto exponent = dyn_cast<FloatAttr>(constant);
        if (!exponent || !exponent.getValue().isFinite())
          return {};
        return buildPow(builder, loc, x, exponent.getValueAsDouble());
      })
      .Default([](Operation *) { return Value(); });
}

namespace {

struct ExpandMathPass : rnn::impl::ExpandMathBase<ExpandMathPass> {
  void runOnOperation() override {
    SmallVector<arith::DivFOp> divisions;
    SmallVector<Operation *> functions;
    getOperation()->walk([&](Operation *op) {
      if (auto division = dyn_cast<arith::DivFOp>(op))
        divisions.push_back(division);
      else if (isa_and_nonnull<math::MathDialect>(op->getDialect()) && !isNative(op))
        functions.push_back(op);
    });

    for (arith::DivFOp division : divisions) {
      Value x = matchSigmoid(division);
      if (!x)
        continue;
      OpBuilder builder(division);
      division.replaceAllUsesWith(buildSigmoid(builder, division.getLoc(), x));
      division.erase();
    }
    for (Operation *op : functions) {
      if (op->use_empty()) {
        op->erase();
        continue;
      }
      OpBuilder builder(op);
      Value expanded = expandMathOp(builder, op);
      if (!expanded) {
        op->emitOpError("has no expansion into plain arithmetic");
        return signalPassFailure();
      }
      op->replaceAllUsesWith(ValueRange(expanded));
      op->erase();
    }
  }
};

} // namespace
