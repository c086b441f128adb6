// A first state is loaded before the frame waits for the words of other blocks, not between their arrival and the product.
// RUN: rnn-opt %s --rnn-to-schedule -convert-rnn-to-gpu=regime=grid | FileCheck %s

// CHECK-LABEL: gpu.func @rnn_fn_0_k3
// CHECK: scf.for {{.*}} iter_args
// The next frame's share of the input product and its age, then the age of this frame.
// CHECK: memref.load %{{.*}} : memref<?xf32, 1>
// CHECK: memref.load %{{.*}} : memref<?xi64, 1>
// CHECK: memref.load %{{.*}} : memref<?xi64, 1>
// CHECK: %[[H0:.*]] = memref.load %{{.*}} : memref<?xf32, 1>
// CHECK: scf.while
// CHECK-NOT: memref.load
// CHECK: arith.select %{{.*}}, %{{.*}}, %[[H0]] : f32
rnn.parameter @wx : tensor<4x4xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<4x4xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<4xf32> init(#rnn.zeros)
rnn.parameter @h0 : tensor<4xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %h0 = rnn.param @h0 : tensor<4xf32>
  %h = rnn.elman "l" %x wx(@wx) wh(@wh) b(@b) init(%h0) : tensor<4xf32> -> tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}
