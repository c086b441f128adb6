//===- Execute.cpp - Run a function ---------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Execute.h"
#include "rnn/Runtime/Memory.h"
#include "rnn/Tools/Interrupt.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fnmatch.h>
#include <functional>

namespace mlir::rnn::tools {
namespace {

using namespace runtime;

bool startsWith(const std::string &text, const char *prefix) { return text.rfind(prefix, 0) == 0; }

/// How the values of several calls become one tensor.
enum class Joining { Frames, List, Sum, Union, Last };

Joining joiningOf(const TensorDesc &result) {
  if (result.hasFrames())
    return Joining::Frames;
  if (result.name == "loss" || result.name == "grad_norm")
    return Joining::List;
  if (startsWith(result.name, "sum.") || startsWith(result.name, "count."))
    return Joining::Sum;
  return result.name == "flags" ? Joining::Union : Joining::Last;
}

template <typename T>
void addAll(const HostTensor &part, HostTensor &whole) {
  for (size_t i = 0; i < part.data.size() / sizeof(T); ++i)
    whole.as<T>()[i] += part.as<T>()[i];
}

void join(Joining joining, int64_t call, const HostTensor &part, HostTensor &whole) {
  switch (joining) {
  case Joining::Frames:
    return; // written in place
  case Joining::List:
    std::memcpy(whole.data.data() + size_t(call) * part.data.size(), part.data.data(), part.data.size());
    return;
  case Joining::Sum:
    if (part.dtype == "f32")
      addAll<float>(part, whole);
    else if (part.dtype == "f64")
      addAll<double>(part, whole);
    else
      addAll<int64_t>(part, whole);
    return;
  case Joining::Union:
    *whole.as<int32_t>() |= *part.as<int32_t>();
    return;
  case Joining::Last:
    whole.data = part.data;
    return;
  }
}

Status checkFinite(const std::map<std::string, HostTensor> &parts, int64_t call) {
  auto flags = parts.find("flags");
  if (flags == parts.end() || !(*flags->second.as<int32_t>() & 1))
    return Status::success();
  auto valueOf = [&](const char *name, double otherwise) {
    auto found = parts.find(name);
    return found == parts.end() ? otherwise : elementAsDouble(found->second, 0);
  };
  return nonFiniteError(describeNonFinite(valueOf("loss", 0), valueOf("grad_norm", NAN)) +
                        " for 1 steps, first at step " + std::to_string(call + 1));
}

std::string shortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

} // namespace

std::string describeNonFinite(double loss, double gradNorm) {
  bool isLoss = !std::isfinite(loss);
  double value = isLoss ? loss : gradNorm;
  return std::string(isLoss ? "loss" : "gradient") + " is " + (std::isinf(value) ? value > 0 ? "inf" : "-inf" : "nan");
}

double elementAsDouble(const HostTensor &tensor, size_t index) {
  switch (parseDType(tensor.dtype)) {
  case DType::F32:
    return tensor.as<float>()[index];
  case DType::F64:
    return tensor.as<double>()[index];
  case DType::I1:
    return tensor.as<uint8_t>()[index];
  case DType::I8:
    return tensor.as<int8_t>()[index];
  case DType::I32:
    return tensor.as<int32_t>()[index];
  default:
    return double(tensor.as<int64_t>()[index]);
  }
}

std::vector<std::string> noteNonFiniteSignal(const Function &function, const std::map<std::string, HostTensor> &wholes,
                                             int64_t begin, int64_t end) {
  for (int64_t frame = begin; frame < end; ++frame)
    for (const TensorDesc &tensor : function.tensors) {
      if (tensor.role != Role::Result || tensor.name.rfind(kSignalsPrefix, 0) != 0 || !tensor.hasFrames())
        continue;
      const HostTensor &whole = wholes.at(tensor.name);
      size_t streams = size_t(whole.shape[1]), row = size_t(*numElements(whole.shape)) / size_t(whole.shape[0]);
      for (size_t i = 0; i < row; ++i)
        if (!std::isfinite(elementAsDouble(whole, size_t(frame) * row + i)))
          return {"first non-finite signal: %" + tensor.name.substr(std::strlen(kSignalsPrefix)) + ", frame " +
                  std::to_string(frame) + ", stream " + std::to_string(i / (row / streams))};
    }
  return {};
}

/// Error 21 if what the calls return does not fit in memory.
static Status checkMemory(const Function &function, int64_t frames) {
  double needed = 0, perFrame = 0, most = 0;
  std::string largest;
  for (const TensorDesc &tensor : function.tensors) {
    if (tensor.role != Role::Result)
      continue;
    double bytes = double(dtypeSize(tensor.dtype));
    for (int64_t dim : shapeFor(tensor, frames))
      bytes *= double(dim);
    needed += bytes;
    perFrame += tensor.hasFrames() ? bytes / double(frames) : 0;
    if (bytes > most) {
      most = bytes;
      largest = tensor.name;
    }
  }
  uint64_t available = availableMemory();
  if (needed <= double(available))
    return Status::success();
  auto text = [](double bytes) { return formatBytes(uint64_t(std::min(bytes, 0x1p63))); };
  std::string note = "largest: '" + largest + "' " + text(most);
  if (double fits = double(available) / perFrame; perFrame && fits >= 1)
    note += "; T=" + std::to_string(int64_t(fits)) + " fits";
  return memoryError("needs " + text(needed) + " for T=" + std::to_string(frames) + ", 'cpu' has " +
                         formatBytes(available) + " free",
                     {note});
}

/// Whether a run gives the tensor out: results, and of what lives in the session state, or all of a step's but its
/// seed.
static bool isOutput(const Function &function, const TensorDesc &tensor) {
  if (tensor.role == Role::Result || tensor.role == Role::State)
    return true;
  return function.kind == Function::Kind::Train && livesInSession(tensor.role) && tensor.name != "seed";
}

Status execute(Session &session, const Function &function, const Prepared &prepared, NamedTensors &outputs) {
  if (Status status = loadSession(session, function, prepared.stored); status.failed())
    return status;
  int64_t frames = prepared.frames;
  if (Status status = checkMemory(function, frames); status.failed())
    return status;
  int64_t advance = function.advance > 0 ? std::min(function.advance, frames) : frames;
  int64_t calls = (frames + advance - 1) / advance;

  std::map<std::string, HostTensor> arguments = prepared.arguments, parts, wholes;
  for (const TensorDesc &tensor : function.tensors) {
    if (tensor.role != Role::Result)
      continue;
    std::vector<int64_t> shape = shapeFor(tensor, frames);
    parts[tensor.name] = makeTensor(dtypeName(tensor.dtype), tensor.hasFrames() ? std::vector<int64_t>{0} : shape);
    if (joiningOf(tensor) == Joining::List && calls > 1)
      shape.insert(shape.begin(), calls);
    wholes[tensor.name] = makeTensor(dtypeName(tensor.dtype), shape);
    if (tensor.hasFrames() && wholes[tensor.name].data.empty())
      return memoryError("'" + tensor.name + "' does not fit in memory for T=" + std::to_string(frames));
  }

  for (int64_t call = 0; call < calls; ++call) {
    int64_t begin = call * advance, end = std::min(begin + advance, frames);
    std::vector<Binding> bindings;
    for (const TensorDesc &tensor : function.tensors) {
      if (tensor.role == Role::Argument) {
        auto given = arguments.find(tensor.name);
        if (given != arguments.end())
          bindings.push_back(tensor.hasFrames() ? bindFrames(tensor.name, given->second, begin, end)
                                                : bind(tensor.name, given->second));
      } else if (tensor.role == Role::Result) {
        bindings.push_back(tensor.hasFrames() ? bindFrames(tensor.name, wholes[tensor.name], begin, end)
                                              : bind(tensor.name, parts[tensor.name]));
      }
    }
    if (Status status = session.run(function.name, bindings); status.failed())
      return status;
    if (function.kind == Function::Kind::Train)
      if (Status status = checkFinite(parts, call); status.failed()) {
        status.notes = noteNonFiniteSignal(function, wholes, begin, end);
        return status;
      }
    for (const TensorDesc &tensor : function.tensors)
      if (tensor.role == Role::Result)
        join(joiningOf(tensor), call, parts[tensor.name], wholes[tensor.name]);
    if (interruptSignal())
      return interruptedStatus();
  }

  for (const TensorDesc &tensor : function.tensors) {
    if (tensor.role == Role::Result) {
      outputs.emplace_back(tensor.name, std::move(wholes[tensor.name]));
      continue;
    }
    if (!isOutput(function, tensor))
      continue;
    HostTensor value = makeTensor(dtypeName(tensor.dtype), tensor.shape);
    if (Status status = session.get(tensor.name, value); status.failed())
      return status;
    outputs.emplace_back(tensor.name, std::move(value));
  }
  return Status::success();
}

static bool matches(const std::string &glob, const std::string &name) {
  return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

Status checkOutputGlobs(const std::vector<std::string> &globs, const Function &function) {
  for (const std::string &glob : globs)
    if (std::none_of(function.tensors.begin(), function.tensors.end(), [&](const TensorDesc &tensor) {
          return isOutput(function, tensor) && matches(glob, tensor.name);
        }))
      return usageError("--outputs: no output matches '" + glob + "'");
  return Status::success();
}

void selectOutputs(const std::vector<std::string> &globs, NamedTensors &outputs) {
  if (globs.empty())
    return;
  auto isWanted = [&](const auto &output) {
    return std::any_of(globs.begin(), globs.end(),
                       [&](const std::string &glob) { return matches(glob, output.first); });
  };
  outputs.erase(std::remove_if(outputs.begin(), outputs.end(), std::not_fn(isWanted)), outputs.end());
}

std::string summaryTable(const NamedTensors &outputs) {
  std::vector<std::vector<std::string>> rows = {{"name", "dtype", "shape", "min", "max", "mean"}};
  for (const auto &[name, tensor] : outputs) {
    size_t count = size_t(*numElements(tensor.shape));
    double low = count ? elementAsDouble(tensor, 0) : 0, high = low, sum = 0;
    for (size_t i = 0; i < count; ++i) {
      double value = elementAsDouble(tensor, i);
      low = std::isnan(value) ? value : std::min(low, value);
      high = std::isnan(value) ? value : std::max(high, value);
      sum += value;
    }
    rows.push_back({name, tensor.dtype, shapeToString(tensor.shape), shortNumber(low), shortNumber(high),
                    shortNumber(count ? sum / double(count) : 0)});
  }
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const auto &row : rows)
    for (size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], row[c].size());
  std::string text;
  for (const auto &row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      std::string padding(widths[c] - row[c].size(), ' ');
      bool isText = c < 3;
      text += isText ? row[c] + padding : padding + row[c];
      text += c + 1 < row.size() ? "  " : "\n";
    }
  }
  return text;
}

} // namespace mlir::rnn::tools
