// RUN: split-file %s %t
// RUN: cd %t
// RUN: not rnn-opt cycle.mlir 2>&1 | FileCheck cycle.mlir
// RUN: not rnn-opt mixed.mlir 2>&1 | FileCheck mixed.mlir
// RUN: not rnn-opt list.mlir 2>&1 | FileCheck list.mlir
// RUN: not rnn-opt limits.mlir 2>&1 | FileCheck limits.mlir

// Messages as they reach a terminal: file, line, column, and the notes in their order.

//--- cycle.mlir
// CHECK:      cycle.mlir:7:1: error: network @n has a cycle without a delay: %g -> %h -> %g
// CHECK:      cycle.mlir:9:8: note: %h uses %g here
// CHECK:      cycle.mlir:8:8: note: %g uses %h here



rnn.network @n(%x: tensor<f32>) -> (g: tensor<f32>, h: tensor<f32>) {
  %g = arith.addf %x, %h : tensor<f32>
  %h = math.tanh %g : tensor<f32>
  rnn.output %g, %h : tensor<f32>, tensor<f32>
}
//--- mixed.mlir
// CHECK:      mixed.mlir:6:1: error: cycle mixes positive and negative delays: %a -> %b -> %a
// CHECK:      mixed.mlir:7:8: note: delayed by 2 here
// CHECK:      mixed.mlir:8:8: note: delayed by -1 here
// CHECK:      mixed.mlir:6:1: note: the delays of the cycle add up to 1: retimed, it has one delay by 1 and no other

rnn.network @n() -> (a: tensor<f32>) {
  %b = rnn.delay %a by 2 : tensor<f32>
  %a = rnn.delay %b by -1 : tensor<f32>
  rnn.output %a : tensor<f32>
}
//--- list.mlir
// CHECK:      list.mlir:6:8: error: 'math.cosh' op is not allowed in a network
// CHECK:      list.mlir:6:8: note: allowed: elementwise arith and math, tensor reshapes, rnn ops


rnn.network @n(%x: tensor<f32>) -> (y: tensor<f32>) {
  %y = math.cosh %x : tensor<f32>
  rnn.output %y : tensor<f32>
}
//--- limits.mlir
// CHECK: limits.mlir:4:8: error: delay 2097152 is out of range, |d| <= 1048576

rnn.network @n(%x: tensor<f32>) -> (y: tensor<f32>) {
  %y = rnn.delay %x by 2097152 : tensor<f32>
  rnn.output %y : tensor<f32>
}
