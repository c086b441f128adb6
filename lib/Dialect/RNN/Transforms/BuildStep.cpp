//===- BuildStep.cpp - A training step as one graph -----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/TypeUtilities.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Dialect/RNN/Transforms/Transforms.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_BUILDSTEP
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-build-step"

/// The floating-point type in which the losses of a step are added up: f64 if one of them is.
static FloatType getLossType(TrainStepOp source, NetworkOp network) {
  RNNFunctionInterface function = network;
  Builder b(source.getContext());
  for (LossAttr loss : source.getLosses().getAsRange<LossAttr>())
    if (getElementTypeOrSelf(network.getFunctionType().getResult(*function.findResult(loss.getResult()))).isF64())
      return b.getF64Type();
  return b.getF32Type();
}

/// The parameters that a step trains, in the order of the module: those that its network reads, and those that no
/// network reads (so that a session has them all).
static SmallVector<ParameterOp> getTrained(ModuleOp module, NetworkOp network) {
  llvm::StringSet<> own, others;
  for (NetworkOp candidate : module.getOps<NetworkOp>())
    for (ParamOp param : candidate.getBodyBlock()->getOps<ParamOp>())
      (candidate == network ? own : others).insert(param.getParameter());
  return llvm::filter_to_vector(module.getOps<ParameterOp>(), [&](ParameterOp parameter) {
    bool isTrainable = !parameter.getFrozen() && !parameter.getSlot() &&
                       isa<FloatType>(cast<RankedTensorType>(parameter.getType()).getElementType());
    return isTrainable && (own.contains(parameter.getSymName()) || !others.contains(parameter.getSymName()));
  });
}

namespace {
/// What a step returns besides its losses.
struct Keep {
  bool gradients = false, results = false;
};

/// Builds one `rnn.step`, its body first.
class StepBuilder {
public:
  StepBuilder(TrainStepOp source, NetworkOp network, FunctionKind kind, Keep keep)
      : source(source), network(network), function(network), kind(kind), keep(keep), builder(source.getContext()),
        loc(source.getLoc()), real(getLossType(source, network)) {}

  StepOp build();

private:
  void copyNetwork();
  Value addArgument(StringRef name, Type type, DictionaryAttr attrs);
  void addResult(StringRef name, Value value, Rate rate);
  /// Adds `sum.<result>` and `count.<result>` of a loss or metric; returns the reduced value.
  Value reduce(LossAttr loss);
  void buildUpdate(Value total);
  Value buildNorm(ValueRange gradients);
  Value buildIsFinite(Value scalar);
  ParameterOp getSlot(const Twine &name, RankedTensorType type);

