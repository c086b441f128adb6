// RUN: rnn-opt %s --rnn-to-schedule -convert-rnn-to-gpu=regime=grid -canonicalize -cse -remarks-filter=rnn-launch 2> %t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: rnn-opt %s --rnn-to-schedule -convert-rnn-to-gpu=regime=block -canonicalize -cse | FileCheck %s --check-prefix=BLOCK
// RUN: rnn-compile %s --regime=grid --target=cuda:sm_90 -o %t.rnnc
// RUN: grep -a -c "atom.acq_rel.gpu.global.add.u32" %t.rnnc
// 64 and 33 elements have no units in common.

// REMARK: LoopOpByOp {{.*}} Blocks=64, {{.*}} Regime=op-by-op, {{.*}} Threads=128

// A kernel before it begins the count of blocks that have come.
// CHECK-LABEL: gpu.func @rnn_fn_0_k1
// CHECK:         memref.store %{{.*}} : memref<?xi32, 1>

// CHECK-LABEL: gpu.func @rnn_fn_0_k2
// CHECK-SAME:    workgroup(%[[LOST:.*]] : memref<1xi32, #gpu.address_space<workgroup>>
// Warps of all blocks take turns.
// CHECK:         %[[T:.*]] = gpu.thread_id x
// CHECK:         arith.divui %[[T]], %c32
// The matrix that is read against its order is copied, before the loop.
// CHECK:         scf.for %{{.*}} to %c2112
// CHECK:           memref.store %{{.*}} : memref<?xf32, 1>
// CHECK:         gpu.barrier
// CHECK:         nvvm.inline_ptx "atom.acq_rel.gpu.global.add.u32
// CHECK:         gpu.barrier
// The loop over frames: a warp for each of 33 sums, the lanes' parts combined by shuffles.
// CHECK:         scf.for
// CHECK:           scf.for %{{.*}} to %c1056
// CHECK-COUNT-5:     gpu.shuffle xor
// All blocks meet: one thread counts its block in and waits for the others, in vain only once.
// CHECK:           gpu.barrier
// CHECK:           scf.if
// CHECK:             nvvm.inline_ptx "atom.acq_rel.gpu.global.add.u32
// CHECK:             memref.load %[[LOST]]
// CHECK:             scf.while
// CHECK:               llvm.load {{.*}} atomic syncscope("device") acquire
// CHECK:             memref.store %{{.*}}, %[[LOST]]
// CHECK:           gpu.barrier
// CHECK:           scf.for %{{.*}} to %c2048
// CHECK:       gpu.launch_func @rnn_kernels::@rnn_fn_0_k2 blocks in (%c64, {{.*}}rnn.cooperative

// One block does the same, and meets at its barrier.
// BLOCK-NOT:   inline_ptx
// BLOCK:       scf.for %{{.*}} to %c1056
// BLOCK-NOT:   inline_ptx
rnn.parameter @w : tensor<33x64xf32> init(#rnn.zeros)
rnn.parameter @v : tensor<33x64xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<64xf32>) -> (h: tensor<64xf32>) {
  %w = rnn.param @w : tensor<33x64xf32>
  %v = rnn.param @v : tensor<33x64xf32>
  %h1 = rnn.delay %h by 1 : tensor<64xf32>
  %u = rnn.linear %h1, %w : (tensor<64xf32>, tensor<33x64xf32>) -> tensor<33xf32>
  %y = rnn.contract %v, %u [(d0, d1) -> (d0, d1), (d0, d1) -> (d0), (d0, d1) -> (d1)]
     : (tensor<33x64xf32>, tensor<33xf32>) -> tensor<64xf32>
  %s = rnn.sum %x, %y : tensor<64xf32>
  %h = math.tanh %s : tensor<64xf32>
  rnn.output %h : tensor<64xf32>
}
