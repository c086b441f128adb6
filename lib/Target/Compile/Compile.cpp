//===- Compile.cpp - From a network's text to an artifact -----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs the phases of the pipeline library one after the other and takes what the artifact needs from each: the hash of
// the graph, the bytecode of the gradient level, tables and memory plan of the schedule, host code of each target.
//
//===----------------------------------------------------------------------===//
#include "rnn/Target/Compile.h"
#include "Diagnostics.h"
#include "Instruments.h"
#include "Report.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Dialect/RNN/IR/Nesting.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "rnn/InitAllDialects.h"
#include "rnn/Pipelines/Pipelines.h"
#include "rnn/Runtime/ArtifactFormat.h"
#include "rnn/Runtime/Tables.h"
#include "rnn/Target/CPU/HostCode.h"
#include "rnn/Target/GPU/DeviceCode.h"
#include "rnn/Target/GPU/Ptx.h"
#include "rnn/Target/NetworkHash.h"
#include "rnn/Target/Tables.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/YAMLParser.h"

using namespace mlir;
using namespace mlir::rnn;
using runtime::Section;
using runtime::SectionKind;
using runtime::Status;

namespace {
/// What is known of a compilation that did not come to its end.
struct Progress {
  std::string pipeline; ///< the passes so far, separated by commas
  std::string broken;   ///< the pass that left invalid IR, or what else went wrong in our passes; empty if nothing

  void addPipeline(PassManager &manager) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    manager.printAsTextualPipeline(stream);
    StringRef passes = text;
    if (passes.consume_front("builtin.module(") && passes.consume_back(")"))
      pipeline += (pipeline.empty() ? "" : ",") + passes.str();
  }
};

/// A section of the artifact with code for one target.
struct CodeSection {
  SectionKind kind;
  std::string target;
  std::vector<char> bytes;
};

/// One compilation. Its diagnostics have been printed when a step fails; `failed` then tells the exit code.
class Compilation {
public:
  Compilation(const CompileOptions &options, StringRef name, Progress &progress)
      : options(options), name(name), progress(progress), context(makeRegistry(), MLIRContext::Threading::DISABLED),
        diagnostics(context, options.jsonDiagnostics) {
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
    context.setRemarkEngine(remarks.createEngine());
  }

  Status run(const std::string &text, CompileTo to, CompileResult &result);
  /// The module of `text` as the phases get it, printed; empty if it cannot be read.
  std::string printInput(const std::string &text);

private:
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    rnn::registerAllDialects(registry);
    return registry;
  }
  /// An error that has been printed already.
  static Status printed(runtime::Code code = runtime::Code::Data) { return Status::error(code, {}, ""); }

  Status parse(const std::string &text);
  LogicalResult checkTopLevel();
  LogicalResult override();
  LogicalResult runPhase(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build);
  LogicalResult selectFunctions();
  LogicalResult checkKeptTensors(std::optional<int64_t> streams);
  Status checkMemory(const runtime::Tables &tables);
  llvm::json::Array describeOptions() const;
  Status emitArtifact(CompileResult &result);
  LogicalResult recordMemory(ModuleOp code);
  LogicalResult emitHostCode(StringRef target, TablesOptions &tables);
  void setOptions(ToGpuOptions &gpu) const;
  LogicalResult emitCodeForDevice(StringRef target, TablesOptions &tables);
  std::string print(ModuleOp module);
  std::string bytecode(ModuleOp module);

  const CompileOptions &options;
  StringRef name;
  Progress &progress;
  RemarkLog remarks;
  MLIRContext context;
  DiagnosticPrinter diagnostics;
  unsigned filesSaved = 0;
  OwningOpRef<ModuleOp> module;
  std::string networkHash, gradientBytecode;
  llvm::StringMap<DictionaryAttr> measured; ///< workspaces of code, by schedule
  std::vector<CodeSection> code;            ///< in the order of the targets
  DeviceReport deviceReport;
};
} // namespace

Status Compilation::parse(const std::string &text) {
  if (std::optional<TextPosition> place =
          isBytecode(llvm::MemoryBufferRef(text, name)) ? std::nullopt : findTooDeepNesting(text)) {
    emitError(FileLineColLoc::get(&context, name, place->line, place->column)) << "nesting deeper than " << kMaxNesting;
    return printed();
  }
  ParserConfig config(&context);
  module = parseSourceString<ModuleOp>(text, config, name);
  return module && succeeded(checkTopLevel()) ? Status::success() : printed();
}

