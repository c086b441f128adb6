/*===- rnn-c/Runtime.h - C interface of the rnn-mlir runtime ------*- C -*-===*\
|*                                                                            *|
|* Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.      *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|* Loads an artifact (.rnnc) and runs its functions; C99, no LLVM.            *|
|* Objects are opaque. A session is used by one thread at a time; an artifact *|
|* may serve several sessions and outlives all of them. No function throws or *|
|* aborts. Tensors are DLPack: dense, row-major, time-major [T,B,...].        *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef RNN_C_RUNTIME_H
#define RNN_C_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define RNN_C_EXPORT
#else
#define RNN_C_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*===----------------------------------------------------------------------===*\
|* DLPack 1.0; include dlpack/dlpack.h before this header to use its copy.    *|
\*===----------------------------------------------------------------------===*/

#ifndef DLPACK_DLPACK_H_
typedef struct {
  uint32_t major;
  uint32_t minor;
} DLPackVersion;

typedef enum { kDLCPU = 1, kDLCUDA = 2, kDLCUDAHost = 3 } DLDeviceType;

typedef struct {
  DLDeviceType device_type;
  int32_t device_id;
} DLDevice;

typedef enum { kDLInt = 0U, kDLUInt = 1U, kDLFloat = 2U, kDLBfloat = 4U, kDLBool = 6U } DLDataTypeCode;

typedef struct {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
} DLDataType;

typedef struct {
  void *data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  int64_t *strides; /* in elements; NULL: row-major */
  uint64_t byte_offset;
} DLTensor;

typedef struct DLManagedTensorVersioned {
  DLPackVersion version;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned *self);
  uint64_t flags;
  DLTensor dl_tensor;
} DLManagedTensorVersioned;
#endif /* DLPACK_DLPACK_H_ */

/*===----------------------------------------------------------------------===*\
|* Status                                                                     *|
\*===----------------------------------------------------------------------===*/

/* The exit codes of the tools. */
typedef enum RnnStatus {
  RNN_OK = 0,
  RNN_ERROR_DATA = 1,      /* wrong network, file or data */
  RNN_ERROR_USAGE = 2,     /* wrong argument of a call */
  RNN_ERROR_DIFFERS = 3,   /* results differ */
  RNN_ERROR_DEVICE = 4,    /* no usable device */
  RNN_ERROR_MEMORY = 5,    /* not enough memory */
  RNN_ERROR_NONFINITE = 6, /* training became non-finite */
  RNN_ERROR_INTERNAL = 70, /* a bug of the runtime */
  RNN_INTERRUPTED = 130,
  RNN_TERMINATED = 143
} RnnStatus;

/* Version of this interface, major << 16 | minor. Equal major: compatible. */
RNN_C_EXPORT uint32_t rnnAbiVersion(void);

/* Message of this thread's last failed call, then "\nnote: ..." per note; ""
   if none failed. Valid until a call of this thread fails again. */
RNN_C_EXPORT const char *rnnLastError(void);

/* Kind of this thread's last error: 'G' graph, 'S' shape, 'F' file, 'T' dtype,
   'C' compile, 'D' device, 'M' memory, 'N' non-finite, 'O' other, 0 none. */
RNN_C_EXPORT char rnnLastErrorKind(void);

/*===----------------------------------------------------------------------===*\
|* Artifacts                                                                  *|
\*===----------------------------------------------------------------------===*/

typedef struct RnnArtifact RnnArtifact;
typedef struct RnnSession RnnSession;

/* Maps a file. The caller destroys the artifact after its sessions. */
RNN_C_EXPORT RnnStatus rnnArtifactOpen(const char *path, RnnArtifact **artifact);

/* Copies `size` bytes, so that the caller may free them at once. */
RNN_C_EXPORT RnnStatus rnnArtifactFromMemory(const void *data, size_t size, RnnArtifact **artifact);

/* Bytes of workspace that one call of `function` with `frames` frames needs on
   `target` with all cores: constant + per_thread * threads + per_frame * T. */
RNN_C_EXPORT RnnStatus rnnArtifactMemory(RnnArtifact *artifact, const char *function, const char *target,
                                         int64_t frames, uint64_t *bytes);

RNN_C_EXPORT int32_t rnnFunctionCount(RnnArtifact *artifact);

/* Name of a function, owned by the artifact; NULL if out of range. */
RNN_C_EXPORT const char *rnnFunctionName(RnnArtifact *artifact, int32_t index);

