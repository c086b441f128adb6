//===- ThreadPoolTest.cpp - Threads, barrier, memory ----------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/ThreadPool.h"
#include "rnn/Runtime/Device.h"
#include "rnn/Runtime/Memory.h"
#include "rnn/Runtime/ThreadChoice.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <memory>

using namespace mlir::rnn::runtime;

namespace {

struct Work {
  Work(int threads) : barrier(threads), threads(threads), values(threads) {}
  Barrier barrier;
  int threads;
  std::vector<int64_t> values; ///< plain: the barrier alone orders accesses
  std::atomic<int> wrong{0};
};

// After a barrier everyone sees what everyone wrote before it.
void meet(void *data, int thread) {
  auto *work = static_cast<Work *>(data);
  for (int round = 1; round <= 200; ++round) {
    work->values[thread] = round;
    work->barrier.wait(thread);
    for (int64_t value : work->values)
      work->wrong += value != round;
    work->barrier.wait(thread);
  }
}

class ThreadCounts : public testing::TestWithParam<int> {};

TEST_P(ThreadCounts, BarrierOrdersMemory) {
  int threads = GetParam();
  ThreadPool pool;
  ASSERT_TRUE(pool.start(threads).ok());
  ASSERT_EQ(pool.size(), threads);
  Work work(threads);
  for (int call = 0; call < 5; ++call) {
    std::fill(work.values.begin(), work.values.end(), 0);
    pool.run(meet, &work);
  }
  EXPECT_EQ(work.wrong, 0);
}

// Up to 4 threads everyone reads everyone; beyond, thread 0 gathers.
INSTANTIATE_TEST_SUITE_P(ThreadPool, ThreadCounts, testing::Values(1, 2, 3, 4, 5, 8));

TEST(ThreadPool, WakesAfterSleeping) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(3).ok());
  std::atomic<int> calls{0};
  auto count = [](void *data, int) { ++*static_cast<std::atomic<int> *>(data); };
  for (int i = 1; i <= 20; ++i) {
    // Around the time after which workers go to sleep, and well beyond.
    std::this_thread::sleep_for(std::chrono::microseconds(i % 2 ? 90 + i : 2000));
    pool.run(count, &calls);
    EXPECT_EQ(calls, 3 * i);
  }
}

TEST(ThreadPool, StartsAndStopsWithoutACall) {
  for (int i = 0; i < 20; ++i) {
    ThreadPool pool;
    ASSERT_TRUE(pool.start(2).ok());
  }
}

TEST(Threads, FromArgumentEnvironmentAndMachine) {
  int threads = 0;
  ::setenv("RNN_NUM_THREADS", "3", 1);
  ASSERT_TRUE(resolveThreads(0, threads).ok());
  EXPECT_EQ(threads, 3);
  ASSERT_TRUE(resolveThreads(2, threads).ok());
  EXPECT_EQ(threads, 2);
  ::setenv("RNN_NUM_THREADS", "many", 1);
  Status status = resolveThreads(0, threads);
  EXPECT_EQ(status.message, "RNN_NUM_THREADS must be in [1, 1024], got 'many'");
  EXPECT_EQ(status.code, Code::Usage);
  ::unsetenv("RNN_NUM_THREADS");
  ASSERT_TRUE(resolveThreads(0, threads).ok());
  EXPECT_GE(threads, 1);
  EXPECT_TRUE(resolveThreads(-1, threads).failed());
}

TEST(Memory, AlignedAndZero) {
  for (size_t bytes : {size_t(0), size_t(1), size_t(1000), size_t(3) << 20}) {
    Buffer buffer;
    ASSERT_TRUE(buffer.allocate(bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_EQ(buffer.size(), bytes);
    for (size_t i = 0; i < bytes; ++i)
      ASSERT_EQ(static_cast<char *>(buffer.data())[i], 0);
  }
  Buffer impossible;
  EXPECT_FALSE(impossible.allocate(SIZE_MAX));
  EXPECT_EQ(impossible.data(), nullptr);
}

TEST(Memory, Text) {
  EXPECT_EQ(formatBytes(512), "512 bytes");
  EXPECT_EQ(formatBytes(uint64_t(9.2 * (1 << 30))), "9.2 GiB");
  EXPECT_GT(availableMemory(), 0u);
}

/// Makes `calls` calls that take what `seconds` says for all threads and for one; the number of those with one.
int callWith(ThreadChoice &choice, double all, double one, int calls) {
  int withOne = 0;
  for (int i = 0; i < calls; ++i) {
    withOne += choice.useOne();
    choice.record(choice.useOne() ? one : all);
  }
  return withOne;
}

TEST(ThreadChoice, FindsTheFasterWay) {
  ThreadChoice small, large, tie;
  EXPECT_GT(callWith(small, 2.0, 1.0, 2000), 1950);
  EXPECT_LT(callWith(large, 1.0, 2.0, 2000), 50);
  EXPECT_LT(callWith(tie, 1.0, 0.97, 2000), 50) << "several threads unless one is clearly faster";
}

TEST(ThreadChoice, FollowsTheMachine) {
  ThreadChoice choice;
  callWith(choice, 1.0, 2.0, 500);
  EXPECT_FALSE(choice.useOne());
  EXPECT_GT(callWith(choice, 9.0, 2.0, 2000), 1000) << "a neighbour came";
  EXPECT_LT(callWith(choice, 1.0, 2.0, 2000), 1200) << "and went";
}

TEST(Memory, WorkspaceIsCounted) {
  EXPECT_EQ(workspaceBytes({100, 10, 3}, 4, 7), 100u + 40 + 21);
  EXPECT_EQ(workspaceBytes({0, 0, uint64_t(1) << 48}, 1, int64_t(1) << 40), UINT64_MAX);
}

} // namespace
