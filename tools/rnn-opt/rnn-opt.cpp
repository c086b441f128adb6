//===- rnn-opt.cpp - The optimizer driver ---------------*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "TestGpu.h"
#include "TestInterpret.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "rnn/InitAllDialects.h"
#include "rnn/InitAllPasses.h"
#include "rnn/InitAllPipelines.h"
#include "rnn/Tools/CompilerVersion.h"
#include "rnn/Tools/DeepInput.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;

/// Runs the tool with the interpreter after every pass.
static LogicalResult runInterpretingEach(DialectRegistry &registry, StringRef input, StringRef output) {
  bool isWrong = false;
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  config.setPassPipelineSetupFn([&isWrong, plain = config](PassManager &pm) {
    pm.addInstrumentation(rnn::createInterpretEachInstrumentation(isWrong));
    return plain.setupPassPipeline(pm);
  });
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(input, &error);
  std::unique_ptr<llvm::ToolOutputFile> file = buffer ? openOutputFile(output, &error) : nullptr;
  if (!file) {
    llvm::errs() << "rnn-opt: error: " << error << "\n";
    return failure();
  }
  if (failed(MlirOptMain(file->os(), std::move(buffer), registry, config)) || isWrong)
    return failure();
  file->keep();
  return success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  rnn::tools::setCompilerVersionPrinter();
  DialectRegistry registry;
  rnn::registerAllDialects(registry);
  registerAllPasses();
  rnn::registerAllPasses();
  rnn::registerAllPipelines();
  rnn::registerTestGpuPasses();
  rnn::registerTestInterpretPasses();
  llvm::cl::opt<bool> interpretEach(
      "test-rnn-interpret-each",
      llvm::cl::desc("Interpret all functions before the first and after every pass, and fail where results change "
                     "(folding rounds constants of f32: put rnn-set-float first)"));
  if (rnn::tools::refuseDeepInput(argc, argv))
    return EXIT_FAILURE;
  auto [input, output] = registerAndParseCLIOptions(argc, argv, "rnn-mlir optimizer driver\n", registry);
  if (interpretEach)
    return asMainReturnCode(runInterpretingEach(registry, input, output));
  return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));
}
