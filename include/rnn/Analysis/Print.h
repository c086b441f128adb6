//===- Print.h - What printing passes share -------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_ANALYSIS_PRINT_H
#define RNN_ANALYSIS_PRINT_H

#include "rnn/Analysis/Recurrence.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"
#include "llvm/Support/JSON.h"

namespace mlir::rnn {

/// Prints to stderr: `{"functions": […]}` as JSON, or each function by `printText`. An error if `format` is neither
/// `json` nor `text`.
LogicalResult printFunctions(ModuleOp module, StringRef format, llvm::json::Array functions,
                             llvm::function_ref<void(const llvm::json::Object &)> printText);

/// Networks and steps, in the order of the text.
SmallVector<RNNFunctionInterface> getGraphs(ModuleOp module);

/// What a loop carries, as `%h[1]`: its delays by their sources and frames, in the order of the text, each once.
llvm::json::Array describeCarried(const Component &component, SignalNames &names);

/// Prints the strings of an array, with `separator` between them.
void printList(const llvm::json::Array &list, StringRef separator);

} // namespace mlir::rnn

#endif // RNN_ANALYSIS_PRINT_H
