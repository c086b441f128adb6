//===- Device.h - Where functions run ---------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_DEVICE_H
#define RNN_RUNTIME_DEVICE_H

#include "rnn/Runtime/Artifact.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace mlir::rnn::runtime {

/// Where a tensor of a call is.
enum class Place : uint8_t {
  Host,    ///< in host memory
  Default, ///< the argument's default value, in host memory
  Gpu,     ///< in the memory of the device's GPU
  Dropped  ///< a result that nobody reads, in host memory
};

/// The tensors of a call, in the order of the function's table.
struct CallTensors {
  void *const *addresses;
  const Place *places;
};

/// Runs functions of one artifact. A device with memory of its own keeps session
/// tensors there from call to call; the session says what it reads and writes of
/// them.
class Device {
public:
  virtual ~Device() = default;

  /// Makes a session tensor known, before the first call: its number from 0 on,
  /// and its place in host memory, which stays.
  virtual Status attach(size_t number, const std::string &name, void *data, uint64_t bytes) {
    return Status::success();
  }
  /// Brings the host's copy of a session tensor up to date.
  virtual Status fetch(size_t number) { return Status::success(); }
  /// The host's copy of a session tensor was written: the next call begins with
  /// it.
  virtual void update(size_t number) {}

  /// The CUDA device whose memory tensors may be in; -1: only host memory.
  virtual int gpu() const { return -1; }
  /// Copies a session tensor from or to memory of that GPU. The copy comes after
  /// what a CUstream has got so far, and is done when the call returns.
  virtual Status copyFromGpu(size_t number, const void *from, void *stream) { return noGpu(); }
  virtual Status copyToGpu(size_t number, void *to, void *stream) { return noGpu(); }

  /// Makes ready for calls of `function` with up to `frames` frames; error 21
  /// if the memory does not suffice. `position` is the function's place in the
  /// tables; tensors in the GPU's memory by `places` need none, null: all do.
  virtual Status reserve(const Function &function, size_t position, int64_t frames, const Place *places) = 0;

  /// Runs one call. With `stream`, a CUstream, it comes after what the stream
  /// has got so far and before what it gets next, and returns without waiting
  /// for the GPU if nothing but the GPU's memory is concerned.
  virtual Status run(const Function &function, size_t position, int64_t frames, const CallTensors &tensors,
                     void *stream) = 0;

  /// Error budgets of the interpreter; other devices have none.
  virtual void perturb(double ulps, uint64_t seed) {}

private:
  static Status noGpu() { return internalError("the device has no GPU"); }
};

/// Threads that `requested` means: 0 asks RNN_NUM_THREADS, then the number of
/// cores that the process may use. `isGiven` tells whether somebody chose it.
Status resolveThreads(int requested, int &threads, bool *isGiven = nullptr);

/// Bytes of workspace of one call; UINT64_MAX if they cannot be counted.
uint64_t workspaceBytes(const MemoryPlan &plan, int threads, int64_t frames);

/// Error 21: a call with `frames` frames needs more memory than `device` has.
Status notEnoughMemory(const MemoryPlan &plan, int threads, int64_t frames, const std::string &device,
                       uint64_t available);

/// Host code in a pool of threads. With `adapt` a call uses one of them where
/// that is faster. Error 19 if the artifact has no code that this CPU can run.
Status createCpuDevice(const Artifact &artifact, int threads, bool adapt, std::unique_ptr<Device> &device);

/// Path of librnn-interpreter.so beside this library or program, or in the
/// library folder beside it; empty if it is not there.
std::string findInterpreter();

/// The interpreter on the level-1 module. `library` is its path; error 30 if it
/// is empty.
Status createInterpreterDevice(const Artifact &artifact, const std::string &library, std::unique_ptr<Device> &device);

/// Bytes of workspace of one call on a target with launch tables: `cuda:<n>` or
/// `emulator`; of several chips the largest. Error 19 if the artifact has no
/// code for it.
Status gpuWorkspaceBytes(const Artifact &artifact, const Function &function, const std::string &target, int64_t frames,
                         uint64_t &bytes);

/// The emulator of GPU kernels; `order` is the seed of the order of their
/// threads. Error 19 if the artifact has no code for it.
Status createEmulatorDevice(const Artifact &artifact, uint64_t order, std::unique_ptr<Device> &device);

/// The number of `cuda:<number>`, 0 of `cuda`; nothing of another target.
std::optional<int> parseCudaTarget(std::string_view target);

/// CUDA device `number`. Error 19 if the artifact has no code for it, error 20
/// if there is none or its driver is too old.
Status createCudaDevice(const Artifact &artifact, int number, std::unique_ptr<Device> &device);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_DEVICE_H
