//===- Kernels.h - Kernels in the gpu dialect, compiled and run -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_EMULATOR_KERNELS_H
#define RNN_UNITTESTS_EMULATOR_KERNELS_H

#include "../Conversion/NativeCode.h"
#include "rnn/Runtime/Emulator.h"

namespace mlir::rnn::test {

/// Kernels of a `gpu.module`, compiled for the emulator, with the sanitizer that
/// this program was built with.
class Kernels {
public:
  /// `functions` are `gpu.func`s. Each of `edits` replaces a text in them that
  /// must be there.
  explicit Kernels(const std::string &functions, const std::vector<std::pair<std::string, std::string>> &edits = {});

  /// What went wrong in compiling, or an empty text.
  const std::string &problem() const { return messages; }
  uint64_t staticSharedBytes() const { return sharedBytes; }

  /// Runs a kernel; `launch` has all but the function and its arguments, whose
  /// static shared memory is added.
  runtime::Status run(const std::string &kernel, std::vector<void *> arguments, runtime::EmulatorLaunch launch,
                      uint64_t seed);

private:
  std::string messages;
  uint64_t sharedBytes = 0;
  std::unique_ptr<NativeCode> code;
};

/// A launch of some blocks of some threads along x.
runtime::EmulatorLaunch makeLaunch(uint32_t blocks, uint32_t threads, bool cooperative = false);

/// So often has ThreadSanitizer reported something; always 0 without it.
int countRaces();

#if defined(__SANITIZE_THREAD__)
constexpr bool kFindsRaces = true;
#else
constexpr bool kFindsRaces = false;
#endif

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_EMULATOR_KERNELS_H
