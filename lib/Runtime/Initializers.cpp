//===- Initializers.cpp - First values of parameters ----------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sums run in index order, loops are vectorized across columns only: the bits
// are the same on every machine.
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Initializers.h"

#include "rnn/Runtime/Random.h"
#include "rnn/Runtime/Sha256.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace mlir::rnn::runtime {

uint32_t initializerId(std::string_view name) {
  Sha256Digest digest = sha256(name.data(), name.size());
  return digest[0] | uint32_t(digest[1]) << 8 | uint32_t(digest[2]) << 16 | uint32_t(digest[3]) << 24;
}

namespace {

/// The part of a matrix below and right of (k, k), row-major.
struct Householder {
  std::vector<double> &a;
  int64_t rows, columns;
  std::vector<double> sums; ///< one per column

  double *row(int64_t i) { return a.data() + i * columns; }

  /// Applies I - beta v v^T with v = (1, a[k+1.., k]) to the columns from
  /// `first` on.
  void reflect(int64_t k, double beta, int64_t first) {
    for (int64_t j = first; j < columns; ++j)
      sums[j] = row(k)[j];
    for (int64_t i = k + 1; i < rows; ++i)
      for (int64_t j = first; j < columns; ++j)
        sums[j] += row(i)[k] * row(i)[j];
    for (int64_t j = first; j < columns; ++j)
      sums[j] *= beta;
    for (int64_t j = first; j < columns; ++j)
      row(k)[j] -= sums[j];
    for (int64_t i = k + 1; i < rows; ++i)
      for (int64_t j = first; j < columns; ++j)
        row(i)[j] -= row(i)[k] * sums[j];
  }
};

} // namespace

void orthonormalize(std::vector<double> &a, int64_t rows, int64_t columns) {
  Householder qr{a, rows, columns, std::vector<double>(columns)};
  std::vector<double> beta(columns), diagonal(columns);

  // R above the diagonal, the reflections' vectors (first element 1) below.
  for (int64_t k = 0; k < columns; ++k) {
    double below = 0;
    for (int64_t i = k + 1; i < rows; ++i)
      below += qr.row(i)[k] * qr.row(i)[k];
    double pivot = qr.row(k)[k];
    diagonal[k] = pivot;
    if (below == 0)
      continue;
    double norm = std::sqrt(pivot * pivot + below);
    diagonal[k] = pivot <= 0 ? norm : -norm;
    double head = pivot - diagonal[k];
    beta[k] = (diagonal[k] - pivot) / diagonal[k];
    for (int64_t i = k + 1; i < rows; ++i)
      qr.row(i)[k] /= head;
    qr.reflect(k, beta[k], k + 1);
  }

  // Q = H_0 H_1 ... applied to the first columns of the identity, last first.
  for (int64_t k = columns - 1; k >= 0; --k) {
    for (int64_t j = k + 1; j < columns; ++j)
      qr.row(k)[j] = 0;
    qr.reflect(k, beta[k], k + 1);
    qr.row(k)[k] = 1 - beta[k];
    for (int64_t i = k + 1; i < rows; ++i)
      qr.row(i)[k] *= -beta[k];
  }

  // With the diagonal of R made positive, Q is unique.
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      qr.row(i)[j] = diagonal[j] < 0 ? -qr.row(i)[j] : qr.row(i)[j];
}

namespace {

void transpose(const double *from, int64_t rows, int64_t columns, double *to) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      to[j * rows + i] = from[i * columns + j];
}

/// Makes each of `blocks` equal blocks of rows orthonormal in its tall
/// orientation. A tensor is a matrix of its last dimension.
void orthonormalizeBlocks(std::vector<double> &values, int64_t columns, int64_t blocks) {
  int64_t rows = int64_t(values.size()) / columns / blocks;
  std::vector<double> block(rows * columns);
  for (int64_t b = 0; b < blocks; ++b) {
    double *at = values.data() + b * rows * columns;
    if (rows >= columns) {
      block.assign(at, at + rows * columns);
      orthonormalize(block, rows, columns);
      std::copy(block.begin(), block.end(), at);
    } else {
      transpose(at, rows, columns, block.data());
      orthonormalize(block, columns, rows);
      transpose(block.data(), columns, rows, at);
    }
  }
}

} // namespace

std::vector<double> initialValues(const Variable &variable, uint64_t seed) {
  int64_t count = 1;
  for (int64_t dim : variable.shape)
    count *= dim;
  int64_t last = variable.shape.empty() ? 1 : variable.shape.back();
  const Initializer &init = variable.init;
  std::vector<double> values(count);
  PhiloxKey key = randomKey(initializerId(variable.name), seed);
  auto word = [&](int64_t i) { return randomWord(key, uint32_t(i), 0, 0); };

  switch (init.kind) {
  case Initializer::Kind::Zeros:
    break;
  case Initializer::Kind::Constant:
    values.assign(count, init.value);
    break;
  case Initializer::Kind::Uniform: {
    double bound = 1 / std::sqrt(double(last));
    double low = init.low.value_or(-bound), high = init.high.value_or(bound);
    for (int64_t i = 0; i < count; ++i)
      values[i] = low + (high - low) * toUniform(word(i));
    break;
  }
  case Initializer::Kind::Normal:
    for (int64_t i = 0; i < count; ++i)
      values[i] = init.mean + init.deviation * toNormal(word(i));
    break;
  case Initializer::Kind::Orthogonal:
    for (int64_t i = 0; i < count; ++i)
      values[i] = toNormal(word(i));
    orthonormalizeBlocks(values, last, init.blocks);
    for (double &value : values)
      value *= init.gain;
    break;
  }
  if (init.roundToF32)
    for (double &value : values)
      value = double(float(value));
  return values;
}

namespace {

/// Calls `write` with the data as an array of the dtype's C++ type.
template <typename Write>
void writeElements(DType dtype, void *data, Write write) {
  switch (dtype) {
  case DType::F32:
    return write(static_cast<float *>(data));
  case DType::F64:
    return write(static_cast<double *>(data));
  case DType::I1:
  case DType::I8:
    return write(static_cast<int8_t *>(data));
  case DType::I32:
    return write(static_cast<int32_t *>(data));
  case DType::I64:
    return write(static_cast<int64_t *>(data));
  default:
    return;
  }
}

} // namespace

void storeValues(const std::vector<double> &values, DType dtype, void *data) {
  writeElements(dtype, data, [&](auto *to) {
    for (double value : values)
      *to++ = std::decay_t<decltype(*to)>(value);
  });
}

void fillTensor(double value, DType dtype, int64_t count, void *data) {
  writeElements(dtype, data, [&](auto *to) { std::fill(to, to + count, std::decay_t<decltype(*to)>(value)); });
}

} // namespace mlir::rnn::runtime
