//===- Sort.cpp - Ops in the order of their components -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Recurrence.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Dialect/RNN/Transforms/Transforms.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_SORT
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-sort"

void rnn::sortFunction(RNNFunctionInterface function) {
  Block &block = *function.getBodyBlock();
  RecurrenceAnalysis recurrence(function);
  for (Operation *op : recurrence.getOrder())
    op->moveBefore(&block, std::prev(block.end()));
}

namespace {
struct Sort : mlir::rnn::impl::SortBase<Sort> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<RNNFunctionInterface>())
      if (isa<NetworkOp, StepOp>(function))
        sortFunction(function);
  }
};
} // namespace
