//===- ThreadPool.cpp - Threads that stay ---------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/ThreadPool.h"

#include <chrono>
#include <csignal>
#include <pthread.h>
#include <sched.h>
#include <system_error>

namespace mlir::rnn::runtime {
namespace {

/// Pauses before a waiting thread offers its core to others.
constexpr int kPauses = 1000;
/// How long a worker spins for the next call before it sleeps.
constexpr auto kSpinTime = std::chrono::microseconds(100);
/// Up to this number of threads each one reads all others at a barrier; beyond,
/// thread 0 gathers and releases.
constexpr int kAllToAll = 4;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/// Spins until `done()`, politely: with more threads than cores the one that is
/// waited for must get to run.
template <typename Done>
void spinUntil(Done done) {
  for (int i = 0; !done(); ++i) {
    if (i < kPauses)
      pause();
    else
      ::sched_yield();
  }
}

} // namespace

//===----------------------------------------------------------------------===//
// Barrier
//===----------------------------------------------------------------------===//

Barrier::Barrier(int threads) : threads(threads), slots(threads) {}

void Barrier::await(int64_t thread, uint32_t arrivals) const {
  spinUntil([&] {
    // Another thread may be one barrier ahead, never more.
    uint32_t seen = slots[thread].arrivals.load(std::memory_order_acquire);
    return int32_t(seen - arrivals) >= 0;
  });
}

void Barrier::wait(int64_t thread) {
  std::atomic<uint32_t> &own = slots[thread].arrivals;
  uint32_t arrivals = own.load(std::memory_order_relaxed) + 1;
  if (threads <= kAllToAll) {
    own.store(arrivals, std::memory_order_release);
    for (int64_t other = 0; other < threads; ++other)
      if (other != thread)
        await(other, arrivals);
    return;
  }
  if (thread != 0) {
    own.store(arrivals, std::memory_order_release);
    return await(0, arrivals);
  }
  for (int64_t other = 1; other < threads; ++other)
    await(other, arrivals);
  own.store(arrivals, std::memory_order_release);
}

//===----------------------------------------------------------------------===//
// ThreadPool
//===----------------------------------------------------------------------===//

namespace {

/// A sleeping worker is woken on the core of its waker, where it would spin
/// against it, for 100 us a barrier; so it moves to another core first.
void leaveCore(int core, const cpu_set_t &allowed) {
  if (core < 0 || ::sched_getcpu() != core)
    return;
  cpu_set_t others = allowed;
  CPU_CLR(core, &others);
  if (CPU_COUNT(&others) > 0)
    ::sched_setaffinity(0, sizeof others, &others);
}

} // namespace

Status ThreadPool::start(int threads) {
  // Signals are the business of the caller's threads.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Status status = Status::success();
  try {
    for (int thread = 1; thread < threads; ++thread)
      workers.emplace_back([this, thread] { work(thread); });
  } catch (const std::system_error &error) {
    status = memoryError("cannot start " + std::to_string(threads) + " threads: " + error.what());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

ThreadPool::~ThreadPool() {
  stop = true;
  calls.fetch_add(1);
  {
    std::lock_guard<std::mutex> lock(mutex);
    wake.notify_all();
  }
  for (std::thread &worker : workers)
    worker.join();
}

void ThreadPool::run(Task newTask, void *newData) {
  if (workers.empty())
    return newTask(newData, 0);
  task = newTask;
  data = newData;
  callerCore.store(::sched_getcpu(), std::memory_order_relaxed);
  running.store(int(workers.size()), std::memory_order_relaxed);
  // Either a worker sees the new number before it sleeps, or we see it asleep.
  calls.fetch_add(1);
  if (sleepers.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex);
    wake.notify_all();
  }
  newTask(newData, 0);
  spinUntil([&] { return running.load(std::memory_order_acquire) == 0; });
}

void ThreadPool::awaitCall(uint32_t call) {
  using Clock = std::chrono::steady_clock;
  auto called = [&] { return calls.load() == call; };
  Clock::time_point end = Clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (called())
        return;
      pause();
    }
  } while (Clock::now() < end);

  sleepers.fetch_add(1);
  {
    std::unique_lock<std::mutex> lock(mutex);
    wake.wait(lock, called);
  }
  sleepers.fetch_sub(1);
}

void ThreadPool::work(int thread) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  for (uint32_t call = 1;; ++call) {
    awaitCall(call);
    if (stop)
      return;
    leaveCore(callerCore.load(std::memory_order_relaxed), allowed);
    task(data, thread);
    running.fetch_sub(1, std::memory_order_release);
  }
}

} // namespace mlir::rnn::runtime
