//===- CompileTool.cpp - The command line of rnn-compile ------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "CompileTool.h"
#include "rnn/Runtime/AtomicFile.h"
#include "rnn/Target/Compile.h"
#include "rnn/Tools/CommandLine.h"
#include "rnn/Tools/CompilerVersion.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::rnn;
using namespace mlir::rnn::tools;
using namespace mlir::rnn::runtime;
using llvm::StringRef;

static const std::vector<Option> kOptions = {
    {"o", "file", "where to write the result; - is stdout"},
    {"target", "t",
     "cpu, cpu:x86-64-v3, cpu:x86-64-v4, cuda:<chip>, emulator or interpreter; repeat for several (cpu)"},
    {"streams", "B", "number of streams (1)", "batch-size"},
    {"functions", "list", "networks and steps to compile (all)"},
    {"keep", "list", "what a step returns besides: gradients, results"},
    {"bptt", "h,h'", "window and advance, instead of the model's"},
    {"optimizer", "name", "adam|adamw|sgd|rmsprop|adagrad|adadelta[,key=value...], instead of the model's"},
    {"clip-norm", "c", "clip the gradient's norm, instead of the model's clipping; 0: off"},
    {"clip-value", "c", "clip each element of the gradient, instead of the model's clipping; 0: off"},
    {"mode", "m", "split: loops hold only what is recurrent; sequential: one loop holds all (split)"},
    {"matmul-precision", "p", "f32, or bf16: products round their operands, which tensor cores need (f32)"},
    {"dtype", "f64", "compute an f32 network in f64"},
    {"memory-limit", "n", "largest workspace, with KiB, MiB or GiB"},
    {"regime", "r", "auto, block, cluster or grid: how far a loop spreads over the blocks of a GPU (auto)"},
    {"piece-frames", "n", "frames of a piece where loops overlap on a GPU, at least (64)"},
    {"compile-to", "phase", "graph, gradient, schedule, linalg, cpu, gpu: print MLIR; binary: the artifact (binary)"},
    {"describe", nullptr, "print the tensor tables as JSON, compile nothing"},
    {"report", "file", "write what became of the network, JSON if the name ends in .json; - is stdout"},
    {"save-temps", "folder", "one file per pass"},
    {"diagnostics", "form", "text or json (text)"},
    {"g", nullptr, "keep source locations in the artifact"},
    {"gradients", nullptr, "functions for other frameworks"},
    {"remat", "r", "auto, keep or recompute: whether forward results are computed again (auto)"},
    {"machine", "file", "a description of the machine"},
    {"tune", nullptr, "measure here"},
    {"help", nullptr, "show this help"},
    {"version", nullptr, "show versions"}};

/// Parts of the interface that are not built yet.
static const char *const kNotImplemented[] = {"gradients", "machine", "tune"};

/// Reads `64`, `3MiB` … as bytes.
static Status parseBytes(StringRef text, int64_t &bytes) {
  StringRef digits = text;
  unsigned shift = 0;
  for (auto [suffix, bits] : {std::pair<StringRef, unsigned>{"KiB", 10}, {"MiB", 20}, {"GiB", 30}})
    if (digits.consume_back(suffix)) {
      shift = bits;
      break;
    }
  if (digits.getAsInteger(10, bytes) || bytes < 0 || bytes > (INT64_MAX >> shift))
    return usageError("--memory-limit must be a number of bytes, KiB, MiB or GiB, got '" + text.str() + "'");
  bytes <<= shift;
  return Status::success();
}

static Status parseBptt(const CommandLine &line, CompileOptions &options) {
  if (!line.has("bptt"))
    return Status::success();
  std::vector<std::string> numbers = line.list("bptt");
  int64_t window, advance;
  if (numbers.size() != 2 || StringRef(numbers[0]).getAsInteger(10, window) ||
      StringRef(numbers[1]).getAsInteger(10, advance) || window < 1 || advance < 1)
    return usageError("--bptt must be <window>,<advance>, got '" + line.get("bptt") + "'");
  if (window % advance)
    return compileError("bptt window " + numbers[0] + " is not a multiple of advance " + numbers[1]);
  options.bptt = {window, advance};
  return Status::success();
}

