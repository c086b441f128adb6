// Recurrent networks of kinds that no cell of ours is, and all that a graph may hold: the passes, the CPU and the kernels of
// GPUs agree with the interpreter. test/Oracle/test_networks.py holds the interpreter and the CPU against the oracle.
// RUN: test-rnn-networks %s
// Gradients against central differences, which see through one that is stopped.
// RUN: sed 's/rnn.stop_gradient/rnn.sum/' %s | rnn-opt - -split-input-file --rnn-set-float=type=f64 --rnn-to-gradient=keep=gradients -test-rnn-gradients -o /dev/null

// QRNN (Bradbury et al. 2016): gates of a window of three frames, a tapped delay line, and a loop without products.
// network qrnn 24 passes,cpu,emulator
rnn.parameter @wz : tensor<4x9xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @wf : tensor<4x9xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @wo : tensor<4x9xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<3xf32>, %new: tensor<i1> {rnn.reset}, %target: tensor<4xf32>) -> (h: tensor<4xf32>, e: tensor<f32>) {
  %x1 = rnn.delay %x by 1 : tensor<3xf32>
  %x2 = rnn.delay %x by 2 : tensor<3xf32>
  %seen = tensor.concat dim(0) %x, %x1, %x2 : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<9xf32>
  %wz = rnn.param @wz : tensor<4x9xf32>
  %wf = rnn.param @wf : tensor<4x9xf32>
  %wo = rnn.param @wo : tensor<4x9xf32>
  %az = rnn.linear %seen, %wz : (tensor<9xf32>, tensor<4x9xf32>) -> tensor<4xf32>
  %af = rnn.linear %seen, %wf : (tensor<9xf32>, tensor<4x9xf32>) -> tensor<4xf32>
  %ao = rnn.linear %seen, %wo : (tensor<9xf32>, tensor<4x9xf32>) -> tensor<4xf32>
  %z = math.tanh %az : tensor<4xf32>
  %f = rnn.sigmoid %af : tensor<4xf32>
  %o = rnn.sigmoid %ao : tensor<4xf32>
  %c1 = rnn.delay %c by 1 : tensor<4xf32>
  %change = arith.subf %c1, %z : tensor<4xf32>
  %kept = arith.mulf %f, %change : tensor<4xf32>
  %c = arith.addf %z, %kept : tensor<4xf32>
  %h = arith.mulf %o, %c : tensor<4xf32>
  %e = rnn.mean_squared_error %h, %target : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  rnn.output %h, %e : tensor<4xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.adam<>) bptt<window = 6, advance = 3>

// -----

