//===- Kernels.cpp - Kernels in the gpu dialect, compiled and run ---------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "rnn/Conversion/Passes.h"
#include "rnn/Pipelines/Pipelines.h"

#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

static int races = 0;

int test::countRaces() { return races; }

/// ThreadSanitizer calls this at every report.
extern "C" void __tsan_on_report(void *) { ++races; }

Kernels::Kernels(const std::string &functions, const std::vector<std::pair<std::string, std::string>> &edits) {
  std::string text = "module attributes {gpu.container_module} { gpu.module @kernels {" + functions + "} }";
  for (const auto &[from, to] : edits) {
    size_t at = text.find(from);
    if (at == std::string::npos) {
      messages = "the kernels do not contain: " + from;
      return;
    }
    for (; at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  }
  std::unique_ptr<MLIRContext> context = makeContext();
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
  if (!module)
    return;
  PassManager manager(context.get());
  buildKernelsToNVVMPipeline(manager);
  manager.addPass(createConvertNVVMToEmulator());
  if (failed(manager.run(*module)))
    return;
  sharedBytes = (*module)->getAttrOfType<IntegerAttr>("rnn.shared_bytes").getInt();
  code = std::make_unique<NativeCode>(*module, testTarget());
  if (auto **table = code->symbol<const RnnEmulator *>(RNN_EMULATOR_VARIABLE))
    *table = runtime::Emulator::table();
  else if (messages.empty())
    messages = "the kernels cannot be loaded";
}

runtime::Status Kernels::run(const std::string &kernel, std::vector<void *> arguments, runtime::EmulatorLaunch launch,
                             uint64_t seed) {
  if (!messages.empty())
    return runtime::internalError(messages);
  // The arguments are addresses; the kernel gets the address of each.
  std::vector<void *> places;
  for (void *&argument : arguments)
    places.push_back(&argument);
  launch.kernel = kernel;
  launch.entry = code->symbol<void(void **)>(kernel);
  launch.arguments = places.data();
  launch.sharedBytes += sharedBytes;
  if (!launch.entry)
    return runtime::internalError("no kernel '" + kernel + "'");
  runtime::Emulator emulator(seed);
  return emulator.launch(launch);
}

runtime::EmulatorLaunch test::makeLaunch(uint32_t blocks, uint32_t threads, bool cooperative) {
  runtime::EmulatorLaunch launch;
  launch.grid = {blocks, 1, 1};
  launch.block = {threads, 1, 1};
  launch.cooperative = cooperative;
  return launch;
}
