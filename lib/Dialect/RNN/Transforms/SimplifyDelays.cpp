//===- SimplifyDelays.cpp - Fewer delays, less state -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/IR/SignalGraph.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Dialect/RNN/Transforms/Transforms.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_SIMPLIFYDELAYS
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-simplify-delays"

/// Erases the ops of a graph region that no op with an effect, the terminator among them, depends on.
unsigned rnn::eraseDeadSignals(Block &block) {
  llvm::DenseSet<Operation *> live = findLiveOps(block);
  SmallVector<Operation *> dead;
  for (Operation &op : block)
    if (!live.contains(&op))
      dead.push_back(&op);
  for (Operation *op : dead)
    op->dropAllReferences();
  for (Operation *op : dead)
    op->erase();
  return dead.size();
}

/// True if the delay reads `source` or zeros, and nothing else.
static bool isPlain(DelayOp delay) { return delay.isCarried() && !delay.getInit(); }

namespace {
/// Where chains of plain carried delays begin. All delays of a chain being carried, their sum reaches as far back as
/// the chain, and is valid where the chain is: ages grow by one from frame to frame (T5).
class Chains {
public:
  struct Root {
    DelayOp first; ///< the delay of the chain that reads a signal proper
    int64_t by;    ///< the frames from there
  };

  /// The chain that ends in `delay`, a plain one; `first` is `delay` itself where there is nothing to merge.
  Root find(DelayOp delay) {
    SmallVector<DelayOp> path;
    llvm::SmallDenseSet<Operation *> onPath;
    DelayOp next = delay;
    while (next && isPlain(next) && !roots.contains(next)) {
      if (!onPath.insert(next).second) { // a ring of delays: leave all of it
        for (DelayOp op : path)
          roots[op] = {op, static_cast<int64_t>(op.getBy())};
        return roots[delay];
      }
      path.push_back(next);
      next = next.getSource().getDefiningOp<DelayOp>();
    }
    for (DelayOp op : llvm::reverse(path)) {
      Root root{op, static_cast<int64_t>(op.getBy())};
      auto known = roots.find(op.getSource().getDefiningOp());
      if (known != roots.end() && known->second.by + root.by <= kMaxDelay)
        root = {known->second.first, known->second.by + root.by};
      roots[op] = root;
    }
    return roots[delay];
  }

private:
  llvm::DenseMap<Operation *, Root> roots;
};
} // namespace

namespace {
struct SimplifyDelays : mlir::rnn::impl::SimplifyDelaysBase<SimplifyDelays> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<RNNFunctionInterface>())
      if (isa<NetworkOp, StepOp>(function)) {
        mergeChains(*function.getBodyBlock());
        shareEqual(*function.getBodyBlock());
        signalsErased += eraseDeadSignals(*function.getBodyBlock());
      }
  }

  void mergeChains(Block &block) {
    // Chains are found in the graph as it was, so that no merge depends on another.
    struct Merge {
      DelayOp delay;
      Value source;
      int64_t by;
      StringAttr name;
    };
    SmallVector<Merge> merges;
    Chains chains;
    for (DelayOp delay : block.getOps<DelayOp>())
      if (isPlain(delay))
        if (Chains::Root root = chains.find(delay); root.first != delay)
          merges.push_back({delay, root.first.getSource(), root.by, root.first.getNameAttr()});
    for (Merge &merge : merges) {
      merge.delay.getSourceMutable().assign(merge.source);
      merge.delay.setBy(merge.by);
      if (merge.name)
        merge.delay.setNameAttr(merge.name);
      else
        merge.delay.removeNameAttr();
      ++delaysMerged;
    }
  }

  void shareEqual(Block &block) {
    using Key = std::tuple<Value, int64_t, Value, int>;
    llvm::DenseMap<Key, DelayOp> known;
    for (DelayOp delay : llvm::make_early_inc_range(block.getOps<DelayOp>())) {
      Key key(delay.getSource(), delay.getBy(), delay.getInit(), delay.getLocal());
      auto [it, isNew] = known.try_emplace(key, delay);
      if (isNew)
        continue;
      if (!it->second.getName() && delay.getName())
        it->second.setNameAttr(delay.getNameAttr());
      delay.replaceAllUsesWith(it->second.getResult());
      delay.erase();
      ++delaysShared;
    }
  }
};
} // namespace
