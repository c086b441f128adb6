// What became of each loop over frames, and why.
// RUN: rnn-opt %s --rnn-to-schedule=streams=2 -split-input-file -o %t.mlir
// RUN: rnn-opt %t.mlir -split-input-file -convert-rnn-to-gpu -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s
// RUN: rnn-opt %t.mlir -split-input-file -convert-rnn-to-gpu=regime=block -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: rnn-opt %t.mlir -split-input-file -convert-rnn-to-gpu=regime=grid -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=GRID
// RUN: rnn-opt %t.mlir -split-input-file -convert-rnn-to-gpu=regime=cluster -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=CLUSTER

// CHECK: [Analysis] LoopByUnits | Category:rnn-launch | Function=fits | Blocks=2, ExchangedBytes=64, Exchanges=1, Kernel=rnn_fn_0_k1, Products=multiply-adds, Reason="registers of one block hold the weights; streams exchange nothing, so that they are divided among blocks", Regime=block, {{.*}} Streams=1, Threads=32, Units=8, Weights=registers
// GRID: LoopByUnits {{.*}} Function=fits | {{.*}} Reason="one block: the option 'regime' asks for several; a cluster: the option 'regime' asks for a grid", Regime=grid
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.zeros)
rnn.network @fits(%x: tensor<8xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %u = rnn.linear %h1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %s = rnn.sum %x, %u : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}

// -----

// CHECK: LoopByUnits {{.*}} Function=large | Blocks={{[0-9]+}}, ExchangedBytes=8192, Exchanges=1, {{.*}} Reason="one block: registers do not hold the weights; a cluster: registers do not hold the weights", Regime=grid, {{.*}} StreamedBytes=0, {{.*}} Weights=registers
// BLOCK: LoopByUnits {{.*}} Function=large | Blocks=2, {{.*}} Reason="a cluster: the option 'regime' keeps to one block; a grid: {{.*}}", Regime=block, {{.*}} StreamedBytes=7962624, {{.*}} Weights=memory
rnn.parameter @wh : tensor<1024x1024xf32> init(#rnn.zeros)
rnn.network @large(%x: tensor<1024xf32>) -> (h: tensor<1024xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<1024xf32>
  %wh = rnn.param @wh : tensor<1024x1024xf32>
  %u = rnn.linear %h1, %wh : (tensor<1024xf32>, tensor<1024x1024xf32>) -> tensor<1024xf32>
  %s = rnn.sum %x, %u : tensor<1024xf32>
  %h = math.tanh %s : tensor<1024xf32>
  rnn.output %h : tensor<1024xf32>
}

// -----

// CHECK: LoopByUnits {{.*}} Function=no_product | Blocks=1, ExchangedBytes=0, Exchanges=0, Kernel=rnn_fn_0_k1, Products=none, Reason="units exchange nothing", Regime=independent, {{.*}} Streams=2, Threads=32, Units=8
// BLOCK: LoopByUnits {{.*}} Function=no_product | Blocks=2, {{.*}} Regime=block
rnn.network @no_product(%x: tensor<8xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %s = rnn.sum %x, %h1 : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}

// -----

// A reduction of all units is an exchange; in a grid each block has a word of each stream.
// CHECK: LoopByUnits {{.*}} Function=norm | {{.*}} Exchanges=2, {{.*}} Regime=block
// GRID: LoopByUnits {{.*}} Function=norm | Blocks=4, ExchangedBytes=80, Exchanges=2, {{.*}} Regime=grid
// CLUSTER: LoopByUnits {{.*}} Function=norm | {{.*}} Regime=cluster
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.zeros)
rnn.network @norm(%x: tensor<8xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %u = rnn.linear %h1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %most = rnn.reduce max %u over [0] : tensor<8xf32> to tensor<f32>
  %all = rnn.broadcast %most along [0] : tensor<f32> to tensor<8xf32>
  %s = rnn.sum %x, %u, %all : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}

// -----

