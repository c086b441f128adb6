// RUN: rnn-opt %s -rnn-partition="streams=2" -verify-each -split-input-file | FileCheck %s
// RUN: rnn-opt %s -rnn-partition="mode=sequential streams=2" -verify-each -split-input-file | FileCheck %s --check-prefix=SEQ
// RUN: rnn-opt %s -rnn-partition="streams=2" -remarks-filter='rnn-.*' -split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: rnn-opt %s -rnn-partition="streams=0" -verify-each -split-input-file | FileCheck %s --check-prefix=ANY
// RUN: rnn-opt %s -test-rnn-interpret-each -rnn-partition="streams=2" -split-input-file -o /dev/null
// RUN: rnn-opt %s -test-rnn-interpret-each -rnn-partition="mode=sequential streams=2" -split-input-file -o /dev/null
// RUN: rnn-opt %s -test-rnn-interpret-each -rnn-partition="streams=0" -split-input-file -o /dev/null
// RUN: rnn-opt %s -test-rnn-interpret-each -rnn-partition="mode=sequential streams=0" -split-input-file -o /dev/null

// The product with the input and the outer terms of the sum leave the loop; a delay off the cycle reads the sequence.

rnn.parameter @wx : tensor<4x3xf32> init(#rnn.uniform<>)
rnn.parameter @wa : tensor<4x4xf32> init(#rnn.orthogonal<>)
rnn.parameter @b : tensor<4xf32> init(#rnn.zeros)

// For any number of streams B is open in every type, and nothing else is another.
// ANY-LABEL:   rnn.schedule @loop infer of @loop streams ? (%x: tensor<?x?x3xf32>) -> (a: tensor<?x?x4xf32>, d: tensor<?x?x4xf32>)
// ANY:           rnn.recurrent causal chunk ins({{.*}}) : (tensor<4x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
// ANY-NEXT:        rnn.delay {{.*}} : tensor<4xf32>

// CHECK-LABEL: rnn.schedule @loop infer of @loop streams 2 (%x: tensor<?x2x3xf32>) -> (a: tensor<?x2x4xf32>, d: tensor<?x2x4xf32>)
// CHECK-DAG:     %[[WX:.*]] = rnn.param @wx
// CHECK-DAG:     %[[WA:.*]] = rnn.param @wa
// CHECK-DAG:     %[[B:.*]] = rnn.param @b
// CHECK:         %[[GX:.*]] = rnn.parallel chunk ins(%[[WX]] as %{{.*}} static, %x as %{{.*}} frame)
// CHECK-NEXT:      rnn.contract
// CHECK-NEXT:      rnn.yield
// CHECK:         %[[OUTER:.*]] = rnn.parallel chunk ins(%[[GX]] as %{{.*}} frame, %[[B]] as %{{.*}} static)
// CHECK-NEXT:      rnn.sum
// CHECK:         %[[A:.*]] = rnn.recurrent causal chunk ins(%[[WA]] as %{{.*}} static, %[[OUTER]] as %[[IN:.*]] frame)
// CHECK-NEXT:      rnn.delay %[[NEXT:.*]] by 1 {{.*}} state "a"
// CHECK-NEXT:      rnn.contract
// CHECK-NEXT:      %[[S:.*]] = rnn.sum %[[IN]],
// CHECK-NEXT:      %[[NEXT]] = math.tanh %[[S]]
// CHECK-NEXT:      rnn.yield %[[NEXT]]
// CHECK:         rnn.parallel chunk ins(%[[A]] as %[[A0:.*]] frame)
// CHECK-NEXT:      rnn.delay %[[A0]] by 2 {{.*}} state "a"
// CHECK:         rnn.parallel chunk
// CHECK-NEXT:      arith.constant
// CHECK-NEXT:      arith.mulf
// CHECK:         rnn.keep %[[A]] as "state.a" frames 2
// CHECK:         rnn.return %[[A]]

// SEQ-LABEL: rnn.schedule @loop
// SEQ-NOT:     rnn.parallel
// SEQ:         rnn.recurrent causal chunk
// SEQ:           rnn.delay {{.*}} by 1
// SEQ-NEXT:      rnn.delay {{.*}} by 2
// SEQ-NOT:     rnn.recurrent
// SEQ:         rnn.return

// REMARK-DAG: remark: [Passed] Hoisted | Category:rnn-hoist {{.*}} K=3, M=4, N=1
// REMARK-DAG: remark: [Analysis] Loop | Category:rnn-recurrence {{.*}} Delay=1, Reason="cycle %a ->
// REMARK-DAG: remark: [Missed] KeptInLoop | {{.*}} which the loop computes", {{.*}} Suggestion=
rnn.network @loop(%x: tensor<3xf32>) -> (a: tensor<4xf32>, d: tensor<4xf32>) {
  %wx = rnn.param @wx : tensor<4x3xf32>
  %wa = rnn.param @wa : tensor<4x4xf32>
  %b = rnn.param @b : tensor<4xf32>
  %two = arith.constant dense<2.0> : tensor<4xf32>
  %gx = rnn.contract %wx, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x3xf32>, tensor<3xf32>) -> tensor<4xf32>
  %a1 = rnn.delay %a by 1 : tensor<4xf32>
  %a2 = rnn.delay %a by 2 : tensor<4xf32>
  %ga = rnn.contract %wa, %a1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %gb = rnn.sum %ga, %b : tensor<4xf32>
  %s = rnn.sum %gx, %gb : tensor<4xf32>
  %a = math.tanh %s : tensor<4xf32>
  %d = arith.mulf %a2, %two : tensor<4xf32>
  rnn.output %a, %d : tensor<4xf32>, tensor<4xf32>
}

// -----

// A step: reductions, static work, assigns and the guard; window and ring. A private network is gone.

rnn.parameter @w : tensor<4xf32> init(#rnn.uniform<>)

// CHECK-NOT:   rnn.network
// CHECK-LABEL: rnn.schedule @step train of @net streams 2 bptt<window = 6, advance = 3>
// CHECK:         %[[W:.*]] = rnn.param @w
// CHECK:         %[[Y:.*]] = rnn.parallel chunk
// CHECK:         %[[SAVED:.*]] = rnn.parallel window ins(%[[Y]] as %[[Y0:.*]] frame)
// CHECK-NEXT:      rnn.save %[[Y0]] ring "0"
// CHECK:         rnn.reduction window ins(%[[SAVED]] as %{{.*}} frame)
// CHECK-NEXT:      rnn.sum_frames
// CHECK:         %[[NEW:.*]] = rnn.parallel static
// CHECK-NEXT:      arith.subf
// CHECK:         rnn.assign @w, %[[NEW]]
// CHECK:         %[[TRUE:.*]] = rnn.parallel static ins()
// CHECK-NEXT:      arith.constant
// CHECK:         rnn.guard %[[TRUE]]
// CHECK:         rnn.keep %[[Y]] as "ring.0" frames 3
// CHECK:         %[[SPREAD:.*]] = rnn.parallel chunk ins(%[[W]] as %[[W0:.*]] static)
// CHECK-NEXT:      rnn.yield %[[W0]]
// CHECK:         rnn.return %[[SPREAD]]

// SEQ-LABEL: rnn.schedule @step
// SEQ:         rnn.recurrent causal chunk
// SEQ-NEXT:      arith.mulf
// SEQ:         rnn.parallel window
// SEQ-NEXT:      rnn.save
// SEQ:         rnn.reduction window
rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) attributes {sym_visibility = "private"} {
  %y = arith.negf %x : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
rnn.step @step train of @net bptt<window = 6, advance = 3> losses [] metrics [] (%x: tensor<4xf32>) -> (before: tensor<4xf32>) {
  %w = rnn.param @w : tensor<4xf32>
  %true = arith.constant dense<true> : tensor<i1>
  %y = arith.mulf %x, %w : tensor<4xf32>
  %saved = rnn.save %y ring "0" : tensor<4xf32>
  %g = rnn.sum_frames %saved : tensor<4xf32>
  %new = arith.subf %w, %g : tensor<4xf32>
  rnn.assign @w, %new : tensor<4xf32>
  rnn.guard %true : tensor<i1>
  rnn.output %w : tensor<4xf32>
}