/// Only what we generate code for is compiled: anything else beside networks would reach the object file as it is.
LogicalResult Compilation::checkTopLevel() {
  bool hasFunction = false;
  for (Operation &op : *module->getBody()) {
    if (!isa<ParameterOp, TrainStepOp, RNNFunctionInterface>(op)) {
      InFlightDiagnostic diag = op.emitError() << "'" << op.getName() << "' op is not allowed beside networks";
      diag.attachNote() << "allowed: rnn.parameter, rnn.network, rnn.train_step";
      return diag;
    }
    hasFunction |= isa<RNNFunctionInterface>(op);
  }
  if (!hasFunction)
    return module->emitError() << "no network found; expected a rnn.network";
  return success();
}

/// Applies what the command line says about train steps.
LogicalResult Compilation::override() {
  for (auto step : module->getOps<TrainStepOp>()) {
    if (options.bptt)
      step.setBpttAttr(BPTTAttr::get(&context, options.bptt->first, options.bptt->second));
    if (options.clipNorm || options.clipValue) {
      auto limit = [&](double value) { return value > 0 ? Builder(&context).getF64FloatAttr(value) : FloatAttr(); };
      step.setClipNormAttr(limit(options.clipNorm.value_or(0)));
      step.setClipValueAttr(limit(options.clipValue.value_or(0)));
    }
    if (options.optimizer.empty())
      continue;
    auto [kind, fields] = StringRef(options.optimizer).split(',');
    std::string text = "#rnn." + kind.str() + "<" + fields.str() + ">";
    auto optimizer = dyn_cast_or_null<OptimizerAttrInterface>(parseAttribute(text, &context));
    if (!optimizer)
      return step.emitError() << "unknown optimizer '" << options.optimizer
                              << "'; expected adam, adamw, sgd, rmsprop, adagrad or adadelta";
    step.setOptimizerAttr(optimizer);
  }
  return verify(*module);
}

LogicalResult Compilation::runPhase(ModuleOp target, llvm::function_ref<void(OpPassManager &)> build) {
  PassManager manager(&context);
  // Invalid IR between passes is our mistake and not the network's, so we look ourselves.
  manager.enableVerifier(false);
  manager.addInstrumentation(createVerifyEach(progress.broken));
  if (!options.saveTemps.empty())
    manager.addInstrumentation(createSaveTemps(options.saveTemps, filesSaved));
  build(manager);
  progress.addPipeline(manager);
  bool hadErrors = diagnostics.hasErrors();
  LogicalResult result = manager.run(target);
  if (failed(result) && progress.broken.empty() && diagnostics.hasErrors() == hadErrors)
    progress.broken = manager.empty() ? "rnn-compile" : manager.begin()->getArgument().str();
  return success(succeeded(result) && progress.broken.empty());
}

/// Leaves the functions that were asked for, with the evaluation of each step that is kept.
LogicalResult Compilation::selectFunctions() {
  if (options.functions.empty())
    return success();
  llvm::StringSet<> wanted;
  for (const std::string &function : options.functions)
    wanted.insert(function);
  SmallVector<RNNFunctionInterface> functions = getFunctions(*module);
  SmallVector<std::string> names;
  for (RNNFunctionInterface function : functions)
    names.push_back(SymbolTable::getSymbolName(function).str());
  for (RNNFunctionInterface function : functions) {
    StringRef symbol = SymbolTable::getSymbolName(function).getValue();
    StringRef step = symbol;
    if (wanted.contains(symbol) || (step.consume_back(".eval") && wanted.contains(step)))
      wanted.erase(symbol);
    else
      function->erase();
  }
  // One name is enough to stop; the first in the order of the command line.
  for (const std::string &function : options.functions)
    if (wanted.contains(function) && !llvm::is_contained(names, function)) {
      InFlightDiagnostic diagnostic = module->emitError() << "no function named '" << function << "'";
      std::string all = llvm::join(names, ", ");
      diagnostic.attachNote(module->getLoc()) << "it has: " << all;
      return diagnostic;
    }
  return success();
}

std::string Compilation::print(ModuleOp target) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  OpPrintingFlags flags;
  target->print(stream, options.debugInfo ? flags.enableDebugInfo() : flags);
  stream << "\n";
  return text;
}

