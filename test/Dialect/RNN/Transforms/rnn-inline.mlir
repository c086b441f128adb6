// RUN: rnn-opt %s -rnn-inline -split-input-file -verify-each | FileCheck %s

// Names of a call prefix those of its callee, through several levels.

rnn.network @cell(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %h = arith.addf %x, %h1 : tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}

rnn.network @pair(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %b = rnn.call "b" @cell(%a) : (tensor<4xf32>) -> tensor<4xf32>
  %a = rnn.call "a" @cell(%x) : (tensor<4xf32>) -> tensor<4xf32>
  rnn.output %b : tensor<4xf32>
}

// CHECK-LABEL: rnn.network @net(
// CHECK-SAME:    %[[X:[a-z]*]]: tensor<4xf32>
// CHECK:         rnn.delay %[[B:.*]] by 1 name "p.b.h"
// CHECK:         %[[B]] = arith.addf %[[A:.*]], %{{.*}}
// CHECK:         rnn.delay %[[A]] by 1 name "p.a.h"
// CHECK:         %[[A]] = arith.addf %[[X]], %{{.*}}
// CHECK-NOT:     rnn.call
// CHECK:         rnn.output %[[B]]
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %h = rnn.call "p" @pair(%x) : (tensor<4xf32>) -> tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}

// -----

// A call may be fed by its own result.

rnn.network @step(%h: tensor<4xf32>) -> (next: tensor<4xf32>, last: tensor<4xf32>) {
  %last = rnn.delay %h by 1 : tensor<4xf32>
  %next = math.tanh %last : tensor<4xf32>
  rnn.output %next, %last : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: rnn.network @loop(
// CHECK:         %[[L:.*]] = rnn.delay %[[N:.*]] by 1 name "s.h"
// CHECK:         %[[N]] = math.tanh %[[L]]
// CHECK:         rnn.output %[[L]]
rnn.network @loop() -> (y: tensor<4xf32>) {
  %n, %y = rnn.call "s" @step(%n) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  rnn.output %y : tensor<4xf32>
}
