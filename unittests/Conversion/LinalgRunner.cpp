//===- LinalgRunner.cpp - Functions on tensors as code in a test ------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinalgRunner.h"

#include "rnn/Target/CPU/HostCode.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

//===----------------------------------------------------------------------===//
// Memory of compiled code
//===----------------------------------------------------------------------===//

/// What compiled code has allocated in the current call.
static std::vector<std::unique_ptr<char[]>> &allocations() {
  static std::vector<std::unique_ptr<char[]>> list;
  return list;
}

/// Stands for malloc: memory full of NaN that lives until the call is over.
static void *allocate(size_t bytes) {
  allocations().push_back(std::make_unique<char[]>(bytes + 1));
  std::memset(allocations().back().get(), 0xff, bytes + 1);
  return allocations().back().get();
}

namespace {

/// The words of a memref descriptor: two addresses, an offset, sizes and strides.
class Descriptor {
public:
  /// Of a dense tensor at `data`.
  Descriptor(char *data, ArrayRef<int64_t> shape) : words(3 + 2 * shape.size()), rank(shape.size()) {
    words[0] = words[1] = reinterpret_cast<int64_t>(data);
    int64_t stride = 1;
    for (size_t i = rank; i-- > 0; stride *= shape[i]) {
      words[3 + i] = shape[i];
      words[3 + rank + i] = stride;
    }
  }
  /// A copy of the words that a function has written.
  Descriptor(const int64_t *from, size_t rank) : words(from, from + 3 + 2 * rank), rank(rank) {}

  void *get() { return words.data(); }
  size_t size() const { return words.size(); }
  ArrayRef<int64_t> shape() const { return ArrayRef(words).slice(3, rank); }

  /// The address of element `number` in row-major order.
  const char *element(int64_t number, size_t bytes) const {
    int64_t at = words[2];
    for (size_t i = rank; i-- > 0; number /= words[3 + i])
      at += number % words[3 + i] * words[3 + rank + i];
    return reinterpret_cast<const char *>(words[1]) + at * int64_t(bytes);
  }

private:
  std::vector<int64_t> words;
  size_t rank;
};

} // namespace

static std::vector<int64_t> shapeOf(const AbiTensor &tensor, int64_t frames, int64_t streams) {
  std::vector<int64_t> shape;
  if (tensor.rate == Rate::Frame)
    shape.push_back(frames);
  if (tensor.rate != Rate::Static)
    shape.push_back(streams);
  for (int64_t size : tensor.type.getShape())
    shape.push_back(ShapedType::isDynamic(size) ? streams : size);
  return shape;
}

/// Calls `action` with a zero of the type that an element has in memory.
template <typename Action>
static void dispatch(Type element, Action action) {
  if (element.isF32())
    action(float());
  else if (element.isF64())
    action(double());
  else if (element.isInteger(64))
    action(int64_t());
  else if (element.isInteger(32))
    action(int32_t());
  else
    action(int8_t());
}

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

static LogicalResult bufferize(ModuleOp module) {
  bufferization::OneShotBufferizationOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.allowReturnAllocsFromLoops = true;
  // Loops, where memref.copy would be a function of MLIR's runtime.
  options.memCpyFn = [](OpBuilder &b, Location loc, Value from, Value to) {
    linalg::CopyOp::create(b, loc, from, to);
    return success();
  };
  bufferization::BufferizationState state;
  return bufferization::runOneShotModuleBufferize(module, options, state);
}

static LogicalResult lowerToLLVM(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  tensor::populateDecomposeTensorConcatPatterns(patterns);
  if (failed(applyPatternsGreedily(module, std::move(patterns))))
    return failure();
  PassManager elementwise(module.getContext());
  elementwise.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  if (failed(elementwise.run(module)) || failed(bufferize(module)))
    return failure();
  module.walk(
      [](func::FuncOp function) { function->setAttr("llvm.emit_c_interface", UnitAttr::get(function.getContext())); });
  PassManager manager(module.getContext());
  manager.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createLowerAffinePass());
  manager.addPass(createConvertMathToLibmPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  buildLowerToLLVMPipeline(manager);
  return manager.run(module);
}

/// Adds `void call.<name>(ptr)` for every function: it finds its arguments, addresses of descriptors, in an array.
static void addEntries(llvm::Module &module) {
  SmallVector<llvm::Function *> functions;
  for (llvm::Function &function : module)
    if (function.getName().starts_with("_mlir_ciface_"))
      functions.push_back(&function);
  llvm::IRBuilder<> b(module.getContext());
  llvm::Type *pointer = b.getPtrTy();
  for (llvm::Function *function : functions) {
    auto *type = llvm::FunctionType::get(b.getVoidTy(), {pointer}, /*isVarArg=*/false);
    auto *entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                         "call." + function->getName().drop_front(strlen("_mlir_ciface_")), module);
    b.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "", entry));
    SmallVector<llvm::Value *> arguments;
    for (size_t i = 0; i < function->arg_size(); ++i)
      arguments.push_back(b.CreateLoad(pointer, b.CreateConstGEP1_64(pointer, entry->getArg(0), i)));
    b.CreateCall(function, arguments);
    b.CreateRetVoid();
  }
}

static llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> load(ModuleOp module) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, *context, "rnn");
  if (!code)
    return llvm::createStringError("no LLVM IR");
  addEntries(*code);
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  llvm::orc::ExecutorSymbolDef allocator(llvm::orc::ExecutorAddr::fromPtr(&allocate), llvm::JITSymbolFlags::Exported);
  llvm::orc::JITDylib &library = (*jit)->getMainJITDylib();
  if (llvm::Error error = library.define(llvm::orc::absoluteSymbols({{(*jit)->mangleAndIntern("malloc"), allocator}})))
    return error;
  // Everything else, elementary functions mostly, is libm's.
  auto process =
      llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess((*jit)->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  library.addGenerator(std::move(*process));
  if (llvm::Error error = (*jit)->addIRModule({std::move(code), std::move(context)}))
    return error;
  return jit;
}

LinalgRunner::LinalgRunner(ModuleOp lowered) {
  for (auto function : lowered.getOps<func::FuncOp>()) {
    Signature &signature = signatures[function.getSymName().str()];
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      signature.inputs.push_back(function.getArgAttrOfType<StringAttr>(i, "rnn.name").str());
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      signature.outputs.push_back(cast<StringAttr>(function.getResultAttr(i, "rnn.name")).str());
    // Names have done their work; LLVM does not know them.
    function.setAllArgAttrs(ArrayRef<DictionaryAttr>(SmallVector<DictionaryAttr>(function.getNumArguments())));
    function.setAllResultAttrs(ArrayRef<DictionaryAttr>(SmallVector<DictionaryAttr>(function.getNumResults())));
  }
  if (failed(lowerToLLVM(lowered)))
    return;
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> loaded = load(lowered);
  if (loaded)
    jit = std::move(*loaded);
  else
    lowered.emitError() << llvm::toString(loaded.takeError());
}

LinalgRunner::~LinalgRunner() = default;

//===----------------------------------------------------------------------===//
// Calling
//===----------------------------------------------------------------------===//

std::string LinalgRunner::run(StringRef name, ArrayRef<AbiTensor> abi, const TensorMap &inputs, int64_t frames,
                              int64_t streams, TensorMap &outputs) {
  auto signature = signatures.find(name);
  if (signature == signatures.end())
    return ("no function '" + name + "'").str();
  llvm::Expected<llvm::orc::ExecutorAddr> entry = jit->lookup(("call." + name).str());
  if (!entry)
    return llvm::toString(entry.takeError());
  auto find = [&](StringRef tensor) { return llvm::find_if(abi, [&](auto &known) { return known.name == tensor; }); };

  // A function may write over what it was given.
  std::vector<Descriptor> arguments;
  for (const std::string &input : signature->second.inputs) {
    const AbiTensor *desc = find(input);
    if (desc == abi.end())
      return "unknown argument '" + input + "'";
    Type element = desc->type.getElementType();
    auto given = inputs.find(input);
    Tensor value = given != inputs.end() ? given->second
                                         : Tensor::filled(shapeOf(*desc, frames, streams), isa<FloatType>(element),
                                                          desc->fill.value_or(0));
    dispatch(element, [&](auto zero) {
      char *data = static_cast<char *>(allocate(value.size() * sizeof(zero)));
      for (int64_t i = 0; i < value.size(); ++i) {
        decltype(zero) stored = value.isFloat() ? value.floats()[i] : value.integers()[i];
        std::memcpy(data + i * sizeof(stored), &stored, sizeof(stored));
      }
      arguments.emplace_back(data, value.shape);
    });
  }

  // The results come as descriptors, one after the other.
  std::vector<Descriptor> results;
  size_t words = 0;
  for (const std::string &output : signature->second.outputs) {
    const AbiTensor *desc = find(output);
    if (desc == abi.end())
      return "unknown result '" + output + "'";
    results.emplace_back(nullptr, shapeOf(*desc, frames, streams));
    words += results.back().size();
  }
  std::vector<int64_t> returned(words);
  std::vector<void *> pointers;
  if (words)
    pointers.push_back(returned.data());
  for (Descriptor &argument : arguments)
    pointers.push_back(argument.get());
  entry->toPtr<void (*)(void **)>()(pointers.data());

  const int64_t *at = returned.data();
  for (auto [output, expected] : llvm::zip(signature->second.outputs, results)) {
    Descriptor found(at, expected.shape().size());
    at += found.size();
    if (found.shape() != expected.shape())
      return "'" + output + "' has another shape";
    Type element = find(output)->type.getElementType();
    Tensor value = Tensor::zeros(found.shape(), isa<FloatType>(element));
    dispatch(element, [&, &output = output](auto zero) {
      for (int64_t i = 0; i < value.size(); ++i) {
        std::memcpy(&zero, found.element(i, sizeof(zero)), sizeof(zero));
        if (value.isFloat())
          value.floats()[i] = zero;
        else
          value.integers()[i] = wrapInteger(zero, element.getIntOrFloatBitWidth());
      }
      outputs[output] = value;
    });
  }
  allocations().clear();
  return "";
}
