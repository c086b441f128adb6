//===- CheckTargets.cpp - Compiled networks against the interpreter -------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Check.h"

#include "rnn/Runtime/AtomicFile.h"
#include "rnn/Tools/Compare.h"
#include "rnn/Tools/Compiler.h"
#include "rnn/Tools/Execute.h"

#include <algorithm>
#include <chrono>

using namespace mlir::rnn;
using namespace mlir::rnn::tools;

namespace {

constexpr int64_t kFrames = 4;
/// Perturbed runs where the usual four do not cover a difference: a comparison of almost equal numbers may flip.
constexpr int kManyPerturbedRuns = 48;

/// One step of splitmix64.
uint64_t mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// A tensor for one call, much like `getProbeInputs` of rnn/Interpreter/Probe.h; parameters are those of call 0.
HostTensor makeInput(const TensorDesc &desc, uint64_t seed, int64_t call, int64_t frames) {
  const bool isParameter = desc.role != runtime::Role::Argument;
  uint64_t key = seed;
  for (unsigned char c : desc.name)
    key = mix(key ^ c);
  key = mix(key ^ uint64_t(isParameter ? 0 : call));
  HostTensor tensor = runtime::makeTensor(runtime::dtypeName(desc.dtype), shapeFor(desc, frames));
  const size_t count = size_t(*runtime::numElements(tensor.shape));
  for (size_t i = 0; i < count; ++i) {
    // Exact in f32, so that all runs have the same numbers.
    double u = double(mix(key ^ i) >> 40) * 0x1p-24;
    double number = isParameter ? u - 0.5 : 2 * u - 1;
    if (tensor.dtype == "f32")
      tensor.as<float>()[i] = float(number);
    else if (tensor.dtype == "f64")
      tensor.as<double>()[i] = number;
    else if (tensor.dtype == "i1")
      tensor.as<uint8_t>()[i] = u < (desc.isReset ? 0.2 : 0.75);
    else if (tensor.dtype == "i8")
      tensor.as<int8_t>()[i] = int8_t(3 * u);
    else if (tensor.dtype == "i32")
      tensor.as<int32_t>()[i] = int32_t(isParameter ? mix(key ^ i) : uint64_t(3 * u));
    else
      tensor.as<int64_t>()[i] = int64_t(3 * u);
  }
  return tensor;
}

/// The frames of each call: some, one less, some.
int64_t framesOf(const Function &function, int64_t call) {
  const int64_t frames = function.advance > 0 ? std::min(function.advance, kFrames) : kFrames;
  return std::max<int64_t>(1, frames - call % 2);
}

/// Three, and those that a window goes back over.
int64_t callsOf(const Function &function) {
  return 3 + (function.advance > 0 ? function.window / function.advance - 1 : 0);
}

/// Opens an artifact by way of a file, that is in `folder`.
Status open(const std::string &bytes, TemporaryFolder &folder, Program &program) {
  if (Status status = folder.create(); status.failed())
    return status;
  const std::string path = folder.file("network.rnnc");
  if (Status status = runtime::writeFileAtomically(path, bytes); status.failed())
    return status;
  return program.open(path, "network");
}

/// Outputs of each call of a function.
using Calls = std::vector<NamedTensors>;

class Checker {
public:
  Checker(const Program &program, const test::CheckOptions &options, test::CheckResult &result)
      : program(program), seed(options.seed), result(result) {}

  /// Compares one function on one target. False if something is wrong.
  bool check(const std::string &function, const std::string &target) {
    name = function;
    stage = target;
    count = callsOf(*program.tables().findFunction(function));
    Session::Options how;
    how.target = target;
    how.threads = 1;
    how.seed = seed;
    how.emulatorOrder = 0;
    Calls got, other;
    if (!run(how, got))
      return false;
    how.threads = 2;
    how.emulatorOrder = 1 + seed;
    if (!run(how, other))
      return false;
    for (int64_t call = 0; call < count; ++call)
      if (!isSame(got[size_t(call)], other[size_t(call)], call))
        return false;
    if (!interpret(kPerturbedRuns))
      return false;
    for (int64_t call = 0; call < count; ++call)
      if (!compare(got[size_t(call)], call))
        return false;
    return true;
  }

private:
  bool fail(const std::string &message) {
    result.stage = stage;
    result.message = "@" + name + ": " + message;
    return false;
  }

  bool run(const Session::Options &how, Calls &outputs) {
    std::unique_ptr<Session> session;
    if (Status status = Session::create(program, how, session); status.failed())
      return fail(status.str());
    const Function *function = session->tables().findFunction(name);
    for (int64_t call = 0; call < count; ++call) {
      Prepared prepared;
      prepared.frames = framesOf(*function, call);
      for (const TensorDesc &desc : function->tensors) {
        const bool isArgument = desc.role == runtime::Role::Argument;
        if (isArgument && desc.name != "seed" && (!desc.defaultValue || desc.name == "mask"))
          prepared.arguments[desc.name] = makeInput(desc, seed, call, prepared.frames);
        if (call == 0 && desc.role == runtime::Role::Parameter)
          prepared.stored[desc.name] = makeInput(desc, seed, call, prepared.frames);
      }
      if (call == 2)
        if (Status status = session->reset(firstStream()); status.failed())
          return fail(status.str());
      NamedTensors values;
      if (Status status = execute(*session, *function, prepared, values); status.failed())
        return fail("call " + std::to_string(call) + " on '" + how.target + "': " + status.str());
      outputs.push_back(std::move(values));
    }
    return true;
  }

