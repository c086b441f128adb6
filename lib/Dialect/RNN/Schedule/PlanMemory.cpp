//===- PlanMemory.cpp - A place for every sequence -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Regions.h"
#include "rnn/Analysis/Recurrence.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h"
#include "rnn/Dialect/RNN/Schedule/Wavefront.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_PLANMEMORY
#include "rnn/Dialect/RNN/Schedule/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-plan-memory"

/// Buffers begin at cache lines, for any number of frames.
static constexpr uint64_t kAlignment = 64;
/// More than any machine has; sums of this size do not overflow.
static constexpr uint64_t kMaxBytes = uint64_t(1) << 56;

namespace {
/// An amount of memory: constant + perFrame * T bytes.
struct Size {
  uint64_t constant = 0, perFrame = 0;
};

/// The memory of one sequence.
struct Buffer {
  OpResult value;
  Size size;
  /// The ops, by number, between which its content is needed, both included.
  unsigned first, last;
};

/// Memory that buffers with disjoint lives share; as large as the largest in both terms.
struct Place {
  Size size, offset;
  SmallVector<const Buffer *> buffers;

  bool isFree(const Buffer &buffer) const {
    return llvm::all_of(buffers,
                        [&](const Buffer *other) { return other->last < buffer.first || buffer.last < other->first; });
  }
};

/// Plans one schedule.
class MemoryPlanner {
public:
  explicit MemoryPlanner(ScheduleOp schedule) : schedule(schedule) {}

  /// Sets `slots` and `rnn.memory`. Fails if a sequence is larger than any machine's memory.
  LogicalResult run();
  Size getTotal() const { return total; }

private:
  LogicalResult collect();
  LogicalResult describe(OpResult value, unsigned number);
  void assignPlaces();
  void writeSlots();

  ScheduleOp schedule;
  llvm::DenseMap<Operation *, unsigned> numbers; ///< of ops, in order; a wavefront has one number
  SmallVector<Buffer> buffers;
  SmallVector<Place> places;
  llvm::DenseMap<Value, unsigned> placeOf;
  Size total;
};
} // namespace

LogicalResult MemoryPlanner::describe(OpResult value, unsigned number) {
  auto type = cast<RankedTensorType>(value.getType());
  uint64_t row = getRowBytes(type);
  bool isFrame = type.getRank() > 0 && type.isDynamicDim(0);
  Buffer buffer{value, {}, number, number};
  unsigned end = numbers.lookup(schedule.getBodyBlock()->getTerminator());
  for (Operation *user : value.getUsers()) {
    // New state, parameters and results take effect at the end of the step, together (rule S4).
    bool isAtEnd = isa<KeepOp, AssignOp, GuardOp, ReturnOp>(user);
    buffer.last = std::max(buffer.last, isAtEnd ? end : numbers.lookup(user));
  }
  // The window begins with H older frames.
  uint64_t older = isFrame && getRegionDomain(value.getOwner()) == Domain::Window ? schedule.getHistory() : 0;
  buffer.size.constant = isFrame ? llvm::SaturatingMultiply(row, older) : row;
  buffer.size.perFrame = isFrame ? row : 0;
  if (buffer.size.constant > kMaxBytes || buffer.size.perFrame > kMaxBytes)
    return emitError(value.getLoc()) << "a sequence of " << type << " with " << older
                                     << " older frames is larger than any memory";
  buffer.size.constant = llvm::alignTo(buffer.size.constant, kAlignment);
  buffer.size.perFrame = llvm::alignTo(buffer.size.perFrame, kAlignment);
  buffers.push_back(buffer);
  return success();
}

LogicalResult MemoryPlanner::collect() {
  std::optional<int64_t> wavefront;
  unsigned number = 0;
  for (Operation &op : *schedule.getBodyBlock()) {
    std::optional<int64_t> own = getWavefront(&op);
    number += !own || own != wavefront;
    numbers[&op] = number;
    wavefront = own;
  }
  for (Operation &op : *schedule.getBodyBlock())
    if (isRegionOp(&op))
      for (OpResult value : op.getResults())
        if (failed(describe(value, numbers.lookup(&op))))
          return failure();
  return success();
}

