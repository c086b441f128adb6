// RUN: rnn-opt %s -rnn-keep-signals | FileCheck %s

rnn.parameter @w : tensor<4xf32> init(#rnn.zeros)

// Delays, constants, integers and what is not of frame rate are left out; arguments are known anyway.
// CHECK: rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>, signals.h: tensor<4xf32>, signals.[[N:[0-9]+]]: tensor<4xf32>, signals.y: tensor<4xf32>)
// CHECK: %[[H:.*]] = math.tanh
// CHECK: %[[M:.*]] = arith.mulf
// CHECK: %[[Y:.*]] = arith.addf
// CHECK: rnn.output %[[Y]], %[[H]], %[[M]], %[[Y]]
rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %w = rnn.param @w : tensor<4xf32>
  %ww = arith.mulf %w, %w : tensor<4xf32>
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %h = math.tanh %x : tensor<4xf32>
  %less = arith.cmpf olt, %h, %x : tensor<4xf32>
  %m = arith.mulf %h1, %ww : tensor<4xf32>
  %y = arith.addf %m, %x : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
