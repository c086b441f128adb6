//===- Trainer.cpp - The training loop ------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Trainer.h"
#include "rnn/Train/NonFinite.h"
#include "rnn/Runtime/AtomicFile.h"
#include "rnn/Tools/Execute.h"
#include "rnn/Tools/Interrupt.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

namespace mlir::rnn::train {
namespace {

using namespace runtime;
using tools::Binding;
using tools::Function;
using tools::Session;

constexpr int64_t nonFiniteLimit = 10;
constexpr int64_t warnEvery = 100;

std::string shortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4f", value);
  return text;
}

bool isInterrupted(const Status &status) { return status.code == Code::Interrupted || status.code == Code::Terminated; }

} // namespace

//===----------------------------------------------------------------------===//
// Results of a call
//===----------------------------------------------------------------------===//

void Trainer::Results::create(const Function &function) {
  for (const TensorDesc &tensor : function.tensors)
    if (tensor.role == Role::Result && !tensor.hasFrames() && tensor.shape.empty())
      tensors[tensor.name] = makeTensor(dtypeName(tensor.dtype), {});
}

void Trainer::Results::bind(std::vector<Binding> &bindings) {
  for (auto &[name, tensor] : tensors)
    bindings.push_back(tools::bind(name, tensor));
}

double Trainer::Results::number(const std::string &name) const {
  auto found = tensors.find(name);
  if (found == tensors.end())
    return 0;
  const HostTensor &tensor = found->second;
  if (tensor.dtype == "f32")
    return *tensor.as<float>();
  if (tensor.dtype == "f64")
    return *tensor.as<double>();
  if (tensor.dtype == "i32")
    return *tensor.as<int32_t>();
  return double(*tensor.as<int64_t>());
}

//===----------------------------------------------------------------------===//
// Start
//===----------------------------------------------------------------------===//

Trainer::Trainer(Setup &setup)
    : setup(setup), options(setup.options), state(setup.state), progress(setup.options.quiet, setup.options.logEvery) {
  if (!options.labelErrors.empty())
    metric = "label_error_rate";
  else if (setup.data.kind == Data::Kind::Bytes)
    metric = "bpc";
  else if (!setup.step->metrics.empty())
    metric = setup.step->metrics[0].name;
}

Status Trainer::createData() {
  if (Status status = feed.create(*setup.step, setup.data); status.failed())
    return status;
  BatchOptions how;
  how.streams = options.streams;
  how.advance = setup.advance;
  how.startAnywhere = feed.hasReset() && !feed.hasStreamArguments();
  how.wholeSequences = !setup.step->advance && !setup.data.isSeries;
  if (Status status = batches.create(setup.data, how); status.failed())
    return status;
  bool counts = !options.labelErrors.empty();
  auto create = [&](LabelErrors &errors, const Function &function, const Data &data, const Feed &from) {
    return errors.create(options.labelErrors, function, setup.program, data, from);
  };
  if (Status s = counts ? create(labelErrors, *setup.step, setup.data, feed) : Status::success(); s.failed())
    return s;
  if (!setup.eval)
    return Status::success();
  if (Status status = evalFeed.create(*setup.eval, setup.validation); status.failed())
    return status;
  if (Status s = counts ? create(evalLabelErrors, *setup.eval, setup.validation, evalFeed) : Status::success();
      s.failed())
    return s;
  how.keepTail = setup.validation.isSeries;
  how.wholeSequences = !setup.step->advance && !setup.validation.isSeries;
  Status status = evalBatches.create(setup.validation, how);
  if (status.failed() && options.valData.empty()) {
    tools::warn("rnn-train", "no validation: " + status.message);
    setup.eval = nullptr;
    return Status::success();
  }
  return status;
}

Status Trainer::createFolder() {
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error)
    return fileError("cannot create '" + options.out + "': " + error.message());
  if (!options.resume)
    Events::remove(options.out);
  if (options.tensorboard)
    if (Status s = events.create(options.out, metric, options.resume ? state.step : 0); s.failed())
      return s;
  if (options.resume)
    return log.resume(setup.file("log.csv"), metric, state.step, validatesAt(state.step));
  for (const char *name : {"last.safetensors", "best.safetensors", "log.csv", "loss.svg"})
    std::filesystem::remove(setup.file(name), error);
  if (!setup.modelText.empty())
    if (Status status = writeFileAtomically(setup.file("model.mlir"), setup.modelText); status.failed())
      return status;
  return log.create(setup.file("log.csv"), metric);
}

