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

// CHECK: LoopByUnits {{.*}} Function=large | Blocks={{[0-9]+}}, ExchangedBytes=8192, Exchanges=1, {{.*}} Reason="one block: registers do not hold the weights; a cluster: registers do not hold the weights", Regime=grid, {{.*}} Weights=registers
// BLOCK: LoopByUnits {{.*}} Function=large | Blocks=2, {{.*}} Reason="a cluster: the option 'regime' keeps to one block; a grid: {{.*}}", Regime=block, {{.*}} Weights=memory
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

// CHECK: [Missed] LoopOpByOp | Category:rnn-launch | Function=no_product | Blocks=1, Kernel=rnn_fn_0_k1, Reason="it has no product with a matrix", Regime=op-by-op, {{.*}} Streams=2, Suggestion="{{.+}}", Threads=32
rnn.network @no_product(%x: tensor<8xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %s = rnn.sum %x, %h1 : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}

// -----

// CHECK: LoopOpByOp {{.*}} Function=norm | {{.*}} Reason="'rnn.reduce' is neither elementwise nor a reshape nor a product"
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

// CHECK: LoopOpByOp {{.*}} Function=reversed | {{.*}} Reason="'tensor.extract_slice' moves elements from one unit to another"
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.zeros)
rnn.network @reversed(%x: tensor<8xf32>) -> (h: tensor<8xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %u = rnn.linear %h1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %low = tensor.extract_slice %u[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
  %high = tensor.extract_slice %u[4] [4] [1] : tensor<8xf32> to tensor<4xf32>
  %odd = tensor.extract_slice %u[1] [4] [2] : tensor<8xf32> to tensor<4xf32>
  %l = arith.addf %low, %odd : tensor<4xf32>
  %v = tensor.concat dim(0) %high, %l : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %s = rnn.sum %x, %v : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  rnn.output %h : tensor<8xf32>
}

// -----

// CHECK: LoopOpByOp {{.*}} Function=huge | {{.*}} Reason="one block: there are more units than threads; {{.*}}a grid: a thread would have too many products", {{.*}} Suggestion="give the layer fewer units"
// BLOCK: LoopOpByOp {{.*}} Function=huge | {{.*}} a grid: the option 'regime' keeps to one block", {{.*}} Suggestion="leave the regime to the compiler"
rnn.parameter @wh : tensor<4096x4096xf32> init(#rnn.zeros)
rnn.network @huge(%x: tensor<4096xf32>) -> (h: tensor<4096xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<4096xf32>
  %wh = rnn.param @wh : tensor<4096x4096xf32>
  %u = rnn.linear %h1, %wh : (tensor<4096xf32>, tensor<4096x4096xf32>) -> tensor<4096xf32>
  %s = rnn.sum %x, %u : tensor<4096xf32>
  %h = math.tanh %s : tensor<4096xf32>
  rnn.output %h : tensor<4096xf32>
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
