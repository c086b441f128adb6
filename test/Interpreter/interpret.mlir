// RUN: rnn-opt %s -pass-pipeline='builtin.module(test-rnn-interpret{frames=3 streams=1 chunks=2})' -o /dev/null | FileCheck %s
// RUN: rnn-opt %s -test-rnn-interpret-each -canonicalize -cse -o /dev/null

// An integrator of ones over 3 frames, then 2 that go on from its state.
// CHECK:      @integrator chunk 0
// CHECK-NEXT: ages [3,1] 1 2 3
// CHECK-NEXT: state.age [1] 2
// CHECK-NEXT: state.frame [] 3
// CHECK-NEXT: state.n [1,1] 3
// CHECK-NEXT: state.y [1,1,2] 3 6
// CHECK-NEXT: y [3,1,2] 1 2 2 4 3 6
// CHECK-NEXT: @integrator chunk 1
// CHECK-NEXT: ages [2,1] 4 5
// CHECK:      y [2,1,2] 4 8 5 10
rnn.network @integrator() -> (y: tensor<2xf32>, ages: tensor<i32>) {
  %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y1 = rnn.delay %y by 1 : tensor<2xf32>
  %y = arith.addf %x, %y1 : tensor<2xf32>
  %sum = rnn.reduce max %y over [0] : tensor<2xf32> to tensor<f32>
  %one = arith.constant dense<1> : tensor<i32>
  %n1 = rnn.delay %n by 1 : tensor<i32>
  %n = arith.addi %n1, %one : tensor<i32>
  rnn.output %y, %n : tensor<2xf32>, tensor<i32>
}
