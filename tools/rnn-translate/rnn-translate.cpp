//===- rnn-translate.cpp - Networks as pictures, headers, JSON -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "rnn/InitAllTranslations.h"
#include "rnn/Tools/CompilerVersion.h"
#include "rnn/Tools/DeepInput.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

/// Registers a translation that belongs to the interface of the tool and is not part of this version.
static void registerMissing(StringRef name) {
  TranslateRegistration(name, "not implemented yet",
                        [name](const std::shared_ptr<llvm::SourceMgr> &, raw_ostream &, MLIRContext *) {
                          llvm::errs() << "rnn-translate: error: option '--" << name << "' is not implemented yet\n";
                          return failure();
                        });
}

int main(int argc, char **argv) {
  rnn::tools::setCompilerVersionPrinter();
  rnn::registerAllTranslations();
  registerMissing("rnn-to-onnx");
  registerMissing("import-onnx");
  if (rnn::tools::refuseDeepInput(argc, argv))
    return EXIT_FAILURE;
  return failed(mlirTranslateMain(argc, argv, "rnn-mlir translation driver"));
}