std::string Compilation::bytecode(ModuleOp target) {
  OwningOpRef<ModuleOp> copy = target.clone();
  if (!options.debugInfo)
    copy->walk([&](Operation *op) {
      op->setLoc(UnknownLoc::get(&context));
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (BlockArgument argument : block.getArguments())
            argument.setLoc(UnknownLoc::get(&context));
    });
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  BytecodeWriterConfig config("rnn-mlir");
  (void)writeBytecodeToFile(*copy, stream, config);
  return bytes;
}

/// A session keeps one tensor of a name for all functions: what they call alike must be alike.
LogicalResult Compilation::checkKeptTensors(std::optional<int64_t> streams) {
  llvm::StringMap<std::pair<RNNFunctionInterface, RankedTensorType>> kept;
  for (RNNFunctionInterface function : getFunctions(*module))
    for (const AbiTensor &tensor : getAbi(function, streams.value_or(ShapedType::kDynamic))) {
      if (tensor.role != AbiRole::State && tensor.role != AbiRole::Ring)
        continue;
      auto [first, firstType] = kept.try_emplace(tensor.name, function, tensor.type).first->second;
      if (firstType == tensor.type)
        continue;
      InFlightDiagnostic diagnostic = function->emitError()
                                      << "'" << SymbolTable::getSymbolName(function).getValue() << "' keeps '"
                                      << tensor.name << "' as " << tensor.type << ", '"
                                      << SymbolTable::getSymbolName(first).getValue() << "' as " << firstType;
      diagnostic.attachNote(first->getLoc())
          << "functions share a session: give them "
          << (tensor.role == AbiRole::State ? "signals of different names" : "the same bptt")
          << ", or compile them apart with --functions";
      return diagnostic;
    }
  return success();
}

/// The workspace of every function must stay below the limit: of a step with bptt for its largest number of frames, of
/// a function that takes any number for one frame.
Status Compilation::checkMemory(const runtime::Tables &tables) {
  if (!options.memoryLimit)
    return Status::success();
  for (const runtime::Function &function : tables.functions) {
    uint64_t frames = std::max<int64_t>(function.advance, 1);
    uint64_t fixed = llvm::SaturatingAdd(function.memory.constant, function.memory.perThread);
    uint64_t needed = llvm::SaturatingMultiplyAdd(function.memory.perFrame, frames, fixed);
    if (needed > uint64_t(options.memoryLimit))
      return runtime::memoryError("needs " + formatBytes(needed) + ", the limit is " +
                                  formatBytes(options.memoryLimit));
  }
  return Status::success();
}

/// Notes on each schedule the workspace that its function of `code` needs; of several targets the largest.
/// Fails if an artifact cannot ask for so much.
LogicalResult Compilation::recordMemory(ModuleOp code) {
  Builder builder(&context);
  for (Operation &function : *code.getBody()) {
    auto name = function.getAttrOfType<StringAttr>("rnn.name");
    auto needed = function.getAttrOfType<DictionaryAttr>("rnn.memory");
    auto schedule = name ? module->lookupSymbol<ScheduleOp>(name) : ScheduleOp();
    if (!schedule || !needed)
      continue;
    auto before = measured.lookup(name.getValue());
    NamedAttrList sizes;
    for (NamedAttribute entry : needed) {
      int64_t bytes = cast<IntegerAttr>(entry.getValue()).getInt();
      if (bytes > runtime::kMaxBytes)
        return schedule.emitError() << "the workspace of '" << name.getValue()
                                    << "' is larger than any memory: " << formatBytes(bytes);
      if (before)
        bytes = std::max(bytes, before.getAs<IntegerAttr>(entry.getName()).getInt());
      sizes.set(entry.getName(), builder.getI64IntegerAttr(bytes));
    }
    measured[name.getValue()] = sizes.getDictionary(&context);
    schedule->setAttr("rnn.memory", measured[name.getValue()]);
  }
  return success();
}