Status Trainer::start() {
  if (Status status = createData(); status.failed())
    return status;
  int64_t perEpoch = batches.chunks();
  totalSteps = options.epochs > std::numeric_limits<int64_t>::max() / perEpoch ? std::numeric_limits<int64_t>::max()
                                                                               : options.epochs * perEpoch;
  if (options.maxSteps)
    totalSteps = std::min(totalSteps, options.maxSteps);
  Session::Options how = tools::sessionOptions(options.device, options.seed);
  if (Status status = Session::create(setup.program, how, session); status.failed())
    return status;
  if (setup.eval || options.sample.bytes)
    if (Status status = Session::create(setup.program, how, observer); status.failed())
      return status;
  results.create(*setup.step);
  if (setup.eval)
    evalResults.create(*setup.eval);
  lr = learningRate(options, setup.lr, state.gains, std::max<int64_t>(state.step, 1), totalSteps);
  if (options.resume)
    if (Status s = restoreTensors(setup.file("last.safetensors"), setup.checkpoint, false, *session); s.failed())
      return s;
  if (Status status = createFolder(); status.failed())
    return status;
  return options.resume ? Status::success() : save("last.safetensors", state);
}

//===----------------------------------------------------------------------===//
// One step
//===----------------------------------------------------------------------===//

bool Trainer::validatesAt(int64_t step) const {
  if (!setup.eval || step == 0)
    return false;
  return step % (options.valEvery ? options.valEvery : batches.chunks()) == 0;
}

int64_t Trainer::epochOf(int64_t step) const { return step == 0 ? 1 : (step - 1) / batches.chunks() + 1; }

std::optional<double> Trainer::metricOf(double loss) const {
  if (metric.empty())
    return std::nullopt;
  if (!options.labelErrors.empty())
    return labelErrors.rate();
  if (setup.data.kind == Data::Kind::Bytes)
    return loss / std::log(2.0);
  double count = results.number("count." + metric);
  return count ? results.number("sum." + metric) / count : 0;
}

Status Trainer::trainStep(LogRow &row) {
  int64_t index = state.step % batches.chunks();
  if (index == 0)
    if (Status status = session->reset(); status.failed())
      return status;
  Chunk chunk;
  batches.locate(index, chunk);
  if (!setup.data.isSeries && !feed.hasReset() && index != 0) {
    std::vector<uint8_t> fresh(chunk.starts.begin(), chunk.starts.begin() + options.streams);
    if (std::any_of(fresh.begin(), fresh.end(), [](uint8_t flag) { return flag != 0; }))
      if (Status status = session->reset(fresh); status.failed())
        return status;
  }
  std::vector<Binding> bindings = feed.fill(chunk);
  lr = learningRate(options, setup.lr, state.gains, state.step + 1, totalSteps);
  HostTensor rate;
  if (int64_t at = setup.step->find("lr"); at >= 0) {
    rate = makeTensor(dtypeName(setup.step->tensors[size_t(at)].dtype), {});
    if (rate.dtype == "f64")
      *rate.as<double>() = lr;
    else
      *rate.as<float>() = float(lr);
    bindings.push_back(tools::bind("lr", rate));
  }
  results.bind(bindings);
  if (!options.labelErrors.empty())
    labelErrors.bind(chunk.frames, bindings);
  if (Status status = session->run(setup.step->name, bindings); status.failed())
    return status;
  if (!options.labelErrors.empty()) {
    labelErrors.clear();
    labelErrors.count(chunk, feed, state.spellings);
  }

  ++state.step;
  state.frames += feed.counted();
  row.step = state.step;
  row.epoch = epochOf(state.step);
  row.lr = lr;
  row.loss = results.number("loss");
  row.metric = metricOf(row.loss);
  row.gradNorm = results.number("grad_norm");
  int flags = int(results.number("flags"));
  if ((flags & 2) && !warnedIndex) {
    tools::warn("rnn-train", "an index is out of range at step " + std::to_string(state.step));
    warnedIndex = true;
  }
  Status status = Status::success();
  if (flags & 1)
    status = noteNonFinite(row, bindings, chunk.frames);
  else
    state.inARow = 0;
  row.frames = state.frames;
  row.skipped = state.skipped;
  return status;
}

