//===- Tensor.cpp - Values of the interpreter -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Interpreter/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::rnn;

static int64_t countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

Tensor Tensor::zeros(ArrayRef<int64_t> shape, bool isFloat) { return filled(shape, isFloat, 0); }

Tensor Tensor::zeros(RankedTensorType type) { return zeros(type.getShape(), isa<FloatType>(type.getElementType())); }

Tensor Tensor::filled(ArrayRef<int64_t> shape, bool isFloat, double value) {
  Tensor result;
  result.shape = shape.vec();
  if (isFloat)
    result.data = std::vector<double>(countElements(shape), value);
  else
    result.data = std::vector<int64_t>(countElements(shape), static_cast<int64_t>(value));
  return result;
}

Tensor Tensor::scalar(double value) { return filled({}, /*isFloat=*/true, value); }

Tensor Tensor::scalar(int64_t value) {
  Tensor result = zeros({}, /*isFloat=*/false);
  result.integers()[0] = value;
  return result;
}

int64_t Tensor::size() const {
  return std::visit([](auto &values) { return static_cast<int64_t>(values.size()); }, data);
}

Tensor Tensor::getRow(int64_t row, ArrayRef<int64_t> part) const {
  int64_t count = countElements(part);
  Tensor result;
  result.shape = part.vec();
  std::visit(
      [&](auto &values) {
        auto begin = values.begin() + row * count;
        result.data = std::decay_t<decltype(values)>(begin, begin + count);
      },
      data);
  return result;
}

void Tensor::setRow(int64_t row, const Tensor &part) {
  if (isFloat())
    llvm::copy(part.floats(), floats().begin() + row * part.size());
  else
    llvm::copy(part.integers(), integers().begin() + row * part.size());
}

int64_t rnn::wrapInteger(uint64_t value, unsigned width) {
  return width == 1 ? static_cast<int64_t>(value & 1) : llvm::SignExtend64(value, width);
}
