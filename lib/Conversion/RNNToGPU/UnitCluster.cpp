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
// they had read frame t, in whose slot t + 2 is.
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"
#include "rnn/Conversion/InlinePtx.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// The NVVM address spaces of a block's and a cluster's shared memory.
static constexpr unsigned kSharedMemory = 3, kClusterMemory = 7;
/// Bytes of an element that is sent.
static constexpr int64_t kWordBytes = 4;

/// Whether what is exchanged may be sent, and in the order above.
bool UnitLoop::mayExchangeInCluster() {
  clusterRefusal = "only what has 32 bits is exchanged";
  for (Value value : exchanged)
    if (cast<RankedTensorType>(value.getType()).getElementTypeBitWidth() != 8 * kWordBytes)
      return false;
  clusterRefusal = "a product reads more than this frame and the last";
  acrossBlocks = false;
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

/// Makes ready what others send to; returns when all blocks have done so.
void UnitLoop::beginCluster() {
  auto pointerTo = [&](Value memory) -> Value {
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memory);
    address = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
    return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), kSharedMemory), address);
  };
  Type remote = LLVM::LLVMPointerType::get(b.getContext(), kClusterMemory);
  for (auto &[input, entry] : exchange) {
    entry.barriers = pointerTo(e.allocateShared(b.getI64Type(), 2));
    Value memory = pointerTo(entry.memory);
    for (int64_t first = 0; first < shape.clusterBlocks; first += lanes) {
      // Lanes that are left send nothing.
      Value rank = index.min(index.add(lane, index.constant(first)), index.constant(shape.clusterBlocks - 1));
      rank = arith::IndexCastOp::create(b, loc, b.getI32Type(), rank);
      entry.remoteMemory.push_back(NVVM::MapaOp::create(b, loc, remote, memory, rank));
      entry.remoteBarriers.push_back(NVVM::MapaOp::create(b, loc, remote, entry.barriers, rank));
    }
  }
  {
    auto first =
        scf::IfOp::create(b, loc, e.compare(arith::CmpIPredicate::eq, thread, index.constant(0)), /*withElse=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(first.thenBlock());
    for (auto &[input, entry] : exchange)
      for (int64_t slot = 0; slot < 2; ++slot)
        NVVM::MBarrierInitOp::create(b, loc, addressOf(entry.barriers, index.constant(slot), b.getI64Type()),
                                     constantI32(1), Value());
    NVVM::FenceMbarrierInitOp::create(b, loc);
    for (auto &[input, entry] : exchange) {
      expect(entry, index.constant(0));
      if (entry.product->delay) // the frame before the first is there
        NVVM::MBarrierArriveOp::create(b, loc, Type(), addressOf(entry.barriers, index.constant(1), b.getI64Type()),
                                       Value());
      else
        expect(entry, index.constant(1));
    }
  }
  NVVM::ClusterArriveOp::create(b, loc, b.getUnitAttr());
  NVVM::ClusterWaitOp::create(b, loc, b.getUnitAttr());
}

/// No block leaves while others send to it.
void UnitLoop::endCluster() {
  Value frames = region.domainFrames(), two = index.constant(2);
  for (auto &[input, entry] : exchange)
    if (entry.product->delay) {
      Value slot = index.sub(index.constant(1), index.rem(frames, two));
      awaitPhase(entry, slot, index.rem(index.div(frames, two), two));
    }
  NVVM::ClusterArriveOp::create(b, loc, b.getUnitAttr());
  NVVM::ClusterWaitOp::create(b, loc, b.getUnitAttr());
}

Value UnitLoop::addressOf(Value base, Value at, Type element) {
  Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), at);
  return LLVM::GEPOp::create(b, loc, base.getType(), element, base, ArrayRef<LLVM::GEPArg>{wide});
}

Value UnitLoop::slotOf(const Exchange &entry) {
  return entry.product->delay ? index.sub(index.constant(1), parity) : parity;
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
  const int64_t bytes = kWordBytes * streamsPerBlock * countElements(entry.product->exchanged);
  NVVM::MBarrierArriveExpectTxOp::create(b, loc, Type(), addressOf(entry.barriers, slot, b.getI64Type()),
                                         constantI32(bytes), NVVM::MemScopeKind::CTA, /*relaxed=*/false, Value());
}

/// At the end of a frame: one thread makes the slots that were read ready for
/// the frame after the next. A phase cannot end before.
void UnitLoop::expectNext() {
  auto first =
      scf::IfOp::create(b, loc, e.compare(arith::CmpIPredicate::eq, thread, index.constant(0)), /*withElse=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(first.thenBlock());
  for (auto &[input, entry] : exchange) {
    expect(entry, slotOf(entry));
    entry.isAwaited = false;
  }
}

/// Gives the unit's elements to all blocks; those of streams that do not exist,
/// too, so that a vector always has as many.
void UnitLoop::sendToCluster(Value value) {
  syncWarp(); // the whole warp has read before one of its lanes sends
  OpBuilder::InsertionGuard guard(b);
  Value sends;
  if (lanes > shape.clusterBlocks)
    sends = index.less(lane, index.constant(shape.clusterBlocks));
  if (const int64_t used = unitsPerBlock * lanes; used < shape.threads) {
    Value isUsed = index.less(thread, index.constant(used));
    sends = sends ? Value(arith::AndIOp::create(b, loc, sends, isUsed)) : isUsed;
  }
  if (sends)
    b.setInsertionPointToStart(scf::IfOp::create(b, loc, sends, /*withElse=*/false).thenBlock());
  for (auto &[input, entry] : exchange) {
    if (entry.product->exchanged != value)
      continue;
    for (auto [memory, barriers] : llvm::zip(entry.remoteMemory, entry.remoteBarriers)) {
      Value barrier = addressOf(barriers, parity, b.getI64Type());
      for (int64_t s = 0; s < streamsPerGroup; ++s)
        for (int64_t j = 0; j < perUnit(value); ++j) {
          Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), get(value, j, s));
          Value to = addressOf(memory, placeOf(entry, s, j), b.getI32Type());
          NVVM::InlinePtxOp::create(b, loc, TypeRange(), ValueRange{to, bits, barrier}, ValueRange(), kPtxStoreAsync,
                                    Value());
        }
    }
  }
}
