//===- UnitCluster.cpp - Exchange of a loop by units in a cluster -----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every block has every exchanged vector of two frames. Its slots are used in
// turn, each with an mbarrier: a phase ends when all bytes of the vector have
// come. No block waits for another otherwise. That nobody writes what is still
// read follows from three facts:
//
//   a thread that sends an element has read the vector that its product needs
//   and, of the same exchange, the last one that is complete,
//   each warp sends something of every exchange in every frame,
//   and a vector is complete when all warps have sent theirs.
//
// So who sends frame t + 2 has seen frame t + 1 of all warps, which sent it when
// they had read frame t, in whose slot t + 2 is. The same holds for the words of a
// reduction, which every warp sends and then waits for.
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"
#include "rnn/Conversion/InlinePtx.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// The NVVM address spaces of a block's and a cluster's shared memory.
static constexpr unsigned kSharedMemory = 3, kClusterMemory = 7;
/// Elements of the widest message.
static constexpr int64_t kMessageWords = 4;
/// Elements that the groups of a warp give each other at most.
static constexpr int64_t kGatheredWords = 16;

/// Whether what is exchanged may be sent, and in the order above.
bool UnitLoop::mayExchangeInCluster() {
  clusterRefusal = "only what has 32 bits is exchanged";
  for (Value value : exchanged)
    if (cast<RankedTensorType>(value.getType()).getElementTypeBitWidth() != 8 * kWordBytes)
      return false;
  clusterRefusal = "a product reads more than this frame and the last";
  for (auto &[op, product] : products)
    if (product.exchanged && !isShared(product))
      return false;
  clusterRefusal = "a vector is known before the one of the last frame is read";
  llvm::SmallPtrSet<Value, 4> sent;
  for (Operation *op : ops) {
    if (auto product = products.find(op); product != products.end())
      if (product->second.delay && sent.contains(product->second.exchanged))
        return false;
    if (exchanged.contains(op->getResult(0)))
      sent.insert(op->getResult(0));
  }
  clusterRefusal = {};
  return true;
}

SmallVector<UnitLoop::Exchange *> UnitLoop::allExchanges() {
  SmallVector<Exchange *> all;
  for (auto &[input, entry] : exchange)
    all.push_back(&entry);
  for (auto &[op, reduction] : reductions)
    all.push_back(&reduction.exchange);
  return all;
}

void UnitLoop::onFirstThread(function_ref<void()> body) {
  Value isFirst = e.compare(arith::CmpIPredicate::eq, thread, index.constant(0));
  auto first = scf::IfOp::create(b, loc, isFirst, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(first.thenBlock());
  body();
}

/// Makes ready what others send to; returns when all blocks have done so.
void UnitLoop::beginCluster() {
  auto pointerTo = [&](Value memory) -> Value {
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memory);
    address = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
    return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), kSharedMemory), address);
  };
  Type remote = LLVM::LLVMPointerType::get(b.getContext(), kClusterMemory);
  for (Exchange *entry : allExchanges()) {
    entry->barriers = pointerTo(e.allocateShared(b.getI64Type(), 2));
    Value memory = pointerTo(entry->memory);
    auto addRank = [&](Value rank) {
      rank = arith::IndexCastOp::create(b, loc, b.getI32Type(), rank);
      entry->remoteMemory.push_back(NVVM::MapaOp::create(b, loc, remote, memory, rank));
      entry->remoteBarriers.push_back(NVVM::MapaOp::create(b, loc, remote, entry->barriers, rank));
    };
    if (!entry->product || countGathered(perUnit(entry->product->exchanged)))
      addRank(index.rem(thread, index.constant(shape.clusterBlocks)));
    else // lanes that are left send nothing
      for (int64_t first = 0; first < shape.clusterBlocks; first += lanes)
        addRank(index.min(index.add(lane, index.constant(first)), index.constant(shape.clusterBlocks - 1)));
  }
  onFirstThread([&] {
    for (Exchange *entry : allExchanges())
      for (int64_t slot = 0; slot < 2; ++slot)
        NVVM::MBarrierInitOp::create(b, loc, addressOf(entry->barriers, index.constant(slot), b.getI64Type()),
                                     constantI32(1), Value());
    NVVM::FenceMbarrierInitOp::create(b, loc);
    for (Exchange *entry : allExchanges()) {
      expect(*entry, index.constant(0));
      if (entry->isOfLastFrame) // the frame before the first is there
        NVVM::MBarrierArriveOp::create(b, loc, Type(), addressOf(entry->barriers, index.constant(1), b.getI64Type()),
                                       Value());
      else
        expect(*entry, index.constant(1));
    }
  });
  NVVM::ClusterArriveOp::create(b, loc, b.getUnitAttr());
  NVVM::ClusterWaitOp::create(b, loc, b.getUnitAttr());
}

