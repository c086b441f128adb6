//===- artifact.cpp - Artifacts and their tables ---------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "rnn/Runtime/Artifact.h"
#include "rnn/Runtime/LaunchTable.h"
#include "rnn/Runtime/Sha256.h"

#include <cstring>

using namespace mlir::rnn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // Size and hash, which no mutation would meet, are put right.
  constexpr size_t kSizeAt = 8, kHashAt = 16, kBodyAt = 48;
  std::string bytes = toText(data, size);
  if (size >= kBodyAt) {
    uint64_t length = size;
    std::memcpy(&bytes[kSizeAt], &length, sizeof(length));
    runtime::Sha256Digest digest = runtime::sha256(bytes.data() + kBodyAt, size - kBodyAt);
    std::memcpy(&bytes[kHashAt], digest.data(), digest.size());
  }
  std::shared_ptr<const runtime::Artifact> artifact;
  if (runtime::Artifact::fromMemory(std::move(bytes), "fuzz", artifact).failed())
    return 0;
  runtime::LaunchTable launches;
  for (const runtime::Section &section : artifact->sections())
    if (section.kind == runtime::SectionKind::Launches)
      (void)runtime::parseLaunchTable(section.bytes, artifact->tables(), "fuzz", launches);
  return 0;
}
