//===- Emulator.h - GPU kernels on the CPU ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_EMULATOR_H
#define RNN_RUNTIME_EMULATOR_H

#include "rnn/Runtime/EmulatorAbi.h"
#include "rnn/Runtime/Status.h"

#include <array>
#include <memory>
#include <string>

namespace mlir::rnn::runtime {

class EmulatorEngine;

/// One launch of a kernel.
struct EmulatorLaunch {
  std::string kernel;               ///< its name, for messages
  void (*entry)(void **) = nullptr; ///< the exported function
  void **arguments = nullptr;       ///< one address per argument
  std::array<uint32_t, 3> grid = {1, 1, 1};
  std::array<uint32_t, 3> block = {1, 1, 1};
  uint32_t cluster = 1;     ///< neighbouring blocks along x that form a cluster
  uint64_t sharedBytes = 0; ///< static and dynamic shared memory of a block
  bool cooperative = false; ///< all blocks run at the same time
};

/// Runs kernels, one fiber per GPU thread, all on the calling thread. The order
/// of the threads follows from a seed; 0 is the order of their numbers, odd ones
/// choose threads at random, even ones let one block run ahead for a while.
///
/// Threads give way to others at barriers, shuffles and atomic accesses. Shared
/// memory of a block begins as NaNs. Where no thread can go on, or threads wait
/// for a value that nobody writes, the launch ends with an error that says who
/// waits where; so it does where the lanes of a warp part ways before something
/// that a GPU does for whole warps. The kernel's effects are undefined then.
///
/// Built with ThreadSanitizer, every GPU thread is a thread of its own that only
/// barriers, mbarriers and the kernel's atomic accesses order.
class Emulator {
public:
  explicit Emulator(uint64_t seed);
  ~Emulator();

  /// What `rnn_emulator_2` must point to in a shared object of kernels.
  static const RnnEmulator *table();

  Status launch(const EmulatorLaunch &launch);

private:
  std::unique_ptr<EmulatorEngine> engine;
};

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_EMULATOR_H
