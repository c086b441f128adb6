//===- UnitReductions.cpp - Reductions in a loop by units -------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reduction over a unit's own elements is arithmetic. One over all elements is
// an exchange: groups side by side combine what they have by shuffles, the warps
// of a block through shared memory and one barrier, the blocks of a grid through
// one published word for each of them, which all blocks wait for and combine in
// the order of blocks. So every block has the same bits. What can be combined at
// the same time shares the barrier or the wait.
//
// In a grid only one lane owns a unit and the units of a stream are in one warp,
// so that what comes after the last product needs no barrier.
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int64_t UnitLoop::countPollingLanes() const {
  // Lanes that are left repeat units, and so may help.
  const int64_t lanesOfStream = countGroups() == unitsPerBlock ? kWarpThreads : unitsPerBlock;
  return std::min<int64_t>(lanesOfStream, llvm::PowerOf2Ceil(llvm::divideCeil(countUnitBlocks(), 4)));
}

int64_t UnitLoop::countPolledWords() const {
  return llvm::alignTo(llvm::divideCeil(countUnitBlocks(), countPollingLanes()), 4);
}

/// Sentinels where the blocks' words will be; what fills up the row is neutral.
void UnitLoop::presetReductions() {
  for (auto &[op, reduction] : reductions) {
    auto type = RankedTensorType::get({countPollingLanes() * countPolledWords()}, b.getI32Type());
    const View view = reduction.words = e.allocate(type, Rate::Frame, region.inWindow ? e.history : 0);
    Value neutral = arith::BitcastOp::create(b, loc, b.getI32Type(), neutralOf(cast<ReduceOp>(op)));
    e.access({}, {view.buffer});
    e.forEachVector(
        {Rate::Frame, {type.getNumElements()}}, 1, {region.domainFrames(), Value()}, [](const Point &) {},
        [&](const Point &point, unsigned, Value) {
          Value isWord = index.less(point.element.front(), index.constant(countUnitBlocks()));
          e.store(arith::SelectOp::create(b, loc, isWord, constantI32(kSentinel), neutral), view, point, 1, {});
        });
  }
}

void UnitLoop::allocateReductions() {
  if (acrossBlocks || countSharedWords() == 1)
    return;
  for (auto &[op, reduction] : reductions) {
    const int64_t words = streamsPerBlock * countSharedWords();
    reduction.exchange.memory = e.allocateShared(getElementTypeOrSelf(op->getResult(0)), 2 * words);
    reduction.exchange.bytes = kWordBytes * words;
  }
}

//===----------------------------------------------------------------------===//
// A frame
//===----------------------------------------------------------------------===//

void UnitLoop::reduceInUnit(ReduceOp op) {
  SmallVector<Value> list;
  for (ArrayRef<int64_t> elements : localReductions[op])
    for (int64_t s = 0; s < streamsPerGroup; ++s) {
      SmallVector<Value> terms;
      for (int64_t j : elements)
        terms.push_back(get(op.getSource(), j, s));
      list.push_back(combineTerms(op, terms));
    }
  values[op.getResult()] = list;
}

void UnitLoop::combineOpen() {
  if (open.empty())
    return;
  SmallVector<Value> parts; // [open][streams of the group]
  for (Operation *op : open) {
    auto reduce = cast<ReduceOp>(op);
    for (int64_t s = 0; s < streamsPerGroup; ++s) {
      SmallVector<Value> terms;
      for (int64_t j = 0; j < perUnit(reduce.getSource()); ++j)
        terms.push_back(get(reduce.getSource(), j, s));
      Value part = combineTerms(reduce, terms);
      // Groups that are left repeat a unit.
      if (isPresent[s])
        part = arith::SelectOp::create(b, loc, isPresent[s], part, neutralOf(reduce));
      parts.push_back(part);
    }
  }
  parts = acrossBlocks ? combineBlocks(parts) : combineWarps(parts);
  auto reduced = open.takeVector();
  for (auto [i, op] : llvm::enumerate(reduced)) {
    values[op->getResult(0)] = llvm::to_vector(ArrayRef<Value>(parts).slice(i * streamsPerGroup, streamsPerGroup));
    finishOp(op->getResult(0));
  }
}

Value UnitLoop::neutralOf(ReduceOp op) { return e.splat(region.neutralOf(op), 1); }

Value UnitLoop::combineTerms(ReduceOp op, ArrayRef<Value> terms) {
  return combineInOrder(terms, [&](Value x, Value y) { return region.combine(op.getKind(), x, y); });
}

Value UnitLoop::combineLanes(ReduceOp op, Value value, int64_t width, int64_t stride) {
  return e.combineLanes(value, width, [&](Value x, Value y) { return region.combine(op.getKind(), x, y); }, stride);
}

