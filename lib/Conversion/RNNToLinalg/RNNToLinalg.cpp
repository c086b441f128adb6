//===- RNNToLinalg.cpp - The neutral exit for other compilers -------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every `rnn.schedule` becomes a `func.func` on tensors. Regions over all frames become linalg ops on [T, B, …], loops
// become `scf.for` over frames that carry the sequences they write. Nothing is allocated and nothing has an effect: new
// parameters and states are results. T, and B in a schedule for any number of streams, are dimensions of the first
// argument of frame rate.
//
//===----------------------------------------------------------------------===//
#include "FrameEmitter.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::linalg_exit;

namespace mlir::rnn {
#define GEN_PASS_DEF_CONVERTRNNTOLINALG
#include "rnn/Conversion/Passes.h.inc"
} // namespace mlir::rnn

namespace {
/// Converts one schedule.
class ScheduleConverter {
public:
  explicit ScheduleConverter(ScheduleOp schedule)
      : schedule(schedule), streams(schedule.getStreams()), loc(schedule.getLoc()), b(schedule) {}

  LogicalResult convert();

private:
  /// True for what the caller passes in.
  static bool isInput(const AbiTensor &tensor) { return tensor.role != AbiRole::Result; }
  RankedTensorType typeOf(const AbiTensor &tensor) { return getSequenceType(tensor.type, tensor.rate, streams); }

  LogicalResult createFunction();
  void createClocks();
  void createAges();
  LogicalResult convertRegion(Operation *op, Domain domain);
  LogicalResult convertLoop(RecurrentOp loop);
  void convertKeep(KeepOp keep);
  void createReturn(ReturnOp op);

  FrameContext contextOf(Domain domain);
  /// What a delay or save of `argument`, a block argument, reads.
  Source sourceOf(Operation *op, Value sequence);
  /// An empty tensor of the type of `signal` at frame rate, with `rows` frames.
  Value emptySequence(Type signal, Value rows);
  /// The sizes of `rows` frames of a sequence or session tensor of that type: [N, B, …].
  SmallVector<OpFoldResult> sizesOfRows(OpFoldResult rows, RankedTensorType sequence);
  Value zeroIndex() { return arith::ConstantIndexOp::create(b, loc, 0); }

  ScheduleOp schedule;
  int64_t streams; ///< B in types, kDynamic if it is open
  OpFoldResult streamCount;
  Location loc;
  OpBuilder b;
  SmallVector<AbiTensor> abi;
  func::FuncOp function;
  /// Values of the schedule, and the session's tensors by name: as given, and as they are after the step.
  llvm::DenseMap<Value, Value> values;
  llvm::StringMap<Value> given, updated;
  Value frames, windowFrames, ages, windowAges, guard;
  Value seed, firstFrame, step; ///< i64: see FrameContext
  /// i1 scalars: gathers that met an index out of range.
  SmallVector<Value> outOfRange;
};
} // namespace

LogicalResult ScheduleConverter::createFunction() {
  abi = getAbi(cast<RNNFunctionInterface>(schedule.getOperation()), streams);
  // States come before results in the table; the function returns results first (INTERFACE: results, states).
  SmallVector<Type> inputs, outputs;
  SmallVector<StringRef> inputNames, outputNames;
  llvm::StringSet<> assigned;
  for (AssignOp assign : schedule.getBodyBlock()->getOps<AssignOp>())
    assigned.insert(assign.getParameter());
  auto addOutput = [&](const AbiTensor &tensor) {
    outputs.push_back(typeOf(tensor));
    outputNames.push_back(tensor.name);
  };
  for (const AbiTensor &tensor : abi) {
    if (!isInput(tensor)) {
      addOutput(tensor);
      continue;
    }
    inputs.push_back(typeOf(tensor));
    inputNames.push_back(tensor.name);
  }
  for (const AbiTensor &tensor : abi)
    if (tensor.role == AbiRole::State || tensor.role == AbiRole::Ring || assigned.contains(tensor.name))
      addOutput(tensor);

  // A schedule that takes the name of its network replaces it.
  function = func::FuncOp::create(b, loc, schedule.getSymName(), b.getFunctionType(inputs, outputs));
  for (auto [i, name] : llvm::enumerate(inputNames))
    function.setArgAttr(i, "rnn.name", b.getStringAttr(name));
  for (auto [i, name] : llvm::enumerate(outputNames))
    function.setResultAttr(i, "rnn.name", b.getStringAttr(name));
  b.setInsertionPointToStart(function.addEntryBlock());

  for (auto [name, argument] : llvm::zip(inputNames, function.getArguments()))
    given[name] = argument;
  RNNFunctionInterface interface = schedule;
  for (BlockArgument argument : schedule.getBodyBlock()->getArguments()) {
    unsigned i = argument.getArgNumber();
    values[argument] = given.lookup(interface.getArgName(i));
    if (!frames && interface.getArgRate(i) == Rate::Frame) {
      frames = tensor::DimOp::create(b, loc, values[argument], 0);
      streamCount = tensor::getMixedSize(b, loc, values[argument], 1);
    }
  }
  if (!frames)
    return schedule.emitError() << "'" << schedule.getSymName()
                                << "' needs an argument of frame rate, which tells target 'linalg' the number of "
                                << (schedule.hasAnyStreams() ? "frames and of streams" : "frames");
  Value older = arith::ConstantIndexOp::create(b, loc, schedule.getHistory());
  windowFrames = arith::AddIOp::create(b, loc, frames, older);
  return success();
}

