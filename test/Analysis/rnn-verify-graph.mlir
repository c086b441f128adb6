// RUN: rnn-opt %s -rnn-to-graph -rnn-verify-graph -o /dev/null
// RUN: rnn-opt %rnn_source/examples/charlm.mlir -rnn-to-graph -rnn-verify-graph -o /dev/null
// rnn-to-graph ends with this pass, unless it was told to leave cells closed.
// RUN: rnn-opt %rnn_source/examples/charlm.mlir -rnn-to-graph=cells=linear | FileCheck %s --check-prefix=CLOSED
// CLOSED: rnn.lstm
// RUN: rnn-opt %s -rnn-to-graph -rnn-verify-graph | rnn-opt -rnn-verify-graph | FileCheck %s

// A delay of a static value keeps no state; a loop's delay reads what comes after it.
// CHECK: rnn.delay {{.*}} by 1 name "h" state "h"
rnn.network @net(%x: tensor<4xf32>, %s: tensor<4xf32> {rnn.rate = "static"}) -> (h: tensor<4xf32>) {
  %h = rnn.sum %h1, %x, %s1, %n : tensor<4xf32>
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %s1 = rnn.delay %s by 1 : tensor<4xf32>
  %n = rnn.random normal <frame> : tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}
