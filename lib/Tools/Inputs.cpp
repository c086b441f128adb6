//===- Inputs.cpp - Tensors that a user gives -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Inputs.h"
#include "rnn/Tools/CommandLine.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace mlir::rnn::tools {
namespace {

using namespace runtime;

bool startsWith(const std::string &text, const char *prefix) { return text.rfind(prefix, 0) == 0; }

std::string describe(const std::string &dtype, const std::vector<int64_t> &shape) {
  return dtype + " " + shapeToString(shape);
}

/// Elements as signed 128-bit numbers, so that all integer types compare.
__int128 readInteger(const HostTensor &tensor, DType dtype, size_t i) {
  switch (dtype) {
  case DType::I1:
  case DType::U8:
    return tensor.as<uint8_t>()[i];
  case DType::I8:
    return tensor.as<int8_t>()[i];
  case DType::I16:
    return tensor.as<int16_t>()[i];
  case DType::U16:
    return tensor.as<uint16_t>()[i];
  case DType::I32:
    return tensor.as<int32_t>()[i];
  case DType::U32:
    return tensor.as<uint32_t>()[i];
  case DType::U64:
    return tensor.as<uint64_t>()[i];
  default:
    return tensor.as<int64_t>()[i];
  }
}

template <typename T>
bool storeInteger(__int128 value, HostTensor &tensor, size_t i) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
    return false;
  tensor.as<T>()[i] = T(value);
  return true;
}

bool writeInteger(__int128 value, DType dtype, HostTensor &tensor, size_t i) {
  switch (dtype) {
  case DType::I1:
    return (value == 0 || value == 1) && storeInteger<uint8_t>(value, tensor, i);
  case DType::I8:
    return storeInteger<int8_t>(value, tensor, i);
  case DType::I32:
    return storeInteger<int32_t>(value, tensor, i);
  default:
    return storeInteger<int64_t>(value, tensor, i);
  }
}

float halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16, exponent = (bits >> 10) & 31, fraction = bits & 0x3ff;
  uint32_t word;
  if (exponent == 0) {
    float value = float(fraction) * 0x1p-24f;
    std::memcpy(&word, &value, 4);
  } else {
    word = (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
  }
  word |= sign;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}

double readFloat(const HostTensor &tensor, size_t i) {
  if (tensor.dtype == "f64")
    return tensor.as<double>()[i];
  if (tensor.dtype == "f32")
    return tensor.as<float>()[i];
  uint16_t bits = tensor.as<uint16_t>()[i];
  if (tensor.dtype == "f16")
    return halfToFloat(bits);
  uint32_t word = uint32_t(bits) << 16; // bf16
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}

bool isFloatName(const std::string &dtype) {
  return dtype == "f64" || dtype == "f32" || dtype == "f16" || dtype == "bf16";
}

/// The axis of B in a tensor of a function; -1 if it has none.
int streamAxis(const TensorDesc &tensor) {
  bool argument = tensor.role == Role::Argument || tensor.role == Role::Result;
  if (argument)
    return tensor.rate == Rate::Frame ? 1 : tensor.rate == Rate::Stream ? 0 : -1;
  if (tensor.role == Role::Ring || (tensor.role == Role::State && tensor.shape.size() > 1))
    return 1;
  return tensor.name == "state.age" ? 0 : -1;
}

Status wrongTensor(const TensorDesc &wanted, const std::string &function, const HostTensor &tensor, bool dtypeWrong) {
  std::string message = "input '" + wanted.name + "' of '" + function + "' is " + describe(tensor.dtype, tensor.shape) +
                        ", expected " + describe(dtypeName(wanted.dtype), wanted.shape);
  if (!dtypeWrong)
    return shapeError(message);
  bool bothFloat = isFloat(wanted.dtype) && isFloatName(tensor.dtype);
  return dtypeError(message, bothFloat ? Notes{"pass --cast to round it"} : Notes{});
}

