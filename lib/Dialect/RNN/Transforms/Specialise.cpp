//===- Specialise.cpp - Functions fixed to a mode -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Dialect/RNN/Transforms/Transforms.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_SPECIALISE
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-specialise"

void rnn::fixTraining(Block &block, bool trains) {
  auto found = llvm::to_vector(block.getOps<TrainingOp>());
  if (found.empty())
    return;
  for (TrainingOp training : found) {
    for (OpOperand &use : llvm::make_early_inc_range(training->getUses()))
      if (auto select = dyn_cast<arith::SelectOp>(use.getOwner()); select && use.getOperandNumber() == 0)
        select.replaceAllUsesWith(trains ? select.getTrueValue() : select.getFalseValue());
    OpBuilder builder(training);
    auto type = cast<RankedTensorType>(training.getType());
    training.replaceAllUsesWith(
        arith::ConstantOp::create(builder, training.getLoc(), DenseElementsAttr::get(type, trains)).getResult());
  }
  eraseDeadSignals(block);
}

/// The arguments of `block` that an op with an effect, or the terminator, depends on.
static llvm::SmallBitVector getNeededArguments(Block &block) {
  llvm::SmallBitVector needed(block.getNumArguments());
  for (BlockArgument argument : block.getArguments())
    if (!argument.use_empty())
      needed.set(argument.getArgNumber());
  return needed;
}

void rnn::dropResults(NetworkOp network, const llvm::SmallBitVector &dropped) {
  RNNFunctionInterface function = network;
  Block &block = *network.getBodyBlock();
  llvm::SmallBitVector neededBefore = getNeededArguments(block);
  llvm::BitVector operands(dropped.size());
  for (unsigned i : dropped.set_bits())
    operands.set(i);
  block.getTerminator()->eraseOperands(operands);
  eraseDeadSignals(block);

  // An argument that nothing used before is part of the interface all the same; so is the reset.
  llvm::SmallBitVector gone = neededBefore;
  gone.reset(getNeededArguments(block));
  if (std::optional<unsigned> reset = function.getResetIndex())
    gone.reset(*reset);

  Builder b(network.getContext());
  auto keep = [&](ArrayAttr list, const llvm::SmallBitVector &without) -> ArrayAttr {
    if (!list)
      return list;
    SmallVector<Attribute> kept;
    for (auto [i, attr] : llvm::enumerate(list))
      if (!without.test(i))
        kept.push_back(attr);
    return b.getArrayAttr(kept);
  };
  auto keepTypes = [&](TypeRange types, const llvm::SmallBitVector &without) {
    SmallVector<Type> kept;
    for (auto [i, type] : llvm::enumerate(types))
      if (!without.test(i))
        kept.push_back(type);
    return kept;
  };
  FunctionType type = network.getFunctionType();
  network.setFunctionType(b.getFunctionType(keepTypes(type.getInputs(), gone), keepTypes(type.getResults(), dropped)));
  network.setArgNamesAttr(keep(network.getArgNames(), gone));
  network.setResultNamesAttr(keep(network.getResultNames(), dropped));
  if (ArrayAttr attrs = network.getArgAttrsAttr())
    network.setArgAttrsAttr(keep(attrs, gone));
  if (ArrayAttr attrs = network.getResAttrsAttr())
    network.setResAttrsAttr(keep(attrs, dropped));
  block.eraseArguments([&](BlockArgument argument) { return gone.test(argument.getArgNumber()); });
}

namespace {
struct Specialise : mlir::rnn::impl::SpecialiseBase<Specialise> {
  using SpecialiseBase::SpecialiseBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::optional<FunctionKind> kind = symbolizeFunctionKind(mode);
    if (!kind) {
      module.emitError() << "unknown mode '" << mode << "'; expected train, eval or infer";
      return signalPassFailure();
    }
    if (*kind != FunctionKind::Infer)
      return;
    llvm::StringSet<> unbuilt;
    for (TrainStepOp step : module.getOps<TrainStepOp>())
      unbuilt.insert(step.getNetwork());
    for (NetworkOp network : module.getOps<NetworkOp>())
      if (!unbuilt.contains(network.getSymName())) {
        fixTraining(*network.getBodyBlock(), /*trains=*/false);
        keepForInference(network);
      }
  }

  /// Drops the results that the steps of `network` name (rule S6).
  void keepForInference(NetworkOp network) {
    llvm::StringSet<> named;
    for (StepOp step : getOperation().getOps<StepOp>())
      if (step.getNetwork() == network.getSymName())
        for (ArrayAttr list : {step.getLosses(), step.getMetrics()})
          for (LossAttr loss : list.getAsRange<LossAttr>()) {
            named.insert(loss.getResult().getValue());
            named.insert(loss.getMask().getValue());
          }
    llvm::SmallBitVector dropped(network.getResultNames().size());
    for (auto [i, name] : llvm::enumerate(network.getResultNames().getAsValueRange<StringAttr>()))
      if (named.contains(name))
        dropped.set(i);
    if (dropped.any() && !dropped.all())
      dropResults(network, dropped);
  }
};
} // namespace
