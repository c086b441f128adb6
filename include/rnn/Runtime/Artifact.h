//===- Artifact.h - A loaded artifact ---------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_ARTIFACT_H
#define RNN_RUNTIME_ARTIFACT_H

#include "rnn/Runtime/ArtifactFormat.h"
#include "rnn/Runtime/Tables.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mlir::rnn::runtime {

/// A checked artifact in memory; immutable, shared by sessions. Opening copies
/// the file, so that nobody can change it once its hash was checked.
class Artifact {
public:
  /// Errors: messages 18 (version, damage) and files that cannot be read.
  static Status open(const std::string &path, std::shared_ptr<const Artifact> &artifact);
  /// `name` stands for the file in messages.
  static Status fromMemory(std::string bytes, std::string name, std::shared_ptr<const Artifact> &artifact);

  /// The path as it was given.
  const std::string &name() const { return fileName; }
  const Tables &tables() const { return parsed; }
  const std::vector<Section> &sections() const { return parts; }
  /// Bytes of the first section of a kind; empty if there is none.
  std::string_view section(SectionKind kind) const;
  /// The section of a kind for a target; null if there is none.
  const Section *find(SectionKind kind, std::string_view target) const;
  /// `cpu:x86-64-v3, cuda:sm_90`: what it has code for.
  std::string targets() const;

private:
  Artifact() = default;

  std::string fileName;
  std::string bytes;
  std::vector<Section> parts;
  Tables parsed;
};

/// Reads a regular file of at most `limit` bytes.
Status readFile(const std::string &path, std::string &bytes, uint64_t limit = uint64_t(1) << 40);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_ARTIFACT_H
