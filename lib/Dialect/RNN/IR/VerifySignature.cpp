//===- VerifySignature.cpp - Names, marks and types of signatures -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::detail;

//===----------------------------------------------------------------------===//
// Types and marks
//===----------------------------------------------------------------------===//

LogicalResult rnn::detail::verifySignatureTypes(RNNFunctionInterface function) {
  FunctionType type = function.getFunctionType();
  for (auto [i, input] : llvm::enumerate(type.getInputs()))
    if (failed(verifySignalType(function, input, "'" + function.getArgName(i) + "'")))
      return failure();
  for (auto [i, result] : llvm::enumerate(type.getResults()))
    if (failed(verifySignalType(function, result, "'" + function.getResultName(i) + "'")))
      return failure();
  return success();
}

/// Checks one `rnn.…` attribute of an argument or result.
static LogicalResult verifyMark(RNNFunctionInterface function, NamedAttribute mark, bool isArgument) {
  StringRef name = mark.getName();
  // R1: rates are declared by name.
  if (name == RNNDialect::kRateAttrName) {
    auto text = dyn_cast<StringAttr>(mark.getValue());
    if (!text || !symbolizeRate(text.getValue()))
      return function->emitOpError() << "expected rnn.rate to be \"static\", \"stream\" or \"frame\", but got "
                                     << mark.getValue();
    return success();
  }
  if (isArgument && name == RNNDialect::kResetAttrName) {
    if (!isa<UnitAttr>(mark.getValue()))
      return function->emitOpError() << "expected rnn.reset to have no value, but got " << mark.getValue();
    return success();
  }
  if (isArgument && name == RNNDialect::kDefaultAttrName) {
    if (!isa<FloatAttr>(mark.getValue()))
      return function->emitOpError() << "expected rnn.default to be a floating-point number, but got "
                                     << mark.getValue();
    return success();
  }
  if (name.starts_with("rnn."))
    return function->emitOpError() << "unknown attribute '" << name << "' of "
                                   << (isArgument ? "an argument" : "a result");
  return success();
}

LogicalResult rnn::detail::verifyMarks(RNNFunctionInterface function) {
  for (ArrayAttr list : {function.getArgAttrsAttr(), function.getResAttrsAttr()})
    for (Attribute dictionary : list ? list.getValue() : ArrayRef<Attribute>())
      for (NamedAttribute mark : cast<DictionaryAttr>(dictionary))
        if (failed(verifyMark(function, mark, list == function.getArgAttrsAttr())))
          return failure();

  // T4: at most one reset, a flag per frame.
  std::optional<unsigned> reset;
  for (unsigned i = 0, e = function.getFunctionType().getNumInputs(); i < e; ++i) {
    if (!function.getArgAttr(i, RNNDialect::kResetAttrName))
      continue;
    if (reset)
      return function->emitOpError() << "expected at most one reset, but got '" << function.getArgName(*reset)
                                     << "' and '" << function.getArgName(i) << "'";
    reset = i;
  }
  if (!reset)
    return success();
  if (Rate rate = function.getArgRate(*reset); rate != Rate::Frame)
    return function->emitOpError() << "expected the reset '" << function.getArgName(*reset)
                                   << "' to have frame rate, but got " << stringifyRate(rate);
  auto type = dyn_cast<RankedTensorType>(function.getFunctionType().getInput(*reset));
  int64_t rank = isa<ScheduleOp>(function) ? 2 : 0; // a sequence at level 2
  if (!type || type.getRank() != rank || !type.getElementType().isSignlessInteger(1))
    return function->emitOpError() << "expected the reset '" << function.getArgName(*reset)
                                   << "' to be tensor<i1>, but got "
                                   << debugString(function.getFunctionType().getInput(*reset));
  return success();
}

