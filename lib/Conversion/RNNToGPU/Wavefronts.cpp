//===- Wavefronts.cpp - Launches that overlap, piece by piece ---------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The launches of a wavefront say what they wait for, so that whoever runs them
// may run several at the same time. A launch waits for the same piece of what
// its region reads, and for its own piece before. Where loops take most of the
// multiprocessors, and leave in them no room for a block of a launch that reads
// what they compute, they wait with the next piece until that has run.
//
//===----------------------------------------------------------------------===//

#include "GpuEmitter.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h"
#include "rnn/Dialect/RNN/Schedule/Wavefront.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// Pieces of a wavefront, at most: more of them would be started than computed.
static constexpr int64_t kMaxPieces = 16;
/// Registers of a thread that does elementwise work.
static constexpr int64_t kGuessedRegisters = 64;

void GpuEmitter::beginWavefront(int64_t older, unsigned loops) {
  endKernel();
  wavefront = Wavefront{wavefrontCount++, older, {}};
  loopMultiprocessors = std::max<int64_t>(options.multiprocessors / std::max(loops, 1u), 1);
  beginKernel();
}

void GpuEmitter::endWavefront() {
  endKernel();
  int64_t loopBlocks = 0;
  for (const PieceLaunch &launch : wavefront->launches)
    loopBlocks += launch.blocks;
  for (auto [i, launch] : llvm::enumerate(wavefront->launches)) {
    SmallVector<int64_t> behind{int64_t(i)};
    for (auto [j, reader] : llvm::enumerate(wavefront->launches)) {
      const bool hasRoom =
          2 * loopBlocks <= options.multiprocessors || launch.registers + reader.registers <= kRegisters;
      if (launch.blocks && !reader.blocks && !hasRoom && llvm::is_contained(reader.after, i))
        behind.push_back(j);
    }
    launch.op->setAttr(kWavefrontAttrName, b.getI64IntegerAttr(wavefront->number));
    launch.op->setAttr("rnn.after", b.getDenseI64ArrayAttr(launch.after));
    launch.op->setAttr("rnn.behind", b.getDenseI64ArrayAttr(behind));
  }
  function->setAttr("rnn.pieces",
                    b.getDictionaryAttr({b.getNamedAttr("frames", b.getI64IntegerAttr(options.pieceFrames)),
                                         b.getNamedAttr("most", b.getI64IntegerAttr(kMaxPieces))}));
  emitWavefrontRemark();
  wavefront.reset();
  loopMultiprocessors = options.multiprocessors;
  beginKernel();
}

void GpuEmitter::emitBeforeWavefront(function_ref<void()> body) {
  if (!wavefront)
    return body();
  endKernel();
  beforeWavefront = true;
  beginKernel();
  body();
  endKernel();
  beforeWavefront = false;
  beginKernel();
}

SmallVector<int64_t> GpuEmitter::findSources() const {
  ArrayRef<PieceLaunch> launches = wavefront->launches;
  auto findLast = [&](Operation *of) -> std::optional<int64_t> {
    for (int64_t i = launches.size(); i-- > 0;)
      if (launches[i].region == of)
        return i;
    return std::nullopt;
  };
  // Kernels of one region come one after another.
  if (std::optional<int64_t> last = findLast(region))
    return {*last};
  llvm::SmallSetVector<int64_t, 4> sources;
  for (Value operand : region->getOperands())
    if (std::optional<int64_t> last = operand.getDefiningOp() ? findLast(operand.getDefiningOp()) : std::nullopt)
      sources.insert(*last);
  return sources.takeVector();
}

void GpuEmitter::addToWavefront(gpu::LaunchFuncOp op, int64_t threads) {
  int64_t registers =
      threads * (isLoop && description.regime != LoopRegime::OpByOp ? description.registers : kGuessedRegisters);
  if (shape.residentBlocks)
    registers = kRegisters / shape.residentBlocks;
  const int64_t blocks = isLoop ? std::max<int64_t>(shape.blocks, 1) : 0;
  wavefront->launches.push_back({op, region, blocks, registers, shape.isCooperative, findSources()});
  ArrayRef<int64_t> sources = wavefront->launches.back().after;
  auto loop = dyn_cast<RecurrentOp>(region);
  const bool isReversed = loop ? loop.getDirection() == Direction::Anticausal
                               : !sources.empty() && wavefront->launches[sources.front()].op->hasAttr("rnn.reversed");
  if (isReversed)
    op->setAttr("rnn.reversed", b.getUnitAttr());
}

/// Whether a device with so many multiprocessors lets the wavefront overlap.
void GpuEmitter::emitWavefrontRemark() {
  int64_t blocks = 0;
  for (const PieceLaunch &launch : wavefront->launches)
    blocks += launch.isCooperative ? launch.blocks : 0;
  const bool fits = blocks <= options.multiprocessors;
  auto emit = [&](auto &&remark, StringRef what, StringRef reason) {
    remark << remark::add("{0}", what) << remark::metric("Wavefront", wavefront->number)
           << remark::metric("Launches", int64_t(wavefront->launches.size())) << remark::metric("Blocks", blocks)
           << remark::metric("Multiprocessors", options.multiprocessors) << remark::reason("{0}", reason);
  };
  Location where = wavefront->launches.empty() ? loc : wavefront->launches.front().op.getLoc();
  auto optionsOf = [&](StringRef name) { return remarkOptions(RemarkCategory::Launch, name, schedule.getSymName()); };
  if (fits)
    emit(remark::passed(where, optionsOf("WavefrontOverlaps")), "pieces of several launches run at the same time",
         "the blocks that wait for one another all have a multiprocessor");
  else
    emit(remark::missed(where, optionsOf("WavefrontInOrder")), "launches run one after another",
         "there are fewer multiprocessors than blocks that wait for one another");
}
