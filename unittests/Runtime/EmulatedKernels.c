//===- EmulatedKernels.c - Hand-written kernels for the emulator ---*- C -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stand in for what the compiler emits for the emulator, so that the runtime is
// tested without it. The functions are those of Functions.c.
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/EmulatorAbi.h"

enum { Streams = 3, Features = 4 };

const RnnEmulator *rnn_emulator_2;

typedef struct Call {
  char *workspace;
  void **tensors;
  int64_t frames, thread, threads;
} Call;

static Call begin(void **arguments) {
  Call call = {*(char **)arguments[0], *(void ***)arguments[1], *(int64_t *)arguments[2], 0, 0};
  int64_t block = rnn_emulator_2->special(RNN_EMULATOR_CTAID), size = rnn_emulator_2->special(RNN_EMULATOR_NTID);
  call.thread = block * size + rnn_emulator_2->special(RNN_EMULATOR_TID);
  call.threads = size * rnn_emulator_2->special(RNN_EMULATOR_NCTAID);
  return call;
}

// y(t) = gain * w * x(t) + h(t-1), one item per stream and feature; rows of y go
// to the workspace too.
void acc_loop(void **arguments) {
  Call call = begin(arguments);
  const float *x = call.tensors[0], *gain = call.tensors[2], *w = call.tensors[3];
  const int64_t *age = call.tensors[5];
  float *state = call.tensors[4], *y = call.tensors[6], *rows = (float *)call.workspace;
  for (int64_t i = call.thread; i < Streams * Features; i += call.threads) {
    float before = age[i / Features] >= 0 ? state[i] : 0;
    for (int64_t t = 0; t < call.frames; ++t) {
      int64_t at = t * Streams * Features + i;
      before = y[at] = *gain * w[i % Features] * x[at] + before;
      if (i < Features)
        rows[16 + t * Features + i] = before;
    }
    state[i] = before;
  }
}

// Ages, and total: the sum of y over unmasked frames.
void acc_total(void **arguments) {
  Call call = begin(arguments);
  const int8_t *mask = call.tensors[1];
  int64_t *age = call.tensors[5];
  const float *y = call.tensors[6];
  if (call.thread)
    return;
  double sum = 0;
  for (int64_t i = 0; i < call.frames * Streams; ++i)
    for (int64_t f = 0; f < Features; ++f)
      sum += mask[i] ? y[i * Features + f] : 0;
  *(double *)call.tensors[7] = sum;
  for (int64_t b = 0; b < Streams; ++b)
    age[b] += call.frames;
}

// w += lr * (sum of x), opt.step += 1, loss: what the workspace holds before
// anybody has written it; used: the number of threads, the seed.
void step(void **arguments) {
  Call call = begin(arguments);
  const int32_t *x = call.tensors[0];
  float *w = call.tensors[2];
  int64_t *used = call.tensors[6];
  if (call.thread)
    return;
  for (int64_t i = 0; i < call.frames * Streams; ++i)
    for (int64_t f = 0; f < Features; ++f)
      w[f] += *(const float *)call.tensors[1] * (float)x[i];
  *(int64_t *)call.tensors[3] += 1;
  *(float *)call.tensors[5] = *(float *)call.workspace;
  *(float *)call.workspace = 1;
  used[0] = call.threads;
  used[1] = *(const int64_t *)call.tensors[4];
}

// used: the blocks of a cluster, twice, counted by different blocks. Whoever
// leaves must have waited for the others.
void pairs(void **arguments) {
  Call call = begin(arguments);
  int64_t *used = call.tensors[6];
  rnn_emulator_2->cluster_arrive(0, 0);
  rnn_emulator_2->cluster_wait(1);
  if (call.thread % 32 == 0 && rnn_emulator_2->special(RNN_EMULATOR_CLUSTERID) == 0)
    used[rnn_emulator_2->special(RNN_EMULATOR_CLUSTER_CTARANK)] =
        rnn_emulator_2->special(RNN_EMULATOR_CLUSTER_NCTARANK);
}

// Half of the threads wait for the others, which have gone.
void stall(void **arguments) {
  Call call = begin(arguments);
  if (call.thread % 2)
    rnn_emulator_2->barrier(0, 0, 0);
}
