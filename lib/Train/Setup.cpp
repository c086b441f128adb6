//===- Setup.cpp - Preparation of a run -----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Setup.h"
#include "rnn/Runtime/AtomicFile.h"
#include "rnn/Tools/Inputs.h"
#include "rnn/Train/Log.h"
#include "rnn/Train/ModelText.h"

#include <filesystem>

namespace mlir::rnn::train {
namespace {

using namespace runtime;
using tools::CommandLine;
using tools::Function;

constexpr int64_t usualFrames = 128;

/// Error 25, or the checkpoint to continue; then options that are not given are
/// those of the run.
Status readFolder(CommandLine &line, Setup &setup) {
  std::string out = line.get("out", setup.options.out);
  std::error_code error;
  bool exists = std::filesystem::exists(out, error);
  if (exists && !std::filesystem::is_directory(out, error))
    return fileError("'" + out + "' is not a folder");
  bool holdsFiles = exists && !std::filesystem::is_empty(out, error);
  if (!line.has("resume")) {
    if (holdsFiles && !line.has("overwrite") && !line.has("dry-run"))
      return usageError("'" + out + "' holds a run", {"use --resume to continue it or --overwrite to start again"});
    return Status::success();
  }
  std::string last = out + "/last.safetensors";
  if (!std::filesystem::exists(last, error))
    return fileError("'" + out + "' holds no run to continue: last.safetensors is missing");
  if (Status status = readTensorFile(last, setup.checkpoint); status.failed())
    return status;
  if (Status status = readMetadata(last, setup.checkpoint.metadata, setup.state, setup.identity); status.failed())
    return status;
  return Options::mergeWithRun(setup.identity.options, line);
}

Status readFiles(Setup &setup) {
  const Options &options = setup.options;
  DataOptions how{options.inputColumns, options.targetColumns, options.sequenceColumn, options.horizon};
  if (Status status = readData(options.data, how, setup.data); status.failed())
    return status;
  if (options.resume && setup.identity.dataChecksum != setup.data.checksum)
    return fileError("'" + options.data + "' is not the data of the run in '" + options.out + "'");
  setup.identity.dataChecksum = setup.data.checksum;
  if (!options.valData.empty()) {
    if (Status status = readData(options.valData, how, setup.validation); status.failed())
      return status;
    if (options.resume && setup.identity.validationChecksum != setup.validation.checksum)
      return fileError("'" + options.valData + "' is not the validation data of the run in '" + options.out + "'");
    setup.identity.validationChecksum = setup.validation.checksum;
    if (setup.validation.kind != setup.data.kind)
      return fileError("'" + options.valData + "' and '" + options.data + "' are of different kinds");
  }
  return Status::success();
}

/// Sequences for training and validation, once the step says which rates the arrays have.
Status arrangeData(Setup &setup) {
  const Options &options = setup.options;
  if (Status status = arrangeArrays(setup.step, setup.data); status.failed())
    return status;
  if (options.valData.empty())
    splitData(options.valSplit, setup.data, setup.validation);
  else if (Status status = arrangeArrays(setup.step, setup.validation); status.failed())
    return status;
  if (setup.data.kind == Data::Kind::Csv) {
    measureScale(setup.data);
    applyScale(setup.data.mean, setup.data.deviation, setup.data);
    if (!options.valData.empty() &&
        setup.validation.columns[0].values->shape[1] == setup.data.columns[0].values->shape[1])
      applyScale(setup.data.mean, setup.data.deviation, setup.validation);
  }
  return Status::success();
}

/// The options of rnn-compile that override what a model says.
Status overrides(const Options &options, const std::string &model, std::vector<std::string> &flags) {
  if (options.window || options.advance) {
    int64_t window = options.window, advance = options.advance;
    if (!window || !advance) {
      Tables tables;
      if (Status status = tools::describeModel(model, {}, tables); status.failed())
        return status;
      const Function *step = nullptr;
      if (Status status = tools::findFunction(tables, model, options.function, step); status.failed())
        return status;
      window = window ? window : step->window ? step->window : usualFrames;
      advance = advance ? advance : step->advance ? step->advance : window;
    }
    flags.push_back("--bptt=" + std::to_string(window) + "," + std::to_string(advance));
  }
  if (options.optimizerGiven) {
    std::string text = "--optimizer=" + options.optimizer;
    for (const auto &[field, value] : optimizerFields(options))
      text += "," + field + "=" + floatText(value);
    flags.push_back(text);
  }
  if (options.clipGiven)
    flags.push_back(options.shaping.count("clip-value") ? "--clip-value=" + exactNumber(options.clipValue)
                                                        : "--clip-norm=" + exactNumber(options.clipNorm));
  return Status::success();
}

Status rejectOverrides(const Options &options) {
  for (const char *name : {"bptt-window", "bptt-advance", "optimizer", "clip-norm", "clip-value", "matmul-precision"})
    if (options.shaping.count(name))
      return usageError(std::string("--") + name + " needs an .mlir model; '" + options.model + "' is compiled");
  return Status::success();
}

/// The model to compile: the one given, the run's own, or a new one.
Status chooseModel(Setup &setup, const tools::TemporaryFolder &folder, std::string &model, bool &written) {
  const Options &options = setup.options;
  written = options.model.empty();
  std::error_code error;
  if (!options.model.empty()) {
    model = options.model;
  } else if (options.resume && std::filesystem::exists(setup.file("model.mlir"), error)) {
    model = setup.file("model.mlir");
    auto kind = setup.identity.options.find("model");
    written = kind == setup.identity.options.end() || kind->second == "written";
  } else {
    if (Status status = arrangeArrays(nullptr, setup.data); status.failed())
      return status;
    if (Status status = writeModelText(options, setup.data, setup.modelText); status.failed())
      return status;
    model = folder.file("model.mlir");
    return writeFileAtomically(model, setup.modelText);
  }
  if (std::filesystem::path(model).extension() != ".mlir")
    return Status::success();
  return runtime::readFile(model, setup.modelText);
}

Status compileModel(Setup &setup) {
  Options &options = setup.options;
  tools::TemporaryFolder folder;
  if (Status status = folder.create(); status.failed())
    return status;
  std::string model;
  bool written = false, compile = false;
  if (Status status = chooseModel(setup, folder, model, written); status.failed())
    return status;
  if (Status status = tools::needsCompiler(model, compile); status.failed())
    return status;
  setup.identity.options = options.shaping;
  setup.identity.options["model"] = written ? "written" : "given";

  std::vector<std::string> flags;
  if (compile && !written)
    if (Status status = overrides(options, model, flags); status.failed())
      return status;
  if (!compile)
    if (Status status = rejectOverrides(options); status.failed())
      return status;
  if (compile) {
    flags.push_back("--streams=" + std::to_string(options.streams));
    if (!options.labelErrors.empty())
      flags.push_back("--keep=results");
    if (options.matmulPrecision != "f32")
      flags.push_back("--matmul-precision=" + options.matmulPrecision);
  }
  if (options.dryRun) {
    if (!compile)
      return usageError("--dry-run needs an .mlir model; '" + model + "' is compiled");
    std::string target;
    if (Status status = tools::compilerTarget(options.device.target, target); status.failed())
      return status;
    flags.insert(flags.begin(), {model, "-o", folder.file("model.rnnc"), "--target=" + target});
    flags.push_back("--report=-");
    Status status = tools::runCompiler(flags, nullptr);
    if (status.code == Code::Internal)
      folder.keep();
    return status;
  }
  setup.compileFlags = flags;
  return tools::openModel(model, options.device.target, flags, setup.program);
}

/// Looks up the functions and what they say about streams, frames and rate.
Status bindModel(Setup &setup) {
  Options &options = setup.options;
  const Tables &tables = setup.program.tables();
  if (Status s = tools::findFunction(tables, setup.program.name(), options.function, setup.step); s.failed())
    return s;
  if (setup.step->kind != Function::Kind::Train)
    return usageError("'" + setup.step->name + "' of '" + setup.program.name() + "' is not a train step");
  if (options.streamsGiven && options.streams != tables.streams)
    return shapeError("--streams is " + std::to_string(options.streams) + ", but '" + setup.program.name() +
                          "' was compiled for " + std::to_string(tables.streams),
                      {"recompile with --streams=" + std::to_string(options.streams)});
  options.streams = tables.streams;
  if (Status status = arrangeData(setup); status.failed())
    return status;
  setup.advance = setup.step->advance ? setup.step->advance : usualFrames;
  int64_t rate = setup.step->find("lr");
  std::optional<double> modelLr;
  if (rate >= 0)
    modelLr = setup.step->tensors[size_t(rate)].defaultValue;
  setup.lr = options.lrGiven ? options.lr : modelLr.value_or(options.lr);
  if (!setup.validation.sequences.empty())
    setup.eval = tables.findFunction(setup.step->name + ".eval");
  if (options.sample.bytes) {
    const Function *network = nullptr;
    if (Status status = tools::findByteModel(setup.program, setup.step->network, network); status.failed())
      return status;
  }
  if (options.resume)
    if (Status status = tools::checkNetwork(setup.program, setup.file("last.safetensors"), setup.checkpoint.metadata,
                                            setup.checkpoint.tensors);
        status.failed())
      return status;
  setup.identity.networkHash = tables.networkHash;
  setup.identity.seed = options.seed;
  return Status::success();
}

} // namespace

Status prepare(CommandLine line, Setup &setup) {
  if (Status status = readFolder(line, setup); status.failed())
    return status;
  if (Status status = setup.options.read(line); status.failed())
    return status;
  if (Status status = readFiles(setup); status.failed())
    return status;
  if (Status status = compileModel(setup); status.failed() || setup.options.dryRun)
    return status;
  return bindModel(setup);
}

} // namespace mlir::rnn::train
