//===- FuseElementwise.cpp - Neighbouring regions become one -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every op of the schedule gets a rank that grows by one along each operand that cannot be fused. Regions of equal rank
// and kind may then share a region, whatever lies between them: a path from one to the other through something else
// would have a higher rank at its end. Of these, the ones that feed each other or read a common sequence do.
//
//===----------------------------------------------------------------------===//
#include "Regions.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include <queue>

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "rnn/Dialect/RNN/Schedule/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-fuse-elementwise"

namespace {
/// Fuses the regions of one schedule.
class Fuser {
public:
  explicit Fuser(ScheduleOp schedule) : schedule(schedule) {}

  /// Returns the number of ops that moved into the region of another op.
  unsigned run() {
    for (Operation &op : *schedule.getBodyBlock()) {
      positions[&op] = ops.size();
      ops.push_back(&op);
    }
    rankForwards();
    rankBackwards();
    group();
    sort();
    unsigned fused = 0;
    for (SmallVector<Operation *> &members : groups)
      fused += fuse(members);
    return fused;
  }

private:
  static bool isFusable(Operation *op);
  static bool haveOneKind(ParallelOp a, ParallelOp b);
  /// True if `reader` may compute its operand `i` itself, in the region of the op that does now.
  bool canFuse(Operation *reader, unsigned i) const;
  void rankForwards();
  void rankBackwards();
  void group();
  void sort();
  unsigned fuse(ArrayRef<Operation *> members);

  ScheduleOp schedule;
  SmallVector<Operation *> ops;
  llvm::DenseMap<Operation *, unsigned> positions;
  SmallVector<unsigned> ranks;
  SmallVector<SmallVector<Operation *>> groups;
};
} // namespace

/// Products stay alone: all frames together are one large product.
bool Fuser::isFusable(Operation *op) {
  auto region = dyn_cast<ParallelOp>(op);
  if (!region || region.getNumResults() == 0)
    return false;
  bool isStatic = region.getDomain() == Domain::Static;
  return llvm::all_of(region.getBody().front(), [&](Operation &inner) {
    if (isa<ContractOp, ScatterAddOp>(inner))
      return false;
    // Large static tensors pass through memory once per region; reshapings and reductions would do so in between.
    return !isStatic || isa<SumOp, BroadcastOp, YieldOp>(inner) || inner.hasTrait<OpTrait::Elementwise>() ||
           inner.hasTrait<OpTrait::ConstantLike>() || isa<SigmoidOp, SoftplusOp, StopGradientOp>(inner);
  });
}

bool Fuser::haveOneKind(ParallelOp a, ParallelOp b) {
  if (a.getDomain() != b.getDomain())
    return false;
  auto shape = [](ParallelOp op) { return cast<RankedTensorType>(op.getResult(0).getType()).getShape(); };
  return a.getDomain() != Domain::Static || shape(a) == shape(b);
}

bool Fuser::canFuse(Operation *reader, unsigned i) const {
  auto producer = reader->getOperand(i).getDefiningOp<ParallelOp>();
  return producer && isFusable(reader) && isFusable(producer) && haveOneKind(producer, cast<ParallelOp>(reader)) &&
         !readsOtherFrames(reader, i);
}

void Fuser::rankForwards() {
  ranks.assign(ops.size(), 0);
  for (auto [position, op] : llvm::enumerate(ops))
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (Operation *producer = operand.getDefiningOp())
        ranks[position] = std::max(ranks[position], ranks[positions[producer]] + !canFuse(op, i));
}

/// Lifts a region to the rank of its first reader, if it can be fused with it then.
void Fuser::rankBackwards() {
  for (unsigned position = ops.size(); position-- > 0;) {
    Operation *op = ops[position];
    if (!isFusable(op))
      continue;
    unsigned limit = ~0u;
    bool joins = false;
    for (OpOperand &use : op->getUses()) {
      // What happens at the end of the step anyway does not hold a region back.
      Operation *reader = use.getOwner();
      if (isa<KeepOp, AssignOp, GuardOp, ReturnOp>(reader))
        continue;
      bool fusable = canFuse(reader, use.getOperandNumber());
      unsigned wanted = ranks[positions[reader]] - !fusable;
      joins = wanted < limit ? fusable : joins || (wanted == limit && fusable);
      limit = std::min(limit, wanted);
    }
    if (joins)
      ranks[position] = std::max(ranks[position], limit);
  }
}

