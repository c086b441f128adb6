// RUN: rnn-opt %s -rnn-set-matmul-precision | FileCheck %s
// RUN: rnn-opt %s -rnn-set-matmul-precision=precision=f32 | FileCheck %s --check-prefix=F32
// RUN: not rnn-opt %s -rnn-set-matmul-precision=precision=f16 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: rnn-opt %s --rnn-to-gradient="of=step" | FileCheck %s --check-prefix=STEP

// ERROR: error: unknown precision of products 'f16'; expected f32 or bf16
// F32: rnn.network @net
// F32-NOT: round_to
// F32: rnn.network @loss

// Only what adds anything up, of floating-point numbers: not outer products of a frame, but those of all frames.
// CHECK: rnn.contract {{.*}} -> (d0)] round_to bf16 : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
// CHECK: rnn.contract {{.*}} -> (d0, d1)] : (tensor<4xf32>, tensor<8xf32>) -> tensor<4x8xf32>
// CHECK: rnn.contract {{.*}} sum_to static round_to bf16 : (tensor<4xf32>, tensor<8xf32>) -> tensor<4x8xf32>
// CHECK: rnn.contract {{.*}} -> ()] : (tensor<2xi32>, tensor<2xi32>) -> tensor<i32>
rnn.parameter @w : tensor<4x8xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<8xf32>, %k: tensor<2xi32>) -> (y: tensor<4xf32>, o: tensor<4x8xf32>, s: tensor<4x8xf32> {rnn.rate = "static"}, n: tensor<i32>) {
  %w = rnn.param @w : tensor<4x8xf32>
  %y = rnn.contract %w, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
  %o = rnn.contract %y, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] : (tensor<4xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %s = rnn.contract %y, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<4xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %n = rnn.contract %k, %k [(d0) -> (d0), (d0) -> (d0), (d0) -> ()] : (tensor<2xi32>, tensor<2xi32>) -> tensor<i32>
  rnn.output %y, %o, %s, %n : tensor<4xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<i32>
}

// The products of the gradient of such a product round, too.
// STEP: rnn.contract {{.*}} -> (d0)] round_to bf16 : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
// STEP: rnn.contract {{.*}} sum_to static round_to bf16 : {{.*}} -> tensor<4x8xf32>
rnn.network @loss(%x: tensor<8xf32>) -> (e: tensor<f32>) {
  %w = rnn.param @w : tensor<4x8xf32>
  %y = rnn.contract %w, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] round_to bf16 : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
  %q = arith.mulf %y, %y : tensor<4xf32>
  %e = rnn.reduce sum %q over [0] : tensor<4xf32> to tensor<f32>
  rnn.output %e : tensor<f32>
}
rnn.train_step @step of @loss loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>)
