// RUN: rnn-opt %s -rnn-sort -verify-each | FileCheck %s
// RUN: rnn-opt %s -rnn-sort -o %t.once
// RUN: rnn-opt %t.once -rnn-sort | diff %t.once -

// CHECK-LABEL: rnn.network @net(
// CHECK-SAME:    %[[X:[a-z]*]]: tensor<4xf32>
// CHECK-NEXT:    %[[A:.*]] = math.tanh %[[X]]
// CHECK-NEXT:    %[[H1:.*]] = rnn.delay %[[H:.*]] by 1
// CHECK-NEXT:    %[[U:.*]] = math.exp %[[H1]]
// CHECK-NEXT:    %[[H]] = arith.addf %[[A]], %[[U]]
// CHECK-NEXT:    %[[Y:.*]] = math.sin %[[H]]
// CHECK-NEXT:    rnn.output %[[Y]]
rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %y = math.sin %h : tensor<4xf32>
  %h = arith.addf %a, %u : tensor<4xf32>
  %u = math.exp %h1 : tensor<4xf32>
  %a = math.tanh %x : tensor<4xf32>
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
