// RUN: rnn-opt %s -rnn-partition -split-input-file -verify-diagnostics
// RUN: not rnn-opt %S/Inputs/identity.mlir -rnn-partition=streams=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not rnn-opt %S/Inputs/identity.mlir -rnn-partition=mode=both 2>&1 | FileCheck %s --check-prefix=MODE

// NEGATIVE: error: streams must be at least 1, or 0 for any number, got -1
// MODE: error: unknown mode 'both'; expected split or sequential

rnn.parameter @w : tensor<4x4xf32> init(#rnn.zeros)
rnn.network @linear(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %w = rnn.param @w : tensor<4x4xf32>
  // expected-error @below {{'rnn.linear' op must be written out by rnn-expand-cells before rnn-partition}}
  %y = rnn.linear %x, %w : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @cell(%x: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}
rnn.network @net(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error @below {{'rnn.call' op must be written out by rnn-inline before rnn-partition}}
  %y = rnn.call "c" @cell(%x) : (tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @step train of @net (%x: tensor<f32>) -> (loss: tensor<f32> {rnn.rate = "static"}, g: tensor<f32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<f32>
  %wx = arith.mulf %w, %x : tensor<f32>
  %loss = rnn.sum_frames %wx : tensor<f32>
  // expected-error @below {{'rnn.gradient' op must be replaced by rnn-differentiate before rnn-partition}}
  %g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  rnn.output %loss, %g : tensor<f32>, tensor<f32>
}
