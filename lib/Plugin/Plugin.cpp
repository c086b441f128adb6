//===- Plugin.cpp - The rnn dialect in stock mlir-opt ---------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   mlir-opt --load-dialect-plugin=librnn-plugin.so --pass-pipeline='builtin.module(rnn-to-linalg)' net.mlir
//
// The host has the upstream dialects, passes and their extensions; what is added is ours alone.
//
//===----------------------------------------------------------------------===//
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "rnn/Dialect/RNN/IR/RNN.h"
#include "rnn/InitAllPasses.h"
#include "rnn/InitAllPipelines.h"

using namespace mlir;

/// Both entry points register the passes, and a host may call both; names can be registered once.
static void registerOnce() {
  static const bool registered = [] {
    rnn::registerAllPasses();
    rnn::registerAllPipelines();
    return true;
  }();
  (void)registered;
}

extern "C" LLVM_ATTRIBUTE_WEAK DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "rnn", RNN_VERSION_STRING, [](DialectRegistry *registry) {
            registry->insert<rnn::RNNDialect>();
            registerOnce();
          }};
}

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "rnn", RNN_VERSION_STRING, registerOnce};
}
