//===- GpuDriver.h - What a GPU can be asked for ----------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The little that a session needs of a GPU: memory, copies and launches in one
// stream. CUDA and the emulator have it.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_GPUDRIVER_H
#define RNN_RUNTIME_GPUDRIVER_H

#include "rnn/Runtime/Artifact.h"
#include "rnn/Runtime/LaunchTable.h"

#include <cstdint>
#include <memory>

namespace mlir::rnn::runtime {

/// An address in the GPU's memory; 0 is none.
using GpuAddress = uint64_t;

/// A launch with its number of blocks, of a wavefront for one piece.
struct GpuLaunch {
  const Launch *launch;
  size_t kernel; ///< number of the kernel, by the driver
  uint32_t blocks;
  int64_t firstFrame = 0, pieceFrames = 0; ///< of the piece
  /// Others may run at the same time; there is room for all blocks that wait for one another.
  bool overlaps = false;
  /// Numbers of earlier launches of the list whose effects it needs. What those need, it need not name.
  std::vector<uint32_t> after;
};

/// What every kernel of a list gets, in this order; behind it the two of a piece.
struct GpuArguments {
  GpuAddress workspace, tensors;
  int64_t frames;
};
inline bool operator==(const GpuArguments &a, const GpuArguments &b) {
  return a.workspace == b.workspace && a.tensors == b.tensors && a.frames == b.frames;
}

/// One GPU and the kernels of one artifact on it. Used by one thread at a time.
class GpuDriver {
public:
  virtual ~GpuDriver() = default;

  /// `cuda:0`, `emulator`.
  virtual std::string name() const = 0;
  /// The CUDA device; -1: none.
  virtual int number() const { return -1; }
  /// The launch table of the code that was chosen.
  virtual const Section &launches() const = 0;

  /// Memory of any content, aligned to 256 bytes; 0 if there is not enough.
  virtual GpuAddress allocate(uint64_t bytes) = 0;
  virtual void free(GpuAddress address) = 0;
  /// Bytes that can still be allocated.
  virtual uint64_t freeMemory() = 0;
  /// Copies; they wait for the host's side alone, and come after what was asked
  /// for before.
  virtual Status copyIn(GpuAddress to, const void *from, uint64_t bytes) = 0;
  virtual Status copyOut(void *to, GpuAddress from, uint64_t bytes) = 0;
  /// Copies that wait for nothing: within the GPU's memory, and to memory of the
  /// host from `allocateHost`, null if there is none.
  virtual Status copyWithin(GpuAddress to, GpuAddress from, uint64_t bytes) = 0;
  virtual Status copyOutLater(void *to, GpuAddress from, uint64_t bytes) = 0;
  virtual void *allocateHost(uint64_t bytes) = 0;
  virtual void freeHost(void *memory) = 0;

  /// What is asked for next comes after what a CUstream has got so far.
  virtual Status follow(void *stream) { return Status::success(); }
  /// What a CUstream gets next comes after what was asked for so far.
  virtual Status precede(void *stream) { return Status::success(); }

  /// The number of a kernel; an error if the code has no such kernel.
  virtual Status findKernel(const std::string &kernel, size_t &number) = 0;
  /// Multiprocessors; each of them holds one block of any kernel that can run at all.
  virtual uint64_t multiprocessors() = 0;
  /// The most blocks of a launch that the GPU holds at one time.
  virtual Status countResident(const Launch &launch, size_t kernel, uint64_t &blocks) = 0;
  /// Starts the launches of list number `list`, each after those that it names;
  /// one after another is right too. Equal lists and numbers of frames have equal
  /// launches.
  virtual Status run(size_t list, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments) = 0;
  /// Waits until everything has run. After `seconds` it gives up with an error;
  /// what was started goes on and cannot be stopped.
  virtual Status synchronize(double seconds) = 0;
};

/// CUDA device `number` with the artifact's code that suits it best. Errors 19
/// and 20.
Status createCudaDriver(const Artifact &artifact, int number, std::unique_ptr<GpuDriver> &driver);

/// The target of rnn-compile that suits CUDA device `number`: `cuda:sm_90`.
/// Error 20.
Status detectCudaTarget(int number, std::string &target);

/// The emulator; `order` is the seed of the order of its threads. Error 19.
Status createEmulatorDriver(const Artifact &artifact, uint64_t order, std::unique_ptr<GpuDriver> &driver);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_GPUDRIVER_H