Status checkShape(const Program &program, const Function &function, const TensorDesc &wanted, const HostTensor &tensor,
                  int64_t &frames, std::string &framesFrom) {
  std::vector<int64_t> expected = wanted.shape;
  if (wanted.hasFrames() && !tensor.shape.empty())
    expected[0] = tensor.shape[0];
  int axis = streamAxis(wanted);
  if (expected != tensor.shape) {
    bool onlyStreams = axis >= 0 && expected.size() == tensor.shape.size();
    for (size_t d = 0; onlyStreams && d < expected.size(); ++d)
      onlyStreams = int(d) == axis || expected[d] == tensor.shape[d];
    if (!onlyStreams)
      return wrongTensor(wanted, function.name, tensor, /*dtypeWrong=*/false);
    if (tensor.shape[axis] == 0)
      return shapeError("input '" + wanted.name + "' has 0 streams; at least 1 is required");
    std::string given = std::to_string(tensor.shape[axis]);
    return shapeError("input '" + wanted.name + "' has " + given + " streams, but '" + program.name() +
                          "' was compiled for " + std::to_string(expected[axis]),
                      {"recompile with --streams=" + given});
  }
  if (!wanted.hasFrames())
    return Status::success();
  if (tensor.shape[0] == 0)
    return shapeError("input '" + wanted.name + "' has 0 frames; at least 1 is required");
  if (framesFrom.empty()) {
    frames = tensor.shape[0];
    framesFrom = wanted.name;
  } else if (frames != tensor.shape[0]) {
    return shapeError("'" + framesFrom + "' has " + std::to_string(frames) + " frames, but '" + wanted.name + "' has " +
                      std::to_string(tensor.shape[0]));
  }
  return Status::success();
}

/// What a function may lack: a checkpoint is an ordinary input of every function
/// of its module.
bool mayBeSkipped(const Tables &tables, const std::string &name) {
  if (startsWith(name, "opt.") || startsWith(name, "ring.") || startsWith(name, "data."))
    return true;
  if (tables.findVariable(name))
    return true;
  return startsWith(name, "state.") && std::any_of(tables.functions.begin(), tables.functions.end(),
                                                   [&](const Function &f) { return f.find(name) >= 0; });
}

Status unknownName(const Function &function, const std::string &name) {
  std::vector<std::string> names;
  for (const TensorDesc &tensor : function.tensors)
    if (tensor.role != Role::Result)
      names.push_back(tensor.name);
  Status status = fileError("'" + function.name + "' has no tensor named '" + name + "'");
  if (std::optional<std::string> meant = nearestName(name, names))
    status.notes.push_back("did you mean '" + *meant + "'?");
  return status;
}

std::string shortHash(const std::string &hash) { return hash.substr(0, 4) + "…"; }

} // namespace

Status Inputs::read(const std::vector<std::string> &paths) {
  for (const std::string &path : paths) {
    TensorFile file;
    if (Status status = readTensorFile(path, file); status.failed())
      return status;
    for (auto &[name, tensor] : file.tensors) {
      auto [first, isNew] = origin.emplace(name, path);
      if (!isNew)
        return fileError("'" + name + "' is given by both '" + first->second + "' and '" + path + "'");
      tensors[name] = std::move(tensor);
    }
    if (!file.metadata.empty())
      metadata[path] = std::move(file.metadata);
  }
  return Status::success();
}

Status convertTensor(const TensorDesc &wanted, const std::string &function, bool cast, bool widen, HostTensor &tensor) {
  std::string expected = dtypeName(wanted.dtype);
  if (tensor.dtype == expected)
    return Status::success();
  size_t count = size_t(*numElements(tensor.shape));
  HostTensor result = makeTensor(expected, tensor.shape);
  if (isFloat(wanted.dtype)) {
    bool lossless = widen && tensor.dtype == "f32" && expected == "f64";
    if (!isFloatName(tensor.dtype) || (!cast && !lossless))
      return wrongTensor(wanted, function, tensor, /*dtypeWrong=*/true);
    for (size_t i = 0; i < count; ++i) {
      if (wanted.dtype == DType::F64)
        result.as<double>()[i] = readFloat(tensor, i);
      else
        result.as<float>()[i] = float(readFloat(tensor, i));
    }
  } else {
    DType from = parseDType(tensor.dtype);
    if (!isInteger(from))
      return wrongTensor(wanted, function, tensor, /*dtypeWrong=*/true);
    for (size_t i = 0; i < count; ++i)
      if (!writeInteger(readInteger(tensor, from, i), wanted.dtype, result, i))
        return dtypeError("input '" + wanted.name + "' of '" + function + "' is " +
                          describe(tensor.dtype, tensor.shape) + ", and a value does not fit " + expected);
  }
  tensor = std::move(result);
  return Status::success();
}