Value ScheduleConverter::emptySequence(Type signal, Value rows) {
  RankedTensorType type = getSequenceType(cast<RankedTensorType>(signal), Rate::Frame, streams);
  return tensor::EmptyOp::create(b, loc, sizesOfRows(rows, type), type.getElementType());
}

SmallVector<OpFoldResult> ScheduleConverter::sizesOfRows(OpFoldResult rows, RankedTensorType sequence) {
  SmallVector<OpFoldResult> sizes{rows, streamCount};
  llvm::append_range(sizes, getAsIndexOpFoldResult(b.getContext(), sequence.getShape().drop_front(2)));
  return sizes;
}

/// The frame and step numbers, and the seed.
void ScheduleConverter::createClocks() {
  auto extract = [&](StringRef name) -> Value {
    Value tensor = given.lookup(name);
    return tensor ? tensor::ExtractOp::create(b, loc, tensor, ValueRange()).getResult() : Value();
  };
  seed = extract("seed");
  if (seed && !(step = extract("opt.step"))) // a network that is not trained draws by step 0
    step = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
  firstFrame = extract("state.frame");
  if (!firstFrame)
    return;
  Value length = arith::IndexCastOp::create(b, loc, b.getI64Type(), frames);
  updated["state.frame"] = tensor::FromElementsOp::create(
      b, loc, RankedTensorType::get({}, b.getI64Type()), ValueRange{arith::AddIOp::create(b, loc, firstFrame, length)});
}

/// Ages by rule T4: a loop over the frames of the chunk.
void ScheduleConverter::createAges() {
  Type i64 = b.getI64Type();
  auto rowType = RankedTensorType::get({streams}, i64);
  Value old = given.lookup("state.age");
  if (!old) { // nothing depends on ages but sums, which need them to be >= 0
    Value zero = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
    Value init = tensor::EmptyOp::create(b, loc, streamCount, i64);
    old = linalg::FillOp::create(b, loc, zero, init).getResult(0);
  }
  Value reset;
  if (std::optional<unsigned> i = cast<RNNFunctionInterface>(schedule.getOperation()).getResetIndex())
    reset = values[schedule.getBodyBlock()->getArgument(*i)];

  Value all = emptySequence(RankedTensorType::get({}, i64), frames);
  auto row = [&](Value t) { return SmallVector<OpFoldResult>{t, b.getIndexAttr(0)}; };
  SmallVector<OpFoldResult> sizes{b.getIndexAttr(1), streamCount}, strides{b.getIndexAttr(1), b.getIndexAttr(1)};
  auto loop = scf::ForOp::create(
      b, loc, zeroIndex(), frames, arith::ConstantIndexOp::create(b, loc, 1), ValueRange{all, old},
      [&](OpBuilder &nested, Location loc, Value t, ValueRange carried) {
        AffineMap identity = nested.getMultiDimIdentityMap(1);
        SmallVector<Value> inputs{carried[1]};
        if (reset)
          inputs.push_back(tensor::ExtractSliceOp::create(
              nested, loc, RankedTensorType::get({streams}, nested.getI1Type()), reset, row(t), sizes, strides));
        SmallVector<AffineMap> maps(inputs.size() + 1, identity);
        Value init = tensor::EmptyOp::create(nested, loc, streamCount, i64);
        auto next = linalg::GenericOp::create(
            nested, loc, TypeRange{rowType}, inputs, ValueRange{init}, maps,
            SmallVector<utils::IteratorType>{utils::IteratorType::parallel},
            [&](OpBuilder &inner, Location loc, ValueRange args) {
              Value one = arith::ConstantOp::create(inner, loc, inner.getI64IntegerAttr(1));
              Value limit = arith::ConstantOp::create(inner, loc, inner.getI64IntegerAttr(INT32_MAX));
              Value age = arith::MinSIOp::create(inner, loc, arith::AddIOp::create(inner, loc, args[0], one), limit);
              if (reset) {
                Value zero = arith::ConstantOp::create(inner, loc, inner.getI64IntegerAttr(0));
                age = arith::SelectOp::create(inner, loc, args[1], zero, age);
              }
              linalg::YieldOp::create(inner, loc, age);
            });
        Value inserted =
            tensor::InsertSliceOp::create(nested, loc, next.getResult(0), carried[0], row(t), sizes, strides);
        scf::YieldOp::create(nested, loc, ValueRange{inserted, next.getResult(0)});
      });
  ages = windowAges = loop.getResult(0);
  if (given.count("state.age"))
    updated["state.age"] = loop.getResult(1);
  if (Value ring = given.lookup("ring.age"))
    windowAges = tensor::ConcatOp::create(b, loc, RankedTensorType::get({ShapedType::kDynamic, streams}, i64), 0,
                                          ValueRange{ring, ages});
}

