// RUN: rnn-opt %s --rnn-to-schedule -o %t.mlir
// RUN: rnn-opt %t.mlir --rnn-to-gpu=regime=block -o %t.block.mlir
// RUN: rnn-opt %t.mlir --rnn-to-gpu=regime=grid -o %t.grid.mlir
// RUN: rnn-opt %t.mlir --rnn-to-gpu=regime=cluster -o %t.cluster.mlir
// RUN: rnn-opt %t.block.mlir --test-rnn-emit-ptx=chip=sm_90 -o /dev/null > %t.block.ptx
// RUN: rnn-opt %t.grid.mlir --test-rnn-emit-ptx=chip=sm_90 -o /dev/null > %t.grid.ptx
// RUN: rnn-opt %t.cluster.mlir --test-rnn-emit-ptx=chip=sm_90 -o /dev/null > %t.cluster.ptx
// RUN: FileCheck %s --check-prefixes=CHECK,BLOCK < %t.block.ptx
// RUN: FileCheck %s --check-prefixes=CHECK,GRID < %t.grid.ptx
// RUN: FileCheck %s --check-prefixes=CHECK,CLUSTER < %t.cluster.ptx

// A training step of an LSTM in each regime, as PTX. Its numbers depend on no approximation and on no order of threads:
// nothing is approximate but the seed of a division (below), no subnormal is flushed, and no atomic adds floats.
// RUN: cat %t.block.ptx %t.grid.ptx %t.cluster.ptx > %t.ptx
// RUN: not grep -E 'atom[.a-z0-9:]*[.](f|bf)(16|32|64)|[[:space:]]red[.]' %t.ptx
// RUN: grep -vE 'rcp[.]approx[.]ftz[.]f32' %t.ptx | not grep -E '[.](approx|ftz|full)'

// The seed of a division: Newton's step, the quotient, its remainder, the correction.
// CHECK:      rcp.approx.ftz.f32 [[R:%r[0-9]+]], [[D:%r[0-9]+]];
// CHECK-NEXT: fma.rn.f32 [[E:%r[0-9]+]], [[MINUS:%r[0-9]+]], [[R]], 0f3F800000;
// CHECK-NEXT: fma.rn.f32 [[I:%r[0-9]+]], [[R]], [[E]], [[R]];
// CHECK-NEXT: mul.rn.f32 [[Q:%r[0-9]+]], [[N:%r[0-9]+]], [[I]];
// CHECK-NEXT: fma.rn.f32 [[REST:%r[0-9]+]], [[MINUS]], [[Q]], [[N]];
// CHECK-NEXT: fma.rn.f32 {{%r[0-9]+}}, [[REST]], [[I]], [[Q]];

// In the forward loop no weight is loaded; of the next frame the four gates' sums that the input gives, and an age in
// two words. Rows of weights are read four elements at a time, before the loop.

// One block: one barrier a frame.
// BLOCK-LABEL: .entry rnn_fn_1_k2(
// BLOCK:       ld.global.v4.b32
// BLOCK:       bra.uni [[FRAME:\$L__BB[0-9_]+]];
// BLOCK:       @%p{{[0-9]+}} bra [[FRAME]];
// BLOCK-NEXT:  bra.uni
// BLOCK-NEXT:  [[FRAME]]:
// BLOCK-NOT:   {{ld\.global|bar\.}}
// BLOCK:       ld.shared.v4.b32
// BLOCK-NOT:   {{ld\.global|bar\.}}
// BLOCK:       st.shared.b32
// BLOCK-COUNT-6: ld.global.b32
// BLOCK-NOT:   {{ld\.global|bar\.}}
// BLOCK:       bar.sync 0;
// BLOCK-NOT:   {{ld\.|bar\.}}
// BLOCK-COUNT-9: st.global.b32
// BLOCK-NEXT:  bra.uni

// A grid: a word is polled in a loop of its own, for a limited time, and published before what only later kernels read.
// GRID-LABEL: .entry rnn_fn_1_k3(
// GRID:       ld.global.v4.b32
// GRID:       bra.uni [[FRAME:\$L__BB[0-9_]+]];
// GRID-NOT:   ld.global
// GRID:       bar.sync 0;
// GRID-NOT:   {{(ld|st)\.global}}
// GRID:       st.relaxed.gpu.global.b32
// GRID-COUNT-8: st.global.b32
// GRID-NOT:   {{(ld|st)\.global}}
// GRID:       @%p{{[0-9]+}} bra [[FRAME]];
// GRID-NEXT:  bra.uni [[END:\$L__BB[0-9_]+]];
// GRID-NEXT:  [[FRAME]]:
// GRID-COUNT-6: ld.global.b32
// GRID-NOT:   ld.
// GRID:       {{^}}[[POLL:\$L__BB[0-9_]+]]:
// GRID-NEXT:  ld.relaxed.gpu.global.b32 [[WORD:%r[0-9]+]], [
// GRID-NEXT:  setp.eq.b32 {{%p[0-9]+}}, [[WORD]], -1;
// GRID-NOT:   {{(ld|st)\.}}
// GRID:       setp.lt.u32 {{%p[0-9]+}}, {{%r[0-9]+}}, 4194304;
// GRID-NOT:   {{(ld|st)\.}}
// GRID:       @%p{{[0-9]+}} bra [[POLL]];
// GRID-NOT:   {{ld\.(global|relaxed)}}
// GRID:       ld.shared.v4.b32
// GRID-NOT:   {{ld\.(global|relaxed)}}
// GRID:       [[END]]:

