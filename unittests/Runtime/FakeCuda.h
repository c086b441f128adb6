//===- FakeCuda.h - A CUDA driver without a GPU -----------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A libcuda.so.1 for tests. Its memory is the host's, kernels are functions that
// a test brings, and it writes down what it is asked for. A process gets it by
// LD_LIBRARY_PATH, a test program by loading it before the runtime looks for
// libcuda.so.1. Environment: RNN_FAKE_CUDA_VERSION, RNN_FAKE_CUDA_DEVICES,
// RNN_FAKE_CUDA_CHIP.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_RUNTIME_FAKECUDA_H
#define RNN_UNITTESTS_RUNTIME_FAKECUDA_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace mlir::rnn::runtime::test {

/// Runs as a whole, whatever its grid; arguments as of cuLaunchKernel.
using FakeKernel = std::function<void(void **arguments)>;

struct FakeLaunch {
  std::string kernel;
  unsigned blocks, threads, sharedBytes, cluster;
  bool isCooperative, isRecorded;
};

struct FakeCuda {
  // What it is.
  int version = 12040, devices = 1, chip = 90, processors = 4;
  size_t freeBytes = size_t(1) << 30;
  std::map<std::string, FakeKernel> kernels; ///< others do nothing
  unsigned blocksPerProcessor = 2;           ///< of a kernel, whatever its size
  std::string missing;                       ///< a function that the driver lacks
  std::string missingKernel;                 ///< a kernel that the code lacks
  std::string refusedKernel;                 ///< a kernel that is not launched, in a graph neither
  bool refusesCubins = false, refusesPtx = false, refusesGraphs = false, hangs = false;

  // What was done.
  std::vector<FakeLaunch> launches;
  std::vector<std::string> images;                                    ///< `cubin` or `ptx`, as they were loaded
  std::map<std::string, std::vector<std::pair<int, int>>> attributes; ///< set, by kernel
  size_t copiesIn = 0, copiesOut = 0, copiesWithin = 0, graphLaunches = 0, graphsMade = 0, waits = 0;
  std::vector<std::pair<void *, void *>> orders; ///< of streams: the second waited for the first; ours is `&version`
  int graphs = 0, allocations = 0, modules = 0, streams = 0, events = 0, retained = 0, current = 0; ///< alive
};

/// `fakeCuda` of the library.
using FakeCudaFn = FakeCuda *(*)();

} // namespace mlir::rnn::runtime::test

#endif // RNN_UNITTESTS_RUNTIME_FAKECUDA_H
