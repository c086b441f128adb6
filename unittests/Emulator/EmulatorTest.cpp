//===- EmulatorTest.cpp - Kernels on the emulator -------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels that are right: the same bits for every seed, and no race.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "SampleKernels.h"

#include "gtest/gtest.h"

#include <numeric>

using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

constexpr uint64_t kSeeds = 6;

/// Kernels that compile and cause no race.
class EmulatorTest : public ::testing::Test {
protected:
  void TearDown() override { EXPECT_EQ(countRaces(), racesBefore); }
  const int racesBefore = countRaces();
};

TEST_F(EmulatorTest, ThreadsShareAGrid) {
  Kernels kernels(kAdd);
  ASSERT_EQ(kernels.problem(), "");
  const size_t n = 100000;
  std::vector<float> a(n), b(n), expected(n);
  for (size_t i = 0; i < n; ++i) {
    a[i] = float(i) * 0.5f;
    b[i] = float(n - i);
    expected[i] = a[i] + b[i];
  }
  for (uint64_t seed = 0; seed < 3; ++seed)
    for (uint32_t blocks : {1, 7, 2000}) {
      std::vector<float> y(n, NAN);
      auto status = kernels.run("add", {a.data(), b.data(), y.data()}, makeLaunch(blocks, 256), seed);
      ASSERT_EQ(status.str(), "");
      EXPECT_EQ(y, expected) << blocks;
    }
}

TEST_F(EmulatorTest, BlocksHaveBarriersAndSharedMemory) {
  Kernels kernels(kBlockSum);
  ASSERT_EQ(kernels.problem(), "");
  EXPECT_EQ(kernels.staticSharedBytes(), 1024u);
  const uint32_t blocks = 20;
  std::vector<float> x(256 * blocks), expected(blocks);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(i % 97);
  for (size_t i = 0; i < x.size(); ++i)
    expected[i / 256] += x[i];
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<float> y(blocks, NAN);
    auto status = kernels.run("block_sum", {x.data(), y.data()}, makeLaunch(blocks, 256), seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(y, expected);
  }
}

TEST_F(EmulatorTest, ShufflesReadOtherLanes) {
  Kernels kernels(kShuffle);
  ASSERT_EQ(kernels.problem(), "");
  std::vector<float> x(64), expected(4 * 64);
  std::iota(x.begin(), x.end(), 0.0f);
  for (int i = 0; i < 64; ++i) {
    const int warp = i / 32 * 32, lane = i % 32;
    const int from[4] = {lane ^ 5, lane < 5 ? lane : lane - 5, lane > 26 ? lane : lane + 5, lane / 8 * 8 + 4};
    for (int how = 0; how < 4; ++how)
      expected[4 * i + how] = x[warp + from[how]];
  }
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    alignas(16) float y[4 * 64];
    auto status = kernels.run("shuffle", {x.data(), y}, makeLaunch(1, 64), seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(std::vector<float>(y, y + 4 * 64), expected);
  }
}

TEST_F(EmulatorTest, BlocksExchangeWords) {
  Kernels kernels(kExchange);
  ASSERT_EQ(kernels.problem(), "");
  const uint32_t blocks = 8, threads = 32, n = blocks * threads;
  int64_t frames = 20;
  std::vector<int32_t> expected(n * (frames + 1));
  for (uint32_t i = 0; i < n; ++i)
    expected[i] = int32_t(i);
  for (int64_t t = 0; t < frames; ++t)
    for (uint32_t i = 0; i < n; ++i)
      expected[(t + 1) * n + i] = int32_t(3u * uint32_t(expected[t * n + (i + 7) % n]) + i);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<int32_t> seq(n * (frames + 1), -1);
    std::copy_n(expected.begin(), n, seq.begin());
    auto status = kernels.run("exchange", {seq.data(), &frames}, makeLaunch(blocks, threads, true), seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(seq, expected);
  }
}

