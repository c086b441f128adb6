//===- Compare.cpp - Compare results --------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace mlir::rnn::tools {
namespace {

using namespace runtime;

const HostTensor *find(const NamedTensors &tensors, const std::string &name) {
  for (const auto &[key, tensor] : tensors)
    if (key == name)
      return &tensor;
  return nullptr;
}

/// Elements that share a budget: the features of one frame and stream, or all of
/// a tensor without frames.
size_t groupSize(const Function &function, const std::string &name, const HostTensor &tensor) {
  size_t count = size_t(*numElements(tensor.shape));
  int64_t index = function.find(name);
  bool perFrame = index >= 0 && function.tensors[size_t(index)].hasFrames() && tensor.shape.size() >= 2;
  if (!perFrame || count == 0)
    return std::max<size_t>(count, 1);
  return std::max<size_t>(count / size_t(tensor.shape[0] * tensor.shape[1]), 1);
}

std::string indexText(const HostTensor &tensor, size_t flat) {
  std::vector<int64_t> index(tensor.shape.size());
  for (size_t d = index.size(); d-- > 0;) {
    index[d] = int64_t(flat) % tensor.shape[d];
    flat /= size_t(tensor.shape[d]);
  }
  return shapeToString(index);
}

std::string number(double value, const char *format = "%.3g") {
  char text[40];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

/// The worst element of one tensor.
struct Verdict {
  double error = 0, budget = 0, ratio = -1;
  size_t at = 0;
  size_t first = std::numeric_limits<size_t>::max(); // first element that differs
  bool undecided = false;
};

/// The budget of each element.
std::vector<double> budgets(const Function &function, const std::string &name, const HostTensor &got,
                            const HostTensor &expected, const Reference &reference, std::vector<bool> &undecided) {
  size_t count = size_t(*numElements(expected.shape));
  std::vector<double> budget(count, 0);
  undecided.assign(count, false);
  bool isFloatTensor = isFloat(parseDType(expected.dtype));
  if (reference.rtol || reference.atol) {
    for (size_t i = 0; i < count && isFloatTensor; ++i)
      budget[i] = reference.atol.value_or(0) + reference.rtol.value_or(0) * std::abs(elementAsDouble(expected, i));
    return budget;
  }
  const HostTensor *exact = find(reference.exact, name);
  if (!exact || exact->shape != expected.shape)
    return budget;
  size_t group = groupSize(function, name, expected);
  const bool isDouble = got.dtype == "f64";
  double unit = isDouble ? 0x1p-53 : 0x1p-24;
  // Below the smallest normal number the next ones are as far away as there.
  double least = isDouble ? 0x1p-1022 : 0x1p-126;
  for (size_t begin = 0; begin < count; begin += group) {
    double deviation = 0;
    for (const NamedTensors &run : reference.perturbed) {
      const HostTensor *perturbed = find(run, name);
      for (size_t i = begin; perturbed && i < begin + group; ++i) {
        double difference = std::abs(elementAsDouble(*perturbed, i) - elementAsDouble(*exact, i));
        deviation = std::max(deviation, difference);
        // A whole number that moves lies behind a comparison that flipped.
        if (!isFloatTensor && difference != 0)
          undecided[i] = true;
      }
    }
    for (size_t i = begin; i < begin + group && isFloatTensor; ++i)
      budget[i] = 8 * deviation + 4 * unit * std::max(std::abs(elementAsDouble(*exact, i)), least);
  }
  return budget;
}

Verdict judge(const HostTensor &got, const HostTensor &expected, const std::vector<double> &budget,
              const std::vector<bool> &undecided) {
  Verdict verdict;
  for (size_t i = 0; i < budget.size(); ++i) {
    double a = elementAsDouble(got, i), b = elementAsDouble(expected, i);
    bool equal = a == b || (std::isnan(a) && std::isnan(b));
    double error = equal ? 0 : std::abs(a - b);
    if (undecided[i] && error != 0) {
      verdict.undecided = true;
      continue;
    }
    // No budget covers the distance to an infinity.
    bool differs = !equal && !(std::isfinite(error) && error <= budget[i]);
    double ratio = !std::isfinite(error) ? HUGE_VAL : error == 0 ? 0 : error / std::max(budget[i], 1e-300);
    if (differs && verdict.first == std::numeric_limits<size_t>::max())
      verdict.first = i;
    if (ratio > verdict.ratio)
      verdict = {error, budget[i], ratio, i, verdict.first, verdict.undecided};
  }
  return verdict;
}

/// `%h, frame 41, stream 0, unit [17]` for a tensor with frames, else `h [3,4]`.
std::string placeOf(const Function &function, const std::string &name, const HostTensor &tensor, size_t at,
                    int64_t &frame) {
  int64_t index = function.find(name);
  frame = std::numeric_limits<int64_t>::max();
  if (index < 0 || !function.tensors[size_t(index)].hasFrames() || tensor.shape.size() < 2)
    return "'" + name + "' " + indexText(tensor, at);
  HostTensor unit{tensor.dtype, {tensor.shape.begin() + 2, tensor.shape.end()}, {}};
  size_t features = groupSize(function, name, tensor), streams = size_t(tensor.shape[1]);
  frame = int64_t(at / (features * streams));
  std::string signal = name.rfind(kSignalsPrefix, 0) == 0 ? name.substr(std::strlen(kSignalsPrefix)) : name;
  return "%" + signal + ", frame " + std::to_string(frame) + ", stream " + std::to_string(at / features % streams) +
         ", unit " + indexText(unit, at % features);
}

} // namespace

Status compareOutputs(const Function &function, const NamedTensors &outputs, const Reference &reference, bool quiet,
                      std::string &first) {
  bool anyDiffers = false;
  int64_t firstFrame = 0;
  for (const auto &[name, expected] : reference.expected) {
    const HostTensor *got = find(outputs, name);
    if (!got)
      return fileError("'" + function.name + "' has no output named '" + name + "'");
    bool bothFloat = isFloat(parseDType(got->dtype)) && isFloat(parseDType(expected.dtype));
    if ((got->dtype != expected.dtype && !bothFloat) || got->shape != expected.shape)
      return shapeError("output '" + name + "' is " + got->dtype + " " + shapeToString(got->shape) + ", expected " +
                        expected.dtype + " " + shapeToString(expected.shape));
    std::vector<bool> undecided;
    std::vector<double> budget = budgets(function, name, *got, expected, reference, undecided);
    Verdict verdict = judge(*got, expected, budget, undecided);
    bool differs = verdict.first != std::numeric_limits<size_t>::max();
    if (!quiet)
      std::printf("%s %s %s max-error %s budget %s at %s %s\n", name.c_str(), got->dtype.c_str(),
                  shapeToString(expected.shape).c_str(), number(verdict.error).c_str(), number(verdict.budget).c_str(),
                  budget.empty() ? "[]" : indexText(expected, verdict.at).c_str(),
                  differs             ? "DIFFERS"
                  : verdict.undecided ? "undecided"
                                      : "ok");
    if (!differs)
      continue;
    int64_t frame = 0;
    std::string place = placeOf(function, name, expected, verdict.first, frame);
    if (!anyDiffers || frame < firstFrame) {
      firstFrame = frame;
      first = "first difference: " + place + ": got " + number(elementAsDouble(*got, verdict.first), "%.9g") +
              ", expected " + number(elementAsDouble(expected, verdict.first), "%.9g");
    }
    anyDiffers = true;
  }
  if (!anyDiffers)
    return Status::success();
  return Status::error(Code::Differs, Kind::Other, "");
}

} // namespace mlir::rnn::tools
