// With streams=0 one function serves any number of streams: B is a dimension of the first argument of frame rate.
// RUN: rnn-opt %s -rnn-to-linalg=streams=0 | FileCheck %s --check-prefixes=CHECK,SPLIT
// RUN: rnn-opt %s -rnn-to-linalg="streams=0 mode=sequential" | FileCheck %s --check-prefixes=CHECK,SEQ
// RUN: rnn-opt %s -rnn-to-linalg=streams=0 | rnn-opt -canonicalize -cse -o /dev/null

// CHECK-LABEL: func.func @net(
// CHECK-SAME:    tensor<?x3xf32> {rnn.name = "g"}
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x?x3xf32> {rnn.name = "x"}
// CHECK-SAME:    tensor<8x3xf32> {rnn.name = "wx"}
// CHECK-SAME:    tensor<1x?x8xf32> {rnn.name = "state.h"}
// CHECK-SAME:    tensor<?xi64> {rnn.name = "state.age"}
// CHECK-SAME:    -> (tensor<?x?x8xf32> {rnn.name = "h"}, tensor<1x?x8xf32> {rnn.name = "state.h"}, tensor<?xi64> {rnn.name = "state.age"}
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[ONE:.*]] = arith.constant 1 : index
// CHECK-DAG:     %[[T:.*]] = tensor.dim %[[X]], %[[ZERO]]
// CHECK-DAG:     %[[B:.*]] = tensor.dim %[[X]], %[[ONE]]
// CHECK:         tensor.empty(%[[T]], %[[B]]) : tensor<?x?xi64>
// SPLIT:         linalg.generic {{.*}} ["parallel", "parallel", "parallel", "reduction"]}
// CHECK:         scf.for {{.*}} -> (tensor<?x?x8xf32>)
// CHECK:           math.tanh {{.*}} : tensor<?x8xf32>
// CHECK:           tensor.insert_slice {{.*}} [1, %[[B]], 8] [1, 1, 1] : tensor<?x8xf32> into tensor<?x?x8xf32>
// CHECK-NOT:     rnn.
// CHECK:         return
rnn.parameter @wx : tensor<8x3xf32> init(#rnn.uniform<>)
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.orthogonal<>)
rnn.network @net(%g: tensor<3xf32> {rnn.rate = "stream"}, %x: tensor<3xf32>) -> (h: tensor<8xf32>) {
  %wx = rnn.param @wx : tensor<8x3xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %gx = arith.mulf %g, %x : tensor<3xf32>
  %a = rnn.linear %gx, %wx : (tensor<3xf32>, tensor<8x3xf32>) -> tensor<8xf32>
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %u = rnn.linear %h1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %s = rnn.sum %a, %u : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}

// Not even a stray constant tells how many streams there are.
// SEQ-NOT: tensor<?x1x
rnn.network @identity(%x: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}
