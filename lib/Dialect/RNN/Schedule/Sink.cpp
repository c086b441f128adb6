//===- Sink.cpp - Elementwise work back into the loop that uses it -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which regions move into a loop is a minimum cut. The flow runs from the loop to the sequences that cannot move; a
// sequence lets through as many units as it has bytes per frame. Of all minimum cuts the farthest from the loop is
// taken: at equal bytes for the loop, what moved need not be written and read by a region of its own.
//
//===----------------------------------------------------------------------===//
#include "Regions.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include <deque>

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_SINK
#include "rnn/Dialect/RNN/Schedule/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-sink"

/// Ops that cost a loop next to nothing: no stage, no elementary function, no division.
static bool isCheap(Operation &op) {
  if (isa<SumOp, BroadcastOp, StopGradientOp, math::AbsFOp, YieldOp>(op))
    return true;
  if (isa<arith::DivFOp>(op))
    return false;
  return isa_and_nonnull<arith::ArithDialect, tensor::TensorDialect>(op.getDialect());
}

namespace {
/// A flow network: maximum flow from node 0 to node 1 by shortest augmenting paths.
class FlowNetwork {
public:
  static constexpr uint64_t kUnlimited = uint64_t(1) << 60;

  unsigned addNode() {
    outOf.emplace_back();
    return outOf.size() - 1;
  }
  void addEdge(unsigned from, unsigned to, uint64_t capacity) {
    outOf[from].push_back(edges.size());
    edges.push_back({to, capacity});
    outOf[to].push_back(edges.size());
    edges.push_back({from, 0});
  }

  void maximize() {
    while (std::optional<SmallVector<unsigned>> path = findPath()) {
      uint64_t amount = kUnlimited;
      for (unsigned edge : *path)
        amount = std::min(amount, edges[edge].capacity);
      for (unsigned edge : *path) {
        edges[edge].capacity -= amount;
        edges[edge ^ 1].capacity += amount;
      }
    }
  }

  /// Which nodes can still send something to node 1; all others lie on the near side of the farthest minimum cut.
  llvm::BitVector findFarSide() const {
    llvm::BitVector seen(outOf.size());
    SmallVector<unsigned> worklist{1};
    seen.set(1);
    while (!worklist.empty())
      for (unsigned edge : outOf[worklist.pop_back_val()])
        // The twin leads from the other node to this one.
        if (unsigned other = edges[edge].to; edges[edge ^ 1].capacity > 0 && !seen[other]) {
          seen.set(other);
          worklist.push_back(other);
        }
    return seen;
  }

private:
  struct Edge {
    unsigned to;
    uint64_t capacity; ///< that is left
  };

  std::optional<SmallVector<unsigned>> findPath() const {
    SmallVector<int64_t> by(outOf.size(), -1);
    std::deque<unsigned> queue{0};
    while (!queue.empty() && by[1] < 0) {
      unsigned node = queue.front();
      queue.pop_front();
      for (unsigned edge : outOf[node])
        if (unsigned to = edges[edge].to; edges[edge].capacity > 0 && to != 0 && by[to] < 0) {
          by[to] = edge;
          queue.push_back(to);
        }
    }
    if (by[1] < 0)
      return std::nullopt;
    SmallVector<unsigned> path;
    for (unsigned node = 1; node != 0; node = edges[by[node] ^ 1].to)
      path.push_back(by[node]);
    return path;
  }

  /// An edge and its twin in the other direction have numbers 2n and 2n + 1.
  SmallVector<Edge> edges;
  SmallVector<SmallVector<unsigned>> outOf;
};

/// Sinks into one loop.
class Sinker {
public:
  explicit Sinker(RecurrentOp loop) : loop(loop) {}

  /// Returns the number of ops that moved.
  unsigned run() {
    findCandidates();
    if (candidates.empty())
      return 0;
    buildNetwork();
    network.maximize();
    return moveNearSide();
  }

private:
  /// The region that computes `value`, if it could move as far as its own work goes.
  ParallelOp getMovable(Value value) {
    auto region = value.getDefiningOp<ParallelOp>();
    bool isMovable = region && region.getDomain() == loop.getDomain() && region.getNumResults() == 1 &&
                     llvm::all_of(region.getBody().front(), isCheap);
    return isMovable ? region : ParallelOp();
  }

