// RUN: rnn-opt %s --rnn-to-schedule -o %t.mlir
// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu=regime=block | FileCheck %s --check-prefix=BLOCK
// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu=regime=grid | FileCheck %s --check-prefix=GRID

// Where blocks wait for one another, the runtime must know whether one waited in vain: the flags stand behind the planned
// memory, two rows for each frame.
// GRID: func.func @rnn_fn_0({{.*}}rnn.flags = {constant = 0 : i64, per_frame = 128 : i64}
// BLOCK:     func.func @rnn_fn_0(
// BLOCK-NOT: rnn.flags
rnn.parameter @wx : tensor<8x4xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wx = rnn.param @wx : tensor<8x4xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %a = rnn.linear %x, %wx : (tensor<4xf32>, tensor<8x4xf32>) -> tensor<8xf32>
  %u = rnn.linear %h1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %s = rnn.sum %a, %u : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}
