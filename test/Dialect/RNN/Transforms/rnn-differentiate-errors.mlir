// RUN: rnn-opt %s -rnn-differentiate -split-input-file -verify-diagnostics

// Composites have none: they are written out first.
rnn.parameter @w : tensor<2xf32> init(#rnn.zeros)
rnn.step @norule train of @net (%x: tensor<i32>) -> (loss: tensor<f32> {rnn.rate = "static"}, g: tensor<2xf32> {rnn.rate = "static"}) {
  // expected-note @below {{needed for the gradient of '@w'}}
  %w = rnn.param @w : tensor<2xf32>
  // expected-error @below {{'rnn.softmax_cross_entropy' op has no derivative rule}}
  %y = rnn.softmax_cross_entropy %w, %x : (tensor<2xf32>, tensor<i32>) -> tensor<f32>
  %loss = rnn.sum_frames %y : tensor<f32>
  %g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %loss, %g : tensor<f32>, tensor<2xf32>
}

// -----

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @varies train of @net (%x: tensor<f32>) -> (y: tensor<f32>) {
  %w = rnn.param @w : tensor<f32>
  %y = arith.mulf %w, %x : tensor<f32>
  // expected-error @below {{'rnn.gradient' op expected a static loss, but got one of frame rate}}
  %g = rnn.gradient %y wrt(%w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

// A5: older frames have been computed by other chunks.
rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @local train of @net bptt<window = 4, advance = 2> (%x: tensor<f32>) -> (loss: tensor<f32> {rnn.rate = "static"}, g: tensor<f32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<f32>
  %wx = arith.mulf %w, %x : tensor<f32>
  // expected-error @below {{'rnn.delay' op with a local delay, back-propagation needs a bptt window equal to the advance, but '@local' has window 4 and advance 2}}
  %y = rnn.delay %wx by -1 local : tensor<f32>
  %loss = rnn.sum_frames %y : tensor<f32>
  %g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  rnn.output %loss, %g : tensor<f32>, tensor<f32>
}

// -----

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @second train of @net bptt<window = 4, advance = 2> (%x: tensor<f32>) -> (loss: tensor<f32> {rnn.rate = "static"}, g: tensor<f32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<f32>
  %wx = arith.mulf %w, %x : tensor<f32>
  %y = arith.mulf %wx, %wx : tensor<f32>
  %loss = rnn.sum_frames %y : tensor<f32>
  %g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // expected-error @below {{'rnn.gradient' op a second derivative needs a bptt window equal to the advance, but '@second' has window 4 and advance 2}}
  %h = rnn.gradient %g wrt(%w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  rnn.output %loss, %h : tensor<f32>, tensor<f32>
}
