//===- PrintAffine.cpp - Loops that can run as scans, for people ----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/AffineRecurrence.h"
#include "rnn/Analysis/Passes.h"
#include "rnn/Analysis/Print.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_PRINTAFFINE
#include "rnn/Analysis/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-print-affine"

static llvm::json::Object describeLoop(const RecurrenceAnalysis &analysis, const Component &component,
                                       SignalNames &names, int64_t number) {
  AffineRecurrence affine = findAffineRecurrence(analysis, component);
  llvm::json::Object object{{"component", number},
                            {"scan", affine.isScan()},
                            {"direction", stringifyDirection(component.direction)},
                            {"carried", describeCarried(component, names)}};
  if (affine.isScan()) {
    object["order"] = affine.order;
    return object;
  }
  std::string reason = ("'" + affine.obstacle->getName().getStringRef() + "'").str();
  if (affine.obstacle->getNumResults() > 0)
    reason += " of " + names.getName(affine.obstacle->getResult(0));
  object["reason"] = reason + " " + affine.reason.str();
  return object;
}

static void printLoop(const llvm::json::Object &loop) {
  llvm::errs() << "component " << *loop.getInteger("component") << ": "
               << (*loop.getBoolean("scan") ? "scan " : "loop ") << *loop.getString("direction") << ", ";
  if (*loop.getBoolean("scan")) {
    llvm::errs() << "order " << *loop.getInteger("order") << ", carried ";
    printList(*loop.getArray("carried"), " ");
  } else {
    llvm::errs() << *loop.getString("reason");
  }
  llvm::errs() << "\n";
}

namespace {
struct PrintAffine : mlir::rnn::impl::PrintAffineBase<PrintAffine> {
  using PrintAffineBase::PrintAffineBase;

  void runOnOperation() override {
    llvm::json::Array functions;
    for (RNNFunctionInterface function : getGraphs(getOperation())) {
      RecurrenceAnalysis analysis(function);
      SignalNames names(function);
      llvm::json::Array loops;
      for (auto [i, component] : llvm::enumerate(analysis.getComponents()))
        if (component.isRecurrent())
          loops.push_back(describeLoop(analysis, component, names, i + 1));
      functions.push_back(
          llvm::json::Object{{"name", SymbolTable::getSymbolName(function).getValue()}, {"loops", std::move(loops)}});
    }
    bool hasSeveral = functions.size() > 1;
    auto printText = [&](const llvm::json::Object &function) {
      if (hasSeveral)
        llvm::errs() << "function " << *function.getString("name") << "\n";
      for (const llvm::json::Value &loop : *function.getArray("loops"))
        printLoop(*loop.getAsObject());
    };
    if (failed(printFunctions(getOperation(), format, std::move(functions), printText)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
