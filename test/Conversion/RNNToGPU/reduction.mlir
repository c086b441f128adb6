// RUN: split-file %s %t
// RUN: rnn-opt %t/rows.mlir --rnn-to-schedule=streams=4 -convert-rnn-to-gpu -canonicalize -cse | FileCheck %s --check-prefix=ROWS
// RUN: rnn-opt %t/all.mlir --rnn-to-schedule -convert-rnn-to-gpu -canonicalize -cse | FileCheck %s --check-prefix=ALL
// RUN: rnn-opt %t/frames.mlir --rnn-to-schedule=streams=4 -convert-rnn-to-gpu -canonicalize -cse | FileCheck %s --check-prefix=FRAMES

// A row for every frame and stream: a warp each, its lanes four elements at a time, then a tree.
// ROWS:          affine_map<()[s0] -> ((s0 * 128 + 1) ceildiv 256)>
// ROWS:          gpu.func @rnn_fn_0_k1
// ROWS:            scf.for
// ROWS:              scf.for {{.*}} iter_args
// ROWS-COUNT-4:        memref.load
// ROWS:              scf.for {{.*}} iter_args
// ROWS-COUNT-5:      gpu.shuffle xor
// ROWS-NOT:          gpu.shuffle
// ROWS:              scf.if
// ROWS:                memref.store
// ROWS:            gpu.return

// One sum of 2^20 elements: 2048 warps have 512 each, then one warp adds their sums.
// ALL:           gpu.func @rnn_fn_0_k1
// ALL-COUNT-5:     gpu.shuffle xor
// ALL:           gpu.func @rnn_fn_0_k2
// ALL-COUNT-5:     gpu.shuffle xor
// ALL:           gpu.launch_func {{.*}}@rnn_kernels::@rnn_fn_0_k1 blocks in (%c256,

// Sums over frames and streams of 2048 columns: 32 threads a column, neighbours have neighbouring columns.
// FRAMES:        gpu.func @rnn_fn_0_k1
// FRAMES-NOT:      gpu.shuffle
// FRAMES:        gpu.func @rnn_fn_0_k2
// FRAMES-COUNT-5:  gpu.shuffle xor
// FRAMES:        gpu.launch_func {{.*}}@rnn_kernels::@rnn_fn_0_k1 blocks in (%c256,

//--- rows.mlir
rnn.network @net(%x: tensor<1000xf32>) -> (y: tensor<f32>) {
  %y = rnn.reduce max %x over [0] : tensor<1000xf32> to tensor<f32>
  rnn.output %y : tensor<f32>
}

//--- all.mlir
rnn.parameter @w : tensor<2048x512xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<f32>) -> (y: tensor<f32>) {
  %w = rnn.param @w : tensor<2048x512xf32>
  %y = rnn.reduce sum %w over [0, 1] : tensor<2048x512xf32> to tensor<f32>
  rnn.output %y : tensor<f32>
}

//--- frames.mlir
rnn.network @net(%x: tensor<2048xf32>) -> (y: tensor<2048xf32>) {
  %y = rnn.sum_frames %x {sum_to = #rnn.rate<static>} : tensor<2048xf32>
  rnn.output %y : tensor<2048xf32>
}
