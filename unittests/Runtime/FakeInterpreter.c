//===- FakeInterpreter.c - The interpreter's border, hand-written --*- C -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Copies the argument of "acc" to its result: shows what crosses the border.
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/InterpreterAbi.h"

#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct RnnInterpreter {
  int refuses;
};

EXPORT int32_t rnnInterpreterAbiVersion(void) { return RNN_INTERPRETER_ABI_VERSION; }

EXPORT int32_t rnnInterpreterOpen(const void *module, size_t size, RnnInterpreter **interpreter, char *error,
                                  size_t error_size) {
  if (size != 4 || memcmp(module, "good", 4) != 0) {
    strncpy(error, "not a module", error_size);
    return 1;
  }
  *interpreter = malloc(sizeof(RnnInterpreter));
  return 0;
}

// y of "acc" becomes x + perturb_ulps, in f64 or f32 as y's dtype says.
EXPORT int32_t rnnInterpreterRun(RnnInterpreter *interpreter, const char *function, const RnnInterpreterTensor *tensors,
                                 int32_t count, int64_t frames, const RnnInterpreterOptions *options, char *error,
                                 size_t error_size) {
  if (strcmp(function, "acc") != 0 || count != 8 || tensors[0].shape[0] != frames || tensors[6].rank != 3) {
    strncpy(error, "unexpected call", error_size);
    return 70;
  }
  int wide = strcmp(tensors[6].dtype, "f64") == 0;
  for (int64_t i = 0; i < frames * 12; ++i) {
    if (wide)
      ((double *)tensors[6].data)[i] = ((double *)tensors[0].data)[i] + options->perturb_ulps;
    else
      ((float *)tensors[6].data)[i] = ((float *)tensors[0].data)[i] + (float)options->perturb_ulps;
  }
  return 0;
}

EXPORT void rnnInterpreterClose(RnnInterpreter *interpreter) { free(interpreter); }
