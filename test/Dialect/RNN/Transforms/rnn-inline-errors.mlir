// RUN: rnn-opt %s -rnn-inline -split-input-file -verify-diagnostics

rnn.network @a(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %y = rnn.call "b" @b(%x) : (tensor<4xf32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
rnn.network @b(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error @below {{network @a calls itself: @a -> @b -> @a}}
  %y = rnn.call "a" @a(%x) : (tensor<4xf32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @cell(%x: tensor<4xf32>, %r: tensor<i1> {rnn.reset}) -> (y: tensor<4xf32>) {
  %y = rnn.delay %x by 1 : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
rnn.network @net(%x: tensor<4xf32>, %r: tensor<i1>) -> (y: tensor<4xf32>) {
  // expected-error @below {{cannot call '@cell', whose argument 'r' is a reset: ages belong to the caller}}
  %y = rnn.call "c" @cell(%x, %r) : (tensor<4xf32>, tensor<i1>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @identity(%u: tensor<f32>) -> (v: tensor<f32>) {
  rnn.output %u : tensor<f32>
}
rnn.network @rates(%x: tensor<f32>) -> (h: tensor<f32> {rnn.rate = "static"}) {
  %y = rnn.call "i" @identity(%x) : (tensor<f32>) -> tensor<f32>
  // expected-error @below {{'rnn.output' op result 'h' is declared static, but varies per frame}}
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @identity(%u: tensor<f32>) -> (v: tensor<f32>) {
  rnn.output %u : tensor<f32>
}
// expected-error @below {{network @cycle has a cycle without a delay: %h -> %h}}
rnn.network @cycle() -> (h: tensor<f32>) {
  // expected-note @below {{%h uses %h here}}
  %g = math.tanh %h : tensor<f32>
  %h = rnn.call "i" @identity(%g) : (tensor<f32>) -> tensor<f32>
  rnn.output %h : tensor<f32>
}
