//===- ScheduleEmitter.cpp - Schedules as functions of loops ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/ScheduleEmitter.h"

#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Dialect/RNN/Schedule/Wavefront.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

namespace {

/// Emits one schedule.
class ScheduleEmitter {
public:
  explicit ScheduleEmitter(FunctionEmitter &emitter)
      : schedule(emitter.schedule), e(emitter), b(e.b), loc(e.loc), index(e.index) {}

  LogicalResult emit(StringRef symbol);

private:
  void bindTensors();
  void emitAges();
  LogicalResult emitRegion(Operation *op);
  void enterWavefront(Operation *op);
  void emitResults(ReturnOp op);
  void emitCommit();
  void emitKeep(KeepOp keep);
  void emitFlags();
  View find(StringRef name) const { return tensors.lookup(name); }
  Frames chunk() const { return {e.frames, Value()}; }
  /// A loop over indices below `count`.
  void loop(Value count, function_ref<void(Value)> body);

  ScheduleOp schedule;
  FunctionEmitter &e;
  OpBuilder &b;
  Location loc;
  IndexMath &index;
  SmallVector<AbiTensor> abi;
  llvm::StringMap<View> tensors;
  llvm::SmallSet<unsigned, 16> sessionBuffers;
  llvm::DenseMap<Value, View> values;
  SmallVector<std::pair<View, View>> assigned; ///< from, to
  SmallVector<KeepOp> keeps;
  View guard;                       ///< one i1, if there is one
  std::optional<int64_t> wavefront; ///< number of the one at hand
  /// Its regions run at the same time, so that none may have another's scratch.
  std::optional<FunctionEmitter::Scratch> wavefrontScratch;
};

} // namespace

void ScheduleEmitter::loop(Value count, function_ref<void(Value)> body) {
  auto forOp = scf::ForOp::create(b, loc, index.constant(0), count, index.constant(1));
  OpBuilder::InsertionGuard scope(b);
  b.setInsertionPointToStart(forOp.getBody());
  body(forOp.getInductionVar());
}

