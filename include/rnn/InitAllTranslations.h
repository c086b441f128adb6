//===- InitAllTranslations.h - All translations of rnn-mlir -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INITALLTRANSLATIONS_H
#define RNN_INITALLTRANSLATIONS_H

#include "mlir/Tools/mlir-translate/Translation.h"
#include "rnn/InitAllDialects.h"
#include "rnn/Target/CHeader.h"
#include "rnn/Target/Graphviz.h"
#include "rnn/Target/JSON.h"
#include "llvm/Support/CommandLine.h"

namespace mlir::rnn {

/// The dialects that translations read.
inline void registerTranslationDialects(DialectRegistry &registry) {
  rnn::registerAllDialects(registry);
  // An op is printed after its error by rnn-opt alone.
  registry.addExtension(+[](MLIRContext *context, RNNDialect *) { context->printOpOnDiagnostic(false); });
}

/// Makes our translations, and the options that they have, known by name. To be called once, by a tool's main.
inline void registerAllTranslations() {
  static llvm::cl::opt<bool> expand("expand", llvm::cl::desc("--rnn-to-dot draws cells, losses and calls open"));
  TranslateFromMLIRRegistration(
      "rnn-to-dot", "draw networks and train steps for Graphviz",
      [](ModuleOp module, raw_ostream &os) { return exportToDot(module, os, {expand}); }, registerTranslationDialects);
  TranslateFromMLIRRegistration("rnn-to-c-header", "write names and sizes of tensors for C programs", exportToCHeader,
                                registerTranslationDialects);
  TranslateFromMLIRRegistration("rnn-to-json", "write a module for tools without MLIR (docs/JSON.md)", exportToJSON,
                                registerTranslationDialects);
}

} // namespace mlir::rnn

#endif // RNN_INITALLTRANSLATIONS_H
