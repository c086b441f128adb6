// RUN: rnn-opt %s -convert-rnn-to-linalg -split-input-file -verify-each | FileCheck %s
// RUN: rnn-opt %s -convert-rnn-to-linalg -split-input-file | rnn-opt -canonicalize -split-input-file -o /dev/null

// A loop carries the sequence it writes; state and ages come in and go out by name.

rnn.parameter @w : tensor<8x8xf32> init(#rnn.orthogonal<>)

// CHECK-LABEL: func.func @loop(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x2x8xf32> {rnn.name = "x"}
// CHECK-SAME:    tensor<?x2xi1> {rnn.name = "r"}
// CHECK-SAME:    %[[W:[^:]*]]: tensor<8x8xf32> {rnn.name = "w"}
// CHECK-SAME:    tensor<1x2x8xf32> {rnn.name = "state.h"}
// CHECK-SAME:    tensor<2xi64> {rnn.name = "state.age"}
// CHECK-SAME:    -> (tensor<?x2x8xf32> {rnn.name = "h"}, tensor<1x2x8xf32> {rnn.name = "state.h"}
// CHECK:         scf.for
// CHECK:         scf.for {{.*}} -> (tensor<?x2x8xf32>, i1)
// CHECK:           linalg.generic {{.*}} ["parallel", "parallel", "reduction"]} ins(%[[W]]
// CHECK:           math.tanh {{.*}} : tensor<2x8xf32>
// CHECK:           tensor.insert_slice
// CHECK-NOT:     rnn.
// CHECK:         return
rnn.schedule @loop infer of @n streams 2 (%x: tensor<?x2x8xf32>, %r : tensor<?x2xi1> {rnn.reset}) -> (h: tensor<?x2x8xf32>) {
  %w = rnn.param @w : tensor<8x8xf32>
  %h = rnn.recurrent causal chunk ins(%x as %x0 frame, %w as %w0 static) : (tensor<?x2x8xf32>, tensor<8x8xf32>) -> tensor<?x2x8xf32> {
    %h1 = rnn.delay %hh by 1 state "h" : tensor<8xf32>
    %u = rnn.contract %w0, %h1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<8x8xf32>, tensor<8xf32>) -> tensor<8xf32>
    %s = rnn.sum %u, %x0 : tensor<8xf32>
    %hh = math.tanh %s : tensor<8xf32>
    rnn.yield %hh : tensor<8xf32>
  }
  rnn.keep %h as "state.h" frames 1 : tensor<?x2x8xf32>
  rnn.return %h : tensor<?x2x8xf32>
}

// -----

// Work on all frames at once has no loop; a weight gradient is one product over frames and streams.

// CHECK-LABEL: func.func @all_frames(
// CHECK:         linalg.generic {{.*}} ["reduction", "reduction", "parallel", "parallel"]}
// CHECK:         return {{.*}} : tensor<4x8xf32>
rnn.schedule @all_frames infer of @n streams 2 (%e: tensor<?x2x4xf32>, %x: tensor<?x2x8xf32>) -> (g: tensor<4x8xf32> {rnn.rate = "static"}) {
  %g = rnn.reduction chunk ins(%e as %e0 frame, %x as %x0 frame) : (tensor<?x2x4xf32>, tensor<?x2x8xf32>) -> tensor<4x8xf32> {
    %0 = rnn.contract %e0, %x0 [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<4xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    rnn.yield %0 : tensor<4x8xf32>
  }
  rnn.return %g : tensor<4x8xf32>
}

// -----

// Draws are arithmetic on the seed, the number of frames before the chunk (or of steps) and the coordinates; the frame
// number goes on without ages.

// CHECK-LABEL: func.func @random(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x2x3xf32> {rnn.name = "x"}
// CHECK-SAME:    %[[FRAME:[^:]*]]: tensor<i64> {rnn.name = "state.frame"}, %[[SEED:[^:]*]]: tensor<i64> {rnn.name = "seed"})
// CHECK-SAME:    -> (tensor<?x2x3xf32> {rnn.name = "y"}, tensor<i64> {rnn.name = "state.frame"}, tensor<i64> {rnn.name = "seed"})
// CHECK:         tensor.extract %[[SEED]][]
// CHECK:         %[[FIRST:.*]] = tensor.extract %[[FRAME]][]
// CHECK:         arith.addi %[[FIRST]], %{{.*}} : i64
// CHECK:         linalg.generic {{.*}} ["parallel", "parallel", "parallel"]}
// CHECK:           arith.addi %[[FIRST]], %{{.*}} : i64
// CHECK:           linalg.yield %{{.*}} : f32
// CHECK:         linalg.generic {{.*}} ["parallel"]}
// CHECK:           linalg.yield %{{.*}} : f32
// CHECK-NOT:     rnn.
// CHECK:         return
rnn.schedule @random infer of @n streams 2 (%x: tensor<?x2x3xf32>) -> (y: tensor<?x2x3xf32>) {
  %y = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x3xf32>) -> tensor<?x2x3xf32> {
    %u = rnn.random uniform <frame> id 1 : tensor<3xf32>
    %n = rnn.random normal <static> id 2 : tensor<3xf32>
    %0 = arith.addf %x0, %u : tensor<3xf32>
    %1 = arith.addf %0, %n : tensor<3xf32>
    rnn.yield %1 : tensor<3xf32>
  }
  rnn.return %y : tensor<?x2x3xf32>
}
