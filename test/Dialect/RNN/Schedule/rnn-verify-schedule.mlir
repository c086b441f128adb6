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
