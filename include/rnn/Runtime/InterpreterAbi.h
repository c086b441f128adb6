//===- InterpreterAbi.h - Border to the interpreter -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The interpreter is a shared object of its own, librnn-interpreter.so, since
// it loads MLIR. The runtime opens it when a session asks for the target
// "interpreter". Plain C; the library exports the four functions below under
// these names with default visibility. They neither throw nor abort.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_INTERPRETERABI_H
#define RNN_RUNTIME_INTERPRETERABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Equal on both sides, or the library is refused. */
#define RNN_INTERPRETER_ABI_VERSION 1

typedef struct RnnInterpreter RnnInterpreter;

/* One tensor of the function's table, dense and row-major. Arguments, and what
   lives in the session (parameters, optimizer, state, ring), are read; results,
   and what lives in the session, are written in place. Everything is computed
   in f64 and rounded once to `dtype` on writing. A float tensor may be "f64"
   where the module declares f32: then it is read and written unrounded. */
typedef struct RnnInterpreterTensor {
  const char *name;  /* as in the function's table */
  const char *dtype; /* "f32" "f64" "i1" "i8" "i32" "i64"; i1: one byte, 0 or 1 */
  int32_t rank;
  const int64_t *shape; /* T in place of -1 */
  void *data;
} RnnInterpreterTensor;

typedef struct RnnInterpreterOptions {
  size_t size; /* sizeof(RnnInterpreterOptions) */
  /* Error budgets: every f32 result is moved by a random multiple in [-1, 1] of
     perturb_ulps * 2^-24 * sum |terms|, drawn from the seed. 0: exact. */
  double perturb_ulps;
  uint64_t perturb_seed;
} RnnInterpreterOptions;

/* The calls return 0, or an exit code (1 wrong data, 5 memory, 70 internal)
   with a zero-terminated message of at most error_size bytes in `error`. */

int32_t rnnInterpreterAbiVersion(void);

/* Parses and verifies a level-1 module (bytecode or text), which is copied. */
int32_t rnnInterpreterOpen(const void *module, size_t size, RnnInterpreter **interpreter, char *error,
                           size_t error_size);

/* Runs one call of a function of the artifact's table ("step", "step.eval",
   "charlm") over `frames` frames; `tensors` has all of its tensors, in table
   order. After an error the tensors' contents are undefined. */
int32_t rnnInterpreterRun(RnnInterpreter *interpreter, const char *function, const RnnInterpreterTensor *tensors,
                          int32_t count, int64_t frames, const RnnInterpreterOptions *options, char *error,
                          size_t error_size);

void rnnInterpreterClose(RnnInterpreter *interpreter);

/* Types of the functions, for dlsym. */
typedef int32_t (*RnnInterpreterAbiVersionFn)(void);
typedef int32_t (*RnnInterpreterOpenFn)(const void *, size_t, RnnInterpreter **, char *, size_t);
typedef int32_t (*RnnInterpreterRunFn)(RnnInterpreter *, const char *, const RnnInterpreterTensor *, int32_t, int64_t,
                                       const RnnInterpreterOptions *, char *, size_t);
typedef void (*RnnInterpreterCloseFn)(RnnInterpreter *);

#ifdef __cplusplus
}
#endif

#endif // RNN_RUNTIME_INTERPRETERABI_H
