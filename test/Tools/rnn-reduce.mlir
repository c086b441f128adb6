// REQUIRES: rnn-reduce
// RUN: rnn-reduce --test=%S/Inputs/has-loop.sh %s -o %t.mlir
// RUN: rnn-opt %t.mlir --verify-roundtrip | FileCheck %s
// The same as a pass.
// RUN: rnn-reduce -rnn-reduce='test=%S/Inputs/has-loop.sh' %s -o %t.pass.mlir && cmp %t.mlir %t.pass.mlir
// An op that nothing uses may be what matters, and what it needs becomes zeros.
// RUN: rnn-reduce --test=%S/Inputs/has-exp.sh %s -o - | FileCheck %s --check-prefix=UNUSED
// RUN: not rnn-reduce --test=%S/Inputs/has-exp.sh %t.mlir 2>&1 | FileCheck %s --check-prefix=ERROR

// What is left is the loop: layers became shorter, sums lost terms, delays became 1, the rest is gone.
// CHECK:      rnn.network @net
// CHECK-NEXT:   %[[W:.*]] = rnn.param @w
// CHECK-NEXT:   %[[H1:.*]] = rnn.delay %[[U:.*]] by 1 name "h" : tensor<4xf32>
// CHECK-NEXT:   %[[U]] = rnn.linear %[[H1]], %[[W]]
// CHECK-NEXT:   rnn.output %[[U]]

// UNUSED-NOT: rnn.parameter
// UNUSED:     rnn.network @net
// UNUSED:       math.exp %{{.*}} : tensor<2xf32>
// UNUSED-NEXT:  rnn.output

// ERROR: error: '{{.*}}has-exp.sh' ends with 0 for the whole module: there is nothing to reduce

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
  %t = tensor.extract_slice %s[0] [2] [1] : tensor<4xf32> to tensor<2xf32>
  %unused = math.exp %t : tensor<2xf32>
  %y = arith.mulf %h, %e : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