// A reduction of each unit's own elements is none.
// CHECK: LoopByUnits {{.*}} Function=own | {{.*}} Exchanges=1, {{.*}} Regime=block, {{.*}} Units=8
rnn.parameter @wh : tensor<2x8x8xf32> init(#rnn.zeros)
rnn.network @own(%x: tensor<8xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wh = rnn.param @wh : tensor<2x8x8xf32>
  %u = rnn.contract %wh, %h1 [(d0, d1, d2) -> (d0, d1, d2), (d0, d1, d2) -> (d2), (d0, d1, d2) -> (d0, d1)]
     : (tensor<2x8x8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  %most = rnn.reduce max %u over [0] : tensor<2x8xf32> to tensor<8xf32>
  %h = arith.addf %x, %most : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}

// -----

// Groups of so many rows and columns are a block of the matrix; a unit has all of its rows there.
// CHECK: LoopByUnits {{.*}} Function=heads | {{.*}} Regime=block, {{.*}} Units=8
// GRID: LoopByUnits {{.*}} Function=heads | {{.*}} Regime=grid, {{.*}} Units=4
rnn.parameter @wh : tensor<2x4x4xf32> init(#rnn.zeros)
rnn.network @heads(%x: tensor<2x4xf32>) -> (h: tensor<2x4xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<2x4xf32>
  %wh = rnn.param @wh : tensor<2x4x4xf32>
  %u = rnn.contract %wh, %h1 [(d0, d1, d2) -> (d0, d1, d2), (d0, d1, d2) -> (d0, d2), (d0, d1, d2) -> (d0, d1)]
     : (tensor<2x4x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = rnn.sum %x, %u : tensor<2x4xf32>
  %h = math.tanh %s : tensor<2x4xf32>
  rnn.output %h : tensor<2x4xf32>
}

// -----

// A small loop whose units cannot be told apart is one unit.
// CHECK: LoopByUnits {{.*}} Function=small | {{.*}} Regime=block, {{.*}} Units=1
rnn.parameter @wh : tensor<3x2xf32> init(#rnn.zeros)
rnn.network @small(%x: tensor<3xf32>) -> (h: tensor<3xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<3xf32>
  %low = tensor.extract_slice %h1[0] [2] [1] : tensor<3xf32> to tensor<2xf32>
  %c1 = rnn.delay %low by 1 : tensor<2xf32>
  %wh = rnn.param @wh : tensor<3x2xf32>
  %u = rnn.linear %c1, %wh : (tensor<2xf32>, tensor<3x2xf32>) -> tensor<3xf32>
  %h = rnn.sum %x, %u : tensor<3xf32>
  rnn.output %h : tensor<3xf32>
}

// -----

// CHECK: LoopOpByOp {{.*}} Function=reversed | {{.*}} Reason="'tensor.extract_slice' moves elements from one unit to another"
rnn.parameter @wh : tensor<32x32xf32> init(#rnn.zeros)
rnn.network @reversed(%x: tensor<32xf32>) -> (h: tensor<32xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<32xf32>
  %wh = rnn.param @wh : tensor<32x32xf32>
  %u = rnn.linear %h1, %wh : (tensor<32xf32>, tensor<32x32xf32>) -> tensor<32xf32>
  %low = tensor.extract_slice %u[0] [16] [1] : tensor<32xf32> to tensor<16xf32>
  %high = tensor.extract_slice %u[16] [16] [1] : tensor<32xf32> to tensor<16xf32>
  %odd = tensor.extract_slice %u[1] [16] [2] : tensor<32xf32> to tensor<16xf32>
  %l = arith.addf %low, %odd : tensor<16xf32>
  %v = tensor.concat dim(0) %high, %l : (tensor<16xf32>, tensor<16xf32>) -> tensor<32xf32>
  %s = rnn.sum %x, %v : tensor<32xf32>
  %h = math.tanh %s : tensor<32xf32>
  rnn.output %h : tensor<32xf32>
}

// -----

// CHECK: LoopOpByOp {{.*}} Function=huge | {{.*}} Reason="one block: there are more units than threads; {{.*}}a grid: shared memory does not hold what is exchanged", {{.*}} Suggestion="give the layer fewer units"
// BLOCK: LoopOpByOp {{.*}} Function=huge | {{.*}} a grid: the option 'regime' keeps to one block", {{.*}} Suggestion="leave the regime to the compiler"
rnn.parameter @wh : tensor<16384x16384xf32> init(#rnn.zeros)
rnn.network @huge(%x: tensor<16384xf32>) -> (h: tensor<16384xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<16384xf32>
  %wh = rnn.param @wh : tensor<16384x16384xf32>
  %u = rnn.linear %h1, %wh : (tensor<16384xf32>, tensor<16384x16384xf32>) -> tensor<16384xf32>
  %s = rnn.sum %x, %u : tensor<16384xf32>
  %h = math.tanh %s : tensor<16384xf32>
  rnn.output %h : tensor<16384xf32>
}

// -----

// Blocks that send without having waited would overwrite what others still read.
// CLUSTER: LoopByUnits {{.*}} Function=early | {{.*}} Reason="one block: the option 'regime' asks for several; a cluster: a vector is known before the one of the last frame is read", Regime=grid
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.zeros)
rnn.network @early(%x: tensor<8xf32>) -> (h: tensor<8xf32>) {
  %e1 = rnn.delay %e by 1 : tensor<8xf32>
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %s = rnn.sum %x, %e1, %h1 : tensor<8xf32>
  %e = math.tanh %s : tensor<8xf32>
  %u = rnn.linear %e1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %h = math.tanh %u : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}

// -----

// What a unit has is written out: 4 units of 512 elements would be as many as 128.
// CHECK: LoopOpByOp {{.*}} Function=few_units | {{.*}}Reason="each of its 4 units would have too many elements"{{.*}} Suggestion="give its vectors sizes with a larger common divisor"
rnn.parameter @wh : tensor<512x100xf32> init(#rnn.zeros)
rnn.parameter @wp : tensor<100x512xf32> init(#rnn.zeros)
rnn.network @few_units(%x: tensor<512xf32>) -> (h: tensor<100xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<100xf32>
  %wh = rnn.param @wh : tensor<512x100xf32>
  %wp = rnn.param @wp : tensor<100x512xf32>
  %u = rnn.linear %h1, %wh : (tensor<100xf32>, tensor<512x100xf32>) -> tensor<512xf32>
  %s = rnn.sum %x, %u : tensor<512xf32>
  %c = math.tanh %s : tensor<512xf32>
  %d = rnn.sigmoid %s : tensor<512xf32>
  %e = arith.mulf %c, %d : tensor<512xf32>
  %h = rnn.linear %e, %wp : (tensor<512xf32>, tensor<100x512xf32>) -> tensor<100xf32>
  rnn.output %h : tensor<100xf32>
}
