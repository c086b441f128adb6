// A minimal gated unit (minGRU, Feng et al. 2024), written in arithmetic: gate and candidate see the input only.
//
//   rnn-train examples/mingru.mlir --data=book.txt
//   rnn-opt --rnn-to-graph --rnn-print-affine examples/mingru.mlir -o /dev/null
//
// h = (1 - z)∘h[t-1] + z∘n with z = σ(wz·x + bz) and n = wn·x + bn. All products run for all frames at once; what is left
// of the loop is affine in h, so it could even run as a parallel scan, as the second command tells.

rnn.parameter @embed : tensor<256x128xf32> init(#rnn.normal<std = 0.5>)
rnn.parameter @w : tensor<256x128xf32> init(#rnn.uniform<-0.2, 0.2>)
rnn.parameter @b : tensor<256xf32> init(#rnn.zeros)
rnn.parameter @out.w : tensor<256x128xf32> init(#rnn.uniform<-0.08, 0.08>)
rnn.parameter @out.b : tensor<256xf32> init(#rnn.zeros)

rnn.network @mingru(%x: tensor<i32>, %target: tensor<i32>) -> (logits: tensor<256xf32>, nll: tensor<f32>) {
  %embed = rnn.param @embed : tensor<256x128xf32>
  %in = rnn.gather %embed, %x : (tensor<256x128xf32>, tensor<i32>) -> tensor<128xf32>

  // One product for gate and candidate, 128 rows each.
  %w = rnn.param @w : tensor<256x128xf32>
  %b = rnn.param @b : tensor<256xf32>
  %both = rnn.linear %in, %w, %b : (tensor<128xf32>, tensor<256x128xf32>, tensor<256xf32>) -> tensor<256xf32>
  %az = tensor.extract_slice %both[0] [128] [1] : tensor<256xf32> to tensor<128xf32>
  %n = tensor.extract_slice %both[128] [128] [1] : tensor<256xf32> to tensor<128xf32>
  %z = rnn.sigmoid %az : tensor<128xf32>

  %one = arith.constant dense<1.0> : tensor<128xf32>
  %keep = arith.subf %one, %z : tensor<128xf32>
  %new = arith.mulf %z, %n : tensor<128xf32>
  %h1 = rnn.delay %h by 1 : tensor<128xf32>
  %old = arith.mulf %keep, %h1 : tensor<128xf32>
  %h = arith.addf %old, %new : tensor<128xf32>

  %th = math.tanh %h : tensor<128xf32>
  %ow = rnn.param @out.w : tensor<256x128xf32>
  %ob = rnn.param @out.b : tensor<256xf32>
  %logits = rnn.linear %th, %ow, %ob : (tensor<128xf32>, tensor<256x128xf32>, tensor<256xf32>) -> tensor<256xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<256xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<256xf32>, tensor<f32>
}

rnn.train_step @step of @mingru loss("nll" mean) optimizer(#rnn.adam<lr = 0.004>) clip<norm = 1.0> bptt<window = 64, advance = 32>