  Value getResult(StringAttr name) { return results.lookup(name); }
  RankedTensorType getScalar(Type element) { return RankedTensorType::get({}, element); }
  Value constant(RankedTensorType type, double number) { return createSplat(builder, loc, type, number); }
  /// `scalar` repeated to `type`.
  Value spread(Value scalar, RankedTensorType type) {
    if (type.getRank() == 0)
      return scalar;
    return BroadcastOp::create(builder, loc, type, scalar, llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
  }
  /// A float scalar as `element`.
  Value convert(Value scalar, Type element) {
    Type from = getElementTypeOrSelf(scalar.getType());
    if (from == element)
      return scalar;
    if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(builder, loc, getScalar(element), scalar);
    return arith::TruncFOp::create(builder, loc, getScalar(element), scalar);
  }

  TrainStepOp source;
  NetworkOp network;
  RNNFunctionInterface function;
  FunctionKind kind;
  Keep keep;
  OpBuilder builder;
  Location loc;
  FloatType real; ///< of loss, lr and grad_norm

  Region body;
  Block *block = nullptr;
  llvm::MapVector<StringRef, Value> params;  ///< the one read of each parameter
  llvm::DenseMap<StringAttr, Value> results; ///< of the network, by name
  llvm::DenseSet<StringAttr> summed;         ///< losses and metrics that have been added up
  Value mask, lr;
  // The signature, as it grows.
  SmallVector<Attribute> argNames, argAttrs, resultNames, resAttrs;
  SmallVector<Type> argTypes, resultTypes;
  SmallVector<Value> outputs;
};
} // namespace

Value StepBuilder::addArgument(StringRef name, Type type, DictionaryAttr attrs) {
  argNames.push_back(builder.getStringAttr(name));
  argTypes.push_back(type);
  argAttrs.push_back(attrs);
  return block->addArgument(type, loc);
}

void StepBuilder::addResult(StringRef name, Value value, Rate rate) {
  resultNames.push_back(builder.getStringAttr(name));
  resultTypes.push_back(value.getType());
  SmallVector<NamedAttribute> attrs;
  if (rate != Rate::Frame)
    attrs.push_back(builder.getNamedAttr(RNNDialect::kRateAttrName, builder.getStringAttr(stringifyRate(rate))));
  resAttrs.push_back(builder.getDictionaryAttr(attrs));
  outputs.push_back(value);
}

void StepBuilder::copyNetwork() {
  block = &body.emplaceBlock();
  builder.setInsertionPointToEnd(block);
  IRMapping mapping;
  for (BlockArgument argument : network.getBodyBlock()->getArguments()) {
    unsigned i = argument.getArgNumber();
    ArrayAttr attrs = function.getArgAttrsAttr();
    mapping.map(argument, addArgument(function.getArgName(i), argument.getType(),
                                      attrs ? cast<DictionaryAttr>(attrs[i]) : builder.getDictionaryAttr({})));
  }
  for (Operation &op : network.getBodyBlock()->without_terminator()) {
    auto param = dyn_cast<ParamOp>(op);
    if (Value known = param ? params.lookup(param.getParameter()) : Value()) {
      mapping.map(param.getResult(), known);
      continue;
    }
    Operation *copy = builder.clone(op, mapping);
    if (auto copied = dyn_cast<ParamOp>(copy))
      params[copied.getParameter()] = copied;
  }
  // Uses before definitions.
  for (Operation &op : *block)
    for (OpOperand &operand : op.getOpOperands())
      operand.set(mapping.lookupOrDefault(operand.get()));
  for (auto [name, value] :
       llvm::zip(function.getResultNames(), network.getBodyBlock()->getTerminator()->getOperands())) {
    Value result = results[cast<StringAttr>(name)] = mapping.lookupOrDefault(value);
    // A step need not return what the network does; messages call it by that name all the same.
    if (Operation *op = result.getDefiningOp(); op && !isa<NameLoc>(op->getLoc()))
      op->setLoc(NameLoc::get(cast<StringAttr>(name), op->getLoc()));
  }
}

Value StepBuilder::reduce(LossAttr loss) {
  Value value = getResult(loss.getResult());
  auto type = cast<RankedTensorType>(value.getType());
  auto i64 = getScalar(builder.getI64Type());
  Rate rate = function.getResRate(*function.findResult(loss.getResult()));
  Value sum = value, count = constant(i64, 1);
  // S1: a static result counts once. S3: masking selects.
  if (rate != Rate::Static) {
    Value counted = mask;
    if (!loss.getMask().empty())
      counted = arith::AndIOp::create(builder, loc, mask, getResult(loss.getMask()));
    Value masked = arith::SelectOp::create(builder, loc, counted, value, constant(type, 0));
    sum = SumFramesOp::create(builder, loc, type, masked, RateAttr());
    Value ones = arith::SelectOp::create(builder, loc, counted, count, constant(i64, 0));
    count = SumFramesOp::create(builder, loc, i64, ones, RateAttr());
  }
  // A result that is a loss and a metric has one mask, and so one sum.
  if (summed.insert(loss.getResult()).second) {
    addResult(("sum." + loss.getResult().getValue()).str(), sum, Rate::Static);
    addResult(("count." + loss.getResult().getValue()).str(), count, Rate::Static);
  }
  if (loss.getReduction() == LossReduction::Sum || rate == Rate::Static)
    return sum;
  // S2: no frame counted gives 0.
  Value number = arith::SIToFPOp::create(builder, loc, type, count);
  return arith::DivFOp::create(builder, loc, sum, arith::MaximumFOp::create(builder, loc, number, constant(type, 1)));
}

/// The square root of the sum of all squares.
Value StepBuilder::buildNorm(ValueRange gradients) {
  SmallVector<Value> squares{constant(getScalar(real), 0)};
  for (Value gradient : gradients) {
    auto type = cast<RankedTensorType>(gradient.getType());
    Value square = arith::MulFOp::create(builder, loc, gradient, gradient);
    if (type.getRank() > 0)
      square = ReduceOp::create(builder, loc, getScalar(type.getElementType()), ReduceKind::Sum, square,
                                llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
    squares.push_back(convert(square, real));
  }
  return math::SqrtOp::create(builder, loc, SumOp::create(builder, loc, getScalar(real), squares));
}

Value StepBuilder::buildIsFinite(Value scalar) {
  auto type = cast<RankedTensorType>(scalar.getType());
  Value magnitude = math::AbsFOp::create(builder, loc, scalar);
  Value infinity = constant(type, std::numeric_limits<double>::infinity());
  return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, magnitude, infinity);
}

/// The parameter that keeps a slot of the optimizer; steps that train the same parameters share it.
ParameterOp StepBuilder::getSlot(const Twine &name, RankedTensorType type) {
  auto module = source->getParentOfType<ModuleOp>();
  if (auto known = module.lookupSymbol<ParameterOp>(name.str()))
    return known;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(network);
  auto slot = ParameterOp::create(builder, loc, name.str(), type, ZerosAttr::get(builder.getContext()));
  slot.setSlot(true);
  return slot;
}

/// Gradients, clipping, the optimizer and the assigns (rule S4).
void StepBuilder::buildUpdate(Value total) {
  SmallVector<ParameterOp> trained = getTrained(source->getParentOfType<ModuleOp>(), network);
  SmallVector<Value> weights;
  SmallVector<Type> types;
  for (ParameterOp parameter : trained) {
    Value &read = params[parameter.getSymName()];
    if (!read)
      read = ParamOp::create(builder, loc, parameter.getType(), parameter.getSymName());
    weights.push_back(read);
    types.push_back(read.getType());
  }
  SmallVector<Value> gradients;
  if (!weights.empty())
    llvm::append_range(gradients, GradientOp::create(builder, loc, types, total, weights).getGrads());
  Value norm = buildNorm(gradients);
  addResult("grad_norm", norm, Rate::Static);
  if (keep.gradients)
    for (auto [parameter, gradient] : llvm::zip(trained, gradients))
      addResult(("grad." + parameter.getSymName()).str(), gradient, Rate::Static);

  Value isFinite = arith::AndIOp::create(builder, loc, buildIsFinite(total), buildIsFinite(norm));
  GuardOp::create(builder, loc, isFinite);

  // PyTorch's clip_grad_norm_ and clip_grad_value_.
  Value factor;
  if (source.getClipNormAttr()) {
    auto scalar = getScalar(real);
    Value shifted = arith::AddFOp::create(builder, loc, norm, constant(scalar, 1e-6));
    Value ratio =
        arith::DivFOp::create(builder, loc, constant(scalar, source.getClipNormAttr().getValueAsDouble()), shifted);
    factor = arith::MinimumFOp::create(builder, loc, ratio, constant(scalar, 1));
  }

  auto optimizer = cast<OptimizerAttrInterface>(source.getOptimizer());
  auto i64 = getScalar(builder.getI64Type());
  ParameterOp counter = getSlot("opt.step", i64);
  Value before = ParamOp::create(builder, loc, i64, counter.getSymName());
  Value step = arith::AddIOp::create(builder, loc, before, constant(i64, 1));
  AssignOp::create(builder, loc, counter.getSymName(), step);
  for (auto [parameter, weight, gradient] : llvm::zip(trained, weights, gradients)) {
    auto type = cast<RankedTensorType>(weight.getType());
    Value clipped = gradient;
    if (factor)
      clipped = arith::MulFOp::create(builder, loc, gradient, spread(convert(factor, type.getElementType()), type));
    if (FloatAttr limit = source.getClipValueAttr()) {
      double value = limit.getValueAsDouble();
      clipped = arith::MinimumFOp::create(builder, loc, clipped, constant(type, value));
      clipped = arith::MaximumFOp::create(builder, loc, clipped, constant(type, -value));
    }
    SmallVector<ParameterOp> slots;
    SmallVector<Value> slotValues;
    for (StringRef slot : optimizer.getSlots()) {
      slots.push_back(getSlot("opt." + slot + "." + parameter.getSymName(), type));
      slotValues.push_back(ParamOp::create(builder, loc, type, slots.back().getSymName()));
    }
    SmallVector<Value> updated =
        optimizer.buildUpdate(builder, loc, weight, clipped, slotValues, convert(lr, type.getElementType()), step);
    AssignOp::create(builder, loc, parameter.getSymName(), updated.front());
    for (auto [slot, value] : llvm::zip(slots, ArrayRef(updated).drop_front()))
      AssignOp::create(builder, loc, slot.getSymName(), value);
  }
}

StepOp StepBuilder::build() {
  copyNetwork();
  bool trains = kind == FunctionKind::Train;
  auto number = [&](double value) {
    return builder.getNamedAttr(RNNDialect::kDefaultAttrName, builder.getF64FloatAttr(value));
  };
  mask = addArgument("mask", getScalar(builder.getI1Type()), builder.getDictionaryAttr(number(1)));
  if (trains) {
    auto optimizer = cast<OptimizerAttrInterface>(source.getOptimizer());
    lr = addArgument(
        "lr", getScalar(real),
        builder.getDictionaryAttr({number(optimizer.getLearningRate()),
                                   builder.getNamedAttr(RNNDialect::kRateAttrName, builder.getStringAttr("static"))}));
  }

  // `loss` comes first; its value last.
  addResult("loss", constant(getScalar(real), 0), Rate::Static);
  SmallVector<Value> weighted;
  for (LossAttr loss : source.getLosses().getAsRange<LossAttr>()) {
    Value reduced = convert(reduce(loss), real);
    if (loss.getWeight() != 1.0)
      reduced = arith::MulFOp::create(builder, loc, reduced, constant(getScalar(real), loss.getWeight()));
    weighted.push_back(reduced);
  }
  Value total =
      weighted.size() == 1 ? weighted.front() : SumOp::create(builder, loc, getScalar(real), weighted).getResult();
  Operation *unused = outputs.front().getDefiningOp();
  outputs.front() = total;
  unused->erase();
  for (LossAttr metric : source.getMetrics().getAsRange<LossAttr>())
    reduce(metric);
  if (trains)
    buildUpdate(total);
  if (!trains || keep.results)
    for (auto [i, name] : llvm::enumerate(function.getResultNames().getAsRange<StringAttr>()))
      addResult(name, getResult(name), function.getResRate(i));
  OutputOp::create(builder, loc, outputs);
  fixTraining(*block, trains);

  builder.setInsertionPoint(source);
  std::string name = source.getSymName().str() + (trains ? "" : ".eval");
  auto step = StepOp::create(
      builder, loc, builder.getStringAttr(name), TypeAttr::get(builder.getFunctionType(argTypes, resultTypes)),
      builder.getArrayAttr(argNames), builder.getArrayAttr(resultNames), builder.getArrayAttr(argAttrs),
      builder.getArrayAttr(resAttrs), FunctionKindAttr::get(builder.getContext(), kind), source.getNetworkAttr(),
      trains ? source.getBpttAttr() : BPTTAttr(), source.getLosses(), source.getMetrics());
  step.getBody().takeBody(body);
  return step;
}

namespace {
struct BuildStep : mlir::rnn::impl::BuildStepBase<BuildStep> {
  using BuildStepBase::BuildStepBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::StringSet<> wanted;
    for (const std::string &name : of)
      wanted.insert(name);
    Keep kept;
    for (const std::string &what : keep) {
      if (what != "gradients" && what != "results") {
        module.emitError() << "unknown value '" << what << "' of keep; expected gradients or results";
        return signalPassFailure();
      }
      (what == "gradients" ? kept.gradients : kept.results) = true;
    }
    for (TrainStepOp source : llvm::make_early_inc_range(module.getOps<TrainStepOp>())) {
      if (!of.empty() && !wanted.erase(source.getSymName()))
        continue;
      auto network = module.lookupSymbol<NetworkOp>(source.getNetwork());
      for (Operation &op : *network.getBodyBlock())
        if (isa<CallOp, CompositeOpInterface>(op)) {
          op.emitOpError("must be written out by rnn-inline and rnn-expand-cells before rnn-build-step");
          return signalPassFailure();
        }
      SymbolTable::setSymbolVisibility(network, SymbolTable::Visibility::Public); // S6
      for (FunctionKind kind : {FunctionKind::Train, FunctionKind::Eval})
        StepBuilder(source, network, kind, kept).build();
      source.erase();
    }
    for (const std::string &name : of)
      if (wanted.contains(name)) {
        module.emitError() << "no train step named '" << name << "'";
        return signalPassFailure();
      }
  }
};
} // namespace
