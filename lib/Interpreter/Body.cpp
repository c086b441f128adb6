//===- Body.cpp - A block of level-1 ops, evaluated at points -------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Body.h"
#include "mlir/IR/TypeUtilities.h"
#include "rnn/Runtime/Random.h"

using namespace mlir;
using namespace mlir::rnn;

//===----------------------------------------------------------------------===//
// Signal
//===----------------------------------------------------------------------===//

Signal::Signal(Rate rate, int64_t start, const Call &call)
    : rate(rate), start(rate == Rate::Frame ? start : 0), frames(rate == Rate::Frame ? call.frames - start : 1),
      streams(rate == Rate::Static ? 1 : call.streams), values(frames * streams), states(frames * streams) {}

size_t Signal::getIndex(Point point) const {
  int64_t frame = rate == Rate::Frame ? point.frame - start : 0;
  int64_t stream = rate == Rate::Static ? 0 : point.stream;
  return frame * streams + stream;
}

bool Signal::contains(Point point) const {
  return rate != Rate::Frame || (point.frame >= start && point.frame < start + frames);
}

const Tensor *Signal::get(Point point) const {
  size_t index = getIndex(point);
  return states[index] == State::Done ? &values[index] : nullptr;
}

void Signal::set(Point point, Tensor value) {
  size_t index = getIndex(point);
  values[index] = std::move(value);
  states[index] = State::Done;
}

LogicalResult Signal::forEachPoint(llvm::function_ref<LogicalResult(Point)> visit) const {
  for (int64_t frame = start; frame < start + frames; ++frame)
    for (int64_t stream = 0; stream < streams; ++stream)
      if (failed(visit({frame, stream})))
        return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Body
//===----------------------------------------------------------------------===//

Body::Body(Block &block, Call &call, RateAnalysis rates, llvm::MapVector<Value, CarriedState> states)
    : block(block), call(call), rates(std::move(rates)), states(std::move(states)) {
  for (Operation &op : block)
    numbers[&op] = numbers.size();
}

Signal &Body::getSignal(Value value) {
  std::shared_ptr<Signal> &signal = signals[value];
  if (!signal)
    signal = std::make_shared<Signal>(rates.getRate(value), rates.isInWindow(value) ? -call.history : 0, call);
  return *signal;
}

const Tensor *Body::lookup(Value value, Point point) {
  Signal &signal = getSignal(value);
  return signal.contains(point) ? signal.get(point) : nullptr;
}

LogicalResult Body::verifySize() {
  double numbers = 0;
  for (Operation &op : block)
    for (Value result : op.getResults()) {
      if (!isSignalType(result.getType()))
        return op.emitOpError("cannot be interpreted");
      Rate rate = rates.getRate(result);
      double count = rate == Rate::Static ? 1 : static_cast<double>(call.streams);
      if (rate == Rate::Frame)
        count *= static_cast<double>(call.frames + (rates.isInWindow(result) ? call.history : 0));
      for (int64_t size : cast<RankedTensorType>(result.getType()).getShape())
        count *= static_cast<double>(size);
      numbers += count;
    }
  if (numbers <= call.options.elementLimit)
    return success();
  return block.getParentOp()->emitOpError()
         << "needs " << static_cast<int64_t>(std::min(numbers, 0x1p62)) << " numbers, the limit is "
         << static_cast<int64_t>(call.options.elementLimit);
}

LogicalResult Body::verify() {
  if (failed(verifySize()))
    return failure();
  if (call.history == 0)
    return success();
  for (Operation &op : block) {
    bool hasWindow = false, hasChunk = false;
    for (Value operand : op.getOperands())
      if (rates.getRate(operand) == Rate::Frame)
        (rates.isInWindow(operand) ? hasWindow : hasChunk) = true;
    if (isa<SaveOp>(op) && hasWindow)
      return op.emitOpError("expected a signal of the chunk, but got one of the window");
    if (isa<SeedOp>(op) && (hasWindow || hasChunk))
      return op.emitOpError("expected a static or stream signal, but got one of frame rate");
    bool isOutput = op.hasTrait<OpTrait::IsTerminator>();
    if (hasWindow && hasChunk && !isOutput)
      return op.emitOpError("mixes signals of the chunk and of the window");
  }
  return success();
}

const Tensor *Body::need(Value value, Point point, Needs &needs) {
  const Tensor *tensor = lookup(value, point);
  if (!tensor)
    needs.push_back({value, point});
  return tensor;
}

/// `%x at frame 3, stream 0`, as far as the value has these.
static InFlightDiagnostic &describe(InFlightDiagnostic &diag, Value value, Rate rate, Point point) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    diag << "argument " << argument.getArgNumber();
  else
    diag << "the result of '" << value.getDefiningOp()->getName() << "'";
  if (rate == Rate::Frame)
    diag << " at frame " << point.frame;
  return diag;
}

