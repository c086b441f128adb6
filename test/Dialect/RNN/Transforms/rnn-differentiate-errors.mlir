// RUN: rnn-opt %s -rnn-differentiate -split-input-file -verify-diagnostics

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @norule train of @net (%x: tensor<f32>) -> (loss: tensor<f32> {rnn.rate = "static"}, g: tensor<f32> {rnn.rate = "static"}) {
  // expected-note @below {{needed for the gradient of '@w'}}
  %w = rnn.param @w : tensor<f32>
  // expected-error @below {{'math.cosh' op has no derivative rule}}
  %y = math.cosh %w : tensor<f32>
  %loss = rnn.sum_frames %y : tensor<f32>
  %g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  rnn.output %loss, %g : tensor<f32>, tensor<f32>
}

// -----

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @varies train of @net (%x: tensor<f32>) -> (y: tensor<f32>) {
  %w = rnn.param @w : tensor<f32>
  %y = arith.mulf %w, %x : tensor<f32>
  // expected-error @below {{'rnn.gradient' op expected a loss of static rate (rule A0)}}
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
