// RUN: rnn-opt %s -rnn-fuse-elementwise -verify-each -split-input-file | FileCheck %s
// RUN: rnn-opt %s -test-rnn-interpret-each -rnn-fuse-elementwise -rnn-verify-schedule -split-input-file -o /dev/null

// What passes between the regions is no sequence any more; a product stays alone and may stand between them.

// CHECK-LABEL: rnn.schedule @chain
// CHECK:         %[[W:.*]] = rnn.param
// CHECK:         %[[R:.*]]:2 = rnn.parallel chunk ins(%x as %[[X:.*]] frame)
// CHECK-NEXT:      %[[E:.*]] = math.exp %[[X]]
// CHECK-NEXT:      %[[N:.*]] = arith.negf %[[E]]
// CHECK-NEXT:      %[[T:.*]] = math.tanh %[[N]]
// CHECK-NEXT:      rnn.yield %[[E]], %[[T]]
// CHECK:         rnn.parallel chunk
// CHECK-NEXT:      rnn.contract
// CHECK-NEXT:      rnn.yield
rnn.parameter @w : tensor<4x4xf32> init(#rnn.orthogonal<>)
rnn.schedule @chain infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (y: tensor<?x2x4xf32>, t: tensor<?x2x4xf32>) {
  %w = rnn.param @w : tensor<4x4xf32>
  %e = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.exp %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %y = rnn.parallel chunk ins(%w as %w0 static, %e as %e0 frame) : (tensor<4x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = rnn.contract %w0, %e0 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %n = rnn.parallel chunk ins(%e as %e0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = arith.negf %e0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %t = rnn.parallel chunk ins(%n as %n0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.tanh %n0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.return %y, %t : tensor<?x2x4xf32>, tensor<?x2x4xf32>
}

// -----

// A delay reads other frames of what it delays: its region does not compute that. Its result is fused all the same.

// CHECK-LABEL: rnn.schedule @delay
// CHECK:         %[[E:.*]] = rnn.parallel chunk
// CHECK-NEXT:      math.exp
// CHECK-NEXT:      rnn.yield
// CHECK:         rnn.parallel chunk ins(%[[E]] as %[[E0:.*]] frame)
// CHECK-NEXT:      %[[D:.*]] = rnn.delay %[[E0]] by 1
// CHECK-NEXT:      %[[N:.*]] = arith.negf %[[D]]
// CHECK-NEXT:      rnn.yield %[[N]]
rnn.schedule @delay infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (y: tensor<?x2x4xf32>) {
  %e = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.exp %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %d = rnn.parallel chunk ins(%e as %e0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = rnn.delay %e0 by 1 state "e" : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %y = rnn.parallel chunk ins(%d as %d0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = arith.negf %d0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.keep %e as "state.e" frames 1 : tensor<?x2x4xf32>
  rnn.return %y : tensor<?x2x4xf32>
}

// -----

// A path through a loop keeps two regions apart that feed each other otherwise. Static regions fuse by shape.

// CHECK-LABEL: rnn.schedule @around
// CHECK:         %[[E:.*]] = rnn.parallel chunk
// CHECK-NEXT:      math.exp
// CHECK-NEXT:      rnn.yield
// CHECK:         %[[H:.*]] = rnn.recurrent
// CHECK:         rnn.parallel chunk ins(%[[E]] as %{{.*}} frame, %[[H]] as %{{.*}} frame)
// CHECK-NEXT:      arith.mulf
// CHECK:         %[[S:.*]] = rnn.parallel static ins(%l as
// CHECK-NEXT:      math.exp
// CHECK-NEXT:      arith.negf
// CHECK-NEXT:      rnn.yield
// CHECK:         rnn.parallel static ins(%[[S]] as
// CHECK-NEXT:      rnn.broadcast
rnn.schedule @around infer of @n streams 2 (%x: tensor<?x2x4xf32>, %l: tensor<f32> {rnn.rate = "static"}) -> (y: tensor<?x2x4xf32>, b: tensor<4xf32> {rnn.rate = "static"}) {
  %e = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.exp %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %h = rnn.recurrent causal chunk ins(%e as %e0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %h1 = rnn.delay %hh by 1 state "h" : tensor<4xf32>
    %hh = arith.addf %e0, %h1 : tensor<4xf32>
    rnn.yield %hh : tensor<4xf32>
  }
  %y = rnn.parallel chunk ins(%e as %e0 frame, %h as %h0 frame) : (tensor<?x2x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = arith.mulf %e0, %h0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %0 = rnn.parallel static ins(%l as %l0 static) : (tensor<f32>) -> tensor<f32> {
    %4 = math.exp %l0 : tensor<f32>
    rnn.yield %4 : tensor<f32>
  }
  %1 = rnn.parallel static ins(%0 as %l0 static) : (tensor<f32>) -> tensor<f32> {
    %4 = arith.negf %l0 : tensor<f32>
    rnn.yield %4 : tensor<f32>
  }
  %b = rnn.parallel static ins(%1 as %l0 static) : (tensor<f32>) -> tensor<4xf32> {
    %4 = rnn.broadcast %l0 along [0] : tensor<f32> to tensor<4xf32>
    rnn.yield %4 : tensor<4xf32>
  }
  rnn.keep %h as "state.h" frames 1 : tensor<?x2x4xf32>
  rnn.return %y, %b : tensor<?x2x4xf32>, tensor<4xf32>
}
