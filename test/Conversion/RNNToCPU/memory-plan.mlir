// RUN: split-file %s %t
// RUN: rnn-opt %t/planned.mlir -convert-rnn-to-cpu | FileCheck %s
// RUN: not rnn-opt %t/unplanned.mlir -convert-rnn-to-cpu 2>&1 | FileCheck %s --check-prefix=UNPLANNED

// Results are computed at their places: byte 64 + 192 * T of the workspace for %b. Behind the plan lies what the
// function needs for itself, here only its flags.

//--- planned.mlir
// CHECK-LABEL: func.func @rnn_fn_0(
// CHECK-SAME:    rnn.memory = {constant = 192 : i64, per_frame = 256 : i64, per_thread = 0 : i64}
// CHECK:         %[[PLACE:.*]] = llvm.mlir.constant(64 : i64)
// CHECK-NEXT:    arith.index_cast %{{.*}} : index to i64
// CHECK-NEXT:    %[[PER_FRAME:.*]] = llvm.mlir.constant(192 : i64)
// CHECK-NEXT:    %[[VARIABLE:.*]] = llvm.mul %{{.*}}, %[[PER_FRAME]]
// CHECK-NEXT:    llvm.add %[[VARIABLE]], %[[PLACE]]
rnn.schedule @m infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (b: tensor<?x2x4xf32>) attributes {rnn.memory = {constant = 128 : i64, per_frame = 256 : i64, per_thread = 0 : i64}} {
  %b = rnn.parallel chunk ins(%x as %x0 frame) {slots = [#rnn.slot<offset = 64, per_frame = 192>]} : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.absf %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.return %b : tensor<?x2x4xf32>
}

//--- unplanned.mlir
// UNPLANNED: unplanned.mlir:2:1: error: 'rnn.schedule' op has no memory plan; run rnn-plan-memory first
rnn.schedule @m infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (b: tensor<?x2x4xf32>) attributes {rnn.memory = {}} {
  %b = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.absf %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.return %b : tensor<?x2x4xf32>
}