Status Trainer::noteNonFinite(const LogRow &row, const std::vector<Binding> &bindings, int64_t frames) {
  std::string what = tools::describeNonFinite(row.loss, row.gradNorm);
  if (state.inARow++ == 0) {
    firstNonFinite = state.step;
    firstNonFiniteValue = what;
  }
  if (state.skipped++ % warnEvery == 0) {
    progress.clear();
    tools::warn("rnn-train", what + " at step " + std::to_string(state.step) + "; nothing is updated, " +
                                 std::to_string(state.skipped) + " skipped so far");
  }
  if (state.inARow < nonFiniteLimit)
    return Status::success();
  if (firstNonFiniteValue.empty()) { // the row began before --resume
    firstNonFiniteValue = what;
    firstNonFinite = state.step - state.inARow + 1;
  }
  std::vector<std::string> notes;
  if (Status status = findNonFiniteSignal(setup, *session, bindings, frames, notes); status.failed())
    notes.push_back("the signal could not be looked for: " + status.message);
  notes.push_back("last finite checkpoint: " + setup.file("last.safetensors"));
  return nonFiniteError(firstNonFiniteValue + " for " + std::to_string(state.inARow) + " steps, first at step " +
                            std::to_string(firstNonFinite),
                        notes);
}

//===----------------------------------------------------------------------===//
// Validation and samples
//===----------------------------------------------------------------------===//

Status Trainer::copyParameters() {
  for (const TensorDesc &desc : tools::sessionTensors(tools::allFunctions(session->tables()))) {
    if (desc.role != Role::Parameter)
      continue;
    HostTensor tensor = makeTensor(dtypeName(desc.dtype), desc.shape);
    if (Status status = session->get(desc.name, tensor); status.failed())
      return status;
    if (Status status = observer->set(desc.name, tensor); status.failed())
      return status;
  }
  return Status::success();
}

Status Trainer::evaluate(double &loss, std::optional<double> &metricValue) {
  if (Status status = copyParameters(); status.failed())
    return status;
  if (Status status = observer->reset(); status.failed())
    return status;
  // Random ops draw the same numbers in every validation, whether or not the run was interrupted between two.
  for (const TensorDesc &desc : tools::sessionTensors(tools::allFunctions(observer->tables())))
    if (desc.name == "state.frame")
      if (Status status = observer->set(desc.name, makeTensor(dtypeName(desc.dtype), desc.shape)); status.failed())
        return status;
  std::map<std::string, double> sums, counts;
  std::vector<Spelling> spellings;
  evalLabelErrors.clear();
  for (int64_t index = 0; index < evalBatches.chunks(); ++index) {
    if (tools::interruptSignal())
      return tools::interruptedStatus();
    Chunk chunk;
    evalBatches.locate(index, chunk);
    if (!setup.validation.isSeries && !evalFeed.hasReset() && index != 0)
      if (Status s = observer->reset({chunk.starts.begin(), chunk.starts.begin() + options.streams}); s.failed())
        return s;
    std::vector<Binding> bindings = evalFeed.fill(chunk);
    evalResults.bind(bindings);
    if (!options.labelErrors.empty())
      evalLabelErrors.bind(chunk.frames, bindings);
    if (Status status = observer->run(setup.eval->name, bindings); status.failed())
      return status;
    if (!options.labelErrors.empty())
      evalLabelErrors.count(chunk, evalFeed, spellings);
    for (const auto &[name, tensor] : evalResults.tensors) {
      if (name.rfind("sum.", 0) == 0)
        sums[name.substr(4)] += evalResults.number(name);
      if (name.rfind("count.", 0) == 0)
        counts[name.substr(6)] += evalResults.number(name);
    }
  }
  auto mean = [&](const std::string &name) { return counts[name] ? sums[name] / counts[name] : 0; };
  loss = 0;
  for (const Loss &term : setup.step->losses)
    loss += term.weight * (term.reduction == "sum" ? sums[term.name] / double(evalBatches.chunks()) : mean(term.name));
  if (!options.labelErrors.empty())
    metricValue = evalLabelErrors.rate();
  else if (setup.data.kind == Data::Kind::Bytes)
    metricValue = loss / std::log(2.0);
  else if (!metric.empty())
    metricValue = mean(metric);
  return Status::success();
}

