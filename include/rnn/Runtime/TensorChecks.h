//===- TensorChecks.h - What may stand for a tensor -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Messages 14 and 16 of the interface, and the conversions that it allows:
// integers of any dtype whose values fit, f32 to f64 in widened sessions.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_TENSORCHECKS_H
#define RNN_RUNTIME_TENSORCHECKS_H

#include "rnn/Runtime/Tables.h"

#include <string>
#include <string_view>
#include <vector>

namespace mlir::rnn::runtime {

/// What a tensor is compared with, and who asks.
struct TensorCheck {
  const TensorDesc &desc;
  /// The function, or the artifact where no function is concerned.
  const std::string &owner;
  const std::string &artifact;
  int64_t streams;
  /// f32 is taken where f64 is expected.
  bool widened;

  /// Checks dtype, shape and address. T is free, but at least 1.
  Status check(const TensorRef &given) const;
  /// Checks that the elements fit the expected dtype. Those of a tensor in a
  /// GPU's memory do: its dtype is the expected one.
  Status checkValues(const TensorRef &given) const;
};

/// True if the bytes of `given` are not those that `dtype` has.
bool needsConversion(DType given, DType dtype);

/// Copies a tensor to `to`, converting to `dtype`; the values must fit.
void convert(const TensorRef &given, DType dtype, void *to);

/// Number of elements of a tensor whose shape was checked.
int64_t countElements(const TensorRef &tensor);

/// The known name closest to `name`; empty if none is close.
std::string_view findSimilar(std::string_view name, const std::vector<std::string_view> &known);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_TENSORCHECKS_H
