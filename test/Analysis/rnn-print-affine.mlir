// RUN: rnn-opt %s -rnn-print-affine -o /dev/null 2>&1 | FileCheck %s --match-full-lines
// RUN: rnn-opt %s -rnn-print-affine=format=json -o /dev/null 2>&1 | FileCheck %s --check-prefix=JSON
// RUN: not rnn-opt %s -rnn-print-affine=format=xml 2>&1 | FileCheck %s --check-prefix=FORMAT

// FORMAT: error: unknown format 'xml'; expected text or json
// JSON:      "carried": [
// JSON-NEXT:   "%h[1]"
// JSON:      "order": 1,
// JSON:      "reason": "'math.tanh' of %g is not affine",

// CHECK:      function example
// CHECK-NEXT: component 1: scan causal, order 1, carried %h[1]
// CHECK-NEXT: component 2: loop causal, 'math.tanh' of %g is not affine
rnn.network @example(%a: tensor<4xf32>, %x: tensor<4xf32>) -> (h: tensor<4xf32>, g: tensor<4xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %keep = arith.mulf %a, %h1 : tensor<4xf32>
  %h = arith.addf %keep, %x : tensor<4xf32>
  %g1 = rnn.delay %g by 1 : tensor<4xf32>
  %s = arith.addf %g1, %h : tensor<4xf32>
  %g = math.tanh %s : tensor<4xf32>
  rnn.output %h, %g : tensor<4xf32>, tensor<4xf32>
}

// The adjoint of the first loop: the delay comes after the coefficient.
// CHECK-NEXT: function adjoint
// CHECK-NEXT: component 1: scan anticausal, order 1, carried %q[-1]
rnn.network @adjoint(%a: tensor<4xf32>, %d: tensor<4xf32>) -> (e: tensor<4xf32>) {
  %q = arith.mulf %a, %e : tensor<4xf32>
  %q1 = rnn.delay %q by -1 local : tensor<4xf32>
  %e = arith.addf %d, %q1 : tensor<4xf32>
  rnn.output %e : tensor<4xf32>
}

// A complex rotation: two signals, coupled unit by unit.
// CHECK-NEXT: function rotation
// CHECK-NEXT: component 1: scan causal, order 2, carried %u[1] %v[1]
rnn.network @rotation(%c: tensor<4xf32>, %s: tensor<4xf32>) -> (u: tensor<4xf32>, v: tensor<4xf32>) {
  %u1 = rnn.delay %u by 1 : tensor<4xf32>
  %v1 = rnn.delay %v by 1 : tensor<4xf32>
  %cu = arith.mulf %c, %u1 : tensor<4xf32>
  %sv = arith.mulf %s, %v1 : tensor<4xf32>
  %su = arith.mulf %s, %u1 : tensor<4xf32>
  %cv = arith.mulf %c, %v1 : tensor<4xf32>
  %u = arith.subf %cu, %sv : tensor<4xf32>
  %v = arith.addf %su, %cv : tensor<4xf32>
  rnn.output %u, %v : tensor<4xf32>, tensor<4xf32>
}
