//===- SplitSums.cpp - What of a sum can leave its loop -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Partition.h"

using namespace mlir;
using namespace mlir::rnn;

namespace {
/// Splits the sums of one loop.
class SumSplitter {
public:
  explicit SumSplitter(const Component &loop) : loop(loop) { inside.insert(loop.ops.begin(), loop.ops.end()); }

  void run() {
    // From the last to the first, so that a sum takes in those that feed it before they are looked at.
    for (Operation *op : llvm::reverse(loop.ops))
      if (auto sum = dyn_cast<SumOp>(op); sum && !absorbed.contains(op))
        split(sum);
    for (Operation *op : erased)
      op->erase();
  }

private:
  /// The terms of `sum`, those of sums that only it reads included.
  SmallVector<Value> getTerms(SumOp sum) {
    SmallVector<Value> terms, worklist(llvm::reverse(sum.getTerms()));
    while (!worklist.empty()) {
      Value term = worklist.pop_back_val();
      auto inner = term.getDefiningOp<SumOp>();
      if (inner && inner != sum && inside.contains(inner) && term.hasOneUse()) {
        absorbed.insert(inner);
        llvm::append_range(worklist, llvm::reverse(inner.getTerms()));
      } else {
        terms.push_back(term);
      }
    }
    return terms;
  }

  void split(SumOp sum) {
    SmallVector<Value> outer, rest;
    for (Value term : getTerms(sum)) {
      Operation *op = term.getDefiningOp();
      (op && inside.contains(op) ? rest : outer).push_back(term);
    }
    // One outer term is a sequence already.
    if (outer.size() > 1) {
      OpBuilder builder(loop.ops.front());
      outer = {SumOp::create(builder, sum.getLoc(), sum.getType(), outer)};
    }
    llvm::append_range(outer, rest);
    SmallVector<Operation *> read;
    for (Value term : sum.getTerms())
      if (Operation *op = term.getDefiningOp(); op && absorbed.contains(op))
        read.push_back(op);
    sum.getTermsMutable().assign(outer);
    // What was taken in has lost its only reader; those that fed it come after it.
    while (!read.empty()) {
      Operation *op = read.pop_back_val();
      for (Value term : op->getOperands())
        if (Operation *inner = term.getDefiningOp(); inner && absorbed.contains(inner))
          read.push_back(inner);
      erased.push_back(op);
    }
  }

  const Component &loop;
  llvm::DenseSet<Operation *> inside, absorbed;
  SmallVector<Operation *> erased;
};
} // namespace

void rnn::splitSums(RNNFunctionInterface function) {
  RecurrenceAnalysis recurrence(function);
  for (const Component &component : recurrence.getComponents())
    if (component.isRecurrent())
      SumSplitter(component).run();
}
