// RUN: split-file %s %t
// RUN: rnn-opt %t/rows.mlir --rnn-to-schedule=streams=16 -convert-rnn-to-gpu -canonicalize -cse | FileCheck %s --check-prefix=ROWS
// RUN: rnn-opt %t/depth.mlir --rnn-to-schedule=streams=16 -convert-rnn-to-gpu -canonicalize -cse | FileCheck %s --check-prefix=DEPTH
// RUN: rnn-opt %t/odd.mlir --rnn-to-schedule=streams=16 -convert-rnn-to-gpu -canonicalize -cse | FileCheck %s --check-prefix=ODD

// Rows are frames and streams, both factors lie along the depth: tiles of 128 x 128, two slices of eight in shared
// memory. As many blocks as tiles at least, for any T. Per thread and slice one vector of each factor comes from memory; 8 x 8 sums take four vectors of shared
// memory a step.
// ROWS:          #[[TILES:.*]] = affine_map<()[s0] -> ((s0 * 16 + 127) ceildiv 8)>
// ROWS:          gpu.func @rnn_fn_0_k1({{.*}}) workgroup({{.*}} : memref<2112xf32, #gpu.address_space<workgroup>> {llvm.align = 16 : i64}
// ROWS-SAME:     nvvm.minctasm = 2 : i32, nvvm.reqntid = array<i32: 256, 1, 1>
// ROWS:            scf.for {{.*}} : i32 {
// ROWS:              nvvm.inline_ptx "mov.b32 $0, $1;"
// ROWS-COUNT-2:      vector.load {{.*}} {alignment = 16 : i64} : memref<?xf32, 1>, vector<4xf32>
// ROWS:              gpu.barrier
// ROWS:              scf.for {{.*}} : i32 {
// ROWS-COUNT-2:        vector.load {{.*}} {alignment = 16 : i64} : memref<?xf32, 1>, vector<4xf32>
// ROWS-COUNT-32:       vector.load {{.*}} : memref<2112xf32, #gpu.address_space<workgroup>>, vector<4xf32>
// ROWS-NOT:            vector.load
// ROWS:                gpu.barrier
// ROWS-NEXT:           scf.yield
// ROWS-COUNT-16:     vector.store {{.*}} {alignment = 16 : i64} : memref<?xf32, 1>, vector<4xf32>
// ROWS-NOT:          vector.store
// ROWS:            gpu.return
// ROWS:          affine.apply #[[TILES]]()[%arg2]
// ROWS-NEXT:     gpu.launch_func @rnn_kernels::@rnn_fn_0_k1

// Few tiles and a depth of frames: two blocks share each of 64 tiles, and a second kernel adds what they have.
// DEPTH:         gpu.func @rnn_fn_0_k1({{.*}}) workgroup(
// DEPTH:         gpu.func @rnn_fn_0_k2(
// DEPTH-COUNT-2:   memref.load {{.*}} : memref<?xf32, 1>
// DEPTH:           arith.addf
// DEPTH-NEXT:      memref.store
// DEPTH-NOT:       memref.load
// DEPTH:           gpu.return

// Rows that begin at no multiple of 16 bytes: element by element, zeros beyond the matrix, in both directions.
// ODD:           gpu.func @rnn_fn_0_k1({{.*}}) workgroup({{.*}} : memref<1152xf32, #gpu.address_space<workgroup>>
// ODD-NOT:         vector.load {{.*}} memref<?xf32, 1>
// ODD:             scf.if
// ODD-NEXT:          memref.load {{.*}} : memref<?xf32, 1>
// ODD:             else
// ODD-NOT:         vector.store {{.*}} memref<?xf32, 1>
// ODD:           gpu.return

//--- rows.mlir
rnn.parameter @w : tensor<2048x512xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<512xf32>) -> (y: tensor<2048xf32>) {
  %w = rnn.param @w : tensor<2048x512xf32>
  %y = rnn.linear %x, %w : (tensor<512xf32>, tensor<2048x512xf32>) -> tensor<2048xf32>
  rnn.output %y : tensor<2048xf32>
}

//--- depth.mlir
rnn.network @net(%x: tensor<2048xf32>, %y: tensor<512xf32>) -> (w: tensor<2048x512xf32>) {
  %w = rnn.contract %x, %y [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<2048xf32>, tensor<512xf32>) -> tensor<2048x512xf32>
  rnn.output %w : tensor<2048x512xf32>
}

//--- odd.mlir
rnn.parameter @w : tensor<30x37xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<37xf32>) -> (y: tensor<30xf32>) {
  %w = rnn.param @w : tensor<30x37xf32>
  %y = rnn.linear %x, %w : (tensor<37xf32>, tensor<30x37xf32>) -> tensor<30xf32>
  rnn.output %y : tensor<30xf32>
}
