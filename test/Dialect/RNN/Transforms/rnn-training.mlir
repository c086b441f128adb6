// RUN: rnn-opt %s -rnn-to-gradient | FileCheck %s
// RUN: rnn-opt %s -rnn-to-gradient -rnn-print-abi -o /dev/null 2>&1 | FileCheck %s --check-prefix=ABI
// ABI-LABEL: function net, infer
// ABI-NOT:     seed
// ABI-LABEL: function step, train
// ABI:         state seed: i64
// ABI-LABEL: function step.eval, eval
// ABI-NOT:     seed
// RUN: rnn-opt %s -rnn-expand-cells | FileCheck %s --check-prefix=EXPANDED

// A training step draws, its evaluation and the network have nothing left of it: no draw, no select, no seed.
// CHECK-NOT:   rnn.training
// CHECK-LABEL: rnn.network @net
// CHECK-NOT:     rnn.random
// CHECK-NOT:     arith.select
// CHECK:         rnn.output
// CHECK-LABEL: rnn.step @step train
// CHECK-NOT:     rnn.training
// CHECK-DAG:     rnn.random uniform <stream> id
// CHECK-DAG:     rnn.random uniform <frame> id
// CHECK-DAG:     arith.constant dense<true> : tensor<i1>
// CHECK-DAG:     arith.uitofp
// CHECK:         rnn.output
// CHECK-LABEL: rnn.step @step.eval eval
// CHECK-NOT:     rnn.random
// CHECK-NOT:     rnn.training
// CHECK:         rnn.output

// EXPANDED-LABEL: rnn.network @net
// EXPANDED:         rnn.random uniform <stream> : tensor<4xf32>
// EXPANDED:         arith.cmpf oge
// EXPANDED:         arith.divf
// EXPANDED:         rnn.training : tensor<4xi1>
// EXPANDED:         rnn.random uniform <frame> : tensor<4xf32>
// EXPANDED:         arith.cmpf olt
rnn.parameter @wx : tensor<4x4xf32> init(#rnn.uniform<>)
rnn.parameter @wh : tensor<4x4xf32> init(#rnn.uniform<>)
rnn.parameter @b : tensor<4xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>, %target: tensor<4xf32>) -> (h: tensor<4xf32>, e: tensor<f32>) {
  %y = rnn.dropout %x <stream> p(0.25) : tensor<4xf32>
  %h = rnn.elman "l0" %y wx(@wx) wh(@wh) b(@b) zoneout(0.5) : tensor<4xf32> -> tensor<4xf32>
  %mse = rnn.mean_squared_error %h, %target : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  // Whoever reads the flag itself gets a constant.
  %trains = rnn.training : tensor<i1>
  %number = arith.uitofp %trains : tensor<i1> to tensor<f32>
  %e = arith.addf %mse, %number : tensor<f32>
  rnn.output %h, %e : tensor<4xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>)
