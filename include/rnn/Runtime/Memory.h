//===- Memory.h - Aligned memory with huge pages ----------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_MEMORY_H
#define RNN_RUNTIME_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace mlir::rnn::runtime {

/// Zero-filled memory, aligned to 64 bytes; from 2 MiB on to huge pages.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer &&other) noexcept { *this = std::move(other); }
  Buffer &operator=(Buffer &&other) noexcept {
    std::swap(base, other.base);
    std::swap(length, other.length);
    return *this;
  }
  ~Buffer() { release(); }

  /// Replaces the memory by `bytes` zero bytes (at least one is allocated);
  /// false if there is not enough, then the buffer is empty.
  bool allocate(size_t bytes);
  void release();

  void *data() const { return base; }
  size_t size() const { return length; }

private:
  void *base = nullptr;
  size_t length = 0;
};

/// Bytes that the machine or the process's memory group can still give.
uint64_t availableMemory();

/// `9.2 GiB`, `512 bytes`.
std::string formatBytes(uint64_t bytes);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_MEMORY_H
