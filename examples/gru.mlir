// A gated recurrent unit written by hand: a byte model whose cell is plain arithmetic, with no cell op in it.
//
//   rnn-train examples/gru.mlir --data=book.txt
//   rnn-run examples/gru.mlir --input=rnn-out/last.safetensors --sample=400
//
// `rnn.gru` is the short form of such a cell (docs/Cells.md); this one has an order of gates of its own.
// The reset gate acts before the product, so a frame has two products one after the other inside the loop; what comes
// from the input is looked up for all frames at once. Change a line, and the gradient and the code change with it.

// Row x of wx is what byte x adds to update gate, reset gate and candidate, 128 numbers each.
rnn.parameter @wx : tensor<256x384xf32> init(#rnn.uniform<-0.08, 0.08>)
rnn.parameter @wg : tensor<256x128xf32> init(#rnn.orthogonal<blocks = 2>)
rnn.parameter @wc : tensor<128x128xf32> init(#rnn.orthogonal<>)
rnn.parameter @b : tensor<384xf32> init(#rnn.zeros)
rnn.parameter @out.w : tensor<256x128xf32> init(#rnn.uniform<-0.08, 0.08>)
rnn.parameter @out.b : tensor<256xf32> init(#rnn.zeros)

rnn.network @gru(%x: tensor<i32>, %target: tensor<i32>) -> (logits: tensor<256xf32>, nll: tensor<f32>) {
  %wx = rnn.param @wx : tensor<256x384xf32>
  %b = rnn.param @b : tensor<384xf32>
  %row = rnn.gather %wx, %x : (tensor<256x384xf32>, tensor<i32>) -> tensor<384xf32>
  %in = rnn.sum %row, %b : tensor<384xf32>
  %in.gates = tensor.extract_slice %in[0] [256] [1] : tensor<384xf32> to tensor<256xf32>
  %in.candidate = tensor.extract_slice %in[256] [128] [1] : tensor<384xf32> to tensor<128xf32>

  // Gates: %z says how much of the state is new, %r how much of the old one the candidate sees.
  %h1 = rnn.delay %h by 1 : tensor<128xf32>
  %wg = rnn.param @wg : tensor<256x128xf32>
  %old.gates = rnn.linear %h1, %wg : (tensor<128xf32>, tensor<256x128xf32>) -> tensor<256xf32>
  %sum.gates = rnn.sum %in.gates, %old.gates : tensor<256xf32>
  %gates = rnn.sigmoid %sum.gates : tensor<256xf32>
  %z = tensor.extract_slice %gates[0] [128] [1] : tensor<256xf32> to tensor<128xf32>
  %r = tensor.extract_slice %gates[128] [128] [1] : tensor<256xf32> to tensor<128xf32>

  %seen = arith.mulf %r, %h1 : tensor<128xf32>
  %wc = rnn.param @wc : tensor<128x128xf32>
  %old.candidate = rnn.linear %seen, %wc : (tensor<128xf32>, tensor<128x128xf32>) -> tensor<128xf32>
  %sum.candidate = rnn.sum %in.candidate, %old.candidate : tensor<128xf32>
  %candidate = math.tanh %sum.candidate : tensor<128xf32>

  // h = h[t-1] + z ∘ (candidate - h[t-1])
  %change = arith.subf %candidate, %h1 : tensor<128xf32>
  %step = arith.mulf %z, %change : tensor<128xf32>
  %h = arith.addf %h1, %step : tensor<128xf32>

  %w = rnn.param @out.w : tensor<256x128xf32>
  %wb = rnn.param @out.b : tensor<256xf32>
  %logits = rnn.linear %h, %w, %wb : (tensor<128xf32>, tensor<256x128xf32>, tensor<256xf32>) -> tensor<256xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<256xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<256xf32>, tensor<f32>
}

rnn.train_step @step of @gru loss("nll" mean) optimizer(#rnn.adam<lr = 0.004>) clip<norm = 1.0> bptt<window = 64, advance = 32>
