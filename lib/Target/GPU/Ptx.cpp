//===- Ptx.cpp - Kernels for CUDA -----------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Target/GPU/Ptx.h"

#include "rnn/Target/GPU/LaunchTable.h"
#include "rnn/Pipelines/Pipelines.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::rnn;

/// A chip, the lowest version of PTX that has it, from 8.0 on, which all of our drivers read, the multiprocessors of
/// the GPUs that it is compiled for: A100, A40, L40S, H100 SXM and H200, B200, the blocks of a cluster at most, and a
/// block's shared memory. Smaller GPUs refuse what does not fit.
struct Chip {
  StringLiteral name;
  unsigned version;
  ChipResources resources;
};
static constexpr Chip kChips[] = {{"sm_80", 80, {108, 1, 163 << 10}},   {"sm_86", 80, {84, 1, 99 << 10}},
                                  {"sm_89", 80, {128, 1, 99 << 10}},    {"sm_90", 80, {132, 16, 227 << 10}},
                                  {"sm_90a", 80, {132, 16, 227 << 10}}, {"sm_100", 86, {148, 16, 227 << 10}}};

/// What kernels write in PTX themselves, and the version that brought it.
static constexpr std::pair<StringLiteral, unsigned> kNewInstructions[] = {
    {"st.async", 81}, {"red.async", 81}, {".b128", 83}};

static const Chip *findChip(StringRef name) {
  auto found = llvm::find_if(kChips, [&](const Chip &chip) { return chip.name == name; });
  return found == std::end(kChips) ? nullptr : found;
}

std::optional<ChipResources> mlir::rnn::getChipResources(StringRef chip) {
  const Chip *known = findChip(chip);
  return known ? std::optional(known->resources) : std::nullopt;
}

ArrayRef<StringRef> mlir::rnn::getCudaChips() {
  static const SmallVector<StringRef> names =
      llvm::map_to_vector(kChips, [](const Chip &chip) -> StringRef { return chip.name; });
  return names;
}

/// Tells ptxas how each kernel is launched: blocks have exactly this many threads, and those of a cooperative grid
/// share a processor with nobody. Without it ptxas saves registers for blocks that never come. The size of a cluster is
/// said at the launch, where it may depend on the device.
static void setLaunchBounds(gpu::GPUModuleOp kernels, const llvm::StringSet<> &cooperative) {
  for (auto kernel : kernels.getOps<LLVM::LLVMFuncOp>()) {
    if (Attribute threads = kernel->removeAttr(NVVM::NVVMDialect::getMaxntidAttrName()))
      if (!kernel->hasAttr(NVVM::NVVMDialect::getReqntidAttrName()))
        kernel->setAttr(NVVM::NVVMDialect::getReqntidAttrName(), threads);
    kernel->removeAttr(NVVM::NVVMDialect::getClusterDimAttrName());
    if (cooperative.contains(kernel.getName()) && !kernel->hasAttr(NVVM::NVVMDialect::getMinctasmAttrName()))
      kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), Builder(kernel.getContext()).getI32IntegerAttr(1));
  }
}

static unsigned getPtxVersion(const llvm::Module &code, StringRef chip) {
  unsigned version = findChip(chip)->version;
  for (const llvm::Function &function : code)
    for (const llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = dyn_cast<llvm::CallInst>(&instruction))
        if (auto *text = dyn_cast<llvm::InlineAsm>(call->getCalledOperand()))
          for (auto [name, needed] : kNewInstructions)
            if (StringRef(text->getAsmString()).contains(name))
              version = std::max(version, needed);
  return version;
}

static FailureOr<std::unique_ptr<llvm::TargetMachine>> createMachine(StringRef chip, unsigned version, Location loc) {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *backEnd = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backEnd)
    return emitError(loc) << "no code generator for '" << triple.str() << "'";
  llvm::TargetOptions options;
  // The emulator rounds after every operation; so do we.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(
      backEnd->createTargetMachine(triple, chip, "+ptx" + std::to_string(version), options, std::nullopt, std::nullopt,
                                   llvm::CodeGenOptLevel::Aggressive));
}

static void optimize(llvm::Module &code, llvm::TargetMachine &machine) {
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
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(code, modules);
}

/// Whatever is missing would be looked for when the driver loads the code: libdevice, printf.
static LogicalResult checkDeclarations(const llvm::Module &code, Location loc) {
  for (const llvm::Function &function : code)
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty())
      return emitError(loc) << "kernels need the function '" << function.getName()
                            << "'; expected no external function";
  return success();
}

FailureOr<PtxCode> mlir::rnn::emitPtx(ModuleOp module, StringRef chip) {
  FailureOr<gpu::GPUModuleOp> kernels = getKernels(module);
  if (failed(kernels))
    return failure();
  Location loc = kernels->getLoc();
  if (!findChip(chip))
    return emitError(loc) << "unknown chip '" << chip << "'; expected one of " << llvm::join(getCudaChips(), ", ");
  llvm::StringSet<> cooperative;
  module.walk([&](gpu::LaunchFuncOp launch) {
    if (launch->hasAttr(kCooperativeAttrName))
      cooperative.insert(launch.getKernelName());
  });

  PassManager manager(module.getContext());
  manager.enableVerifier(false); // the next manager verifies
  buildKernelsToNVVMPipeline(manager);
  if (failed(manager.run(module)))
    return failure();
  setLaunchBounds(*kernels, cooperative);
  PassManager text(module.getContext(), gpu::GPUModuleOp::getOperationName());
  text.addPass(createConvertNVVMToLLVMPass());
  if (failed(text.run(*kernels)))
    return failure();

  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  module->getContext()->appendDialectRegistry(registry);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(*kernels, context, "rnn");
  if (!code)
    return emitError(loc) << "translation to LLVM IR failed";
  PtxCode result;
  result.version = getPtxVersion(*code, chip);
  FailureOr<std::unique_ptr<llvm::TargetMachine>> machine = createMachine(chip, result.version, loc);
  if (failed(machine))
    return failure();
  code->setTargetTriple((*machine)->getTargetTriple());
  code->setDataLayout((*machine)->createDataLayout());
  optimize(*code, **machine);
  if (failed(checkDeclarations(*code, loc)))
    return failure();

  SmallString<0> assembly;
  llvm::raw_svector_ostream stream(assembly);
  llvm::legacy::PassManager emitter;
  if ((*machine)->addPassesToEmitFile(emitter, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
    return emitError(loc) << "this target cannot emit PTX";
  emitter.run(*code);
  result.text = assembly.str().str();
  return result;
}
