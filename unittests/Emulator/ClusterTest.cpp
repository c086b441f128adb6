//===- ClusterTest.cpp - Clusters and matrix products on the emulator -----===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "gtest/gtest.h"

#include <cstring>

using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

constexpr uint64_t kSeeds = 8;

/// Four blocks of one warp. In each of 12 frames a block sums what the blocks
/// have sent it, and sends the sum plus its rank to all of them. y[rank] is the
/// last sum. Two buffers, each with an mbarrier that completes when the words of
/// all blocks are there.
const char *kRounds = R"(
gpu.func @rounds(%y: !llvm.ptr<1>) workgroup(%words: memref<8xi32, 3> {llvm.align = 16 : i64}, %bars: memref<2xi64, 3> {llvm.align = 8 : i64}) kernel {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c2 = arith.constant 2 : index
  %c12 = arith.constant 12 : index
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %two = arith.constant 2 : i32
  %all = arith.constant -1 : i32
  %bytes = arith.constant 16 : i32
  %thread = gpu.thread_id x
  %rank = nvvm.read.ptx.sreg.cluster.ctarank : i32
  %leads = arith.cmpi eq, %thread, %c0 : index
  %sends = arith.cmpi ult, %thread, %c4 : index
  %words_i = memref.extract_aligned_pointer_as_index %words : memref<8xi32, 3> -> index
  %words_a = arith.index_cast %words_i : index to i64
  %words_p = llvm.inttoptr %words_a : i64 to !llvm.ptr<3>
  %bars_i = memref.extract_aligned_pointer_as_index %bars : memref<2xi64, 3> -> index
  %bars_a = arith.index_cast %bars_i : index to i64
  %bars_p = llvm.inttoptr %bars_a : i64 to !llvm.ptr<3>
  scf.if %leads {
    scf.for %i = %c0 to %c4 step %c1 {
      %v = arith.index_cast %i : index to i32
      memref.store %v, %words[%i] : memref<8xi32, 3>
    }
    %bar1 = llvm.getelementptr %bars_p[1] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i64
    nvvm.mbarrier.init %bars_p, %one : !llvm.ptr<3>, i32
    nvvm.mbarrier.init %bar1, %one : !llvm.ptr<3>, i32
    nvvm.fence.mbarrier.init
    %s = nvvm.mbarrier.arrive %bars_p : !llvm.ptr<3> -> i64
    nvvm.mbarrier.arrive.expect_tx %bar1, %bytes : !llvm.ptr<3>, i32
  }
  nvvm.cluster.arrive {aligned}
  nvvm.cluster.wait {aligned}
  %last = scf.for %t = %c0 to %c12 step %c1 iter_args(%old = %zero) -> i32 {
    %buffer = arith.remui %t, %c2 : index
    %b64 = arith.index_cast %buffer : index to i64
    %bar = llvm.getelementptr %bars_p[%b64] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i64
    %use = arith.divui %t, %c2 : index
    %odd = arith.remui %use, %c2 : index
    %parity = arith.index_cast %odd : index to i32
    scf.while : () -> () {
      %done = nvvm.inline_ptx "{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [$1], $2; selp.b32 $0, 1, 0, p; }" ro(%bar, %parity : !llvm.ptr<3>, i32) -> i32
      %again = arith.cmpi eq, %done, %zero : i32
      scf.condition(%again)
    } do {
      scf.yield
    }
    %first = arith.muli %buffer, %c4 : index
    %sum = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %zero) -> i32 {
      %at = arith.addi %first, %i : index
      %v = memref.load %words[%at] : memref<8xi32, 3>
      %next = arith.addi %s, %v : i32
      scf.yield %next : i32
    }
    %mine = arith.addi %sum, %rank : i32
    scf.if %leads {
      nvvm.mbarrier.arrive.expect_tx %bar, %bytes : !llvm.ptr<3>, i32
    }
    nvvm.bar.warp.sync %all : i32
    %t1 = arith.addi %t, %c1 : index
    %target = arith.remui %t1, %c2 : index
    scf.if %sends {
      %to = arith.index_cast %thread : index to i32
      %t64 = arith.index_cast %target : index to i64
      %other_bar = llvm.getelementptr %bars_p[%t64] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i64
      %target4 = arith.muli %target, %c4 : index
      %rank_i = arith.index_cast %rank : i32 to index
      %at = arith.addi %target4, %rank_i : index
      %at64 = arith.index_cast %at : index to i64
      %word = llvm.getelementptr %words_p[%at64] : (!llvm.ptr<3>, i64) -> !llvm.ptr<3>, i32
      %remote_word = nvvm.mapa %word, %to : !llvm.ptr<3> -> !llvm.ptr<7>
      %remote_bar = nvvm.mapa %other_bar, %to : !llvm.ptr<3> -> !llvm.ptr<7>
      nvvm.inline_ptx "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.b32 [$0], $1, [$2];" ro(%remote_word, %mine, %remote_bar : !llvm.ptr<7>, i32, !llvm.ptr<7>)
    }
    scf.yield %mine : i32
  }
  scf.while : () -> () {
    %done = nvvm.mbarrier.try_wait %bars_p, %zero : !llvm.ptr<3>, i32 -> i1
    %true = arith.constant true
    %again = arith.xori %done, %true : i1
    scf.condition(%again)
  } do {
    scf.yield
  }
  nvvm.cluster.arrive {aligned}
  nvvm.cluster.wait {aligned}
  scf.if %leads {
    %r64 = arith.extui %rank : i32 to i64
    %py = llvm.getelementptr %y[%r64] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
    llvm.store %last, %py : i32, !llvm.ptr<1>
  }
  gpu.return
})";

