//===- CallAbi.h - How compiled functions are called ------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The calling convention of docs/Artifact.md, "Compiled functions". Plain C, so
// that tests can include it in hand-written functions.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_CALLABI_H
#define RNN_RUNTIME_CALLABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct RnnContext {
  int64_t frames;       /* T of this call, >= 1 */
  void *const *tensors; /* address of each tensor, in table order; not null */
  void *workspace;      /* constant + per_thread * threads + per_frame * T */
  void (*barrier)(struct RnnContext *context, int64_t thread);
  int32_t threads; /* number of threads of the call */
  int32_t reserved;
} RnnContext;

/* Every thread of the call enters once, thread 0 ... threads - 1. */
typedef void (*RnnCompiledFunction)(RnnContext *context, int64_t thread, int64_t threads);

#ifdef __cplusplus
}
#endif

#endif // RNN_RUNTIME_CALLABI_H
