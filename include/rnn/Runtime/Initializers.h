//===- Initializers.h - First values of parameters --------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_INITIALIZERS_H
#define RNN_RUNTIME_INITIALIZERS_H

#include "rnn/Runtime/Tables.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace mlir::rnn::runtime {

/// The id that seeds a parameter's initializer: the first 4 bytes of SHA-256 of
/// its name, little-endian, so that adding a parameter moves no other.
uint32_t initializerId(std::string_view name);

/// First values of a variable, row-major, in f64. Element i draws the word of
/// unit i, stream 0, time 0.
std::vector<double> initialValues(const Variable &variable, uint64_t seed);

/// Writes the values into `data`, rounding each once to the dtype; integers are
/// converted by truncation.
void storeValues(const std::vector<double> &values, DType dtype, void *data);

/// Writes `count` times the same value, rounded to the dtype, which must be
/// able to hold it.
void fillTensor(double value, DType dtype, int64_t count, void *data);

/// Makes the rows x columns matrix `a` (rows >= columns, row-major)
/// orthonormal: the Q of its QR decomposition with positive diagonal of R, by
/// unblocked Householder reflections.
void orthonormalize(std::vector<double> &a, int64_t rows, int64_t columns);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_INITIALIZERS_H