/// No block leaves while others send to it.
void UnitLoop::endCluster() {
  Value frames = region.countFrames(), two = index.constant(2);
  for (auto &[input, entry] : exchange)
    if (entry.isOfLastFrame) {
      Value slot = index.sub(index.constant(1), index.rem(frames, two));
      awaitPhase(entry, slot, index.rem(index.div(frames, two), two));
    }
  NVVM::ClusterArriveOp::create(b, loc, b.getUnitAttr());
  NVVM::ClusterWaitOp::create(b, loc, b.getUnitAttr());
}

Value UnitLoop::slotOf(const Exchange &entry) {
  return entry.isOfLastFrame ? index.sub(index.constant(1), parity) : parity;
}

/// Waits for what this frame reads of an exchange, once.
void UnitLoop::awaitExchange(Exchange &entry) {
  if (!entry.isAwaited)
    awaitPhase(entry, slotOf(entry), turn);
  entry.isAwaited = true;
}

void UnitLoop::awaitPhase(const Exchange &entry, Value slot, Value phase) {
  Value barrier = addressOf(entry.barriers, slot, b.getI64Type());
  phase = arith::IndexCastOp::create(b, loc, b.getI32Type(), phase);
  awaitAll(0, [&](SmallVectorImpl<Value> &) -> Value {
    Value isComplete = NVVM::InlinePtxOp::create(b, loc, TypeRange(b.getI32Type()), ValueRange{barrier, phase},
                                                 ValueRange(), kPtxTryWait, Value())
                           .getResult(0);
    return e.compare(arith::CmpIPredicate::eq, isComplete, constantI32(0));
  });
}

/// Tells a slot's mbarrier what makes its next phase complete.
void UnitLoop::expect(const Exchange &entry, Value slot) {
  NVVM::MBarrierArriveExpectTxOp::create(b, loc, Type(), addressOf(entry.barriers, slot, b.getI64Type()),
                                         constantI32(entry.bytes), NVVM::MemScopeKind::CTA, /*relaxed=*/false, Value());
}

/// At the end of a frame: one thread makes the slots that were read ready for
/// the frame after the next. A phase cannot end before.
void UnitLoop::expectNext() {
  onFirstThread([&] {
    for (Exchange *entry : allExchanges())
      expect(*entry, slotOf(*entry));
  });
}

/// Four neighbouring words are one message; messages are what takes time.
int64_t UnitLoop::countGathered(int64_t perUnit) const {
  const int64_t count = kWarpThreads / lanes * perUnit;
  const bool isFull = unitsPerBlock * lanes == shape.threads && kWarpThreads % shape.clusterBlocks == 0;
  // One element is sent as fast as it is given to others, as seen on an H200.
  const bool isUseful = perUnit > 1 && perUnit % kMessageWords != 0;
  return isFull && isUseful && count % kMessageWords == 0 && count <= kGatheredWords ? count : 0;
}

int64_t UnitLoop::countMessages() const {
  int64_t messages = 0;
  for (Value value : exchanged) {
    const int64_t count = perUnit(value);
    const bool isWide = count % kMessageWords == 0 || countGathered(count);
    messages += streamsPerBlock * countElements(value) / (isWide ? kMessageWords : 1);
  }
  return messages;
}

