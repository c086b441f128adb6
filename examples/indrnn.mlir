// An IndRNN of two layers (Li et al. 2018), written in arithmetic: a unit sees its own past and no other unit's.
//
//   rnn-train examples/indrnn.mlir --data=book.txt
//
// h = relu(wx·x + u∘h[t-1] + b). The recurrence is elementwise, so what reads the input runs for all frames at once and
// a loop holds three operations. A bound on u keeps it from growing: u = 2σ(v) - 1 lies between -1 and 1.

rnn.parameter @embed : tensor<256x128xf32> init(#rnn.normal<std = 0.3>)
rnn.parameter @v0 : tensor<128xf32> init(#rnn.uniform<-1.0, 4.0>)
rnn.parameter @w1 : tensor<128x128xf32> init(#rnn.uniform<-0.2, 0.2>)
rnn.parameter @b1 : tensor<128xf32> init(#rnn.zeros)
rnn.parameter @v1 : tensor<128xf32> init(#rnn.uniform<-1.0, 4.0>)
rnn.parameter @out.w : tensor<256x128xf32> init(#rnn.uniform<-0.08, 0.08>)
rnn.parameter @out.b : tensor<256xf32> init(#rnn.zeros)

// The cell, to be called as often as there are layers; a signal %h of the call "l0" is named l0.h.
rnn.network @cell(%in: tensor<128xf32>, %v: tensor<128xf32> {rnn.rate = "static"}) -> (h: tensor<128xf32>) {
  %one = arith.constant dense<1.0> : tensor<128xf32>
  %zero = arith.constant dense<0.0> : tensor<128xf32>
  %s = rnn.sigmoid %v : tensor<128xf32>
  %s2 = arith.addf %s, %s : tensor<128xf32>
  %u = arith.subf %s2, %one : tensor<128xf32>
  %h1 = rnn.delay %h by 1 : tensor<128xf32>
  %old = arith.mulf %u, %h1 : tensor<128xf32>
  %sum = arith.addf %in, %old : tensor<128xf32>
  %h = arith.maximumf %zero, %sum : tensor<128xf32>
  rnn.output %h : tensor<128xf32>
}

rnn.network @indrnn(%x: tensor<i32>, %target: tensor<i32>) -> (logits: tensor<256xf32>, nll: tensor<f32>) {
  %embed = rnn.param @embed : tensor<256x128xf32>
  %v0 = rnn.param @v0 : tensor<128xf32>
  %in0 = rnn.gather %embed, %x : (tensor<256x128xf32>, tensor<i32>) -> tensor<128xf32>
  %h0 = rnn.call "l0" @cell(%in0, %v0) : (tensor<128xf32>, tensor<128xf32>) -> tensor<128xf32>

  %w1 = rnn.param @w1 : tensor<128x128xf32>
  %b1 = rnn.param @b1 : tensor<128xf32>
  %v1 = rnn.param @v1 : tensor<128xf32>
  %in1 = rnn.linear %h0, %w1, %b1 : (tensor<128xf32>, tensor<128x128xf32>, tensor<128xf32>) -> tensor<128xf32>
  %h1 = rnn.call "l1" @cell(%in1, %v1) : (tensor<128xf32>, tensor<128xf32>) -> tensor<128xf32>

  %w = rnn.param @out.w : tensor<256x128xf32>
  %b = rnn.param @out.b : tensor<256xf32>
  %logits = rnn.linear %h1, %w, %b : (tensor<128xf32>, tensor<256x128xf32>, tensor<256xf32>) -> tensor<256xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<256xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<256xf32>, tensor<f32>
}

rnn.train_step @step of @indrnn loss("nll" mean) optimizer(#rnn.adam<lr = 0.002>) clip<norm = 1.0> bptt<window = 64, advance = 32>
