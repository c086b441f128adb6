//===- Options.cpp - Command line of rnn-train ----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Options.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace mlir::rnn::train {
namespace {

using namespace runtime;
using tools::CommandLine;

/// An option that shapes the numbers of a run, and its default as text.
struct Shaping {
  const char *name;
  const char *otherwise;
};
const std::vector<Shaping> kShaping = {
    {"function", ""},        {"cell", "lstm"},
    {"hidden-size", "128"},  {"num-layers", "2"},
    {"val-split", "0.1"},    {"inputs", ""},
    {"targets", ""},         {"horizon", "1"},
    {"sequence-column", ""}, {"streams", "16"},
    {"bptt-window", ""},     {"bptt-advance", ""},
    {"optimizer", "adam"},   {"lr", "0.002"},
    {"momentum", "0.9"},     {"weight-decay", "0"},
    {"clip-norm", "1"},      {"lr-schedule", "constant"},
    {"warmup-steps", "0"},   {"lr-min", "1e-5"},
    {"lr-factor", "0.5"},    {"min-delta", "1e-4"},
    {"patience", "3"},       {"early-stop", "0"},
    {"val-every", ""},       {"val-data", ""},
    {"seed", "0"},           {"matmul-precision", "f32"},
    {"label-errors", ""},    {"clip-value", "0"},
};

/// The default of an option for an optimizer other than adam.
std::string defaultOf(const Shaping &option, const std::string &optimizer) {
  if (optimizer == "adadelta" && option.name == std::string("lr"))
    return "1";
  if (optimizer == "rmsprop" && option.name == std::string("momentum"))
    return "0";
  return option.otherwise;
}

/// Equal as text or as numbers.
bool sameValue(const std::string &a, const std::string &b) {
  if (a == b)
    return true;
  double x = 0, y = 0;
  auto parse = [](const std::string &text, double &value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
  };
  return parse(a, x) && parse(b, y) && x == y;
}

constexpr int64_t most = std::numeric_limits<int64_t>::max();

/// Runs readers until one of them fails.
Status all(std::initializer_list<Status> statuses) {
  for (const Status &status : statuses)
    if (status.failed())
      return status;
  return Status::success();
}

} // namespace

