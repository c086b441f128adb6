//===- PrintAbi.cpp - The tensors of functions, for people ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Abi.h"
#include "rnn/Analysis/Passes.h"
#include "rnn/Analysis/Print.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_PRINTABI
#include "rnn/Analysis/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-print-abi"

static llvm::json::Object describeTensor(const AbiTensor &tensor, int64_t streams) {
  std::string dtype;
  llvm::raw_string_ostream(dtype) << tensor.type.getElementType();
  llvm::json::Object object{{"name", tensor.name},
                            {"role", stringifyAbiRole(tensor.role)},
                            {"rate", stringifyRate(tensor.rate)},
                            {"dtype", dtype},
                            {"shape", describeShape(tensor, "T", streams)}};
  if (tensor.fill)
    object[tensor.role == AbiRole::Argument ? "default" : "fill"] = *tensor.fill;
  return object;
}

static void printTensor(const llvm::json::Object &tensor) {
  llvm::errs() << "  " << *tensor.getString("role") << " " << *tensor.getString("name") << ": "
               << *tensor.getString("dtype") << " [";
  llvm::interleave(
      *tensor.getArray("shape"), llvm::errs(),
      [](const llvm::json::Value &size) {
        if (std::optional<StringRef> letter = size.getAsString())
          llvm::errs() << *letter;
        else
          llvm::errs() << size;
      },
      ",");
  llvm::errs() << "]";
  for (StringRef key : {"fill", "default"})
    if (const llvm::json::Value *value = tensor.get(key))
      llvm::errs() << ", " << key << " " << *value;
  llvm::errs() << "\n";
}

namespace {
struct PrintAbi : mlir::rnn::impl::PrintAbiBase<PrintAbi> {
  using PrintAbiBase::PrintAbiBase;

  void runOnOperation() override {
    llvm::json::Array functions;
    for (auto function : getOperation().getOps<RNNFunctionInterface>()) {
      if (SymbolTable::getSymbolVisibility(function) == SymbolTable::Visibility::Private)
        continue;
      auto schedule = dyn_cast<ScheduleOp>(function.getOperation());
      int64_t streams = schedule ? schedule.getStreams() : ShapedType::kDynamic;
      llvm::json::Array tensors;
      for (const AbiTensor &tensor : getAbi(function, streams))
        tensors.push_back(describeTensor(tensor, streams));
      functions.push_back(llvm::json::Object{{"name", SymbolTable::getSymbolName(function).getValue()},
                                             {"kind", stringifyFunctionKind(function.getFunctionKind())},
                                             {"tensors", std::move(tensors)}});
    }
    auto printText = [](const llvm::json::Object &function) {
      llvm::errs() << "function " << *function.getString("name") << ", " << *function.getString("kind") << "\n";
      for (const llvm::json::Value &tensor : *function.getArray("tensors"))
        printTensor(*tensor.getAsObject());
    };
    if (failed(printFunctions(getOperation(), format, std::move(functions), printText)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
