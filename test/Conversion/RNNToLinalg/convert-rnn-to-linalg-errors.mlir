// RUN: rnn-opt %s -convert-rnn-to-linalg -split-input-file -verify-diagnostics

// expected-error @below {{'no_frames' needs an argument of frame rate, which tells target 'linalg' the number of frames}}
rnn.schedule @no_frames infer of @n streams 1 () -> () {
  rnn.return
}

// -----

// A state and a value per stream would tell B, but nothing tells T.

// expected-error @below {{'no_streams' needs an argument of frame rate, which tells target 'linalg' the number of frames and of streams}}
rnn.schedule @no_streams infer of @n streams ? (%g: tensor<?x4xf32> {rnn.rate = "stream"}) -> (h: tensor<?x?x4xf32>) {
  %h = rnn.recurrent causal chunk ins(%g as %g0 stream) : (tensor<?x4xf32>) -> tensor<?x?x4xf32> {
    %h1 = rnn.delay %hh by 1 state "h" : tensor<4xf32>
    %hh = arith.addf %h1, %g0 : tensor<4xf32>
    rnn.yield %hh : tensor<4xf32>
  }
  rnn.keep %h as "state.h" frames 1 : tensor<?x?x4xf32>
  rnn.return %h : tensor<?x?x4xf32>
}

// -----

rnn.schedule @two_results infer of @n streams 2 (%x: tensor<?x2x4xi32>) -> (h: tensor<?x2x4xi32>) {
  %h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xi32>) -> tensor<?x2x4xi32> {
    // expected-error @+2 {{'arith.addui_extended' op is not supported on target 'linalg'}}
    // expected-note @+1 {{supported on: cpu, interpreter}}
    %0, %1 = arith.addui_extended %x0, %x0 : tensor<4xi32>, tensor<4xi1>
    rnn.yield %0 : tensor<4xi32>
  }
  rnn.return %h : tensor<?x2x4xi32>
}

// -----

rnn.schedule @outside infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  // expected-error @+2 {{'math.exp' op is not supported on target 'linalg'}}
  // expected-note @+1 {{supported on: cpu, interpreter}}
  %h = math.exp %x : tensor<?x2x4xf32>
  rnn.return %h : tensor<?x2x4xf32>
}
