//===- RNNToCPU.cpp - Schedules as functions for the CPU --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every `rnn.schedule` becomes one function that all threads enter once
// (docs/Artifact.md, "Compiled functions"): ages, the regions in order, the
// results, and last, if the guard allows it, the new parameters and states.
//
//===----------------------------------------------------------------------===//

#include "RegionEmitter.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::cpu;

namespace mlir::rnn {
#define GEN_PASS_DEF_CONVERTRNNTOCPU
#include "rnn/Conversion/Passes.h.inc"
} // namespace mlir::rnn

namespace {

/// Converts one schedule.
class ScheduleConverter {
public:
  ScheduleConverter(OpBuilder &builder, ScheduleOp schedule, unsigned vectorBits)
      : schedule(schedule), e(builder, schedule, vectorBits), b(e.b), loc(e.loc), index(e.index) {}

  LogicalResult convert(StringRef symbol);

private:
  void bindTensors();
  void emitAges();
  LogicalResult emitRegion(Operation *op);
  void emitResults(ReturnOp op);
  void emitCommit();
  void emitKeep(KeepOp keep);
  void emitFlags();
  View find(StringRef name) const { return tensors.lookup(name); }
  Frames chunk() const { return {e.frames, Value()}; }
  /// A loop over indices below `count`.
  void loop(Value count, function_ref<void(Value)> body);

  ScheduleOp schedule;
  FunctionEmitter e;
  OpBuilder &b;
  Location loc;
  IndexMath &index;
  SmallVector<AbiTensor> abi;
  llvm::StringMap<View> tensors;
  llvm::SmallSet<unsigned, 16> sessionBuffers;
  llvm::DenseMap<Value, View> values;
  SmallVector<std::pair<View, View>> assigned; ///< from, to
  SmallVector<KeepOp> keeps;
  Value guard; ///< i1, or null
};

} // namespace

void ScheduleConverter::loop(Value count, function_ref<void(Value)> body) {
  auto forOp = scf::ForOp::create(b, loc, index.constant(0), count, index.constant(1));
  OpBuilder::InsertionGuard scope(b);
  b.setInsertionPointToStart(forOp.getBody());
  body(forOp.getInductionVar());
}

void ScheduleConverter::bindTensors() {
  abi = getAbi(cast<RNNFunctionInterface>(schedule.getOperation()), e.streams);
  for (auto [position, tensor] : llvm::enumerate(abi)) {
    View view = e.tensor(position, tensor.rate, tensor.type);
    tensors[tensor.name] = view;
    if (tensor.role != AbiRole::Argument && tensor.role != AbiRole::Result)
      sessionBuffers.insert(view.buffer);
  }
  RNNFunctionInterface interface = schedule;
  for (BlockArgument argument : schedule.getBodyBlock()->getArguments())
    values[argument] = find(interface.getArgName(argument.getArgNumber()));
}

/// Ages by rule T4, for the window and the chunk behind it.
void ScheduleConverter::emitAges() {
  View old = find("state.age"), ring = find("ring.age");
  if (!old.base && !ring.base)
    return;
  Type i64 = b.getI64Type();
  e.windowAges = e.allocate(RankedTensorType::get({}, i64), Rate::Frame, e.history);
  e.ages = e.windowAges;
  e.ages.shift = e.history * e.streams;
  View reset;
  RNNFunctionInterface interface = schedule;
  if (std::optional<unsigned> i = interface.getResetIndex())
    reset = values[schedule.getBodyBlock()->getArgument(*i)];

  e.access({}, {e.ages.buffer});
  emitShare(b, loc, index.constant(e.streams), e.ids, [&](OpBuilder &, Location, Value stream) {
    if (ring.base)
      loop(index.constant(e.history), [&](Value row) {
        e.store(e.loadElement(ring, {{}, {}, {row, stream}}), e.windowAges, {row, stream, {}}, 1, {});
      });
    Value first = old.base ? e.loadElement(old, {{}, {}, {stream}}) : e.splat(i64, 1, -1);
    auto frames = scf::ForOp::create(b, loc, index.constant(0), e.frames, index.constant(1), first);
    OpBuilder::InsertionGuard scope(b);
    b.setInsertionPointToStart(frames.getBody());
    Value t = frames.getInductionVar();
    Value next = arith::AddIOp::create(b, loc, frames.getRegionIterArg(0), e.splat(i64, 1, 1));
    Value age =
        arith::MinSIOp::create(b, loc, next, e.splat(b.getI64IntegerAttr(std::numeric_limits<int32_t>::max()), 1));
    if (reset.base)
      age = arith::SelectOp::create(b, loc, e.loadElement(reset, {t, stream, {}}), e.splat(i64, 1, 0), age);
    e.store(age, e.ages, {t, stream, {}}, 1, {});
    scf::YieldOp::create(b, loc, age);
  });
}