TEST_F(EmulatorTest, LanesThatPollApartMeetAtShuffles) {
  // Thread i < 50 waits for word i + 7 of a frame, one in five does not; all of
  // the warp shuffle, and those behind the last word publish nothing.
  Kernels kernels(R"(
gpu.func @apart(%seq: !llvm.ptr<1>) kernel {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c7 = arith.constant 7 : index
  %c20 = arith.constant 20 : index
  %c32 = arith.constant 32 : index
  %last = arith.constant 49 : index
  %n = arith.constant 50 : index
  %one = arith.constant 1 : i32
  %three = arith.constant 3 : i32
  %width = arith.constant 32 : i32
  %sentinel = arith.constant -1 : i32
  %block = gpu.block_id x
  %lane = gpu.thread_id x
  %base = arith.muli %block, %c32 : index
  %thread = arith.addi %base, %lane : index
  %isActive = arith.cmpi ult, %thread, %n : index
  %i = arith.minui %thread, %last : index
  %i32 = arith.index_cast %i : index to i32
  %next = arith.addi %i, %c7 : index
  %from = arith.remui %next, %n : index
  %fifth = arith.remui %i, %c5 : index
  %waits = arith.cmpi ne, %fifth, %c0 : index
  scf.for %t = %c0 to %c20 step %c1 {
    %row = arith.muli %t, %n : index
    %a = arith.addi %row, %from : index
    %a64 = arith.index_cast %a : index to i64
    %pa = llvm.getelementptr %seq[%a64] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
    %v = scf.if %waits -> i32 {
      %word = scf.while : () -> i32 {
        %x = llvm.load %pa atomic syncscope("device") monotonic {alignment = 4 : i64} : !llvm.ptr<1> -> i32
        %again = arith.cmpi eq, %x, %sentinel : i32
        scf.condition(%again) %x : i32
      } do {
      ^bb0(%x: i32):
        scf.yield
      }
      scf.yield %word : i32
    } else {
      %t32 = arith.index_cast %t : index to i32
      scf.yield %t32 : i32
    }
    %other, %ok = gpu.shuffle xor %v, %one, %width : i32
    %scaled = arith.muli %other, %three : i32
    %w = arith.addi %scaled, %i32 : i32
    scf.if %isActive {
      %below = arith.addi %row, %n : index
      %b = arith.addi %below, %i : index
      %b64 = arith.index_cast %b : index to i64
      %pb = llvm.getelementptr %seq[%b64] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
      llvm.store %w, %pb atomic syncscope("device") monotonic {alignment = 4 : i64} : i32, !llvm.ptr<1>
    }
    gpu.barrier
  }
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  const int32_t n = 50, frames = 20;
  std::vector<int32_t> expected(n * (frames + 1));
  std::iota(expected.begin(), expected.begin() + n, 0);
  for (int32_t t = 0; t < frames; ++t)
    for (int32_t i = 0; i < n; ++i) {
      const int32_t other = i ^ 1, word = other % 5 ? expected[t * n + (other + 7) % n] : t;
      expected[(t + 1) * n + i] = int32_t(3u * uint32_t(word) + uint32_t(i));
    }
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<int32_t> seq(expected.size(), -1);
    std::copy_n(expected.begin(), n, seq.begin());
    auto status = kernels.run("apart", {seq.data()}, makeLaunch(2, 32, true), seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(seq, expected);
  }
}

TEST_F(EmulatorTest, WarpsMeetAtNamedBarriers) {
  Kernels kernels(kPipe);
  ASSERT_EQ(kernels.problem(), "");
  std::vector<int32_t> expected(32);
  for (int32_t lane = 0; lane < 32; ++lane)
    expected[lane] = 100 * 190 + 20 * (31 - lane);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<int32_t> y(32, -1);
    auto status = kernels.run("pipe", {y.data()}, makeLaunch(1, 64), seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(y, expected);
  }
}

TEST_F(EmulatorTest, FlagsPassMessages) {
  Kernels kernels(kMessage);
  ASSERT_EQ(kernels.problem(), "");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    int32_t memory[3] = {};
    auto status = kernels.run("message", {memory}, makeLaunch(2, 1, true), seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(memory[2], 42);
  }
}

TEST_F(EmulatorTest, SixteenBytesMoveAtOnce) {
  // Block 0 counts; block 1 reads until it has seen the end, and counts torn
  // reads.
  Kernels kernels(R"(
gpu.func @sixteen(%memory: !llvm.ptr<1>, %torn: !llvm.ptr<1>) kernel {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %last = arith.constant 50 : i32
  %block = gpu.block_id x
  %writes = arith.cmpi eq, %block, %c0 : index
  scf.if %writes {
    scf.for %i = %zero to %last step %one : i32 {
      %v = arith.addi %i, %one : i32
      nvvm.inline_ptx "st.relaxed.gpu.global.v4.b32 [$0], {$1, $2, $3, $4};" ro(%memory, %v, %v, %v, %v : !llvm.ptr<1>, i32, i32, i32, i32)
    }
  } else {
    %count = scf.while (%n = %zero) : (i32) -> i32 {
      %w:4 = nvvm.inline_ptx "ld.relaxed.gpu.global.v4.b32 {$0, $1, $2, $3}, [$4];" ro(%memory : !llvm.ptr<1>) -> i32, i32, i32, i32
      %differs = arith.cmpi ne, %w#0, %w#3 : i32
      %more = arith.extui %differs : i1 to i32
      %next = arith.addi %n, %more : i32
      %again = arith.cmpi ne, %w#0, %last : i32
      scf.condition(%again) %next : i32
    } do {
    ^bb0(%n: i32):
      scf.yield %n : i32
    }
    llvm.store %count, %torn : i32, !llvm.ptr<1>
  }
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    alignas(16) int32_t memory[4] = {};
    int32_t torn = -1;
    auto status = kernels.run("sixteen", {memory, &torn}, makeLaunch(2, 1, true), seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(torn, 0);
    EXPECT_EQ(memory[2], 50);
  }
}

TEST_F(EmulatorTest, LaunchesHaveThreeDimensionsAndDynamicMemory) {
  // Every thread writes the digits of its number; shared memory begins as NaNs,
  // in the static part and behind it.
  Kernels kernels(R"(
gpu.func @where(%y: !llvm.ptr<1>, %nans: !llvm.ptr<1>) workgroup(%part: memref<3xf32, 3>) kernel {
  %c0 = arith.constant 0 : index
  %tx = gpu.thread_id x
  %ty = gpu.thread_id y
  %tz = gpu.thread_id z
  %bx = gpu.block_id x
  %by = gpu.block_id y
  %bz = gpu.block_id z
  %nx = gpu.grid_dim x
  %ny = gpu.grid_dim y
  %dx = gpu.block_dim x
  %dy = gpu.block_dim y
  %dz = gpu.block_dim z
  %p0 = arith.muli %bz, %ny : index
  %p1 = arith.addi %p0, %by : index
  %p2 = arith.muli %p1, %nx : index
  %p3 = arith.addi %p2, %bx : index
  %p4 = arith.muli %p3, %dz : index
  %p5 = arith.addi %p4, %tz : index
  %p6 = arith.muli %p5, %dy : index
  %p7 = arith.addi %p6, %ty : index
  %p8 = arith.muli %p7, %dx : index
  %p9 = arith.addi %p8, %tx : index
  %i = arith.index_cast %p9 : index to i64
  %i32 = arith.index_cast %p9 : index to i32
  %py = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
  llvm.store %i32, %py : i32, !llvm.ptr<1>
  %dynamic = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
  %more = memref.view %dynamic[%c0][] : memref<?xi8, #gpu.address_space<workgroup>> to memref<5xf32, #gpu.address_space<workgroup>>
  %c4 = arith.constant 4 : index
  %c2 = arith.constant 2 : index
  %a = memref.load %part[%c2] : memref<3xf32, 3>
  %b = memref.load %more[%c4] : memref<5xf32, #gpu.address_space<workgroup>>
  %na = arith.cmpf uno, %a, %a : f32
  %nb = arith.cmpf uno, %b, %b : f32
  %both = arith.andi %na, %nb : i1
  %word = arith.extui %both : i1 to i32
  %pn = llvm.getelementptr %nans[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
  llvm.store %word, %pn : i32, !llvm.ptr<1>
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  EXPECT_EQ(kernels.staticSharedBytes(), 16u);
  runtime::EmulatorLaunch launch;
  launch.grid = {3, 2, 4};
  launch.block = {5, 3, 2};
  launch.sharedBytes = 20;
  std::vector<int32_t> expected(24 * 30);
  std::iota(expected.begin(), expected.end(), 0);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<int32_t> y(expected.size(), -1), nans(expected.size(), 0);
    auto status = kernels.run("where", {y.data(), nans.data()}, launch, seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(y, expected);
    EXPECT_EQ(nans, std::vector<int32_t>(expected.size(), 1));
  }
}

TEST_F(EmulatorTest, LaunchesAreChecked) {
  Kernels kernels("gpu.func @nothing() kernel { gpu.return }");
  ASSERT_EQ(kernels.problem(), "");
  EXPECT_EQ(kernels.run("nothing", {}, makeLaunch(1, 1025), 0).str(),
            "kernel 'nothing' cannot be launched: a block has 1025 threads; expected 1 to 1024");
  EXPECT_EQ(kernels.run("nothing", {}, makeLaunch(0, 1), 0).str(),
            "kernel 'nothing' cannot be launched: the grid has 0 blocks");
  auto launch = makeLaunch(6, 32);
  launch.cluster = 4;
  EXPECT_EQ(kernels.run("nothing", {}, launch, 0).str(),
            "kernel 'nothing' cannot be launched: clusters of 4 blocks in a grid of 6");
  EXPECT_EQ(kernels.run("nothing", {}, makeLaunch(5, 7), 0).str(), "");
}

} // namespace