static Status parseTargets(const CommandLine &line, CompileOptions &options) {
  static const std::vector<std::string> known = {"cpu",         "cpu:x86-64-v3", "cpu:x86-64-v4", "cuda:sm_80",
                                                 "cuda:sm_86",  "cuda:sm_89",    "cuda:sm_90",    "cuda:sm_90a",
                                                 "cuda:sm_100", "emulator",      "interpreter"};
  options.targets = line.all("target");
  if (options.targets.empty())
    options.targets = {"cpu"};
  for (const std::string &target : options.targets)
    if (!llvm::is_contained(known, target))
      return usageError("unknown target '" + target + "'", {"known: " + llvm::join(known, ", ")});
  return Status::success();
}

static Status parseOptions(const CommandLine &line, CompileOptions &options, CompileTo &to) {
  for (const char *name : kNotImplemented)
    if (line.has(name))
      return notImplemented(std::string("--") + name);
  if (line.positional().empty())
    return usageError("no input file; usage: rnn-compile <in.mlir|in.mlirbc|-> -o <out.rnnc>");
  if (Status status = parseTargets(line, options); status.failed())
    return status;
  if (Status status = line.integer("streams", 1, 1 << 20, options.streams); status.failed())
    return status;
  options.functions = line.list("functions");
  options.keep = line.list("keep");
  for (const std::string &kept : options.keep)
    if (kept != "gradients" && kept != "results" && kept != "signals")
      return usageError("--keep must be 'gradients', 'results' or 'signals', got '" + kept + "'");
  if (Status status = parseBptt(line, options); status.failed())
    return status;
  options.optimizer = line.get("optimizer");
  if (StringRef kind = StringRef(options.optimizer).split(',').first;
      !kind.empty() && !llvm::is_contained(kOptimizers, kind))
    return usageError("unknown --optimizer '" + kind.str() + "'", {"known: " + llvm::join(kOptimizers, ", ")});
  for (auto [name, limit] : {std::pair("clip-norm", &options.clipNorm), std::pair("clip-value", &options.clipValue)}) {
    double clip = 0;
    if (Status status = line.number(name, 0, 1e30, clip); status.failed())
      return status;
    if (line.has(name))
      *limit = clip;
  }
  if (options.clipNorm && options.clipValue)
    return usageError("--clip-norm and --clip-value exclude each other");
  if (Status status = line.choice("regime", {"auto", "block", "cluster", "grid"}, options.regime); status.failed())
    return status;
  if (Status status = line.integer("piece-frames", 1, 1 << 30, options.pieceFrames); status.failed())
    return status;
  if (Status status = line.choice("mode", {"split", "sequential"}, options.mode); status.failed())
    return status;
  std::string remat = "auto";
  if (Status status = line.choice("remat", {"auto", "keep", "recompute"}, remat); status.failed())
    return status;
  if (remat == "recompute")
    return notImplemented("--remat=recompute");
  if (Status status = line.choice("matmul-precision", {"f32", "bf16"}, options.matmulPrecision); status.failed())
    return status;
  std::string dtype;
  if (Status status = line.choice("dtype", {"f64"}, dtype); status.failed())
    return status;
  options.f64 = dtype == "f64";
  if (line.has("memory-limit"))
    if (Status status = parseBytes(line.get("memory-limit"), options.memoryLimit); status.failed())
      return status;
  std::string diagnostics = "text", phase = "binary";
  if (Status status = line.choice("diagnostics", {"text", "json"}, diagnostics); status.failed())
    return status;
  if (Status status =
          line.choice("compile-to", {"graph", "gradient", "schedule", "linalg", "cpu", "gpu", "binary"}, phase);
      status.failed())
    return status;
  options.jsonDiagnostics = diagnostics == "json";
  options.saveTemps = line.get("save-temps");
  options.debugInfo = line.has("g");
  to = line.has("describe") ? CompileTo::Describe
                            : llvm::StringSwitch<CompileTo>(phase)
                                  .Case("graph", CompileTo::Graph)
                                  .Case("gradient", CompileTo::Gradient)
                                  .Case("schedule", CompileTo::Schedule)
                                  .Case("linalg", CompileTo::Linalg)
                                  .Case("cpu", CompileTo::Cpu)
                                  .Case("gpu", CompileTo::Gpu)
                                  .Default(CompileTo::Binary);
  if (to == CompileTo::Binary && !line.has("o") && !line.has("report"))
    return usageError("no output file; name one with -o");
  return Status::success();
}

