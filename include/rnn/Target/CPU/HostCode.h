//===- HostCode.h - From MLIR to a shared object in memory --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TARGET_CPU_HOSTCODE_H
#define RNN_TARGET_CPU_HOSTCODE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <optional>
#include <string>
#include <vector>

namespace mlir::rnn {

/// Checks compiled into code: the process must have the sanitizer's runtime.
enum class HostSanitizer { None, Address, Thread };

/// The sanitizer that the compiler itself is built with.
HostSanitizer getOwnSanitizer();

/// The processor that code is generated for.
struct HostTarget {
  /// A processor or level known to LLVM: `x86-64-v3`, `x86-64-v4`, `znver4`.
  std::string cpu = "x86-64-v3";
  /// More features in LLVM's form: `+avx512bf16,-gfni`.
  std::string features;
  /// A build with a sanitizer has it look at generated code, too; what it
  /// compiles runs in programs of the same build.
  HostSanitizer sanitizer = getOwnSanitizer();
};

/// What code generators ask about a processor.
struct HostMachine {
  unsigned vectorBits = 128; ///< width of the widest usable register
  unsigned vectorRegisters = 16;
  bool hasFma = false;
  /// Features that the code may use, by LLVM's names, as in the artifact's
  /// `requires`.
  std::vector<std::string> requirements;
};

/// Describes a processor. An unknown one or one without fused multiply-add is
/// an error at `loc`.
FailureOr<HostMachine> describeHost(const HostTarget &target, Location loc);

/// The width of the widest usable register of a processor, or nothing of an
/// unknown one.
std::optional<unsigned> getHostVectorBits(const HostTarget &target);

/// The processor this process runs on, as a target.
HostTarget detectHost();

/// Lowers func, scf, vector, memref, math and arith to the llvm dialect.
void buildLowerToLLVMPipeline(OpPassManager &manager);

/// Compiles a module of the dialects above into an ELF shared object and
/// returns its bytes. The module is lowered in place. Functions that are not
/// private are exported under their names. Besides memcpy, memmove and memset
/// (and a sanitizer's runtime) an undefined symbol is an error. Links with
/// `ld.lld` of LLVM 22.
FailureOr<std::vector<char>> emitSharedObject(ModuleOp module, const HostTarget &target);

} // namespace mlir::rnn

#endif // RNN_TARGET_CPU_HOSTCODE_H