LogicalResult rnn::detail::verifyBPTT(Operation *op, BPTTAttr bptt) {
  if (!bptt)
    return success();
  if (bptt.getAdvance() < 1 || bptt.getWindow() < 1)
    return op->emitOpError() << "expected positive bptt window and advance, but got " << bptt.getWindow() << " and "
                             << bptt.getAdvance();
  // As far back as a delay may reach.
  if (bptt.getWindow() > kMaxDelay)
    return op->emitError() << "bptt window " << bptt.getWindow() << " is out of range, at most " << kMaxDelay;
  if (bptt.getWindow() % bptt.getAdvance() != 0)
    return op->emitError() << "bptt window " << bptt.getWindow() << " is not a multiple of advance "
                           << bptt.getAdvance();
  return success();
}

//===----------------------------------------------------------------------===//
// Names (F2)
//===----------------------------------------------------------------------===//

bool rnn::isTensorName(StringRef name) {
  auto isStart = [](char c) { return llvm::isAlpha(c) || c == '_'; };
  return !name.empty() && isStart(name.front()) &&
         llvm::all_of(name, [&](char c) { return isStart(c) || llvm::isDigit(c) || c == '.'; });
}

static bool isReservedName(StringRef name) {
  for (StringRef word : {"mask", "lengths", "loss", "lr", "grad_norm", "flags", "seed", "tape", "age"})
    if (name == word)
      return true;
  for (StringRef prefix : {"state.", "grad.", "opt.", "ring.", "data.", "sum.", "count."})
    if (name.starts_with(prefix))
      return true;
  return false;
}

LogicalResult rnn::verifyTensorName(Operation *op, StringRef name) {
  if (isTensorName(name))
    return success();
  return op->emitError() << "name '" << name << "' is not of the form [A-Za-z_][A-Za-z0-9_.]*";
}

/// Checks a name that a user gives to a tensor of a function.
static LogicalResult verifyUserName(Operation *op, StringRef name) {
  if (failed(verifyTensorName(op, name)))
    return failure();
  if (isReservedName(name))
    return op->emitError() << "name '" << name << "' is reserved";
  return success();
}

LogicalResult rnn::detail::verifyParameterName(ParameterOp parameter) {
  // Slots have the names that are reserved for them.
  return parameter.getSlot() ? verifyTensorName(parameter, parameter.getSymName())
                             : verifyUserName(parameter, parameter.getSymName());
}

/// Calls `visit` with every parameter that the ops of the block name themselves.
static LogicalResult visitParameters(Block &block, llvm::function_ref<LogicalResult(StringRef)> visit) {
  for (Operation &op : block) {
    if (!isa<ParamOp, CompositeOpInterface>(op))
      continue;
    for (NamedAttribute attr : op.getAttrs()) {
      auto list = dyn_cast<ArrayAttr>(attr.getValue());
      Attribute single = attr.getValue();
      for (Attribute symbol : list ? list.getValue() : ArrayRef<Attribute>(single))
        if (auto name = dyn_cast<FlatSymbolRefAttr>(symbol); name && failed(visit(name.getValue())))
          return failure();
    }
  }
  return success();
}

LogicalResult rnn::detail::verifyNames(RNNFunctionInterface function) {
  if (failed(verifyTensorName(function, SymbolTable::getSymbolName(function).getValue())))
    return failure();
  llvm::StringMap<StringRef> owners;
  auto claim = [&](StringRef name, StringRef owner) -> LogicalResult {
    auto [it, isNew] = owners.try_emplace(name, owner);
    if (isNew || (it->second == owner && owner == "parameter"))
      return success();
    InFlightDiagnostic diag = function->emitError() << "name '" << name << "' is used by ";
    if (it->second == owner)
      return diag << "two " << owner << "s";
    return diag << (it->second == "argument" ? "an " : "a ") << it->second << " and a " << owner;
  };
  for (auto name : function.getArgNames().getAsValueRange<StringAttr>())
    if (failed(verifyUserName(function, name)) || failed(claim(name, "argument")))
      return failure();
  for (auto name : function.getResultNames().getAsValueRange<StringAttr>())
    if (failed(verifyUserName(function, name)) || failed(claim(name, "result")))
      return failure();
  return visitParameters(*function.getBodyBlock(), [&](StringRef name) { return claim(name, "parameter"); });
}