/// Writes a file whole or not at all; `-` is stdout.
static Status writeFile(const std::string &path, StringRef bytes) {
  if (path == "-") {
    llvm::outs() << bytes;
    llvm::outs().flush();
    if (!llvm::outs().has_error())
      return Status::success();
    llvm::outs().clear_error();
    return fileError("cannot write to stdout");
  }
  return runtime::writeFileAtomically(path, std::string_view(bytes.data(), bytes.size()));
}

/// `-o file` as the other tools' `--o=file`; `-g` likewise.
static std::vector<std::string> normalize(int argc, char **argv) {
  std::vector<std::string> words(argv, argv + argc);
  for (std::string &word : words)
    if (word == "-o" || word == "-g")
      word = "-" + word;
  return words;
}

/// Keeps the input of an internal error beside the output, or else in the current folder, and says how to use it.
static Status withReproducer(Status status, const std::string &reproducer, const CommandLine &line) {
  std::string output = line.get("o", "-");
  if (output == "-")
    output = line.positional().front() == "-" ? "stdin" : llvm::sys::path::filename(line.positional().front()).str();
  llvm::SmallString<128> path(output);
  llvm::sys::path::replace_extension(path, "repro.mlir");
  if (writeFile(path.str().str(), reproducer).ok())
    status.notes.push_back("reproduce with: rnn-opt --run-reproducer " + path.str().str());
  return status;
}

/// The outcome of the tool as one JSON object on stderr, in the form of diagnostics in IR.
static int reportAsJson(const Status &status) {
  if (!status.message.empty()) {
    llvm::json::Array notes;
    for (const std::string &note : status.notes)
      notes.push_back(llvm::json::Object{{"severity", "note"}, {"message", note}});
    llvm::errs() << llvm::json::Value(llvm::json::Object{
                        {"severity", "error"}, {"message", status.message}, {"notes", std::move(notes)}})
                 << "\n";
  }
  return int(status.code);
}

static Status run(int argc, char **argv, bool &asJson) {
  std::vector<std::string> words = normalize(argc, argv);
  if (words.back() == "--o")
    return usageError("option '-o' needs a value");
  std::vector<const char *> pointers;
  for (const std::string &word : words)
    pointers.push_back(word.c_str());
  CommandLine line;
  asJson = llvm::is_contained(words, "--diagnostics=json");
  if (Status status = CommandLine::parse(argc, pointers.data(), kOptions, 1, line); status.failed())
    return status;
  if (line.has("help") || line.has("version")) {
    llvm::outs() << (line.has("help") ? helpText("rnn-compile <in.mlir|in.mlirbc|-> -o <out.rnnc> [options]", kOptions)
                                      : compilerVersionText());
    return Status::success();
  }
  CompileOptions options;
  CompileTo to = CompileTo::Binary;
  if (Status status = parseOptions(line, options, to); status.failed())
    return status;

  const std::string &path = line.positional().front();
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer)
    return fileError("cannot read '" + path + "': " + buffer.getError().message());
  if (!options.saveTemps.empty()) {
    if (std::error_code error = llvm::sys::fs::create_directories(options.saveTemps))
      return fileError("cannot create '" + options.saveTemps + "': " + error.message());
    if (!llvm::sys::fs::is_directory(options.saveTemps))
      return fileError("cannot create '" + options.saveTemps + "': a file of that name exists");
  }
  CompileResult result;
  std::string name = path == "-" ? "<stdin>" : path;
  Status status = compile((*buffer)->getBuffer().str(), name, options, to, result);
  if (status.failed())
    return result.reproducer.empty() ? status : withReproducer(std::move(status), result.reproducer, line);
  if (line.has("report")) {
    std::string report = line.get("report");
    status = writeFile(report, StringRef(report).ends_with(".json") ? result.reportJson : result.reportText);
    if (status.failed())
      return status;
  }
  if (to == CompileTo::Binary && !line.has("o"))
    return Status::success();
  return writeFile(line.get("o", "-"), result.output);
}

int mlir::rnn::compileTool(int argc, char **argv) {
  bool asJson = false;
  Status status = run(argc, argv, asJson);
  return asJson ? reportAsJson(status) : report("rnn-compile", status);
}
