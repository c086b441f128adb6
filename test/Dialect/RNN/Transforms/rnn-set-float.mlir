// RUN: rnn-opt %s -rnn-set-float -verify-each | FileCheck %s

// Constants keep their f32 values; parameters say that they are drawn in f32; random numbers are widened.

// CHECK: rnn.parameter @w : tensor<4xf64> init(#rnn.constant<1.000000e-01>) {rnn.precision = "f32"}
// CHECK: rnn.parameter @n : tensor<i32>
// CHECK-NOT: rnn.precision
// CHECK-LABEL: rnn.network @net(
// CHECK-SAME:    %[[X:[a-z]*]]: tensor<4xf64>) -> (y: tensor<4xf64>, z: tensor<4xf64>)
// CHECK:         arith.constant dense<0.1000000014901161{{[0-9]*}}> : tensor<4xf64>
// CHECK:         %[[R:.*]] = rnn.random normal <frame> : tensor<4xf32>
// CHECK:         %[[E:.*]] = arith.extf %[[R]] : tensor<4xf32> to tensor<4xf64>
// CHECK:         %[[Y:.*]] = rnn.sum %[[X]], %{{.*}}, %[[E]], %{{.*}} : tensor<4xf64>
// CHECK:         rnn.output %[[Y]], %[[Y]]
rnn.parameter @w : tensor<4xf32> init(#rnn.constant<0.1>)
rnn.parameter @n : tensor<i32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>, z: tensor<4xf64>) {
  %c = arith.constant dense<0.1> : tensor<4xf32>
  %r = rnn.random normal <frame> : tensor<4xf32>
  %w = rnn.param @w : tensor<4xf32>
  %y = rnn.sum %x, %c, %r, %w : tensor<4xf32>
  %z = arith.extf %y : tensor<4xf32> to tensor<4xf64>
  rnn.output %y, %z : tensor<4xf32>, tensor<4xf64>
}
