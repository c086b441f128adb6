// RUN: rnn-translate --rnn-to-json -split-input-file -verify-diagnostics %s

rnn.network @resource(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error @below {{'arith.constant' op attribute 'value' cannot be written as JSON}}
  %c = arith.constant dense_resource<blob> : tensor<2xf32>
  %y = arith.addf %x, %c : tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

{-# dialect_resources: { builtin: { blob: "0x040000000000803F00000040" } } #-}

// -----

rnn.network @self(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error @below {{network @self calls itself: @self -> @self}}
  %y = rnn.call "again" @self(%x) : (tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}
