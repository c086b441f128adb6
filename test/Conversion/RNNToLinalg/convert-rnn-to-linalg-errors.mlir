// RUN: rnn-opt %s -convert-rnn-to-linalg -split-input-file -verify-diagnostics

rnn.schedule @random infer of @n streams 1 (%x: tensor<?x1x8xf32>) -> (y: tensor<?x1x8xf32>) {
  %y = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x1x8xf32>) -> tensor<?x1x8xf32> {
    // expected-error @below {{'rnn.random' op is not supported on target 'linalg'}}
    // expected-note @below {{supported on: cpu, interpreter}}
    %n = rnn.random normal <frame> id 1 : tensor<8xf32>
    %0 = arith.addf %x0, %n : tensor<8xf32>
    rnn.yield %0 : tensor<8xf32>
  }
  rnn.return %y : tensor<?x1x8xf32>
}

// -----

// expected-error @below {{target 'linalg' needs an argument of frame rate, which tells the number of frames}}
rnn.schedule @no_frames infer of @n streams 1 () -> () {
  rnn.return
}