Status Trainer::validate(LogRow &row, Decision &decision) {
  double loss = 0;
  if (Status status = evaluate(loss, row.valMetric); status.failed())
    return status;
  row.valLoss = loss;
  decision = judge(options, setup.lr, loss, state.step, state.gains);
  progress.validation(state.step, loss, metric, row.valMetric, decision.isBest);
  return Status::success();
}

Status Trainer::printSample() {
  if (!options.sample.bytes)
    return Status::success();
  const Function *network = nullptr;
  if (Status status = tools::findByteModel(setup.program, setup.step->network, network); status.failed())
    return status;
  if (Status status = copyParameters(); status.failed())
    return status;
  std::string text;
  Status status = tools::sampleBytes(*observer, *network, options.sample, text);
  progress.clear();
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
  return isInterrupted(status) ? Status::success() : status;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

Status Trainer::save(const char *name, const RunState &at) {
  TensorFile file;
  if (Status status = collectTensors(*session, file); status.failed())
    return status;
  const Data &data = setup.data;
  for (const auto &[key, values] : {std::pair("data.mean", &data.mean), std::pair("data.std", &data.deviation)}) {
    if (values->empty())
      continue;
    HostTensor tensor = makeTensor("f64", {int64_t(values->size())});
    std::copy(values->begin(), values->end(), tensor.as<double>());
    file.tensors[key] = std::move(tensor);
  }
  writeMetadata(at, setup.identity, epochOf(at.step), lr, file.metadata);
  if (Status status = log.sync(); status.failed())
    return status;
  return writeSafetensors(setup.file(name), file);
}

Status Trainer::note(const LogRow &row) {
  Status status = log.append(row);
  return status.failed() ? status : events.append(row);
}

Status Trainer::savePicture() {
  std::string name = setup.options.model.empty() ? "rnn-train" : std::filesystem::path(options.model).stem().string();
  return writeFileAtomically(setup.file("loss.svg"), log.svg(name));
}

void Trainer::showProgress(const LogRow &row) {
  ProgressState shown;
  shown.step = row.step;
  shown.totalSteps = totalSteps;
  shown.epoch = row.epoch;
  shown.epochs = std::min(options.epochs, epochOf(totalSteps));
  int64_t before = (row.epoch - 1) * batches.chunks();
  shown.stepInEpoch = row.step - before;
  shown.stepsInEpoch = std::min(batches.chunks(), totalSteps - before);
  shown.frames = row.frames;
  shown.loss = row.loss;
  shown.lr = row.lr;
  shown.gradNorm = row.gradNorm;
  shown.metricName = metric;
  shown.metric = row.metric;
  progress.step(shown);
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

Status Trainer::finish(const RunState &saved) {
  if (Status status = save("last.safetensors", saved); status.failed())
    return status;
  if (Status status = savePicture(); status.failed())
    return status;
  progress.clear();
  std::string text = "done: " + std::to_string(state.step) + " steps, ";
  if (state.gains.any)
    text += "best val_loss " + shortNumber(state.gains.best) + " at step " + std::to_string(state.gains.bestStep) +
            ", " + setup.file("best.safetensors");
  else
    text += setup.file("last.safetensors");
  std::printf("%s\n", text.c_str());
  return Status::success();
}

/// Saves the run as it is and says so. A validation that was cut off is done again by --resume, which finds that its
/// row has none.
Status Trainer::interrupt() {
  if (Status status = save("last.safetensors", state); status.failed())
    return status;
  if (Status status = savePicture(); status.failed())
    return status;
  progress.clear();
  std::fprintf(stderr, "rnn-train: interrupted at step %lld; saved %s, continue with --resume\n", (long long)state.step,
               setup.file("last.safetensors").c_str());
  return tools::interruptedStatus();
}

/// What follows a step: validation, log and files. `isLogged` says that the step's row is in the log, and that its
/// validation alone is missing. `saved` becomes the state to save when the run ends, `stop` whether it ends here.
Status Trainer::conclude(LogRow &row, bool isLogged, RunState &saved, bool &stop) {
  bool regular = validatesAt(state.step);
  bool last = state.step >= totalSteps;
  saved = state;
  Decision decision;
  if (regular || (last && setup.eval)) {
    Status status = validate(row, decision);
    if (isInterrupted(status)) {
      if (!isLogged)
        if (Status s = note(row); s.failed())
          return s;
      return interrupt();
    }
    if (status.failed())
      return status;
    if (regular)
      saved = state;
  }
  if (isLogged) {
    if (Status status = log.amend(row); status.failed())
      return status;
    if (Status status = events.amend(row); status.failed())
      return status;
  } else if (Status status = note(row); status.failed()) {
    return status;
  }
  if (decision.isBest)
    if (Status status = save("best.safetensors", state); status.failed())
      return status;
  if (decision.goBack && regular) {
    TensorFile best;
    if (Status status = readTensorFile(setup.file("best.safetensors"), best); status.failed())
      return status;
    if (Status s = restoreTensors(setup.file("best.safetensors"), best, true, *session); s.failed())
      return s;
  }
  if (row.valLoss) {
    if (Status status = printSample(); status.failed())
      return status;
    if (Status status = savePicture(); status.failed())
      return status;
  }
  stop = last || (regular && decision.stop);
  return !stop && state.step % options.saveEvery == 0 ? save("last.safetensors", state) : Status::success();
}

Status Trainer::run() {
  if (Status status = start(); status.failed())
    return status;
  if (options.resume)
    progress.line("resume at step " + std::to_string(state.step));
  RunState saved = state;
  bool stop = state.step >= totalSteps;
  // The run may have been stopped in a validation, or before the one that only its end causes.
  if (setup.eval && state.step > 0 && !log.lastIsValidated() && (stop || validatesAt(state.step))) {
    LogRow row;
    row.step = state.step;
    if (Status status = conclude(row, /*isLogged=*/true, saved, stop); status.failed())
      return status;
  }
  RunState finite = state; // after the last step that changed something
  while (!stop) {
    if (tools::interruptSignal())
      return interrupt();
    LogRow row;
    Status status = trainStep(row);
    if (status.code == Code::NonFinite) {
      // The skipped steps have changed nothing: what is saved is the last finite step.
      state = finite;
      progress.clear();
      if (Status s = note(row); s.failed())
        return s;
      if (Status s = save("last.safetensors", state); s.failed())
        return s;
      if (Status s = savePicture(); s.failed())
        return s;
    }
    if (status.failed())
      return status;
    showProgress(row);
    row.framesPerSecond = progress.speed();
    if (status = conclude(row, /*isLogged=*/false, saved, stop); status.failed())
      return status;
    if (state.inARow == 0)
      finite = state;
  }
  return finish(saved);
}

int trainTool(int argc, const char *const *argv) {
  tools::openStandardStreams();
  tools::CommandLine line;
  Status status = tools::CommandLine::parse(argc, argv, optionTable(), /*maxPositional=*/1, line);
  bool help = line.has("help"), version = line.has("version"), only = help || version;
  if (status.ok() && help)
    std::fputs(tools::helpText("rnn-train [<model>] --data=<file> [options]", optionTable()).c_str(), stdout);
  else if (status.ok() && version)
    std::fputs(tools::versionText().c_str(), stdout);
  tools::catchInterrupts();
  Setup setup;
  if (status.ok() && !only)
    status = tools::guarded([&] {
      Status prepared = prepare(line, setup);
      return prepared.ok() && setup.step ? Trainer(setup).run() : prepared;
    });
  if (status.ok())
    status = tools::flushOutput();
  return tools::report("rnn-train", status);
}

} // namespace mlir::rnn::train
