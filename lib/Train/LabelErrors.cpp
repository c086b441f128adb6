//===- LabelErrors.cpp - What CTC's best classes spell --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/LabelErrors.h"

#include <algorithm>
#include <numeric>

namespace mlir::rnn::train {
namespace {

using namespace runtime;
using tools::Binding;
using tools::Function;
using tools::Program;
using tools::TensorDesc;

std::string describe(const TensorDesc &tensor) {
  return std::string(dtypeName(tensor.dtype)) + " " + shapeToString(tensor.shape);
}

/// Finds an argument of integers that is not static.
Status findLabels(const std::string &name, const Function &function, size_t rank, const std::string &expected,
                  const TensorDesc *&found) {
  found = findArgument(function, name);
  if (!found)
    return usageError("'" + function.name + "' has no argument named '" + name + "' to count label errors with",
                      {"use --label-errors=<logits>,<labels>,<length>"});
  bool isIndex = found->dtype == DType::I32 || found->dtype == DType::I64;
  if (isIndex && found->rate != Rate::Static && signalShape(*found).size() == rank)
    return Status::success();
  return usageError("'" + name + "' of '" + function.name + "' is " + describe(*found) + ", expected " + expected);
}

/// The class with the largest logit, of several the first; not a number is never the largest.
template <typename Float>
int64_t bestClass(const Float *logits, int64_t classes) {
  int64_t best = 0;
  for (int64_t k = 1; k < classes; ++k)
    if (logits[k] > logits[best])
      best = k;
  return best;
}

int64_t integerAt(const HostTensor &tensor, size_t place) {
  return tensor.dtype == "i64" ? tensor.as<int64_t>()[place] : tensor.as<int32_t>()[place];
}

} // namespace

void Spelling::add(int64_t best) {
  if (best != last && best != 0)
    labels.push_back(best);
  last = best;
}

int64_t editDistance(const std::vector<int64_t> &from, const std::vector<int64_t> &to) {
  // Distances of a prefix of `from` to all prefixes of `to`.
  std::vector<int64_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (int64_t label : from) {
    int64_t diagonal = row[0]++;
    for (size_t j = 0; j < to.size(); ++j) {
      int64_t replaced = diagonal + (label != to[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

Status LabelErrors::create(const std::vector<std::string> &names, const Function &function, const Program &program,
                           const Data &data, const Feed &feed) {
  if (data.isSeries || feed.divides())
    return usageError("--label-errors needs separate sequences, but '" + data.path + "' " +
                      (data.isSeries ? "is one series" : "divides them by resets of its own"));
  int64_t index = function.find(names[0]);
  if (index < 0 || function.tensors[size_t(index)].role != Role::Result)
    return usageError(
        "'" + function.name + "' of '" + program.name() + "' does not return '" + names[0] +
            "' to count label errors with",
        {"it must be a result of '@" + function.network + "', and an artifact compiled with --keep=results"});
  logits = &function.tensors[size_t(index)];
  if (!isFloat(logits->dtype) || logits->rate != Rate::Frame || signalShape(*logits).size() != 1)
    return usageError("'" + names[0] + "' of '" + function.name + "' is " + describe(*logits) +
                      ", expected logits [T,B,C]");
  std::string labelsName = names.size() > 1 ? names[1] : "labels", lengthName = names.size() > 2 ? names[2] : "length";
  if (Status s = findLabels(labelsName, function, 1, "i32 or i64 [B,L] or [T,B,L]", labels); s.failed())
    return s;
  return findLabels(lengthName, function, 0, "i32 or i64 [B] or [T,B]", length);
}

void LabelErrors::bind(int64_t frames, std::vector<Binding> &bindings) {
  std::vector<int64_t> shape = tools::shapeFor(*logits, frames);
  if (values.shape != shape)
    values = makeTensor(dtypeName(logits->dtype), shape);
  bindings.push_back(tools::bind(logits->name, values));
}

void LabelErrors::count(const Chunk &chunk, const Feed &feed, std::vector<Spelling> &streams) {
  size_t b = chunk.sequences.size();
  streams.resize(b);
  int64_t classes = logits->shape.back(), most = labels->shape.back();
  const HostTensor &wanted = feed.argument(labels->name), &lengths = feed.argument(length->name);
  for (size_t place = 0; place < chunk.rows.size(); ++place) {
    if (chunk.rows[place] < 0)
      continue;
    size_t stream = place % b, at = place * size_t(classes);
    Spelling &spelling = streams[stream];
    if (chunk.starts[place])
      spelling = {};
    spelling.add(logits->dtype == DType::F64 ? bestClass(values.as<double>() + at, classes)
                                             : bestClass(values.as<float>() + at, classes));
    if (!chunk.ends[place] || !feed.counts(place))
      continue;
    size_t row = labels->rate == Rate::Stream ? stream : place;
    int64_t many = integerAt(lengths, length->rate == Rate::Stream ? stream : place);
    std::vector<int64_t> expected;
    for (int64_t i = 0; i < std::clamp<int64_t>(many, 0, most); ++i)
      expected.push_back(integerAt(wanted, row * size_t(most) + size_t(i)));
    errors += editDistance(spelling.labels, expected);
    counted += int64_t(expected.size());
  }
}

std::optional<double> LabelErrors::rate() const {
  return counted ? std::optional(double(errors) / double(counted)) : std::nullopt;
}

} // namespace mlir::rnn::train
