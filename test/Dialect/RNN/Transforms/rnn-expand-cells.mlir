// RUN: rnn-opt %s -rnn-expand-cells -split-input-file -verify-each | FileCheck %s
// RUN: rnn-opt %s -rnn-expand-cells=cells=linear -split-input-file | FileCheck %s --check-prefix=LINEAR
// RUN: not rnn-opt %s -rnn-expand-cells=cells=lstm,foo 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: unknown cell 'foo'


// CHECK-LABEL: rnn.network @linear(
// CHECK-SAME:    %[[X:[a-z]*]]: tensor<8xf32>
// CHECK:         %[[W:.*]] = rnn.param @w
// CHECK:         %[[B:.*]] = rnn.param @b
// CHECK:         %[[P:.*]] = rnn.contract %[[W]], %[[X]] [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)]
// CHECK:         %[[Y:.*]] = rnn.sum %[[P]], %[[B]]
// CHECK:         rnn.output %[[Y]]
rnn.parameter @w : tensor<4x8xf32> init(#rnn.orthogonal<>)
rnn.parameter @b : tensor<4xf32> init(#rnn.zeros)
rnn.network @linear(%x: tensor<8xf32>) -> (y: tensor<4xf32>) {
  %w = rnn.param @w : tensor<4x8xf32>
  %b = rnn.param @b : tensor<4xf32>
  %y = rnn.linear %x, %w, %b : (tensor<8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: rnn.network @lstm(
// CHECK:         rnn.delay %{{.*}} by 1 name "l0.h"
// CHECK:         rnn.delay %{{.*}} by 1 name "l0.c"
// CHECK-NOT:     rnn.linear
// CHECK-NOT:     rnn.lstm
// CHECK:         rnn.output
// LINEAR-LABEL: rnn.network @lstm(
// LINEAR:         rnn.lstm "l0"
rnn.parameter @l0.wx : tensor<16x8xf32> init(#rnn.uniform<>)
rnn.parameter @l0.wh : tensor<16x4xf32> init(#rnn.orthogonal<blocks = 4>)
rnn.parameter @l0.b : tensor<16xf32> init(#rnn.zeros)
rnn.network @lstm(%x: tensor<8xf32>) -> (h: tensor<4xf32>) {
  %h, %c = rnn.lstm "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) : tensor<8xf32> -> tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}

// -----

// The gate after the product is one product a frame, before it two, with slices of one matrix; wx is read for all frames.
// CHECK-LABEL: rnn.network @gru(
// CHECK-NEXT:    rnn.delay %{{.*}} by 1 name "l0.h"
// CHECK-NOT:     rnn.gru
// CHECK:         rnn.contract
// CHECK:         rnn.delay %{{.*}} by 1 name "l1.h"
// CHECK:         tensor.extract_slice %{{.*}}[0, 0] [8, 4] [1, 1] : tensor<12x4xf32> to tensor<8x4xf32>
// CHECK:         tensor.extract_slice %{{.*}}[8, 0] [4, 4] [1, 1] : tensor<12x4xf32> to tensor<4x4xf32>
// CHECK:         rnn.delay %{{.*}} by 1 name "l2.h"
// CHECK:         arith.maximumf %cst{{.*}}, %{{.*}} : tensor<4xf32>
// CHECK:         rnn.output
rnn.parameter @u.wx : tensor<12x8xf32> init(#rnn.uniform<>)
rnn.parameter @u.wy : tensor<12x4xf32> init(#rnn.uniform<>)
rnn.parameter @u.wh : tensor<12x4xf32> init(#rnn.orthogonal<blocks = 3>)
rnn.parameter @u.b : tensor<12xf32> init(#rnn.zeros)
rnn.parameter @u.w : tensor<4x4xf32> init(#rnn.zeros)
rnn.parameter @u.c : tensor<4xf32> init(#rnn.zeros)
rnn.network @gru(%x: tensor<8xf32>) -> (h: tensor<4xf32>) {
  %0 = rnn.gru "l0" %x wx(@u.wx) wh(@u.wh) b(@u.b) bn(@u.c) : tensor<8xf32> -> tensor<4xf32>
  %1 = rnn.gru "l1" %0 wx(@u.wy) wh(@u.wh) b(@u.b) reset(before) : tensor<4xf32> -> tensor<4xf32>
  %2 = rnn.elman "l2" %1 wx(@u.w) wh(@u.w) b(@u.c) activation(relu) : tensor<4xf32> -> tensor<4xf32>
  rnn.output %2 : tensor<4xf32>
}
