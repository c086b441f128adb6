//===- LoopRemarks.cpp - What became of a loop over frames ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

std::string UnitLoop::describeSignal(Operation *op) {
  std::string name = getLocatedName(op->getResult(0));
  return ("'" + op->getName().getStringRef() + "'" + (name.empty() ? "" : " (" + name + ")")).str();
}

bool UnitLoop::refuse(const Twine &reason, StringRef howElse) {
  refusal = reason.str();
  suggestion = howElse.str();
  return false;
}

LoopDescription UnitLoop::describe() const {
  LoopDescription description;
  description.loc = loc;
  description.reason = refusal;
  description.suggestion = suggestion;
  if (!refusal.empty())
    return description;
  description.regime = acrossBlocks    ? LoopRegime::Grid
                       : isCluster()   ? LoopRegime::Cluster
                       : isIndependent ? LoopRegime::Independent
                                       : LoopRegime::Block;
  description.units = unitsPerBlock;
  description.streams = streamsPerBlock;
  description.inRegisters = inRegisters;
  description.products = products.empty() ? "none" : onTensorCores ? "tensor cores" : "multiply-adds";
  description.registers = kOtherRegisters;
  int64_t streamed = 0; // bytes of a lane
  for (auto &[op, product] : products)
    if (onTensorCores) {
      const int64_t words = product.rowTiles * product.depthTiles * kWordsOfTile;
      (inRegisters ? description.registers : streamed) += words * (inRegisters ? 1 : kWordBytes);
    } else {
      description.registers += product.rowsPerLane * product.residentQuads * 4;
      streamed += product.rowsPerLane * countStreamedQuads(product) * 4 * getBytes(product.form.weight);
    }
  description.streamedBytes = streamed * shape.threads * shape.blocks;
  description.exchanges = exchanged.size() + reductions.size();
  for (Value value : exchanged) {
    unsigned bits = cast<RankedTensorType>(value.getType()).getElementTypeBitWidth();
    if (isPacked(value))
      bits = 16;
    description.exchangedBytes += e.streams * countElements(value) * llvm::divideCeil(bits, 8);
  }
  if (acrossBlocks)
    description.exchangedBytes += reductions.size() * e.streams * countUnitBlocks() * kWordBytes;
  if (isIndependent)
    description.reason = "units exchange nothing";
  else if (acrossBlocks)
    description.reason = "one block: " + blockRefusal + "; a cluster: " + clusterRefusal;
  else if (isCluster())
    description.reason = "one block: " + blockRefusal;
  else if (inRegisters)
    description.reason = "registers of one block hold the weights";
  else
    description.reason = "a cluster: " + clusterRefusal + "; a grid: " + acrossRefusal;
  if (!acrossBlocks && !isIndependent && shape.blocks > shape.clusterBlocks)
    description.reason += "; streams exchange nothing, so that they are divided among blocks";
  return description;
}

void GpuEmitter::emitLoopRemark(int64_t blocks, int64_t threads) {
  if (recorder)
    return;
  auto addWavefront = [&](auto &&remark) {
    if (wavefront)
      remark << remark::metric("Wavefront", wavefront->number);
  };
  if (description.regime == LoopRegime::OpByOp) {
    auto remark = remark::missed(Location(description.loc),
                                 remarkOptions(RemarkCategory::Launch, "LoopOpByOp", schedule.getSymName()));
    remark << remark::add("all threads run the loop op by op") << remark::metric("Kernel", kernel.getName())
           << remark::metric("Regime", StringRef("op-by-op")) << remark::metric("Blocks", blocks)
           << remark::metric("Threads", threads) << remark::metric("Streams", int64_t(streams))
           << remark::reason("{0}", description.reason) << remark::suggest("{0}", description.suggestion);
    addWavefront(remark);
    return;
  }
  StringRef weights = description.inRegisters ? "registers" : description.streamedBytes ? "memory" : "shared memory";
  auto remark = remark::analysis(Location(description.loc),
                                 remarkOptions(RemarkCategory::Launch, "LoopByUnits", schedule.getSymName()));
  remark << remark::add("the loop is dealt out by units") << remark::metric("Kernel", kernel.getName())
         << remark::metric("Regime", stringifyLoopRegime(description.regime)) << remark::metric("Blocks", blocks)
         << remark::metric("Threads", threads) << remark::metric("Units", description.units)
         << remark::metric("Streams", description.streams) << remark::metric("Weights", weights)
         << remark::metric("Products", description.products) << remark::metric("Exchanges", description.exchanges)
         << remark::metric("ExchangedBytes", description.exchangedBytes)
         << remark::metric("StreamedBytes", description.streamedBytes) << remark::reason("{0}", description.reason);
  addWavefront(remark);
}