/* Number of tensors of a function; -1 if there is no such function. */
RNN_C_EXPORT int32_t rnnTensorCount(RnnArtifact *artifact, const char *function);

/* One tensor of a function. Arguments are inputs, results are outputs; what
   lives in the session (parameters, optimizer, state, ring) is both. */
typedef struct RnnTensorInfo {
  const char *name; /* owned by the artifact */
  int32_t is_input;
  int32_t is_output;
  DLDataType dtype;
  int32_t rank;
  const int64_t *shape; /* owned by the artifact; -1 is T */
} RnnTensorInfo;

RNN_C_EXPORT RnnStatus rnnTensorInfo(RnnArtifact *artifact, const char *function, int32_t index, RnnTensorInfo *info);

RNN_C_EXPORT void rnnArtifactDestroy(RnnArtifact *artifact);

/*===----------------------------------------------------------------------===*\
|* Sessions                                                                   *|
\*===----------------------------------------------------------------------===*/

/* Options; `size` is sizeof(RnnSessionOptions). Zero fields mean: seed 0, all
   cores (or RNN_NUM_THREADS), emulator order 0. */
typedef struct RnnSessionOptions {
  size_t size;
  uint64_t seed;
  int32_t threads;
  uint64_t emulator_order;
} RnnSessionOptions;

/* A named tensor: the caller keeps its memory. */
typedef struct RnnBinding {
  const char *name;
  DLTensor *t;
} RnnBinding;

/* Parameters are drawn from their initializers with the seed, optimizer and
   state hold their initial values. Target: "cpu", "cuda:0", "emulator",
   "interpreter". `options` may be NULL. */
RNN_C_EXPORT RnnStatus rnnSessionCreate(RnnArtifact *artifact, const char *target, const RnnSessionOptions *options,
                                        RnnSession **session);

/* Runs one call. Arguments and results are used in place; integer arguments may
   have any integer dtype if the values fit. A binding by the name of a
   parameter, optimizer or state tensor replaces the stored value before the
   call; rnnSessionGet reads the new one. Arguments with a default and results
   may be left out. A call that fails because of its bindings changes nothing.

   On a GPU, tensors may be in its memory (kDLCUDA) too: they are used in place,
   and need the very dtype, since nobody looks at their values. `stream` is a
   CUstream, or NULL. The call comes after what the stream has got so far (NULL:
   the default stream) and before what it gets next. With a stream and all
   bindings in the GPU's memory the call returns at once: the memory must stay as
   long as the stream needs it, and an error of the GPU comes with a later call.
   Otherwise it returns when its results are there. */
RNN_C_EXPORT RnnStatus rnnSessionRun(RnnSession *session, const char *function, const RnnBinding *bindings,
                                     size_t count, void *stream);

/* Copies a session tensor out of or into the session; dtype and shape of `t`
   must be the tensor's. On a GPU `t` may be in its memory: the copy comes after
   what the default stream has got, and is done when the call returns. */
RNN_C_EXPORT RnnStatus rnnSessionGet(RnnSession *session, const char *name, DLTensor *t);
RNN_C_EXPORT RnnStatus rnnSessionSet(RnnSession *session, const char *name, const DLTensor *t);

/* A view of a session tensor in host memory; it may be written. On "cpu" and
   "interpreter" it is the tensor itself, valid until the session is destroyed;
   on a GPU and the emulator a copy, valid until the next call of the session.
   The caller ends it with its deleter. */
RNN_C_EXPORT RnnStatus rnnSessionView(RnnSession *session, const char *name, DLManagedTensorVersioned **view);

/* Starts streams afresh: `streams` has one flag per stream; NULL: all. */
RNN_C_EXPORT RnnStatus rnnSessionReset(RnnSession *session, const uint8_t *streams);

/* Writes or reads parameters, optimizer and state; the path ends in .safetensors
   or .npz (which keeps no network hash). A file is written whole or not at all.
   Reading needs every parameter; optimizer and
   state that the file lacks get their first values, streams whose age it lacks
   count as fully known. A failed call changes nothing. */
RNN_C_EXPORT RnnStatus rnnSessionSave(RnnSession *session, const char *path);
RNN_C_EXPORT RnnStatus rnnSessionLoad(RnnSession *session, const char *path);

RNN_C_EXPORT void rnnSessionDestroy(RnnSession *session);

#ifdef __cplusplus
}
#endif

#endif /* RNN_C_RUNTIME_H */
