//===- rnn-lsp-server.cpp - Networks in editors -----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "rnn/InitAllDialects.h"
#include "rnn/Tools/CompilerVersion.h"

int main(int argc, char **argv) {
  mlir::rnn::tools::setCompilerVersionPrinter();
  mlir::DialectRegistry registry;
  mlir::rnn::registerAllDialects(registry);
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}
