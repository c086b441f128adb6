//===- DeviceCode.cpp - What an artifact holds for a GPU ------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Target/GPU/DeviceCode.h"

#include "rnn/Target/GPU/LaunchTable.h"
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

FailureOr<DeviceCode> mlir::rnn::emitDeviceCode(ModuleOp module, StringRef target) {
  DeviceCode code;
  FailureOr<llvm::json::Value> launches = buildLaunchTable(module);
  if (failed(launches))
    return failure();
  code.launches = std::move(*launches);
  code.sections.push_back({SectionKind::Launches, bytesOf(llvm::formatv("{0}", code.launches).str())});
  if (failed(emitCudaCode(module, getCudaChip(target), code)))
    return failure();
  return code;
}
