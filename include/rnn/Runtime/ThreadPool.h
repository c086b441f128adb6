//===- ThreadPool.h - Threads that stay -------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_THREADPOOL_H
#define RNN_RUNTIME_THREADPOOL_H

#include "rnn/Runtime/Status.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace mlir::rnn::runtime {

/// A barrier of a fixed number of threads that spins: each thread publishes the
/// number of its arrival in a cache line of its own and reads those of others.
class Barrier {
public:
  explicit Barrier(int threads);

  /// Returns when all threads have entered; what they wrote before is visible.
  void wait(int64_t thread);

private:
  struct alignas(64) Slot {
    std::atomic<uint32_t> arrivals{0};
  };
  void await(int64_t thread, uint32_t arrivals) const;

  int threads;
  std::vector<Slot> slots;
};

/// Worker threads that persist: between calls they spin for a while, then
/// sleep. The caller of `run` works along as thread 0.
class ThreadPool {
public:
  using Task = void (*)(void *data, int thread);

  ThreadPool() = default;
  ~ThreadPool();

  /// Starts `threads - 1` workers; error 5 if the system refuses.
  Status start(int threads);
  int size() const { return int(workers.size()) + 1; }

  /// Runs task(data, 0 ... size() - 1), each on a thread of its own, and
  /// returns when all are done.
  void run(Task task, void *data);

private:
  void work(int thread);
  void awaitCall(uint32_t call);

  std::vector<std::thread> workers;
  Task task = nullptr;
  void *data = nullptr;
  bool stop = false;
  std::atomic<int> callerCore{-1};
  alignas(64) std::atomic<uint32_t> calls{0};
  alignas(64) std::atomic<int> running{0};
  alignas(64) std::atomic<int> sleepers{0};
  std::mutex mutex;
  std::condition_variable wake;
};

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_THREADPOOL_H
