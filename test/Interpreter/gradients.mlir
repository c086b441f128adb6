// RUN: rnn-opt %s -split-input-file -verify-diagnostics -test-rnn-gradients -o /dev/null

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @right train of @n (%x: tensor<f32>) -> (loss: tensor<f32> {rnn.rate = "static"}, grad.w: tensor<f32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<f32>
  %wx = arith.mulf %w, %x : tensor<f32>
  %square = arith.mulf %wx, %wx : tensor<f32>
  %loss = rnn.sum_frames %square : tensor<f32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %e = arith.mulf %wx, %two : tensor<f32>
  %ex = arith.mulf %e, %x : tensor<f32>
  %dw = rnn.sum_frames %ex : tensor<f32>
  rnn.output %loss, %dw : tensor<f32>, tensor<f32>
}

// -----

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
// expected-error @below {{'@wrong' has a wrong gradient: 'grad.w' at 0: expected}}
rnn.step @wrong train of @n (%x: tensor<f32>) -> (loss: tensor<f32> {rnn.rate = "static"}, grad.w: tensor<f32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<f32>
  %wx = arith.mulf %w, %x : tensor<f32>
  %square = arith.mulf %wx, %wx : tensor<f32>
  %loss = rnn.sum_frames %square : tensor<f32>
  %ex = arith.mulf %wx, %x : tensor<f32>
  %dw = rnn.sum_frames %ex : tensor<f32>
  rnn.output %loss, %dw : tensor<f32>, tensor<f32>
}
