//===- Data.cpp - Data to learn from --------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Data.h"
#include "rnn/Runtime/AtomicFile.h"
#include "rnn/Runtime/TensorFile.h"
#include "rnn/Tools/Inputs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <zlib.h>

namespace mlir::rnn::train {
namespace {

using namespace runtime;

void readBytes(const std::string &text, Data &data) {
  data.kind = Data::Kind::Bytes;
  auto bytes = std::make_shared<HostTensor>();
  bytes->dtype = "u8";
  bytes->shape = {int64_t(text.size())};
  const std::byte *first = reinterpret_cast<const std::byte *>(text.data());
  bytes->data.assign(first, first + text.size());
  data.columns = {{"", bytes, 0}, {"target", bytes, 1}};
  data.sequences = {{0, 1, int64_t(text.size())}};
  data.shift = 1;
}

/// The column of scales that belongs to a column of data: 0 for inputs, the
/// number of inputs for targets.
size_t scaleOffset(const Data &data, const Column &column) {
  return column.name == "target" ? size_t(data.columns[0].values->shape[1]) : 0;
}

bool isScaled(const Column &column) { return column.name != "mask"; }

/// Frames and sequences of the arrays so far, and the array that has told them.
struct Extent {
  int64_t frames = -1, sequences = 0;
  std::string from;
};

/// Takes the extent of an array of frame rate, or compares it.
Status checkFrames(const std::string &path, const std::string &name, const HostTensor &tensor, Extent &extent) {
  if (tensor.shape.size() < 2)
    return shapeError("'" + name + "' of '" + path + "' is " + shapeToString(tensor.shape) + ", expected [T,N,…]");
  if (tensor.shape[0] == 0 || tensor.shape[1] == 0)
    return shapeError("input '" + name + "' has " + std::to_string(tensor.shape[0]) + " frames of " +
                      std::to_string(tensor.shape[1]) + " sequences; at least 1 is required");
  if (extent.frames < 0)
    extent = {tensor.shape[0], tensor.shape[1], name};
  auto differs = [&](int64_t expected, int64_t given, const char *what) {
    return shapeError("'" + extent.from + "' has " + std::to_string(expected) + what + ", but '" + name + "' has " +
                      std::to_string(given));
  };
  if (tensor.shape[0] != extent.frames)
    return differs(extent.frames, tensor.shape[0], " frames");
  if (tensor.shape[1] != extent.sequences)
    return differs(extent.sequences, tensor.shape[1], " sequences");
  return Status::success();
}

/// Checks an array of stream or static rate.
Status checkShape(const Data &data, const Function &step, const TensorDesc &argument, const HostTensor &tensor,
                  const Extent &extent) {
  bool perSequence = argument.rate == Rate::Stream;
  std::vector<int64_t> expected = argument.shape, given = tensor.shape;
  if (perSequence)
    expected.erase(expected.begin());
  bool fits = given.size() == argument.shape.size() &&
              std::equal(expected.begin(), expected.end(), given.end() - int64_t(expected.size()));
  if (!fits) {
    std::string shape = perSequence ? "[N" : "[";
    for (int64_t dim : expected)
      shape += (shape == "[" ? "" : ",") + std::to_string(dim);
    return shapeError("'" + argument.name + "' of '" + data.path + "' is " + shapeToString(given) + ", expected " +
                          shape + "]",
                      {"'" + step.name + "' reads it once per " + (perSequence ? "sequence" : "step")});
  }
  if (perSequence && given[0] != extent.sequences)
    return shapeError("'" + extent.from + "' has " + std::to_string(extent.sequences) + " sequences, but '" +
                      argument.name + "' has " + std::to_string(given[0]));
  return Status::success();
}

/// The lengths of the sequences, from the array of this name.
Status takeLengths(HostTensor lengths, int64_t frames, Data &data) {
  int64_t count = int64_t(data.sequences.size());
  bool isWhole = isInteger(parseDType(lengths.dtype)) && lengths.dtype != "i1";
  if (!isWhole || lengths.shape != std::vector<int64_t>{count})
    return shapeError("'lengths' of '" + data.path + "' is " + lengths.dtype + " " + shapeToString(lengths.shape) +
                      ", expected i64 [" + std::to_string(count) + "]");
  TensorDesc wanted;
  wanted.name = "lengths";
  wanted.dtype = DType::I64;
  if (Status status = tools::convertTensor(wanted, data.path, /*cast=*/false, /*widen=*/false, lengths);
      status.failed())
    return status;
  for (int64_t n = 0; n < count; ++n) {
    int64_t length = lengths.as<int64_t>()[n];
    if (length < 1 || length > frames)
      return shapeError("length " + std::to_string(length) + " of sequence " + std::to_string(n) + " in '" + data.path +
                        "' is not in [1, " + std::to_string(frames) + "]");
    data.sequences[size_t(n)].frames = length;
  }
  return Status::success();
}

} // namespace

const TensorDesc *findArgument(const Function &function, const std::string &name) {
  int64_t index = function.find(name);
  bool found = index >= 0 && function.tensors[size_t(index)].role == Role::Argument;
  return found ? &function.tensors[size_t(index)] : nullptr;
}

std::vector<int64_t> signalShape(const TensorDesc &tensor) {
  size_t outer = tensor.rate == Rate::Frame ? 2 : tensor.rate == Rate::Stream ? 1 : 0;
  return {tensor.shape.begin() + int64_t(std::min(outer, tensor.shape.size())), tensor.shape.end()};
}

Status arrangeArrays(const Function *step, Data &data) {
  if (data.kind != Data::Kind::Arrays || !data.columns.empty())
    return Status::success();
  auto rateOf = [&](const std::string &name) {
    const TensorDesc *argument = step ? findArgument(*step, name) : nullptr;
    return argument ? argument->rate : Rate::Frame;
  };
  // What the network reads comes before what it is compared with.
  std::vector<std::string> names;
  for (const auto &[name, tensor] : data.arrays)
    if (name != "target" && name != "lengths")
      names.push_back(name);
  if (data.arrays.count("target"))
    names.push_back("target");

  Extent extent;
  for (const std::string &name : names)
    if (rateOf(name) == Rate::Frame)
      if (Status status = checkFrames(data.path, name, data.arrays[name], extent); status.failed())
        return status;
  if (extent.frames < 0)
    return fileError("'" + data.path + "' has no array [T,N,…]");
  for (const std::string &name : names) {
    auto values = std::make_shared<HostTensor>(std::move(data.arrays[name]));
    Rate rate = rateOf(name);
    if (rate == Rate::Frame) {
      values->shape.erase(values->shape.begin());
      values->shape[0] = extent.frames * extent.sequences;
    } else if (Status s = checkShape(data, *step, *findArgument(*step, name), *values, extent); s.failed()) {
      return s;
    }
    data.columns.push_back({name, std::move(values), 0, rate});
  }
  for (int64_t n = 0; n < extent.sequences; ++n)
    data.sequences.push_back({n, extent.sequences, extent.frames, n});
  bool perSequence = std::any_of(data.columns.begin(), data.columns.end(),
                                 [](const Column &column) { return column.rate == Rate::Stream; });
  data.isSeries = extent.sequences == 1 && !perSequence;
  auto lengths = data.arrays.find("lengths");
  Status status = Status::success();
  if (lengths != data.arrays.end())
    status = takeLengths(std::move(lengths->second), extent.frames, data);
  data.arrays.clear();
  return status;
}

Status readData(const std::string &path, const DataOptions &options, Data &data) {
  data = Data();
  data.path = path;
  std::string text;
  if (Status status = runtime::readFile(path, text); status.failed())
    return status;
  data.checksum = uint32_t(crc32_z(0, reinterpret_cast<const Bytef *>(text.data()), text.size()));
  std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".npz" || extension == ".safetensors") {
    TensorFile file;
    if (Status status = readTensorFile(path, file); status.failed())
      return status;
    data.kind = Data::Kind::Arrays;
    data.arrays = std::move(file.tensors);
    return Status::success();
  }
  if (extension == ".csv")
    return readCsv(text, options, data);
  readBytes(text, data);
  return Status::success();
}

