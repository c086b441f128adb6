// Dialect, passes and pipelines in stock mlir-opt, which has its own libMLIR.so: traits and interfaces must be the same
// on both sides, or terminators are none and cse merges nothing. Stock passes go on from where ours end.
// REQUIRES: plugin, mlir-opt
// RUN: mlir-opt --load-dialect-plugin=%rnn_plugin %s --verify-roundtrip -o /dev/null
// RUN: mlir-opt --load-dialect-plugin=%rnn_plugin --pass-pipeline='builtin.module(cse,canonicalize)' %s | FileCheck %s --check-prefix=GRAPH
// RUN: mlir-opt --load-dialect-plugin=%rnn_plugin --pass-pipeline='builtin.module(rnn-to-linalg{streams=2})' %s | FileCheck %s
// RUN: mlir-opt --load-pass-plugin=%rnn_plugin --load-dialect-plugin=%rnn_plugin --pass-pipeline='builtin.module(rnn-print-recurrence)' %s -o /dev/null 2>&1 | FileCheck %s --check-prefix=PRINT
// RUN: mlir-opt --load-dialect-plugin=%rnn_plugin --pass-pipeline='builtin.module(rnn-to-linalg,func.func(convert-elementwise-to-linalg),one-shot-bufferize{bufferize-function-boundaries allow-return-allocs-from-loops})' %s -o /dev/null
// RUN: not mlir-opt --load-pass-plugin=%rnn_plugin %s 2>&1 | FileCheck %s --check-prefix=PASSES

// GRAPH-COUNT-1: math.exp
// CHECK:     func.func @net(%{{.*}}: tensor<?x2x4xf32>
// CHECK:     scf.for
// CHECK-NOT: rnn.delay
// PRINT:     recurrent causal, stages 0, carried %h[1]
// PASSES:    Dialect `rnn' not found for custom op 'rnn.network'
rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %a = math.exp %x : tensor<4xf32>
  %b = math.exp %x : tensor<4xf32>
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %s = rnn.sum %a, %h1, %b : tensor<4xf32>
  %h = math.tanh %s : tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}