// RG-LRU (De et al. 2024) between a residual connection; how much is kept depends on the input.
// network rg-lru 7 passes,cpu,emulator
rnn.parameter @wr : tensor<4x4xf32> init(#rnn.uniform<>)
rnn.parameter @wi : tensor<4x4xf32> init(#rnn.uniform<>)
rnn.parameter @decay : tensor<4xf32> init(#rnn.uniform<-2.0, 0.0>)
rnn.network @net(%x: tensor<4xf32>, %target: tensor<4xf32>) -> (y: tensor<4xf32>, e: tensor<f32>) {
  %wr = rnn.param @wr : tensor<4x4xf32>
  %wi = rnn.param @wi : tensor<4x4xf32>
  %decay = rnn.param @decay : tensor<4xf32>
  %ar = rnn.linear %x, %wr : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %ai = rnn.linear %x, %wi : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %r = rnn.sigmoid %ar : tensor<4xf32>
  %i = rnn.sigmoid %ai : tensor<4xf32>
  %rate = rnn.softplus %decay : tensor<4xf32>
  %c = arith.constant dense<-8.0> : tensor<4xf32>
  %scaled = arith.mulf %c, %rate : tensor<4xf32>
  %log = arith.mulf %scaled, %r : tensor<4xf32>
  %a = math.exp %log : tensor<4xf32>
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %aa = arith.mulf %a, %a : tensor<4xf32>
  %left = arith.subf %one, %aa : tensor<4xf32>
  %scale = math.sqrt %left : tensor<4xf32>
  %ix = arith.mulf %i, %x : tensor<4xf32>
  %in = arith.mulf %scale, %ix : tensor<4xf32>
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %old = arith.mulf %a, %h1 : tensor<4xf32>
  %h = arith.addf %old, %in : tensor<4xf32>
  %y = arith.addf %x, %h : tensor<4xf32>
  %e = rnn.mean_squared_error %y, %target : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  rnn.output %y, %e : tensor<4xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.adamw<lr = 0.01>) clip<norm = 1.0>

// -----

// A linear recurrent unit (Orvieto et al. 2023): complex and diagonal, each pair turned and shrunk.
// network lru 26 passes,cpu,emulator
rnn.parameter @nu : tensor<3xf32> init(#rnn.uniform<-2.0, 0.0>)
rnn.parameter @theta : tensor<3xf32> init(#rnn.uniform<0.0, 3.0>)
rnn.parameter @bre : tensor<3x2xf32> init(#rnn.uniform<>)
rnn.parameter @bim : tensor<3x2xf32> init(#rnn.uniform<>)
rnn.parameter @cre : tensor<2x3xf32> init(#rnn.uniform<>)
rnn.parameter @cim : tensor<2x3xf32> init(#rnn.uniform<>)
rnn.network @net(%x: tensor<2xf32>, %target: tensor<2xf32>) -> (y: tensor<2xf32>, e: tensor<f32>) {
  %nu = rnn.param @nu : tensor<3xf32>
  %theta = rnn.param @theta : tensor<3xf32>
  %bre = rnn.param @bre : tensor<3x2xf32>
  %bim = rnn.param @bim : tensor<3x2xf32>
  %cre = rnn.param @cre : tensor<2x3xf32>
  %cim = rnn.param @cim : tensor<2x3xf32>
  %exp = math.exp %nu : tensor<3xf32>
  %minus = arith.negf %exp : tensor<3xf32>
  %size = math.exp %minus : tensor<3xf32>
  %cos = math.cos %theta : tensor<3xf32>
  %sin = math.sin %theta : tensor<3xf32>
  %lre = arith.mulf %size, %cos : tensor<3xf32>
  %lim = arith.mulf %size, %sin : tensor<3xf32>
  %xre = rnn.linear %x, %bre : (tensor<2xf32>, tensor<3x2xf32>) -> tensor<3xf32>
  %xim = rnn.linear %x, %bim : (tensor<2xf32>, tensor<3x2xf32>) -> tensor<3xf32>
  %re1 = rnn.delay %re by 1 : tensor<3xf32>
  %im1 = rnn.delay %im by 1 : tensor<3xf32>
  %rr = arith.mulf %lre, %re1 : tensor<3xf32>
  %ii = arith.mulf %lim, %im1 : tensor<3xf32>
  %ri = arith.mulf %lre, %im1 : tensor<3xf32>
  %ir = arith.mulf %lim, %re1 : tensor<3xf32>
  %turned = arith.subf %rr, %ii : tensor<3xf32>
  %re = arith.addf %turned, %xre : tensor<3xf32>
  %im = rnn.sum %ri, %ir, %xim : tensor<3xf32>
  %yre = rnn.linear %re, %cre : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2xf32>
  %yim = rnn.linear %im, %cim : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2xf32>
  %y = arith.subf %yre, %yim : tensor<2xf32>
  %e = rnn.mean_squared_error %y, %target : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>
  rnn.output %y, %e : tensor<2xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.rmsprop<>) bptt<window = 8, advance = 4>

// -----

// A recurrent highway network (Zilly et al. 2017) of depth two, with a learned initial state.
// network highway 14 passes,cpu,emulator
rnn.parameter @wx : tensor<8x3xf32> init(#rnn.uniform<>)
rnn.parameter @w1 : tensor<8x4xf32> init(#rnn.uniform<>)
rnn.parameter @w2 : tensor<8x4xf32> init(#rnn.uniform<>)
rnn.parameter @first : tensor<4xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<3xf32>, %new: tensor<i1> {rnn.reset}, %target: tensor<4xf32>) -> (s: tensor<4xf32>, e: tensor<f32>) {
  %wx = rnn.param @wx : tensor<8x3xf32>
  %w1 = rnn.param @w1 : tensor<8x4xf32>
  %w2 = rnn.param @w2 : tensor<8x4xf32>
  %first = rnn.param @first : tensor<4xf32>
  %s0 = rnn.delay %s by 1 init(%first) : tensor<4xf32>
  %ax = rnn.linear %x, %wx : (tensor<3xf32>, tensor<8x3xf32>) -> tensor<8xf32>
  %a1 = rnn.linear %s0, %w1 : (tensor<4xf32>, tensor<8x4xf32>) -> tensor<8xf32>
  %sum = rnn.sum %ax, %a1 : tensor<8xf32>
  %h1a = tensor.extract_slice %sum[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
  %t1a = tensor.extract_slice %sum[4] [4] [1] : tensor<8xf32> to tensor<4xf32>
  %h1 = math.tanh %h1a : tensor<4xf32>
  %t1 = rnn.sigmoid %t1a : tensor<4xf32>
  %d1 = arith.subf %h1, %s0 : tensor<4xf32>
  %m1 = arith.mulf %t1, %d1 : tensor<4xf32>
  %s1 = arith.addf %s0, %m1 : tensor<4xf32>
  %a2 = rnn.linear %s1, %w2 : (tensor<4xf32>, tensor<8x4xf32>) -> tensor<8xf32>
  %h2a = tensor.extract_slice %a2[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
  %t2a = tensor.extract_slice %a2[4] [4] [1] : tensor<8xf32> to tensor<4xf32>
  %h2 = math.tanh %h2a : tensor<4xf32>
  %t2 = rnn.sigmoid %t2a : tensor<4xf32>
  %d2 = arith.subf %h2, %s1 : tensor<4xf32>
  %m2 = arith.mulf %t2, %d2 : tensor<4xf32>
  %s = arith.addf %s1, %m2 : tensor<4xf32>
  %e = rnn.mean_squared_error %s, %target : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  rnn.output %s, %e : tensor<4xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1, momentum = 0.9, nesterov = true>) bptt<window = 6, advance = 2>

// -----

// Two layers with residual connections between one table: rows in, the same rows as classes out. One matrix is frozen,
// and nothing goes back through the highest of the logits.
// network tied 5 passes,cpu,emulator
rnn.parameter @table : tensor<6x4xf32> init(#rnn.normal<std = 0.5>)
rnn.parameter @wx : tensor<12x4xf32> init(#rnn.uniform<>) frozen
rnn.parameter @wh : tensor<12x4xf32> init(#rnn.uniform<>)
rnn.parameter @b : tensor<12xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<i32>, %target: tensor<i32>) -> (nll: tensor<f32>, top: tensor<f32>, hit: tensor<f32>) {
  %table = rnn.param @table : tensor<6x4xf32>
  %item = rnn.gather %table, %x : (tensor<6x4xf32>, tensor<i32>) -> tensor<4xf32>
  %h0 = rnn.gru "l0" %item wx(@wx) wh(@wh) b(@b) : tensor<4xf32> -> tensor<4xf32>
  %y0 = arith.addf %item, %h0 : tensor<4xf32>
  %h1 = rnn.gru "l1" %y0 wx(@wx) wh(@wh) b(@b) reset(before) : tensor<4xf32> -> tensor<4xf32>
  %y1 = arith.addf %y0, %h1 : tensor<4xf32>
  %logits = rnn.linear %y1, %table : (tensor<4xf32>, tensor<6x4xf32>) -> tensor<6xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<6xf32>, tensor<i32>) -> tensor<f32>
  %open = rnn.reduce max %logits over [0] : tensor<6xf32> to tensor<f32>
  %top = rnn.stop_gradient %open : tensor<f32>
  %right = rnn.gather %logits, %target : (tensor<6xf32>, tensor<i32>) -> tensor<f32>
  %best = arith.cmpf oge, %right, %top : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %hit = arith.select %best, %one, %zero : tensor<i1>, tensor<f32>
  %margin = arith.subf %top, %right : tensor<f32>
  rnn.output %nll, %margin, %hit : tensor<f32>, tensor<f32>, tensor<f32>
}
rnn.train_step @step of @net loss("nll" mean) loss("top" sum weight 0.125) metric("hit" mean) optimizer(#rnn.adagrad<lr = 0.1>) bptt<window = 4, advance = 4>

// -----

// One signal reads another at four delays, one of them longer than any chunk, and the second reads the first ahead.
// network taps 10 passes,cpu,emulator
rnn.parameter @w : tensor<3x3xf32> init(#rnn.uniform<>)
rnn.parameter @v : tensor<3x12xf32> init(#rnn.uniform<>)
rnn.parameter @u : tensor<3x3xf32> init(#rnn.uniform<>)
rnn.network @net(%x: tensor<3xf32>, %new: tensor<i1> {rnn.reset}, %target: tensor<3xf32>) -> (e: tensor<f32>, b: tensor<3xf32>, z: tensor<3xf32>) {
  %w = rnn.param @w : tensor<3x3xf32>
  %v = rnn.param @v : tensor<3x12xf32>
  %u = rnn.param @u : tensor<3x3xf32>
  %a1 = rnn.delay %a by 1 : tensor<3xf32>
  %wa = rnn.linear %a1, %w : (tensor<3xf32>, tensor<3x3xf32>) -> tensor<3xf32>
  %as = arith.addf %wa, %x : tensor<3xf32>
  %a = math.tanh %as : tensor<3xf32>
  %a3 = rnn.delay %a by 3 : tensor<3xf32>
  %a9 = rnn.delay %a by 9 init(%x) : tensor<3xf32>
  %line = tensor.concat dim(0) %a, %a1, %a3, %a9 : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<12xf32>
  %vb = rnn.linear %line, %v : (tensor<12xf32>, tensor<3x12xf32>) -> tensor<3xf32>
  %b3 = rnn.delay %b by 3 : tensor<3xf32>
  %b1 = rnn.delay %b by 1 : tensor<3xf32>
  %ub = rnn.linear %b1, %u : (tensor<3xf32>, tensor<3x3xf32>) -> tensor<3xf32>
  %bs = rnn.sum %vb, %ub, %b3 : tensor<3xf32>
  %b = math.tanh %bs : tensor<3xf32>
  %ahead1 = rnn.delay %b by -1 : tensor<3xf32>
  %ahead2 = rnn.delay %b by -2 init(%x) : tensor<3xf32>
  %z1 = rnn.delay %z by -1 : tensor<3xf32>
  %zs = rnn.sum %ahead1, %ahead2, %z1 : tensor<3xf32>
  %z = rnn.sigmoid %zs : tensor<3xf32>
  %e = rnn.huber %z, %target {delta = 0.25} : (tensor<3xf32>, tensor<3xf32>) -> tensor<f32>
  rnn.output %e, %b, %z : tensor<f32>, tensor<3xf32>, tensor<3xf32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.adadelta<>) clip<norm = 0.5>

// -----

// Signals of rank 0 to 4 in one loop: a grid of channels with a gate for each, its mean fed back as a scalar.
// network ranks 8 passes,cpu,emulator
rnn.parameter @mix : tensor<3x2xf32> init(#rnn.uniform<>)
rnn.parameter @gain : tensor<2x3x2x2xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @scale : tensor<f32> init(#rnn.uniform<0.5, 1.0>)
rnn.network @net(%x: tensor<2x2x2xf32>, %s: tensor<2xf32> {rnn.rate = "stream"}, %target: tensor<2x3x2x2xf32>) -> (m: tensor<f32>, h: tensor<2x3x2x2xf32>, e: tensor<f32>) {
  %mix = rnn.param @mix : tensor<3x2xf32>
  %gain = rnn.param @gain : tensor<2x3x2x2xf32>
  %scale = rnn.param @scale : tensor<f32>
  // [batch of grids 2, row 2, column 2] times [channel 3, batch 2] gives [2, 3, 2, 2].
  %in = rnn.contract %mix, %x [(d0, d1, d2, d3) -> (d1, d0), (d0, d1, d2, d3) -> (d0, d2, d3), (d0, d1, d2, d3) -> (d0, d1, d2, d3)] : (tensor<3x2xf32>, tensor<2x2x2xf32>) -> tensor<2x3x2x2xf32>
  %h1 = rnn.delay %h by 2 : tensor<2x3x2x2xf32>
  %m1 = rnn.delay %m by 1 init(%scale) : tensor<f32>
  %gated = arith.mulf %gain, %h1 : tensor<2x3x2x2xf32>
  %m4 = rnn.broadcast %m1 along [0, 1, 2, 3] : tensor<f32> to tensor<2x3x2x2xf32>
  %s4 = rnn.broadcast %s along [1, 2, 3] : tensor<2xf32> to tensor<2x3x2x2xf32>
  %sum = rnn.sum %in, %gated, %m4, %s4 : tensor<2x3x2x2xf32>
  %h = math.tanh %sum : tensor<2x3x2x2xf32>
  %flat = tensor.collapse_shape %h [[0, 1], [2], [3]] : tensor<2x3x2x2xf32> into tensor<6x2x2xf32>
  %most = rnn.reduce max %flat over [1] : tensor<6x2x2xf32> to tensor<6x2xf32>
  %some = tensor.extract_slice %most[1, 0] [2, 2] [3, 1] : tensor<6x2xf32> to tensor<2x2xf32>
  %total = rnn.reduce sum %some over [0, 1] : tensor<2x2xf32> to tensor<f32>
  %ms = arith.mulf %total, %scale : tensor<f32>
  %m = math.tanh %ms : tensor<f32>
  %e = rnn.mean_absolute_error %h, %target : (tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>) -> tensor<f32>
  rnn.output %m, %h, %e : tensor<f32>, tensor<2x3x2x2xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.adam<amsgrad = true>) bptt<window = 4, advance = 2>

// -----

// Losses of each rate: per frame, once per stream, and once: a penalty of weights, which no frame has.
// network static-loss 8 passes,cpu,emulator
rnn.parameter @w : tensor<3x3xf32> init(#rnn.uniform<>)
rnn.network @net(%x: tensor<3xf32>, %target: tensor<3xf32>) -> (e: tensor<f32>, pen: tensor<f32> {rnn.rate = "static"}, s: tensor<f32> {rnn.rate = "stream"}) {
  %w = rnn.param @w : tensor<3x3xf32>
  %h1 = rnn.delay %h by 1 : tensor<3xf32>
  %a = rnn.linear %h1, %w : (tensor<3xf32>, tensor<3x3xf32>) -> tensor<3xf32>
  %b = arith.addf %a, %x : tensor<3xf32>
  %h = math.tanh %b : tensor<3xf32>
  %e = rnn.mean_squared_error %h, %target : (tensor<3xf32>, tensor<3xf32>) -> tensor<f32>
  %abs = math.absf %w : tensor<3x3xf32>
  %pen = rnn.reduce sum %abs over [0, 1] : tensor<3x3xf32> to tensor<f32>
  %all = rnn.sum_frames %e {sum_to = #rnn.rate<stream>} : tensor<f32>
  %s = arith.mulf %all, %all : tensor<f32>
  rnn.output %e, %pen, %s : tensor<f32>, tensor<f32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) loss("pen" sum weight 0.01) loss("s" mean weight 0.1) optimizer(#rnn.adam<>)

// -----

// Windows of five frames that go on by one, with a delay of three; one learned frame begins all.
// network window-five-of-one 10 passes,cpu,emulator
rnn.parameter @w : tensor<2x2xf32> init(#rnn.uniform<>)
rnn.parameter @first : tensor<2xf32> init(#rnn.uniform<>)
rnn.network @net(%x: tensor<2xf32>, %r: tensor<i1> {rnn.reset}, %target: tensor<2xf32>) -> (e: tensor<f32>) {
  %w = rnn.param @w : tensor<2x2xf32>
  %first = rnn.param @first : tensor<2xf32>
  %h3 = rnn.delay %h by 3 init(%first) : tensor<2xf32>
  %h1 = rnn.delay %h by 1 init(%h3) : tensor<2xf32>
  %a = rnn.linear %h1, %w : (tensor<2xf32>, tensor<2x2xf32>) -> tensor<2xf32>
  %b = rnn.sum %a, %x, %h3 : tensor<2xf32>
  %h = math.tanh %b : tensor<2xf32>
  %e = rnn.mean_squared_error %h, %target : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>
  rnn.output %e : tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>) bptt<window = 5, advance = 1>

// -----

// Delays of integers, flags, the reset, and of values that hold for a stream or a step.
// network odd-delays 11 passes,cpu,emulator
rnn.parameter @table : tensor<4x3xf32> init(#rnn.uniform<>)
rnn.parameter @p : tensor<3xf32> init(#rnn.uniform<>)
rnn.network @net(%k: tensor<i32>, %b: tensor<i1>, %r: tensor<i1> {rnn.reset}, %s: tensor<3xf32> {rnn.rate = "stream"}, %z: tensor<3xf32> {rnn.rate = "static"}, %target: tensor<i32>) -> (e: tensor<f32>, last: tensor<i32>, r1: tensor<i1>, b2: tensor<i1>, s1: tensor<3xf32>, z1: tensor<3xf32>, n: tensor<i32>) {
  %table = rnn.param @table : tensor<4x3xf32>
  %p = rnn.param @p : tensor<3xf32>
  %one = arith.constant dense<1> : tensor<i32>
  %true = arith.constant dense<true> : tensor<i1>
  %last = rnn.delay %k by 1 init(%one) : tensor<i32>
  %r1 = rnn.delay %r by 1 : tensor<i1>
  %b2 = rnn.delay %b by 2 init(%true) : tensor<i1>
  %s1 = rnn.delay %s by 2 : tensor<3xf32>
  %z1 = rnn.delay %z by 3 init(%p) : tensor<3xf32>
  %p1 = rnn.delay %p by 1 : tensor<3xf32>
  %n1 = rnn.delay %n by 1 : tensor<i32>
  %n = arith.addi %n1, %one : tensor<i32>
  %nf = arith.sitofp %n : tensor<i32> to tensor<f32>
  %nb = rnn.broadcast %nf along [0] : tensor<f32> to tensor<3xf32>
  %item = rnn.gather %table, %last : (tensor<4x3xf32>, tensor<i32>) -> tensor<3xf32>
  %sum = rnn.sum %item, %s1, %z1, %p1, %nb : tensor<3xf32>
  %flag = rnn.broadcast %b2 along [0] : tensor<i1> to tensor<3xi1>
  %logits = arith.select %flag, %sum, %item : tensor<3xi1>, tensor<3xf32>
  %e = rnn.softmax_cross_entropy %logits, %target : (tensor<3xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %e, %last, %r1, %b2, %s1, %z1, %n : tensor<f32>, tensor<i32>, tensor<i1>, tensor<i1>, tensor<3xf32>, tensor<3xf32>, tensor<i32>
}
rnn.train_step @step of @net loss("e" mean mask "b2") optimizer(#rnn.adam<>)

// -----

// Two cells that read each other, and a clock that one of them sets.
// network coupled-cells 14 passes,cpu,emulator
rnn.parameter @wx : tensor<8x4xf32> init(#rnn.uniform<>)
rnn.parameter @wh : tensor<8x2xf32> init(#rnn.uniform<>)
rnn.parameter @b : tensor<8xf32> init(#rnn.zeros)
rnn.parameter @vx : tensor<6x2xf32> init(#rnn.uniform<>)
rnn.parameter @vh : tensor<6x2xf32> init(#rnn.uniform<>)
rnn.parameter @c : tensor<6xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<2xf32>, %target: tensor<2xf32>) -> (e: tensor<f32>) {
  %b1 = rnn.delay %hb by 1 : tensor<2xf32>
  %b3 = rnn.delay %hb by 3 : tensor<2xf32>
  %sx = arith.addf %b3, %x : tensor<2xf32>
  %in = tensor.concat dim(0) %sx, %b1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  %ha, %ca = rnn.lstm "a" %in wx(@wx) wh(@wh) b(@b) clock(%on) : tensor<4xf32> -> tensor<2xf32>
  %hb = rnn.gru "b" %ca wx(@vx) wh(@vh) b(@c) reset(before) : tensor<2xf32> -> tensor<2xf32>
  %sum = rnn.reduce sum %b1 over [0] : tensor<2xf32> to tensor<f32>
  %level = arith.constant dense<0.1> : tensor<f32>
  %on = arith.cmpf olt, %sum, %level : tensor<f32>
  %e = rnn.mean_squared_error %ha, %target : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>
  rnn.output %e : tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.adam<>) bptt<window = 6, advance = 2>

// -----

// Numbers of f32 and f64 and integers of 8 to 64 bits side by side.
// network mixed-floats 21 passes,cpu,emulator
rnn.parameter @w : tensor<2x2xf64> init(#rnn.uniform<>)
rnn.network @net(%x: tensor<2xf32>, %i: tensor<2xi8>, %j: tensor<i64>, %target: tensor<2xf64>) -> (e: tensor<f64>, f: tensor<f32>, k: tensor<i64>) {
  %w = rnn.param @w : tensor<2x2xf64>
  %h1 = rnn.delay %h by 1 : tensor<2xf64>
  %a = rnn.linear %h1, %w : (tensor<2xf64>, tensor<2x2xf64>) -> tensor<2xf64>
  %xd = arith.extf %x : tensor<2xf32> to tensor<2xf64>
  %id = arith.sitofp %i : tensor<2xi8> to tensor<2xf64>
  %s = rnn.sum %a, %xd, %id : tensor<2xf64>
  %h = math.tanh %s : tensor<2xf64>
  %narrow = arith.truncf %h : tensor<2xf64> to tensor<2xf32>
  %row = rnn.gather %narrow, %j : (tensor<2xf32>, tensor<i64>) -> tensor<f32>
  %k1 = rnn.delay %k by 2 : tensor<i64>
  %k = arith.addi %k1, %j : tensor<i64>
  %e = rnn.huber %h, %target : (tensor<2xf64>, tensor<2xf64>) -> tensor<f64>
  %f = arith.mulf %row, %row : tensor<f32>
  rnn.output %e, %f, %k : tensor<f64>, tensor<f32>, tensor<i64>
}
rnn.train_step @step of @net loss("e" mean) loss("f" sum weight 0.5) optimizer(#rnn.adam<>) bptt<window = 3, advance = 3>

// -----

// A step in which nothing is trained.
// network nothing-to-train 13 passes,cpu,emulator
rnn.parameter @p : tensor<3xf32> init(#rnn.uniform<>) frozen
rnn.network @net(%x: tensor<3xf32>) -> (e: tensor<f32>) {
  %p = rnn.param @p : tensor<3xf32>
  %e = rnn.mean_squared_error %x, %p : (tensor<3xf32>, tensor<3xf32>) -> tensor<f32>
  rnn.output %e : tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.adam<>) clip<norm = 1.0>
