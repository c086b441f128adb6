// How a loop runs is an attribute that may be written by hand, and is obeyed.
// RUN: rnn-opt %s --rnn-to-schedule=streams=2 -rnn-assign-schedule > %t.mlir
// RUN: FileCheck %s < %t.mlir
// CHECK: rnn.recurrent causal chunk {{.*}} {loop = #rnn.loop<regime = block, units = 8, streams = 1>

// RUN: rnn-opt %t.mlir -convert-rnn-to-gpu -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=CHOSEN
// CHOSEN: LoopByUnits {{.*}} Blocks=2, {{.*}} Regime=block, {{.*}} Streams=1, {{.*}} Units=8

// RUN: sed 's/regime = block, units = 8, streams = 1/regime = grid, units = 2, streams = 2/' %t.mlir > %t.grid.mlir
// RUN: rnn-opt %t.grid.mlir -convert-rnn-to-gpu -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=GRID
// GRID: LoopByUnits {{.*}} Blocks=4, {{.*}} Regime=grid, {{.*}} Streams=2, {{.*}} Units=2
// What is there stays.
// RUN: rnn-opt %t.grid.mlir -rnn-assign-schedule=multiprocessors=132 | FileCheck %s --check-prefix=KEPT
// KEPT: #rnn.loop<regime = grid, units = 2, streams = 2>

// RUN: sed 's/regime = block, units = 8, streams = 1/regime = op_by_op/' %t.mlir | rnn-opt -convert-rnn-to-gpu -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=OPS
// OPS: LoopOpByOp {{.*}} Reason="the schedule asks for it"

// Only what is left out is chosen.
// RUN: sed 's/regime = block, units = 8, streams = 1/regime = cluster/' %t.mlir | rnn-opt -convert-rnn-to-gpu -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=CLUSTER
// CLUSTER: LoopByUnits {{.*}} Regime=cluster

// Left to itself, the compiler would give each stream a cluster.
// RUN: sed 's/regime = block, units = 8, streams = 1/regime = cluster, units = 2, streams = 2/' %t.mlir | rnn-opt -convert-rnn-to-gpu -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: LoopByUnits {{.*}} Blocks=4, {{.*}} Regime=cluster, {{.*}} Streams=2, {{.*}} Units=2

// RUN: sed 's/streams = 1/streams = 3/' %t.mlir | not rnn-opt -convert-rnn-to-gpu -o /dev/null 2>&1 | FileCheck %s --check-prefix=MORE
// MORE: error: cannot deal out the loop as '{{.*}}': there are fewer streams
// RUN: sed 's/units = 8/units = 3/' %t.mlir | not rnn-opt -convert-rnn-to-gpu -o /dev/null 2>&1 | FileCheck %s --check-prefix=UNITS
// UNITS: error: cannot deal out the loop as '#rnn.loop<regime = block, units = 3, streams = 1>': one block: the schedule asks for fewer units of a block
// RUN: sed 's/regime = block/regime = independent/' %t.mlir | not rnn-opt -convert-rnn-to-gpu -o /dev/null 2>&1 | FileCheck %s --check-prefix=ALONE
// ALONE: error: cannot deal out the loop as '{{.*}}': its units exchange vectors or reduce them
// RUN: sed 's/units = 8/units = -8/' %t.mlir | not rnn-opt -convert-rnn-to-gpu -o /dev/null 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: a block has -8 units or streams; expected at least 0
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<8xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %u = rnn.linear %h1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %s = rnn.sum %x, %u : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}
