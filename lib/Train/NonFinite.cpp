//===- NonFinite.cpp - Where a step went wrong -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/NonFinite.h"
#include "rnn/Runtime/AtomicFile.h"
#include "rnn/Tools/Execute.h"
#include "rnn/Tools/Model.h"

#include <algorithm>

namespace mlir::rnn::train {

using runtime::HostTensor;
using runtime::makeTensor;
using runtime::Role;
using runtime::TensorDesc;
using tools::Binding;

Status findNonFiniteSignal(const Setup &setup, tools::Session &session, std::vector<Binding> bindings, int64_t frames,
                           std::vector<std::string> &notes) {
  if (setup.compileFlags.empty())
    return Status::success();
  tools::TemporaryFolder folder;
  if (Status status = folder.create(); status.failed())
    return status;
  std::string model = setup.options.model;
  if (!setup.modelText.empty()) {
    model = folder.file("model.mlir");
    if (Status status = runtime::writeFileAtomically(model, setup.modelText); status.failed())
      return status;
  }
  std::vector<std::string> flags = setup.compileFlags;
  flags.push_back("--keep=signals");
  flags.push_back("--functions=" + setup.step->name);
  tools::Program program;
  if (Status status = tools::openModel(model, setup.options.device.target, flags, program); status.failed())
    return status;
  const tools::Function *step = nullptr;
  if (Status status = tools::findFunction(program.tables(), model, setup.step->name, step); status.failed())
    return status;
  std::unique_ptr<tools::Session> other;
  tools::Session::Options how = tools::sessionOptions(setup.options.device, setup.options.seed);
  if (Status status = tools::Session::create(program, how, other); status.failed())
    return status;

  // A step that was not finite left everything as it was.
  for (const TensorDesc &desc : tools::sessionTensors({step})) {
    HostTensor value = makeTensor(dtypeName(desc.dtype), desc.shape);
    if (Status status = session.get(desc.name, value); status.failed())
      return status;
    if (Status status = other->set(desc.name, value); status.failed())
      return status;
  }
  std::map<std::string, HostTensor> results;
  for (const TensorDesc &desc : step->tensors)
    if (desc.role == Role::Result)
      results[desc.name] = makeTensor(dtypeName(desc.dtype), tools::shapeFor(desc, frames));
  bindings.erase(std::remove_if(bindings.begin(), bindings.end(),
                                [&](const Binding &binding) { return results.count(binding.name) != 0; }),
                 bindings.end());
  for (auto &[name, tensor] : results)
    bindings.push_back(tools::bind(name, tensor));
  if (Status status = other->run(step->name, bindings); status.failed())
    return status;
  notes = tools::noteNonFiniteSignal(*step, results, 0, frames);
  return Status::success();
}

} // namespace mlir::rnn::train
