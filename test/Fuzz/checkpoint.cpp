//===- checkpoint.cpp - Checkpoints of rnn-train ---------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "rnn/Train/Checkpoint.h"

using namespace mlir::rnn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  runtime::TensorFile file;
  train::RunState state;
  train::RunIdentity identity;
  if (runtime::parseSafetensors("fuzz", toText(data, size), file).ok())
    (void)train::readMetadata("fuzz", file.metadata, state, identity);
  return 0;
}
