//===- Checkpoint.cpp - Checkpoints of a run ------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Checkpoint.h"
#include "rnn/Train/Log.h"

#include <nlohmann/json.hpp>

namespace mlir::rnn::train {
namespace {

using namespace runtime;
using nlohmann::json;

/// Reads what the streams have spelt; false where the text is wrong.
bool readSpellings(const std::string &text, std::vector<Spelling> &spellings) {
  json list = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array())
    return false;
  for (const json &entry : list) {
    if (!entry.is_object() || !entry.contains("last") || !entry.contains("labels") || !entry["labels"].is_array() ||
        !entry["last"].is_number_integer())
      return false;
    Spelling &spelling = spellings.emplace_back();
    spelling.last = entry["last"].get<int64_t>();
    for (const json &label : entry["labels"]) {
      if (!label.is_number_integer())
        return false;
      spelling.labels.push_back(label.get<int64_t>());
    }
  }
  return true;
}

} // namespace

Status collectTensors(tools::Session &session, TensorFile &file) {
  for (const TensorDesc &desc : tools::sessionTensors(tools::allFunctions(session.tables()))) {
    HostTensor tensor = makeTensor(dtypeName(desc.dtype), desc.shape);
    if (Status status = session.get(desc.name, tensor); status.failed())
      return status;
    file.tensors[desc.name] = std::move(tensor);
  }
  return Status::success();
}

Status restoreTensors(const std::string &path, const TensorFile &file, bool parametersOnly, tools::Session &session) {
  for (const TensorDesc &desc : tools::sessionTensors(tools::allFunctions(session.tables()))) {
    if (parametersOnly && desc.role != Role::Parameter && desc.role != Role::Optimizer)
      continue;
    auto found = file.tensors.find(desc.name);
    if (found == file.tensors.end())
      return fileError("'" + path + "' lacks '" + desc.name + "'");
    if (Status status = session.set(desc.name, found->second); status.failed())
      return status;
  }
  return Status::success();
}

void writeMetadata(const RunState &state, const RunIdentity &identity, int64_t epoch, double lr,
                   std::map<std::string, std::string> &metadata) {
  const Gains &gains = state.gains;
  json best = {{"since_gain", gains.sinceGain}, {"waiting", gains.waiting}, {"factor", gains.factor}};
  if (gains.any)
    best.update({{"val_loss", gains.best}, {"step", gains.bestStep}});
  metadata["rnn.format"] = "1";
  metadata["rnn.version"] = RNN_VERSION_STRING;
  metadata["rnn.network_hash"] = identity.networkHash;
  metadata["rnn.step"] = std::to_string(state.step);
  metadata["rnn.epoch"] = std::to_string(epoch);
  metadata["rnn.frame"] = std::to_string(state.frames);
  metadata["rnn.seed"] = std::to_string(identity.seed);
  metadata["rnn.lr"] = exactNumber(lr);
  metadata["rnn.best"] = best.dump();
  metadata["rnn.options"] = json(identity.options).dump();
  metadata["rnn.skipped"] = std::to_string(state.skipped) + " " + std::to_string(state.inARow);
  metadata["rnn.data"] = std::to_string(identity.dataChecksum);
  metadata["rnn.val_data"] = std::to_string(identity.validationChecksum);
  if (state.spellings.empty())
    return;
  json spellings = json::array();
  for (const Spelling &spelling : state.spellings)
    spellings.push_back({{"last", spelling.last}, {"labels", spelling.labels}});
  metadata["rnn.spellings"] = spellings.dump();
}

Status readMetadata(const std::string &path, const std::map<std::string, std::string> &metadata, RunState &state,
                    RunIdentity &identity) {
  auto text = [&](const char *key) {
    auto found = metadata.find(std::string("rnn.") + key);
    return found == metadata.end() ? std::string() : found->second;
  };
  auto number = [&](const char *key) { return int64_t(std::strtoll(text(key).c_str(), nullptr, 10)); };
  if (text("format") != "1")
    return fileError("'" + path + "' is not a checkpoint of rnn-train");
  json best = json::parse(text("best"), nullptr, /*allow_exceptions=*/false);
  json options = json::parse(text("options"), nullptr, /*allow_exceptions=*/false);
  constexpr int64_t mostSteps = int64_t(1) << 53; // and frames; beyond, the arithmetic on them could overflow
  bool wrong = !best.is_object() || !options.is_object();
  for (const char *count : {"step", "frame"})
    wrong |= number(count) < 0 || number(count) > mostSteps;
  for (const json &value : best)
    wrong |= !value.is_number();
  for (const json &value : options)
    wrong |= !value.is_string();
  state.spellings.clear();
  if (metadata.count("rnn.spellings"))
    wrong |= !readSpellings(text("spellings"), state.spellings);
  if (wrong)
    return fileError("'" + path + "' has metadata that is wrong");

  state.step = number("step");
  state.frames = number("frame");
  std::string skipped = text("skipped");
  char *rest = nullptr;
  state.skipped = std::strtoll(skipped.c_str(), &rest, 10);
  state.inARow = std::strtoll(rest, nullptr, 10);
  state.gains.any = best.contains("val_loss");
  state.gains.best = best.value("val_loss", 0.0);
  state.gains.bestStep = best.value("step", int64_t(0));
  state.gains.sinceGain = best.value("since_gain", int64_t(0));
  state.gains.waiting = best.value("waiting", int64_t(0));
  state.gains.factor = best.value("factor", 1.0);
  identity.networkHash = text("network_hash");
  identity.seed = std::strtoull(text("seed").c_str(), nullptr, 10);
  identity.dataChecksum = uint32_t(number("data"));
  identity.validationChecksum = uint32_t(number("val_data"));
  identity.options = options.get<std::map<std::string, std::string>>();
  return Status::success();
}

} // namespace mlir::rnn::train