const std::vector<tools::Option> &optionTable() {
  static const std::vector<tools::Option> table = {
      {"data", "<file>", "what to learn: bytes of any file, .csv, .npz or .safetensors"},
      {"val-data", "<file>", "validation data"},
      {"val-split", "<x>", "else the last part of the data (0.1)"},
      {"cell", "lstm|peephole-lstm|gru|elman", "cell of the model that is written when none is given (lstm)"},
      {"hidden-size", "<n>", "its units per layer (128)", "hidden"},
      {"num-layers", "<n>", "its layers (2)", "layers"},
      {"function", "<name>", "train step of the model (the only one)"},
      {"streams", "<n>", "sequences trained side by side (16)", "batch-size"},
      {"bptt-window", "<n>", "frames of back-propagation (the model's, else 128)"},
      {"bptt-advance", "<n>", "frames per step (the model's, else the window)", "seq-len"},
      {"inputs", "<columns>", "CSV: columns that the network reads (all)"},
      {"targets", "<columns>", "CSV: columns that it predicts (all)"},
      {"horizon", "<n>", "CSV: how many rows ahead (1)"},
      {"sequence-column", "<column>", "CSV: a new value in it starts a new sequence"},
      {"optimizer", "adam|adamw|sgd|rmsprop|adagrad|adadelta", "optimizer (the model's, else adam)"},
      {"lr", "<x>", "learning rate (the model's, else 0.002, of adadelta 1)", "learning-rate"},
      {"momentum", "<x>", "of sgd (0.9) and rmsprop (0)"},
      {"weight-decay", "<x>", "weight decay (0)"},
      {"clip-norm", "<x>", "largest norm of the gradient; 0 is off (the model's, else 1)", "grad-clip"},
      {"clip-value", "<x>",
       "largest element of the gradient, in place of --clip-norm; 0 is off (the model's, else off)"},
      {"lr-schedule", "constant|cosine|plateau", "course of the learning rate (constant)"},
      {"warmup-steps", "<n>", "steps of linear growth of the learning rate (0)"},
      {"lr-min", "<x>", "lowest learning rate (1e-5)"},
      {"lr-factor", "<x>", "plateau: factor after --patience validations without a gain (0.5)"},
      {"patience", "<n>", "plateau: validations without a gain (3)"},
      {"min-delta", "<x>", "what counts as a gain (1e-4)"},
      {"early-stop", "<n>", "stop after n validations without a gain; 0 is off (0)"},
      {"label-errors", "<logits>[,<labels>,<length>]", "CTC: show how many labels the best classes spell wrong"},
      {"matmul-precision", "f32|bf16", "bf16: products round their operands, which tensor cores need (f32)"},
      {"epochs", "<n>", "passes over the data (1)"},
      {"max-steps", "<n>", "stop after n steps", "steps"},
      {"val-every", "<steps>", "steps between validations (the epoch's end)"},
      {"out", "<folder>", "where the run's files go (rnn-out)", "output"},
      {"resume", nullptr, "continue the run in --out"},
      {"overwrite", nullptr, "start again in --out"},
      {"save-every", "<steps>", "steps between checkpoints (1000)"},
      {"log-every", "<steps>", "steps between progress lines in a pipe (100)"},
      {"sample", "<n>", "print n bytes after each validation"},
      {"temperature", "<x>", "of the samples; 0 takes the likeliest byte (1)"},
      {"prime", "<text>", "text that the model reads before the sample"},
      {"seed", "<n>", "seed of initializers, dropout and samples (0)"},
      {"target", "cpu|cuda|emulator|interpreter", "where to run (cpu)"},
      {"device", "<n>", "number of the device (0)"},
      {"threads", "<n>", "number of threads (all cores)"},
      {"emulator-order", "<seed>", "order of the emulator's threads (0)"},
      {"tensorboard", nullptr, "write an event file for TensorBoard too"},
      {"dry-run", nullptr, "print the compiler's report and stop"},
      {"quiet", nullptr, "print the last line only"},
      {"help", nullptr, "print this text"},
      {"version", nullptr, "print the versions"},
  };
  return table;
}

Status Options::mergeWithRun(const std::map<std::string, std::string> &stored, CommandLine &line) {
  for (const Shaping &option : kShaping) {
    auto found = stored.find(option.name);
    std::string used = found == stored.end() ? option.otherwise : found->second;
    auto optimizer = stored.find("optimizer");
    if (found == stored.end() && optimizer != stored.end())
      used = defaultOf(option, optimizer->second);
    // Another spelling of a path is no other file: the content is compared when it is read.
    bool maySpell = option.name == std::string("val-data") && !used.empty();
    if (line.has(option.name) && !maySpell && !sameValue(line.get(option.name), used)) {
      std::string text = std::string("--") + option.name + "=";
      return usageError("--resume with " + text + line.get(option.name) + ", but the run used " +
                        (used.empty() ? std::string("no --") + option.name : text + used));
    }
    if (found != stored.end() && !(maySpell && line.has(option.name)))
      line.set(option.name, found->second);
  }
  return Status::success();
}

