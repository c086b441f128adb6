//===- rnn-reduce.cpp - Smaller networks that still fail --*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "rnn/InitAllDialects.h"
#include "rnn/InitAllPasses.h"
#include "rnn/InitAllPipelines.h"
#include "rnn/Tools/CompilerVersion.h"

int main(int argc, char **argv) {
  mlir::rnn::tools::setCompilerVersionPrinter();
  mlir::registerAllPasses();
  mlir::rnn::registerAllPasses();
  mlir::rnn::registerAllPipelines();
  mlir::DialectRegistry registry;
  mlir::rnn::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  return failed(mlir::mlirReduceMain(argc, argv, context));
}
