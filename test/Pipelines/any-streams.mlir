// streams=0 is for the exit to linalg. Every other pipeline, and the options of a memory plan, say so before they
// print anything.
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-linalg{streams=0})' | FileCheck %s --check-prefix=LINALG
// RUN: not rnn-opt %s --pass-pipeline='builtin.module(rnn-to-schedule{streams=0})' 2>&1 | FileCheck %s
// RUN: not rnn-opt %s --pass-pipeline='builtin.module(rnn-to-cpu{streams=0})' 2>&1 | FileCheck %s
// RUN: not rnn-opt %s --pass-pipeline='builtin.module(rnn-to-gpu{streams=0})' 2>&1 | FileCheck %s
// RUN: not rnn-opt %s --pass-pipeline='builtin.module(rnn-to-linalg{streams=0 limit=1000})' 2>&1 | FileCheck %s
// RUN: not rnn-opt %s --pass-pipeline='builtin.module(rnn-to-linalg{streams=0 remat=keep})' 2>&1 | FileCheck %s

// CHECK-NOT:  error:
// CHECK:      any-streams.mlir:[[@LINE+6]]:1: error: 'net' is for any number of streams (streams=0)
// CHECK:      note: 'rnn-to-linalg' takes streams=0; a memory plan, and all other code, is for a fixed number
// CHECK-NOT:  error:
// CHECK-NOT:  func.func
// LINALG: module attributes {rnn.level = "lowered"}
// LINALG: func.func @net(%{{.*}}: tensor<?x?x4xf32> {rnn.name = "x"}
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %s = arith.addf %x, %h1 : tensor<4xf32>
  %h = math.tanh %s : tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}
