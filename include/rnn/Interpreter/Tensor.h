//===- Tensor.h - Values of the interpreter ---------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INTERPRETER_TENSOR_H
#define RNN_INTERPRETER_TENSOR_H

#include "mlir/IR/BuiltinTypes.h"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace mlir::rnn {

/// A dense row-major tensor. Every float type is held as f64, every integer type as i64: sign-extended, but 0 or 1
/// for i1.
struct Tensor {
  std::vector<int64_t> shape;
  std::variant<std::vector<double>, std::vector<int64_t>> data;

  /// Zeros, of floats or of integers.
  static Tensor zeros(ArrayRef<int64_t> shape, bool isFloat);
  /// Zeros of a static type.
  static Tensor zeros(RankedTensorType type);
  /// The same value everywhere.
  static Tensor filled(ArrayRef<int64_t> shape, bool isFloat, double value);
  /// A scalar.
  static Tensor scalar(double value);
  static Tensor scalar(int64_t value);

  bool isFloat() const { return std::holds_alternative<std::vector<double>>(data); }
  /// The number of elements.
  int64_t size() const;

  std::vector<double> &floats() { return std::get<0>(data); }
  const std::vector<double> &floats() const { return std::get<0>(data); }
  std::vector<int64_t> &integers() { return std::get<1>(data); }
  const std::vector<int64_t> &integers() const { return std::get<1>(data); }

  /// The tensor of shape `part` that begins at row `row` of this one, seen as rows of that shape.
  Tensor getRow(int64_t row, ArrayRef<int64_t> part) const;
  /// Writes `part` over that row.
  void setRow(int64_t row, const Tensor &part);
};

/// Tensors by the names of the function's ABI (`rnn/Analysis/Abi.h`).
using TensorMap = std::map<std::string, Tensor, std::less<>>;

/// `value` as an integer of `width` bits: wrapped around and sign-extended, but 0 or 1 for one bit.
int64_t wrapInteger(uint64_t value, unsigned width);

} // namespace mlir::rnn

#endif // RNN_INTERPRETER_TENSOR_H
