//===- SetMatmulPrecision.cpp - Products of rounded operands -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_SETMATMULPRECISION
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

/// Whether elements are added up, of a frame or of all of them.
static bool isSum(ContractOp op) {
  int64_t terms = op.getSumTo() ? 2 : 1;
  AffineMap result = op.getMap(2);
  for (auto [dim, size] : llvm::enumerate(op.getLoopSizes()))
    if (!result.isFunctionOfDim(dim))
      terms *= size;
  return terms > 1;
}

namespace {
struct SetMatmulPrecision : mlir::rnn::impl::SetMatmulPrecisionBase<SetMatmulPrecision> {
  using SetMatmulPrecisionBase::SetMatmulPrecisionBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (precision != "f32" && precision != "bf16") {
      module.emitError() << "unknown precision of products '" << precision << "'; expected f32 or bf16";
      return signalPassFailure();
    }
    if (precision == "f32")
      return;
    module.walk([&](ContractOp op) {
      if (isa<FloatType>(getElementTypeOrSelf(op.getType())) && isSum(op))
        op.setRoundTo(BFloat16Type::get(&getContext()));
    });
  }
};
} // namespace
