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
#include "Report.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "rnn/InitAllDialects.h"
#include "rnn/Pipelines/Pipelines.h"
#include "rnn/Runtime/ArtifactFormat.h"
#include "rnn/Target/CPU/HostCode.h"
#include "rnn/Target/NetworkHash.h"
#include "rnn/Target/Tables.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;
using namespace mlir::rnn;
using runtime::Section;
using runtime::SectionKind;
using runtime::Status;

namespace {
/// One compilation. Its diagnostics have been printed when a step fails; `failed` then tells the exit code.
class Compilation {
public:
  Compilation(const CompileOptions &options, StringRef name)
      : options(options), name(name), context(makeRegistry(), MLIRContext::Threading::DISABLED),
        diagnostics(context, options.jsonDiagnostics) {
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
  }

  Status run(const std::string &text, CompileTo to, CompileResult &result);

private:
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    rnn::registerAllDialects(registry);
    return registry;
  }
  /// An error that has been printed already.
  static Status printed(runtime::Code code = runtime::Code::Data) { return Status::error(code, {}, ""); }

  Status parse(const std::string &text);
  LogicalResult override();
  LogicalResult runPhase(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build);
  LogicalResult selectFunctions();
  Status checkMemory(const llvm::json::Object &tables);
  Status emitArtifact(CompileResult &result);
  void recordMemory(ModuleOp code);
  LogicalResult emitHostCode(StringRef target, std::string &sectionTarget, std::vector<char> &bytes,
                             std::vector<std::string> &requirements);
  std::string print(ModuleOp module);
  std::string bytecode(ModuleOp module);

  const CompileOptions &options;
  StringRef name;
  MLIRContext context;
  DiagnosticPrinter diagnostics;
  OwningOpRef<ModuleOp> module;
  std::string networkHash, gradientBytecode;
  llvm::StringMap<DictionaryAttr> measured; ///< workspaces of host code, by schedule
};
} // namespace

Status Compilation::parse(const std::string &text) {
  ParserConfig config(&context);
  module = parseSourceString<ModuleOp>(text, config, name);
  return module ? Status::success() : printed();
}

/// Applies what the command line says about train steps.
LogicalResult Compilation::override() {
  for (auto step : module->getOps<TrainStepOp>()) {
    if (options.bptt)
      step.setBpttAttr(BPTTAttr::get(&context, options.bptt->first, options.bptt->second));
    if (options.clipNorm)
      step.setClipNormAttr(*options.clipNorm > 0 ? Builder(&context).getF64FloatAttr(*options.clipNorm) : FloatAttr());
    if (options.optimizer.empty())
      continue;
    auto [kind, fields] = StringRef(options.optimizer).split(',');
    std::string text = "#rnn." + kind.str() + "<" + fields.str() + ">";
    auto optimizer = dyn_cast_or_null<OptimizerAttrInterface>(parseAttribute(text, &context));
    if (!optimizer)
      return step.emitError() << "unknown optimizer '" << options.optimizer << "'; expected adam or sgd";
    step.setOptimizerAttr(optimizer);
  }
  return verify(*module);
}

LogicalResult Compilation::runPhase(ModuleOp target, llvm::function_ref<void(OpPassManager &)> build) {
  PassManager manager(&context);
  if (!options.saveTemps.empty())
    manager.enableIRPrintingToFileTree([](Pass *, Operation *) { return false; },
                                       [](Pass *, Operation *) { return true; }, /*printModuleScope=*/true,
                                       /*printAfterOnlyOnChange=*/true, /*printAfterOnlyOnFailure=*/false,
                                       options.saveTemps);
  build(manager);
  return manager.run(target);
}

/// Leaves the functions that were asked for, with the evaluation of each step that is kept.
LogicalResult Compilation::selectFunctions() {
  if (options.functions.empty())
    return success();
  llvm::StringSet<> wanted;
  for (const std::string &function : options.functions)
    wanted.insert(function);
  SmallVector<RNNFunctionInterface> functions = getFunctions(*module);
  for (RNNFunctionInterface function : functions) {
    StringRef symbol = SymbolTable::getSymbolName(function).getValue();
    StringRef step = symbol;
    if (wanted.contains(symbol) || (step.consume_back(".eval") && wanted.contains(step)))
      wanted.erase(symbol);
    else
      function->erase();
  }
  if (wanted.empty())
    return success();
  // One name is enough to stop; the first in the order of the command line.
  for (const std::string &function : options.functions)
    if (wanted.contains(function) && !module->lookupSymbol(function))
      return module->emitError() << "no function named '" << function << "'";
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
    (void)runPhase(*copy, [](OpPassManager &manager) { manager.addPass(createStripDebugInfoPass()); });
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  BytecodeWriterConfig config("rnn-mlir");
  (void)writeBytecodeToFile(*copy, stream, config);
  return bytes;
}

