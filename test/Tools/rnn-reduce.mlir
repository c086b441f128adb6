// REQUIRES: rnn-reduce
// RUN: rnn-reduce --test=%S/Inputs/has-loop.sh %s -o %t.mlir 2>/dev/null
// RUN: rnn-opt %t.mlir --verify-roundtrip | FileCheck %s
// The same in upstream's words.
// RUN: rnn-reduce -reduction-tree='traversal-mode=0 test=%S/Inputs/has-loop.sh' %s -o %t.tree.mlir 2>/dev/null && cmp %t.mlir %t.tree.mlir

// What is left is the loop: layers became shorter, sums lost terms, delays became 1, the rest is gone.
// CHECK:      rnn.network @net
// CHECK-NEXT:   %[[W:.*]] = rnn.param @w
// CHECK-NEXT:   %[[H1:.*]] = rnn.delay %[[U:.*]] by 1 name "h" : tensor<4xf32>
// CHECK-NEXT:   %[[U]] = rnn.linear %[[H1]], %[[W]]
// CHECK-NEXT:   rnn.output %[[U]]

rnn.parameter @w : tensor<4x4xf32> init(#rnn.zeros)
rnn.parameter @i : tensor<4xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %w = rnn.param @w : tensor<4x4xf32>
  %i = rnn.param @i : tensor<4xf32>
  %e = math.exp %x : tensor<4xf32>
  %h1 = rnn.delay %h by 3 init(%i) : tensor<4xf32>
  %u = rnn.linear %h1, %w : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %s = rnn.sum %u, %e, %x : tensor<4xf32>
  %h = math.tanh %s : tensor<4xf32>
  %y = arith.mulf %h, %e : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
