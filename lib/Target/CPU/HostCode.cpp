//===- HostCode.cpp - From MLIR to a shared object in memory ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Target/CPU/HostCode.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace mlir::rnn;

/// The code generator for a target, or null and why.
static std::unique_ptr<llvm::TargetMachine> createMachine(const HostTarget &target, std::string &error) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  const llvm::Target *backEnd = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backEnd) {
    error = "no code generator for '" + triple.str() + "'";
    return nullptr;
  }
  // An unknown name is only a warning on stderr inside LLVM: ask first.
  std::unique_ptr<llvm::MCSubtargetInfo> generic(backEnd->createMCSubtargetInfo(triple, "", ""));
  if (!generic->isCPUStringValid(target.cpu)) {
    error = "unknown target 'cpu:" + target.cpu + "'";
    return nullptr;
  }
  return std::unique_ptr<llvm::TargetMachine>(
      backEnd->createTargetMachine(triple, target.cpu, target.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
                                   std::nullopt, llvm::CodeGenOptLevel::Default));
}

static std::unique_ptr<llvm::TargetMachine> createMachine(const HostTarget &target, Location loc) {
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target, error);
  if (!machine)
    emitError(loc) << error;
  return machine;
}

static unsigned getVectorBits(const llvm::MCSubtargetInfo &info, HostSanitizer sanitizer) {
  // ThreadSanitizer looks at accesses of up to 16 bytes.
  if (sanitizer == HostSanitizer::Thread)
    return 128;
  if (info.checkFeatures("+avx512f,+avx512vl"))
    return 512;
  return info.checkFeatures("+avx2") ? 256 : 128;
}

FailureOr<HostMachine> mlir::rnn::describeHost(const HostTarget &target, Location loc) {
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target, loc);
  if (!machine)
    return failure();
  const llvm::MCSubtargetInfo &info = *machine->getMCSubtargetInfo();
  HostMachine result;
  // What generated code may use; the runtime knows what the kernel calls them.
  static constexpr StringRef kFeatures[] = {"avx",          "avx2",
                                            "fma",          "bmi",
                                            "bmi2",         "lzcnt",
                                            "popcnt",       "f16c",
                                            "movbe",        "avx512f",
                                            "avx512vl",     "avx512dq",
                                            "avx512bw",     "avx512cd",
                                            "avx512bf16",   "avx512fp16",
                                            "avx512vnni",   "avx512ifma",
                                            "avx512vbmi",   "avx512vbmi2",
                                            "avx512bitalg", "avx512vpopcntdq",
                                            "avxvnni",      "gfni",
                                            "vaes",         "vpclmulqdq"};
  for (StringRef feature : kFeatures)
    if (info.checkFeatures(("+" + feature).str()))
      result.requirements.push_back(feature.str());
  result.hasFma = info.checkFeatures("+fma");
  result.vectorBits = getVectorBits(info, target.sanitizer);
  result.vectorRegisters = result.vectorBits == 512 ? 32 : 16;
  if (!result.hasFma) {
    emitError(loc) << "target 'cpu:" << target.cpu << "' has no fused multiply-add; expected x86-64-v3 or newer";
    return failure();
  }
  return result;
}

std::optional<unsigned> mlir::rnn::getHostVectorBits(const HostTarget &target) {
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target, error);
  if (!machine)
    return std::nullopt;
  return getVectorBits(*machine->getMCSubtargetInfo(), target.sanitizer);
}

HostTarget mlir::rnn::detectHost() {
  HostTarget target;
  target.cpu = llvm::sys::getHostCPUName().str();
  for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
    if (!target.features.empty())
      target.features += ',';
    target.features += (feature.second ? "+" : "-") + feature.first().str();
  }
  return target;
}

