//===- rnn-compile.cpp - Compile a network to an artifact -----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "CompileTool.h"

int main(int argc, char **argv) { return mlir::rnn::compileTool(argc, argv); }
