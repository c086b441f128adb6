// RUN: rnn-opt %s -rnn-assign-ids -split-input-file -verify-each | FileCheck %s

// Delays of one source read one state; a static source has none; names that clash become numbers.

// CHECK-LABEL: rnn.network @states(
// CHECK:         rnn.delay %[[H:.*]] by 1 name "h" state "h"
// CHECK:         rnn.delay %[[H]] by 3 name "h" state "h"
// CHECK:         rnn.delay %{{.*}} by 1 name "h" state "s0"
// CHECK:         rnn.delay %{{.*}} by -1 name "h" :
// CHECK:         rnn.delay %{{.*}} by 2 local name "h" :
// CHECK:         rnn.delay %{{.*}} by 1 name "w" :
rnn.parameter @w : tensor<4xf32> init(#rnn.zeros)
rnn.network @states(%x: tensor<4xf32>) -> (a: tensor<4xf32>) {
  %w = rnn.param @w : tensor<4xf32>
  %h = math.tanh %x : tensor<4xf32>
  %0 = rnn.delay %h by 1 : tensor<4xf32>
  %1 = rnn.delay %h by 3 : tensor<4xf32>
  %2 = rnn.delay %x by 1 name "h" : tensor<4xf32>
  %3 = rnn.delay %h by -1 : tensor<4xf32>
  %4 = rnn.delay %h by 2 local : tensor<4xf32>
  %5 = rnn.delay %w by 1 : tensor<4xf32>
  %a = rnn.sum %0, %1, %2, %3, %4, %5 : tensor<4xf32>
  rnn.output %a : tensor<4xf32>
}

// -----

// CHECK-LABEL: rnn.network @random(
// CHECK:         rnn.random uniform <frame> id 1
// CHECK:         rnn.random normal <frame> id 0
// CHECK:         rnn.random normal <static> id 2
rnn.network @random() -> (a: tensor<4xf32>) {
  %0 = rnn.random uniform <frame> : tensor<4xf32>
  %1 = rnn.random normal <frame> id 0 : tensor<4xf32>
  %2 = rnn.random normal <static> : tensor<4xf32>
  %a = rnn.sum %0, %1, %2 : tensor<4xf32>
  rnn.output %a : tensor<4xf32>
}
