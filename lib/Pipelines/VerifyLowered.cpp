//===- VerifyLowered.cpp - The border of level 3 -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/IR/RNN.h"
#include "rnn/Pipelines/Passes.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_VERIFYLOWERED
#include "rnn/Pipelines/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-verify-lowered"

namespace {
struct VerifyLowered : mlir::rnn::impl::VerifyLoweredBase<VerifyLowered> {
  void runOnOperation() override {
    WalkResult result = getOperation().walk([](Operation *op) {
      if (!isa_and_nonnull<RNNDialect>(op->getDialect()))
        return WalkResult::advance();
      op->emitOpError("is not allowed after lowering");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
