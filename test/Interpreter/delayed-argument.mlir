// An argument may itself be delayed: its last frames are state like any other signal's.
// RUN: rnn-opt %s --rnn-to-graph --test-rnn-interpret-each -o /dev/null

rnn.network @n(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  %x1 = rnn.delay %x by 1 : tensor<2xf32>
  %y = arith.addf %x, %x1 : tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}
