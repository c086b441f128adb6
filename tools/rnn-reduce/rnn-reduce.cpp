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
#include "rnn/Reduce/ReduceNetworks.h"
#include "rnn/Tools/CompilerVersion.h"
#include "rnn/Tools/DeepInput.h"

using namespace mlir;

int main(int argc, char **argv) {
  rnn::tools::setCompilerVersionPrinter();
  registerAllPasses();
  rnn::registerAllPasses();
  rnn::registerAllPipelines();
  rnn::registerReducePass();
  DialectRegistry registry;
  rnn::registerAllDialects(registry);
  MLIRContext context(registry);
  context.loadDialect<rnn::RNNDialect>();

  // `--test=<script>` is short for our pass with that script.
  std::vector<std::string> words(argv, argv + argc);
  std::vector<char *> pointers;
  for (std::string &word : words) {
    if (StringRef value = word; value.consume_front("--test="))
      word = "--rnn-reduce=test=" + value.str();
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  if (rnn::tools::refuseDeepInput(argc, argv))
    return EXIT_FAILURE;
  return failed(mlirReduceMain(argc, pointers.data(), context));
}
