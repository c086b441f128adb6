//===- SignalNames.h - How messages call a signal -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_SIGNALNAMES_H
#define RNN_DIALECT_RNN_IR_SIGNALNAMES_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "mlir/IR/AsmState.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::rnn {

/// The names that messages, reports and pictures give to the values of a function: the recorded name (of an argument,
/// of a delayed signal, of a result, in a NameLoc, in this order), else the number that the printer would give.
class SignalNames {
public:
  explicit SignalNames(RNNFunctionInterface function);

  /// The recorded name, or empty.
  StringRef getRecordedName(Value value) const { return recorded.lookup(value); }

  /// The name with its sigil: `%h`, `%12`.
  std::string getName(Value value);

private:
  RNNFunctionInterface function;
  llvm::DenseMap<Value, StringRef> recorded;
  /// The printer's numbers; made when first asked for.
  std::unique_ptr<AsmState> numbers;
};

/// The name, with its sigil, that the location of a value records (NameLoc); empty if it records none. This is how
/// schedules remember the names of level 1.
std::string getLocatedName(Value value);

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_IR_SIGNALNAMES_H