Status Options::read(const CommandLine &line) {
  for (const Shaping &option : kShaping)
    if (line.has(option.name))
      shaping[option.name] = line.get(option.name);

  if (!line.positional().empty())
    model = line.positional()[0];
  function = line.get("function");
  data = line.get("data");
  if (data.empty())
    return usageError("no data given", {"usage: rnn-train [<model>] --data=<file> [options]"});
  valData = line.get("val-data");
  inputColumns = line.list("inputs");
  targetColumns = line.list("targets");
  sequenceColumn = line.get("sequence-column");
  labelErrors = line.list("label-errors");
  out = line.get("out", out);
  resume = line.has("resume");
  overwrite = line.has("overwrite");
  quiet = line.has("quiet");
  dryRun = line.has("dry-run");
  tensorboard = line.has("tensorboard");
  if (resume && overwrite)
    return usageError("--resume and --overwrite exclude each other");
  streamsGiven = line.has("streams");
  optimizerGiven = line.has("optimizer");
  lrGiven = line.has("lr");
  clipGiven = line.has("clip-norm") || line.has("clip-value");
  sample.prime = line.get("prime");

  int64_t seedValue = 0;
  Status status = all({
      line.choice("cell", {"lstm", "peephole-lstm", "gru", "elman"}, cell),
      line.choice("optimizer", tools::kOptimizers, optimizer),
      line.choice("matmul-precision", {"f32", "bf16"}, matmulPrecision),
      line.choice("lr-schedule", {"constant", "cosine", "plateau"}, schedule),
      line.integer("hidden-size", 1, 1 << 20, hiddenSize),
      line.integer("num-layers", 1, 1024, layers),
      line.number("val-split", 0, 1, valSplit, false, true),
      line.integer("horizon", 1, 1 << 30, horizon),
      line.integer("streams", 1, 1 << 20, streams),
      line.integer("bptt-window", 1, 1 << 20, window),
      line.integer("bptt-advance", 1, 1 << 20, advance),
      line.number("lr", 0, 1e6, lr),
      line.number("momentum", 0, 1, momentum, false, true),
      line.number("weight-decay", 0, 1e6, weightDecay),
      line.number("clip-norm", 0, 1e30, clipNorm),
      line.number("clip-value", 0, 1e30, clipValue),
      line.integer("warmup-steps", 0, most, warmupSteps),
      line.number("lr-min", 0, 1e6, lrMin),
      line.number("lr-factor", 0, 1, lrFactor, true, true),
      line.number("min-delta", 0, 1e6, minDelta),
      line.integer("patience", 1, most, patience),
      line.integer("early-stop", 0, most, earlyStop),
      line.integer("epochs", 1, most, epochs),
      line.integer("max-steps", 1, most, maxSteps),
      line.integer("val-every", 1, most, valEvery),
      line.integer("save-every", 1, most, saveEvery),
      line.integer("log-every", 1, most, logEvery),
      line.integer("sample", 0, 1 << 30, sample.bytes),
      line.number("temperature", 0, 1e6, sample.temperature),
      line.integer("seed", 0, most, seedValue),
      tools::readDeviceOptions(line, device),
  });
  if (status.failed())
    return status;
  seed = sample.seed = uint64_t(seedValue);
  if (line.has("label-errors") && labelErrors.size() != 1 && labelErrors.size() != 3)
    return usageError("--label-errors must be <logits> or <logits>,<labels>,<length>, got '" +
                      line.get("label-errors") + "'");
  if (line.has("clip-norm") && line.has("clip-value"))
    return usageError("--clip-norm and --clip-value exclude each other");
  if (line.has("clip-value"))
    clipNorm = 0;
  if (line.has("momentum") && optimizer != "sgd" && optimizer != "rmsprop")
    return usageError("--momentum needs --optimizer=sgd or --optimizer=rmsprop");
  if (!line.has("momentum") && optimizer == "rmsprop")
    momentum = 0;
  if (!lrGiven && optimizer == "adadelta")
    lr = 1;
  if (!model.empty() && line.has("weight-decay") && !optimizerGiven)
    return usageError("--weight-decay with a model needs --optimizer");
  if (!model.empty())
    for (const char *name : {"cell", "hidden-size", "num-layers"})
      if (line.has(name) && !resume)
        return usageError(std::string("--") + name + " and a model exclude each other");
  return Status::success();
}

} // namespace mlir::rnn::train
