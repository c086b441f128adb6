//===- DeviceCode.h - What an artifact holds for a GPU ------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TARGET_GPU_DEVICECODE_H
#define RNN_TARGET_GPU_DEVICECODE_H

#include "mlir/IR/BuiltinOps.h"
#include "rnn/Runtime/ArtifactFormat.h"
#include "rnn/Target/GPU/Ptx.h"
#include "llvm/Support/JSON.h"

namespace mlir::rnn {

/// The chip of `cuda:<chip>`.
StringRef getCudaChip(StringRef target);

/// A converted module in code, for one target.
struct DeviceCode {
  /// Sections of the artifact, all for this target.
  std::vector<std::pair<runtime::SectionKind, std::vector<char>>> sections;
  /// The launch table, as it is in its section.
  llvm::json::Object launches;
  /// CPU features that the emulator's code needs, as in the artifact's
  /// `requires`.
  std::vector<std::string> requirements;
  /// For the report: the version of PTX, `8.0`; what made the cubin, or why
  /// there is none; what its kernels take.
  std::string ptx, cubin;
  SmallVector<KernelUsage> kernels;
};

/// Generates code for `cuda:<chip>` or `emulator` from a converted module (see
/// LaunchTable.h), which is lowered in place: the launch table, and PTX with a
/// cubin if there is a `ptxas` that knows the chip, or kernels as a shared
/// object for any CPU with x86-64-v3.
FailureOr<DeviceCode> emitDeviceCode(ModuleOp module, StringRef target);

} // namespace mlir::rnn

#endif // RNN_TARGET_GPU_DEVICECODE_H