FrameContext ScheduleConverter::contextOf(Domain domain) {
  FrameContext context;
  context.streams = streams;
  context.streamCount = streamCount;
  context.frames = domain == Domain::Window ? windowFrames : frames;
  context.ages = domain == Domain::Window ? windowAges : ages;
  context.inWindow = domain == Domain::Window;
  context.windowHistory = domain == Domain::Window ? schedule.getHistory() : 0;
  context.seed = seed;
  context.firstFrame = firstFrame;
  context.step = step;
  return context;
}

Source ScheduleConverter::sourceOf(Operation *op, Value sequence) {
  std::string history;
  if (auto delay = dyn_cast<DelayOp>(op)) {
    if (delay.isCarried() && delay.getState())
      history = "state." + delay.getState()->str();
  } else {
    history = "ring." + cast<SaveOp>(op).getRing().str();
  }
  return {sequence, given.lookup(history)};
}

LogicalResult ScheduleConverter::convertRegion(Operation *op, Domain domain) {
  FrameEmitter emitter(b, op->getLoc(), contextOf(domain));
  Block &body = op->getRegion(0).front();
  for (auto [operand, argument] : llvm::zip(op->getOperands(), body.getArguments()))
    emitter.map(argument, {values.lookup(operand),
                           static_cast<unsigned>(getSequenceRate(operand.getType(), argument.getType()))});
  auto source = [&](Operation *reader) {
    return sourceOf(reader, emitter.spread(emitter.lookup(reader->getOperand(0)), 2));
  };
  for (Operation &inner : body.without_terminator())
    if (failed(emitter.emit(&inner, source)))
      return failure();
  for (auto [yielded, result] : llvm::zip(body.getTerminator()->getOperands(), op->getResults()))
    values[result] = emitter.spread(emitter.lookup(yielded),
                                    static_cast<unsigned>(getSequenceRate(result.getType(), yielded.getType())));
  llvm::append_range(outOfRange, emitter.getOutOfRange());
  return success();
}

