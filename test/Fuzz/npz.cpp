//===- npz.cpp - Archives of NumPy -----------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "rnn/Runtime/TensorFile.h"

#include <cstring>
#include <zlib.h>

using namespace mlir::rnn;

template <typename T>
static size_t load(const std::string &bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

/// Checksums of members that are not compressed, which no mutation would meet, are put right.
static void mendChecksums(std::string &bytes) {
  constexpr size_t kEntrySize = 46, kHeaderSize = 30;
  for (size_t at = 0; (at = bytes.find("PK\1\2", at)) != std::string::npos && at + kEntrySize <= bytes.size(); ++at) {
    size_t size = load<uint32_t>(bytes, at + 24), header = load<uint32_t>(bytes, at + 42);
    if (load<uint16_t>(bytes, at + 10) != 0 || header + kHeaderSize > bytes.size())
      continue;
    size_t data = header + kHeaderSize + load<uint16_t>(bytes, header + 26) + load<uint16_t>(bytes, header + 28);
    if (data > bytes.size() || size > bytes.size() - data)
      continue;
    uint32_t checksum = uint32_t(crc32_z(0, reinterpret_cast<const Bytef *>(bytes.data() + data), size));
    std::memcpy(&bytes[at + 16], &checksum, sizeof(checksum));
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string bytes = toText(data, size);
  mendChecksums(bytes);
  runtime::TensorFile file;
  (void)runtime::parseNpz("fuzz", bytes, file);
  return 0;
}
