//===- HostTensor.h - A tensor in host memory -------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_HOSTTENSOR_H
#define RNN_RUNTIME_HOSTTENSOR_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mlir::rnn::runtime {

/// Bytes per element of `f32 f64 i1 i8 i32 i64` and, for files, of the other
/// types that tensor files know (`bf16 f16 u8 i16 u16 u32 u64`); 0 if unknown.
/// `i1` is one byte, 0 or 1.
size_t dtypeSize(std::string_view dtype);

/// Product of the dimensions, 1 for rank 0; nothing if a dimension is negative
/// or the product exceeds 2^40 elements.
std::optional<int64_t> numElements(const std::vector<int64_t> &shape);

/// A shape as messages show it: `[128,4,256]`; -1 prints as T.
std::string shapeToString(const std::vector<int64_t> &shape);

/// A dense tensor, row-major, that owns its bytes (little-endian).
struct HostTensor {
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  template <typename T>
  T *as() {
    return reinterpret_cast<T *>(data.data());
  }
  template <typename T>
  const T *as() const {
    return reinterpret_cast<const T *>(data.data());
  }
};

/// A zero tensor; empty data if the dtype is unknown or the shape too large.
HostTensor makeTensor(std::string dtype, std::vector<int64_t> shape);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_HOSTTENSOR_H
