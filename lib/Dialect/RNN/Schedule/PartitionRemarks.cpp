//===- PartitionRemarks.cpp - Why a loop is a loop -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Partition.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h"

using namespace mlir;
using namespace mlir::rnn;

const Component *rnn::findHoistedFrom(Operation *op, const RecurrenceAnalysis &recurrence) {
  if (!isa<ContractOp>(op) || recurrence.getComponent(op).kind != ComponentKind::Parallel)
    return nullptr;
  // Forwards through ops that the loop could have held beside the product.
  SmallVector<Operation *> worklist{op};
  llvm::DenseSet<Operation *> seen;
  while (!worklist.empty())
    for (Operation *user : worklist.pop_back_val()->getUsers()) {
      if (!recurrence.getGraph().contains(user))
        continue;
      if (const Component &component = recurrence.getComponent(user); component.isRecurrent())
        return &component;
      if (isa<SumOp, arith::AddFOp, arith::MulFOp>(user) && seen.insert(user).second)
        worklist.push_back(user);
    }
  return nullptr;
}

/// The sizes M, N, K of a product: result elements by the side that has them, and what is summed.
static std::array<int64_t, 3> getProductSizes(ContractOp op) {
  std::array<int64_t, 3> sizes{1, 1, 1};
  auto reads = [](AffineMap map, unsigned dim) { return map.isFunctionOfDim(dim); };
  for (auto [dim, size] : llvm::enumerate(op.getLoopSizes()))
    sizes[!reads(op.getMap(2), dim) ? 2 : reads(op.getMap(0), dim) ? 0 : 1] *= size;
  return sizes;
}

void rnn::emitPartitionRemarks(RNNFunctionInterface function, const RecurrenceAnalysis &recurrence, bool sequential) {
  // Names take time; without a listener there is nothing to say.
  if (!function.getContext()->getRemarkEngine())
    return;
  SignalNames names(function);
  // Later passes know signals by their locations.
  for (Operation &op : *function.getBodyBlock())
    if (op.getNumResults() == 1 && !isa<NameLoc>(op.getLoc())) {
      std::string name = names.getName(op.getResult(0));
      op.setLoc(NameLoc::get(StringAttr::get(op.getContext(), StringRef(name).drop_front()), op.getLoc()));
    }
  StringRef name = cast<StringAttr>(function->getAttr(SymbolTable::getSymbolAttrName())).getValue();
  auto tellCycle = [&](const Component &loop) {
    std::string text;
    for (Value value : loop.cycle)
      text += names.getName(value) + " -> ";
    return loop.cycle.empty() ? text : text + names.getName(loop.cycle.front());
  };
  for (const Component &component : recurrence.getComponents()) {
    if (!component.isRecurrent()) {
      Operation *op = component.ops.front();
      const Component *loop = sequential ? nullptr : findHoistedFrom(op, recurrence);
      if (!loop)
        continue;
      auto [m, n, k] = getProductSizes(cast<ContractOp>(op));
      remark::passed(op->getLoc(), remarkOptions(RemarkCategory::Hoist, "Hoisted", name))
          << remark::add("{0} runs for all frames before the loop that reads it", names.getName(op->getResult(0)))
          << remark::metric("Signal", names.getName(op->getResult(0))) << remark::metric("M", m)
          << remark::metric("N", n) << remark::metric("K", k)
          << remark::metric("From", loop->cycle.empty() ? "" : names.getName(loop->cycle.front()))
          << remark::reason("the loop computes none of its operands");
      continue;
    }
    // The loop is told where its first delay is written.
    Location loc = component.delays.empty() ? component.ops.front()->getLoc() : component.delays.front()->getLoc();
    remark::analysis(loc, remarkOptions(RemarkCategory::Recurrence, "Loop", name))
        << remark::add("{0} signals run frame by frame, {1}", component.ops.size(),
                       stringifyDirection(component.direction))
        << remark::metric("Stages", component.stages) << remark::metric("Delay", component.cycleDelay)
        << remark::reason("cycle {0}", tellCycle(component));
    for (Operation *op : component.ops) {
      if (!isa<ContractOp>(op))
        continue;
      Value read;
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp(); source && recurrence.inSameLoop(source, op))
          read = operand;
      remark::missed(op->getLoc(), remarkOptions(RemarkCategory::Hoist, "KeptInLoop", name))
          << remark::add("{0} stays in the loop", names.getName(op->getResult(0)))
          << remark::metric("Signal", names.getName(op->getResult(0)))
          << remark::reason("it reads {0}, which the loop computes", names.getName(read))
          << remark::suggest("feed it from outside the cycle to compute it for all frames at once");
    }
  }
}