  /// Regions that only the loop and other candidates read. From the loop backwards, so readers are decided first.
  void findCandidates() {
    llvm::SmallPtrSet<Operation *, 8> readers{loop};
    for (Operation *op = loop->getPrevNode(); op; op = op->getPrevNode()) {
      if (op->getNumResults() != 1 || !getMovable(op->getResult(0)))
        continue;
      if (!op->use_empty() && llvm::all_of(op->getUsers(), [&](Operation *user) { return readers.contains(user); })) {
        readers.insert(op);
        candidates.insert(cast<ParallelOp>(op));
      }
    }
  }

  /// Each sequence is a pair of nodes, entry and exit, with an edge of its bytes between them.
  unsigned getEntry(Value value, SmallVectorImpl<Value> &added) {
    auto [entry, isNew] = entries.insert({value, 0});
    if (isNew) {
      entry->second = network.addNode();
      unsigned exit = network.addNode();
      bool isFrame = isFrameSequence(value.getType(), loop->getParentOfType<ScheduleOp>().getStreams());
      network.addEdge(entry->second, exit, isFrame ? getRowBytes(value.getType()) : 0);
      added.push_back(value);
    }
    return entries[value];
  }

  void buildNetwork() {
    unsigned source = network.addNode(), sink = network.addNode();
    SmallVector<Value> worklist;
    for (Value operand : loop.getIns())
      network.addEdge(source, getEntry(operand, worklist), FlowNetwork::kUnlimited);
    while (!worklist.empty()) {
      Value value = worklist.pop_back_val();
      unsigned exit = entries[value] + 1;
      auto region = value.getDefiningOp<ParallelOp>();
      if (!region || !candidates.contains(region)) {
        network.addEdge(exit, sink, FlowNetwork::kUnlimited);
        continue;
      }
      for (Value operand : region.getIns())
        network.addEdge(exit, getEntry(operand, worklist), FlowNetwork::kUnlimited);
    }
  }

  unsigned moveNearSide() {
    llvm::BitVector far = network.findFarSide();
    unsigned moved = 0;
    auto name = loop->getParentOfType<ScheduleOp>().getSymName();
    // Candidates are in the order from the loop backwards: a reader has moved before what it reads.
    for (ParallelOp region : candidates) {
      auto entry = entries.find(region.getResult(0));
      bool isNear = entry != entries.end() && !far[entry->second + 1];
      if (!isNear || !llvm::all_of(region->getUsers(), [&](Operation *user) { return user == loop; })) {
        remark::missed(region.getLoc(), remarkOptions(RemarkCategory::Fuse, "Refused", name))
            << remark::add("{0} ops stay outside of the loop that reads them", countOps(region))
            << remark::metric("Signal", getResultNames(region))
            << remark::reason("in the loop they would read more bytes per frame than they write");
        continue;
      }
      Operation *point = &loop.getBody().front().front();
      while (isa<DelayOp>(point))
        point = point->getNextNode();
      moved += countOps(region);
      remark::passed(region.getLoc(), remarkOptions(RemarkCategory::Fuse, "Sunk", name))
          << remark::add("{0} ops moved back into the loop", countOps(region))
          << remark::metric("Signal", getResultNames(region))
          << remark::reason("only the loop reads them, and it reads no more bytes per frame");
      inlineInto(region, loop, point);
      // A delay whose init the frame computes by now stands behind that.
      SmallVector<DelayOp> leading;
      for (Operation *op = &loop.getBody().front().front(); isa<DelayOp>(op); op = op->getNextNode())
        leading.push_back(cast<DelayOp>(op));
      for (DelayOp delay : leading)
        if (Operation *init = delay.getInit() ? delay.getInit().getDefiningOp() : nullptr;
            init && delay->isBeforeInBlock(init))
          delay->moveAfter(init);
      dropUnusedOperands(loop);
      region->erase();
    }
    return moved;
  }

  RecurrentOp loop;
  llvm::SetVector<ParallelOp> candidates;
  llvm::MapVector<Value, unsigned> entries;
  FlowNetwork network;
};

struct Sink : mlir::rnn::impl::SinkBase<Sink> {
  void runOnOperation() override {
    SmallVector<RecurrentOp> loops;
    for (auto schedule : getOperation().getOps<ScheduleOp>())
      llvm::append_range(loops, schedule.getBodyBlock()->getOps<RecurrentOp>());
    for (RecurrentOp loop : loops)
      opsSunk += Sinker(loop).run();
  }
};
} // namespace
