//===- PrintRecurrence.cpp - What must run in time order, for people ------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Passes.h"
#include "rnn/Analysis/Print.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_PRINTRECURRENCE
#include "rnn/Analysis/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-print-recurrence"

/// JSON numbers are signed; costs saturate.
static int64_t clamp(uint64_t count) { return std::min<uint64_t>(count, std::numeric_limits<int64_t>::max()); }

static llvm::json::Object describeComponent(const Component &component, SignalNames &names, int64_t number) {
  llvm::json::Array ops, signals;
  for (Operation *op : component.ops) {
    ops.push_back(op->getName().getStringRef());
    for (Value result : op->getResults())
      signals.push_back(names.getName(result));
  }
  llvm::json::Object object{{"component", number},
                            {"kind", stringifyComponentKind(component.kind)},
                            {"domain", stringifyDomain(component.domain)},
                            {"ops", std::move(ops)},
                            {"signals", std::move(signals)},
                            {"flops", clamp(component.flops)},
                            {"bytes", clamp(component.bytes)}};
  if (!component.isRecurrent())
    return object;
  llvm::json::Array cycle;
  for (Value value : component.cycle)
    if (!value.getDefiningOp<DelayOp>())
      cycle.push_back(names.getName(value));
  // A ring of delays alone has nothing else to name.
  if (cycle.empty())
    for (Value value : component.cycle)
      cycle.push_back(names.getName(value));
  if (!cycle.empty())
    cycle.push_back(cycle.front());
  object["direction"] = stringifyDirection(component.direction);
  object["stages"] = component.stages;
  object["carried"] = describeCarried(component, names);
  object["cycle"] = std::move(cycle);
  object["cycle_delay"] = component.cycleDelay;
  return object;
}

static void printComponent(const llvm::json::Object &component) {
  llvm::errs() << "component " << *component.getInteger("component") << ": " << *component.getString("kind");
  if (std::optional<StringRef> direction = component.getString("direction")) {
    llvm::errs() << " " << *direction << ", stages " << *component.getInteger("stages") << ", carried ";
    printList(*component.getArray("carried"), " ");
    llvm::errs() << ", cycle ";
    printList(*component.getArray("cycle"), " -> ");
  } else {
    llvm::errs() << ", ";
    printList(*component.getArray("ops"), " ");
    llvm::errs() << " ";
    printList(*component.getArray("signals"), " ");
  }
  llvm::errs() << "\n";
}

namespace {
struct PrintRecurrence : mlir::rnn::impl::PrintRecurrenceBase<PrintRecurrence> {
  using PrintRecurrenceBase::PrintRecurrenceBase;

  void runOnOperation() override {
    llvm::json::Array functions;
    for (RNNFunctionInterface function : getGraphs(getOperation())) {
      RecurrenceAnalysis analysis(function);
      SignalNames names(function);
      llvm::json::Array components;
      for (const Component &component : analysis.getComponents())
        components.push_back(describeComponent(component, names, components.size() + 1));
      functions.push_back(llvm::json::Object{{"name", SymbolTable::getSymbolName(function).getValue()},
                                             {"components", std::move(components)}});
    }
    bool hasSeveral = functions.size() > 1;
    auto printText = [&](const llvm::json::Object &function) {
      if (hasSeveral)
        llvm::errs() << "function " << *function.getString("name") << "\n";
      for (const llvm::json::Value &component : *function.getArray("components"))
        printComponent(*component.getAsObject());
    };
    if (failed(printFunctions(getOperation(), format, std::move(functions), printText)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
