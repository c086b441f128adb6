//===- SampleKernels.h - Kernels that tests run and break -------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_EMULATOR_SAMPLEKERNELS_H
#define RNN_UNITTESTS_EMULATOR_SAMPLEKERNELS_H

namespace mlir::rnn::test {

/// y[i] = a[i] + b[i] for i < 100000, by any number of threads.
inline const char *kAdd = R"(
gpu.func @add(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %y: !llvm.ptr<1>) kernel {
  %n = arith.constant 100000 : index
  %block = gpu.block_id x
  %size = gpu.block_dim x
  %thread = gpu.thread_id x
  %blocks = gpu.grid_dim x
  %base = arith.muli %block, %size : index
  %first = arith.addi %base, %thread : index
  %stride = arith.muli %blocks, %size : index
  scf.for %i = %first to %n step %stride {
    %at = arith.index_cast %i : index to i64
    %pa = llvm.getelementptr %a[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    %pb = llvm.getelementptr %b[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    %py = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    %va = llvm.load %pa : !llvm.ptr<1> -> f32
    %vb = llvm.load %pb : !llvm.ptr<1> -> f32
    %sum = arith.addf %va, %vb : f32
    llvm.store %sum, %py : f32, !llvm.ptr<1>
  }
  gpu.return
})";

/// y[block] = the sum of x over the block's 256 threads, as a tree.
inline const char *kBlockSum = R"(
gpu.func @block_sum(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>) workgroup(%part: memref<256xf32, 3>) kernel {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c128 = arith.constant 128 : index
  %block = gpu.block_id x
  %size = gpu.block_dim x
  %thread = gpu.thread_id x
  %base = arith.muli %block, %size : index
  %i = arith.addi %base, %thread : index
  %at = arith.index_cast %i : index to i64
  %px = llvm.getelementptr %x[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
  %v = llvm.load %px : !llvm.ptr<1> -> f32
  memref.store %v, %part[%thread] : memref<256xf32, 3>
  scf.for %level = %c0 to %c8 step %c1 {
    gpu.barrier
    %half = arith.shrui %c128, %level : index
    %mine = arith.cmpi ult, %thread, %half : index
    scf.if %mine {
      %other = arith.addi %thread, %half : index
      %a = memref.load %part[%thread] : memref<256xf32, 3>
      %b = memref.load %part[%other] : memref<256xf32, 3>
      %s = arith.addf %a, %b : f32
      memref.store %s, %part[%thread] : memref<256xf32, 3>
    }
  }
  %first = arith.cmpi eq, %thread, %c0 : index
  scf.if %first {
    %s = memref.load %part[%c0] : memref<256xf32, 3>
    %to = arith.index_cast %block : index to i64
    %py = llvm.getelementptr %y[%to] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    llvm.store %s, %py : f32, !llvm.ptr<1>
  }
  gpu.return
})";

/// Four shuffles of each lane's value, by mode.
inline const char *kShuffle = R"(
gpu.func @shuffle(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>) kernel {
  %c4 = arith.constant 4 : i32
  %c5 = arith.constant 5 : i32
  %width = arith.constant 32 : i32
  %all = arith.constant -1 : i32
  %eights = arith.constant 6175 : i32 // 0x181f: segments of eight lanes
  %thread = gpu.thread_id x
  %at = arith.index_cast %thread : index to i64
  %px = llvm.getelementptr %x[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
  %v = llvm.load %px : !llvm.ptr<1> -> f32
  %xor, %v0 = gpu.shuffle xor %v, %c5, %width : f32
  %up, %v1 = gpu.shuffle up %v, %c5, %width : f32
  %down, %v2 = gpu.shuffle down %v, %c5, %width : f32
  %idx = nvvm.shfl.sync idx %all, %v, %c4, %eights : f32 -> f32
  %four = vector.from_elements %xor, %up, %down, %idx : vector<4xf32>
  %py = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, vector<4xf32>
  llvm.store %four, %py : vector<4xf32>, !llvm.ptr<1>
  gpu.return
})";

/// seq[t + 1][i] = 3 * seq[t][(i + 7) % n] + i, n threads in all, who wait until
/// the word is no longer -1.
inline const char *kExchange = R"(
gpu.func @exchange(%seq: !llvm.ptr<1>, %frames: !llvm.ptr<1>) kernel {
  %false = arith.constant false
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %three = arith.constant 3 : i32
  %sentinel = arith.constant -1 : i32
  %block = gpu.block_id x
  %size = gpu.block_dim x
  %thread = gpu.thread_id x
  %blocks = gpu.grid_dim x
  %base = arith.muli %block, %size : index
  %i = arith.addi %base, %thread : index
  %i32 = arith.index_cast %i : index to i32
  %n = arith.muli %blocks, %size : index
  %next = arith.addi %i, %c7 : index
  %from = arith.remui %next, %n : index
  %count = llvm.load %frames : !llvm.ptr<1> -> i64
  %end = arith.index_cast %count : i64 to index
  scf.for %t = %c0 to %end step %c1 {
    %row = arith.muli %t, %n : index
    %a = arith.addi %row, %from : index
    %a64 = arith.index_cast %a : index to i64
    %pa = llvm.getelementptr %seq[%a64] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
    %v = scf.while : () -> i32 {
      %x = llvm.load %pa atomic syncscope("device") monotonic {alignment = 4 : i64} : !llvm.ptr<1> -> i32
      %again = arith.cmpi eq, %x, %sentinel : i32
      scf.condition(%again) %x : i32
    } do {
    ^bb0(%x: i32):
      scf.yield
    }
    %scaled = arith.muli %v, %three : i32
    %w = arith.addi %scaled, %i32 : i32
    %below = arith.addi %row, %n : index
    %b = arith.addi %below, %i : index
    %b64 = arith.index_cast %b : index to i64
    %pb = llvm.getelementptr %seq[%b64] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
    llvm.store %w, %pb atomic syncscope("device") monotonic {alignment = 4 : i64} : i32, !llvm.ptr<1>
  }
  gpu.return
})";

/// Warp 0 fills a buffer 20 times, warp 1 reads it: barrier 1 says that it is
/// full, barrier 2 that it has been read. y[lane] = the sum of what was read.
inline const char *kPipe = R"(
gpu.func @pipe(%y: !llvm.ptr<1>) workgroup(%buffer: memref<32xi32, 3>) kernel {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c20 = arith.constant 20 : index
  %c31 = arith.constant 31 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0 : i32
  %full = arith.constant 1 : i32
  %read = arith.constant 2 : i32
  %both = arith.constant 64 : i32
  %hundred = arith.constant 100 : i32
  %thread = gpu.thread_id x
  %lane = arith.remui %thread, %c32 : index
  %produces = arith.cmpi ult, %thread, %c32 : index
  scf.if %produces {
    scf.for %t = %c0 to %c20 step %c1 {
      %t32 = arith.index_cast %t : index to i32
      %l32 = arith.index_cast %lane : index to i32
      %scaled = arith.muli %t32, %hundred : i32
      %v = arith.addi %scaled, %l32 : i32
      memref.store %v, %buffer[%lane] : memref<32xi32, 3>
      nvvm.barrier.arrive id = %full number_of_threads = %both
      nvvm.barrier id = %read number_of_threads = %both
    }
  } else {
    %sum = scf.for %t = %c0 to %c20 step %c1 iter_args(%s = %zero) -> i32 {
      nvvm.barrier id = %full number_of_threads = %both
      %other = arith.subi %c31, %lane : index
      %v = memref.load %buffer[%other] : memref<32xi32, 3>
      %next = arith.addi %s, %v : i32
      nvvm.barrier.arrive id = %read number_of_threads = %both
      scf.yield %next : i32
    }
    %at = arith.index_cast %lane : index to i64
    %py = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i32
    llvm.store %sum, %py : i32, !llvm.ptr<1>
  }
  gpu.return
})";

/// Block 0 writes a word and then a flag, block 1 waits for the flag and copies
/// the word.
inline const char *kMessage = R"(
gpu.func @message(%memory: !llvm.ptr<1>) kernel {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1 : i32
  %value = arith.constant 42 : i32
  %flag = llvm.getelementptr %memory[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32
  %copy = llvm.getelementptr %memory[2] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32
  %block = gpu.block_id x
  %writes = arith.cmpi eq, %block, %c0 : index
  scf.if %writes {
    llvm.store %value, %memory : i32, !llvm.ptr<1>
    llvm.store %one, %flag atomic syncscope("device") release {alignment = 4 : i64} : i32, !llvm.ptr<1>
  } else {
    scf.while : () -> () {
      %x = llvm.load %flag atomic syncscope("device") acquire {alignment = 4 : i64} : !llvm.ptr<1> -> i32
      %again = arith.cmpi ne, %x, %one : i32
      scf.condition(%again)
    } do {
      scf.yield
    }
    %v = llvm.load %memory : !llvm.ptr<1> -> i32
    llvm.store %v, %copy : i32, !llvm.ptr<1>
  }
  gpu.return
})";

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_EMULATOR_SAMPLEKERNELS_H
