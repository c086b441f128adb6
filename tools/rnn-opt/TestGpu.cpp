//===- TestGpu.cpp - Code for GPUs in rnn-opt -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "TestGpu.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"
#include "rnn/Target/GPU/LaunchTable.h"
#include "rnn/Target/GPU/Ptx.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::rnn;

namespace {
struct TestLaunchTable : PassWrapper<TestLaunchTable, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TestLaunchTable)

  StringRef getArgument() const final { return "test-rnn-launch-table"; }
  StringRef getDescription() const final { return "Print the launch table of a converted module to stdout"; }

  void runOnOperation() final {
    FailureOr<llvm::json::Object> table = buildLaunchTable(getOperation());
    if (failed(table))
      return signalPassFailure();
    llvm::outs() << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(*table)));
  }
};

struct TestEmitPtx : PassWrapper<TestEmitPtx, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TestEmitPtx)

  TestEmitPtx() = default;
  TestEmitPtx(const TestEmitPtx &other) : PassWrapper(other) {}

  StringRef getArgument() const final { return "test-rnn-emit-ptx"; }
  StringRef getDescription() const final { return "Print the kernels of a converted module as PTX to stdout"; }

  void runOnOperation() final {
    // What is printed is the outcome; the module stays as it is.
    OwningOpRef<ModuleOp> module = getOperation().clone();
    FailureOr<PtxCode> code = emitPtx(*module, chip);
    if (failed(code))
      return signalPassFailure();
    if (!usage) {
      llvm::outs() << code->text;
      return;
    }
    std::optional<Ptxas> ptxas = findPtxas();
    if (!ptxas || !canAssemble(*ptxas, *code, chip)) {
      getOperation().emitError("no ptxas for this code");
      return signalPassFailure();
    }
    FailureOr<Cubin> cubin = assemble(*ptxas, *code, chip, getOperation().getLoc());
    if (failed(cubin))
      return signalPassFailure();
    for (const KernelUsage &kernel : cubin->kernels)
      llvm::outs() << kernel.name << ": " << kernel.registers << " registers, " << kernel.sharedBytes
                   << " bytes shared, " << kernel.spillBytes << " bytes spilled\n";
  }

  Option<std::string> chip{*this, "chip", llvm::cl::desc("the chip to generate code for"), llvm::cl::init("sm_80")};
  Option<bool> usage{*this, "usage", llvm::cl::desc("print what ptxas says of each kernel instead"),
                     llvm::cl::init(false)};
};
} // namespace

void mlir::rnn::registerTestGpuPasses() {
  PassRegistration<TestLaunchTable>();
  PassRegistration<TestEmitPtx>();
}
