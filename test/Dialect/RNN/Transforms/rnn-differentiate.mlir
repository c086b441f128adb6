// RUN: rnn-opt %s -rnn-differentiate -rnn-sort -split-input-file | FileCheck %s

// A loop with a weight: the adjoint loop runs the other way, and the weight's gradient is one product over all frames.

rnn.parameter @w : tensor<4x4xf32> init(#rnn.zeros)

// CHECK-LABEL: rnn.step @loop
// CHECK-SAME:    %[[X:x]]: tensor<4xf32>
// CHECK:         %[[W:.*]] = rnn.param @w
// CHECK:         %[[H1:.*]] = rnn.delay %[[H:.*]] by 1 name "h" state "h"
// CHECK:         %[[H]] = math.tanh
// CHECK-NOT:     rnn.gradient
// CHECK:         rnn.seed
// CHECK:         %[[HS:.*]] = rnn.save %[[H]] ring "1"
// CHECK:         %[[LATER:.*]] = rnn.delay %[[EH1:.*]] by -1 local
// CHECK:         %[[EH:.*]] = rnn.sum %[[LATER]], %{{.*}}
// CHECK:         %[[ES:.*]] = arith.mulf %[[EH]], %{{.*}} : tensor<4xf32>
// CHECK:         %[[EH1]] = rnn.contract %[[W]], %[[ES]] [(d0, d1) -> (d0, d1), (d0, d1) -> (d0), (d0, d1) -> (d1)]
// CHECK:         %[[H1S:.*]] = rnn.save %[[H1]] ring "0"
// CHECK:         %[[G:.*]] = rnn.contract %[[ES]], %[[H1S]] [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static
// CHECK:         rnn.output %{{.*}}, %[[G]]
rnn.step @loop train of @net bptt<window = 4, advance = 2> (%x: tensor<4xf32>) -> (loss: tensor<f32> {rnn.rate = "static"}, grad.w: tensor<4x4xf32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<4x4xf32>
  %h1 = rnn.delay %h by 1 name "h" state "h" : tensor<4xf32>
  %u = rnn.contract %w, %h1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %s = rnn.sum %u, %x : tensor<4xf32>
  %h = math.tanh %s : tensor<4xf32>
  %e = rnn.reduce sum %h over [0] : tensor<4xf32> to tensor<f32>
  %loss = rnn.sum_frames %e : tensor<f32>
  %g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  rnn.output %loss, %g : tensor<f32>, tensor<4x4xf32>
}

// -----

// Slices that tile a value have one error, joined; what the loss does not depend on has gradient zero; a learned init
// gets the errors of the frames that read it.

rnn.parameter @b : tensor<4xf32> init(#rnn.zeros)
rnn.parameter @p : tensor<2xf32> init(#rnn.zeros)
rnn.parameter @free : tensor<3xf32> init(#rnn.zeros)

// CHECK-LABEL: rnn.step @slices
// CHECK-NOT:     tensor.insert_slice
// CHECK:         %[[HI:.*]] = rnn.save %{{.*}} ring "0" : tensor<2xf32>
// CHECK:         %[[EOLD:.*]] = arith.mulf %{{.*}}, %[[HI]] : tensor<2xf32>
// CHECK:         %[[ELO:.*]] = rnn.delay %[[EOLD]] by -1 local
// CHECK:         %[[Z:.*]] = arith.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK:         %[[EP:.*]] = rnn.delay %[[Z]] by 1 init(%[[EOLD]])
// CHECK:         %[[GP:.*]] = rnn.sum_frames %[[EP]]
// CHECK:         %[[JOINED:.*]] = tensor.concat dim(0) %[[ELO]]
// CHECK:         %[[GB:.*]] = rnn.sum_frames %[[JOINED]] : tensor<4xf32>
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<3xf32>
// CHECK:         rnn.output %{{.*}}, %[[GB]], %[[GP]], %[[ZERO]]
rnn.step @slices train of @net (%x: tensor<4xf32>)
    -> (loss: tensor<f32> {rnn.rate = "static"}, grad.b: tensor<4xf32> {rnn.rate = "static"},
        grad.p: tensor<2xf32> {rnn.rate = "static"}, grad.free: tensor<3xf32> {rnn.rate = "static"}) {
  %b = rnn.param @b : tensor<4xf32>
  %p = rnn.param @p : tensor<2xf32>
  %free = rnn.param @free : tensor<3xf32>
  %s = rnn.sum %x, %b : tensor<4xf32>
  %lo = tensor.extract_slice %s[0] [2] [1] : tensor<4xf32> to tensor<2xf32>
  %hi = tensor.extract_slice %s[2] [2] [1] : tensor<4xf32> to tensor<2xf32>
  %old = rnn.delay %lo by 1 init(%p) name "lo" state "lo" : tensor<2xf32>
  %m = arith.mulf %hi, %old : tensor<2xf32>
  %e = rnn.reduce sum %m over [0] : tensor<2xf32> to tensor<f32>
  %loss = rnn.sum_frames %e : tensor<f32>
  %g:3 = rnn.gradient %loss wrt(%b, %p, %free) : (tensor<f32>, tensor<4xf32>, tensor<2xf32>, tensor<3xf32>) -> (tensor<4xf32>, tensor<2xf32>, tensor<3xf32>)
  rnn.output %loss, %g#0, %g#1, %g#2 : tensor<f32>, tensor<4xf32>, tensor<2xf32>, tensor<3xf32>
}