runtime::EmulatorLaunch clusterLaunch() {
  runtime::EmulatorLaunch launch = makeLaunch(4, 32);
  launch.cluster = 4;
  return launch;
}

std::vector<int32_t> expectedRounds() {
  uint32_t words[4] = {0, 1, 2, 3};
  for (int t = 0; t < 12; ++t) {
    uint32_t sum = words[0] + words[1] + words[2] + words[3];
    for (uint32_t rank = 0; rank < 4; ++rank)
      words[rank] = sum + rank;
  }
  return {int32_t(words[0]), int32_t(words[1]), int32_t(words[2]), int32_t(words[3])};
}

TEST(ClusterTest, BlocksSendWords) {
  Kernels kernels(kRounds);
  ASSERT_EQ(kernels.problem(), "");
  const int races = countRaces();
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::vector<int32_t> y(4, -1);
    auto status = kernels.run("rounds", {y.data()}, clusterLaunch(), seed);
    ASSERT_EQ(status.str(), "");
    EXPECT_EQ(y, expectedRounds());
  }
  EXPECT_EQ(countRaces(), races);
}

/// The seeds for which a kernel with an edit goes wrong, by its own report or by its results.
int countFaults(const std::string &from, const std::string &to) {
  Kernels kernels(kRounds, {{from, to}});
  EXPECT_EQ(kernels.problem(), "");
  int faults = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const int races = countRaces();
    std::vector<int32_t> y(4, -1);
    auto status = kernels.run("rounds", {y.data()}, clusterLaunch(), seed);
    faults += status.failed() || y != expectedRounds() || countRaces() != races;
  }
  return faults;
}

TEST(ClusterTest, FaultsAreFound) {
  EXPECT_GT(countFaults("%again = arith.cmpi eq, %done, %zero : i32", "%again = arith.constant false"), 0)
      << "no wait for the words";
  EXPECT_GT(countFaults("%again = arith.xori %done, %true : i1", "%again = arith.constant false"), 0)
      << "a block ends while others send to it";
  EXPECT_GT(countFaults("arith.cmpi ult, %thread, %c4", "arith.cmpi ult, %thread, %c2"), 0) << "a word is missing";
  EXPECT_GT(countFaults("nvvm.mapa %word, %to", "nvvm.mapa %word, %one"), 0)
      << "the store's block is not its mbarrier's";
}

