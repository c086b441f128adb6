//===- rnn-train.cpp - Train a model --------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Trainer.h"

int main(int argc, char **argv) { return mlir::rnn::train::trainTool(argc, argv); }
