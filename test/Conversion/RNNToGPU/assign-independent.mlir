// A loop that exchanges nothing is dealt out as the schedule says, or refused.
// RUN: rnn-opt %s --rnn-to-schedule=streams=3 -rnn-assign-schedule > %t.mlir
// RUN: FileCheck %s < %t.mlir
// CHECK: rnn.recurrent causal chunk {{.*}} {loop = #rnn.loop<regime = independent, units = 32, streams = 1>, {{.*}}

// RUN: sed 's/units = 32, streams = 1/units = 10, streams = 3/' %t.mlir | rnn-opt -convert-rnn-to-gpu -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=OBEYED
// OBEYED: LoopByUnits {{.*}} Blocks=5, {{.*}} Regime=independent, {{.*}} Streams=3, Threads=32, Units=10
// RUN: sed 's/regime = independent, units = 32/regime = block, units = 50/' %t.mlir | rnn-opt -convert-rnn-to-gpu -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=BLOCK
// BLOCK: LoopByUnits {{.*}} Blocks=3, {{.*}} Regime=block, {{.*}} Streams=1, {{.*}} Units=50

// RUN: sed 's/units = 32/units = 51/' %t.mlir | not rnn-opt -convert-rnn-to-gpu -o /dev/null 2>&1 | FileCheck %s --check-prefix=UNITS
// UNITS: error: cannot deal out the loop as '#rnn.loop<regime = independent, units = 51, streams = 1>': a block would have more units than there are
// RUN: sed 's/regime = independent/regime = grid/' %t.mlir | not rnn-opt -convert-rnn-to-gpu -o /dev/null 2>&1 | FileCheck %s --check-prefix=GRID
// GRID: error: cannot deal out the loop as '{{.*}}': one block: {{.*}}; a grid: there is nothing to exchange
rnn.parameter @a : tensor<50xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<50xf32>) -> (h: tensor<50xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<50xf32>
  %a = rnn.param @a : tensor<50xf32>
  %u = arith.mulf %h1, %a : tensor<50xf32>
  %h = rnn.sum %x, %u : tensor<50xf32>
  rnn.output %h : tensor<50xf32>
}
