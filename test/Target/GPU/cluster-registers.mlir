// REQUIRES: ptxas
// RUN: rnn-opt %s --rnn-to-schedule -o %t.mlir
// RUN: rnn-opt %t.mlir --rnn-to-gpu -o %t.gpu.mlir
// RUN: rnn-opt %t.gpu.mlir --test-rnn-emit-ptx="chip=sm_90 usage" -o /dev/null | FileCheck %s
// RUN: rnn-opt %t.gpu.mlir --test-rnn-emit-ptx=chip=sm_90 -o /dev/null | FileCheck %s --check-prefix=PTX

// 16 blocks of 16 units: a lane has an eighth of a unit's four rows of 256 weights, 128 of them, in registers.
// CHECK: rnn_fn_0_k2: {{(1[5-9]|2[0-4])[0-9]}} registers, {{[0-9]+}} bytes shared, 0 bytes spilled

// No barrier in a frame, no weight from memory: of the next frame, what comes from outside.
// PTX-LABEL: .entry rnn_fn_0_k2(
// PTX:       .reqntid 128
// PTX-COUNT-2: mbarrier.init.shared
// PTX:       fence.mbarrier_init.release.cluster
// PTX:       barrier.cluster.arrive.aligned
// PTX:       barrier.cluster.wait.aligned
// PTX:       mapa.shared::cluster.u64
// PTX:       mbarrier.try_wait.parity.acquire.cluster
// PTX-NOT:   bar.sync
// PTX:       ld.shared.v4.b32
// PTX-NOT:   ld.global
// PTX-COUNT-128: {{(fma|mul)}}.rn.f32
// PTX:       bar.warp.sync
// PTX-NOT:   bar.sync
// PTX:       st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.b32
// PTX:       mbarrier.arrive.expect_tx
// PTX:       mbarrier.try_wait
// PTX:       barrier.cluster.arrive.aligned
// PTX:       barrier.cluster.wait.aligned
rnn.parameter @wx : tensor<1024x256xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<1024x256xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<1024xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<256xf32>) -> (h: tensor<256xf32>) {
  %h, %c = rnn.lstm "l" %x wx(@wx) wh(@wh) b(@b) : tensor<256xf32> -> tensor<256xf32>
  rnn.output %h : tensor<256xf32>
}