LogicalResult ScheduleConverter::convertLoop(RecurrentOp loop) {
  Block &body = loop.getBody().front();
  FrameContext context = contextOf(loop.getDomain());
  Location loc = loop.getLoc();

  // The loop carries every sequence that it writes: what it yields and what its delays read back.
  llvm::MapVector<Value, unsigned> carried;
  auto carry = [&](Value value) { carried.insert({value, carried.size()}); };
  for (Value value : body.getTerminator()->getOperands())
    carry(value);
  for (DelayOp delay : body.getOps<DelayOp>())
    if (!isa<BlockArgument>(delay.getSource()))
      carry(delay.getSource());
  // What a delay reads back is zero before it is written: the frames that it drops are read too, and two sequences with
  // undefined content could share memory (one-shot bufferization takes one tensor.empty for both).
  SmallVector<Value> inits;
  for (auto &[value, position] : carried) {
    Value init = emptySequence(value.getType(), context.frames);
    if (llvm::any_of(loop.getBody().getOps<DelayOp>(), [&](DelayOp delay) { return delay.getSource() == value; })) {
      Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(getElementTypeOrSelf(value)));
      init = linalg::FillOp::create(b, loc, zero, init).getResult(0);
    }
    inits.push_back(init);
  }
  inits.push_back(arith::ConstantOp::create(b, loc, b.getBoolAttr(false)));

  auto rowOffsets = [&](Value t, RankedTensorType sequence) {
    SmallVector<OpFoldResult> offsets(sequence.getRank(), b.getIndexAttr(0));
    offsets.front() = t;
    return offsets;
  };
  auto rowSizes = [&](RankedTensorType sequence) { return sizesOfRows(b.getIndexAttr(1), sequence); };
  auto ones = [&](RankedTensorType sequence) {
    return SmallVector<OpFoldResult>(sequence.getRank(), b.getIndexAttr(1));
  };

  LogicalResult status = success();
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto forOp = scf::ForOp::create(
      b, loc, zeroIndex(), context.frames, one, inits,
      [&](OpBuilder &nested, Location loc, Value step, ValueRange arguments) {
        context.frame = step;
        if (loop.getDirection() == Direction::Anticausal) {
          Value last = arith::SubIOp::create(nested, loc, context.frames, one);
          context.frame = arith::SubIOp::create(nested, loc, last, step);
        }
        FrameEmitter emitter(nested, loc, context);
        for (auto [operand, argument] : llvm::zip(loop.getIns(), body.getArguments())) {
          Value value = values.lookup(operand);
          auto rate = static_cast<unsigned>(getSequenceRate(operand.getType(), argument.getType()));
          if (rate == 2) {
            auto sequence = cast<RankedTensorType>(operand.getType());
            RankedTensorType row = RankedTensorType::get(sequence.getShape().drop_front(), sequence.getElementType());
            value = tensor::ExtractSliceOp::create(nested, loc, row, value, rowOffsets(context.frame, sequence),
                                                   rowSizes(sequence), ones(sequence));
          }
          emitter.map(argument, {value, std::min(rate, 1u)});
        }
        auto source = [&](Operation *reader) {
          Value read = reader->getOperand(0);
          auto argument = dyn_cast<BlockArgument>(read);
          return sourceOf(reader, argument ? values.lookup(loop.getIns()[argument.getArgNumber()])
                                           : arguments[carried.lookup(read)]);
        };
        for (Operation &inner : body.without_terminator())
          if (succeeded(status))
            status = emitter.emit(&inner, source);
        SmallVector<Value> next;
        for (auto &[value, position] : carried) {
          if (failed(status)) {
            next.push_back(arguments[position]);
            continue;
          }
          RankedTensorType sequence = getSequenceType(cast<RankedTensorType>(value.getType()), Rate::Frame, streams);
          next.push_back(tensor::InsertSliceOp::create(nested, loc, emitter.spread(emitter.lookup(value), 1),
                                                       arguments[position], rowOffsets(context.frame, sequence),
                                                       rowSizes(sequence), ones(sequence)));
        }
        Value missed = arguments.back();
        for (Value bit : emitter.getOutOfRange())
          missed = arith::OrIOp::create(nested, loc, missed, bit);
        next.push_back(missed);
        scf::YieldOp::create(nested, loc, next);
      });
  for (auto [yielded, result] : llvm::zip(body.getTerminator()->getOperands(), loop.getOuts()))
    values[result] = forOp.getResult(carried.lookup(yielded));
  outOfRange.push_back(forOp.getResults().back());
  return status;
}

/// The last frames of the old content followed by the chunk (rules T3, A3).
void ScheduleConverter::convertKeep(KeepOp keep) {
  Value old = given.lookup(keep.getName()), sequence = values.lookup(keep.getSource());
  auto type = cast<RankedTensorType>(old.getType());
  Value depth = arith::ConstantIndexOp::create(b, loc, keep.getFrames());
  Value first = arith::SubIOp::create(b, loc, frames, depth);
  // Row r of the new content is frame T - D + r of the chunk, or of the old content where that is negative.
  auto rows = linalg::GenericOp::create(
      b, loc, TypeRange{type}, ValueRange(), ValueRange{old}, {b.getMultiDimIdentityMap(type.getRank())},
      SmallVector<utils::IteratorType>(type.getRank(), utils::IteratorType::parallel),
      [&](OpBuilder &nested, Location loc, ValueRange) {
        SmallVector<Value> point;
        for (int64_t i = 0; i < type.getRank(); ++i)
          point.push_back(linalg::IndexOp::create(nested, loc, i));
        Value zero = arith::ConstantIndexOp::create(nested, loc, 0);
        Value at = arith::AddIOp::create(nested, loc, first, point.front());
        Value isOld = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::slt, at, zero);
        Value inOld = arith::SelectOp::create(nested, loc, isOld, arith::AddIOp::create(nested, loc, at, depth), zero);
        point.front() = inOld;
        Value before = tensor::ExtractOp::create(nested, loc, old, point);
        point.front() = arith::MaxSIOp::create(nested, loc, at, zero);
        Value now = tensor::ExtractOp::create(nested, loc, sequence, point);
        linalg::YieldOp::create(nested, loc, arith::SelectOp::create(nested, loc, isOld, before, now).getResult());
      });
  updated[keep.getName()] = rows.getResult(0);
}

