// A scalar index, which has no dimension of its own: one row per frame and stream.
// RUN: rnn-opt %s -rnn-to-linalg=streams=2 | FileCheck %s

// CHECK: func.func @net(%{{.*}}: tensor<?x2xi32>
// CHECK-SAME: tensor<5x4xf32>
// CHECK: linalg.generic
// CHECK: tensor.extract
rnn.parameter @table : tensor<5x4xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<i32>) -> (y: tensor<4xf32>) {
  %table = rnn.param @table : tensor<5x4xf32>
  %y = rnn.gather %table, %x : (tensor<5x4xf32>, tensor<i32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
