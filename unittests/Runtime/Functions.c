//===- Functions.c - Hand-written compiled functions ---------------*- C -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stand in for what the compiler emits, so that the runtime is tested without
// it: the same calling convention, no undefined symbol.
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/CallAbi.h"

enum { Streams = 3, Features = 4 };

// y(t) = gain * w * x(t) + h(t-1), h = y; streams are dealt to the threads.
// total: the sum of y over unmasked frames, in index order.
// Tensors: x mask gain w state.h state.age y total.
void rnn_test_run(RnnContext *context, int64_t thread, int64_t threads) {
  const float *x = context->tensors[0];
  const int8_t *mask = context->tensors[1];
  float gain = *(const float *)context->tensors[2];
  const float *w = context->tensors[3];
  float *state = context->tensors[4];
  int64_t *age = context->tensors[5];
  float *y = context->tensors[6];
  double *total = context->tensors[7];

  for (int64_t b = thread; b < Streams; b += threads) {
    for (int64_t t = 0; t < context->frames; ++t) {
      for (int64_t f = 0; f < Features; ++f) {
        int64_t at = (t * Streams + b) * Features + f;
        float before = age[b] >= 0 ? state[b * Features + f] : 0;
        y[at] = gain * w[f] * x[at] + before;
        state[b * Features + f] = y[at];
      }
      if (age[b] < 2147483647)
        ++age[b];
    }
  }
  context->barrier(context, thread);
  if (thread == 0) {
    double sum = 0;
    for (int64_t i = 0; i < context->frames * Streams; ++i)
      for (int64_t f = 0; f < Features; ++f)
        sum += mask[i] ? y[i * Features + f] : 0;
    *total = sum;
  }
  context->barrier(context, thread);
}

// w += lr * (sum of x over frames and streams), opt.step += 1, loss = sum of w;
// the seed is copied out. Every thread leaves its mark on its part of the
// workspace and meets the others many times.
// Tensors: x lr w opt.step seed loss used.
void rnn_test_step(RnnContext *context, int64_t thread, int64_t threads) {
  const int32_t *x = context->tensors[0];
  float lr = *(const float *)context->tensors[1];
  float *w = context->tensors[2];
  int64_t *step = context->tensors[3];
  const int64_t *seed = context->tensors[4];
  float *loss = context->tensors[5];
  int64_t *used = context->tensors[6];
  int64_t *marks = context->workspace; // per_thread is 8 bytes

  marks[thread] = 0;
  for (int round = 0; round < 100; ++round) {
    context->barrier(context, thread);
    marks[thread] += marks[(thread + 1) % threads] >= round ? 1 : -1000;
    context->barrier(context, thread);
  }
  if (thread == 0) {
    for (int64_t i = 0; i < context->frames * Streams; ++i)
      for (int64_t f = 0; f < Features; ++f)
        w[f] += lr * (float)x[i];
    float sum = 0;
    for (int64_t f = 0; f < Features; ++f)
      sum += w[f];
    *loss = sum;
    *step += 1;
    int64_t worst = 100;
    for (int64_t i = 0; i < threads; ++i)
      worst = marks[i] < worst ? marks[i] : worst;
    used[0] = worst;
    used[1] = *seed;
  }
  context->barrier(context, thread);
}
