// RUN: rnn-opt %s -rnn-sink -verify-each -split-input-file | FileCheck %s
// RUN: rnn-opt %s -test-rnn-interpret-each -rnn-sink -rnn-verify-schedule -split-input-file -o /dev/null

// Three sequences follow from two: the loop reads the two.

// CHECK-LABEL: rnn.schedule @fewer
// CHECK-NEXT:    rnn.recurrent causal chunk ins(%a as %[[A:.*]] frame, %b as %[[B:.*]] frame)
// CHECK-NEXT:      rnn.delay
// CHECK-DAG:       arith.mulf %[[A]], %[[B]]
// CHECK-DAG:       arith.subf %[[A]], %[[B]]
// CHECK-DAG:       arith.addf %[[A]], %[[B]]
rnn.schedule @fewer infer of @n streams 2 (%a: tensor<?x2x4xf32>, %b: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  %p = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 frame) : (tensor<?x2x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = arith.mulf %a0, %b0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %q = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 frame) : (tensor<?x2x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = arith.subf %a0, %b0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %r = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 frame) : (tensor<?x2x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = arith.addf %a0, %b0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %h = rnn.recurrent causal chunk ins(%p as %p0 frame, %q as %q0 frame, %r as %r0 frame) : (tensor<?x2x4xf32>, tensor<?x2x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %h1 = rnn.delay %hh by 1 state "h" : tensor<4xf32>
    %0 = arith.mulf %p0, %h1 : tensor<4xf32>
    %1 = arith.subf %q0, %0 : tensor<4xf32>
    %hh = arith.mulf %r0, %1 : tensor<4xf32>
    rnn.yield %hh : tensor<4xf32>
  }
  rnn.keep %h as "state.h" frames 1 : tensor<?x2x4xf32>
  rnn.return %h : tensor<?x2x4xf32>
}

// -----

// One sequence in place of two stays, and so does an elementary function, and what others read too.
// A chain is cut where it is narrowest: the broadcast of a number moves, its computation does not.

// CHECK-LABEL: rnn.schedule @narrowest
// CHECK:         %[[P:.*]] = rnn.parallel chunk ins(%a
// CHECK-NEXT:      arith.mulf
// CHECK:         %[[E:.*]] = rnn.parallel chunk
// CHECK-NEXT:      math.exp
// CHECK:         %[[Q:.*]] = rnn.parallel chunk
// CHECK-NEXT:      arith.negf
// CHECK:         %[[N:.*]] = rnn.parallel chunk
// CHECK-NEXT:      math.sqrt
// CHECK:         rnn.recurrent causal chunk ins(%[[P]] as %{{.*}} frame, %[[E]] as %{{.*}} frame, %[[Q]] as %{{.*}} frame, %[[N]] as %{{.*}} frame)
// CHECK-NEXT:      rnn.delay
// CHECK-NEXT:      rnn.broadcast
rnn.schedule @narrowest infer of @n streams 2 (%a: tensor<?x2x4xf32>, %b: tensor<?x2x4xf32>, %n: tensor<?x2xf32>) -> (h: tensor<?x2x4xf32>, q: tensor<?x2x4xf32>) {
  %p = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 frame) : (tensor<?x2x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = arith.mulf %a0, %b0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %e = rnn.parallel chunk ins(%a as %a0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.exp %a0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %q = rnn.parallel chunk ins(%a as %a0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = arith.negf %a0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %s = rnn.parallel chunk ins(%n as %n0 frame) : (tensor<?x2xf32>) -> tensor<?x2xf32> {
    %0 = math.sqrt %n0 : tensor<f32>
    rnn.yield %0 : tensor<f32>
  }
  %w = rnn.parallel chunk ins(%s as %s0 frame) : (tensor<?x2xf32>) -> tensor<?x2x4xf32> {
    %0 = rnn.broadcast %s0 along [0] : tensor<f32> to tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %h = rnn.recurrent causal chunk ins(%p as %p0 frame, %e as %e0 frame, %q as %q0 frame, %w as %w0 frame) : (tensor<?x2x4xf32>, tensor<?x2x4xf32>, tensor<?x2x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %h1 = rnn.delay %hh by 1 state "h" : tensor<4xf32>
    %0 = arith.mulf %p0, %h1 : tensor<4xf32>
    %1 = arith.subf %q0, %0 : tensor<4xf32>
    %2 = arith.mulf %e0, %1 : tensor<4xf32>
    %hh = arith.mulf %w0, %2 : tensor<4xf32>
    rnn.yield %hh : tensor<4xf32>
  }
  rnn.keep %h as "state.h" frames 1 : tensor<?x2x4xf32>
  rnn.return %h, %q : tensor<?x2x4xf32>, tensor<?x2x4xf32>
}

// -----

// For any number of streams bytes count for one stream, and a value per stream costs a frame nothing: %p and %q move.

// CHECK-LABEL: rnn.schedule @any
// CHECK-NOT:     rnn.parallel
// CHECK:         rnn.recurrent causal chunk ins(%{{[ab]}} as %{{.*}}, %{{[ab]}} as
rnn.schedule @any infer of @n streams ? (%a: tensor<?x?x4xf32>, %b: tensor<?x4xf32> {rnn.rate = "stream"}) -> (h: tensor<?x?x4xf32>) {
  %p = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 stream) : (tensor<?x?x4xf32>, tensor<?x4xf32>) -> tensor<?x?x4xf32> {
    %0 = arith.mulf %a0, %b0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %q = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 stream) : (tensor<?x?x4xf32>, tensor<?x4xf32>) -> tensor<?x?x4xf32> {
    %0 = arith.subf %a0, %b0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %h = rnn.recurrent causal chunk ins(%p as %p0 frame, %q as %q0 frame) : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
    %h1 = rnn.delay %hh by 1 state "h" : tensor<4xf32>
    %0 = arith.mulf %p0, %h1 : tensor<4xf32>
    %hh = arith.subf %q0, %0 : tensor<4xf32>
    rnn.yield %hh : tensor<4xf32>
  }
  rnn.keep %h as "state.h" frames 1 : tensor<?x?x4xf32>
  rnn.return %h : tensor<?x?x4xf32>
}
