//===- AffineRecurrence.cpp - Loops that can run as scans -----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/AffineRecurrence.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;

static constexpr StringRef kNotAffine = "is not affine";
static constexpr StringRef kMixes = "mixes units";

/// A product is elementwise in an operand that has the dimensions of the result, in their order; the other operand may
/// have more, which are summed.
static bool isElementwiseIn(ContractOp contract, unsigned operand) {
  return !contract.getSumTo() && contract.getMap(operand) == contract.getMap(2);
}

/// Why `op` is not affine and elementwise in the operands that are `inside` the loop; empty if it is.
static StringRef findObstacle(Operation *op, llvm::function_ref<bool(unsigned)> inside) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      // A delay takes its source or its init, by the age of the frame; sums and signs keep what they get.
      .Case<DelayOp, SumOp, StopGradientOp, arith::AddFOp, arith::SubFOp, arith::NegFOp, arith::AddIOp, arith::SubIOp>(
          [](Operation *) { return ""; })
      .Case<arith::MulFOp, arith::MulIOp>(
          [&](Operation *) { return inside(0) && inside(1) ? "multiplies two values of the loop" : ""; })
      .Case<arith::DivFOp>([&](Operation *) { return inside(1) ? "divides by a value of the loop" : ""; })
      .Case<arith::SelectOp>([&](Operation *) { return inside(0) ? "selects by a value of the loop" : ""; })
      .Case([&](ContractOp contract) -> StringRef {
        if (inside(0) && inside(1))
          return "multiplies two values of the loop";
        return isElementwiseIn(contract, inside(0) ? 0 : 1) ? "" : kMixes;
      })
      .Case<LinearOp, ReduceOp, BroadcastOp, GatherOp, ScatterAddOp>([](Operation *) { return kMixes; })
      .Default([](Operation *other) {
        return isa_and_nonnull<tensor::TensorDialect>(other->getDialect()) ? kMixes : kNotAffine;
      });
}

AffineRecurrence rnn::findAffineRecurrence(const RecurrenceAnalysis &analysis, const Component &component) {
  AffineRecurrence result;
  llvm::MapVector<Value, int64_t> depths;
  for (DelayOp delay : component.delays) {
    int64_t &depth = depths[delay.getSource()];
    depth = std::max<int64_t>(depth, std::abs(delay.getBy()));
  }
  for (auto &[source, depth] : depths)
    result.order += depth;

  const SignalGraph &graph = analysis.getGraph();
  unsigned index = analysis.getIndex(component.ops.front());
  for (Operation *op : component.ops) {
    StringRef reason = findObstacle(op, [&](unsigned operand) {
      Operation *source = op->getOperand(operand).getDefiningOp();
      return source && graph.contains(source) && analysis.getIndex(source) == index;
    });
    if (!reason.empty()) {
      result.obstacle = op;
      result.reason = reason;
      return result;
    }
  }
  return result;
}
