//===- Model.cpp - Models of the command line -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Model.h"
#include "rnn/Runtime/Device.h"
#include "rnn/Runtime/GpuDriver.h"
#include "rnn/Tools/Compiler.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace mlir::rnn::tools {
namespace {

using namespace runtime;
using nlohmann::json;

/// Puts 1 where the tables of an uncompiled model have "B" or null.
void setStreams(json &tables) {
  if (!tables.is_object())
    return;
  tables["streams"] = 1;
  if (!tables.contains("functions") || !tables["functions"].is_array())
    return;
  for (json &function : tables["functions"])
    if (function.is_object() && function.contains("tensors") && function["tensors"].is_array())
      for (json &tensor : function["tensors"])
        if (tensor.is_object() && tensor.contains("shape") && tensor["shape"].is_array())
          for (json &dim : tensor["shape"])
            if (dim == "B")
              dim = 1;
}

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

} // namespace

Status readDeviceOptions(const CommandLine &line, DeviceOptions &options) {
  if (line.has("target"))
    options.target = line.get("target");
  const std::vector<std::string> known = {"cpu", "cuda", "emulator", "interpreter"};
  if (std::find(known.begin(), known.end(), options.target) == known.end())
    return usageError("unknown target '" + options.target + "'", {"known: " + joined(known)});
  int64_t device = 0;
  if (Status status = line.integer("device", 0, 1023, device); status.failed())
    return status;
  if (options.target == "cuda")
    options.target += ":" + std::to_string(device);
  else if (device != 0)
    return deviceError("no device " + std::to_string(device) + " for target '" + options.target + "', 1 found");
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  if (Status status = line.integer("emulator-order", 0, most, options.emulatorOrder); status.failed())
    return status;
  return line.integer("threads", 0, 1024, options.threads);
}

Session::Options sessionOptions(const DeviceOptions &device, uint64_t seed) {
  Session::Options options;
  options.target = device.target;
  options.seed = seed;
  options.threads = int32_t(device.threads);
  options.emulatorOrder = uint64_t(device.emulatorOrder);
  return options;
}

Status compilerTarget(const std::string &target, std::string &found) {
  found = target;
  std::optional<int> device = parseCudaTarget(target);
  return device ? detectCudaTarget(*device, found) : Status::success();
}

Status describeModel(const std::string &model, const std::vector<std::string> &options, Tables &tables) {
  std::vector<std::string> arguments = {model, "--describe"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  std::string text;
  if (Status status = runCompiler(arguments, &text); status.failed())
    return status;
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded())
    return internalError("rnn-compile --describe printed no JSON");
  setStreams(parsed);
  return parseTables(parsed.dump(), model, tables);
}

Status openModel(const std::string &model, const std::string &target, const std::vector<std::string> &options,
                 Program &program) {
  bool compile = false;
  if (Status status = needsCompiler(model, compile); status.failed())
    return status;
  if (!compile)
    return program.open(model, model);
  TemporaryFolder folder;
  if (Status status = folder.create(); status.failed())
    return status;
  std::string artifact = folder.file("model.rnnc"), compiled;
  if (Status status = compilerTarget(target, compiled); status.failed())
    return status;
  std::vector<std::string> arguments = {model, "-o", artifact, "--target=" + compiled};
  arguments.insert(arguments.end(), options.begin(), options.end());
  if (Status status = runCompiler(arguments, nullptr); status.failed()) {
    if (status.code == Code::Internal)
      folder.keep();
    return status;
  }
  return program.open(artifact, model);
}

Status findFunction(const Tables &tables, const std::string &model, const std::string &name,
                    const Function *&function) {
  std::vector<std::string> all, steps, networks;
  for (const Function &candidate : tables.functions) {
    all.push_back(candidate.name);
    if (candidate.kind == Function::Kind::Train)
      steps.push_back(candidate.name);
    if (candidate.kind == Function::Kind::Infer)
      networks.push_back(candidate.name);
  }
  std::string chosen = name;
  if (chosen.empty() && steps.size() == 1)
    chosen = steps[0];
  if (chosen.empty() && steps.empty() && networks.size() == 1)
    chosen = networks[0];
  if (chosen.empty())
    return usageError("'" + model + "' has several functions; choose one with --function", {"it has: " + joined(all)});
  function = tables.findFunction(chosen);
  if (function)
    return Status::success();
  std::optional<std::string> meant = nearestName(chosen, all);
  return usageError("'" + model + "' has no function '" + chosen + "'",
                    {meant ? "did you mean '" + *meant + "'?" : "it has: " + joined(all)});
}

} // namespace mlir::rnn::tools
