//===- EmulatorAbi.h - What emulated kernels call ---------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The border between GPU kernels compiled for the emulator and its engine
// (docs/Artifact.md, "Emulated kernels"). A shared object of kernels exports the
// variable `rnn_emulator_2`, which points to this table while kernels run, and a
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

/* The variable. Its name ends in the version of the table, so that no kernel calls one of another version. */
#define RNN_EMULATOR_VARIABLE "rnn_emulator_2"

/* Special registers; the last digit of x, y, z is 0, 1, 2. */
typedef enum RnnEmulatorRegister {
  RNN_EMULATOR_TID = 0,
  RNN_EMULATOR_NTID = 3,
  RNN_EMULATOR_CTAID = 6,
  RNN_EMULATOR_NCTAID = 9,
  RNN_EMULATOR_CLUSTERID = 12,
  RNN_EMULATOR_NCLUSTERID = 15,
  RNN_EMULATOR_CLUSTER_CTAID = 18,
  RNN_EMULATOR_CLUSTER_NCTAID = 21,
  RNN_EMULATOR_LANEID = 24,
  RNN_EMULATOR_WARPSIZE = 25,
  RNN_EMULATOR_CLUSTER_CTARANK = 26,
  RNN_EMULATOR_CLUSTER_NCTARANK = 27
} RnnEmulatorRegister;

/* How a shuffle finds the lane it reads. */
typedef enum RnnEmulatorShuffle {
  RNN_EMULATOR_SHUFFLE_BUTTERFLY,
  RNN_EMULATOR_SHUFFLE_UP,
  RNN_EMULATOR_SHUFFLE_DOWN,
  RNN_EMULATOR_SHUFFLE_INDEX
} RnnEmulatorShuffle;

/* All functions concern the GPU thread that calls them. A `place` is the number of the operation in the text of the
   kernels: operations that a GPU executes for whole warps have one, so that lanes that part ways are found out. */
typedef struct RnnEmulator {
  /* A special register. */
  int32_t (*special)(int32_t which);
  /* Waits at barrier `id` of the block until `threads` of its threads have come (0: all of them). */
  void (*barrier)(int32_t id, int32_t threads, int32_t place);
  /* Comes to a barrier without waiting. */
  void (*arrive)(int32_t id, int32_t threads, int32_t place);
  /* Waits for the lanes of `mask` of the warp. */
  void (*warp_barrier)(int32_t mask);
  /* The value of another lane, as of `shfl.sync`. */
  int32_t (*shuffle)(int32_t mask, int32_t how, int32_t value, int32_t operand, int32_t clamp);
  /* The block's shared memory, from a byte on. */
  void *(*shared)(int64_t offset);
  /* Called before every atomic access: another thread may run. `writes` is 0 for one that may be in vain: a load, a
     compare-and-exchange. */
  void (*yield)(int32_t writes);

  /* Comes to the barrier of the cluster; without a release of memory if `relaxed`. */
  void (*cluster_arrive)(int32_t relaxed, int32_t place);
  /* Waits until all threads of the cluster have come. */
  void (*cluster_wait)(int32_t place);
  /* The same address in the shared memory of block `rank` of the cluster. */
  void *(*mapa)(void *address, int32_t rank);
  /* An mbarrier object: 8 bytes of shared memory. */
  void (*mbarrier_init)(void *mbarrier, int32_t count);
  /* Expects `bytes` more of asynchronous stores, then arrives. */
  void (*mbarrier_arrive)(void *mbarrier, int32_t bytes);
  /* 1 if the phase of that parity is complete. */
  int32_t (*mbarrier_try_wait)(void *mbarrier, int32_t parity);
  /* `st.async`: stores a word at a later time, which then counts at `mbarrier`. */
  void (*store_async)(void *address, int32_t value, void *mbarrier);
  /* `mma.sync.m16n8k16` of a whole warp: the lane's words of A (4) and B (2), bf16, and C (4), f32, which becomes D. */
  void (*mma_bf16)(int32_t *fragments, int32_t place);
} RnnEmulator;

#ifdef __cplusplus
}
#endif

#endif // RNN_RUNTIME_EMULATORABI_H
