//===- Sample.cpp - Draw bytes from a model -------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Sample.h"
#include "rnn/Runtime/Random.h"
#include "rnn/Tools/Interrupt.h"
#include "rnn/Tools/Model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace mlir::rnn::tools {
namespace {

using namespace runtime;

constexpr size_t classes = 256;
/// Keeps samples apart from initializers and random ops of the same seed.
constexpr uint32_t sampleId = 0x73616d70;

/// Argument and result of a byte model; false if the function is none.
bool isByteModel(const Function &function, const TensorDesc *&input, const TensorDesc *&logits) {
  input = logits = nullptr;
  for (const TensorDesc &tensor : function.tensors) {
    bool frameRate = tensor.hasFrames() && tensor.rate == Rate::Frame;
    if (tensor.role == Role::Argument && !tensor.defaultValue) {
      bool bytes = frameRate && isInteger(tensor.dtype) && tensor.dtype != DType::I1 && tensor.shape.size() == 2;
      if (input || !bytes)
        return false;
      input = &tensor;
    }
    if (tensor.role == Role::Result && frameRate && isFloat(tensor.dtype) && tensor.shape.size() == 3 &&
        tensor.shape[2] == int64_t(classes) && !logits)
      logits = &tensor;
  }
  return input && logits;
}

/// Draws from softmax(logits / temperature) with a number of [0, 1).
uint8_t draw(const HostTensor &logits, size_t offset, double temperature, double uniform) {
  std::array<double, classes> weight;
  for (size_t i = 0; i < classes; ++i)
    weight[i] = logits.dtype == "f64" ? logits.as<double>()[offset + i] : logits.as<float>()[offset + i];
  auto best = std::max_element(weight.begin(), weight.end());
  if (temperature == 0)
    return uint8_t(best - weight.begin());
  double top = *best, sum = 0;
  for (double &w : weight)
    sum += w = std::exp((w - top) / temperature);
  double rest = uniform * sum;
  for (size_t i = 0; i < classes; ++i)
    if ((rest -= weight[i]) < 0)
      return uint8_t(i);
  return uint8_t(best - weight.begin());
}

} // namespace

Status findByteModel(const Program &program, const std::string &name, const Function *&function) {
  const Tables &tables = program.tables();
  std::string network = name;
  if (network.empty()) {
    std::vector<std::string> candidates;
    for (const Function &candidate : tables.functions)
      if (candidate.kind == Function::Kind::Train)
        candidates.push_back(candidate.network);
    if (candidates.empty())
      for (const Function &candidate : tables.functions)
        if (candidate.kind == Function::Kind::Infer)
          candidates.push_back(candidate.name);
    network = candidates.size() == 1 ? candidates[0] : "";
  }
  const Function *found = tables.findFunction(network);
  if (!found && !name.empty())
    return findFunction(tables, program.name(), name, function);
  if (found && found->kind != Function::Kind::Infer)
    found = tables.findFunction(found->network);
  if (!found)
    return usageError("'" + program.name() + "' has no single network to sample from; choose one with --function");
  const TensorDesc *input, *logits;
  if (!isByteModel(*found, input, logits))
    return usageError("'" + found->name + "' is not a byte model; --sample needs one integer argument and 256 logits");
  function = found;
  return Status::success();
}

Status sampleBytes(Session &session, const Function &function, const SampleOptions &options, std::string &text) {
  const TensorDesc *input, *logits;
  isByteModel(function, input, logits);
  if (Status status = session.reset(); status.failed())
    return status;
  std::string pending = options.prime.empty() ? "\n" : options.prime;
  PhiloxKey key = randomKey(sampleId, options.seed);
  int64_t streams = input->shape[1];
  for (int64_t i = 0; i < options.bytes; ++i) {
    int64_t frames = int64_t(pending.size());
    HostTensor bytes = makeTensor("i32", {frames, streams});
    for (size_t j = 0; j < bytes.data.size() / 4; ++j)
      bytes.as<int32_t>()[j] = uint8_t(pending[j / size_t(streams)]);
    HostTensor scores = makeTensor(dtypeName(logits->dtype), shapeFor(*logits, frames));
    if (Status status = session.run(function.name, {bind(input->name, bytes), bind(logits->name, scores)});
        status.failed())
      return status;
    size_t last = size_t(frames - 1) * size_t(streams) * classes;
    uint8_t next = draw(scores, last, options.temperature, toUniform(randomWord(key, 0, 0, uint64_t(i))));
    text.push_back(char(next));
    pending.assign(1, char(next));
    if (interruptSignal())
      return interruptedStatus();
  }
  return Status::success();
}

} // namespace mlir::rnn::tools
