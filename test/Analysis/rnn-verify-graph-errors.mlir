// RUN: rnn-opt %s -rnn-verify-graph -split-input-file -verify-diagnostics

rnn.network @composite(%x: tensor<4xf32>, %k: tensor<i32>) -> (y: tensor<f32>) {
  // expected-error @below {{'rnn.softmax_cross_entropy' op is not allowed in a flat graph; run rnn-expand-cells first}}
  %y = rnn.softmax_cross_entropy %x, %k : (tensor<4xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @linear(%x: tensor<4xf32>, %w: tensor<2x4xf32> {rnn.rate = "static"}) -> (y: tensor<2xf32>) {
  // expected-error @below {{'rnn.linear' op is not allowed in a flat graph; run rnn-expand-cells first}}
  %y = rnn.linear %x, %w : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @cell(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  rnn.output %x : tensor<4xf32>
}
rnn.network @call(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error @below {{'rnn.call' op is not allowed in a flat graph; run rnn-inline first}}
  %y = rnn.call "l0" @cell(%x) : (tensor<4xf32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @state(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error @below {{'rnn.delay' op has no name for its state; run rnn-assign-ids first}}
  %y = rnn.delay %x by 1 : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @random() -> (y: tensor<4xf32>) {
  // expected-error @below {{'rnn.random' op has no id; run rnn-assign-ids first}}
  %y = rnn.random uniform <frame> : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @unsorted(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error @below {{'math.exp' op reads a value that is computed after it; run rnn-sort first}}
  %y = math.exp %a : tensor<4xf32>
  // expected-note @below {{computed here}}
  %a = math.tanh %x : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

// An init is read at the same frame.
rnn.network @init(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error @below {{'rnn.delay' op reads a value that is computed after it; run rnn-sort first}}
  %y = rnn.delay %x by 1 init(%a) state "x" : tensor<4xf32>
  // expected-note @below {{computed here}}
  %a = math.tanh %x : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

// expected-error @below {{'rnn.schedule' op is not allowed before rnn-partition}}
rnn.schedule @net infer of @net streams 2 (%x: tensor<?x2x4xf32>) -> (y: tensor<?x2x4xf32>) {
  rnn.return %x : tensor<?x2x4xf32>
}