Status prepareInputs(const Program &program, const Function &function, const Inputs &inputs,
                     const PrepareOptions &options, Prepared &prepared) {
  for (const auto &[path, metadata] : inputs.metadata) {
    if (!options.widen && metadata.count("rnn.network_hash"))
      if (Status status = checkNetwork(program, path, metadata, inputs.tensors); status.failed())
        return status;
  }
  auto isIgnored = [&](const std::string &name) {
    return options.ignoreState && (startsWith(name, "state.") || startsWith(name, "ring."));
  };
  for (const auto &[name, given] : inputs.tensors) {
    int64_t index = function.find(name);
    bool known = index >= 0 && function.tensors[size_t(index)].role != Role::Result;
    if (!known && !isIgnored(name) && !mayBeSkipped(program.tables(), name))
      return unknownName(function, name);
  }
  std::string framesFrom;
  for (const TensorDesc &wanted : function.tensors) {
    auto found = inputs.tensors.find(wanted.name);
    if (found == inputs.tensors.end() || wanted.role == Role::Result || isIgnored(wanted.name) ||
        (wanted.role == Role::Argument && options.ignoreArguments))
      continue;
    const auto &[name, given] = *found;
    if (Status status = checkShape(program, function, wanted, given, prepared.frames, framesFrom); status.failed()) {
      // A wrong dtype is the more helpful thing to say of the two.
      bool wrongKind = isFloat(wanted.dtype) != isFloatName(given.dtype);
      return wrongKind ? wrongTensor(wanted, function.name, given, /*dtypeWrong=*/true) : status;
    }
    HostTensor tensor = given;
    if (Status status = convertTensor(wanted, function.name, options.cast, options.widen, tensor); status.failed())
      return status;
    (wanted.role == Role::Argument ? prepared.arguments : prepared.stored)[name] = std::move(tensor);
  }
  if (options.ignoreArguments)
    return Status::success();

  for (const TensorDesc &wanted : function.tensors) {
    if (wanted.role != Role::Argument || wanted.defaultValue || prepared.arguments.count(wanted.name) ||
        wanted.name == "seed")
      continue;
    std::string given;
    for (const auto &[name, tensor] : prepared.arguments)
      given += (given.empty() ? "" : ", ") + name;
    return fileError("no input for '" + wanted.name + "' of '" + function.name + "'",
                     {"given: " + (given.empty() ? "nothing" : given)});
  }
  return Status::success();
}

Status checkNetwork(const Program &program, const std::string &path, const std::map<std::string, std::string> &metadata,
                    const std::map<std::string, HostTensor> &tensors) {
  auto hash = metadata.find("rnn.network_hash");
  const std::string &expected = program.tables().networkHash;
  if (hash == metadata.end() || hash->second == expected)
    return Status::success();
  Status status = fileError("'" + path + "' belongs to another network (hash " + shortHash(hash->second) +
                            ", expected " + shortHash(expected) + ")");
  for (const Variable &variable : program.tables().variables) {
    auto found = tensors.find(variable.name);
    if (!variable.isParameter || (found != tensors.end() && found->second.shape == variable.shape))
      continue;
    std::string there = found == tensors.end() ? "none" : shapeToString(found->second.shape);
    status.notes.push_back("differs in: '" + variable.name + "' " + shapeToString(variable.shape) + " here, " + there +
                           " there");
    break;
  }
  return status;
}

Status loadSession(Session &session, const Function &function, const std::map<std::string, HostTensor> &stored) {
  bool anyState = false;
  for (const auto &[name, tensor] : stored) {
    anyState |= startsWith(name, "state.") && name != "state.frame";
    if (Status status = session.set(name, tensor); status.failed())
      return status;
  }
  int64_t age = function.find("state.age");
  if (!anyState || age < 0 || stored.count("state.age"))
    return Status::success();
  HostTensor known = makeTensor("i64", function.tensors[size_t(age)].shape);
  std::fill_n(known.as<int64_t>(), known.data.size() / 8, int64_t(std::numeric_limits<int32_t>::max()));
  return session.set("state.age", known);
}

} // namespace mlir::rnn::tools