/// The largest first; each goes to the smallest place that is free during its life. Sequences and values without
/// frames do not mix, since for some T either is the larger.
void MemoryPlanner::assignPlaces() {
  SmallVector<const Buffer *> order = llvm::map_to_vector(buffers, [](const Buffer &buffer) { return &buffer; });
  llvm::stable_sort(order, [](const Buffer *a, const Buffer *b) {
    return std::pair(a->size.perFrame, a->size.constant) > std::pair(b->size.perFrame, b->size.constant);
  });
  for (const Buffer *buffer : order) {
    auto fits = [&](const Place &place) {
      return (place.size.perFrame > 0) == (buffer->size.perFrame > 0) && place.isFree(*buffer);
    };
    auto found = llvm::find_if(llvm::reverse(places), fits);
    Place &place = found == places.rend() ? places.emplace_back() : *found;
    place.size.constant = std::max(place.size.constant, buffer->size.constant);
    place.size.perFrame = std::max(place.size.perFrame, buffer->size.perFrame);
    place.buffers.push_back(buffer);
    placeOf[buffer->value] = &place - places.begin();
  }
  for (Place &place : places) {
    place.offset = total;
    total.constant = llvm::SaturatingAdd(total.constant, place.size.constant);
    total.perFrame = llvm::SaturatingAdd(total.perFrame, place.size.perFrame);
  }
}

void MemoryPlanner::writeSlots() {
  Builder builder(schedule.getContext());
  llvm::MapVector<Operation *, SmallVector<Attribute>> slots;
  for (const Buffer &buffer : buffers) {
    const Size &offset = places[placeOf[buffer.value]].offset;
    slots[buffer.value.getOwner()].push_back(SlotAttr::get(builder.getContext(), offset.constant, offset.perFrame));
  }
  for (auto &[op, list] : slots)
    op->setAttr("slots", builder.getArrayAttr(list));
  schedule->setAttr("rnn.memory", builder.getDictionaryAttr(
                                      {builder.getNamedAttr("constant", builder.getI64IntegerAttr(total.constant)),
                                       builder.getNamedAttr("per_thread", builder.getI64IntegerAttr(0)),
                                       builder.getNamedAttr("per_frame", builder.getI64IntegerAttr(total.perFrame))}));
}

LogicalResult MemoryPlanner::run() {
  if (failed(collect()))
    return failure();
  assignPlaces();
  if (total.constant > kMaxBytes || total.perFrame > kMaxBytes)
    return schedule.emitError() << "the sequences of '" << schedule.getSymName() << "' are larger than any memory";
  writeSlots();
  remark::analysis(schedule.getLoc(), remarkOptions(RemarkCategory::Memory, "Plan", schedule.getSymName()))
      << remark::add("{0} buffers in {1} places", buffers.size(), places.size())
      << remark::metric("Constant", total.constant) << remark::metric("PerFrame", total.perFrame)
      << remark::reason("buffers share a place where their lives do not overlap");
  return success();
}

/// Bytes for people: `3.1 GiB`.
static std::string formatBytes(uint64_t bytes) {
  const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = bytes;
  unsigned unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
    value /= 1024;
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

namespace {
struct PlanMemory : mlir::rnn::impl::PlanMemoryBase<PlanMemory> {
  using PlanMemoryBase::PlanMemoryBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (remat == "recompute") {
      module.emitError() << "option 'remat=recompute' is not implemented yet";
      return signalPassFailure();
    }
    if (remat != "auto" && remat != "keep") {
      module.emitError() << "unknown remat '" << remat << "'; expected auto, keep or recompute";
      return signalPassFailure();
    }
    for (auto schedule : module.getOps<ScheduleOp>()) {
      if (failed(schedule.checkFixedStreams()))
        return signalPassFailure();
      MemoryPlanner planner(schedule);
      if (failed(planner.run()))
        return signalPassFailure();
      // What a step needs at most; of a function that takes any T, what a frame needs.
      uint64_t frames = schedule.getBptt() ? schedule.getBptt()->getAdvance() : 1;
      uint64_t bytes = llvm::SaturatingMultiplyAdd(planner.getTotal().perFrame, frames, planner.getTotal().constant);
      if (limit > 0 && bytes > uint64_t(limit)) {
        schedule.emitError() << "needs " << formatBytes(bytes) << ", the limit is " << formatBytes(limit);
        return signalPassFailure();
      }
    }
  }
};
} // namespace
