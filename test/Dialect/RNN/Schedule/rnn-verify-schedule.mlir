// RUN: rnn-opt %s -rnn-verify-schedule -split-input-file -verify-diagnostics

// expected-error @+1 {{'rnn.network' op is not allowed after rnn-partition}}
rnn.network @n(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %y = arith.negf %x : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.schedule @no_keep infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  %h = rnn.recurrent causal chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    // expected-error @+1 {{'rnn.delay' op reads 'state.h', which no 'rnn.keep' keeps}}
    %h1 = rnn.delay %hh by 1 state "h" : tensor<4xf32>
    %hh = arith.addf %x0, %h1 : tensor<4xf32>
    rnn.yield %hh : tensor<4xf32>
  }
  rnn.return %h : tensor<?x2x4xf32>
}

// -----

rnn.schedule @delay_in_body infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  %h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.exp %x0 : tensor<4xf32>
    // expected-error @+1 {{'rnn.delay' op delays a value of the body; expected an argument of the region}}
    %1 = rnn.delay %0 by 1 local : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  rnn.return %h : tensor<?x2x4xf32>
}

// -----

rnn.schedule @sum_in_parallel infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  %h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    // expected-error @+1 {{'rnn.sum_frames' op sums over frames, which is allowed in 'rnn.reduction' only}}
    %0 = rnn.sum_frames %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.return %h : tensor<?x2x4xf32>
}

// -----

rnn.schedule @twice infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  rnn.keep %x as "state.x" frames 1 : tensor<?x2x4xf32>
  // expected-error @+1 {{'rnn.keep' op keeps 'state.x' a second time}}
  rnn.keep %x as "state.x" frames 1 : tensor<?x2x4xf32>
  rnn.return %x : tensor<?x2x4xf32>
}

// -----

rnn.parameter @w : tensor<4x4xf32> init(#rnn.zeros)
rnn.schedule @param_in_body infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  %h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    // expected-error @+1 {{'rnn.param' op is not allowed in a region of a schedule}}
    %w = rnn.param @w : tensor<4x4xf32>
    rnn.yield %x0 : tensor<4xf32>
  }
  rnn.return %h : tensor<?x2x4xf32>
}

// -----

rnn.schedule @save_in_body train of @n streams 2 bptt<window = 2, advance = 1> (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  %h = rnn.parallel window ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.exp %x0 : tensor<4xf32>
    // expected-error @+1 {{'rnn.save' op saves a value of the body; expected an argument of the region}}
    %1 = rnn.save %0 ring "0" : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  rnn.return %h : tensor<?x2x4xf32>
}

// -----

rnn.schedule @too_early infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  %h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    // expected-error @+1 {{'math.exp' op reads a value that is computed after it}}
    %0 = math.exp %1 : tensor<4xf32>
    %1 = math.exp %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.return %h : tensor<?x2x4xf32>
}

// -----

rnn.schedule @outside infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  // expected-error @+1 {{'math.exp' op is not allowed in a schedule}}
  %h = math.exp %x : tensor<?x2x4xf32>
  rnn.return %h : tensor<?x2x4xf32>
}

// -----

rnn.schedule @no_sum infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<4xf32> {rnn.rate = "static"}) {
  // expected-error @+1 {{'rnn.reduction' op yields a value that is no sum over frames}}
  %h = rnn.reduction chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<4xf32> {
    %0 = arith.constant dense<1.0> : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.return %h : tensor<4xf32>
}
