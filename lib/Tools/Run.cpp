//===- Run.cpp - The tool rnn-run -----------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Run.h"
#include "rnn/Tools/CommandLine.h"
#include "rnn/Tools/Compare.h"
#include "rnn/Tools/Compiler.h"
#include "rnn/Tools/Execute.h"
#include "rnn/Tools/Interrupt.h"
#include "rnn/Tools/Model.h"
#include "rnn/Tools/Sample.h"
#include "rnn/Tools/Trace.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>

namespace mlir::rnn::tools {
namespace {

using namespace runtime;

const std::vector<Option> kOptions = {
    {"function", "<name>", "function to run (the only train step, else the only network)"},
    {"input", "<file>", "tensors to read, .npz or .safetensors; may be repeated", "inputs"},
    {"output", "<file>", "where to write the results; without it a table is printed"},
    {"outputs", "<globs>", "results to keep, by name"},
    {"seed", "<n>", "seed of parameters that no file gives, and of samples (0)"},
    {"reset-state", nullptr, "ignore state.* of the inputs"},
    {"keep", "gradients,results", "what a step returns beside its ordinary results"},
    {"target", "cpu|cuda|emulator|interpreter", "where to run (cpu)"},
    {"device", "<n>", "number of the device (0)"},
    {"threads", "<n>", "number of threads (all cores)"},
    {"cast", nullptr, "round floats of another type"},
    {"matmul-precision", "p", "f32, or bf16: products round their operands (f32)"},
    {"dtype", "f64", "compute an f32 network in f64"},
    {"compare", "interpreter", "compare with the interpreter, within its error budget"},
    {"expect", "<file>", "compare with the tensors of a file"},
    {"rtol", "<x>", "relative tolerance in place of the budget"},
    {"atol", "<x>", "absolute tolerance in place of the budget"},
    {"sample", "<n>", "print n bytes drawn from a byte model"},
    {"temperature", "<x>", "of the samples; 0 takes the likeliest byte (1)"},
    {"prime", "<text>", "text that the model reads before the sample"},
    {"describe", nullptr, "print the tensor tables as JSON and run nothing"},
    {"trace", "<file>", "write a Chrome trace"},
    {"emulator-order", "<seed>", "order of the emulator's threads (0)"},
    {"help", nullptr, "print this text"},
    {"version", nullptr, "print the versions"},
};

/// The command line, read and checked.
struct RunOptions {
  std::string model, function, output, expect, trace;
  std::vector<std::string> inputs, outputs, keep;
  DeviceOptions device;
  PrepareOptions prepare;
  SampleOptions sample;
  std::string matmulPrecision;
  bool sampling = false, describe = false, compare = false;
  std::optional<double> rtol, atol;

