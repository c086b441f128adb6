/*===- use.c - A program that includes a generated header ---------*- C -*-===*\
|*
|* Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/
#include "charlm.h"
#include "charlm.h"
#include <string.h>

static int count(const char *const *names) {
  int n = 0;
  while (names[n])
    ++n;
  return n;
}

int main(void) {
  return !(count(rnn_charlm_functions) == RNN_CHARLM_FUNCTIONS &&
           count(rnn_charlm_step_optimizer) == RNN_CHARLM_STEP_OPTIMIZER &&
           count(rnn_charlm_rings) == RNN_CHARLM_RINGS && strlen(RNN_CHARLM_HASH) == 64 &&
           RNN_CHARLM_L0_WX_SIZE == 256 * 512 && strcmp(rnn_charlm_arguments[0], "x") == 0);
}
