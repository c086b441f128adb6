// RUN: rnn-opt %s -rnn-simplify-delays -split-input-file -verify-each | FileCheck %s

// CHECK-LABEL: rnn.network @chain(
// CHECK-SAME:    %[[X:[a-z]*]]: tensor<4xf32>
// CHECK-DAG:     %[[A:.*]] = rnn.delay %[[X]] by 1 name "x"
// CHECK-DAG:     %[[B:.*]] = rnn.delay %[[X]] by 3 name "x"
// CHECK-DAG:     %[[C:.*]] = rnn.delay %[[X]] by 6 name "x"
// CHECK:         rnn.output %[[A]], %[[B]], %[[C]], %[[A]]
rnn.network @chain(%x: tensor<4xf32>) -> (a: tensor<4xf32>, b: tensor<4xf32>, c: tensor<4xf32>, d: tensor<4xf32>) {
  %c = rnn.delay %b by 3 : tensor<4xf32>
  %a = rnn.delay %x by 1 : tensor<4xf32>
  %b = rnn.delay %a by 2 : tensor<4xf32>
  %d = rnn.delay %x by 1 : tensor<4xf32>
  rnn.output %a, %b, %c, %d : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// Delays with an init, local delays and delays beyond the limit are left; so is a ring of delays.

// CHECK-LABEL: rnn.network @kept(
// CHECK-SAME:    %[[X:[a-z]*]]: tensor<4xf32>
// CHECK:         %[[I:.*]] = rnn.delay %[[X]] by 1 init(%[[X]])
// CHECK:         rnn.delay %[[I]] by 1
// CHECK:         %[[L:.*]] = rnn.delay %[[X]] by 1 local
// CHECK:         rnn.delay %[[L]] by 2
// CHECK:         %[[F:.*]] = rnn.delay %[[X]] by 1048576
// CHECK:         rnn.delay %[[F]] by 1
// CHECK:         %[[P:.*]] = rnn.delay %[[Q:.*]] by 1
// CHECK:         %[[Q]] = rnn.delay %[[P]] by 1
rnn.network @kept(%x: tensor<4xf32>) -> (b: tensor<4xf32>, m: tensor<4xf32>, g: tensor<4xf32>, p: tensor<4xf32>) {
  %i = rnn.delay %x by 1 init(%x) : tensor<4xf32>
  %b = rnn.delay %i by 1 : tensor<4xf32>
  %l = rnn.delay %x by 1 local : tensor<4xf32>
  %m = rnn.delay %l by 2 : tensor<4xf32>
  %f = rnn.delay %x by 1048576 : tensor<4xf32>
  %g = rnn.delay %f by 1 : tensor<4xf32>
  %p = rnn.delay %q by 1 : tensor<4xf32>
  %q = rnn.delay %p by 1 : tensor<4xf32>
  rnn.output %b, %m, %g, %p : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A dead cycle goes, a live one stays.

// CHECK-LABEL: rnn.network @dead(
// CHECK-NOT:     math.exp
// CHECK:         math.tanh
// CHECK-NOT:     math.exp
rnn.network @dead() -> (h: tensor<4xf32>) {
  %d1 = rnn.delay %d by 1 : tensor<4xf32>
  %d = math.exp %d1 : tensor<4xf32>
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %h = math.tanh %h1 : tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}
