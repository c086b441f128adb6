//===- ReductionPatterns.cpp - Simpler networks for mlir-reduce -----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pattern may not make a cycle without a delay: an op is replaced by its own operand, which shortens cycles and makes
// none, and a delay stays where it is.
//
// The reduction tree begins by applying all patterns to all ops, and gives up if the result is not interesting any
// more. So each pattern asks first, with a copy of the module, whether what it is about to do is interesting.
//
//===----------------------------------------------------------------------===//
#include "rnn/Reduce/ReductionPatterns.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Reducer/ReductionPatternInterface.h"
#include "rnn/Dialect/RNN/IR/RNN.h"

using namespace mlir;
using namespace mlir::rnn;

namespace {

/// One simplification of one op.
struct Reduction : RewritePattern {
  Reduction(MLIRContext *context, Tester &tester, PatternBenefit benefit)
      : RewritePattern(MatchAnyOpTypeTag(), benefit, context), tester(tester) {}

  /// Whether there is something to simplify.
  virtual bool matches(Operation *op) const = 0;
  virtual void simplify(Operation *op, RewriterBase &rewriter) const = 0;

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa_and_nonnull<NetworkOp, StepOp>(op->getParentOp()) || !matches(op))
      return failure();
    IRMapping map;
    OwningOpRef<ModuleOp> copy = cast<ModuleOp>(op->getParentOfType<ModuleOp>()->clone(map));
    IRRewriter plain(op->getContext());
    simplify(map.lookup(op), plain);
    if (tester.isInteresting(*copy).first != Tester::Interestingness::True)
      return failure();
    simplify(op, rewriter);
    return success();
  }

  Tester &tester;
};

/// An op becomes its first operand that has its type.
struct DropLayer : Reduction {
  DropLayer(MLIRContext *context, Tester &tester) : Reduction(context, tester, /*benefit=*/3) {}

  static Value getShortcut(Operation *op) {
    for (Value operand : op->getOperands())
      if (operand.getType() == op->getResult(0).getType() && operand.getDefiningOp() != op)
        return operand;
    return {};
  }
  bool matches(Operation *op) const override {
    return op->getNumResults() == 1 && !isa<DelayOp>(op) && getShortcut(op);
  }
  void simplify(Operation *op, RewriterBase &rewriter) const override { rewriter.replaceOp(op, getShortcut(op)); }
};

/// A sum loses its last term.
struct DropEdge : Reduction {
  DropEdge(MLIRContext *context, Tester &tester) : Reduction(context, tester, /*benefit=*/2) {}

  bool matches(Operation *op) const override { return isa<SumOp>(op) && op->getNumOperands() > 1; }
  void simplify(Operation *op, RewriterBase &rewriter) const override {
    rewriter.modifyOpInPlace(op, [&] { op->eraseOperand(op->getNumOperands() - 1); });
  }
};

/// A delay by some frames becomes a delay by one, in the same direction and without init.
struct SimplifyDelay : Reduction {
  SimplifyDelay(MLIRContext *context, Tester &tester) : Reduction(context, tester, /*benefit=*/1) {}

  bool matches(Operation *op) const override {
    auto delay = dyn_cast<DelayOp>(op);
    return delay && (std::abs(delay.getBy()) != 1 || delay.getInit());
  }
  void simplify(Operation *op, RewriterBase &rewriter) const override {
    auto delay = cast<DelayOp>(op);
    rewriter.modifyOpInPlace(delay, [&] {
      delay.setBy(delay.getBy() > 0 ? 1 : -1);
      delay.getInitMutable().clear();
    });
  }
};

struct RNNReductionPatterns : DialectReductionPatternInterface {
  explicit RNNReductionPatterns(Dialect *dialect) : DialectReductionPatternInterface(dialect) {}

  void populateReductionPatterns(RewritePatternSet &) const override {}
  void populateReductionPatternsWithTester(RewritePatternSet &patterns, Tester &tester) const override {
    patterns.add<DropLayer, DropEdge, SimplifyDelay>(patterns.getContext(), tester);
  }
};

} // namespace

void rnn::registerReductionPatterns(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, RNNDialect *dialect) { dialect->addInterface<RNNReductionPatterns>(); });
}
