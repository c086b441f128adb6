// RUN: rnn-opt %s -rnn-print-abi -o /dev/null 2>&1 | FileCheck %s --match-full-lines
// RUN: rnn-opt %s -rnn-to-schedule=streams=3 -rnn-print-abi -o /dev/null 2>&1 | FileCheck %s --check-prefix=SCHEDULE --match-full-lines
// RUN: rnn-opt %s -rnn-print-abi=format=json -o /dev/null 2>&1 | FileCheck %s --check-prefix=JSON
// RUN: not rnn-opt %s -rnn-print-abi=format= 2>&1 | FileCheck %s --check-prefix=FORMAT

// FORMAT: error: unknown format ''; expected text or json

// CHECK:      function net, infer
// CHECK-NEXT:   argument x: f32 [T,B,4]
// CHECK-NEXT:   state state.h: f32 [2,B,4], fill 0
// CHECK-NEXT:   state state.age: i64 [B], fill -1
// CHECK-NEXT:   state state.frame: i64 [], fill 0
// CHECK-NEXT:   result h: f32 [T,B,4]

// JSON:      "functions": [
// JSON:      "kind": "infer",
// JSON-NEXT: "name": "net",
// JSON:      "dtype": "f32",
// JSON-NEXT: "name": "x",
// JSON-NEXT: "rate": "frame",
// JSON-NEXT: "role": "argument",
// JSON-NEXT: "shape": [
// JSON-NEXT:   "T",
// JSON-NEXT:   "B",
// JSON-NEXT:   4

// SCHEDULE:      function net, infer
// SCHEDULE-NEXT:   argument x: f32 [T,3,4]
// SCHEDULE-NEXT:   state state.h: f32 [2,3,4], fill 0
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %h1 = rnn.delay %h by 2 : tensor<4xf32>
  %h = arith.addf %x, %h1 : tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}

// Rates, parameters and slots; what a function does not read is not its tensor.
// CHECK-NEXT: function rates, infer
// CHECK-NEXT:   argument a: i32 []
// CHECK-NEXT:   argument b: f32 [B,2], default 0.5
// CHECK-NEXT:   parameter w: f32 [2]
// CHECK-NEXT:   result y: f32 [B,2]
rnn.parameter @w : tensor<2xf32> init(#rnn.zeros)
rnn.parameter @unused : tensor<2xf32> init(#rnn.zeros)
rnn.network @rates(%a: tensor<i32> {rnn.rate = "static"}, %b: tensor<2xf32> {rnn.rate = "stream", rnn.default = 0.5 : f64}) -> (y: tensor<2xf32> {rnn.rate = "stream"}) {
  %w = rnn.param @w : tensor<2xf32>
  %y = arith.addf %b, %w : tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}