LogicalResult Compilation::emitHostCode(StringRef target, TablesOptions &tables) {
  HostTarget host;
  if (target == "cpu")
    host = detectHost();
  else
    host.cpu = target.drop_front(StringRef("cpu:").size()).str();
  FailureOr<HostMachine> machine = describeHost(host, module->getLoc());
  if (failed(machine))
    return failure();
  tables.requirements.push_back({"cpu:" + host.cpu, machine->requirements});
  OwningOpRef<ModuleOp> lowered = module->clone();
  ToCpuOptions cpu;
  cpu.cpu = host.cpu;
  cpu.features = host.features;
  if (failed(runPhase(*lowered, [&](OpPassManager &manager) { buildToCpuPipeline(manager, cpu); })) ||
      failed(recordMemory(*lowered)))
    return failure();
  FailureOr<std::vector<char>> object = emitSharedObject(*lowered, host);
  if (failed(object))
    return failure();
  code.push_back({SectionKind::HostCode, "cpu:" + host.cpu, std::move(*object)});
  return success();
}

void Compilation::setOptions(ToGpuOptions &gpu) const {
  gpu.regime = options.regime;
  gpu.pieceFrames = options.pieceFrames;
}

LogicalResult Compilation::emitCodeForDevice(StringRef target, TablesOptions &tables) {
  OwningOpRef<ModuleOp> lowered = module->clone();
  ToGpuOptions gpu;
  if (std::optional<ChipResources> chip = getChipResources(getCudaChip(target))) {
    gpu.multiprocessors = chip->multiprocessors;
    gpu.clusterBlocks = chip->clusterBlocks;
    gpu.sharedBytes = chip->sharedBytes;
  }
  setOptions(gpu);
  const size_t known = remarks.getEntries().size();
  if (failed(runPhase(*lowered, [&](OpPassManager &manager) { buildToGpuPipeline(manager, gpu); })))
    return failure();
  deviceReport.addLoops(target, remarks.getEntries().drop_front(known));
  if (failed(recordMemory(*lowered)))
    return failure();
  FailureOr<DeviceCode> device = emitDeviceCode(*lowered, target);
  if (failed(device))
    return failure();
  if (!device->requirements.empty())
    tables.requirements.push_back({target.str(), device->requirements});
  deviceReport.add(target, *device);
  for (auto &[kind, bytes] : device->sections)
    code.push_back({kind, target.str(), std::move(bytes)});
  return success();
}

/// The options that decide what the artifact holds, as they would be written.
llvm::json::Array Compilation::describeOptions() const {
  llvm::json::Array list{"--target=" + llvm::join(options.targets, ","), "--streams=" + std::to_string(options.streams),
                         "--mode=" + options.mode};
  if (!options.functions.empty())
    list.push_back("--functions=" + llvm::join(options.functions, ","));
  if (!options.keep.empty())
    list.push_back("--keep=" + llvm::join(options.keep, ","));
  if (options.bptt)
    list.push_back("--bptt=" + std::to_string(options.bptt->first) + "," + std::to_string(options.bptt->second));
  if (!options.optimizer.empty())
    list.push_back("--optimizer=" + options.optimizer);
  if (options.clipNorm)
    list.push_back(llvm::formatv("--clip-norm={0}", *options.clipNorm).str());
  if (options.clipValue)
    list.push_back(llvm::formatv("--clip-value={0}", *options.clipValue).str());
  if (options.regime != "auto")
    list.push_back("--regime=" + options.regime);
  if (options.pieceFrames != kPieceFrames)
    list.push_back("--piece-frames=" + std::to_string(options.pieceFrames));
  if (options.matmulPrecision != "f32")
    list.push_back("--matmul-precision=" + options.matmulPrecision);
  if (options.f64)
    list.push_back("--dtype=f64");
  if (options.debugInfo)
    list.push_back("-g");
  return list;
}

Status Compilation::emitArtifact(CompileResult &result) {
  if (failed(checkKeptTensors(options.streams)))
    return printed();
  TablesOptions tablesOptions{networkHash, options.streams, {}};
  for (const std::string &target : options.targets) {
    if (target == "interpreter")
      continue;
    bool isHost = StringRef(target).starts_with("cpu");
    if (failed(isHost ? emitHostCode(target, tablesOptions) : emitCodeForDevice(target, tablesOptions)))
      return printed();
  }
  buildReport(*module, options, remarks, deviceReport, result);
  std::string tablesText = llvm::formatv("{0}", llvm::json::Value(buildTables(*module, tablesOptions)));
  runtime::Tables tables;
  if (Status status = runtime::parseTables(tablesText, name.str(), tables); status.failed())
    return runtime::internalError("the compiler made an artifact that no runtime reads", {status.message});
  if (Status status = checkMemory(tables); status.failed())
    return status;
  std::string provenance = llvm::formatv("{0}", llvm::json::Value(llvm::json::Object{{"version", RNN_VERSION_STRING},
                                                                                     {"llvm", LLVM_VERSION_STRING},
                                                                                     {"options", describeOptions()}}));
  std::vector<Section> sections{{SectionKind::Tables, "", tablesText}};
  for (const CodeSection &section : code)
    sections.push_back({section.kind, section.target, {section.bytes.data(), section.bytes.size()}});
  sections.push_back({SectionKind::Module, "", gradientBytecode});
  sections.push_back({SectionKind::Provenance, "", provenance});
  return writeArtifact(sections, result.output);
}

