//===- Abi.cpp - The tensors that a function exchanges with its caller -----===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Abi.h"
#include "rnn/Dialect/RNN/IR/Rates.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::rnn;

StringRef rnn::stringifyAbiRole(AbiRole role) {
  switch (role) {
  case AbiRole::Argument:
    return "argument";
  case AbiRole::Parameter:
    return "parameter";
  case AbiRole::Optimizer:
    return "optimizer";
  case AbiRole::State:
    return "state";
  case AbiRole::Ring:
    return "ring";
  case AbiRole::Result:
    return "result";
  }
  llvm_unreachable("all roles are covered");
}

llvm::MapVector<Value, CarriedState> rnn::getCarriedStates(RNNFunctionInterface function) {
  llvm::MapVector<Value, CarriedState> states;
  RateAnalysis rates(function);
  for (DelayOp delay : function.getBodyBlock()->getOps<DelayOp>()) {
    // R4: a delay of a static or stream value needs no state.
    if (!delay.isCarried() || rates.getRate(delay.getSource()) != Rate::Frame)
      continue;
    CarriedState &state =
        states.insert({delay.getSource(), {"", 0, cast<RankedTensorType>(delay.getType())}}).first->second;
    state.depth = std::max<int64_t>(state.depth, delay.getBy());
    if (delay.getState())
      state.name = delay.getState()->str();
    else if (delay.getName() && state.name.empty())
      state.name = delay.getName()->str();
  }
  llvm::StringSet<> taken;
  unsigned next = 0;
  for (auto &[source, state] : states)
    if (!state.name.empty() && !taken.insert(state.name).second)
      state.name.clear();
  for (auto &[source, state] : states)
    while (state.name.empty()) {
      std::string name = "s" + std::to_string(next++);
      if (taken.insert(name).second)
        state.name = name;
    }
  return states;
}

/// Whether the function draws random numbers of a rate that `isWanted` admits.
static bool draws(Operation *function, llvm::function_ref<bool(Rate)> isWanted) {
  return function
      ->walk(
          [&](RandomOp random) { return isWanted(random.getRate()) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

/// Whether the function looks at ages at all: it delays, or it looks back over older frames.
static bool usesAges(Operation *function) {
  return function
      ->walk([](Operation *op) { return isa<DelayOp, SaveOp>(op) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

SmallVector<AbiTensor> rnn::getAbi(RNNFunctionInterface function, int64_t streams) {
  SmallVector<AbiTensor> abi;
  MLIRContext *context = function.getContext();
  auto i64 = IntegerType::get(context, 64);
  auto schedule = dyn_cast<ScheduleOp>(function.getOperation());
  auto stripped = [&](Type type, Rate rate) {
    auto tensor = cast<RankedTensorType>(type);
    if (!schedule)
      return tensor;
    return RankedTensorType::get(tensor.getShape().drop_front(static_cast<int64_t>(rate)), tensor.getElementType());
  };

  for (auto [i, type] : llvm::enumerate(function.getFunctionType().getInputs())) {
    std::optional<double> fill;
    if (auto value = dyn_cast_or_null<FloatAttr>(function.getArgAttr(i, RNNDialect::kDefaultAttrName)))
      fill = value.getValueAsDouble();
    Rate rate = function.getArgRate(i);
    abi.push_back({function.getArgName(i).str(), AbiRole::Argument, rate, stripped(type, rate), fill});
  }

  // Parameters that the function reads or writes, in the order of the module.
  llvm::StringSet<> used;
  function->walk([&](Operation *op) {
    if (auto param = dyn_cast<ParamOp>(op))
      used.insert(param.getParameter());
    else if (auto assign = dyn_cast<AssignOp>(op))
      used.insert(assign.getParameter());
  });
  // N1: what is drawn once a step changes with the number of updates.
  if (draws(function, [](Rate rate) { return rate != Rate::Frame; }))
    used.insert("opt.step");
  for (auto parameter : function->getParentOfType<ModuleOp>().getOps<ParameterOp>())
    if (used.contains(parameter.getSymName()))
      abi.push_back({parameter.getSymName().str(), parameter.getSlot() ? AbiRole::Optimizer : AbiRole::Parameter,
                     Rate::Static, cast<RankedTensorType>(parameter.getType()), std::nullopt});

  // Carried state, then rings.
  auto kept = [&](int64_t frames, RankedTensorType signal) {
    SmallVector<int64_t> shape{frames, streams};
    llvm::append_range(shape, signal.getShape());
    return RankedTensorType::get(shape, signal.getElementType());
  };
  int64_t history = 0;
  SmallVector<AbiTensor> rings;
  if (schedule) {
    history = schedule.getHistory();
    for (KeepOp keep : schedule.getBodyBlock()->getOps<KeepOp>()) {
      RankedTensorType type = kept(keep.getFrames(), stripped(keep.getSource().getType(), Rate::Frame));
      bool isRing = keep.getName().starts_with("ring.");
      (isRing ? rings : abi)
          .push_back({keep.getName().str(), isRing ? AbiRole::Ring : AbiRole::State, Rate::Static, type, 0});
    }
  } else {
    for (auto &[source, state] : getCarriedStates(function))
      abi.push_back({"state." + state.name, AbiRole::State, Rate::Static, kept(state.depth, state.type), 0});
    if (auto step = dyn_cast<StepOp>(function.getOperation()))
      history = step.getHistory();
    for (SaveOp save : function.getBodyBlock()->getOps<SaveOp>())
      rings.push_back({"ring." + save.getRing().str(), AbiRole::Ring, Rate::Static,
                       kept(history, cast<RankedTensorType>(save.getType())), 0});
  }
  if (usesAges(function))
    abi.push_back({"state.age", AbiRole::State, Rate::Static, RankedTensorType::get({streams}, i64), -1});
  if (usesAges(function) || draws(function, [](Rate rate) { return rate == Rate::Frame; }))
    abi.push_back({"state.frame", AbiRole::State, Rate::Static, RankedTensorType::get({}, i64), 0});
  if (draws(function, [](Rate) { return true; }))
    abi.push_back({"seed", AbiRole::State, Rate::Static, RankedTensorType::get({}, i64), 0});
  if (history > 0 && function.getFunctionKind() == FunctionKind::Train) {
    llvm::append_range(abi, rings);
    abi.push_back({"ring.age", AbiRole::Ring, Rate::Static, RankedTensorType::get({history, streams}, i64), -1});
  }

  for (auto [i, type] : llvm::enumerate(function.getFunctionType().getResults())) {
    Rate rate = function.getResRate(i);
    abi.push_back({function.getResultName(i).str(), AbiRole::Result, rate, stripped(type, rate), std::nullopt});
  }
  if (function.getFunctionKind() != FunctionKind::Infer)
    abi.push_back({"flags", AbiRole::Result, Rate::Static, RankedTensorType::get({}, IntegerType::get(context, 32)),
                   std::nullopt});
  return abi;
}

llvm::json::Array rnn::describeShape(const AbiTensor &tensor, const llvm::json::Value &frames, int64_t streams) {
  llvm::json::Array shape;
  auto push = [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      shape.push_back("B");
    else
      shape.push_back(size);
  };
  if (tensor.rate == Rate::Frame)
    shape.push_back(frames);
  if (tensor.rate != Rate::Static)
    push(streams);
  for (int64_t size : tensor.type.getShape())
    push(size);
  return shape;
}