// Backward it is the four gates' gradients that are published and polled; the matrix is read along its columns, before
// the loop.
// GRID-LABEL: .entry rnn_fn_1_k24(
// GRID:       bra.uni [[FRAME:\$L__BB[0-9_]+]];
// GRID-NOT:   {{ld\.(global|relaxed)}}
// GRID:       [[FRAME]]:
// GRID-COUNT-9: ld.global.b32
// GRID-NOT:   ld.
// GRID-COUNT-4: st.relaxed.gpu.global.b32
// GRID-NOT:   ld.
// GRID:       {{^}}[[POLL:\$L__BB[0-9_]+]]:
// GRID-NEXT:  ld.relaxed.gpu.global.b32 [[WORD:%r[0-9]+]], [
// GRID-NEXT:  setp.eq.b32 {{%p[0-9]+}}, [[WORD]], -1;
// GRID-NOT:   {{(ld|st)\.}}
// GRID:       @%p{{[0-9]+}} bra [[POLL]];
// GRID-NOT:   {{ld\.(global|relaxed)}}
// GRID:       .entry

// A cluster: what is polled is an mbarrier, and what is sent carries its own count of bytes.
// CLUSTER-LABEL: .entry rnn_fn_1_k2(
// CLUSTER:       ld.global.v4.b32
// CLUSTER:       bra.uni [[FRAME:\$L__BB[0-9_]+]];
// CLUSTER:       [[FRAME]]:
// CLUSTER-COUNT-6: ld.global.b32
// CLUSTER-NOT:   {{ld\.|bar\.sync}}
// CLUSTER:       {{^}}[[POLL:\$L__BB[0-9_]+]]:
// CLUSTER:       mbarrier.try_wait.parity.acquire.cluster
// CLUSTER-NOT:   {{(ld|st)\.}}
// CLUSTER:       @%p{{[0-9]+}} bra [[POLL]];
// CLUSTER-NOT:   {{ld\.global|bar\.sync}}
// CLUSTER:       ld.shared.v4.b32
// CLUSTER-NOT:   {{ld\.global|bar\.sync}}
// CLUSTER:       bar.warp.sync
// CLUSTER-NOT:   {{ld\.global|bar\.sync}}
// CLUSTER:       st.async
// CLUSTER-NOT:   {{ld\.global|bar\.sync}}
// CLUSTER:       mbarrier.arrive.expect_tx
// CLUSTER-NOT:   {{ld\.global|bar\.sync}}
// CLUSTER-COUNT-9: st.global.b32
// CLUSTER-NEXT:  bra.uni
// CLUSTER-LABEL: .entry rnn_fn_1_k22(
// CLUSTER:       bra.uni [[FRAME:\$L__BB[0-9_]+]];
// CLUSTER:       [[FRAME]]:
// CLUSTER-COUNT-9: ld.global.b32
// CLUSTER-NOT:   {{ld\.|bar\.sync}}
// CLUSTER:       st.async
// CLUSTER-NOT:   {{ld\.|bar\.sync}}
// CLUSTER:       {{^\$L__BB[0-9_]+}}:
// CLUSTER:       {{^}}[[POLL:\$L__BB[0-9_]+]]:
// CLUSTER:       mbarrier.try_wait.parity.acquire.cluster
// CLUSTER-NOT:   {{(ld|st)\.}}
// CLUSTER:       @%p{{[0-9]+}} bra [[POLL]];
// CLUSTER-NOT:   {{ld\.global|bar\.sync}}
// CLUSTER:       .entry
rnn.parameter @wx : tensor<64x16xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<64x16xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<64xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<16xf32>, %target: tensor<16xf32>) -> (e: tensor<f32>) {
  %h, %c = rnn.lstm "l" %x wx(@wx) wh(@wh) b(@b) : tensor<16xf32> -> tensor<16xf32>
  %d = arith.subf %h, %target : tensor<16xf32>
  %dd = arith.mulf %d, %d : tensor<16xf32>
  %e = rnn.reduce sum %dd over [0] : tensor<16xf32> to tensor<f32>
  rnn.output %e : tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.adam<>) clip<norm = 1.0>
