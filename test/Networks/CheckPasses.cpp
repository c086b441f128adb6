//===- CheckPasses.cpp - The interpreter after every pass -----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Check.h"
#include "TestInterpret.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "rnn/InitAllDialects.h"
#include "rnn/Pipelines/Pipelines.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"

using namespace mlir;
using namespace mlir::rnn;

/// Runs a pipeline with the interpreter after every pass; false if something is wrong.
static bool runChecked(ModuleOp module, test::CheckResult &result,
                       llvm::function_ref<void(OpPassManager &)> buildPipeline) {
  bool isWrong = false;
  PassManager manager(module.getContext());
  manager.addInstrumentation(createInterpretEachInstrumentation(isWrong, &result.passes));
  buildPipeline(manager);
  return succeeded(manager.run(module)) && !isWrong;
}

static void countOps(ModuleOp module, test::CheckResult &result) {
  module.walk([&](Operation *op) { result.ops[op->getName().getStringRef().str()] = 1; });
}

void test::checkPasses(const std::string &text, const CheckOptions &options, CheckResult &result) {
  DialectRegistry registry;
  rnn::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  std::string messages;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    // The first tells where; those after it only that it stayed wrong.
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && messages.empty())
      messages = diagnostic.str();
    return success();
  });
  auto wrong = [&] {
    result.stage = "passes";
    result.message = messages;
  };

  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, ParserConfig(&context));
  if (!module)
    return wrong();
  countOps(*module, result);
  ToScheduleOptions schedule;
  schedule.streams = static_cast<int64_t>(1 + options.seed % 3);
  if (!runChecked(*module, result, [&](OpPassManager &manager) { buildToGradientPipeline(manager, schedule); }))
    return wrong();
  countOps(*module, result);
  for (const char *mode : {"split", "sequential"}) {
    OwningOpRef<ModuleOp> copy = module->clone();
    schedule.mode = std::string(mode);
    if (!runChecked(*copy, result, [&](OpPassManager &manager) { buildToSchedulePipeline(manager, schedule); }))
      return wrong();
    countOps(*copy, result);
  }
}