TEST(ClusterTest, MbarriersAreThereBeforeTheyAreUsed) {
  Kernels kernels(R"(
gpu.func @early() workgroup(%bar: memref<1xi64, 3>) kernel {
  %i = memref.extract_aligned_pointer_as_index %bar : memref<1xi64, 3> -> index
  %a = arith.index_cast %i : index to i64
  %p = llvm.inttoptr %a : i64 to !llvm.ptr<3>
  nvvm.mbarrier.arrive %p : !llvm.ptr<3>
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  EXPECT_EQ(kernels.run("early", {}, clusterLaunch(), 0).message,
            "kernel 'early' has an error: thread 0 of block 0 uses an mbarrier of block 0 before it is initialised");
}

TEST(ClusterTest, BarriersOfClustersAreChecked) {
  Kernels kernels(R"(
gpu.func @twice() kernel {
  nvvm.cluster.arrive
  nvvm.cluster.arrive
  gpu.return
}
gpu.func @never() kernel {
  nvvm.cluster.wait
  gpu.return
}
gpu.func @some() kernel {
  %c1 = arith.constant 1 : i32
  %rank = nvvm.read.ptx.sreg.cluster.ctarank : i32
  %waits = arith.cmpi ne, %rank, %c1 : i32
  scf.if %waits {
    nvvm.cluster.arrive.relaxed
    nvvm.cluster.wait
  }
  gpu.return
}
gpu.func @beyond() workgroup(%word: memref<1xi32, 3>) kernel {
  %c4 = arith.constant 4 : i32
  %i = memref.extract_aligned_pointer_as_index %word : memref<1xi32, 3> -> index
  %a = arith.index_cast %i : index to i64
  %p = llvm.inttoptr %a : i64 to !llvm.ptr<3>
  %q = nvvm.mapa %p, %c4 : !llvm.ptr<3> -> !llvm.ptr<7>
  llvm.store %c4, %q : i32, !llvm.ptr<7>
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  EXPECT_EQ(kernels.run("twice", {}, clusterLaunch(), 0).message,
            "kernel 'twice' has an error: thread 0 of block 0 comes to the cluster's barrier again without waiting "
            "there");
  EXPECT_EQ(kernels.run("never", {}, clusterLaunch(), 0).message,
            "kernel 'never' has an error: thread 0 of block 0 waits at the cluster's barrier without having come "
            "there");
  EXPECT_EQ(kernels.run("some", {}, clusterLaunch(), 1).str(),
            "kernel 'some' stalled: no thread can go on\n"
            "note: block 0: 32 of 32 threads wait at cluster barrier, the first is thread 0; 0 have ended");
  EXPECT_EQ(kernels.run("beyond", {}, clusterLaunch(), 0).message,
            "kernel 'beyond' has an error: mapa to block 4 of a cluster of 4");
}

/// The bits of an f32 that bf16 holds exactly.
uint32_t toBf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits >> 16;
}

TEST(MmaTest, WarpsMultiplyMatrices) {
  Kernels kernels(R"(
gpu.func @mma(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %c: !llvm.ptr<1>) kernel {
  %thread = gpu.thread_id x
  %i = arith.index_cast %thread : index to i64
  %pa = llvm.getelementptr %a[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, vector<4xi32>
  %pb = llvm.getelementptr %b[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, vector<2xi32>
  %pc = llvm.getelementptr %c[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, vector<4xf32>
  %va = llvm.load %pa : !llvm.ptr<1> -> vector<4xi32>
  %vb = llvm.load %pb : !llvm.ptr<1> -> vector<2xi32>
  %vc = llvm.load %pc : !llvm.ptr<1> -> vector<4xf32>
  %a0, %a1, %a2, %a3 = vector.to_elements %va : vector<4xi32>
  %b0, %b1 = vector.to_elements %vb : vector<2xi32>
  %c0, %c1, %c2, %c3 = vector.to_elements %vc : vector<4xf32>
  %d = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b0, %b1] C[%c0, %c1, %c2, %c3]
    {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
     multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>,
     shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  %d0 = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>
  %d1 = llvm.extractvalue %d[1] : !llvm.struct<(f32, f32, f32, f32)>
  %d2 = llvm.extractvalue %d[2] : !llvm.struct<(f32, f32, f32, f32)>
  %d3 = llvm.extractvalue %d[3] : !llvm.struct<(f32, f32, f32, f32)>
  %vd = vector.from_elements %d0, %d1, %d2, %d3 : vector<4xf32>
  llvm.store %vd, %pc : vector<4xf32>, !llvm.ptr<1>
  gpu.return
})");
  ASSERT_EQ(kernels.problem(), "");
  float left[16][16], right[16][8], sum[16][8];
  for (int i = 0; i < 16; ++i)
    for (int k = 0; k < 16; ++k)
      left[i][k] = float((i * 7 + k * 3) % 11 - 5) / 4;
  for (int k = 0; k < 16; ++k)
    for (int j = 0; j < 8; ++j)
      right[k][j] = float((k * 5 + j) % 13 - 6) / 2;
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j)
      sum[i][j] = float(i - j);
  // PTX, "Matrix Fragments for mma.m16n8k16".
  alignas(16) uint32_t a[32][4], b[32][2];
  alignas(16) float c[32][4];
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane / 4, pair = lane % 4 * 2;
    for (int word = 0; word < 4; ++word) {
      const int row = group + 8 * (word % 2), k = pair + 8 * (word / 2);
      a[lane][word] = toBf16(left[row][k]) | toBf16(left[row][k + 1]) << 16;
    }
    for (int word = 0; word < 2; ++word)
      b[lane][word] = toBf16(right[pair + 8 * word][group]) | toBf16(right[pair + 8 * word + 1][group]) << 16;
    for (int word = 0; word < 4; ++word)
      c[lane][word] = sum[group + 8 * (word / 2)][pair + word % 2];
  }
  // All values are exact in f32.
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j)
      for (int k = 0; k < 16; ++k)
        sum[i][j] += left[i][k] * right[k][j];
  ASSERT_EQ(kernels.run("mma", {a, b, c}, makeLaunch(1, 32), 5).str(), "");
  for (int lane = 0; lane < 32; ++lane)
    for (int word = 0; word < 4; ++word)
      EXPECT_EQ(c[lane][word], sum[lane / 4 + 8 * (word / 2)][lane % 4 * 2 + word % 2]) << lane << " " << word;
  EXPECT_EQ(kernels.run("mma", {a, b, c}, makeLaunch(1, 16), 0).message,
            "kernel 'mma' has an error: a matrix product in a warp of less than 32 threads");
}

} // namespace
