//===- SetFloat.cpp - f32 modules in f64 -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_SETFLOAT
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-set-float"

namespace {
struct SetFloat : mlir::rnn::impl::SetFloatBase<SetFloat> {
  using SetFloatBase::SetFloatBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (type != "f64") {
      module.emitError() << "unknown element type '" << type << "'; expected f64";
      return signalPassFailure();
    }
    Builder b(module.getContext());
    Type f32 = b.getF32Type(), f64 = b.getF64Type();
    auto isF32 = [&](Type type) { return getElementTypeOrSelf(type) == f32; };

    module.walk([&](ParameterOp parameter) {
      if (isF32(parameter.getType()))
        parameter->setAttr("rnn.precision", b.getStringAttr("f32"));
    });

    AttrTypeReplacer replacer;
    replacer.addReplacement([&](FloatType type) -> Type { return type == f32 ? f64 : Type(type); });
    replacer.addReplacement([&](FloatAttr attr) -> std::optional<Attribute> {
      if (attr.getType() != f32)
        return std::nullopt;
      return FloatAttr::get(f64, attr.getValueAsDouble());
    });
    replacer.addReplacement([&](DenseElementsAttr attr) -> std::optional<Attribute> {
      if (attr.getElementType() != f32)
        return std::nullopt;
      return cast<DenseFPElementsAttr>(attr).mapValues(f64, [](const APFloat &value) {
        bool losesInfo;
        APFloat wide = value;
        wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
        return wide.bitcastToAPInt();
      });
    });
    // Draws keep their f32 values: a random op stays as it is, and is widened.
    SmallVector<RandomOp> randoms;
    module.walk([&](RandomOp random) {
      if (isF32(random.getType()))
        randoms.push_back(random);
    });
    auto f32Randoms = llvm::SmallPtrSet<Operation *, 8>(randoms.begin(), randoms.end());
    module.walk([&](Operation *op) {
      if (op != module && !f32Randoms.contains(op))
        replacer.replaceElementsIn(op, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
    });
    for (RandomOp random : randoms) {
      OpBuilder builder(random->getContext());
      builder.setInsertionPointAfter(random);
      auto wide = RankedTensorType::get(cast<RankedTensorType>(random.getType()).getShape(), f64);
      auto extension = arith::ExtFOp::create(builder, random.getLoc(), wide, random.getResult());
      random.getResult().replaceAllUsesExcept(extension, extension);
    }
    // Conversions between f32 and f64 have become identities.
    module.walk([&](Operation *op) {
      if (isa<arith::ExtFOp, arith::TruncFOp>(op) && op->getOperand(0).getType() == op->getResult(0).getType() &&
          op->getOperand(0) != op->getResult(0)) {
        op->replaceAllUsesWith(op->getOperands());
        op->erase();
      }
    });
  }
};
} // namespace
