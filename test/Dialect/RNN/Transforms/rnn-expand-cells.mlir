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

// -----

// With a clock both results are selected, and what is restarted is what the cell reads, not what it holds.
// CHECK-LABEL: rnn.network @clocked(
// CHECK:         %[[H:.*]] = rnn.delay %{{.*}} by 1 name "l0.h"
// CHECK:         %[[C:.*]] = rnn.delay %{{.*}} by 1 name "l0.c"
// CHECK:         %[[NEW:.*]] = rnn.broadcast %new along [0] : tensor<i1> to tensor<4xi1>
// CHECK:         %[[READ:.*]] = arith.select %[[NEW]], %{{.*}}, %[[H]]
// CHECK:         rnn.contract %{{.*}}, %[[READ]]
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[H]] : tensor<4xi1>, tensor<4xf32>
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[C]] : tensor<4xi1>, tensor<4xf32>
// CHECK:         rnn.output
rnn.parameter @k.wx : tensor<16x8xf32> init(#rnn.uniform<>)
rnn.parameter @k.wh : tensor<16x4xf32> init(#rnn.orthogonal<blocks = 4>)
rnn.parameter @k.b : tensor<16xf32> init(#rnn.zeros)
rnn.network @clocked(%x: tensor<8xf32>, %on: tensor<i1>, %new: tensor<i1>) -> (h: tensor<4xf32>, c: tensor<4xf32>) {
  %h, %c = rnn.lstm "l0" %x wx(@k.wx) wh(@k.wh) b(@k.b) clock(%on) restart(%new) : tensor<8xf32> -> tensor<4xf32>
  rnn.output %h, %c : tensor<4xf32>, tensor<4xf32>
}

// -----

// First states are what the delays begin with, and what a restart reads.
// CHECK-LABEL: rnn.network @first(
// CHECK:         %[[H:.*]] = rnn.delay %{{.*}} by 1 init(%h0) name "l0.h" : tensor<4xf32>
// CHECK-NEXT:    %[[C:.*]] = rnn.delay %{{.*}} by 1 init(%c0) name "l0.c" : tensor<4xf32>
// CHECK:         arith.select %{{.*}}, %h0, %[[H]]
// CHECK:         arith.select %{{.*}}, %c0, %[[C]]
// CHECK:         rnn.delay %{{.*}} by -1 init(%h0) name "l1.c" : tensor<4xf32>
rnn.parameter @f.wx : tensor<16x8xf32> init(#rnn.uniform<>)
rnn.parameter @f.wh : tensor<16x4xf32> init(#rnn.orthogonal<blocks = 4>)
rnn.parameter @f.b : tensor<16xf32> init(#rnn.zeros)
rnn.parameter @f.b2 : tensor<8xf32> init(#rnn.zeros)
rnn.network @first(%x: tensor<8xf32>, %new: tensor<i1>, %h0: tensor<4xf32>, %c0: tensor<4xf32>) -> (h: tensor<4xf32>, s: tensor<4xf32>) {
  %h, %c = rnn.lstm "l0" %x wx(@f.wx) wh(@f.wh) b(@f.b) init(%h0, %c0) restart(%new) : tensor<8xf32> -> tensor<4xf32>
  %s, %t = rnn.sru "l1" %x wx(@f.wx) b(@f.b2) reverse init(%h0) : tensor<8xf32> -> tensor<4xf32>
  rnn.output %h, %s : tensor<4xf32>, tensor<4xf32>
}

// -----

// In reverse a cell reads its state from the frame after; that is never carried.
// CHECK-LABEL: rnn.network @reverse(
// CHECK:         rnn.delay %{{.*}} by -1 name "l0.h" : tensor<4xf32>
// CHECK-NEXT:    rnn.delay %{{.*}} by -1 name "l0.c" : tensor<4xf32>
// CHECK:         rnn.delay %{{.*}} by -1 name "l1.h"
// CHECK:         rnn.delay %{{.*}} by -1 name "l2.h"
// CHECK:         rnn.delay %{{.*}} by -1 name "l3.h"
// CHECK:         rnn.delay %{{.*}} by -1 name "l4.h"
// CHECK:         rnn.delay %{{.*}} by -1 name "l5.c"
// CHECK-NOT:     by 1
rnn.parameter @r.w4 : tensor<16x4xf32> init(#rnn.zeros)
rnn.parameter @r.w3 : tensor<12x4xf32> init(#rnn.zeros)
rnn.parameter @r.w2 : tensor<8x4xf32> init(#rnn.zeros)
rnn.parameter @r.w1 : tensor<4x4xf32> init(#rnn.zeros)
rnn.parameter @r.b4 : tensor<16xf32> init(#rnn.zeros)
rnn.parameter @r.b3 : tensor<12xf32> init(#rnn.zeros)
rnn.parameter @r.b2 : tensor<8xf32> init(#rnn.zeros)
rnn.parameter @r.b1 : tensor<4xf32> init(#rnn.zeros)
rnn.network @reverse(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %0, %c0 = rnn.lstm "l0" %x wx(@r.w4) wh(@r.w4) b(@r.b4) reverse : tensor<4xf32> -> tensor<4xf32>
  %1 = rnn.gru "l1" %0 wx(@r.w3) wh(@r.w3) b(@r.b3) reverse : tensor<4xf32> -> tensor<4xf32>
  %2 = rnn.elman "l2" %1 wx(@r.w1) wh(@r.w1) b(@r.b1) reverse : tensor<4xf32> -> tensor<4xf32>
  %3 = rnn.indrnn "l3" %2 wx(@r.w1) u(@r.b1) b(@r.b1) reverse : tensor<4xf32> -> tensor<4xf32>
  %4 = rnn.min_gru "l4" %3 wx(@r.w2) b(@r.b2) reverse : tensor<4xf32> -> tensor<4xf32>
  %5, %c5 = rnn.sru "l5" %4 wx(@r.w3) b(@r.b2) reverse : tensor<4xf32> -> tensor<4xf32>
  rnn.output %5 : tensor<4xf32>
}

// -----

// The loop of CTC is a delayed vector that begins at the first blank.
// CHECK-LABEL: rnn.network @ctc(
// CHECK:         %[[CLASSES:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[1] [3] [2] : tensor<3xi32> into tensor<7xi32>
// CHECK:         rnn.gather %{{.*}}, %[[CLASSES]] : (tensor<4xf32>, tensor<7xi32>) -> tensor<7xf32>
// CHECK:         %[[START:.*]] = arith.constant dense<[0.000000e+00, -1.000000e+30
// CHECK:         rnn.delay %{{.*}} by 1 init(%[[START]]) name "align.alpha" : tensor<7xf32>
// CHECK-NOT:     rnn.ctc
// CHECK:         rnn.output
rnn.network @ctc(%x: tensor<4xf32>, %labels: tensor<3xi32>, %length: tensor<i32>) -> (e: tensor<f32>) {
  %e = rnn.ctc "align" %x, %labels, %length : (tensor<4xf32>, tensor<3xi32>, tensor<i32>) -> tensor<f32>
  rnn.output %e : tensor<f32>
}