FailureOr<const Tensor *> Body::demand(Value value, Point point) {
  // Depth first, with a stack of our own: a need is looked at, its operands are computed, then it is looked at again.
  SmallVector<Need> stack{{value, point}};
  SmallVector<Need> needs;
  while (!stack.empty()) {
    Need top = stack.back();
    Signal &signal = getSignal(top.value);
    Operation *op = top.value.getDefiningOp();
    if (lookup(top.value, top.point)) {
      stack.pop_back();
      continue;
    }
    if (!op || !signal.contains(top.point)) {
      InFlightDiagnostic diag = block.getParentOp()->emitOpError("needs ");
      return describe(diag, top.value, signal.getRate(), top.point) << ", which does not exist";
    }
    needs.clear();
    FailureOr<Tensor> result = evaluateAt(op, top.point, needs);
    if (failed(result))
      return failure();
    if (needs.empty()) {
      signal.set(top.point, std::move(*result));
      stack.pop_back();
      continue;
    }
    signal.setPending(top.point);
    for (Need &next : needs) {
      Signal &needed = getSignal(next.value);
      if (needed.contains(next.point) && needed.isPending(next.point))
        return op->emitOpError("is on a cycle without a delay");
      stack.push_back(next);
    }
  }
  return getSignal(value).get(point);
}

LogicalResult Body::compute(Operation *op, Point point) {
  SmallVector<Need> needs;
  FailureOr<Tensor> result = evaluateAt(op, point, needs);
  if (failed(result))
    return failure();
  if (needs.empty()) {
    getSignal(op->getResult(0)).set(point, std::move(*result));
    return success();
  }
  Need &first = needs.front();
  InFlightDiagnostic diag = op->emitOpError();
  if (rates.getRate(op->getResult(0)) == Rate::Frame)
    diag << "at frame " << point.frame << " ";
  diag << "reads ";
  return describe(diag, first.value, rates.getRate(first.value), first.point) << ", which has not been computed";
}

//===----------------------------------------------------------------------===//
// Ops that look at time, streams or the session
//===----------------------------------------------------------------------===//

Perturbation Body::getNoise(Operation *op, Point point) {
  Type element = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
  if (call.options.perturbUlps == 0 || !isa<Float32Type, Float64Type>(element))
    return Perturbation();
  // A seed of its own for every op and point, so that the order of evaluation does not matter.
  uint64_t seed = call.options.perturbSeed;
  for (uint64_t part : {numbers[op], static_cast<uint64_t>(point.frame), static_cast<uint64_t>(point.stream)})
    seed = (seed ^ part) * 0xff51afd7ed558ccd + 0x2545f4914f6cdd1d;
  // The interpreter rounds f64 as well: twice the unit.
  return element.isF32() ? Perturbation(call.options.perturbUlps * 0x1p-24, 0x1p-126, seed)
                         : Perturbation(call.options.perturbUlps * 0x1p-52, 0x1p-1022, seed);
}

FailureOr<Tensor> Body::evaluateAt(Operation *op, Point point, Needs &needs) {
  if (std::optional<Rate> to = getSumRate(op))
    return evaluateFrameSum(op, *to, point, needs);
  if (auto param = dyn_cast<ParamOp>(op))
    return call.inputs.find(param.getParameter())->second;
  if (auto delay = dyn_cast<DelayOp>(op))
    return evaluateDelay(delay, point, needs);
  if (auto save = dyn_cast<SaveOp>(op))
    return evaluateSave(save, point, needs);
  if (auto random = dyn_cast<RandomOp>(op))
    return evaluateRandom(random, point);
  // A network that has not been specialised is one for inference.
  if (isa<TrainingOp>(op))
    return Tensor::zeros(cast<RankedTensorType>(op->getResult(0).getType()));
  if (isa<GradientOp>(op))
    return op->emitOpError("must be differentiated first");
  // A3: a seed is zero at older frames.
  if (isa<SeedOp>(op) && point.frame < 0)
    return Tensor::zeros(cast<RankedTensorType>(op->getResult(0).getType()));

  SmallVector<const Tensor *> operands;
  for (Value operand : op->getOperands())
    operands.push_back(need(operand, point, needs));
  if (!needs.empty())
    return Tensor();
  if (isa<SeedOp>(op))
    return *operands[0];
  Perturbation noise = getNoise(op, point);
  return evaluate(op, operands, noise, call.outOfRange);
}

