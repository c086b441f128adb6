//===- TensorChecks.cpp - What may stand for a tensor ---------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/TensorChecks.h"

#include "rnn/Runtime/HostTensor.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

namespace mlir::rnn::runtime {
namespace {

std::vector<int64_t> shapeOf(const TensorRef &tensor) {
  return std::vector<int64_t>(tensor.shape, tensor.shape + tensor.rank);
}

/// The dimension that counts streams; -1 if there is none.
int64_t streamDimension(const TensorDesc &desc, int64_t streams) {
  int64_t dimension = desc.rate == Rate::Frame ? 1 : 0;
  if (desc.role == Role::State || desc.role == Role::Ring)
    dimension = desc.name == "state.age" ? 0 : 1;
  else if (desc.rate == Rate::Static)
    return -1;
  return dimension < int64_t(desc.shape.size()) && desc.shape[dimension] == streams ? dimension : -1;
}

bool dtypeFits(const TensorDesc &desc, const TensorRef &tensor, bool widened) {
  DType given = tensor.dtype;
  if (given == desc.dtype)
    return true;
  if (desc.role == Role::Result) // written in place
    return desc.dtype == DType::I1 && dtypeSize(given) == 1;
  if (!tensor.onHost()) // read in place, by nobody who could look at the values first
    return false;
  if (widened && given == DType::F32 && desc.dtype == DType::F64)
    return true;
  return isInteger(given) && isInteger(desc.dtype);
}

} // namespace

int64_t countElements(const TensorRef &tensor) {
  int64_t count = 1;
  for (int i = 0; i < tensor.rank; ++i)
    count *= tensor.shape[i];
  return count;
}

Status TensorCheck::check(const TensorRef &given) const {
  const char *what = desc.role == Role::Result ? "result" : "input";
  std::string quoted = std::string(what) + " '" + desc.name + "'";
  size_t differing = 0;
  int64_t dimension = -1;
  bool sameRank = size_t(given.rank) == desc.shape.size();
  for (int i = 0; sameRank && i < given.rank; ++i) {
    if (desc.shape[i] < 0 || desc.shape[i] == given.shape[i])
      continue;
    ++differing;
    dimension = i;
  }
  bool dtypeIsRight = dtypeFits(desc, given, widened);
  if (dtypeIsRight && differing == 1 && dimension == streamDimension(desc, streams)) {
    std::string count = std::to_string(given.shape[dimension]);
    return shapeError(quoted + " has " + count + " streams, but '" + artifact + "' was compiled for " +
                          std::to_string(streams),
                      {"recompile with --streams=" + count});
  }
  bool shapeIsRight = sameRank && differing == 0;
  if (!dtypeIsRight || !shapeIsRight) {
    std::string message = quoted + " of '" + owner + "' is " + dtypeName(given.dtype) + " " +
                          shapeToString(shapeOf(given)) + ", expected " + dtypeName(desc.dtype) + " " +
                          shapeToString(desc.shape);
    if (!shapeIsRight)
      return shapeError(message);
    return dtypeError(message);
  }
  if (desc.hasFrames() && given.shape[0] < 1)
    return shapeError(quoted + " has 0 frames; at least 1 is required");
  if (!given.data)
    return usageError(quoted + " of '" + owner + "' has no data");
  if (reinterpret_cast<uintptr_t>(given.data) % dtypeSize(given.dtype) != 0)
    return usageError(quoted + " of '" + owner + "' is not aligned to " + std::to_string(dtypeSize(given.dtype)) +
                      " bytes");
  return Status::success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

namespace {

/// Calls `visit` with the elements as an array of their C++ type.
template <typename Visit>
auto visitElements(DType dtype, void *data, Visit visit) {
  switch (dtype) {
  case DType::F32:
    return visit(static_cast<float *>(data));
  case DType::F64:
    return visit(static_cast<double *>(data));
  case DType::I1:
  case DType::U8:
    return visit(static_cast<uint8_t *>(data));
  case DType::I8:
    return visit(static_cast<int8_t *>(data));
  case DType::I16:
    return visit(static_cast<int16_t *>(data));
  case DType::U16:
    return visit(static_cast<uint16_t *>(data));
  case DType::U32:
    return visit(static_cast<uint32_t *>(data));
  case DType::I64:
    return visit(static_cast<int64_t *>(data));
  case DType::U64:
    return visit(static_cast<uint64_t *>(data));
  default:
    return visit(static_cast<int32_t *>(data));
  }
}

struct Range {
  int64_t low, high;
};

Range rangeOf(DType dtype) {
  switch (dtype) {
  case DType::I1:
    return {0, 1};
  case DType::I8:
    return {INT8_MIN, INT8_MAX};
  case DType::I32:
    return {INT32_MIN, INT32_MAX};
  default:
    return {INT64_MIN, INT64_MAX};
  }
}

/// The first element outside the range, as text.
template <typename T>
std::optional<std::string> findOutside(const T *values, int64_t count, Range range) {
  for (int64_t i = 0; i < count; ++i) {
    bool tooHigh = std::is_unsigned_v<T> ? uint64_t(values[i]) > uint64_t(range.high) : int64_t(values[i]) > range.high;
    bool tooLow = !std::is_unsigned_v<T> && int64_t(values[i]) < range.low;
    if (tooHigh || tooLow)
      return std::to_string(values[i]);
  }
  return std::nullopt;
}

} // namespace

Status TensorCheck::checkValues(const TensorRef &given) const {
  bool mayExceed = given.onHost() && (given.dtype != desc.dtype || desc.dtype == DType::I1);
  if (!isInteger(desc.dtype) || !mayExceed)
    return Status::success();
  int64_t count = countElements(given);
  std::optional<std::string> outside =
      visitElements(given.dtype, given.data, [&](auto *values) -> std::optional<std::string> {
        if constexpr (std::is_integral_v<std::decay_t<decltype(*values)>>)
          return findOutside(values, count, rangeOf(desc.dtype));
        return std::nullopt;
      });
  if (!outside)
    return Status::success();
  return dtypeError("input '" + desc.name + "' of '" + owner + "' has the value " + *outside + ", which " +
                    dtypeName(desc.dtype) + " cannot hold");
}

bool needsConversion(DType given, DType dtype) {
  return given != dtype && !(dtypeSize(given) == 1 && dtypeSize(dtype) == 1);
}

void convert(const TensorRef &given, DType dtype, void *to) {
  int64_t count = countElements(given);
  if (!needsConversion(given.dtype, dtype)) {
    std::memcpy(to, given.data, size_t(count) * dtypeSize(dtype));
    return;
  }
  visitElements(given.dtype, given.data, [&](auto *from) {
    visitElements(dtype, to, [&](auto *target) {
      using T = std::decay_t<decltype(*target)>;
      for (int64_t i = 0; i < count; ++i)
        target[i] = T(from[i]);
    });
  });
}

//===----------------------------------------------------------------------===//
// Similar names
//===----------------------------------------------------------------------===//

namespace {

/// Levenshtein distance.
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

} // namespace

std::string_view findSimilar(std::string_view name, const std::vector<std::string_view> &known) {
  std::string_view best;
  size_t bestDistance = name.size() / 3 + 2;
  for (std::string_view candidate : known) {
    if (candidate.size() > name.size() + bestDistance || name.size() > 256)
      continue;
    size_t distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

} // namespace mlir::rnn::runtime
