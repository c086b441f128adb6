//===- CpuFeatures.h - What this CPU can run --------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_CPUFEATURES_H
#define RNN_RUNTIME_CPUFEATURES_H

#include "rnn/Runtime/Artifact.h"

#include <set>
#include <string>
#include <string_view>

namespace mlir::rnn::runtime {

/// The features of this CPU that its operating system supports.
class CpuFeatures {
public:
  /// Those of the kernel's /proc/cpuinfo.
  CpuFeatures();
  /// Those of a line in the kernel's spelling: `fpu sse4_1 avx512_vnni`.
  explicit CpuFeatures(std::string_view flags);

  /// True if a feature is there; names as in `-mattr`: `sse4.1`, `avx512vnni`.
  bool has(std::string_view feature) const;

private:
  std::set<std::string, std::less<>> names;
};

/// Error 19 if the CPU lacks a feature that a section's code needs.
Status checkFeatures(const Artifact &artifact, const CpuFeatures &cpu, const Section &code);

/// The host code that suits the CPU best: exact features, else the higher
/// level. Error 19 if there is none.
Status chooseHostCode(const Artifact &artifact, const CpuFeatures &cpu, const Section *&code);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_CPUFEATURES_H
