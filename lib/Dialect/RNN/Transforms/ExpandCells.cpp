//===- ExpandCells.cpp - Write out cells and losses -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_EXPANDCELLS
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-expand-cells"

/// `weight · input (+ bias)` as a contraction and a sum.
static Value expandLinear(OpBuilder &b, LinearOp op) {
  MLIRContext *context = op.getContext();
  AffineExpr row = b.getAffineDimExpr(0), column = b.getAffineDimExpr(1);
  ArrayAttr maps =
      b.getAffineMapArrayAttr({AffineMap::get(2, 0, {row, column}, context), AffineMap::get(2, 0, {column}, context),
                               AffineMap::get(2, 0, {row}, context)});
  Value product =
      ContractOp::create(b, op.getLoc(), op.getType(), op.getWeight(), op.getInput(), maps, RateAttr(), TypeAttr());
  if (!op.getBias())
    return product;
  return SumOp::create(b, op.getLoc(), op.getType(), ValueRange{product, op.getBias()});
}

namespace {
struct ExpandCells : mlir::rnn::impl::ExpandCellsBase<ExpandCells> {
  using ExpandCellsBase::ExpandCellsBase;

  void runOnOperation() override {
    llvm::StringSet<> wanted;
    for (const std::string &name : cells) {
      auto op = RegisteredOperationName::lookup("rnn." + name, &getContext());
      if (!op || (name != "linear" && !op->hasInterface<CompositeOpInterface>())) {
        getOperation().emitError() << "unknown cell '" << name << "'";
        return signalPassFailure();
      }
      wanted.insert(name);
    }
    auto isWanted = [&](Operation *op) {
      return (isa<LinearOp>(op) || isa<CompositeOpInterface>(op)) &&
             (wanted.empty() || wanted.contains(op->getName().stripDialect()));
    };
    // An expansion may hold shorter forms in turn: repeat until none is left.
    while (true) {
      SmallVector<Operation *> found;
      getOperation()->walk([&](Operation *op) {
        if (isWanted(op))
          found.push_back(op);
      });
      if (found.empty())
        return;
      for (Operation *op : found) {
        OpBuilder builder(op);
        if (auto linear = dyn_cast<LinearOp>(op)) {
          op->replaceAllUsesWith(ValueRange(expandLinear(builder, linear)));
        } else {
          FailureOr<SmallVector<Value>> values = cast<CompositeOpInterface>(op).expand(builder);
          if (failed(values))
            return signalPassFailure();
          op->replaceAllUsesWith(*values);
          ++cellsExpanded;
        }
        op->erase();
      }
    }
  }
};
} // namespace
