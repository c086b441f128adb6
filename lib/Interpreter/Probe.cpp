//===- Probe.cpp - Functions run on made-up inputs ------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Interpreter/Probe.h"
#include "rnn/Analysis/Abi.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir;
using namespace mlir::rnn;

/// One step of splitmix64.
static uint64_t mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static BPTTAttr getBptt(RNNFunctionInterface function) {
  if (auto step = dyn_cast<StepOp>(function.getOperation()))
    return step.getBpttAttr();
  if (auto schedule = dyn_cast<ScheduleOp>(function.getOperation()))
    return schedule.getBpttAttr();
  return {};
}

int64_t rnn::getProbeHistory(RNNFunctionInterface function) {
  BPTTAttr bptt = getBptt(function);
  return bptt ? bptt.getWindow() / bptt.getAdvance() - 1 : 0;
}

int64_t rnn::getProbeFrames(RNNFunctionInterface function, const ProbeOptions &options, int64_t chunk) {
  int64_t frames = options.frames;
  if (BPTTAttr bptt = getBptt(function))
    frames = std::min(frames, bptt.getAdvance());
  return std::max<int64_t>(1, frames - chunk % 2);
}

int64_t rnn::getProbeStreams(RNNFunctionInterface function, const ProbeOptions &options) {
  if (auto schedule = dyn_cast<ScheduleOp>(function.getOperation()); schedule && !schedule.hasAnyStreams())
    return static_cast<int64_t>(schedule.getStreams());
  return options.streams;
}

TensorMap rnn::getProbeInputs(RNNFunctionInterface function, const ProbeOptions &options, int64_t chunk) {
  int64_t streams = getProbeStreams(function, options);
  int64_t frames = getProbeFrames(function, options, chunk);
  std::optional<unsigned> reset = function.getResetIndex();
  TensorMap inputs;
  inputs["seed"] = Tensor::scalar(static_cast<int64_t>(options.seed));
  for (const AbiTensor &desc : getAbi(function, streams)) {
    bool isParameter = desc.role == AbiRole::Parameter;
    if (!isParameter && desc.role != AbiRole::Argument)
      continue;
    std::vector<int64_t> shape;
    if (desc.rate == Rate::Frame)
      shape.push_back(frames);
    if (desc.rate != Rate::Static)
      shape.push_back(streams);
    llvm::append_range(shape, desc.type.getShape());
    bool isFloat = isa<FloatType>(desc.type.getElementType());
    if (isFloat && desc.fill) {
      inputs[desc.name] = Tensor::filled(shape, isFloat, *desc.fill);
      continue;
    }

    uint64_t key = options.seed;
    for (unsigned char c : desc.name)
      key = mix(key ^ c);
    key = mix(key ^ static_cast<uint64_t>(isParameter ? 0 : chunk));
    bool isReset = reset && function.getArgName(*reset) == desc.name;
    Tensor &tensor = inputs[desc.name] = Tensor::zeros(shape, isFloat);
    for (int64_t i = 0; i < tensor.size(); ++i) {
      uint64_t bits = mix(key ^ static_cast<uint64_t>(i));
      double u = static_cast<double>(bits >> 11) * 0x1p-53;
      if (isFloat)
        tensor.floats()[i] = isParameter ? u - 0.5 : 2 * u - 1;
      else if (isReset)
        tensor.integers()[i] = u < 0.2;
      else if (desc.type.getElementType().isInteger(1))
        tensor.integers()[i] = u < 0.75;
      else
        tensor.integers()[i] = static_cast<int64_t>(3 * u);
    }
  }
  return inputs;
}

/// Restarts stream 0, as a host does.
static void resetFirstStream(TensorMap &session) {
  for (StringRef name : {"state.age", "ring.age"}) {
    auto it = session.find(name);
    if (it == session.end())
      continue;
    Tensor &ages = it->second;
    for (int64_t i = 0; i < ages.size(); i += ages.shape.back())
      ages.integers()[i] = -1;
  }
}

/// Inputs for chunk `chunk` that go on from the outputs of the chunk before.
static TensorMap getNextInputs(RNNFunctionInterface function, const ProbeOptions &options, int64_t chunk,
                               const TensorMap &before) {
  TensorMap inputs = getProbeInputs(function, options, chunk);
  for (auto &[name, tensor] : before)
    inputs[name] = tensor;
  if (chunk == 2)
    resetFirstStream(inputs);
  return inputs;
}

FailureOr<SmallVector<TensorMap>> rnn::probe(RNNFunctionInterface function, const ProbeOptions &options) {
  // Composites name parameters that only their expansion reads.
  FailureOr<OwningOpRef<ModuleOp>> module = cloneExpanded(function->getParentOfType<ModuleOp>());
  if (failed(module))
    return failure();
  function = cast<RNNFunctionInterface>(SymbolTable::lookupSymbolIn(**module, getFunctionName(function)));

  SmallVector<TensorMap> chunks;
  TensorMap before;
  for (int64_t chunk = 0; chunk < options.chunks; ++chunk) {
    TensorMap inputs = getNextInputs(function, options, chunk, before);
    if (failed(interpret(function, inputs, getProbeFrames(function, options, chunk), getProbeStreams(function, options),
                         before)))
      return failure();
    chunks.push_back(before);
  }
  return chunks;
}

