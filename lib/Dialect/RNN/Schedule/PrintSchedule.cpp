//===- PrintSchedule.cpp - Schedules and memory plans for people -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Regions.h"
#include "rnn/Analysis/Print.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_PRINTSCHEDULE
#define GEN_PASS_DEF_PRINTMEMORY
#include "rnn/Dialect/RNN/Schedule/Passes.h.inc"
} // namespace mlir::rnn

//===----------------------------------------------------------------------===//
// rnn-print-schedule
//===----------------------------------------------------------------------===//

/// Bytes per frame that go through memory for the sequences of `values` in a schedule for `streams` streams; other
/// rates are left out.
static int64_t sumFrameBytes(ValueRange values, int64_t streams) {
  int64_t bytes = 0;
  for (Value value : values)
    if (isFrameSequence(value.getType(), streams))
      bytes += getRowBytes(value.getType());
  return bytes;
}

static llvm::json::Object describeRegion(Operation *region, int64_t number) {
  int64_t streams = region->getParentOfType<ScheduleOp>().getStreams();
  int64_t flops = 0, products = 0;
  for (Operation &op : region->getRegion(0).front()) {
    flops += getFlops(&op);
    products += isa<ContractOp>(op);
  }
  llvm::json::Object object{{"region", number},
                            {"kind", region->getName().stripDialect()},
                            {"domain", stringifyDomain(getRegionDomain(region))},
                            {"ops", int64_t(countOps(region))},
                            {"products", products},
                            {"flops", flops},
                            {"reads", sumFrameBytes(region->getOperands(), streams)},
                            {"writes", sumFrameBytes(region->getResults(), streams)}};
  if (auto loop = dyn_cast<RecurrentOp>(region))
    object["direction"] = stringifyDirection(loop.getDirection());
  return object;
}

namespace {
struct PrintSchedule : mlir::rnn::impl::PrintScheduleBase<PrintSchedule> {
  using PrintScheduleBase::PrintScheduleBase;

  void runOnOperation() override {
    llvm::json::Array functions;
    for (auto schedule : getOperation().getOps<ScheduleOp>()) {
      llvm::json::Array regions;
      for (Operation &op : *schedule.getBodyBlock())
        if (isRegionOp(&op))
          regions.push_back(describeRegion(&op, regions.size() + 1));
      llvm::json::Value streams = nullptr;
      if (!schedule.hasAnyStreams())
        streams = schedule.getStreams();
      functions.push_back(llvm::json::Object{
          {"name", schedule.getSymName()}, {"streams", std::move(streams)}, {"regions", std::move(regions)}});
    }
    auto printText = [](const llvm::json::Object &function) {
      std::optional<int64_t> streams = function.getInteger("streams");
      StringRef unit = streams ? "frame" : "frame and stream";
      llvm::errs() << "schedule " << *function.getString("name") << ", streams "
                   << (streams ? std::to_string(*streams) : "?") << "\n";
      for (const llvm::json::Value &entry : *function.getArray("regions")) {
        const llvm::json::Object &region = *entry.getAsObject();
        llvm::errs() << "  region " << *region.getInteger("region") << ": " << *region.getString("kind") << " ";
        if (std::optional<StringRef> direction = region.getString("direction"))
          llvm::errs() << *direction << " ";
        llvm::errs() << *region.getString("domain") << ", ops " << *region.getInteger("ops") << ", products "
                     << *region.getInteger("products") << ", flops " << *region.getInteger("flops") << ", bytes per "
                     << unit << " read " << *region.getInteger("reads") << " written " << *region.getInteger("writes")
                     << "\n";
      }
    };
    if (failed(printFunctions(getOperation(), format, std::move(functions), printText)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};

//===----------------------------------------------------------------------===//
// rnn-print-memory
//===----------------------------------------------------------------------===//

struct PrintMemory : mlir::rnn::impl::PrintMemoryBase<PrintMemory> {
  using PrintMemoryBase::PrintMemoryBase;

  void runOnOperation() override {
    llvm::json::Array functions;
    for (auto schedule : getOperation().getOps<ScheduleOp>()) {
      if (failed(schedule.checkMemoryPlan()))
        return signalPassFailure();
      auto memory = schedule->getAttrOfType<DictionaryAttr>("rnn.memory");
      llvm::json::Object function{{"name", schedule.getSymName()}};
      for (NamedAttribute entry : memory)
        function[entry.getName().getValue()] = cast<IntegerAttr>(entry.getValue()).getInt();
      function["buffers"] = describeBuffers(schedule);
      functions.push_back(std::move(function));
    }
    auto printText = [](const llvm::json::Object &function) {
      llvm::errs() << "memory of " << *function.getString("name") << ": " << *function.getInteger("constant") << " + "
                   << *function.getInteger("per_thread") << " * threads + " << *function.getInteger("per_frame")
                   << " * T bytes\n";
      for (const llvm::json::Value &entry : *function.getArray("buffers")) {
        const llvm::json::Object &buffer = *entry.getAsObject();
        llvm::errs() << "  region " << *buffer.getInteger("region") << " result " << *buffer.getInteger("result")
                     << ": at " << *buffer.getInteger("offset") << " + " << *buffer.getInteger("per_frame")
                     << " * T, rows of " << *buffer.getInteger("row") << " bytes\n";
      }
    };
    if (failed(printFunctions(getOperation(), format, std::move(functions), printText)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  static llvm::json::Array describeBuffers(ScheduleOp schedule) {
    llvm::json::Array buffers;
    int64_t number = 0;
    for (Operation &op : *schedule.getBodyBlock()) {
      if (!isRegionOp(&op))
        continue;
      ++number;
      auto slots = op.getAttrOfType<ArrayAttr>("slots");
      for (auto [i, value] : llvm::enumerate(op.getResults())) {
        auto slot = cast<SlotAttr>(slots[i]);
        buffers.push_back(llvm::json::Object{{"region", number},
                                             {"result", int64_t(i)},
                                             {"offset", slot.getOffset()},
                                             {"per_frame", slot.getPerFrame()},
                                             {"row", int64_t(getRowBytes(value.getType()))}});
      }
    }
    return buffers;
  }
};
} // namespace