/// Gives the unit's elements to all blocks; those of streams that do not exist,
/// too, so that a vector always has as many.
void UnitLoop::sendToCluster(Value value) {
  syncWarp(); // the whole warp has read before one of its lanes sends
  if (countGathered(perUnit(value)))
    return sendGathered(value);
  OpBuilder::InsertionGuard guard(b);
  Value sends;
  if (lanes > shape.clusterBlocks)
    sends = index.less(lane, index.constant(shape.clusterBlocks));
  if (const int64_t used = unitsPerBlock * lanes; used < shape.threads) {
    Value isUsed = index.less(thread, index.constant(used));
    sends = sends ? Value(arith::AndIOp::create(b, loc, sends, isUsed)) : isUsed;
  }
  if (sends)
    b.setInsertionPointToStart(scf::IfOp::create(b, loc, sends, /*withElseRegion=*/false).thenBlock());
  const int64_t width = perUnit(value) % kMessageWords == 0 ? kMessageWords : 1;
  for (auto &[input, entry] : exchange) {
    if (entry.product->exchanged != value)
      continue;
    for (auto [memory, barriers] : llvm::zip(entry.remoteMemory, entry.remoteBarriers)) {
      Value barrier = addressOf(barriers, parity, b.getI64Type());
      for (int64_t s = 0; s < streamsPerGroup; ++s)
        for (int64_t j = 0; j < perUnit(value); j += width) {
          SmallVector<Value> words;
          for (int64_t c = 0; c < width; ++c)
            words.push_back(roundForProducts(get(value, j + c, s)));
          send(words, addressOf(memory, placeOf(entry, s, j), b.getI32Type()), barrier);
        }
    }
  }
}

/// The groups of a warp give each other their elements, and each lane sends some
/// of them to one block.
void UnitLoop::sendGathered(Value value) {
  const int64_t count = perUnit(value), row = countGathered(count), chunks = row / kMessageWords;
  SmallVector<Value> words; // [streams of the group][row]
  for (int64_t s = 0; s < streamsPerGroup; ++s)
    for (int64_t i = 0; i < row; ++i)
      words.push_back(gpu::ShuffleOp::create(b, loc, roundForProducts(get(value, i % count, s)),
                                             constantI32(i / count * lanes), constantI32(kWarpThreads),
                                             gpu::ShuffleMode::IDX)
                          .getShuffleResult());
  Value laneOfWarp = index.rem(thread, index.constant(kWarpThreads));
  Value firstUnitOfWarp = index.sub(unit, index.rem(localUnit, index.constant(kWarpThreads / lanes)));
  Value firstPlace = index.mul(firstUnitOfWarp, index.constant(count));
  // As many lanes send to a block of the cluster; each takes another chunk.
  const int64_t messages = streamsPerGroup * chunks, atOnce = kWarpThreads / shape.clusterBlocks;
  Value number = index.div(laneOfWarp, index.constant(shape.clusterBlocks));
  for (int64_t first = 0; first < messages; first += atOnce) {
    OpBuilder::InsertionGuard guard(b);
    const int64_t taken = std::min(atOnce, messages - first);
    SmallVector<Value> chunk(ArrayRef<Value>(words).slice(first * kMessageWords, kMessageWords));
    for (int64_t i = 1; i < taken; ++i) {
      Value isTaken = e.compare(arith::CmpIPredicate::eq, number, index.constant(i));
      for (auto [c, word] : llvm::enumerate(chunk))
        word = arith::SelectOp::create(b, loc, isTaken, words[(first + i) * kMessageWords + c], word);
    }
    if (taken < atOnce)
      b.setInsertionPointToStart(
          scf::IfOp::create(b, loc, index.less(number, index.constant(taken)), /*withElseRegion=*/false).thenBlock());
    Value at = index.add(number, index.constant(first)), perStream = index.constant(chunks);
    Value row = index.add(index.mul(parity, index.constant(streamsPerBlock)), index.div(at, perStream));
    Value within = index.add(firstPlace, index.mul(index.rem(at, perStream), index.constant(kMessageWords)));
    for (auto &[input, entry] : exchange)
      if (entry.product->exchanged == value) {
        Value place = index.add(index.mul(row, index.constant(countPlaces(*entry.product))), within);
        send(chunk, addressOf(entry.remoteMemory.front(), place, b.getI32Type()),
             addressOf(entry.remoteBarriers.front(), parity, b.getI64Type()));
      }
  }
}

void UnitLoop::send(ArrayRef<Value> words, Value to, Value barrier) {
  SmallVector<Value> operands{to};
  for (Value word : words)
    operands.push_back(arith::BitcastOp::create(b, loc, b.getI32Type(), word));
  operands.push_back(barrier);
  NVVM::InlinePtxOp::create(b, loc, TypeRange(), operands, ValueRange(),
                            words.size() == 1 ? kPtxStoreAsync : kPtxStoreAsync16, Value());
}
