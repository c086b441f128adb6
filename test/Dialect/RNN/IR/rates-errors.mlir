// RUN: rnn-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{'rnn.network' op expected rnn.rate to be "static", "stream" or "frame", but got "statc"}}
rnn.network @typo(%x: tensor<f32> {rnn.rate = "statc"}) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{'rnn.network' op expected rnn.rate to be "static", "stream" or "frame", but got #rnn.rate<static>}}
rnn.network @kind(%x: tensor<f32>) -> (y: tensor<f32> {rnn.rate = #rnn.rate<static>}) {
  rnn.output %x : tensor<f32>
}
