//===- SignalNames.cpp - How messages call a signal -----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/IR/SignalNames.h"

using namespace mlir;
using namespace mlir::rnn;

SignalNames::SignalNames(RNNFunctionInterface function) : function(function) {
  auto record = [&](Value value, StringRef name) {
    if (!name.empty())
      recorded.try_emplace(value, name);
  };
  Block &body = *function.getBodyBlock();
  for (BlockArgument argument : body.getArguments())
    if (argument.getArgNumber() < function.getArgNames().size())
      record(argument, function.getArgName(argument.getArgNumber()));
  for (DelayOp delay : body.getOps<DelayOp>())
    if (std::optional<StringRef> name = delay.getName())
      record(delay.getSource(), *name);
  if (!body.empty() && body.back().hasTrait<OpTrait::IsTerminator>())
    for (OpOperand &operand : body.back().getOpOperands())
      if (operand.getOperandNumber() < function.getResultNames().size())
        record(operand.get(), function.getResultName(operand.getOperandNumber()));
  for (Operation &op : body)
    if (auto loc = dyn_cast<NameLoc>(op.getLoc()); loc && op.getNumResults() == 1)
      record(op.getResult(0), loc.getName());
}

std::string SignalNames::getName(Value value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (StringRef name = getRecordedName(value); !name.empty()) {
    os << "%" << name;
    return text;
  }
  // Assumed verified: names are asked for while verifying, too.
  if (!numbers)
    numbers = std::make_unique<AsmState>(function, OpPrintingFlags().assumeVerified().useLocalScope());
  value.printAsOperand(os, *numbers);
  return text;
}

std::string rnn::getLocatedName(Value value) {
  auto loc = dyn_cast<NameLoc>(value.getLoc());
  return loc ? "%" + loc.getName().str() : std::string();
}
