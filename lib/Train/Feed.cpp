//===- Feed.cpp - Arguments of a step from data ---------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Feed.h"
#include "rnn/Tools/Inputs.h"

#include <algorithm>
#include <cstring>

namespace mlir::rnn::train {
namespace {

using namespace runtime;
using tools::Binding;
using tools::Function;
using tools::TensorDesc;

/// What the data must give: arguments without a default.
std::vector<const TensorDesc *> wantedArguments(const Function &function) {
  std::vector<const TensorDesc *> wanted;
  for (const TensorDesc &tensor : function.tensors)
    if (tensor.role == Role::Argument && !tensor.defaultValue)
      wanted.push_back(&tensor);
  return wanted;
}

/// The only argument beside `target` and the reset.
const TensorDesc *onlyInput(const std::vector<const TensorDesc *> &wanted, const TensorDesc *reset) {
  const TensorDesc *input = nullptr;
  for (const TensorDesc *argument : wanted) {
    if (argument->name == "target" || argument == reset)
      continue;
    if (input)
      return nullptr;
    input = argument;
  }
  return input;
}

/// A column's shape as the user sees it: [T,N,…signal], [N,…signal] or […signal].
std::string shownShape(const Column &column) {
  const HostTensor &values = *column.values;
  std::string text = column.rate == Rate::Frame ? ",T,N" : column.rate == Rate::Stream ? ",N" : "";
  for (size_t d = column.rate == Rate::Static ? 0 : 1; d < values.shape.size(); ++d)
    text += "," + std::to_string(values.shape[d]);
  return values.dtype + " [" + text.substr(text.empty() ? 0 : 1) + "]";
}

Status checkColumn(const Function &function, const TensorDesc &argument, const Column &column, Data::Kind kind) {
  const HostTensor &values = *column.values;
  std::vector<int64_t> signal(values.shape.begin() + (column.rate != Rate::Static), values.shape.end());
  std::vector<int64_t> expected = signalShape(argument);
  bool fits = argument.rate == column.rate &&
              (signal == expected || (kind == Data::Kind::Csv && numElements(signal) == numElements(expected)));
  DType given = parseDType(values.dtype);
  bool floatFits = given == argument.dtype || (given == DType::F32 && argument.dtype == DType::F64);
  if (fits && (isFloat(argument.dtype) ? floatFits : isInteger(given)))
    return Status::success();
  std::string message = "input '" + argument.name + "' of '" + function.name + "' is " + shownShape(column) +
                        ", expected " + dtypeName(argument.dtype) + " " + shapeToString(argument.shape);
  return fits ? dtypeError(message) : shapeError(message);
}

/// Checks a column and gives it the argument's element type.
Status takeColumn(const Function &function, const TensorDesc &argument, Column &column, Data::Kind kind) {
  if (Status status = checkColumn(function, argument, column, kind); status.failed())
    return status;
  // Bytes stay bytes in memory where their conversion cannot fail.
  bool keepsBytes = column.values->dtype == "u8" && (argument.dtype == DType::I32 || argument.dtype == DType::I64);
  if (keepsBytes)
    return Status::success();
  return tools::convertTensor(argument, function.name, /*cast=*/false, /*widen=*/true, *column.values);
}

/// A column of truth values at the row of a frame.
bool flagAt(const Column &column, int64_t row) { return column.values->as<uint8_t>()[row + column.shift] != 0; }

} // namespace

void Feed::Pair::copy(int64_t row, size_t place, size_t elements) {
  const HostTensor &values = *column->values;
  size_t width = dtypeSize(argument->dtype), bytes = elements * width;
  std::byte *to = buffer.data.data() + place * bytes;
  if (values.dtype != "u8") {
    std::memcpy(to, values.data.data() + size_t(row) * bytes, bytes);
    return;
  }
  for (size_t e = 0; e < elements; ++e)
    to[e * width] = values.data[size_t(row) * elements + e]; // little-endian, the rest is zero
}

void Feed::Pair::fill(const Chunk &chunk) {
  std::vector<int64_t> shape = tools::shapeFor(*argument, chunk.frames);
  if (buffer.shape != shape)
    buffer = makeTensor(dtypeName(argument->dtype), shape);
  std::fill(buffer.data.begin(), buffer.data.end(), std::byte(0));
  size_t elements = size_t(*numElements(signalShape(*argument)));
  switch (argument->rate) {
  case Rate::Frame:
    for (size_t place = 0; place < chunk.rows.size(); ++place)
      if (chunk.rows[place] >= 0)
        copy(chunk.rows[place] + column->shift, place, elements);
    break;
  case Rate::Stream:
    for (size_t stream = 0; stream < chunk.sequences.size(); ++stream)
      if (chunk.sequences[stream] >= 0)
        copy(chunk.sequences[stream], stream, elements);
    break;
  case Rate::Static:
    copy(0, 0, elements);
    break;
  }
}

bool Feed::hasStreamArguments() const {
  return std::any_of(pairs.begin(), pairs.end(), [](const Pair &pair) { return pair.argument->rate == Rate::Stream; });
}

Status Feed::create(const Function &function, Data &data) {
  std::vector<const TensorDesc *> wanted = wantedArguments(function);
  for (const TensorDesc &tensor : function.tensors) {
    if (tensor.isReset)
      reset = &tensor;
    else if (tensor.role == Role::Argument && tensor.name == "mask")
      mask = &tensor;
  }
  const TensorDesc *input = onlyInput(wanted, reset);
  std::string given;
  for (Column &column : data.columns) {
    if (column.name == "mask") {
      maskColumn = &column;
      TensorDesc wantedMask;
      wantedMask.name = "mask";
      wantedMask.role = Role::Argument;
      wantedMask.rate = Rate::Frame;
      wantedMask.dtype = DType::I1;
      wantedMask.shape = mask ? mask->shape : std::vector<int64_t>{-1, -1};
      if (Status status = takeColumn(function, wantedMask, column, data.kind); status.failed())
        return status;
      continue;
    }
    const TensorDesc *argument = nullptr;
    if (column.name.empty()) {
      argument = input;
      if (!argument)
        return usageError("'" + function.name + "' has several inputs, but '" + data.path + "' gives one",
                          {"use .npz or .safetensors with arrays named as the arguments"});
    } else {
      argument = findArgument(function, column.name);
      if (!argument)
        return fileError("'" + function.name + "' has no tensor named '" + column.name + "'");
    }
    if (argument->defaultValue && argument != reset)
      return fileError("'" + column.name + "' is not taken from data, but '" + data.path + "' has it",
                       {"use --" + column.name});
    if (Status status = takeColumn(function, *argument, column, data.kind); status.failed())
      return status;
    if (argument == reset)
      resetColumn = &column;
    else
      pairs.push_back({&column, argument, {}});
    given += (given.empty() ? "" : ", ") + argument->name;
  }
  for (const TensorDesc *argument : wanted) {
    bool found = argument == reset ||
                 std::any_of(pairs.begin(), pairs.end(), [&](const Pair &pair) { return pair.argument == argument; });
    if (!found)
      return fileError("no input for '" + argument->name + "' of '" + function.name + "'", {"given: " + given});
  }
  return Status::success();
}

const HostTensor &Feed::argument(const std::string &name) const {
  return std::find_if(pairs.begin(), pairs.end(), [&](const Pair &pair) { return pair.argument->name == name; })
      ->buffer;
}

std::vector<Binding> Feed::fill(const Chunk &chunk) {
  std::vector<Binding> bindings;
  size_t places = chunk.rows.size();
  for (Pair &pair : pairs) {
    pair.fill(chunk);
    bindings.push_back(tools::bind(pair.argument->name, pair.buffer));
  }

  countedFrames = 0;
  std::vector<int64_t> grid = {chunk.frames, places ? int64_t(places) / chunk.frames : 0};
  if (maskBuffer.shape != grid)
    maskBuffer = makeTensor("i1", grid);
  for (size_t i = 0; i < places; ++i) {
    bool counts = chunk.rows[i] >= 0 && (!maskColumn || flagAt(*maskColumn, chunk.rows[i]));
    maskBuffer.as<uint8_t>()[i] = counts;
    countedFrames += counts;
  }
  if (mask)
    bindings.push_back(tools::bind("mask", maskBuffer));
  if (reset) {
    resetBuffer = makeTensor("i1", grid);
    std::memcpy(resetBuffer.data.data(), chunk.starts.data(), places);
    for (size_t i = 0; resetColumn && i < places; ++i)
      if (chunk.rows[i] >= 0 && flagAt(*resetColumn, chunk.rows[i]))
        resetBuffer.as<uint8_t>()[i] = 1;
    bindings.push_back(tools::bind(reset->name, resetBuffer));
  }
  return bindings;
}

} // namespace mlir::rnn::train
