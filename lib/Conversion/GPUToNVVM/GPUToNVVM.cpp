//===- GPUToNVVM.cpp - Kernels to the LLVM and NVVM dialects ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's patterns, without libdevice: upstream's pass turns `math.absf` and
// `math.sqrt` into calls of libdevice and takes the intrinsics for illegal,
// though the NVPTX backend has instructions for them.
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/ExpandMath.h"
#include "rnn/Conversion/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_CONVERTKERNELSTONVVM
#include "rnn/Conversion/Passes.h.inc"
} // namespace mlir::rnn

namespace {

/// A quotient without the branch for extreme operands, rounded as IEEE 754 says
/// unless it is subnormal: an approximate reciprocal, one step of Newton's, and
/// the quotient corrected by its remainder.
struct LowerPlainDivision : OpConversionPattern<arith::DivFOp> {
  LowerPlainDivision(const TypeConverter &converter, MLIRContext *context)
      : OpConversionPattern(converter, context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(arith::DivFOp op, OpAdaptor operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getType().isF32() || !op->hasAttr(kPlainDivision))
      return failure();
    Location loc = op.getLoc();
    Value n = operands.getLhs(), d = operands.getRhs();
    auto fma = [&](Value a, Value b, Value c) -> Value { return LLVM::FMAOp::create(rewriter, loc, a, b, c); };
    Value minus = LLVM::FNegOp::create(rewriter, loc, d);
    Value one = LLVM::ConstantOp::create(rewriter, loc, rewriter.getF32FloatAttr(1));
    Value inverse = NVVM::RcpApproxFtzF32Op::create(rewriter, loc, n.getType(), d);
    inverse = fma(inverse, fma(minus, inverse, one), inverse);
    Value quotient = LLVM::FMulOp::create(rewriter, loc, n, inverse);
    rewriter.replaceOp(op, fma(fma(minus, quotient, n), inverse, quotient));
    return success();
  }
};

struct ConvertKernelsToNVVM : rnn::impl::ConvertKernelsToNVVMBase<ConvertKernelsToNVVM> {
  using ConvertKernelsToNVVMBase::ConvertKernelsToNVVMBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    // Reductions over a block become loops first.
    {
      RewritePatternSet patterns(context);
      populateGpuRewritePatterns(patterns);
      if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
        return signalPassFailure();
    }
    LLVMTypeConverter converter(context);
    configureGpuToNVVMTypeConverter(converter);
    RewritePatternSet patterns(context);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns);
    patterns.add<LowerPlainDivision>(converter, context);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    // Of two patterns for one op of `math`, the intrinsic's wins.
    populateGpuToNVVMConversionPatterns(converter, patterns, /*benefit=*/0);
    LLVMConversionTarget target(*context);
    target.addLegalDialect<LLVM::LLVMDialect, NVVM::NVVMDialect>();
    target.addIllegalDialect<gpu::GPUDialect, math::MathDialect>();
    target.addLegalOp<gpu::GPUModuleOp>();
    if (failed(applyPartialConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
