// RUN: rnn-opt %s --rnn-to-schedule -o %t.mlir
// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu=regime=block | FileCheck %s --check-prefix=BLOCK
// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu=regime=grid | FileCheck %s --check-prefix=GRID
// RUN: not rnn-opt %t.mlir -convert-rnn-to-gpu=regime=cluster 2>&1 | FileCheck %s --check-prefix=REGIME

// Eight units, 32 lanes each: a block of 256 threads. Per frame the lanes add up, all compute tanh, and the groups
// meet once.
// BLOCK-COUNT-5:  gpu.shuffle xor
// BLOCK-NOT:      gpu.shuffle
// BLOCK:          memref.store
// BLOCK:          gpu.barrier
// BLOCK-NOT:      gpu.barrier
// BLOCK:        gpu.return

// Across blocks the sequence is preset, and readers wait for its elements.
// GRID:           arith.bitcast %{{.*}} : i32 to f32
// GRID:           memref.store
// GRID:         gpu.return
// GRID:           scf.while
// GRID:             llvm.load %{{.*}} atomic syncscope("device") monotonic
// GRID:             scf.condition
// GRID-COUNT-5:   gpu.shuffle xor
// GRID-NOT:       gpu.barrier
// GRID:           llvm.store %{{.*}} atomic syncscope("device") monotonic
// GRID-NOT:       gpu.barrier
// GRID:         gpu.return
// GRID:         gpu.launch_func {{.*}}rnn.cooperative

// REGIME: error: unknown regime 'cluster'; expected auto, block or grid
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