  std::vector<uint8_t> firstStream() const {
    std::vector<uint8_t> streams(size_t(program.tables().streams), 0);
    streams[0] = 1;
    return streams;
  }

  /// Runs the interpreter exactly and perturbed, so many times in all for one function.
  bool interpret(int runs) {
    const std::string before = stage;
    stage = "interpreter";
    Session::Options how;
    how.target = "interpreter";
    how.seed = seed;
    how.widen = true;
    if (exact.empty() || interpreted != name) {
      exact.clear();
      perturbed.clear();
      if (!run(how, exact))
        return false;
      interpreted = name;
    }
    for (int i = int(perturbed.size()) + 1; i <= runs; ++i) {
      how.perturbSeed = uint64_t(i);
      if (!run(how, perturbed.emplace_back()))
        return false;
    }
    stage = before;
    return true;
  }

  Reference referenceOf(int64_t call) const {
    Reference reference;
    reference.exact = exact[size_t(call)];
    reference.expected = reference.exact;
    for (const Calls &calls : perturbed)
      reference.perturbed.push_back(calls[size_t(call)]);
    return reference;
  }

  bool compare(const NamedTensors &got, int64_t call) {
    const Function &function = *program.tables().findFunction(name);
    std::string first;
    Status verdict = compareOutputs(function, got, referenceOf(call), /*quiet=*/true, first);
    if (verdict.code == runtime::Code::Differs) {
      if (!interpret(kManyPerturbedRuns))
        return false;
      verdict = compareOutputs(function, got, referenceOf(call), /*quiet=*/true, first);
      result.undecided += verdict.ok();
    }
    if (verdict.failed())
      return fail("call " + std::to_string(call) + ": " + (first.empty() ? verdict.str() : first));
    result.calls[stage] += 1;
    for (const auto &[key, tensor] : got)
      result.elements[stage] += *runtime::numElements(tensor.shape);
    return true;
  }

  bool isSame(const NamedTensors &one, const NamedTensors &two, int64_t call) {
    for (size_t i = 0; i < one.size(); ++i)
      if (one[i].second.data != two[i].second.data)
        return fail("call " + std::to_string(call) + ": '" + one[i].first +
                    "' depends on the number or the order of threads");
    return true;
  }

  const Program &program;
  const uint64_t seed;
  test::CheckResult &result;
  std::string name, stage, interpreted;
  int64_t count = 0; ///< of calls
  Calls exact;
  std::vector<Calls> perturbed;
};

} // namespace

void test::checkTargets(const std::string &text, const CheckOptions &options, CheckResult &result) {
  // Modes, regimes and functions take turns.
  CompileOptions compileOptions;
  compileOptions.streams = int64_t(1 + options.seed % 3);
  compileOptions.mode = options.seed / 3 % 4 == 3 ? "sequential" : "split";
  compileOptions.regime = std::vector<const char *>{"auto", "block", "grid", "cluster"}[options.seed / 12 % 4];
  compileOptions.keep = {"gradients", "results"};
  compileOptions.targets = {"interpreter"};
  std::vector<std::string> targets;
  for (const std::string &stage : options.stages)
    if (stage == "cpu" || stage == "emulator") {
      compileOptions.targets.push_back(stage);
      targets.push_back(stage);
    }
  if (targets.empty())
    return;
  // A step holds all that its evaluation and its network do, and more; these are compiled where it is not.
  const bool hasStep = text.find("rnn.train_step @step") != std::string::npos;
  if (hasStep)
    compileOptions.functions = {options.seed / 5 % 3 ? "step" : "net"};
  CompileResult compiled;
  auto began = std::chrono::steady_clock::now();
  auto lap = [&](const char *what) {
    auto now = std::chrono::steady_clock::now();
    result.seconds[what] = std::chrono::duration<double>(now - began).count();
    began = now;
  };
  if (Status status = compile(text, "network", compileOptions, CompileTo::Binary, compiled); status.failed()) {
    result.stage = "compile";
    result.message = status.str();
    return;
  }
  lap("compile");
  TemporaryFolder folder;
  Program program;
  if (Status status = open(compiled.output, folder, program); status.failed()) {
    result.stage = "artifact";
    result.message = status.str();
    return;
  }
  Checker checker(program, options, result);
  for (const Function &function : program.tables().functions)
    for (const std::string &target : targets)
      if (!checker.check(function.name, target))
        return;
  lap("compare");
}
