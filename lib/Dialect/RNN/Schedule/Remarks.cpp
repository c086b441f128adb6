//===- Remarks.cpp - Categories of remarks -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/Schedule/Remarks.h"

#include "rnn/Dialect/RNN/Schedule/Remarks.cpp.inc"