void ScheduleEmitter::bindTensors() {
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
void ScheduleEmitter::emitAges() {
  View old = find("state.age"), ring = find("ring.age");
  if (!old && !ring)
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
  e.share(e.streams, {}, [&](Value stream) {
    if (ring)
      loop(index.constant(e.history), [&](Value row) {
        e.store(e.loadElement(ring, {{}, {}, {row, stream}}), e.windowAges, {row, stream, {}}, 1, {});
      });
    Value first = old ? e.loadElement(old, {{}, {}, {stream}}) : e.splat(i64, 1, -1);
    auto frames = scf::ForOp::create(b, loc, index.constant(0), e.frames, index.constant(1), first);
    OpBuilder::InsertionGuard scope(b);
    b.setInsertionPointToStart(frames.getBody());
    Value t = frames.getInductionVar();
    Value next = arith::AddIOp::create(b, loc, frames.getRegionIterArg(0), e.splat(i64, 1, 1));
    Value age =
        arith::MinSIOp::create(b, loc, next, e.splat(b.getI64IntegerAttr(std::numeric_limits<int32_t>::max()), 1));
    if (reset)
      age = arith::SelectOp::create(b, loc, e.loadElement(reset, {t, stream, {}}), e.splat(i64, 1, 0), age);
    e.store(age, e.ages, {t, stream, {}}, 1, {});
    scf::YieldOp::create(b, loc, age);
  });
}

/// Ends a wavefront where `op` is not of it, and begins the one that it is of.
void ScheduleEmitter::enterWavefront(Operation *op) {
  std::optional<int64_t> next = getWavefront(op);
  if (next == wavefront)
    return;
  if (wavefront)
    e.endWavefront();
  wavefrontScratch.reset();
  wavefront = next;
  if (!wavefront)
    return;
  wavefrontScratch.emplace(e);
  unsigned loops = 0;
  for (auto loop : schedule.getBodyBlock()->getOps<RecurrentOp>())
    loops += getWavefront(loop) == wavefront;
  const Domain domain =
      llvm::TypeSwitch<Operation *, Domain>(op).Case<ParallelOp, RecurrentOp>([](auto op) { return op.getDomain(); });
  e.beginWavefront(domain == Domain::Window ? e.history : 0, loops);
}

LogicalResult ScheduleEmitter::emitRegion(Operation *op) {
  std::optional<FunctionEmitter::Scratch> scratch;
  if (!wavefront)
    scratch.emplace(e);
  e.beginRegion(op);
  auto sequences = [&](Value value) { return values.lookup(value); };
  auto stateOf = [&](StringRef name) { return find(name); };
  RegionEmitter region(e, op, sequences, stateOf);
  if (failed(region.run()))
    return failure();
  for (auto [i, result] : llvm::enumerate(op->getResults()))
    values[result] = region.getResult(i);
  return success();
}

void ScheduleEmitter::emitResults(ReturnOp op) {
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
void ScheduleEmitter::emitKeep(KeepOp keep) {
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

void ScheduleEmitter::emitCommit() {
  for (auto [from, to] : assigned) {
    from.type = to.type;
    e.copy(from, to, Rate::Static, chunk());
  }
  for (KeepOp keep : keeps)
    emitKeep(keep);
  View age = find("state.age"), frame = find("state.frame"), ring = find("ring.age");
  e.onFirstThread([&] {
    if (age)
      loop(index.constant(e.streams), [&](Value stream) {
        Value last = index.sub(e.frames, index.constant(1));
        e.store(e.loadAge(last, stream, /*inWindow=*/false), age, {{}, {}, {stream}}, 1, {});
      });
    if (frame) {
      Value count = arith::IndexCastOp::create(b, loc, b.getI64Type(), e.frames);
      Value sum = arith::AddIOp::create(b, loc, e.loadElement(frame, {}), count);
      e.store(sum, frame, {}, 1, {});
    }
    if (ring)
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
void ScheduleEmitter::emitFlags() {
  View flags = find("flags");
  if (!flags)
    return;
  e.onFirstThread([&] {
    Value value = e.loadElement(e.flags, {});
    if (guard) {
      Type i32 = b.getI32Type();
      Value refused = arith::SelectOp::create(b, loc, e.loadElement(guard, {}), e.splat(i32, 1, 0), e.splat(i32, 1, 1));
      value = arith::OrIOp::create(b, loc, value, refused);
    }
    e.store(value, flags, {}, 1, {});
  });
}

LogicalResult ScheduleEmitter::emit(StringRef symbol) {
  e.begin(symbol);
  bindTensors();
  e.flags = e.allocateFlat(b.getI32Type(), 1);
  e.flags.strides.clear();
  e.onFirstThread([&] { e.store(e.splat(b.getI32Type(), 1, 0), e.flags, {}, 1, {}); });
  emitAges();
  e.barrier();

  ReturnOp end;
  GuardOp guardOp;
  for (Operation &op : *schedule.getBodyBlock()) {
    enterWavefront(&op);
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
            .Default([&](Operation *op) { return e.unsupported(op); });
    if (failed(result))
      return failure();
  }

  e.synchronize();
  emitResults(end);
  if (guardOp)
    guard = values.lookup(guardOp.getCondition());
  emitFlags();
  e.barrier();
  if (guard) {
    auto branch = scf::IfOp::create(b, loc, e.loadElement(guard, {}), /*withElseRegion=*/false);
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

LogicalResult
loops::convertSchedules(ModuleOp module,
                        function_ref<std::unique_ptr<FunctionEmitter>(OpBuilder &, ScheduleOp)> makeEmitter) {
  OpBuilder builder(module.getContext());
  unsigned number = 0;
  for (ScheduleOp schedule : llvm::make_early_inc_range(module.getOps<ScheduleOp>())) {
    if (failed(schedule.checkMemoryPlan()))
      return failure();
    builder.setInsertionPoint(schedule);
    std::unique_ptr<FunctionEmitter> emitter = makeEmitter(builder, schedule);
    if (failed(ScheduleEmitter(*emitter).emit("rnn_fn_" + std::to_string(number++))))
      return failure();
    schedule.erase();
  }
  for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
    if (isa<ParameterOp, NetworkOp, StepOp, TrainStepOp>(op))
      op.erase();
  module->setAttr(RNNDialect::kLevelAttrName, StringAttr::get(module.getContext(), "lowered"));
  return success();
}
