//===- MutationTest.cpp - Broken kernels are found out --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The emulator is only worth what it finds: kernels of EmulatorTest.cpp with one
// fault each, which some seed, or a sanitizer, must show.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "SampleKernels.h"

#include "gtest/gtest.h"

using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

constexpr uint64_t kSeeds = 8;

using Edits = std::vector<std::pair<std::string, std::string>>;

struct Findings {
  int failed = 0, wrong = 0, races = 0;
  std::string message;
};

/// Runs a kernel with faults for some seeds. `run` gets the kernels and a seed,
/// and tells whether the results are right.
template <typename Run>
Findings find(const char *text, const Edits &edits, Run run) {
  Kernels kernels(text, edits);
  EXPECT_EQ(kernels.problem(), "");
  Findings findings;
  const int before = countRaces();
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    bool right = false;
    runtime::Status status = run(kernels, seed, right);
    if (status.failed()) {
      ++findings.failed;
      findings.message = status.str();
    } else {
      findings.wrong += !right;
    }
  }
  findings.races = countRaces() - before;
  return findings;
}

runtime::Status runExchange(Kernels &kernels, uint64_t seed, bool &right) {
  const uint32_t blocks = 4, threads = 32, n = blocks * threads;
  int64_t frames = 20;
  std::vector<int32_t> seq(n * (frames + 1), -1);
  for (uint32_t i = 0; i < n; ++i)
    seq[i] = int32_t(i);
  auto status = kernels.run("exchange", {seq.data(), &frames}, makeLaunch(blocks, threads, true), seed);
  right = true;
  for (int64_t t = 0; t < frames; ++t)
    for (uint32_t i = 0; i < n; ++i)
      right &= seq[(t + 1) * n + i] == int32_t(3u * uint32_t(seq[t * n + (i + 7) % n]) + i);
  return status;
}

runtime::Status runBlockSum(Kernels &kernels, uint64_t seed, bool &right) {
  std::vector<float> x(256, 1.0f), y(1, NAN);
  auto status = kernels.run("block_sum", {x.data(), y.data()}, makeLaunch(1, 256), seed);
  right = y[0] == 256;
  return status;
}

runtime::Status runPipe(Kernels &kernels, uint64_t seed, bool &right) {
  std::vector<int32_t> y(32, -1);
  auto status = kernels.run("pipe", {y.data()}, makeLaunch(1, 64), seed);
  right = true;
  for (int32_t lane = 0; lane < 32; ++lane)
    right &= y[lane] == 100 * 190 + 20 * (31 - lane);
  return status;
}

runtime::Status runMessage(Kernels &kernels, uint64_t seed, bool &right) {
  int32_t memory[3] = {};
  auto status = kernels.run("message", {memory}, makeLaunch(2, 1, true), seed);
  right = memory[2] == 42;
  return status;
}

TEST(MutationTest, AWaitIsMissing) {
  // The words are atomic: this is no race, but nobody reads the right values.
  Findings found = find(kExchange, {{"scf.condition(%again)", "scf.condition(%false)"}}, runExchange);
  EXPECT_GT(found.wrong, 0);
}

TEST(MutationTest, ABarrierIsMissing) {
  Findings found = find(kBlockSum, {{"gpu.barrier", ""}}, runBlockSum);
  EXPECT_GT(found.wrong, 0);
  if (kFindsRaces) {
    EXPECT_GT(found.races, 0);
  }
}

TEST(MutationTest, ABufferIsFilledBeforeItWasRead) {
  Findings found = find(kPipe,
                        {{"nvvm.barrier id = %read number_of_threads = %both", ""},
                         {"nvvm.barrier.arrive id = %read number_of_threads = %both", ""},
                         {"nvvm.barrier.arrive id = %full", "nvvm.barrier id = %full"}},
                        runPipe);
  EXPECT_GT(found.wrong + found.races, 0);
  if (kFindsRaces) {
    EXPECT_GT(found.races, 0);
  }
}

TEST(MutationTest, AFlagDoesNotReleaseOrAcquire) {
  // Right on this processor in the order of these instructions.
  for (const char *ordering : {"release", "acquire"}) {
    Findings found = find(kMessage, {{std::string("\"device\") ") + ordering, "\"device\") monotonic"}}, runMessage);
    EXPECT_EQ(found.failed, 0);
    EXPECT_EQ(found.wrong, 0);
    if (kFindsRaces) {
      EXPECT_GT(found.races, 0) << ordering;
    }
  }
}

