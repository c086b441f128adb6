//===- EmulatorAbi.h - What emulated kernels call ---------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The border between GPU kernels compiled for the emulator and its engine
// (docs/Artifact.md, "Emulated kernels"). A shared object of kernels exports the
// variable `rnn_emulator`, which points to this table while kernels run, and a
// function `void <kernel>(void **arguments)` per kernel: argument i at
// arguments[i].
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_EMULATORABI_H
#define RNN_RUNTIME_EMULATORABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Special registers; the last digit of x, y, z is 0, 1, 2. */
typedef enum RnnEmulatorRegister {
  RNN_EMULATOR_TID = 0,
  RNN_EMULATOR_NTID = 3,
  RNN_EMULATOR_CTAID = 6,
  RNN_EMULATOR_NCTAID = 9,
  RNN_EMULATOR_LANEID = 12
} RnnEmulatorRegister;

/* How a shuffle finds the lane it reads. */
typedef enum RnnEmulatorShuffle {
  RNN_EMULATOR_SHUFFLE_BUTTERFLY,
  RNN_EMULATOR_SHUFFLE_UP,
  RNN_EMULATOR_SHUFFLE_DOWN,
  RNN_EMULATOR_SHUFFLE_INDEX
} RnnEmulatorShuffle;

/* All functions concern the GPU thread that calls them. */
typedef struct RnnEmulator {
  /* A special register. */
  int32_t (*special)(int32_t which);
  /* Waits at barrier `id` of the block until `threads` of its threads have come (0: all of them). */
  void (*barrier)(int32_t id, int32_t threads);
  /* Comes to a barrier without waiting. */
  void (*arrive)(int32_t id, int32_t threads);
  /* Waits for the lanes of `mask` of the warp. */
  void (*warp_barrier)(int32_t mask);
  /* The value of another lane, as of `shfl.sync`. */
  int32_t (*shuffle)(int32_t mask, int32_t how, int32_t value, int32_t operand, int32_t clamp);
  /* The block's shared memory, from a byte on. */
  void *(*shared)(int64_t offset);
  /* Called before every atomic access: another thread may run. `writes` is 0 for a load. */
  void (*yield)(int32_t writes);
} RnnEmulator;

#ifdef __cplusplus
}
#endif

#endif // RNN_RUNTIME_EMULATORABI_H