void Fuser::group() {
  llvm::EquivalenceClasses<Operation *> classes;
  auto link = [&](Operation *a, Operation *b) {
    if (ranks[positions[a]] == ranks[positions[b]])
      classes.unionSets(a, b);
  };
  // The first fusable reader of each sequence, by rank and domain.
  llvm::DenseMap<std::tuple<Value, unsigned, unsigned>, Operation *> readers;
  for (auto [position, op] : llvm::enumerate(ops)) {
    classes.insert(op);
    if (!isFusable(op))
      continue;
    for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
      if (canFuse(op, i))
        link(operand.getDefiningOp(), op);
      Domain domain = cast<ParallelOp>(op).getDomain();
      if (getOperandRate(op, i) == Rate::Frame) {
        auto [reader, isFirst] = readers.insert({{operand, ranks[position], unsigned(domain)}, op});
        if (!isFirst)
          link(reader->second, op);
      }
    }
  }
  llvm::MapVector<Operation *, SmallVector<Operation *>> members;
  for (Operation *op : ops)
    members[classes.getLeaderValue(op)].push_back(op);
  for (auto &[leader, list] : members)
    groups.push_back(std::move(list));
}

/// Orders the groups so that each comes after what it reads, as near to its last member's place as that allows.
void Fuser::sort() {
  llvm::DenseMap<Operation *, unsigned> groupOf;
  for (auto [index, members] : llvm::enumerate(groups))
    for (Operation *op : members)
      groupOf[op] = index;
  SmallVector<unsigned> waiting(groups.size(), 0);
  SmallVector<SmallVector<unsigned>> readers(groups.size());
  for (auto [index, members] : llvm::enumerate(groups))
    for (Operation *op : members)
      for (Value operand : op->getOperands())
        if (Operation *producer = operand.getDefiningOp(); producer && groupOf[producer] != index) {
          readers[groupOf[producer]].push_back(index);
          ++waiting[index];
        }
  using Key = std::pair<unsigned, unsigned>;
  std::priority_queue<Key, std::vector<Key>, std::greater<Key>> ready;
  auto push = [&](unsigned index) { ready.push({positions[groups[index].back()], index}); };
  for (unsigned index = 0; index < groups.size(); ++index)
    if (waiting[index] == 0)
      push(index);
  SmallVector<SmallVector<Operation *>> sorted;
  Block *body = schedule.getBodyBlock();
  while (!ready.empty()) {
    unsigned index = ready.top().second;
    ready.pop();
    for (Operation *op : groups[index])
      op->moveBefore(body, body->end());
    for (unsigned reader : readers[index])
      if (--waiting[reader] == 0)
        push(reader);
    sorted.push_back(std::move(groups[index]));
  }
  groups = std::move(sorted);
}

/// Makes one region of several, which stand together in an order that respects what they read.
unsigned Fuser::fuse(ArrayRef<Operation *> members) {
  if (members.size() == 1)
    return 0;
  unsigned moved = 0;
  llvm::SmallPtrSet<Operation *, 8> inside(llvm::from_range, members);
  llvm::SetVector<Value> inputs, results;
  for (Operation *op : members) {
    for (Value operand : op->getOperands())
      if (!operand.getDefiningOp() || !inside.contains(operand.getDefiningOp()))
        inputs.insert(operand);
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !inside.contains(user); }))
        results.insert(result);
    moved += op == members.front() ? 0 : countOps(op);
  }

  OpBuilder builder(members.back());
  Location loc = members.front()->getLoc();
  auto fused = ParallelOp::create(builder, loc, ValueRange(results.getArrayRef()).getTypes(),
                                  cast<ParallelOp>(members.front()).getDomain(), inputs.getArrayRef(), nullptr);
  Block *body = builder.createBlock(&fused.getBody());
  // From sequences to their values in the body.
  IRMapping values;
  for (Operation *op : members) {
    Block &old = op->getRegion(0).front();
    for (auto [operand, argument] : llvm::zip(op->getOperands(), old.getArguments())) {
      if (!values.contains(operand))
        values.map(operand, body->addArgument(argument.getType(), argument.getLoc()));
      argument.replaceAllUsesWith(values.lookup(operand));
    }
    for (auto [result, value] : llvm::zip(op->getResults(), old.getTerminator()->getOperands()))
      values.map(result, value);
    body->getOperations().splice(body->end(), old.getOperations(), old.begin(), std::prev(old.end()));
  }
  // Arguments were added in the order of the first reads, which is that of the inputs.
  YieldOp::create(builder, loc, llvm::map_to_vector(results, [&](Value result) { return values.lookup(result); }));
  for (auto [i, result] : llvm::enumerate(fused.getResults()))
    Value(results[i]).replaceAllUsesWith(result);
  for (Operation *op : llvm::reverse(members))
    op->erase();
  remark::passed(loc, remarkOptions(RemarkCategory::Fuse, "Fused", schedule.getSymName()))
      << remark::add("{0} ops share a region", countOps(fused)) << remark::metric("Signal", getResultNames(fused))
      << remark::reason("they work on the same frames and feed each other or read the same sequence");
  return moved;
}

namespace {
struct FuseElementwise : mlir::rnn::impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    for (auto schedule : getOperation().getOps<ScheduleOp>())
      opsFused += Fuser(schedule).run();
  }
};
} // namespace
