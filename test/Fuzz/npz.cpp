//===- npz.cpp - Archives of NumPy -----------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "rnn/Runtime/TensorFile.h"

using namespace mlir::rnn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  runtime::TensorFile file;
  (void)runtime::parseNpz("fuzz", toText(data, size), file);
  return 0;
}
