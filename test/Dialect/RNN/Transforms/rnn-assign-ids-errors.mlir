// RUN: rnn-opt %s -rnn-assign-ids -split-input-file -verify-diagnostics

rnn.network @random() -> (a: tensor<4xf32>) {
  // expected-note @below {{first used here}}
  %0 = rnn.random uniform <frame> id 3 : tensor<4xf32>
  // expected-error @below {{'rnn.random' op id 3 is used twice}}
  %1 = rnn.random normal <frame> id 3 : tensor<4xf32>
  %a = rnn.sum %0, %1 : tensor<4xf32>
  rnn.output %a : tensor<4xf32>
}
