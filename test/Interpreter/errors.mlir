// RUN: rnn-opt %s -split-input-file -verify-diagnostics -test-rnn-interpret -o /dev/null

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @step train of @n () -> (loss: tensor<f32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<f32>
  // expected-error @below {{'rnn.gradient' op must be differentiated first}}
  %g = rnn.gradient %w wrt(%w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  rnn.output %g : tensor<f32>
}

// -----

// What lies behind a call is known when it has been written out.
rnn.network @identity(%u: tensor<f32>) -> (v: tensor<f32>) {
  rnn.output %u : tensor<f32>
}
rnn.network @cycle() -> (h: tensor<f32>) {
  // expected-error @below {{is on a cycle without a delay}}
  %g = math.tanh %h : tensor<f32>
  %e = math.exp %g : tensor<f32>
  %h = rnn.call "i" @identity(%e) : (tensor<f32>) -> tensor<f32>
  rnn.output %h : tensor<f32>
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

rnn.schedule @unknown infer of @n streams 1 (%x: tensor<?x1xf32>) -> (h: tensor<?x1xf32>) {
  %h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x1xf32>) -> tensor<?x1xf32> {
    // expected-error @below {{'math.cosh' op cannot be interpreted}}
    %y = math.cosh %x0 : tensor<f32>
    rnn.yield %y : tensor<f32>
  }
  rnn.return %h : tensor<?x1xf32>
}

// -----

rnn.network @random() -> (h: tensor<f32>) {
  // expected-error @below {{'rnn.random' op has no id}}
  %h = rnn.random uniform <frame> : tensor<f32>
  rnn.output %h : tensor<f32>
}

// -----

// expected-error-re @below {{'rnn.network' op needs {{[0-9]+}} numbers, the limit is 1073741824}}
rnn.network @big(%x: tensor<1x1000000xf32>, %w: tensor<1000000x1xf32>) -> (h: tensor<f32>) {
  %h = rnn.contract %x, %w [(d0, d1, d2) -> (d0, d1), (d0, d1, d2) -> (d2, d0), (d0, d1, d2) -> (d1, d2)]
     : (tensor<1x1000000xf32>, tensor<1000000x1xf32>) -> tensor<1000000x1000000xf32>
  %s = rnn.reduce sum %h over [0, 1] : tensor<1000000x1000000xf32> to tensor<f32>
  rnn.output %s : tensor<f32>
}

// -----

// A loop of a schedule must read what its order has computed.
rnn.schedule @order infer of @n streams 1 (%x: tensor<?x1xf32>) -> (h: tensor<?x1xf32>) {
  %h = rnn.recurrent anticausal chunk ins(%x as %x0 frame) : (tensor<?x1xf32>) -> tensor<?x1xf32> {
    // expected-error @below {{'rnn.delay' op at frame 3 reads the result of 'arith.addf' at frame 2, which has not been computed}}
    %h1 = rnn.delay %hh by 1 local : tensor<f32>
    %hh = arith.addf %h1, %x0 : tensor<f32>
    rnn.yield %hh : tensor<f32>
  }
  rnn.return %h : tensor<?x1xf32>
}
