// RUN: rnn-opt %s --rnn-to-schedule -o %t.mlir
// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu=regime=block | FileCheck %s --check-prefix=BLOCK
// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu=regime=grid | FileCheck %s --check-prefix=GRID
// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu="regime=cluster cluster-blocks=2" | FileCheck %s --check-prefix=CLUSTER
// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu="regime=cluster cluster-blocks=1" | FileCheck %s --check-prefix=NONE
// RUN: not rnn-opt %t.mlir -convert-rnn-to-gpu=regime=warp 2>&1 | FileCheck %s --check-prefix=REGIME

// One block of a warp, a lane for each of the eight units: what a frame computes is exchanged in shared memory, and all
// meet once before it is stored. Weights are loaded before, four at a time.
// BLOCK:          gpu.func @rnn_fn_0_k2{{.*}}workgroup(%[[H:.*]] : memref<24xf32, #gpu.address_space<workgroup>> {llvm.align = 16 : i64})
// BLOCK-COUNT-2:  vector.load {{.*}} {alignment = 16 : i64} : memref<?xf32, 1>, vector<4xf32>
// BLOCK:          scf.for
// BLOCK-COUNT-2:    vector.load %[[H]][%{{.*}}] {alignment = 16 : i64}
// BLOCK-NOT:        gpu.shuffle
// BLOCK:            memref.store %{{.*}}, %[[H]]
// BLOCK:            gpu.barrier
// BLOCK-NOT:        gpu.barrier
// BLOCK:            memref.store
// BLOCK:          gpu.return

// Two blocks of four units. Each has the whole vector, and an mbarrier for either of its slots: the frame before the
// first is there, 32 bytes are to come. A frame waits once, reads, computes, and sends: no barrier.
// CLUSTER:        gpu.func @rnn_fn_0_k2{{.*}}workgroup(%[[H:.*]] : memref<{{.*}}xf32, #gpu.address_space<workgroup>> {{.*}}, %[[BARRIERS:.*]] : memref<2xi64,
// CLUSTER:          nvvm.mapa %{{.*}} : !llvm.ptr<3> -> !llvm.ptr<7>
// CLUSTER:          nvvm.mapa
// CLUSTER:          scf.if
// CLUSTER-COUNT-2:    nvvm.mbarrier.init
// CLUSTER:            nvvm.fence.mbarrier.init
// CLUSTER:            nvvm.mbarrier.arrive.expect_tx
// CLUSTER:            nvvm.mbarrier.arrive %
// CLUSTER:          nvvm.cluster.arrive {aligned}
// CLUSTER:          nvvm.cluster.wait {aligned}
// CLUSTER:          scf.for
// CLUSTER:            scf.while
// CLUSTER:              mbarrier.try_wait
// CLUSTER:              scf.condition
// CLUSTER:            vector.load %[[H]][%{{.*}}] {alignment = 16 : i64}
// CLUSTER-NOT:        gpu.barrier
// CLUSTER:            nvvm.bar.warp.sync
// CLUSTER:            st.async
// CLUSTER-NOT:        gpu.barrier
// CLUSTER:            scf.if
// CLUSTER:              nvvm.mbarrier.arrive.expect_tx
// CLUSTER:            scf.yield
// Nobody leaves while others send.
// CLUSTER:          mbarrier.try_wait
// CLUSTER:          nvvm.cluster.arrive {aligned}
// CLUSTER:          nvvm.cluster.wait {aligned}
// CLUSTER:        gpu.return
// CLUSTER:        gpu.launch_func {{.*}} clusters in (%c2{{.*}} blocks in (%c2, {{.*}}rnn.exact

// Without clusters it is a grid.
// NONE-NOT:       mbarrier
// NONE:           gpu.launch_func {{.*}}rnn.cooperative

// Across blocks the sequence is preset, and readers wait for its elements, which they pass on in shared memory. The lanes
// of a warp divide the sum over k; sums of warps are added by whom they belong to.
// GRID:           arith.bitcast %{{.*}} : i32 to f32
// GRID:           memref.store
// GRID:         gpu.return
// GRID:         workgroup(%[[IN:.*]] : memref<32xf32, #gpu.address_space<workgroup>> {{.*}}, %[[SUMS:.*]] : memref<
// GRID:           scf.while
// GRID:             llvm.load %{{.*}} atomic syncscope("device") monotonic
// GRID:             scf.condition
// GRID:           memref.store %{{.*}}, %[[IN]]
// GRID:           nvvm.bar.warp.sync
// GRID:           vector.load %[[IN]]
// GRID:           gpu.shuffle xor
// GRID-NOT:       gpu.shuffle
// GRID:           memref.store %{{.*}}, %[[SUMS]]
// GRID:           gpu.barrier
// GRID:           memref.load %[[SUMS]]
// GRID-NOT:       gpu.barrier
// GRID:           llvm.store %{{.*}} atomic syncscope("device") monotonic
// GRID-NOT:       gpu.barrier
// GRID:         gpu.return
// GRID:         gpu.launch_func {{.*}}rnn.cooperative

// REGIME: error: unknown regime 'warp'; expected auto, block, cluster or grid
rnn.parameter @wx : tensor<8x4xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wx = rnn.param @wx : tensor<8x4xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %a = rnn.linear %x, %wx : (tensor<4xf32>, tensor<8x4xf32>) -> tensor<8xf32>
  %u = rnn.linear %h1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %s = rnn.sum %a, %u : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}
