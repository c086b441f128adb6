//===- DeviceCode.cpp - What an artifact holds for a GPU ------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Target/GPU/DeviceCode.h"

#include "rnn/Conversion/Passes.h"
#include "rnn/Pipelines/Pipelines.h"
#include "rnn/Target/CPU/HostCode.h"
#include "rnn/Target/GPU/LaunchTable.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::rnn;
using runtime::SectionKind;

StringRef mlir::rnn::getCudaChip(StringRef target) {
  target.consume_front("cuda:");
  return target;
}

static std::vector<char> bytesOf(StringRef text) { return {text.begin(), text.end()}; }

/// PTX always, a cubin where it can be had: without one the driver compiles when the artifact is loaded.
static LogicalResult emitCudaCode(ModuleOp module, StringRef chip, DeviceCode &code) {
  FailureOr<PtxCode> ptx = emitPtx(module, chip);
  if (failed(ptx))
    return failure();
  code.ptx = llvm::formatv("{0}.{1}", ptx->version / 10, ptx->version % 10);
  code.sections.push_back({SectionKind::Ptx, bytesOf(ptx->text)});
  std::optional<Ptxas> ptxas = findPtxas();
  if (!ptxas) {
    code.cubin = "none: ptxas not found";
    return success();
  }
  code.cubin = ptxas->getName();
  if (!canAssemble(*ptxas, *ptx, chip)) {
    code.cubin = "none: " + code.cubin + " is too old";
    return success();
  }
  FailureOr<Cubin> cubin = assemble(*ptxas, *ptx, chip, module.getLoc());
  if (failed(cubin))
    return failure();
  code.kernels = std::move(cubin->kernels);
  code.sections.push_back({SectionKind::Cubin, std::move(cubin->bytes)});
  return success();
}

/// The emulator is a judge, not a racer: its code is the same on every machine.
static LogicalResult emitEmulatorCode(ModuleOp module, DeviceCode &code) {
  HostTarget host;
  FailureOr<HostMachine> machine = describeHost(host, module.getLoc());
  if (failed(machine))
    return failure();
  code.requirements = machine->requirements;
  PassManager manager(module.getContext());
  manager.enableVerifier(false); // emitSharedObject verifies
  buildKernelsToNVVMPipeline(manager);
  manager.addPass(createConvertNVVMToEmulator());
  if (failed(manager.run(module)))
    return failure();
  code.launches["static_shared_bytes"] = module->getAttrOfType<IntegerAttr>("rnn.shared_bytes").getInt();
  FailureOr<std::vector<char>> object = emitSharedObject(module, host);
  if (failed(object))
    return failure();
  code.sections.push_back({SectionKind::EmulatorCode, std::move(*object)});
  return success();
}

FailureOr<DeviceCode> mlir::rnn::emitDeviceCode(ModuleOp module, StringRef target) {
  FailureOr<llvm::json::Object> launches = buildLaunchTable(module);
  if (failed(launches))
    return failure();
  DeviceCode code;
  code.launches = std::move(*launches);
  if (failed(target == "emulator" ? emitEmulatorCode(module, code) : emitCudaCode(module, getCudaChip(target), code)))
    return failure();
  std::string table = llvm::formatv("{0}", llvm::json::Value(llvm::json::Object(code.launches)));
  code.sections.insert(code.sections.begin(), {SectionKind::Launches, bytesOf(table)});
  return code;
}
