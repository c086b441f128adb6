//===- Sha256.h - SHA-256 ---------------------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_SHA256_H
#define RNN_RUNTIME_SHA256_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mlir::rnn::runtime {

using Sha256Digest = std::array<uint8_t, 32>;

/// The SHA-256 digest (FIPS 180-4) of `size` bytes.
Sha256Digest sha256(const void *data, size_t size);

/// The digest as 64 lower-case hex digits.
std::string toHex(const Sha256Digest &digest);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_SHA256_H