void mlir::rnn::buildLowerToLLVMPipeline(OpPassManager &manager) {
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(createConvertIndexToLLVMPass());
  manager.addPass(createFinalizeMemRefToLLVMConversionPass());
  manager.addPass(createConvertFuncToLLVMPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

/// Translates the lowered module and sets what the back end must know.
static std::unique_ptr<llvm::Module> translate(ModuleOp module, llvm::LLVMContext &context,
                                               llvm::TargetMachine &machine, const llvm::StringSet<> &exported,
                                               unsigned vectorBits, HostSanitizer sanitizer) {
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  module->getContext()->appendDialectRegistry(registry);
  std::unique_ptr<llvm::Module> result = translateModuleToLLVMIR(module, context, "rnn");
  if (!result)
    return nullptr;
  result->setTargetTriple(machine.getTargetTriple());
  result->setDataLayout(machine.createDataLayout());
  std::string width = std::to_string(vectorBits);
  for (llvm::Function &function : *result) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    if (!machine.getTargetFeatureString().empty())
      function.addFnAttr("target-features", machine.getTargetFeatureString());
    function.addFnAttr("prefer-vector-width", width);
    function.addFnAttr("min-legal-vector-width", width);
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (sanitizer == HostSanitizer::Address)
      function.addFnAttr(llvm::Attribute::SanitizeAddress);
    if (sanitizer == HostSanitizer::Thread)
      function.addFnAttr(llvm::Attribute::SanitizeThread);
    if (!exported.contains(function.getName()))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  return result;
}

/// What generated code gains from: it is explicit about vectors, tiles and
/// unrolling, so the passes that look for these take most of the time of a
/// default pipeline and find nothing.
static constexpr StringLiteral kFunctionPasses = "early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
                                                 "loop-mssa(loop-rotate,licm),gvn,instcombine<no-verify-fixpoint>,"
                                                 "simplifycfg";

HostSanitizer rnn::getOwnSanitizer() {
#if defined(__SANITIZE_THREAD__)
  return HostSanitizer::Thread;
#elif defined(__SANITIZE_ADDRESS__)
  return HostSanitizer::Address;
#else
  return HostSanitizer::None;
#endif
}

/// The passes of a sanitizer, behind all others.
static StringRef sanitizerPasses(HostSanitizer sanitizer) {
  switch (sanitizer) {
  case HostSanitizer::None:
    return "";
  case HostSanitizer::Address:
    return ",asan";
  case HostSanitizer::Thread:
    return ",tsan-module,function(tsan)";
  }
  llvm_unreachable("not a sanitizer");
}

static LogicalResult optimize(llvm::Module &module, llvm::TargetMachine &machine, HostSanitizer sanitizer,
                              Location loc) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  std::string text = ("function(" + kFunctionPasses + ")" + sanitizerPasses(sanitizer)).str();
  if (llvm::Error error = builder.parsePassPipeline(passes, text))
    return emitError(loc) << llvm::toString(std::move(error));
  passes.run(module, modules);
  return success();
}

/// An undefined symbol would be looked up in whatever the process has loaded.
static LogicalResult checkUndefinedSymbols(StringRef object, HostSanitizer sanitizer, Location loc) {
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "host code"));
  if (!file) {
    llvm::consumeError(file.takeError());
    return emitError(loc) << "host code is not an object file";
  }
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    llvm::Expected<StringRef> name = symbol.getName();
    if (!flags || !name) {
      llvm::consumeError(flags.takeError());
      llvm::consumeError(name.takeError());
      continue;
    }
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined) || name->empty())
      continue;
    // The section of variables that AddressSanitizer looks at has a beginning and an end, which the linker names.
    if ((sanitizer == HostSanitizer::Address && (name->starts_with("__asan_") || name->ends_with("_asan_globals"))) ||
        (sanitizer == HostSanitizer::Thread && name->starts_with("__tsan_")))
      continue;
    if (*name != "memcpy" && *name != "memmove" && *name != "memset")
      return emitError(loc) << "host code needs the function '" << *name << "'; expected no external function";
  }
  return success();
}

static FailureOr<std::string> findLinker(Location loc) {
  for (StringRef name : {"ld.lld-22", "/usr/lib/llvm-22/bin/ld.lld", "ld.lld"})
    if (auto path = llvm::sys::findProgramByName(name))
      return *path;
  return emitError(loc) << "linker ld.lld-22 not found; expected Debian's "
                           "package lld-22";
}

/// Links one object with `ld.lld -shared`, through temporary files.
static FailureOr<std::vector<char>> link(StringRef object, Location loc) {
  FailureOr<std::string> linker = findLinker(loc);
  if (failed(linker))
    return failure();
  SmallString<128> folder;
  if (std::error_code error = llvm::sys::fs::createUniqueDirectory("rnn-link", folder))
    return emitError(loc) << "cannot create a temporary folder: " << error.message();
  llvm::scope_exit cleanup([&] { llvm::sys::fs::remove_directories(folder); });
  std::string input = (folder + "/code.o").str();
  std::string output = (folder + "/code.so").str();
  std::string log = (folder + "/log").str();
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(input, error);
    if (!error)
      stream << object;
    stream.close();
    if (error || stream.has_error())
      return emitError(loc) << "cannot write '" << input << "'";
  }
  StringRef arguments[] = {*linker, "-shared", "-O1", "--build-id=none", "--gc-sections", "-z", "noexecstack",
                           "-o",    output,    input};
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log), StringRef(log)};
  std::string message;
  if (llvm::sys::ExecuteAndWait(*linker, arguments, std::nullopt, redirects,
                                /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message) != 0) {
    if (auto text = llvm::MemoryBuffer::getFile(log))
      message += (*text)->getBuffer().rtrim().str();
    return emitError(loc) << "linking host code failed: " << message;
  }
  auto linked = llvm::MemoryBuffer::getFile(output);
  if (!linked)
    return emitError(loc) << "cannot read '" << output << "'";
  return std::vector<char>((*linked)->getBufferStart(), (*linked)->getBufferEnd());
}

FailureOr<std::vector<char>> mlir::rnn::emitSharedObject(ModuleOp module, const HostTarget &target) {
  Location loc = module.getLoc();
  FailureOr<HostMachine> host = describeHost(target, loc);
  if (failed(host))
    return failure();
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target, loc);

  llvm::StringSet<> exported;
  for (auto function : module.getOps<FunctionOpInterface>())
    if (function.isPublic() && !function.isExternal())
      exported.insert(function.getName());

  // Upstream's passes are verified together: one by one takes as long as they do.
  PassManager manager(module.getContext());
  manager.enableVerifier(false);
  buildLowerToLLVMPipeline(manager);
  if (failed(manager.run(module)) || failed(verify(module)))
    return failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code =
      translate(module, context, *machine, exported, host->vectorBits, target.sanitizer);
  if (!code)
    return emitError(loc) << "translation to LLVM IR failed";
  if (failed(optimize(*code, *machine, target.sanitizer, loc)))
    return failure();

  SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager emitter;
  if (machine->addPassesToEmitFile(emitter, stream, nullptr, llvm::CodeGenFileType::ObjectFile))
    return emitError(loc) << "this target cannot emit object files";
  emitter.run(*code);

  StringRef bytes(object.data(), object.size());
  if (failed(checkUndefinedSymbols(bytes, target.sanitizer, loc)))
    return failure();
  return link(bytes, loc);
}