void ScheduleConverter::createReturn(ReturnOp op) {
  // The ages of the window's older part are kept like a ring.
  if (Value ring = given.lookup("ring.age")) {
    int64_t history = schedule.getHistory();
    SmallVector<OpFoldResult> offsets{frames, b.getIndexAttr(0)}, sizes{b.getIndexAttr(history), streamCount},
        strides{b.getIndexAttr(1), b.getIndexAttr(1)};
    updated["ring.age"] = tensor::ExtractSliceOp::create(b, loc, cast<RankedTensorType>(ring.getType()), windowAges,
                                                         offsets, sizes, strides);
  }
  SmallVector<Value> outputs;
  unsigned next = 0;
  auto i32 = b.getI32Type();
  for (const AbiTensor &tensor : abi) {
    if (tensor.role != AbiRole::Result)
      continue;
    if (next < op.getNumOperands()) {
      outputs.push_back(values.lookup(op.getOperand(next++)));
      continue;
    }
    // `flags`: 1 not updated, 2 index out of range.
    auto bit = [&](Value condition, int32_t value) -> Value {
      Value set = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
      Value none = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
      return arith::SelectOp::create(b, loc, condition, set, none);
    };
    Value flags = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    if (guard) {
      Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
      flags = bit(arith::XOrIOp::create(b, loc, guard, yes), 1);
    }
    for (Value missed : outOfRange)
      flags = arith::OrIOp::create(b, loc, flags, bit(missed, 2));
    outputs.push_back(tensor::FromElementsOp::create(b, loc, RankedTensorType::get({}, i32), ValueRange{flags}));
  }
  for (unsigned i = outputs.size(); i < function.getNumResults(); ++i) {
    StringRef name = cast<StringAttr>(function.getResultAttr(i, "rnn.name")).getValue();
    Value value = updated.lookup(name), old = given.lookup(name);
    if (!value)
      value = old;
    else if (guard)
      value = arith::SelectOp::create(b, loc, guard, value, old);
    outputs.push_back(value);
  }
  func::ReturnOp::create(b, loc, outputs);
}

LogicalResult ScheduleConverter::convert() {
  if (failed(createFunction()))
    return failure();
  createClocks();
  createAges();
  for (Operation &op : *schedule.getBodyBlock()) {
    LogicalResult result =
        llvm::TypeSwitch<Operation *, LogicalResult>(&op)
            .Case<ParallelOp, ReductionOp>([&](auto region) { return convertRegion(region, region.getDomain()); })
            .Case([&](RecurrentOp loop) { return convertLoop(loop); })
            .Case([&](ParamOp param) {
              values[param] = given.lookup(param.getParameter());
              return success();
            })
            .Case([&](AssignOp assign) {
              updated[assign.getParameter()] = values.lookup(assign.getValue());
              return success();
            })
            .Case([&](GuardOp op) {
              guard = tensor::ExtractOp::create(b, loc, values.lookup(op.getCondition()), ValueRange());
              return success();
            })
            .Case([&](KeepOp keep) {
              convertKeep(keep);
              return success();
            })
            .Case([&](ReturnOp op) {
              createReturn(op);
              return success();
            })
            .Default([](Operation *op) { return unsupported(op); });
    if (failed(result))
      return failure();
  }
  return success();
}

namespace {
struct ConvertRNNToLinalg : rnn::impl::ConvertRNNToLinalgBase<ConvertRNNToLinalg> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (ScheduleOp schedule : llvm::make_early_inc_range(module.getOps<ScheduleOp>())) {
      if (failed(ScheduleConverter(schedule).convert()))
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
