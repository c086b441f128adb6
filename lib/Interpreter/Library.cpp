//===- Library.cpp - librnn-interpreter.so --------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The interpreter behind the C functions of rnn/Runtime/InterpreterAbi.h: tensors in memory to maps by name, and back.
//
//===----------------------------------------------------------------------===//
#include "rnn/Runtime/InterpreterAbi.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Interpreter/Interpreter.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdio>

using namespace mlir;
using namespace mlir::rnn;

/// Exit codes of the border.
enum { kDone = 0, kWrongData = 1 };

struct RnnInterpreter {
  // One run at a time, and no threads of its own.
  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
};

//===----------------------------------------------------------------------===//
// Tensors in memory
//===----------------------------------------------------------------------===//

/// Calls `visit(pointer of the tensor's C type)`, and says whether the dtype is known.
template <typename Visit>
static bool visitData(const RnnInterpreterTensor &tensor, Visit visit) {
  StringRef dtype = tensor.dtype;
  if (dtype == "f32")
    visit(static_cast<float *>(tensor.data));
  else if (dtype == "f64")
    visit(static_cast<double *>(tensor.data));
  else if (dtype == "i1" || dtype == "i8")
    visit(static_cast<int8_t *>(tensor.data));
  else if (dtype == "i32")
    visit(static_cast<int32_t *>(tensor.data));
  else if (dtype == "i64")
    visit(static_cast<int64_t *>(tensor.data));
  else
    return false;
  return true;
}

static Tensor readTensor(const RnnInterpreterTensor &tensor) {
  bool isFloat = StringRef(tensor.dtype).starts_with("f");
  Tensor result = Tensor::zeros(ArrayRef<int64_t>(tensor.shape, tensor.rank), isFloat);
  visitData(tensor, [&](auto *data) {
    std::visit([&](auto &values) { std::copy(data, data + values.size(), values.begin()); }, result.data);
  });
  return result;
}

static void writeTensor(const Tensor &source, const RnnInterpreterTensor &tensor) {
  visitData(tensor, [&](auto *data) {
    using Element = std::remove_pointer_t<decltype(data)>;
    std::visit([&](auto &values) { llvm::transform(values, data, [](auto x) { return static_cast<Element>(x); }); },
               source.data);
  });
}

/// B, from the shape of any tensor that shows it; 1 if none does.
static int64_t findStreams(RNNFunctionInterface function, ArrayRef<RnnInterpreterTensor> tensors) {
  llvm::StringMap<ArrayRef<int64_t>> shapes;
  for (const RnnInterpreterTensor &tensor : tensors)
    shapes[tensor.name] = ArrayRef<int64_t>(tensor.shape, tensor.rank);
  for (const AbiTensor &desc : getAbi(function, 1)) {
    ArrayRef<int64_t> shape = shapes.lookup(desc.name);
    bool hasRow = desc.rate == Rate::Frame ||
                  ((desc.role == AbiRole::State || desc.role == AbiRole::Ring) && desc.name != "state.age");
    if (hasRow && shape.size() >= 2)
      return shape[1];
    if ((desc.rate == Rate::Stream || desc.name == "state.age") && !shape.empty())
      return shape[0];
  }
  return 1;
}

//===----------------------------------------------------------------------===//
// The border
//===----------------------------------------------------------------------===//

namespace {
/// Collects errors and their notes as text.
class Messages {
public:
  explicit Messages(MLIRContext &context)
      : handler(&context, [this](Diagnostic &diagnostic) {
          llvm::raw_string_ostream os(text);
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return;
          os << (text.empty() ? "" : "\n") << diagnostic;
          for (Diagnostic &note : diagnostic.getNotes())
            os << "\nnote: " << note;
        }) {}

  /// Copies the text, cut to size, and returns the exit code of wrong data.
  int32_t report(char *error, size_t size) const {
    if (size > 0)
      std::snprintf(error, size, "%s", text.c_str());
    return kWrongData;
  }
  std::string text;

private:
  ScopedDiagnosticHandler handler;
};
} // namespace

extern "C" int32_t rnnInterpreterAbiVersion(void) { return RNN_INTERPRETER_ABI_VERSION; }

extern "C" int32_t rnnInterpreterOpen(const void *module, size_t size, RnnInterpreter **interpreter, char *error,
                                      size_t errorSize) {
  auto result = std::make_unique<RnnInterpreter>();
  result->context.loadDialect<RNNDialect>();
  result->context.printOpOnDiagnostic(false);
  Messages messages(result->context);
  StringRef text(static_cast<const char *>(module), size);
  result->module = parseSourceString<ModuleOp>(text, ParserConfig(&result->context));
  if (!result->module)
    return messages.report(error, errorSize);
  *interpreter = result.release();
  return kDone;
}

extern "C" int32_t rnnInterpreterRun(RnnInterpreter *interpreter, const char *name, const RnnInterpreterTensor *tensors,
                                     int32_t count, int64_t frames, const RnnInterpreterOptions *options, char *error,
                                     size_t errorSize) {
  Messages messages(interpreter->context);
  auto function = dyn_cast_or_null<RNNFunctionInterface>(SymbolTable::lookupSymbolIn(*interpreter->module, name));
  if (!function) {
    messages.text = ("the module has no function named '" + Twine(name) + "'").str();
    return messages.report(error, errorSize);
  }
  ArrayRef<RnnInterpreterTensor> list(tensors, count);
  llvm::StringSet<> results;
  for (const AbiTensor &desc : getAbi(function, 1))
    if (desc.role == AbiRole::Result)
      results.insert(desc.name);
  TensorMap inputs, outputs;
  for (const RnnInterpreterTensor &tensor : list) {
    if (!visitData(tensor, [](auto *) {})) {
      messages.text = ("tensor '" + Twine(tensor.name) + "' has unknown dtype '" + tensor.dtype + "'").str();
      return messages.report(error, errorSize);
    }
    if (!results.contains(tensor.name))
      inputs[tensor.name] = readTensor(tensor);
  }
  rnn::InterpreterOptions settings;
  if (options) {
    settings.perturbUlps = options->perturb_ulps;
    settings.perturbSeed = options->perturb_seed;
  }
  if (failed(interpret(function, inputs, frames, findStreams(function, list), outputs, settings)))
    return messages.report(error, errorSize);
  for (const RnnInterpreterTensor &tensor : list)
    if (auto it = outputs.find(tensor.name); it != outputs.end())
      writeTensor(it->second, tensor);
  return kDone;
}

extern "C" void rnnInterpreterClose(RnnInterpreter *interpreter) { delete interpreter; }
