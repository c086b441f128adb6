//===- Interpreter.cpp - One call of a function ---------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inputs are completed and ages counted; then a network or step is computed by demand (any order of ops will do), a
// schedule region by region in the order it prescribes; then everything that lives in the session gets its new value.
//
//===----------------------------------------------------------------------===//
#include "rnn/Interpreter/Interpreter.h"
#include "Body.h"
#include "rnn/Dialect/RNN/IR/SignalGraph.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;

/// Ages stop here (rule T4); also the age of a stream whose whole past is known.
static constexpr int64_t kMaxAge = (int64_t(1) << 31) - 1;

StringRef rnn::getFunctionName(RNNFunctionInterface function) {
  return SymbolTable::getSymbolName(function).getValue();
}

/// True of what draws random numbers that have no ids yet.
static bool drawsWithoutId(Operation *op) {
  auto random = dyn_cast<RandomOp>(op);
  return (random && !random.getId()) || isa<DropoutOp>(op) || op->hasAttr("zoneout");
}

bool rnn::isInterpretable(RNNFunctionInterface function) {
  // The networks that it calls, and those that they call.
  llvm::SetVector<Operation *> functions;
  functions.insert(function);
  for (size_t i = 0; i < functions.size(); ++i) {
    WalkResult found = functions[i]->walk([&](Operation *op) {
      if (auto call = dyn_cast<CallOp>(op))
        if (Operation *callee = SymbolTable::lookupNearestSymbolFrom(call, call.getCalleeAttr()))
          functions.insert(callee);
      return isa<GradientOp>(op) || drawsWithoutId(op) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (found.wasInterrupted())
      return false;
  }
  return true;
}

namespace {

/// One call of one function.
class Interpreter {
public:
  Interpreter(RNNFunctionInterface function, int64_t frames, int64_t streams, const InterpreterOptions &options)
      : function(function), abi(getAbi(function, streams)), call{options, frames, streams, 0} {}

  LogicalResult run(const TensorMap &inputs, TensorMap &outputs);

private:
  LogicalResult checkCall();
  LogicalResult completeInputs(const TensorMap &given);
  LogicalResult checkInput(const AbiTensor &desc, const Tensor &tensor);
  void countAges();
  std::vector<int64_t> getShape(const AbiTensor &desc) const;

  LogicalResult runGraph();
  LogicalResult lookUpEverywhere(Block &block, const llvm::MapVector<Value, CarriedState> &states, Body &body);
  LogicalResult runSchedule(ScheduleOp schedule);
  LogicalResult runRegion(Operation *op, Domain domain);
  LogicalResult runInOrder(Body &body, Operation *op, Point first, Point last);
  LogicalResult runFrames(Body &body, Operation *op, Domain domain);

  std::shared_ptr<Signal> getArgument(unsigned index, RankedTensorType type);
  FailureOr<Tensor> collect(const AbiTensor &desc, llvm::function_ref<FailureOr<const Tensor *>(Point)> at);
  LogicalResult keep(StringRef name, llvm::function_ref<FailureOr<const Tensor *>(Point)> at);
  void finish(TensorMap &outputs);

  RNNFunctionInterface function;
  SmallVector<AbiTensor> abi;
  Call call;
  llvm::DenseMap<Value, std::shared_ptr<Signal>> sequences; ///< Of a schedule.
  TensorMap results;                                        ///< By name.
  TensorMap updates;                                        ///< New values of what lives in the session.
  bool guard = true;
};

} // namespace

//===----------------------------------------------------------------------===//
// Before the call
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::checkCall() {
  if (call.frames < 1)
    return function->emitError() << "'" << getFunctionName(function) << "' takes at least 1 frame a call, but got "
                                 << call.frames;
  if (call.streams < 1)
    return function->emitError() << "expected at least 1 stream, but got " << call.streams;
  BPTTAttr bptt;
  if (auto step = dyn_cast<StepOp>(function.getOperation()))
    bptt = step.getBpttAttr();
  if (auto schedule = dyn_cast<ScheduleOp>(function.getOperation())) {
    bptt = schedule.getBpttAttr();
    if (!schedule.hasAnyStreams() && static_cast<int64_t>(schedule.getStreams()) != call.streams)
      return schedule.emitError() << "expected " << schedule.getStreams() << " streams, but got " << call.streams;
  }
  if (bptt && call.frames > bptt.getAdvance())
    return function->emitError() << "'" << getFunctionName(function) << "' takes at most " << bptt.getAdvance()
                                 << " frames a call, but got " << call.frames;
  if (bptt && function.getFunctionKind() == FunctionKind::Train)
    call.history = bptt.getWindow() - bptt.getAdvance();
  return success();
}

std::vector<int64_t> Interpreter::getShape(const AbiTensor &desc) const {
  std::vector<int64_t> shape;
  if (desc.rate == Rate::Frame)
    shape.push_back(call.frames);
  if (desc.rate != Rate::Static)
    shape.push_back(call.streams);
  llvm::append_range(shape, desc.type.getShape());
  return shape;
}

LogicalResult Interpreter::checkInput(const AbiTensor &desc, const Tensor &tensor) {
  std::vector<int64_t> shape = getShape(desc);
  bool isFloat = isa<FloatType>(desc.type.getElementType());
  int64_t count = 1;
  for (int64_t size : tensor.shape)
    count *= size;
  if (tensor.shape == shape && tensor.isFloat() == isFloat && tensor.size() == count)
    return success();
  auto print = [](InFlightDiagnostic &diag, bool isFloat, ArrayRef<int64_t> shape) {
    diag << (isFloat ? "floats [" : "integers [");
    llvm::interleave(shape, diag, ",");
    diag << "]";
  };
  InFlightDiagnostic diag = function->emitError()
                            << "input '" << desc.name << "' of '" << getFunctionName(function) << "' is ";
  print(diag, tensor.isFloat(), tensor.shape);
  diag << ", expected ";
  print(diag, isFloat, shape);
  return diag;
}

LogicalResult Interpreter::completeInputs(const TensorMap &given) {
  bool hasState = llvm::any_of(abi, [&](const AbiTensor &desc) {
    return desc.role == AbiRole::State && desc.name != "state.age" && desc.name != "state.frame" &&
           desc.name != "seed" && given.count(desc.name);
  });
  for (const AbiTensor &desc : abi) {
    if (desc.role == AbiRole::Result)
      continue;
    auto it = given.find(desc.name);
    if (it != given.end()) {
      if (failed(checkInput(desc, it->second)))
        return failure();
      Tensor &tensor = call.inputs[desc.name] = it->second;
      if (!tensor.isFloat())
        for (int64_t &x : tensor.integers())
          x = wrapInteger(static_cast<uint64_t>(x), desc.type.getElementTypeBitWidth());
      continue;
    }
    double fill = desc.fill.value_or(0);
    if (desc.name == "state.age" && hasState)
      fill = kMaxAge;
    bool isMissing = !desc.fill && (desc.role == AbiRole::Argument || desc.role == AbiRole::Parameter);
    if (isMissing)
      return function->emitError() << "no input for '" << desc.name << "' of '" << getFunctionName(function) << "'";
    call.inputs[desc.name] = Tensor::filled(getShape(desc), isa<FloatType>(desc.type.getElementType()), fill);
  }

  auto getInteger = [&](StringRef name) -> int64_t {
    auto it = given.find(name);
    return it != given.end() && !it->second.isFloat() && it->second.size() == 1 ? it->second.integers()[0] : 0;
  };
  call.seed = static_cast<uint64_t>(getInteger("seed"));
  call.firstFrame = getInteger("state.frame");
  return success();
}

void Interpreter::countAges() {
  auto find = [&](StringRef name) {
    auto it = call.inputs.find(name);
    return it == call.inputs.end() ? nullptr : &it->second;
  };
  call.ages.assign((call.history + call.frames) * call.streams, -1);
  if (const Tensor *ring = find("ring.age"))
    llvm::copy(ring->integers(), call.ages.begin());
  const Tensor *start = find("state.age");
  const Tensor *reset = nullptr;
  if (std::optional<unsigned> index = function.getResetIndex())
    reset = find(function.getArgName(*index));
  for (int64_t b = 0; b < call.streams; ++b) {
    int64_t age = start ? start->integers()[b] : -1;
    for (int64_t t = 0; t < call.frames; ++t) {
      bool isReset = reset && reset->integers()[t * call.streams + b];
      age = isReset ? 0 : std::min(age + 1, kMaxAge); // T4
      call.ages[(call.history + t) * call.streams + b] = age;
    }
  }
}

/// The values of argument `index`, of signal type `type`.
std::shared_ptr<Signal> Interpreter::getArgument(unsigned index, RankedTensorType type) {
  auto signal = std::make_shared<Signal>(function.getArgRate(index), 0, call);
  const Tensor &tensor = call.inputs.find(function.getArgName(index))->second;
  int64_t row = 0;
  (void)signal->forEachPoint([&](Point point) {
    signal->set(point, tensor.getRow(row++, type.getShape()));
    return success();
  });
  return signal;
}

//===----------------------------------------------------------------------===//
// After the call
//===----------------------------------------------------------------------===//

/// The tensor of a result, from its values at all points of the chunk.
FailureOr<Tensor> Interpreter::collect(const AbiTensor &desc, llvm::function_ref<FailureOr<const Tensor *>(Point)> at) {
  Tensor tensor = Tensor::zeros(getShape(desc), isa<FloatType>(desc.type.getElementType()));
  int64_t row = 0;
  if (failed(Signal(desc.rate, 0, call).forEachPoint([&](Point point) -> LogicalResult {
        FailureOr<const Tensor *> value = at(point);
        if (failed(value))
          return failure();
        tensor.setRow(row++, **value);
        return success();
      })))
    return failure();
  return tensor;
}

/// T3, A3: the session's tensor `name` gets the last frames of (its old content, the chunk).
LogicalResult Interpreter::keep(StringRef name, llvm::function_ref<FailureOr<const Tensor *>(Point)> at) {
  auto old = call.inputs.find(name);
  if (old == call.inputs.end())
    return function->emitError() << "'" << getFunctionName(function) << "' has no tensor named '" << name << "'";
  Tensor fresh = old->second;
  int64_t depth = fresh.shape[0];
  ArrayRef<int64_t> part = ArrayRef<int64_t>(fresh.shape).drop_front(2);
  for (int64_t row = 0; row < depth; ++row)
    for (int64_t b = 0; b < call.streams; ++b) {
      int64_t frame = call.frames - depth + row;
      if (frame < 0) {
        fresh.setRow(row * call.streams + b, old->second.getRow((depth + frame) * call.streams + b, part));
        continue;
      }
      FailureOr<const Tensor *> value = at({frame, b});
      if (failed(value))
        return failure();
      fresh.setRow(row * call.streams + b, **value);
    }
  updates[name.str()] = std::move(fresh);
  return success();
}

void Interpreter::finish(TensorMap &outputs) {
  auto update = [&](StringRef name, llvm::function_ref<int64_t(int64_t)> at) {
    auto old = call.inputs.find(name);
    if (old == call.inputs.end())
      return;
    Tensor &fresh = updates[name.str()] = old->second;
    for (auto [i, x] : llvm::enumerate(fresh.integers()))
      x = at(i);
  };
  int64_t last = (call.history + call.frames - 1) * call.streams, end = last + call.streams;
  update("state.age", [&](int64_t b) { return call.ages[last + b]; });
  update("state.frame", [&](int64_t) { return call.firstFrame + call.frames; });
  update("ring.age", [&](int64_t i) { return call.ages[end - call.history * call.streams + i]; });

  outputs.clear();
  for (const AbiTensor &desc : abi) {
    Tensor &output = outputs[desc.name];
    if (desc.name == "flags")
      output = Tensor::scalar(int64_t((guard ? 0 : 1) | (call.outOfRange ? 2 : 0)));
    else if (desc.role == AbiRole::Result)
      output = results[desc.name];
    else if (desc.role == AbiRole::Argument)
      outputs.erase(desc.name);
    else if (guard && updates.count(desc.name)) // S4: all updates, or none
      output = updates[desc.name];
    else
      output = call.inputs[desc.name];
  }
}

//===----------------------------------------------------------------------===//
// Level 1
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::runGraph() {
  Block &block = *function.getBodyBlock();
  llvm::MapVector<Value, CarriedState> states = getCarriedStates(function);
  RateAnalysis rates(function);
  Body body(block, call, rates, states);
  if (failed(body.verify()))
    return failure();
  for (BlockArgument argument : block.getArguments())
    body.bind(argument, getArgument(argument.getArgNumber(), cast<RankedTensorType>(argument.getType())));

  auto at = [&](Value value) { return [&body, value](Point point) { return body.demand(value, point); }; };
  Operation *terminator = block.getTerminator();
  for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
    auto desc = llvm::find_if(abi, [&](const AbiTensor &desc) {
      return desc.role == AbiRole::Result && desc.name == function.getResultName(i);
    });
    // R3: a result of lower rate is spread, one of higher rate is an error.
    if (rates.getRate(value) > desc->rate)
      return terminator->emitOpError() << "result '" << desc->name << "' is declared " << stringifyRate(desc->rate)
                                       << ", but varies per " << stringifyRate(rates.getRate(value));
    FailureOr<Tensor> result = collect(*desc, at(value));
    if (failed(result))
      return failure();
    results[desc->name] = std::move(*result);
  }
  for (Operation &op : block) {
    if (auto assign = dyn_cast<AssignOp>(op)) {
      FailureOr<const Tensor *> value = body.demand(assign.getValue(), {0, 0});
      if (failed(value))
        return failure();
      updates[assign.getParameter().str()] = **value;
    } else if (auto condition = dyn_cast<GuardOp>(op)) {
      FailureOr<const Tensor *> value = body.demand(condition.getCondition(), {0, 0});
      if (failed(value))
        return failure();
      guard = (*value)->integers()[0];
    } else if (auto save = dyn_cast<SaveOp>(op); save && call.history > 0) {
      if (failed(keep(("ring." + save.getRing()).str(), at(save.getSource()))))
        return failure();
    }
  }
  for (auto &[source, state] : states)
    if (failed(keep("state." + state.name, at(source))))
      return failure();
  return lookUpEverywhere(block, states, body);
}

/// N3: an index out of range sets a flag wherever it is met, even at frames that no result depends on. Only tables that
/// nothing reads are left out, as a schedule does.
LogicalResult Interpreter::lookUpEverywhere(Block &block, const llvm::MapVector<Value, CarriedState> &states,
                                            Body &body) {
  SmallVector<Operation *> kept;
  for (auto &[source, state] : states)
    kept.push_back(source.getDefiningOp());
  llvm::DenseSet<Operation *> live = findLiveOps(block, kept);
  for (GatherOp gather : block.getOps<GatherOp>()) {
    auto look = [&](Point point) -> LogicalResult { return body.demand(gather, point); };
    if (live.contains(gather) && failed(body.getSignal(gather).forEachPoint(look)))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Level 2
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::runSchedule(ScheduleOp schedule) {
  for (auto [i, argument] : llvm::enumerate(schedule.getBodyBlock()->getArguments())) {
    auto type = cast<RankedTensorType>(argument.getType());
    int64_t rate = static_cast<int64_t>(function.getArgRate(i));
    sequences[argument] =
        getArgument(i, RankedTensorType::get(type.getShape().drop_front(rate), type.getElementType()));
  }
  auto at = [&](Operation *user, Value value) {
    return [this, user, value](Point point) -> FailureOr<const Tensor *> {
      std::shared_ptr<Signal> signal = sequences.lookup(value);
      const Tensor *tensor = signal && signal->contains(point) ? signal->get(point) : nullptr;
      if (!tensor)
        return user->emitOpError("reads a value that has not been computed");
      return tensor;
    };
  };
  for (Operation &op : *schedule.getBodyBlock()) {
    LogicalResult done =
        llvm::TypeSwitch<Operation *, LogicalResult>(&op)
            .Case([&](ParamOp op) {
              auto signal = std::make_shared<Signal>(Rate::Static, 0, call);
              signal->set({0, 0}, call.inputs.find(op.getParameter())->second);
              sequences[op.getResult()] = signal;
              return success();
            })
            .Case<ParallelOp, RecurrentOp, ReductionOp>([&](auto op) { return runRegion(op, op.getDomain()); })
            .Case([&](KeepOp op) -> LogicalResult {
              auto old = call.inputs.find(op.getName());
              if (old == call.inputs.end() || old->second.shape[0] != static_cast<int64_t>(op.getFrames()))
                return op.emitOpError() << "expected a tensor '" << op.getName() << "' of " << op.getFrames()
                                        << " frames";
              return keep(op.getName(), at(op, op.getSource()));
            })
            .Case([&](AssignOp op) -> LogicalResult {
              FailureOr<const Tensor *> value = at(op, op.getValue())({0, 0});
              if (succeeded(value))
                updates[op.getParameter().str()] = **value;
              return value;
            })
            .Case([&](GuardOp op) -> LogicalResult {
              FailureOr<const Tensor *> value = at(op, op.getCondition())({0, 0});
              if (succeeded(value))
                guard = (*value)->integers()[0];
              return value;
            })
            .Case([&](ReturnOp op) -> LogicalResult {
              for (auto [i, value] : llvm::enumerate(op.getOperands())) {
                auto desc = llvm::find_if(abi, [&](const AbiTensor &desc) {
                  return desc.role == AbiRole::Result && desc.name == function.getResultName(i);
                });
                FailureOr<Tensor> result = collect(*desc, at(op, value));
                if (failed(result))
                  return failure();
                results[desc->name] = std::move(*result);
              }
              return success();
            })
            .Default([](Operation *op) -> LogicalResult { return op->emitOpError("is not allowed in a schedule"); });
    if (failed(done))
      return failure();
  }
  return success();
}

/// Computes `op` at all points of its own domain that lie in [first, last].
LogicalResult Interpreter::runInOrder(Body &body, Operation *op, Point first, Point last) {
  if (op->getNumResults() != 1)
    return op->emitOpError("is not allowed in a region of a schedule");
  Signal &signal = body.getSignal(op->getResult(0));
  for (int64_t frame = first.frame; frame <= last.frame; ++frame)
    for (int64_t stream = first.stream; stream <= last.stream; ++stream) {
      Point point{frame, stream};
      if (signal.contains(point) && !signal.get(point) && failed(body.compute(op, point)))
        return failure();
    }
  return success();
}

/// Runs the body of a region in the order that its kind prescribes.
LogicalResult Interpreter::runFrames(Body &body, Operation *op, Domain domain) {
  Block &block = op->getRegion(0).front();
  int64_t first = domain == Domain::Window ? -call.history : 0;
  int64_t last = call.frames - 1, lastStream = call.streams - 1;
  if (auto loop = dyn_cast<RecurrentOp>(op)) {
    // Frame by frame, every op in order, all streams.
    bool isCausal = loop.getDirection() == Direction::Causal;
    for (int64_t i = first; i <= last; ++i) {
      int64_t frame = isCausal ? i : first + last - i;
      for (Operation &inner : block.without_terminator())
        if (failed(runInOrder(body, &inner, {frame, 0}, {frame, lastStream})))
          return failure();
    }
    return success();
  }
  // Every op in order, all frames and streams.
  for (Operation &inner : block.without_terminator()) {
    if (auto delay = dyn_cast<DelayOp>(inner); delay && !isa<BlockArgument>(delay.getSource()))
      return delay.emitOpError() << "expected an argument of the region in '" << op->getName() << "'";
    if (failed(runInOrder(body, &inner, {first, 0}, {last, lastStream})))
      return failure();
  }
  return success();
}

LogicalResult Interpreter::runRegion(Operation *op, Domain domain) {
  Block &block = op->getRegion(0).front();
  // The operands, as the values of the block arguments.
  for (Value operand : op->getOperands())
    if (!sequences.count(operand))
      return op->emitOpError("reads a value that has not been computed");
  auto getOperand = [&](unsigned i) { return sequences.lookup(op->getOperand(i)); };
  RateAnalysis rates(
      block, [&](unsigned i) { return getOperand(i)->getRate(); },
      [&](unsigned i) { return getOperand(i)->getStart() < 0; });
  Body body(block, call, rates);
  if (failed(body.verify()))
    return failure();
  for (BlockArgument argument : block.getArguments())
    body.bind(argument, getOperand(argument.getArgNumber()));
  if (failed(runFrames(body, op, domain)))
    return failure();

  for (auto [value, result] : llvm::zip(block.getTerminator()->getOperands(), op->getResults())) {
    Rate rate = getSequenceRate(result.getType(), value.getType());
    if (rates.getRate(value) > rate)
      return op->emitOpError() << "yields a value that varies per " << stringifyRate(rates.getRate(value))
                               << " as one of rate " << stringifyRate(rate);
    auto signal = std::make_shared<Signal>(rate, domain == Domain::Window ? -call.history : 0, call);
    if (failed(signal->forEachPoint([&](Point point) -> LogicalResult {
          const Tensor *tensor = body.lookup(value, point);
          if (!tensor)
            return op->emitOpError() << "yields a value that has not been computed at frame " << point.frame;
          signal->set(point, *tensor);
          return success();
        })))
      return failure();
    sequences[result] = signal;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The call
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::run(const TensorMap &inputs, TensorMap &outputs) {
  if (failed(checkCall()) || failed(completeInputs(inputs)))
    return failure();
  countAges();
  auto schedule = dyn_cast<ScheduleOp>(function.getOperation());
  if (failed(schedule ? runSchedule(schedule) : runGraph()))
    return failure();
  finish(outputs);
  return success();
}

LogicalResult rnn::interpret(RNNFunctionInterface function, const TensorMap &inputs, int64_t frames, int64_t streams,
                             TensorMap &outputs, const InterpreterOptions &options) {
  bool hasComposites =
      function
          ->walk([](Operation *op) {
            return isa<CallOp, CompositeOpInterface>(op) ? WalkResult::interrupt() : WalkResult::advance();
          })
          .wasInterrupted();
  OwningOpRef<ModuleOp> expanded;
  if (hasComposites) {
    FailureOr<OwningOpRef<ModuleOp>> clone = cloneExpanded(function->getParentOfType<ModuleOp>());
    if (failed(clone))
      return failure();
    expanded = std::move(*clone);
    function = cast<RNNFunctionInterface>(SymbolTable::lookupSymbolIn(*expanded, getFunctionName(function)));
  }
  return Interpreter(function, frames, streams, options).run(inputs, outputs);
}