LogicalResult ScheduleConverter::emitRegion(Operation *op) {
  FunctionEmitter::Scratch scratch(e);
  auto sequences = [&](Value value) { return values.lookup(value); };
  auto stateOf = [&](StringRef name) { return find(name); };
  RegionEmitter region(e, op, sequences, stateOf);
  if (failed(region.run()))
    return failure();
  for (auto [i, result] : llvm::enumerate(op->getResults()))
    values[result] = region.getResult(i);
  return success();
}

void ScheduleConverter::emitResults(ReturnOp op) {
  RNNFunctionInterface interface = schedule;
  for (auto [i, value] : llvm::enumerate(op.getOperands())) {
    View target = find(interface.getResultName(i));
    View source = values.lookup(value);
    source.type = target.type;
    e.access({source.buffer}, {target.buffer});
    e.copy(source, target, interface.getResRate(i), chunk());
  }
  // A new value that is itself in the session's memory could be overwritten
  // before it is copied.
  for (auto &[from, to] : assigned)
    if (sessionBuffers.contains(from.buffer)) {
      View copy = e.allocate(from.type, Rate::Static);
      e.access({from.buffer}, {copy.buffer});
      e.copy(from, copy, Rate::Static, chunk());
      from = copy;
    }
}

/// The last frames of the old content followed by the chunk (rules T3, A3).
/// Rows move towards the front, so that ascending order reads before it writes.
void ScheduleConverter::emitKeep(KeepOp keep) {
  View kept = find(keep.getName()), source = values.lookup(keep.getSource());
  const int64_t depth = keep.getFrames();
  // A row of the kept tensor is a signal at a frame.
  View row = kept;
  row.type = source.type;
  const int64_t signal = source.type.getNumElements();
  row.strides = rowMajorStrides(source.type.getShape());
  row.streamStride = signal;
  row.frameStride = signal * e.streams;
  loop(index.constant(depth), [&](Value r) {
    Value at = index.sub(index.add(r, e.frames), index.constant(depth));
    Value isOld = e.compare(arith::CmpIPredicate::slt, at, index.constant(0));
    auto choice = scf::IfOp::create(b, loc, isOld, /*withElseRegion=*/true);
    auto copyRow = [&](const View &from, Value frame) {
      e.forEachVector(
          {Rate::Frame, SmallVector<int64_t>(source.type.getShape())}, 1, {e.frames, frame}, [](const Point &) {},
          [&](const Point &point, unsigned lanes, Value mask) {
            Point to = point;
            to.frame = r;
            e.store(e.load(from, point, lanes, mask), row, to, lanes, mask);
          });
    };
    OpBuilder::InsertionGuard scope(b);
    b.setInsertionPointToStart(choice.thenBlock());
    copyRow(row, index.add(at, index.constant(depth)));
    b.setInsertionPointToStart(choice.elseBlock());
    copyRow(source, at);
  });
}