/// Equal up to `tolerance`; equal if both are NaN.
static bool isClose(double x, double y, double tolerance) {
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) && std::isnan(y);
  return x == y || std::abs(x - y) <= tolerance;
}

/// The largest magnitude among finite elements.
static double getScale(const Tensor &tensor) {
  double scale = 0;
  for (double x : tensor.floats())
    scale = std::max(scale, std::isfinite(x) ? std::abs(x) : 0);
  return scale;
}

std::optional<std::string> rnn::findDifference(const TensorMap &expected, const TensorMap &found, double tolerance) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (auto &[name, tensor] : expected) {
    StringRef prefix = StringRef(name).take_until([](char c) { return c == '.'; });
    bool isAge = name == "state.age" || name == "state.frame" || name == "ring.age";
    auto it = found.find(name);
    if (it == found.end() || ((prefix == "state" || prefix == "ring") && !isAge))
      continue;
    const Tensor &other = it->second;
    os << "'" << name << "'";
    if (tensor.shape != other.shape || tensor.isFloat() != other.isFloat()) {
      os << ": expected [";
      llvm::interleave(tensor.shape, os, ",");
      os << "], got [";
      llvm::interleave(other.shape, os, ",");
      os << "]";
      return text;
    }
    double scale = tensor.isFloat() ? getScale(tensor) : 0;
    for (int64_t i = 0; i < tensor.size(); ++i) {
      if (tensor.isFloat() && !isClose(tensor.floats()[i], other.floats()[i], tolerance * scale + 1e-13)) {
        os << " at " << i << ": expected " << llvm::format("%.17g", tensor.floats()[i]) << ", got "
           << llvm::format("%.17g", other.floats()[i]);
        return text;
      }
      if (!tensor.isFloat() && tensor.integers()[i] != other.integers()[i]) {
        os << " at " << i << ": expected " << tensor.integers()[i] << ", got " << other.integers()[i];
        return text;
      }
    }
    text.clear();
  }
  return std::nullopt;
}

/// The derivative of `loss` with respect to element `i` of input `name`, by central differences.
static FailureOr<double> getDifference(RNNFunctionInterface step, TensorMap inputs, StringRef name, int64_t i,
                                       int64_t frames, int64_t streams) {
  constexpr double h = 1e-5;
  double values[2];
  double x = inputs[name.str()].floats()[i];
  for (int side : {0, 1}) {
    inputs[name.str()].floats()[i] = side ? x + h : x - h;
    TensorMap outputs;
    if (failed(interpret(step, inputs, frames, streams, outputs)))
      return failure();
    values[side] = outputs["loss"].floats()[0];
  }
  return (values[1] - values[0]) / (2 * h);
}

FailureOr<std::optional<std::string>> rnn::checkGradients(RNNFunctionInterface step, const ProbeOptions &options,
                                                          int64_t count) {
  std::optional<unsigned> loss = step.findResult("loss");
  if (!loss || step.getResRate(*loss) != Rate::Static)
    return step->emitError() << "'" << getFunctionName(step) << "' has no static result 'loss'";
  bool hasHistory = llvm::any_of(getAbi(step, 1), [](const AbiTensor &desc) { return desc.role == AbiRole::Ring; });
  TensorMap outputs;
  for (int64_t chunk = 0; chunk < (hasHistory ? 1 : options.chunks); ++chunk) {
    TensorMap inputs = getNextInputs(step, options, chunk, outputs);
    int64_t frames = getProbeFrames(step, options, chunk), streams = getProbeStreams(step, options);
    if (failed(interpret(step, inputs, frames, streams, outputs)))
      return failure();
    for (auto &[result, gradient] : outputs) {
      StringRef name = result;
      if (!name.consume_front("grad.") || !inputs.count(name.str()))
        continue;
      double tolerance = 1e-6 * getScale(gradient) + 1e-8 * (1 + getScale(outputs["loss"]));
      int64_t size = gradient.size(), stride = std::max<int64_t>(1, size / count);
      for (int64_t i = 0; i < size; i += stride) {
        FailureOr<double> expected = getDifference(step, inputs, name, i, frames, streams);
        if (failed(expected))
          return failure();
        if (isClose(*expected, gradient.floats()[i], tolerance))
          continue;
        std::string text;
        llvm::raw_string_ostream os(text);
        os << "'" << result << "' at " << i << ": expected " << llvm::format("%.17g", *expected) << ", got "
           << llvm::format("%.17g", gradient.floats()[i]);
        return std::optional<std::string>(text);
      }
    }
  }
  return std::optional<std::string>();
}