void splitData(double fraction, Data &data, Data &validation) {
  validation = data;
  if (data.isSeries) {
    Sequence &whole = data.sequences[0];
    int64_t taken = int64_t(std::floor(double(whole.frames) * fraction));
    whole.frames -= taken;
    validation.sequences[0].first = whole.first + whole.frames * whole.stride;
    validation.sequences[0].frames = taken;
    if (taken <= data.shift)
      validation.sequences.clear();
    return;
  }
  int64_t count = int64_t(data.sequences.size()), taken = int64_t(std::floor(double(count) * fraction));
  validation.sequences.assign(data.sequences.end() - taken, data.sequences.end());
  data.sequences.resize(size_t(count - taken));
}

void measureScale(Data &data) {
  data.mean.clear();
  data.deviation.clear();
  for (const Column &column : data.columns) {
    if (!isScaled(column))
      continue;
    int64_t width = column.values->shape[1];
    for (int64_t c = 0; c < width; ++c) {
      double sum = 0, squares = 0, count = 0;
      for (const Sequence &sequence : data.sequences)
        for (int64_t r = sequence.first; r < sequence.first + sequence.frames; ++r) {
          double value = column.values->as<float>()[r * width + c];
          if (std::isnan(value))
            continue;
          sum += value;
          ++count;
        }
      double mean = count ? sum / count : 0;
      for (const Sequence &sequence : data.sequences)
        for (int64_t r = sequence.first; r < sequence.first + sequence.frames; ++r) {
          double value = column.values->as<float>()[r * width + c];
          if (!std::isnan(value))
            squares += (value - mean) * (value - mean);
        }
      double deviation = count ? std::sqrt(squares / count) : 0;
      data.mean.push_back(mean);
      data.deviation.push_back(deviation > 0 ? deviation : 1);
    }
  }
}

void applyScale(const std::vector<double> &mean, const std::vector<double> &deviation, Data &data) {
  data.mean = mean;
  data.deviation = deviation;
  for (const Column &column : data.columns) {
    if (!isScaled(column))
      continue;
    size_t width = size_t(column.values->shape[1]), offset = scaleOffset(data, column);
    float *values = column.values->as<float>();
    for (size_t i = 0; i < column.values->data.size() / 4; ++i) {
      size_t scale = offset + i % width;
      // A missing target is masked; its value only has to be finite.
      values[i] = std::isnan(values[i]) ? 0.0f : float((values[i] - mean[scale]) / deviation[scale]);
    }
  }
}

} // namespace mlir::rnn::train