/// All groups of a block have all of its units, of the same streams.
SmallVector<Value> UnitLoop::combineWarps(ArrayRef<Value> parts) {
  auto opOf = [&](size_t i) { return cast<ReduceOp>(open[i / streamsPerGroup]); };
  SmallVector<Value> results;
  for (auto [i, part] : llvm::enumerate(parts))
    results.push_back(combineLanes(opOf(i), part, kWarpThreads, lanes));
  const int64_t words = countSharedWords(), width = words % 4 == 0 ? 4 : 1;
  if (words == 1)
    return results;
  auto rowOf = [&](size_t i) {
    Value row = index.add(index.mul(parity, index.constant(streamsPerBlock)), localStreams[i % streamsPerGroup]);
    return index.mul(row, index.constant(words));
  };
  {
    // One lane for each block of the cluster.
    if (isCluster())
      syncWarp(); // the whole warp has read before one of its lanes sends
    OpBuilder::InsertionGuard guard(b);
    Value laneOfWarp = index.rem(thread, index.constant(kWarpThreads)), own = warp;
    Value sends = index.less(laneOfWarp, index.constant(shape.clusterBlocks));
    if (isCluster())
      own =
          index.add(warp, index.mul(index.div(firstUnit, index.constant(unitsPerBlock)), index.constant(countWarps())));
    b.setInsertionPointToStart(scf::IfOp::create(b, loc, sends, /*withElseRegion=*/false).thenBlock());
    for (auto [i, result] : llvm::enumerate(results)) {
      const Exchange &entry = reductions[opOf(i)].exchange;
      Value place = index.add(rowOf(i), own);
      if (isCluster())
        send(result, addressOf(entry.remoteMemory.front(), place, b.getI32Type()),
             addressOf(entry.remoteBarriers.front(), parity, b.getI64Type()));
      else
        memref::StoreOp::create(b, loc, result, entry.memory, place);
    }
  }
  if (isCluster())
    for (Operation *op : open)
      awaitPhase(reductions[op].exchange, parity, turn);
  else
    meet();
  for (auto [i, result] : llvm::enumerate(results)) {
    SmallVector<Value> terms;
    for (int64_t w = 0; w < words; w += width)
      llvm::append_range(
          terms, e.loadNeighbours(reductions[opOf(i)].exchange.memory, index.add(rowOf(i), index.constant(w)), width));
    result = combineTerms(opOf(i), terms);
  }
  return results;
}

/// The units of a block are neighbouring lanes of a warp, which share the waiting.
SmallVector<Value> UnitLoop::combineBlocks(ArrayRef<Value> parts) {
  auto opOf = [&](size_t i) { return cast<ReduceOp>(open[i / streamsPerGroup]); };
  auto addressFor = [&](size_t i, Value word) {
    const View &view = reductions[opOf(i)].words;
    return addressOf(e.pointer(view), e.address(view, {frame, streams[i % streamsPerGroup], {word}}), b.getI32Type());
  };
  SmallVector<Value> ofBlock;
  for (auto [i, part] : llvm::enumerate(parts))
    ofBlock.push_back(toWord(combineLanes(opOf(i), part, unitsPerBlock)));
  {
    OpBuilder::InsertionGuard guard(b);
    Value isFirst = e.compare(arith::CmpIPredicate::eq, localUnit, index.constant(0));
    b.setInsertionPointToStart(scf::IfOp::create(b, loc, isFirst, /*withElseRegion=*/false).thenBlock());
    Value block = index.div(firstUnit, index.constant(unitsPerBlock));
    forEachPresent([&](int64_t s) {
      for (size_t i = s; i < parts.size(); i += streamsPerGroup)
        publishWord(ofBlock[i], addressFor(i, block));
    });
  }

  const int64_t pollingLanes = countPollingLanes(), perLane = countPolledWords();
  Value first = index.mul(index.rem(thread, index.constant(pollingLanes)), index.constant(4));
  SmallVector<Value> addresses; // [open][streams of the group][perLane]
  for (size_t i = 0; i < parts.size(); ++i)
    for (int64_t k = 0; k < perLane; ++k)
      addresses.push_back(addressFor(i, index.add(first, index.constant(k / 4 * 4 * pollingLanes + k % 4))));
  SmallVector<Value> words = awaitWords(addresses, /*inQuads=*/true, {}), results;
  for (size_t i = 0; i < parts.size(); ++i) {
    SmallVector<Value> terms;
    for (int64_t k = 0; k < perLane; ++k)
      terms.push_back(
          arith::BitcastOp::create(b, loc, getElementTypeOrSelf(opOf(i).getType()), words[i * perLane + k]));
    results.push_back(combineLanes(opOf(i), combineTerms(opOf(i), terms), pollingLanes));
  }
  return results;
}
