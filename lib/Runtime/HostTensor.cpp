//===- HostTensor.cpp - A tensor in host memory ---------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/HostTensor.h"

namespace mlir::rnn::runtime {

size_t dtypeSize(std::string_view dtype) {
  if (dtype == "i1" || dtype == "i8" || dtype == "u8")
    return 1;
  if (dtype == "bf16" || dtype == "f16" || dtype == "i16" || dtype == "u16")
    return 2;
  if (dtype == "f32" || dtype == "i32" || dtype == "u32")
    return 4;
  if (dtype == "f64" || dtype == "i64" || dtype == "u64")
    return 8;
  return 0;
}

std::optional<int64_t> numElements(const std::vector<int64_t> &shape) {
  constexpr int64_t limit = int64_t(1) << 40;
  int64_t count = 1;
  bool empty = false;
  for (int64_t dim : shape) {
    if (dim < 0 || dim > limit)
      return std::nullopt;
    if (dim == 0) {
      empty = true;
      continue;
    }
    if (count > limit / dim)
      return std::nullopt;
    count *= dim;
  }
  return empty ? 0 : count;
}

std::string shapeToString(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i)
      text += ",";
    text += shape[i] < 0 ? "T" : std::to_string(shape[i]);
  }
  return text + "]";
}

HostTensor makeTensor(std::string dtype, std::vector<int64_t> shape) {
  HostTensor tensor;
  std::optional<int64_t> count = numElements(shape);
  if (count)
    tensor.data.resize(size_t(*count) * dtypeSize(dtype));
  tensor.dtype = std::move(dtype);
  tensor.shape = std::move(shape);
  return tensor;
}

} // namespace mlir::rnn::runtime
