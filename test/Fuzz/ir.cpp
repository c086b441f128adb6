//===- ir.cpp - Networks as text or bytecode -------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "rnn/Target/Compile.h"

#include <cstdlib>

using namespace mlir::rnn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  CompileOptions options;
  options.memoryLimit = 1 << 24;
  CompileResult result;
  // A crash or invalid IR inside becomes an internal error, which is what we look for.
  if (compile(toText(data, size), "fuzz", options, CompileTo::Schedule, result).code == runtime::Code::Internal)
    std::abort();
  return 0;
}
