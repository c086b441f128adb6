//===- csv.cpp - Comma-separated numbers -----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "rnn/Train/Data.h"

using namespace mlir::rnn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  // The first byte chooses what a command line would.
  train::DataOptions options;
  options.horizon = data[0] % 4;
  if (data[0] & 4)
    options.sequenceColumn = "s";
  if (data[0] & 8)
    options.inputColumns = {"a"};
  if (data[0] & 16)
    options.targetColumns = {"b"};
  train::Data read, validation;
  if (train::readCsv(toText(data + 1, size - 1), options, read).failed())
    return 0;
  train::splitData(0.25, read, validation);
  train::measureScale(read);
  train::applyScale(read.mean, read.deviation, read);
  return 0;
}
