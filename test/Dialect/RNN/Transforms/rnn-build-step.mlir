// RUN: rnn-opt %s -rnn-build-step | FileCheck %s
// RUN: rnn-opt %s -rnn-build-step=keep=gradients,results | FileCheck %s --check-prefix=KEEP
// RUN: rnn-opt %s -rnn-build-step=of=other_step | FileCheck %s --check-prefix=OF

rnn.parameter @w : tensor<4x4xf32> init(#rnn.zeros)
rnn.parameter @fixed : tensor<4xf32> init(#rnn.zeros) frozen
rnn.parameter @unread : tensor<2xf32> init(#rnn.zeros)
rnn.parameter @elsewhere : tensor<2xf32> init(#rnn.zeros)

// CHECK: rnn.network @other
rnn.network @other(%x: tensor<2xf32>) -> (y: tensor<f32>) {
  %p = rnn.param @elsewhere : tensor<2xf32>
  %d = arith.mulf %x, %p : tensor<2xf32>
  %y = rnn.reduce sum %d over [0] : tensor<2xf32> to tensor<f32>
  rnn.output %y : tensor<f32>
}

// The optimizer's slots are parameters of the module.
// CHECK-DAG: rnn.parameter @opt.step : tensor<i64> init(#rnn.zeros) slot
// CHECK-DAG: rnn.parameter @opt.m.w : tensor<4x4xf32> init(#rnn.zeros) slot
// CHECK-DAG: rnn.parameter @opt.v.w : tensor<4x4xf32> init(#rnn.zeros) slot
// CHECK-DAG: rnn.parameter @opt.m.unread : tensor<2xf32> init(#rnn.zeros) slot
// CHECK-NOT: opt.{{.*}}.fixed
// CHECK-NOT: opt.{{.*}}.elsewhere

// CHECK: rnn.network @net(
rnn.network @net(%x: tensor<4xf32>, %m: tensor<i1>) -> (h: tensor<4xf32>, mse: tensor<f32>, counted: tensor<i1>) {
  %h1 = rnn.delay %h by 1 name "h" state "h" : tensor<4xf32>
  %w = rnn.param @w : tensor<4x4xf32>
  %again = rnn.param @w : tensor<4x4xf32>
  %f = rnn.param @fixed : tensor<4xf32>
  %u = rnn.contract %w, %h1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %v = rnn.contract %again, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %h = rnn.sum %u, %v, %f : tensor<4xf32>
  %hh = arith.mulf %h, %h : tensor<4xf32>
  %mse = rnn.reduce sum %hh over [0] : tensor<4xf32> to tensor<f32>
  rnn.output %h, %mse, %m : tensor<4xf32>, tensor<f32>, tensor<i1>
}

// CHECK-LABEL: rnn.step @step train of @net bptt<window = 4, advance = 2> losses
// CHECK-SAME:    %[[X:x]]: tensor<4xf32>, %[[M:m]]: tensor<i1>, %[[MASK:mask]]: tensor<i1> {rnn.default = 1.000000e+00 : f64}
// CHECK-SAME:    %[[LR:lr]]: tensor<f32> {rnn.default = 4.000000e-03 : f64, rnn.rate = "static"}
// CHECK-SAME:    -> (loss: tensor<f32> {rnn.rate = "static"}, sum.mse: {{.*}}, count.mse: tensor<i64> {{.*}}, grad_norm: tensor<f32> {rnn.rate = "static"})
// One read of each parameter, whatever the network does.
// CHECK:         %[[W:.*]] = rnn.param @w
// CHECK-NOT:     rnn.param @w
// CHECK:         %[[MSE:.*]] = rnn.reduce sum
// Masking selects, and the sums are over frames.
// CHECK:         %[[COUNTED:.*]] = arith.andi %[[MASK]], %[[M]] : tensor<i1>
// CHECK:         %[[MASKED:.*]] = arith.select %[[COUNTED]], %[[MSE]]
// CHECK:         %[[SUM:.*]] = rnn.sum_frames %[[MASKED]]
// CHECK:         %[[COUNT:.*]] = rnn.sum_frames
// CHECK:         arith.sitofp %[[COUNT]]
// CHECK:         %[[LOSS:.*]] = arith.divf %[[SUM]]
// CHECK:         %[[UNREAD:.*]] = rnn.param @unread
// CHECK:         %[[G:.*]]:2 = rnn.gradient %[[LOSS]] wrt(%[[W]], %[[UNREAD]])
// CHECK:         %[[NORM:.*]] = math.sqrt
// CHECK:         rnn.guard
// CHECK:         arith.minimumf
// CHECK:         rnn.assign @opt.step
// CHECK:         rnn.assign @w
// CHECK:         rnn.assign @opt.m.w
// CHECK:         rnn.assign @opt.v.w
// CHECK:         rnn.output %[[LOSS]], %[[SUM]], %[[COUNT]], %[[NORM]]

// Evaluation returns the network's results, and neither differentiates nor assigns.
// CHECK-LABEL: rnn.step @step.eval eval of @net losses
// CHECK-SAME:    -> (loss: {{.*}}, sum.mse: {{.*}}, count.mse: {{.*}}, h: tensor<4xf32>, mse: tensor<f32>, counted: tensor<i1>)
// CHECK-NOT:     rnn.gradient
// CHECK-NOT:     rnn.assign
// CHECK-LABEL: rnn.step @other_step train

// KEEP: rnn.step @step train
// KEEP-SAME:    grad_norm: {{.*}}, grad.w: tensor<4x4xf32> {rnn.rate = "static"}, grad.unread: {{.*}}, h: tensor<4xf32>, mse: tensor<f32>, counted: tensor<i1>

// OF:     rnn.train_step @step
// OF:     rnn.step @other_step train of @other
// OF:     rnn.step @other_step.eval eval of @other
// OF-NOT: rnn.step @step
rnn.train_step @step of @net loss("mse" mean mask "counted") optimizer(#rnn.adam<lr = 0.004>) clip<norm = 1.0> bptt<window = 4, advance = 2>
rnn.train_step @other_step of @other loss("y" sum weight 2.0) optimizer(#rnn.sgd<lr = 0.1>)
