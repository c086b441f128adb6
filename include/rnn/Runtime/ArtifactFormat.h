//===- ArtifactFormat.h - The container of an artifact ----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes and reads the sections of an artifact; docs/Artifact.md has the
// layout. The compiler writes with it, the runtime reads with it. What is in a
// section is not looked at here.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_ARTIFACTFORMAT_H
#define RNN_RUNTIME_ARTIFACTFORMAT_H

#include "rnn/Runtime/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mlir::rnn::runtime {

/// The version that is written, and the newest that is read.
inline constexpr uint32_t kArtifactVersion = 1;

/// The most bytes of memory that an artifact may ask for, once or per frame: more than any machine has.
inline constexpr int64_t kMaxBytes = int64_t(1) << 48;

enum class SectionKind : uint32_t {
  Tables = 1,     ///< tensor tables, JSON
  HostCode = 2,   ///< shared object (ELF)
  Module = 3,     ///< level-1 module, MLIR bytecode
  Provenance = 4, ///< JSON
  Ptx = 5,
  Cubin = 6,
  Launches = 7,    ///< launch table of a device, JSON
  EmulatorCode = 8 ///< kernels for the emulator, shared object (ELF)
};

/// A section: the bytes belong to whoever holds the file.
struct Section {
  SectionKind kind;
  /// At most 31 bytes; empty where the kind has no target.
  std::string target;
  std::string_view bytes;
};

/// The bytes of an artifact with these sections, in this order. Equal sections
/// give equal bytes. Fails if a section is empty or a target too long.
Status writeArtifact(const std::vector<Section> &sections, std::string &file);

/// Checks magic, version, size, hash and the bounds of every section, then
/// lists the sections, which point into `file`. `name` is the file's name in
/// messages. Sections of a kind that this version does not know are listed too.
Status readArtifact(std::string_view file, const std::string &name, std::vector<Section> &sections);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_ARTIFACTFORMAT_H
