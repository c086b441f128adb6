//===- FormWavefronts.cpp - Loops that may overlap in time -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop over frames gives a frame to its readers as soon as it is computed: of
// stacked layers, the second may work on early frames while the first works on
// later ones. A wavefront is a set of loops, and of regions between them that
// work frame by frame, that may be cut into pieces of frames. Within it no
// sequence takes the place of another (PlanMemory.cpp).
//
//===----------------------------------------------------------------------===//
#include "Regions.h"
#include "rnn/Dialect/RNN/IR/Rates.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h"
#include "rnn/Dialect/RNN/Schedule/Wavefront.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_FORMWAVEFRONTS
#include "rnn/Dialect/RNN/Schedule/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-form-wavefronts"

/// Weights that the registers of a multiprocessor hold.
static constexpr int64_t kMultiprocessorWeights = 256 * 160;

/// True if what the body computes of a frame needs no work that is done once for all frames.
static bool worksFrameByFrame(Operation *region) {
  if (!isa<ParallelOp, RecurrentOp>(region))
    return false;
  Block &body = region->getRegion(0).front();
  RateAnalysis rates(body, [&](unsigned i) { return getOperandRate(region, i); });
  return llvm::all_of(body.without_terminator(), [&](Operation &op) {
    return op.hasTrait<OpTrait::ConstantLike>() ||
           llvm::all_of(op.getResults(), [&](Value value) { return rates.getRate(value) == Rate::Frame; });
  });
}

/// Multiprocessors whose registers hold the matrices of a loop; a power of two, as its units are divided.
static int64_t countMultiprocessors(RecurrentOp loop) {
  int64_t weights = 0;
  for (auto contract : loop.getBody().front().getOps<ContractOp>())
    for (Value factor : {contract.getLhs(), contract.getRhs()})
      if (auto argument = dyn_cast<BlockArgument>(factor);
          argument && getOperandRate(loop, argument.getArgNumber()) == Rate::Static)
        weights += cast<RankedTensorType>(factor.getType()).getNumElements();
  return llvm::PowerOf2Ceil(std::max<int64_t>(llvm::divideCeil(weights, kMultiprocessorWeights), 1));
}

namespace {
/// Forms the wavefronts of one schedule.
class WavefrontBuilder {
public:
  WavefrontBuilder(ScheduleOp schedule, int64_t multiprocessors, int64_t pieceFrames)
      : schedule(schedule), multiprocessors(multiprocessors), pieceFrames(pieceFrames) {}

  void run();
  unsigned getCount() const { return count; }

private:
  /// Why an op cannot be of the wavefront; empty if it can.
  StringRef refuse(Operation *op) const;
  StringRef refuseFirst(RecurrentOp loop);
  void add(Operation *op);
  void close();

  ScheduleOp schedule;
  int64_t multiprocessors, pieceFrames;
  unsigned count = 0; ///< of the wavefronts

  // The one that is being formed.
  llvm::MapVector<Operation *, Direction> members;
  /// Others that need something of it, and why they, or what they need, are not of it.
  llvm::DenseMap<Operation *, StringRef> behind;
  Domain domain = Domain::Chunk;
  int64_t used = 0; ///< multiprocessors
};
} // namespace

static constexpr StringLiteral kOnce = "work is done once for all frames";

StringRef WavefrontBuilder::refuseFirst(RecurrentOp loop) {
  if (auto bptt = schedule.getBptt()) {
    const int64_t most = loop.getDomain() == Domain::Window ? bptt->getWindow() : bptt->getAdvance();
    if (most < 2 * pieceFrames)
      return "a call has too few frames for two pieces";
  }
  return worksFrameByFrame(loop) ? "" : kOnce;
}

StringRef WavefrontBuilder::refuse(Operation *op) const {
  std::optional<Direction> direction;
  if (auto loop = dyn_cast<RecurrentOp>(op))
    direction = loop.getDirection();
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    Operation *source = operand.getDefiningOp();
    if (auto found = behind.find(source); found != behind.end())
      return found->second;
    auto member = members.find(source);
    if (member == members.end())
      continue;
    if (!isRegionOp(op))
      return "there is no region";
    if (direction && *direction != member->second)
      return "frames are visited in the other direction";
    direction = member->second;
    const int64_t sign = *direction == Direction::Causal ? 1 : -1;
    for (OpOperand &use : op->getRegion(0).getArgument(i).getUses()) {
      if (isa<SaveOp>(use.getOwner()) && use.getOperandNumber() == 0)
        return "frames of another domain are read";
      auto delay = dyn_cast<DelayOp>(use.getOwner());
      if (delay && use.getOperandNumber() == 0 && int64_t(delay.getBy()) * sign < 0)
        return "frames are read that are computed later";
    }
  }
  if (!direction)
    return "nothing of the loops is needed";
  if (getRegionDomain(op) != domain)
    return "the domain is another";
  if (!worksFrameByFrame(op))
    return kOnce;
  if (auto loop = dyn_cast<RecurrentOp>(op); loop && used + countMultiprocessors(loop) > multiprocessors)
    return "the weights do not fit in registers beside those of the other loops";
  return "";
}