void ScheduleConverter::emitCommit() {
  for (auto [from, to] : assigned) {
    from.type = to.type;
    e.copy(from, to, Rate::Static, chunk());
  }
  for (KeepOp keep : keeps)
    emitKeep(keep);
  View age = find("state.age"), frame = find("state.frame"), ring = find("ring.age");
  e.onFirstThread([&] {
    if (age.base)
      loop(index.constant(e.streams), [&](Value stream) {
        Value last = index.sub(e.frames, index.constant(1));
        e.store(e.loadAge(last, stream, /*inWindow=*/false), age, {{}, {}, {stream}}, 1, {});
      });
    if (frame.base) {
      Value count = arith::IndexCastOp::create(b, loc, b.getI64Type(), e.frames);
      Value sum = arith::AddIOp::create(b, loc, e.loadElement(frame, {}), count);
      e.store(sum, frame, {}, 1, {});
    }
    if (ring.base)
      loop(index.constant(e.history), [&](Value row) {
        loop(index.constant(e.streams), [&](Value stream) {
          Value last = e.loadAge(index.add(row, e.frames), stream,
                                 /*inWindow=*/true);
          e.store(last, ring, {{}, {}, {row, stream}}, 1, {});
        });
      });
  });
}

/// 1: not updated; 2: an index was out of range.
void ScheduleConverter::emitFlags() {
  View flags = find("flags");
  if (!flags.base)
    return;
  e.onFirstThread([&] {
    Value value = memref::LoadOp::create(b, loc, e.flagsCell, ValueRange{index.constant(0)});
    if (guard) {
      Type i32 = b.getI32Type();
      Value refused = arith::SelectOp::create(b, loc, guard, e.splat(i32, 1, 0), e.splat(i32, 1, 1));
      value = arith::OrIOp::create(b, loc, value, refused);
    }
    e.store(value, flags, {}, 1, {});
  });
}

LogicalResult ScheduleConverter::convert(StringRef symbol) {
  b.setInsertionPoint(schedule);
  e.begin(symbol);
  e.function->setAttr("rnn.name", schedule.getSymNameAttr());
  bindTensors();
  e.onFirstThread([&] {
    memref::StoreOp::create(b, loc, e.splat(b.getI32Type(), 1, 0), e.flagsCell, ValueRange{index.constant(0)});
  });
  emitAges();
  e.barrier();

  ReturnOp end;
  GuardOp guardOp;
  for (Operation &op : *schedule.getBodyBlock()) {
    LogicalResult result =
        llvm::TypeSwitch<Operation *, LogicalResult>(&op)
            .Case<ParallelOp, RecurrentOp, ReductionOp>([&](auto region) { return emitRegion(region); })
            .Case([&](ParamOp param) {
              values[param] = find(param.getParameter());
              return success();
            })
            .Case([&](AssignOp assign) {
              assigned.push_back({values.lookup(assign.getValue()), find(assign.getParameter())});
              return success();
            })
            .Case([&](GuardOp op) {
              guardOp = op;
              return success();
            })
            .Case([&](KeepOp keep) {
              keeps.push_back(keep);
              return success();
            })
            .Case([&](ReturnOp op) {
              end = op;
              return success();
            })
            .Default([](Operation *op) {
              return op->emitError() << "'" << op->getName() << "' op is not supported on target 'cpu'";
            });
    if (failed(result))
      return failure();
  }

  e.synchronize();
  emitResults(end);
  if (guardOp)
    guard = e.loadElement(values.lookup(guardOp.getCondition()), {});
  emitFlags();
  e.barrier();
  if (guard) {
    auto branch = scf::IfOp::create(b, loc, guard, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard scope(b);
    b.setInsertionPointToStart(branch.thenBlock());
    emitCommit();
  } else {
    emitCommit();
  }
  e.barrier();
  e.end();
  return success();
}

namespace {

struct ConvertRNNToCPU : rnn::impl::ConvertRNNToCPUBase<ConvertRNNToCPU> {
  using ConvertRNNToCPUBase::ConvertRNNToCPUBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    OpBuilder builder(&getContext());
    unsigned number = 0;
    for (ScheduleOp schedule : llvm::make_early_inc_range(module.getOps<ScheduleOp>())) {
      std::string symbol = "rnn_fn_" + std::to_string(number++);
      if (failed(schedule.checkMemoryPlan()) ||
          failed(ScheduleConverter(builder, schedule, vectorBits).convert(symbol)))
        return signalPassFailure();
      schedule.erase();
    }
    // What the functions were made of is in them now.
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<ParameterOp, NetworkOp, StepOp, TrainStepOp>(op))
        op.erase();
    module->setAttr(RNNDialect::kLevelAttrName, StringAttr::get(&getContext(), "lowered"));
  }
};

} // namespace
