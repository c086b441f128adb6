// The flag finds a pass that changes a result: folding rounds exp(0.1) to f32, and the interpreter does not.
// In f64 (rnn-set-float) the same fold is exact enough.
// RUN: not rnn-opt %s --test-rnn-interpret-each --canonicalize -o /dev/null 2>&1 | FileCheck %s
// RUN: rnn-opt %s --test-rnn-interpret-each --rnn-set-float=type=f64 --canonicalize -o /dev/null
// RUN: rnn-opt %s --test-rnn-interpret-each --cse -o /dev/null

// CHECK: interpret-each.mlir:[[@LINE+1]]:1: error: 'canonicalize' changed '@n' in chunk 0: 'y' at 0: expected {{[-0-9.e]+}}, got {{[-0-9.e]+}}
rnn.network @n(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  %c = arith.constant dense<0.1> : tensor<2xf32>
  %e = math.exp %c : tensor<2xf32>
  %y = arith.mulf %x, %e : tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}