Status Compilation::run(const std::string &text, CompileTo to, CompileResult &result) {
  if (Status status = parse(text); status.failed())
    return status;
  if (failed(override()))
    return printed();

  ToGraphOptions graph;
  if (options.f64)
    graph.type = "f64";
  if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToGraphPipeline(manager, graph); })))
    return printed();
  networkHash = getNetworkHash(*module);
  if (to == CompileTo::Graph)
    return result.output = print(*module), Status::success();

  ToGradientOptions gradient;
  gradient.keep = ArrayRef<std::string>(options.keep);
  gradient.matmulPrecision = options.matmulPrecision;
  if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToGradientPipeline(manager, gradient); })) ||
      failed(selectFunctions()))
    return printed();
  if (to == CompileTo::Gradient)
    return result.output = print(*module), Status::success();
  if (to == CompileTo::Describe) {
    if (failed(checkKeptTensors(std::nullopt)))
      return printed();
    llvm::json::Value tables = buildTables(*module, {networkHash, std::nullopt, {}});
    return result.output = llvm::formatv("{0:2}\n", tables), Status::success();
  }
  gradientBytecode = bytecode(*module);

  ToScheduleOptions schedule;
  schedule.streams = options.streams;
  schedule.mode = options.mode;
  if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToSchedulePipeline(manager, schedule); })))
    return printed();
  switch (to) {
  case CompileTo::Schedule:
    buildReport(*module, options, remarks, deviceReport, result);
    return result.output = print(*module), Status::success();
  case CompileTo::Linalg:
    if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToLinalgPipeline(manager, ToLinalgOptions()); })))
      return printed();
    return result.output = print(*module), Status::success();
  case CompileTo::Cpu:
    if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToCpuPipeline(manager, ToCpuOptions()); })))
      return printed();
    return result.output = print(*module), Status::success();
  case CompileTo::Gpu: {
    ToGpuOptions gpu;
    setOptions(gpu);
    if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToGpuPipeline(manager, gpu); })))
      return printed();
    return result.output = print(*module), Status::success();
  }
  default:
    return emitArtifact(result);
  }
}

std::string Compilation::printInput(const std::string &text) {
  if (parse(text).failed() || failed(override()))
    return "";
  return print(*module);
}

/// Runs `body` on a thread of its own with a stack that all that we parse fits in; false if it crashed.
static bool runGuarded(llvm::function_ref<void()> body) {
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  bool finished = recovery.RunSafelyOnThread(body, /*RequestedStackSize=*/64 << 20);
  llvm::CrashRecoveryContext::Disable();
  return finished;
}

std::string rnn::formatReproducer(const std::string &module, const std::string &pipeline) {
  return module + "\n{-#\n  external_resources: {\n    mlir_reproducer: {\n      pipeline: \"builtin.module(" +
         llvm::yaml::escape(pipeline) +
         ")\",\n      disable_threading: true,\n      verify_each: true\n    }\n  }\n#-}\n";
}

Status rnn::compile(const std::string &text, const std::string &name, const CompileOptions &options, CompileTo to,
                    CompileResult &result) {
  Status status;
  Progress progress;
  bool finished = runGuarded([&] { status = Compilation(options, name, progress).run(text, to, result); });
  if (finished && progress.broken.empty())
    return status;
  // What was asked for is as it was given; what it became cannot be trusted.
  std::string input;
  bool isReadable = runGuarded([&] {
    Progress unused;
    input = Compilation(options, name, unused).printInput(text);
  });
  result.reproducer = formatReproducer(isReadable && !input.empty() ? input : text, progress.pipeline);
  if (!finished)
    return runtime::internalError("the compiler crashed");
  return runtime::internalError("'" + progress.broken + "' left invalid IR");
}
