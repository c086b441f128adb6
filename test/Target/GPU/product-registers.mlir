// REQUIRES: ptxas
// RUN: rnn-opt %s --rnn-to-schedule=streams=16 -o %t.mlir
// RUN: rnn-opt %t.mlir --rnn-to-gpu -o %t.gpu.mlir
// RUN: rnn-opt %t.gpu.mlir --test-rnn-emit-ptx="chip=sm_90 usage" -o /dev/null | FileCheck %s
// RUN: rnn-opt %t.gpu.mlir --test-rnn-emit-ptx=chip=sm_90 -o /dev/null | FileCheck %s --check-prefix=PTX

// 64 sums, two steps of the depth and the next slice in registers; two blocks of 256 threads fit in a multiprocessor.
// CHECK: rnn_fn_0_k1: {{1[12][0-9]}} registers, 16896 bytes shared, 0 bytes spilled

// Reads of 16 bytes, products in one rounding.
// PTX-LABEL: .entry rnn_fn_0_k1(
// PTX:       .minnctapersm 2
// PTX:       .shared .align 16 .b8 {{.*}}[8448]
// PTX:       ld.global.v4.b32
// PTX:       st.shared.v4.b32
// PTX:       bar.sync
// PTX:       ld.shared.v4.b32
// PTX-COUNT-512: fma.rn.f32
// PTX-NOT:   fma.rn.f32
// PTX-LABEL: .entry rnn_fn_0_k2(
rnn.network @net(%x: tensor<2048xf32>, %y: tensor<512xf32>) -> (w: tensor<2048x512xf32>) {
  %w = rnn.contract %x, %y [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<2048xf32>, tensor<512xf32>) -> tensor<2048x512xf32>
  rnn.output %w : tensor<2048x512xf32>
}
