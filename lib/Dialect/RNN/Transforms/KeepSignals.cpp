//===- KeepSignals.cpp - Every signal as a result -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "mlir/IR/TypeUtilities.h"
#include "rnn/Dialect/RNN/IR/Rates.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_KEEPSIGNALS
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-keep-signals"

/// What a function computes for every frame of the chunk, with the names that messages give it, in textual order.
/// Delays are left out: they repeat what their source was.
static SmallVector<std::pair<std::string, Value>> getSignals(RNNFunctionInterface function) {
  RateAnalysis rates(function);
  SignalNames names(function);
  SmallVector<std::pair<std::string, Value>> signals;
  llvm::StringSet<> taken;
  for (Operation &op : function.getBodyBlock()->without_terminator()) {
    if (op.getNumResults() != 1 || isa<DelayOp>(op) || op.hasTrait<OpTrait::ConstantLike>())
      continue;
    Value value = op.getResult(0);
    if (rates.getRate(value) != Rate::Frame || rates.isInWindow(value) ||
        !isa<FloatType>(getElementTypeOrSelf(value.getType())))
      continue;
    std::string name = "signals." + StringRef(names.getName(value)).drop_front().str();
    if (taken.insert(name).second)
      signals.push_back({name, value});
  }
  return signals;
}

/// Appends results to a network or a step.
template <typename OpT>
static void addResults(OpT function, ArrayRef<std::pair<std::string, Value>> added) {
  Builder b(function.getContext());
  SmallVector<Attribute> names(function.getResultNames().getValue());
  SmallVector<Type> types(function.getFunctionType().getResults());
  Operation *terminator = function.getBodyBlock()->getTerminator();
  for (auto &[name, value] : added) {
    names.push_back(b.getStringAttr(name));
    types.push_back(value.getType());
    terminator->insertOperands(terminator->getNumOperands(), value);
  }
  function.setResultNamesAttr(b.getArrayAttr(names));
  function.setFunctionType(b.getFunctionType(function.getFunctionType().getInputs(), types));
  if (ArrayAttr given = function.getResAttrsAttr()) {
    SmallVector<Attribute> attrs(given.getValue());
    attrs.resize(names.size(), b.getDictionaryAttr({}));
    function.setResAttrsAttr(b.getArrayAttr(attrs));
  }
}

namespace {
struct KeepSignals : mlir::rnn::impl::KeepSignalsBase<KeepSignals> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<RNNFunctionInterface>()) {
      SmallVector<std::pair<std::string, Value>> signals = getSignals(function);
      if (auto network = dyn_cast<NetworkOp>(function.getOperation()))
        addResults(network, signals);
      else if (auto step = dyn_cast<StepOp>(function.getOperation()))
        addResults(step, signals);
    }
  }
};
} // namespace
