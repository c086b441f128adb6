//===- Call.cpp - One call of a function ----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Session::run: every check comes before anything is changed.
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Initializers.h"
#include "rnn/Runtime/Session.h"
#include "rnn/Runtime/TensorChecks.h"

#include <algorithm>

namespace mlir::rnn::runtime {
namespace {

Status tooLarge(const TensorDesc &tensor, int64_t frames) {
  return memoryError("cannot hold '" + tensor.name + "' for T=" + std::to_string(frames));
}

/// Makes room; what was there is lost only if there was not enough.
bool ensure(Buffer &buffer, uint64_t bytes) {
  return (buffer.data() && buffer.size() >= bytes) || (bytes <= availableMemory() && buffer.allocate(bytes));
}

std::string listInputs(const Function &function, const std::vector<const Binding *> &bound) {
  std::string text;
  for (size_t i = 0; i < bound.size(); ++i)
    if (bound[i] && function.tensors[i].role != Role::Result)
      text += (text.empty() ? "" : ", ") + function.tensors[i].name;
  return text.empty() ? "nothing" : text;
}

} // namespace

Status Session::bind(const Function &function, Plan &plan, const Binding *bindings, size_t count) const {
  std::fill(plan.bound.begin(), plan.bound.end(), nullptr);
  for (size_t i = 0; i < count; ++i) {
    const Binding &binding = bindings[i];
    auto it = plan.positions.find(binding.name);
    if (it == plan.positions.end()) {
      std::vector<std::string_view> known;
      for (const TensorDesc &tensor : function.tensors)
        known.push_back(tensor.name);
      return noTensor(binding.name, function.name, known);
    }
    const TensorDesc &desc = function.tensors[it->second];
    if (plan.bound[it->second])
      return fileError("'" + desc.name + "' is given twice");
    TensorCheck check{desc, function.name, source->name(), types.streams, widened};
    if (Status status = check.check(binding.tensor); status.failed())
      return status;
    if (Status status = checkPlace(desc.name, binding.tensor); status.failed())
      return status;
    int64_t frames = desc.hasFrames() ? binding.tensor.shape[0] : 1;
    if (!desc.bytes(frames))
      return tooLarge(desc, frames);
    if (desc.role != Role::Result)
      if (Status status = check.checkValues(binding.tensor); status.failed())
        return status;
    plan.bound[it->second] = &binding;
  }
  for (size_t i = 0; i < function.tensors.size(); ++i) {
    const TensorDesc &desc = function.tensors[i];
    if (desc.role != Role::Argument || plan.bound[i] || desc.defaultValue)
      continue;
    return fileError("no input for '" + desc.name + "' of '" + function.name + "'",
                     {"given: " + listInputs(function, plan.bound)});
  }
  return Status::success();
}

Status Session::countFrames(const Function &function, const Plan &plan, int64_t &frames) const {
  // The first argument decides, then the first result: arguments come first.
  const TensorDesc *first = nullptr;
  frames = 1;
  for (Role role : {Role::Argument, Role::Result})
    for (size_t i = 0; i < function.tensors.size(); ++i) {
      const TensorDesc &desc = function.tensors[i];
      if (desc.role != role || !plan.bound[i] || !desc.hasFrames())
        continue;
      int64_t found = plan.bound[i]->tensor.shape[0];
      if (!first) {
        first = &desc;
        frames = found;
      } else if (found != frames) {
        return shapeError("'" + first->name + "' has " + std::to_string(frames) + " frames, but '" + desc.name +
                          "' has " + std::to_string(found));
      }
    }
  if (function.advance > 0 && frames > function.advance)
    return shapeError("'" + function.name + "' takes at most " + std::to_string(function.advance) +
                      " frames a call, but '" + first->name + "' has " + std::to_string(frames));
  return Status::success();
}

/// Finds the address of an argument or result, which was placed: the caller's memory, or scratch.
Status Session::place(const Function &function, Plan &plan, size_t position, int64_t frames) {
  const TensorDesc &desc = function.tensors[position];
  const Binding *binding = plan.bound[position];
  if (binding && (plan.places[position] == Place::Gpu || !needsConversion(binding->tensor.dtype, desc.dtype))) {
    plan.addresses[position] = binding->tensor.data;
    return Status::success();
  }
  Buffer &scratch = plan.scratch[position];
  std::optional<uint64_t> bytes = desc.bytes(frames);
  if (!bytes || !ensure(scratch, *bytes))
    return tooLarge(desc, frames);
  plan.addresses[position] = scratch.data();
  int64_t &filled = plan.filled[position];
  if (binding) {
    convert(binding->tensor, desc.dtype, scratch.data());
    filled = 0;
  } else if (desc.role == Role::Argument && filled < frames) {
    fillTensor(*desc.defaultValue, desc.dtype, int64_t(*bytes / dtypeSize(desc.dtype)), scratch.data());
    filled = frames;
  }
  return Status::success();
}

Status Session::run(std::string_view name, const Binding *bindings, size_t count, void *stream) {
  const Function *function = types.findFunction(name);
  if (!function) {
    std::vector<std::string_view> known;
    for (const Function &other : types.functions)
      known.push_back(other.name);
    std::string_view similar = findSimilar(name, known);
    return fileError("'" + source->name() + "' has no function named '" + std::string(name) + "'",
                     similar.empty() ? Notes{} : Notes{"did you mean '" + std::string(similar) + "'?"});
  }
  size_t position = size_t(function - types.functions.data());
  Plan &plan = plans[position];
  int64_t frames = 1;
  if (Status status = bind(*function, plan, bindings, count); status.failed())
    return status;
  if (Status status = countFrames(*function, plan, frames); status.failed())
    return status;
  for (size_t i = 0; i < function->tensors.size(); ++i) {
    Role role = function->tensors[i].role;
    const Binding *binding = plan.bound[i];
    if (livesInSession(role) && plan.places[i] == Place::Gpu)
      plan.addresses[i] = find(function->tensors[i].name)->buffer.data();
    if (binding)
      plan.places[i] = !binding->tensor.onHost() ? Place::Gpu : livesInSession(role) ? Place::Default : Place::Host;
    else
      plan.places[i] = role == Role::Result ? Place::Dropped : Place::Default;
  }
  if (Status status = device->reserve(*function, position, frames, plan.places.data()); status.failed())
    return status;
  for (size_t i = 0; i < function->tensors.size(); ++i)
    if (!livesInSession(function->tensors[i].role))
      if (Status status = place(*function, plan, i, frames); status.failed())
        return status;

  for (size_t i = 0; i < function->tensors.size(); ++i) {
    if (!plan.bound[i] || !livesInSession(function->tensors[i].role))
      continue;
    const TensorRef &given = plan.bound[i]->tensor;
    if (!given.onHost()) {
      plan.addresses[i] = given.data; // the device copies it
      continue;
    }
    convert(given, function->tensors[i].dtype, plan.addresses[i]);
    device->update(find(function->tensors[i].name)->number);
  }
  return device->run(*function, position, frames, {plan.addresses.data(), plan.places.data()}, stream);
}

Status Session::run(std::string_view name, const TensorMap &inputs, TensorMap &results) {
  const Function *function = types.findFunction(name);
  if (!function)
    return run(name, nullptr, 0); // says so
  std::vector<Binding> bindings;
  int64_t frames = 1;
  for (auto &[input, tensor] : inputs) {
    bindings.push_back({input.c_str(), refTo(tensor)});
    int64_t position = function->find(input);
    if (position >= 0 && function->tensors[position].hasFrames() && !tensor.shape.empty())
      frames = tensor.shape[0];
  }
  TensorMap written;
  for (const TensorDesc &desc : function->tensors) {
    if (desc.role != Role::Result)
      continue;
    std::vector<int64_t> shape = desc.shape;
    if (desc.hasFrames())
      shape[0] = frames;
    HostTensor &tensor = written[desc.name];
    tensor = makeTensor(dtypeName(desc.dtype), shape);
    if (tensor.data.empty() && frames > 0)
      return tooLarge(desc, frames);
    bindings.push_back({desc.name.c_str(), refTo(tensor)});
  }
  if (Status status = run(name, bindings.data(), bindings.size()); status.failed())
    return status;
  results = std::move(written);
  return Status::success();
}

} // namespace mlir::rnn::runtime
