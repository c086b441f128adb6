// RUN: split-file %s %t
// RUN: rnn-opt %t/example.mlir -rnn-print-recurrence -o /dev/null 2>&1 | FileCheck %t/example.mlir --match-full-lines
// RUN: rnn-opt %t/lstm.mlir -rnn-expand-cells -rnn-print-recurrence -o /dev/null 2>&1 | FileCheck %t/lstm.mlir
// RUN: rnn-opt %t/both.mlir -rnn-print-recurrence -o /dev/null 2>&1 | FileCheck %t/both.mlir --match-full-lines
// RUN: rnn-opt %t/example.mlir -rnn-print-recurrence=format=json -o /dev/null 2>%t/out.json
// RUN: %python -c "import json, sys; print(json.load(sys.stdin)['functions'][0]['components'][0])" < %t/out.json | FileCheck %t/example.mlir --check-prefix=JSON
// RUN: not rnn-opt %t/example.mlir -rnn-print-recurrence=format=yaml 2>&1 | FileCheck %t/example.mlir --check-prefix=FORMAT

//--- example.mlir
// CHECK:      component 1: recurrent causal, stages 0, carried %h[1], cycle %h -> %1 -> %h
// CHECK-NEXT: component 2: parallel, math.exp %y
// CHECK-NOT:  component
// JSON: {'bytes': 32, 'carried': ['%h[1]'], 'component': 1, 'cycle': ['%h', '%1', '%h'], 'cycle_delay': 1, 'direction': 'causal', 'domain': 'chunk', 'flops': 8, 'kind': 'recurrent', 'ops': ['rnn.delay', 'arith.addf', 'math.tanh'], 'signals': ['%0', '%1', '%h'], 'stages': 0}
// FORMAT: error: unknown format 'yaml'; expected text or json
rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %s = arith.addf %x, %h1 : tensor<4xf32>
  %h = math.tanh %s : tensor<4xf32>
  %y = math.exp %h : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

//--- lstm.mlir
// One exchange per frame: the product with h. The product of x is on no cycle.
// CHECK: parallel, rnn.contract
// CHECK: component {{[0-9]+}}: recurrent causal, stages 1, carried %l.h[1] %l.c[1], cycle %l.c -> %{{[0-9]+}} -> %l.c{{$}}
rnn.parameter @wx : tensor<16x3xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<16x4xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<16xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<3xf32>) -> (y: tensor<4xf32>) {
  %h, %c = rnn.lstm "l" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}

//--- both.mlir
// Several functions have their names before them; a source may be read at several delays, in both directions of time.
// CHECK:      function a
// CHECK-NEXT: component 1: recurrent anticausal, stages 0, carried %h[-2] %h[-1], cycle %h -> %h
// CHECK-NEXT: function b
// CHECK-NEXT: component 1: static, rnn.param %0
// CHECK-NEXT: component 2: reduction, rnn.sum_frames %1
// CHECK-NEXT: component 3: static, arith.mulf %y
rnn.parameter @w : tensor<4xf32> init(#rnn.zeros)
rnn.network @a(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %h2 = rnn.delay %h by -2 : tensor<4xf32>
  %h1 = rnn.delay %h by -1 : tensor<4xf32>
  %h = rnn.sum %h1, %h2, %x : tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}
rnn.network @b(%x: tensor<4xf32>) -> (y: tensor<4xf32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<4xf32>
  %s = rnn.sum_frames %x : tensor<4xf32>
  %y = arith.mulf %w, %s : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
