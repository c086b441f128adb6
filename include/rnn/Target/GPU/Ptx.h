//===- Ptx.h - Kernels for CUDA -----------------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX by LLVM's NVPTX back end in this process, and cubins by the `ptxas` of a
// CUDA toolkit where there is one. Neither a GPU nor libdevice is used.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TARGET_GPU_PTX_H
#define RNN_TARGET_GPU_PTX_H

#include "mlir/IR/BuiltinOps.h"

#include <optional>
#include <string>

namespace mlir::rnn {

/// The chips that code is generated for, oldest first: `sm_80` … `sm_100`.
ArrayRef<StringRef> getCudaChips();

/// Of the GPUs with a chip that code is meant for.
struct ChipResources {
  int64_t multiprocessors; ///< so many blocks may wait for each other
  int64_t clusterBlocks;   ///< blocks of a cluster at most; 1: there are none
  int64_t sharedBytes;     ///< shared memory that a block may have
};

/// None if the chip is not known.
std::optional<ChipResources> getChipResources(StringRef chip);

/// A module of kernels in text.
struct PtxCode {
  std::string text;
  /// 83 is PTX 8.3: the lowest that has what the chip and the kernels need,
  /// but at least 8.0.
  unsigned version = 0;
};

/// Generates PTX for the kernels of a converted module (see LaunchTable.h),
/// which is lowered in place. `chip` is one of `getCudaChips()`. A function
/// that the kernels call and that has no body is an error.
FailureOr<PtxCode> emitPtx(ModuleOp module, StringRef chip);

/// The assembler of a CUDA toolkit.
struct Ptxas {
  std::string path;
  unsigned major = 0, minor = 0; ///< release of the toolkit
  std::string getName() const { return "ptxas " + std::to_string(major) + "." + std::to_string(minor); }
};

/// `ptxas` on PATH, else that of /usr/local/cuda; nothing if there is none.
std::optional<Ptxas> findPtxas();

/// What a kernel takes on a chip.
struct KernelUsage {
  std::string name;
  int64_t registers = 0, sharedBytes = 0;
  int64_t spillBytes = 0; ///< stored and loaded
};

/// A module of kernels in machine code.
struct Cubin {
  std::vector<char> bytes;
  SmallVector<KernelUsage> kernels;
};

/// True if `ptxas` knows the chip and this version of PTX.
bool canAssemble(const Ptxas &ptxas, const PtxCode &code, StringRef chip);

/// Assembles for a chip. What `ptxas` says against it is an error at `loc`.
FailureOr<Cubin> assemble(const Ptxas &ptxas, const PtxCode &code, StringRef chip, Location loc);

} // namespace mlir::rnn

#endif // RNN_TARGET_GPU_PTX_H
