//===- OpByOp.cpp - A loop over frames, one op after another ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Any body at all: all threads share an op's elements, or its sums, and meet where
// the next op reads what others have written. Where that is little, the threads
// of one block do it and meet at its barrier. Where it is worth slower meetings,
// the blocks of all multiprocessors do: one thread of each counts its block in,
// and polls until all are there. What came before a block's arrival is seen by
// all behind it, since the count is released and acquired.
//
//===----------------------------------------------------------------------===//

#include "GpuEmitter.h"
#include "rnn/Conversion/InlinePtx.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// Warps of each of many blocks.
static constexpr int64_t kLeastWarps = 4, kMostWarps = 16;
/// What a multiprocessor does in a cycle, about: terms of a sum, whose factors
/// come from far memory, and other elements, at several instructions each.
static constexpr int64_t kTermsPerCycle = 16, kElementsPerCycle = 32;
/// A meeting of all blocks, in cycles, about.
static constexpr int64_t kMeetingCycles = 2500;

KernelShape GpuEmitter::spreadOpByOp(ArrayRef<Operation *> ops, int64_t others) const {
  int64_t cycles = 0, meetings = 1, warps = 2;
  for (Operation *op : ops) {
    auto count = [&](Value value) { return cast<RankedTensorType>(value.getType()).getNumElements() * streams; };
    int64_t elements = count(op->getResult(0)), terms = 0;
    if (auto contract = dyn_cast<ContractOp>(op)) {
      terms = streams;
      for (int64_t size : contract.getLoopSizes())
        terms *= size;
    } else if (auto reduce = dyn_cast<ReduceOp>(op)) {
      terms = count(reduce.getSource());
    }
    cycles += terms / kTermsPerCycle + elements / kElementsPerCycle;
    meetings += terms > 0;
    // Long sums have a warp each.
    const int64_t itemsOfWarp = terms >= kWarpThreads * elements ? 1 : kWarpThreads;
    warps = std::max<int64_t>(warps, llvm::divideCeil(elements, itemsOfWarp));
  }
  const int64_t blocks = std::min(getMultiprocessors(), warps);
  const bool isWorthIt = cycles / others > cycles / blocks + meetings * kMeetingCycles;
  if (options.regime == "block" || (options.regime != "grid" && !isWorthIt) || blocks == 1)
    return {};
  KernelShape spread;
  spread.blocks = blocks;
  spread.threads = std::clamp<int64_t>(llvm::divideCeil(warps, blocks), kLeastWarps, kMostWarps) * kWarpThreads;
  spread.isCooperative = true;
  return spread;
}

void GpuEmitter::beginLoop() {
  if (opByOp.blocks == 0)
    return beginLoop(KernelShape());
  arrivals = allocateFlat(b.getI32Type(), 1);
  // Pieces of a wavefront go on counting.
  emitBeforeWavefront([&] {
    access({}, {arrivals.buffer});
    onFirstThread([&] { store(constantI32(0), arrivals, {}, 1, {}); });
  });
  synchronize();
  beginLoop(opByOp);
  isLost = allocateShared(b.getI32Type(), 1);
  onFirstOfBlock([&] { memref::StoreOp::create(b, loc, constantI32(0), isLost, index.constant(0)); });
  dealOutWarps();
}

/// Warps of all blocks take work in turn, so that every block has some of it.
void GpuEmitter::dealOutWarps() {
  auto x = gpu::Dimension::x;
  Value thread = gpu::ThreadIdOp::create(b, loc, x), size = index.constant(kWarpThreads);
  Value blocks = gpu::GridDimOp::create(b, loc, x);
  Value warp = index.add(index.mul(index.div(thread, size), blocks), gpu::BlockIdOp::create(b, loc, x));
  ids.thread = index.add(index.mul(warp, size), index.rem(thread, size));
}

void GpuEmitter::onFirstOfBlock(function_ref<void()> body) {
  Value thread = gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x);
  auto branch = scf::IfOp::create(b, loc, compare(arith::CmpIPredicate::eq, thread, index.constant(0)));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

void GpuEmitter::meetAcrossBlocks() {
  Type i32 = b.getI32Type();
  gpu::BarrierOp::create(b, loc);
  onFirstOfBlock([&] {
    Value blocks = arith::IndexCastOp::create(b, loc, i32, gpu::GridDimOp::create(b, loc, gpu::Dimension::x));
    Value before =
        NVVM::InlinePtxOp::create(b, loc, i32, ValueRange{pointer(arrivals)}, ValueRange(), kPtxCount, Value())
            .getResult(0);
    // The count at which all are there: the next multiple of the blocks.
    Value round = arith::DivUIOp::create(b, loc, before, blocks);
    Value wanted = arith::MulIOp::create(b, loc, arith::AddIOp::create(b, loc, round, constantI32(1)), blocks);
    Value at = index.constant(0);
    Value lost = compare(arith::CmpIPredicate::ne, memref::LoadOp::create(b, loc, isLost, at), constantI32(0));
    Value isInVain = await(0, lost, [&](SmallVectorImpl<Value> &) -> Value {
                       Value count = LLVM::LoadOp::create(b, loc, i32, pointer(arrivals), /*alignment=*/4,
                                                          /*isVolatile=*/false, /*isNonTemporal=*/false,
                                                          /*isInvariant=*/false, /*isInvariantGroup=*/false,
                                                          LLVM::AtomicOrdering::acquire, "device");
                       return compare(arith::CmpIPredicate::ult, count, wanted);
                     }).back();
    lost = arith::OrIOp::create(b, loc, lost, isInVain);
    memref::StoreOp::create(b, loc, arith::ExtUIOp::create(b, loc, i32, lost), isLost, at);
  });
  gpu::BarrierOp::create(b, loc);
}

void GpuEmitter::endOpByOp() {
  onFirstOfBlock([&] {
    Value lost = memref::LoadOp::create(b, loc, isLost, index.constant(0));
    reportLoss(compare(arith::CmpIPredicate::ne, lost, constantI32(0)));
  });
  isLost = {};
}
