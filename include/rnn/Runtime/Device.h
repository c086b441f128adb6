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

namespace mlir::rnn::runtime {

/// Runs functions of one artifact on tensors in host memory.
class Device {
public:
  virtual ~Device() = default;

  /// Makes ready for calls of `function` with up to `frames` frames; error 21
  /// if the memory does not suffice.
  virtual Status reserve(const Function &function, int64_t frames) = 0;

  /// Runs one call. `position` is the function's place in the tables,
  /// `addresses` has one address per tensor.
  virtual Status run(const Function &function, size_t position, int64_t frames, void *const *addresses) = 0;

  /// Error budgets of the interpreter; other devices have none.
  virtual void perturb(double ulps, uint64_t seed) {}
};

/// Threads that `requested` means: 0 asks RNN_NUM_THREADS, then the number of
/// cores that the process may use. `isGiven` tells whether somebody chose it.
Status resolveThreads(int requested, int &threads, bool *isGiven = nullptr);

/// Bytes of workspace of one call; UINT64_MAX if they cannot be counted.
uint64_t workspaceBytes(const MemoryPlan &plan, int threads, int64_t frames);

/// Host code in a pool of threads. With `adapt` a call uses one of them where
/// that is faster. Error 19 if the artifact has no code that this CPU can run.
Status createCpuDevice(const Artifact &artifact, int threads, bool adapt, std::unique_ptr<Device> &device);

/// Path of librnn-interpreter.so beside this library or program, or in the
/// library folder beside it; empty if it is not there.
std::string findInterpreter();

/// The interpreter on the level-1 module. `library` is its path; error 30 if it
/// is empty.
Status createInterpreterDevice(const Artifact &artifact, const std::string &library, std::unique_ptr<Device> &device);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_DEVICE_H
