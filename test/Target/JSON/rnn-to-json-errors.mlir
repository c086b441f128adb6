// RUN: rnn-translate --rnn-to-json -split-input-file -verify-diagnostics %s

// What JSON cannot hold the verifier has refused before.
rnn.network @sparse(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error @below {{'arith.constant' op expected a dense constant}}
  %c = arith.constant sparse<[[0]], [1.0]> : tensor<2xf32>
  %y = arith.addf %x, %c : tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @self(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error @below {{network @self calls itself: @self -> @self}}
  %y = rnn.call "again" @self(%x) : (tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}