FailureOr<Tensor> Body::evaluateDelay(DelayOp op, Point point, Needs &needs) {
  Value source = op.getSource();
  auto type = cast<RankedTensorType>(op.getType());
  bool isFrame = rates.getRate(source) == Rate::Frame;
  int64_t by = op.getBy(), from = point.frame - by;
  int64_t start = rates.isInWindow(op.getResult()) ? -call.history : 0;
  // T5.
  bool valid = by > 0 ? call.getAge(point.frame, point.stream) >= by && (op.isCarried() || from >= start)
                      : from < call.frames && call.getAge(from, point.stream) >= -by;
  if (!valid) {
    const Tensor *init = op.getInit() ? need(op.getInit(), point, needs) : nullptr;
    return init ? *init : Tensor::zeros(type); // T2
  }
  if (!isFrame || from >= start) {
    const Tensor *value = need(source, {from, point.stream}, needs);
    return value ? *value : Tensor();
  }
  // T3: a frame of an older chunk.
  auto it = states.find(source);
  std::string name = "state." + (it != states.end() ? it->second.name : op.getState().value_or("").str());
  auto state = call.inputs.find(name);
  if (start < 0 || state == call.inputs.end())
    return op.emitOpError() << "reads frames of older chunks, but there is no '" << name << "'";
  int64_t depth = state->second.shape[0];
  if (from < -depth)
    return op.emitOpError() << "reads " << -from << " frames back, but '" << name << "' holds " << depth;
  return state->second.getRow((depth + from) * call.streams + point.stream, type.getShape());
}

FailureOr<Tensor> Body::evaluateSave(SaveOp op, Point point, Needs &needs) {
  if (point.frame >= 0) {
    const Tensor *value = need(op.getSource(), point, needs);
    return value ? *value : Tensor();
  }
  auto ring = call.inputs.find(("ring." + op.getRing()).str());
  if (ring == call.inputs.end() || ring->second.shape[0] != call.history)
    return op.emitOpError() << "has no 'ring." << op.getRing() << "' of " << call.history << " frames";
  return ring->second.getRow((point.frame + call.history) * call.streams + point.stream,
                             cast<RankedTensorType>(op.getType()).getShape());
}

FailureOr<Tensor> Body::evaluateRandom(RandomOp op, Point point) {
  if (!op.getId())
    return op.emitOpError("has no id");
  // N1: static and stream draws change with the step, frame draws with the frame.
  auto step = call.inputs.find("opt.step");
  uint64_t time = op.getRate() == Rate::Frame ? call.firstFrame + point.frame
                  : step != call.inputs.end() ? step->second.integers()[0]
                                              : 0;
  uint32_t stream = op.getRate() == Rate::Static ? 0 : point.stream;
  runtime::PhiloxKey key = runtime::randomKey(*op.getId(), call.seed);
  Tensor result = Tensor::zeros(cast<RankedTensorType>(op.getType()));
  for (auto [unit, value] : llvm::enumerate(result.floats())) {
    uint32_t word = runtime::randomWord(key, unit, stream, time);
    value = op.getKind() == RandomKind::Uniform ? runtime::toUniform(word) : runtime::toNormal(word);
    if (getElementTypeOrSelf(op.getType()).isF32()) // N2: a draw keeps its f32 value
      value = static_cast<float>(value);
  }
  return result;
}

FailureOr<Tensor> Body::evaluateFrameSum(Operation *op, Rate to, Point point, Needs &needs) {
  // A6: over the domain of the operands. R3: an operand of lower rate is spread over the chunk.
  int64_t start = 0;
  for (Value operand : op->getOperands())
    if (rates.isInWindow(operand))
      start = -call.history;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Perturbation noise = getNoise(op, point);
  Tensor sum = Tensor::zeros(type);
  Tensor terms = noise.isActive() ? Tensor::zeros(type) : Tensor();
  for (int64_t frame = start; frame < call.frames; ++frame)
    for (int64_t stream = 0; stream < call.streams; ++stream) {
      if (to == Rate::Stream && stream != point.stream)
        continue;
      if (call.getAge(frame, stream) < 0)
        continue;
      SmallVector<const Tensor *> operands;
      for (Value operand : op->getOperands())
        operands.push_back(need(operand, {frame, stream}, needs));
      if (needs.empty())
        accumulate(op, operands, sum, noise.isActive() ? &terms : nullptr, noise);
    }
  noise.apply(sum, terms);
  return sum;
}
