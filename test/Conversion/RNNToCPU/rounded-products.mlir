// Operands that a product rounds are rounded once, in copies; the tiles are those of f32.
// RUN: rnn-opt %s --rnn-to-cpu="streams=2 matmul-precision=bf16" | FileCheck %s
// RUN: rnn-opt %s --rnn-to-cpu="streams=2" | FileCheck %s --check-prefix=F32

// F32-NOT: arith.andi
// CHECK-LABEL: func.func @rnn_fn_0
// CHECK:       arith.andi
// CHECK:       scf.for {{.*}} iter_args
// CHECK-NOT:     arith.andi
// CHECK:         vector.fma
rnn.parameter @w : tensor<32x8xf32> init(#rnn.uniform<>)
rnn.network @net(%x: tensor<8xf32>) -> (y: tensor<32xf32>) {
  %w = rnn.param @w : tensor<32x8xf32>
  %y = rnn.linear %x, %w : (tensor<8xf32>, tensor<32x8xf32>) -> tensor<32xf32>
  rnn.output %y : tensor<32xf32>
}
