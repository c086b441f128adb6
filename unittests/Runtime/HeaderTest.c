//===- HeaderTest.c - rnn-c/Runtime.h is C99 -----------------------*- C -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn-c/Runtime.h"

/* Called by SessionTest.cpp. */
uint32_t rnnTestAbiVersionFromC(void) { return rnnAbiVersion(); }