TEST(MutationTest, AThreadGetsLost) {
  // Thread 5 of block 0 publishes nothing.
  Findings found = find(kExchange,
                        {{"scf.for %t = %c0 to %end", "%five = arith.constant 5 : index\n"
                                                      "%lost = arith.cmpi eq, %i, %five : index\n"
                                                      "%stop = arith.select %lost, %c0, %end : index\n"
                                                      "scf.for %t = %c0 to %stop"}},
                        runExchange);
  EXPECT_EQ(found.failed, int(kSeeds));
  EXPECT_NE(found.message.find("kernel 'exchange' stalled: threads wait for a value that nobody writes\nnote: block "),
            std::string::npos)
      << found.message;
  EXPECT_NE(found.message.find("threads wait at atomic access, the first is thread "), std::string::npos);
}

TEST(MutationTest, AThreadLeavesBeforeABarrier) {
  Kernels kernels(R"(
gpu.func @leaves() kernel {
  %c5 = arith.constant 5 : index
  %thread = gpu.thread_id x
  %stays = arith.cmpi ne, %thread, %c5 : index
  scf.if %stays {
    gpu.barrier
  }
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  EXPECT_EQ(kernels.run("leaves", {}, makeLaunch(3, 96), 0).str(),
            "kernel 'leaves' stalled: no thread can go on\n"
            "note: block 0: 95 of 96 threads wait at barrier 0, the first is thread 0; 1 have ended");
}

TEST(MutationTest, LanesOfAWarpComeToDifferentBarriers) {
  Kernels kernels(R"(
gpu.func @parted() kernel {
  %c16 = arith.constant 16 : index
  %one = arith.constant 1 : i32
  %thread = gpu.thread_id x
  %first = arith.cmpi ult, %thread, %c16 : index
  scf.if %first {
    gpu.barrier
    llvm.fence seq_cst
  } else {
    llvm.fence acquire
    gpu.barrier
  }
  gpu.return
}
gpu.func @named() kernel {
  %n = arith.constant 64 : i32
  %thread = gpu.thread_id x
  %i = arith.index_cast %thread : index to i32
  %two = arith.constant 2 : i32
  %id = arith.remui %i, %two : i32
  nvvm.barrier id = %id number_of_threads = %n
  gpu.return
}
gpu.func @counts() kernel {
  %id = arith.constant 3 : i32
  %n = arith.constant 33 : i32
  nvvm.barrier id = %id number_of_threads = %n
  gpu.return
}
gpu.func @sixteen() kernel {
  %id = arith.constant 16 : i32
  %n = arith.constant 32 : i32
  nvvm.barrier id = %id number_of_threads = %n
  gpu.return
}
gpu.func @warps() kernel {
  %id = arith.constant 3 : i32
  %c32 = arith.constant 32 : i32
  %c64 = arith.constant 64 : i32
  %thread = gpu.thread_id x
  %i = arith.index_cast %thread : index to i32
  %first = arith.cmpi ult, %i, %c32 : i32
  %n = arith.select %first, %c64, %c32 : i32
  nvvm.barrier id = %id number_of_threads = %n
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  EXPECT_EQ(kernels.run("parted", {}, makeLaunch(1, 64), 0).message,
            "kernel 'parted' diverged: threads 0 and 16 of block 0 are of one warp; the one comes to place 0 of the "
            "kernels, the other to place 1");
  EXPECT_EQ(kernels.run("named", {}, makeLaunch(1, 64), 0).message,
            "kernel 'named' diverged: threads 0 and 1 of block 0 are of one warp; the one comes to place 2 of the "
            "kernels, the other to the same place with other operands");
  EXPECT_EQ(kernels.run("counts", {}, makeLaunch(1, 64), 0).message,
            "kernel 'counts' has an error: barrier 3 is for 33 of 64 threads; expected a multiple of 32");
  EXPECT_EQ(kernels.run("sixteen", {}, makeLaunch(1, 64), 0).message,
            "kernel 'sixteen' has an error: it comes to barrier 16; expected 0 to 15");
  EXPECT_EQ(kernels.run("warps", {}, makeLaunch(1, 64), 0).message,
            "kernel 'warps' diverged: threads of block 0 expect different numbers of threads at one barrier: 64 and "
            "32");
}

TEST(MutationTest, LanesOfAWarpMissAShuffle) {
  Kernels kernels(R"(
gpu.func @some(%y: !llvm.ptr<1>) kernel {
  %c1 = arith.constant 1 : i32
  %width = arith.constant 32 : i32
  %c7 = arith.constant 7 : index
  %all = arith.constant -1 : i32
  %thread = gpu.thread_id x
  %i = arith.index_cast %thread : index to i32
  %here = arith.cmpi ne, %thread, %c7 : index
  scf.if %here {
    %v, %ok = gpu.shuffle xor %i, %c1, %width : i32
    llvm.store %v, %y : i32, !llvm.ptr<1>
  } else {
    nvvm.bar.warp.sync %all : i32
  }
  gpu.return
}
gpu.func @outside() kernel {
  %low = arith.constant 65535 : i32
  nvvm.bar.warp.sync %low : i32
  gpu.return
}
gpu.func @halves(%y: !llvm.ptr<1>) kernel {
  %low = arith.constant 65535 : i32
  %high = arith.constant -65536 : i32
  %c1 = arith.constant 1 : i32
  %clamp = arith.constant 31 : i32
  %c16 = arith.constant 16 : i32
  %thread = gpu.thread_id x
  %i = arith.index_cast %thread : index to i32
  %at = arith.index_cast %thread : index to i64
  %first = arith.cmpi ult, %i, %c16 : i32
  %mask = arith.select %first, %low, %high : i32
  %v = nvvm.shfl.sync bfly %mask, %i, %c1, %clamp : i32 -> i32
  %py = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
  llvm.store %v, %py : i32, !llvm.ptr<1>
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  int32_t word = 0;
  EXPECT_EQ(kernels.run("some", {&word}, makeLaunch(1, 32), 0).message,
            "kernel 'some' diverged: lanes of one warp of block 0 wait for each other at different operations");
  EXPECT_EQ(kernels.run("outside", {}, makeLaunch(1, 32), 0).message,
            "kernel 'outside' has an error: thread 16 of block 0 is not in the mask of the lanes that it waits for");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    int32_t y[32];
    ASSERT_EQ(kernels.run("halves", {y}, makeLaunch(1, 32), seed).str(), "");
    for (int i = 0; i < 32; ++i)
      EXPECT_EQ(y[i], i ^ 1);
  }
}

TEST(MutationTest, BlocksThatDoNotRunAtTheSameTimeWaitForEachOther) {
  Kernels kernels(kExchange);
  ASSERT_EQ(kernels.problem(), "");
  const uint32_t blocks = 64, n = 32 * blocks;
  int64_t frames = 40;
  std::vector<int32_t> seq(n * (frames + 1), -1);
  std::fill_n(seq.begin(), n, 1);
  runtime::Status status = kernels.run("exchange", {seq.data(), &frames}, makeLaunch(blocks, 32), 1);
  EXPECT_EQ(status.message, "kernel 'exchange' stalled: threads wait for a value that nobody writes");
}

TEST(MutationTest, ThreadsSpinOnALockThatNobodyGivesBack) {
  Kernels kernels(R"(
gpu.func @lock(%memory: !llvm.ptr<1>) kernel {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  scf.while : () -> () {
    %pair = llvm.cmpxchg %memory, %zero, %one syncscope("device") acquire monotonic {alignment = 4 : i64} : !llvm.ptr<1>, i32
    %got = llvm.extractvalue %pair[1] : !llvm.struct<(i32, i1)>
    %true = arith.constant true
    %again = arith.xori %got, %true : i1
    scf.condition(%again)
  } do {
    scf.yield
  }
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  int32_t memory = 0;
  EXPECT_EQ(kernels.run("lock", {&memory}, makeLaunch(1, 32), 3).message,
            "kernel 'lock' stalled: threads wait for a value that nobody writes");
}

#if defined(__SANITIZE_ADDRESS__)
TEST(MutationDeathTest, AnIndexIsClampedToTheWrongBound) {
  Kernels kernels(kAdd, {{"%n = arith.constant 100000 : index", "%n = arith.constant 100001 : index"}});
  ASSERT_EQ(kernels.problem(), "");
  std::vector<float> a(100000), b(100000), y(100000);
  EXPECT_DEATH((void)kernels.run("add", {a.data(), b.data(), y.data()}, makeLaunch(4, 256), 1), "heap-buffer-overflow");
}

TEST(MutationDeathTest, SharedMemoryIsOverrun) {
  Kernels kernels(kBlockSum, {{"memref.store %v, %part[%thread]", "memref.store %v, %part[%i]"}});
  ASSERT_EQ(kernels.problem(), "");
  std::vector<float> x(512), y(2);
  EXPECT_DEATH((void)kernels.run("block_sum", {x.data(), y.data()}, makeLaunch(2, 256), 1), "heap-buffer-overflow");
}
#endif

} // namespace