  Status read(const CommandLine &line);
};

Status RunOptions::read(const CommandLine &line) {
  if (line.positional().empty())
    return usageError("no model given", {"usage: rnn-run <model> [options]"});
  model = line.positional()[0];
  function = line.get("function");
  inputs = line.all("input");
  output = line.get("output");
  if (line.has("output"))
    if (Status status = checkTensorFileName(output); status.failed())
      return status;
  outputs = line.list("outputs");
  keep = line.list("keep");
  for (const std::string &kept : keep)
    if (kept != "gradients" && kept != "results" && kept != "signals")
      return usageError("unknown --keep '" + kept + "'", {"known: gradients, results, signals"});
  if (Status status = readDeviceOptions(line, device); status.failed())
    return status;

  std::string word;
  if (Status status = line.choice("dtype", {"f64"}, word); status.failed())
    return status;
  if (Status status = line.choice("compare", {"interpreter"}, word); status.failed())
    return status;
  if (Status status = line.choice("matmul-precision", {"f32", "bf16"}, matmulPrecision); status.failed())
    return status;
  prepare.widen = line.has("dtype");
  prepare.cast = line.has("cast");
  prepare.ignoreState = line.has("reset-state");
  compare = line.has("compare");
  expect = line.get("expect");
  trace = line.get("trace");
  describe = line.has("describe");

  int64_t seed = 0;
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  if (Status status = line.integer("seed", 0, most, seed); status.failed())
    return status;
  sample.seed = uint64_t(seed);
  sampling = line.has("sample");
  for (const char *name : {"output", "outputs", "keep", "compare", "expect"})
    if (sampling && line.has(name))
      return usageError(std::string("--sample and --") + name + " exclude each other");
  if (Status status = line.integer("sample", 0, most, sample.bytes); status.failed())
    return status;
  if (Status status = line.number("temperature", 0, 1e6, sample.temperature); status.failed())
    return status;
  sample.prime = line.get("prime");

  double tolerance = 0;
  if (Status status = line.number("rtol", 0, 1e300, tolerance); status.failed())
    return status;
  if (line.has("rtol"))
    rtol = tolerance;
  if (Status status = line.number("atol", 0, 1e300, tolerance); status.failed())
    return status;
  if (line.has("atol"))
    atol = tolerance;
  return Status::success();
}

/// B for a model that is not compiled yet: that of the arguments, else of the
/// state, else 1.
Status chooseStreams(const RunOptions &options, const Inputs &inputs, const Function &function, int64_t &streams) {
  streams = 0;
  std::string from;
  for (bool arguments : {true, false}) {
    if (options.sampling || streams)
      break;
    for (const TensorDesc &tensor : function.tensors) {
      auto given = inputs.tensors.find(tensor.name);
      if (given == inputs.tensors.end() || (tensor.role == Role::Argument) != arguments)
        continue;
      size_t axis = 1;
      if (arguments ? tensor.rate == Rate::Stream : tensor.name == "state.age")
        axis = 0;
      bool hasStreams = arguments ? tensor.rate != Rate::Static
                                  : tensor.role == Role::State && !options.prepare.ignoreState && !tensor.shape.empty();
      if (!hasStreams || given->second.shape.size() <= axis)
        continue;
      int64_t found = given->second.shape[axis];
      if (streams && found != streams)
        return shapeError("input '" + tensor.name + "' has " + std::to_string(found) + " streams, but '" + from +
                          "' has " + std::to_string(streams));
      streams = found;
      from = tensor.name;
    }
  }
  if (!streams)
    streams = 1;
  return Status::success();
}

/// The program, with the options that this run needs; `keepSignals` adds every signal to the results.
Status open(const RunOptions &options, const Inputs &inputs, Program &program, bool keepSignals = false) {
  bool compile = false;
  if (Status status = needsCompiler(options.model, compile); status.failed())
    return status;
  std::vector<std::string> flags, keep = options.keep;
  if (keepSignals)
    keep.push_back("signals");
  if (!keep.empty()) {
    std::string list = "--keep=";
    for (const std::string &kept : keep)
      list += (list.back() == '=' ? "" : ",") + kept;
    flags.push_back(list);
  }
  if (options.prepare.widen)
    flags.push_back("--dtype=f64");
  if (!options.matmulPrecision.empty())
    flags.push_back("--matmul-precision=" + options.matmulPrecision);
  if (!compile) {
    if (!options.matmulPrecision.empty())
      return usageError("--matmul-precision needs an .mlir model; '" + options.model + "' is compiled");
    if (options.prepare.widen && options.device.target != "interpreter")
      return usageError("--dtype=f64 with '" + options.model + "' needs --target=interpreter",
                        {"on cpu it needs the .mlir model"});
    return openModel(options.model, options.device.target, {}, program);
  }
  Tables tables;
  if (Status status = describeModel(options.model, flags, tables); status.failed())
    return status;
  int64_t streams = 1;
  if (!options.sampling) {
    const Function *function = nullptr;
    if (Status status = findFunction(tables, options.model, options.function, function); status.failed())
      return status;
    if (Status status = chooseStreams(options, inputs, *function, streams); status.failed())
      return status;
  }
  flags.push_back("--streams=" + std::to_string(streams));
  return openModel(options.model, options.device.target, flags, program);
}

Status describeArtifact(const RunOptions &options) {
  bool compile = false;
  if (Status status = needsCompiler(options.model, compile); status.failed())
    return status;
  if (compile)
    return runCompiler({options.model, "--describe"}, nullptr);
  Program program;
  if (Status status = program.open(options.model, options.model); status.failed())
    return status;
  using nlohmann::ordered_json;
  ordered_json shown = ordered_json::parse(program.tablesText(), nullptr, /*allow_exceptions=*/false);
  shown["provenance"] = ordered_json::parse(program.provenanceText(), nullptr, /*allow_exceptions=*/false);
  if (shown["provenance"].is_discarded())
    shown["provenance"] = nullptr;
  shown["targets"] = program.targets();
  std::printf("%s\n", shown.dump(2).c_str());
  return Status::success();
}

Status sample(const RunOptions &options, const Program &program, const Inputs &inputs) {
  const Function *function = nullptr;
  if (Status status = findByteModel(program, options.function, function); status.failed())
    return status;
  Session::Options how = sessionOptions(options.device, options.sample.seed);
  std::unique_ptr<Session> session;
  if (Status status = Session::create(program, how, session); status.failed())
    return status;
  PrepareOptions prepare = options.prepare;
  prepare.ignoreState = prepare.ignoreArguments = true;
  Prepared prepared;
  if (Status status = prepareInputs(program, *function, inputs, prepare, prepared); status.failed())
    return status;
  if (Status status = loadSession(*session, *function, prepared.stored); status.failed())
    return status;
  std::string text;
  Status status = sampleBytes(*session, *function, options.sample, text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return status;
}

/// One run of the function on a device; the tables are the session's, which may
/// be wider than the program's.
Status runOnce(const RunOptions &options, const Program &program, const Inputs &inputs, const Session::Options &how,
               NamedTensors &outputs, Trace *trace = nullptr) {
  std::unique_ptr<Session> session;
  if (Status status = Session::create(program, how, session); status.failed())
    return status;
  if (trace)
    session = traceCalls(std::move(session), *trace);
  const Function *function = nullptr;
  if (Status status = findFunction(session->tables(), program.name(), options.function, function); status.failed())
    return status;
  PrepareOptions prepare = options.prepare;
  prepare.widen |= how.widen;
  Prepared prepared;
  if (Status status = prepareInputs(program, *function, inputs, prepare, prepared); status.failed())
    return status;
  return execute(*session, *function, prepared, outputs);
}

/// What the interpreter computes: exactly, and perturbed where a budget is needed.
Status interpret(const RunOptions &options, const Program &program, const Inputs &inputs, Reference &reference) {
  reference.rtol = options.rtol;
  reference.atol = options.atol;
  bool needsBudget = !options.rtol && !options.atol;
  if (!options.compare && !needsBudget)
    return Status::success();
  Session::Options how = sessionOptions(options.device, options.sample.seed);
  how.target = "interpreter";
  how.widen = true;
  if (Status status = runOnce(options, program, inputs, how, reference.exact); status.failed())
    return status;
  for (int run = 1; needsBudget && run <= kPerturbedRuns; ++run) {
    how.perturbSeed = uint64_t(run);
    NamedTensors perturbed;
    if (Status status = runOnce(options, program, inputs, how, perturbed); status.failed())
      return status;
    reference.perturbed.push_back(std::move(perturbed));
  }
  return Status::success();
}

/// `found`, with the first signal that is not finite as a note where the model can be compiled to return them.
Status findNonFiniteSignal(const RunOptions &options, const Inputs &inputs, const Status &found) {
  bool compile = false;
  if (needsCompiler(options.model, compile).failed() || !compile)
    return found;
  Program program;
  if (open(options, inputs, program, /*keepSignals=*/true).failed())
    return found;
  NamedTensors outputs;
  Session::Options how = sessionOptions(options.device, options.sample.seed);
  Status again = runOnce(options, program, inputs, how, outputs);
  return again.code == Code::NonFinite ? again : found;
}

/// Looks for the first signal that differs, in a program that returns them all. `first` stays as it is where none does,
/// or where the model is an artifact, which returns what it returns.
Status findFirstSignal(const RunOptions &options, const Inputs &inputs, std::string &first) {
  bool compile = false;
  if (Status status = needsCompiler(options.model, compile); status.failed() || !compile)
    return status;
  Program program;
  if (Status status = open(options, inputs, program, /*keepSignals=*/true); status.failed())
    return status;
  const Function *function = nullptr;
  if (Status status = findFunction(program.tables(), program.name(), options.function, function); status.failed())
    return status;
  Session::Options how = sessionOptions(options.device, options.sample.seed);
  NamedTensors outputs;
  if (Status status = runOnce(options, program, inputs, how, outputs); status.failed())
    return status;
  Reference reference;
  if (Status status = interpret(options, program, inputs, reference); status.failed())
    return status;
  for (const auto &[name, tensor] : reference.exact)
    if (name.rfind(kSignalsPrefix, 0) == 0)
      reference.expected.emplace_back(name, tensor);
  Status status = compareOutputs(*function, outputs, reference, /*quiet=*/true, first);
  return status.code == Code::Differs ? Status::success() : status;
}

Status compare(const RunOptions &options, const Program &program, const Inputs &inputs, const Function &function,
               const NamedTensors &outputs) {
  Reference reference;
  if (Status status = interpret(options, program, inputs, reference); status.failed())
    return status;
  std::string first;
  if (options.compare) {
    reference.expected = reference.exact;
    selectOutputs(options.outputs, reference.expected);
    Status verdict = compareOutputs(function, outputs, reference, /*quiet=*/false, first);
    if (verdict.code == Code::Differs) {
      if (Status status = findFirstSignal(options, inputs, first); status.failed())
        return status;
      std::printf("%s\n", first.c_str());
    }
    if (verdict.failed())
      return verdict;
  }
  if (options.expect.empty())
    return Status::success();
  TensorFile file;
  if (Status status = readTensorFile(options.expect, file); status.failed())
    return status;
  reference.expected.assign(file.tensors.begin(), file.tensors.end());
  Status verdict = compareOutputs(function, outputs, reference, /*quiet=*/false, first);
  if (verdict.code == Code::Differs)
    std::printf("%s\n", first.c_str());
  return verdict;
}

/// True if the function returns something of a kind that --keep names.
bool returns(const Function &function, const std::string &kept) {
  return std::any_of(function.tensors.begin(), function.tensors.end(), [&](const TensorDesc &tensor) {
    if (tensor.role != Role::Result)
      return false;
    if (kept == "gradients")
      return tensor.name.rfind("grad.", 0) == 0;
    return tensor.rate != Rate::Static;
  });
}

/// Error 23 if something was asked of an artifact that does not return it. A step of a model that is compiled here
/// may have nothing of the kind.
Status checkKept(const RunOptions &options, const Program &program, const Function &function) {
  for (const std::string &kept : options.keep)
    if (program.file() == options.model && !returns(function, kept))
      return compileError("'" + program.name() + "' was compiled without " + kept, {"recompile with --keep=" + kept});
  return Status::success();
}

Status run(const CommandLine &line) {
  RunOptions options;
  if (Status status = options.read(line); status.failed())
    return status;
  if (options.describe)
    return describeArtifact(options);
  Trace trace;
  Inputs inputs;
  {
    Trace::Span span(trace, "read inputs");
    if (Status status = inputs.read(options.inputs); status.failed())
      return status;
  }
  Program program;
  {
    Trace::Span span(trace, "open model");
    if (Status status = open(options, inputs, program); status.failed())
      return status;
  }
  if (options.sampling)
    return sample(options, program, inputs);

  const Function *function = nullptr;
  if (Status status = findFunction(program.tables(), program.name(), options.function, function); status.failed())
    return status;
  if (Status status = checkKept(options, program, *function); status.failed())
    return status;
  if (Status status = checkOutputGlobs(options.outputs, *function); status.failed())
    return status;
  bool compiled = program.file() != options.model;
  Session::Options how = sessionOptions(options.device, options.sample.seed);
  how.widen = options.prepare.widen && !compiled;
  NamedTensors outputs;
  if (Status status = runOnce(options, program, inputs, how, outputs, &trace); status.failed())
    return status.code == Code::NonFinite ? findNonFiniteSignal(options, inputs, status) : status;
  if (!options.trace.empty())
    if (Status status = trace.write(options.trace); status.failed())
      return status;
  selectOutputs(options.outputs, outputs);

  if (!options.output.empty()) {
    TensorFile file;
    for (auto &[name, tensor] : outputs)
      file.tensors[name] = tensor;
    if (!program.tables().networkHash.empty())
      file.metadata["rnn.network_hash"] = program.tables().networkHash;
    if (Status status = writeTensorFile(options.output, file); status.failed())
      return status;
  }
  if (options.compare || !options.expect.empty())
    return compare(options, program, inputs, *function, outputs);
  if (options.output.empty())
    std::fputs(summaryTable(outputs).c_str(), stdout);
  return Status::success();
}

} // namespace

int runTool(int argc, const char *const *argv) {
  openStandardStreams();
  catchInterrupts();
  CommandLine line;
  Status status = CommandLine::parse(argc, argv, kOptions, /*maxPositional=*/1, line);
  bool help = line.has("help"), version = line.has("version"), only = help || version;
  if (status.ok() && help)
    std::fputs(helpText("rnn-run <model.mlir|model.mlirbc|model.rnnc> [options]", kOptions).c_str(), stdout);
  else if (status.ok() && version)
    std::fputs(versionText().c_str(), stdout);
  if (status.ok() && !only)
    status = guarded([&] { return run(line); });
  if (status.ok())
    status = flushOutput();
  return report("rnn-run", status);
}

} // namespace mlir::rnn::tools