void WavefrontBuilder::add(Operation *op) {
  if (auto loop = dyn_cast<RecurrentOp>(op)) {
    if (members.empty())
      domain = loop.getDomain();
    members[op] = loop.getDirection();
    used += countMultiprocessors(loop);
    return;
  }
  auto isMember = [&](Value operand) { return members.contains(operand.getDefiningOp()); };
  members[op] = members.lookup((*llvm::find_if(op->getOperands(), isMember)).getDefiningOp());
}

/// Marks the wavefront and puts its regions one behind another, if there are several loops.
void WavefrontBuilder::close() {
  // Of the other regions those stay whose results reach a loop.
  llvm::SmallPtrSet<Operation *, 16> needed;
  SmallVector<Operation *> order;
  unsigned loops = 0;
  for (auto &[op, direction] : llvm::reverse(members)) {
    const bool isLoop = isa<RecurrentOp>(op);
    if (!isLoop && llvm::none_of(op->getUsers(), [&](Operation *user) { return needed.contains(user); }))
      continue;
    loops += isLoop;
    needed.insert(op);
    order.push_back(op);
  }
  std::reverse(order.begin(), order.end());
  if (loops > 1) {
    Operation *first = order.front(), *last = order.back(), *end = last->getNextNode();
    // What needs something of it goes behind it, all else before it.
    llvm::SmallPtrSet<Operation *, 16> later(needed);
    SmallVector<Operation *> others;
    for (Operation *op = first; op != end; op = op->getNextNode())
      if (!needed.contains(op))
        others.push_back(op);
    Operation *place = last;
    for (Operation *op : others) {
      auto isLater = [&](Value operand) { return operand.getDefiningOp() && later.contains(operand.getDefiningOp()); };
      if (llvm::none_of(op->getOperands(), isLater)) {
        op->moveBefore(first);
        continue;
      }
      later.insert(op);
      op->moveAfter(place);
      place = op;
    }
    Builder builder(schedule.getContext());
    for (Operation *op : order)
      op->setAttr(kWavefrontAttrName, builder.getI64IntegerAttr(count));
    remark::passed(first->getLoc(), remarkOptions(RemarkCategory::Launch, "Wavefront", schedule.getSymName()))
        << remark::add("loops overlap, piece by piece of their frames") << remark::metric("Wavefront", count)
        << remark::metric("Loops", loops) << remark::metric("Regions", order.size())
        << remark::reason("each frame of a loop needs no later frame of another");
    ++count;
  }
  members.clear();
  behind.clear();
  used = 0;
}

void WavefrontBuilder::run() {
  for (Operation &op : llvm::make_early_inc_range(*schedule.getBodyBlock())) {
    auto loop = dyn_cast<RecurrentOp>(op);
    StringRef reason = refuse(&op);
    if (!members.empty() && reason.empty()) {
      add(&op);
    } else if (loop) {
      if (!members.empty())
        remark::missed(op.getLoc(), remarkOptions(RemarkCategory::Launch, "NoWavefront", schedule.getSymName()))
            << remark::add("the loop does not overlap with those before it")
            << remark::reason("of it or what it needs, {0}", reason);
      close();
      if (refuseFirst(loop).empty())
        add(&op);
    } else if (llvm::any_of(op.getOperands(), [&](Value operand) {
                 Operation *source = operand.getDefiningOp();
                 return source && (members.contains(source) || behind.contains(source));
               })) {
      behind[&op] = reason;
    }
  }
  close();
}

namespace {
struct FormWavefronts : mlir::rnn::impl::FormWavefrontsBase<FormWavefronts> {
  using FormWavefrontsBase::FormWavefrontsBase;

  void runOnOperation() override {
    for (auto schedule : getOperation().getOps<ScheduleOp>()) {
      WavefrontBuilder builder(schedule, multiprocessors, pieceFrames);
      builder.run();
      wavefrontCount += builder.getCount();
    }
  }
};
} // namespace
