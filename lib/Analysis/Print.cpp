//===- Print.cpp - What printing passes share -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Print.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::rnn;

LogicalResult rnn::printFunctions(ModuleOp module, StringRef format, llvm::json::Array functions,
                                  llvm::function_ref<void(const llvm::json::Object &)> printText) {
  if (format == "json") {
    llvm::json::Value all = llvm::json::Object{{"functions", std::move(functions)}};
    llvm::errs() << llvm::formatv("{0:2}\n", all);
    return success();
  }
  if (format != "text")
    return module.emitError() << "unknown format '" << format << "'; expected text or json";
  for (const llvm::json::Value &function : functions)
    printText(*function.getAsObject());
  return success();
}

SmallVector<RNNFunctionInterface> rnn::getGraphs(ModuleOp module) {
  SmallVector<RNNFunctionInterface> graphs;
  for (auto function : module.getOps<RNNFunctionInterface>())
    if (isa<NetworkOp, StepOp>(function))
      graphs.push_back(function);
  return graphs;
}

llvm::json::Array rnn::describeCarried(const Component &component, SignalNames &names) {
  llvm::SetVector<std::pair<Value, int64_t>> carried;
  for (DelayOp delay : component.delays)
    carried.insert({delay.getSource(), delay.getBy()});
  llvm::json::Array list;
  for (auto [source, by] : carried)
    list.push_back(names.getName(source) + "[" + std::to_string(by) + "]");
  return list;
}

void rnn::printList(const llvm::json::Array &list, StringRef separator) {
  llvm::interleave(
      list, llvm::errs(), [](const llvm::json::Value &entry) { llvm::errs() << *entry.getAsString(); }, separator);
}