/// The size that a call of one frame by one thread needs must stay below the limit.
Status Compilation::checkMemory(const llvm::json::Object &tables) {
  if (!options.memoryLimit)
    return Status::success();
  for (const llvm::json::Value &function : *tables.getArray("functions")) {
    const llvm::json::Object *memory = function.getAsObject()->getObject("memory");
    if (!memory)
      continue;
    int64_t needed = memory->getInteger("constant").value_or(0) + memory->getInteger("per_thread").value_or(0) +
                     memory->getInteger("per_frame").value_or(0);
    if (needed > options.memoryLimit)
      return runtime::memoryError("needs " + formatBytes(needed) + ", the limit is " +
                                  formatBytes(options.memoryLimit));
  }
  return Status::success();
}

/// Notes on each schedule the workspace that its function of `code` needs; of several targets the largest.
void Compilation::recordMemory(ModuleOp code) {
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
      if (before)
        bytes = std::max(bytes, before.getAs<IntegerAttr>(entry.getName()).getInt());
      sizes.set(entry.getName(), builder.getI64IntegerAttr(bytes));
    }
    measured[name.getValue()] = sizes.getDictionary(&context);
    schedule->setAttr("rnn.memory", measured[name.getValue()]);
  }
}

LogicalResult Compilation::emitHostCode(StringRef target, std::string &sectionTarget, std::vector<char> &bytes,
                                        std::vector<std::string> &requirements) {
  HostTarget host;
  if (target == "cpu")
    host = detectHost();
  else
    host.cpu = target.drop_front(StringRef("cpu:").size()).str();
  sectionTarget = "cpu:" + host.cpu;
  FailureOr<HostMachine> machine = describeHost(host, module->getLoc());
  if (failed(machine))
    return failure();
  requirements = machine->requirements;
  OwningOpRef<ModuleOp> code = module->clone();
  ToCpuOptions cpu;
  cpu.cpu = host.cpu;
  cpu.features = host.features;
  if (failed(runPhase(*code, [&](OpPassManager &manager) { buildToCpuPipeline(manager, cpu); })))
    return failure();
  recordMemory(*code);
  FailureOr<std::vector<char>> object = emitSharedObject(*code, host);
  if (failed(object))
    return failure();
  bytes = std::move(*object);
  return success();
}

Status Compilation::emitArtifact(CompileResult &result) {
  std::vector<std::pair<std::string, std::vector<char>>> objects;
  TablesOptions tablesOptions{networkHash, options.streams, {}};
  for (const std::string &target : options.targets) {
    if (target == "interpreter")
      continue;
    auto &[sectionTarget, bytes] = objects.emplace_back();
    if (failed(emitHostCode(target, sectionTarget, bytes, tablesOptions.requirements)))
      return printed();
  }
  buildReport(*module, options, result);
  llvm::json::Object tables = buildTables(*module, tablesOptions);
  if (Status status = checkMemory(tables); status.failed())
    return status;
  std::string tablesText = llvm::formatv("{0}", llvm::json::Value(std::move(tables)));
  std::string provenance = llvm::formatv(
      "{0}", llvm::json::Value(llvm::json::Object{
                 {"version", RNN_VERSION_STRING},
                 {"llvm", LLVM_VERSION_STRING},
                 {"options", llvm::json::Array{"--streams=" + std::to_string(options.streams), "--mode=" + options.mode,
                                               options.f64 ? "--dtype=f64" : "--dtype=declared"}}}));
  std::vector<Section> sections{{SectionKind::Tables, "", tablesText}};
  for (auto &[target, bytes] : objects)
    sections.push_back({SectionKind::HostCode, target, {bytes.data(), bytes.size()}});
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
  if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToGradientPipeline(manager, gradient); })) ||
      failed(selectFunctions()))
    return printed();
  if (to == CompileTo::Gradient)
    return result.output = print(*module), Status::success();
  if (to == CompileTo::Describe) {
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
    buildReport(*module, options, result);
    return result.output = print(*module), Status::success();
  case CompileTo::Linalg:
    if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToLinalgPipeline(manager, ToLinalgOptions()); })))
      return printed();
    return result.output = print(*module), Status::success();
  case CompileTo::Cpu:
    if (failed(runPhase(*module, [&](OpPassManager &manager) { buildToCpuPipeline(manager, ToCpuOptions()); })))
      return printed();
    return result.output = print(*module), Status::success();
  default:
    return emitArtifact(result);
  }
}

Status rnn::compile(const std::string &text, const std::string &name, const CompileOptions &options, CompileTo to,
                    CompileResult &result) {
  return Compilation(options, name).run(text, to, result);
}
