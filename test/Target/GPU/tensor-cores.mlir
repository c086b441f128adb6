// REQUIRES: ptxas
// RUN: rnn-opt %s --rnn-to-schedule="streams=16 matmul-precision=bf16" -o %t.mlir
// RUN: rnn-opt %t.mlir --rnn-to-gpu=multiprocessors=132 -o %t.gpu.mlir
// RUN: rnn-opt %t.gpu.mlir --test-rnn-emit-ptx="chip=sm_90 usage" -o /dev/null | FileCheck %s
// RUN: rnn-opt %t.gpu.mlir --test-rnn-emit-ptx=chip=sm_90 -o /dev/null | FileCheck %s --check-prefix=PTX

// Two blocks of the product of the input fit in a multiprocessor; the loop's fragments stay in registers.
// CHECK: rnn_fn_0_k1: {{1[012][0-9]}} registers, 17408 bytes shared, 0 bytes spilled
// CHECK: rnn_fn_0_k3: {{(1[0-9]|2[0-5])[0-9]}} registers, {{[0-9]+}} bytes shared, 0 bytes spilled

// A slice of 16 elements of the depth, for 64 x 32 results of a warp.
// PTX-LABEL: .entry rnn_fn_0_k1(
// PTX:       cvt.rn.bf16x2.f32
// PTX:       st.shared
// PTX:       bar.sync
// PTX-COUNT-16: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// PTX-NOT:   mma.sync
// PTX:       cvt.rn.bf16x2.f32

// In the loop: pairs of bf16 are polled four at a time and multiplied as they are; a unit's element is stored once more
// as f32, after its pair was published. No weight comes from memory.
// PTX-LABEL: .entry rnn_fn_0_k3(
// PTX:       ld.relaxed.gpu.global.v4.b32
// PTX:       max.u32
// PTX-NOT:   ld.global.v4
// PTX:       mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// PTX-NOT:   cvt.rn.bf16x2.f32
// PTX:       st.shared.b32
// PTX:       bar.sync
// PTX:       shfl.sync.bfly
// PTX:       cvt.rn.bf16x2.f32
// PTX:       st.relaxed.gpu.global.b32
// PTX:       st.global.b32
rnn.parameter @wx : tensor<2048x512xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<2048x512xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<2048xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<512xf32>) -> (h: tensor<512xf32>) {
  %h, %c = rnn.lstm "l" %x wx(@wx) wh(@wh) b(@b) : tensor<512xf32> -> tensor<512xf32>
  rnn.output %h : tensor<512xf32>
}
