// RUN: split-file %s %t
// RUN: rnn-opt %t/unknown.mlir --pass-pipeline='builtin.module(rnn-to-schedule)' -verify-diagnostics
// RUN: rnn-opt %t/schedule.mlir --pass-pipeline='builtin.module(rnn-to-schedule)' -verify-diagnostics
// RUN: rnn-opt %t/lowered.mlir --pass-pipeline='builtin.module(rnn-to-graph)' -verify-diagnostics
// RUN: rnn-opt %t/left.mlir -rnn-verify-lowered -verify-diagnostics
// RUN: not rnn-opt %t/left.mlir --pass-pipeline='builtin.module(rnn-run-phase{level=top passes=builtin.module(rnn-sort)})' 2>&1 \
// RUN:   | FileCheck %s
// CHECK: error: unknown level 'top'; expected graph, gradient, schedule or lowered

//--- unknown.mlir
// expected-error @+1 {{unknown level "top" in 'rnn.level'; expected graph, gradient, schedule or lowered}}
module attributes {rnn.level = "top"} {
}
//--- schedule.mlir
module attributes {rnn.level = "schedule"} {
  // expected-error @+1 {{'rnn.level' of the module is 'schedule', but here is a 'rnn.network'}}
  rnn.network @n(%x: tensor<3xf32>) -> (y: tensor<3xf32>) {
    rnn.output %x : tensor<3xf32>
  }
}
//--- lowered.mlir
module attributes {rnn.level = "lowered"} {
  // expected-error @+1 {{'rnn.level' of the module is 'lowered', but here is a 'rnn.schedule'}}
  rnn.schedule @s infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
    rnn.return %x : tensor<?x2x4xf32>
  }
}
//--- left.mlir
rnn.schedule @s infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  // expected-error @+1 {{'rnn.return' op is not allowed after lowering}}
  rnn.return %x : tensor<?x2x4xf32>
}
