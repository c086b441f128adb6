// A network that learns to spell from words alone, without being told which frame shows which letter: CTC.
//
//   python3 examples/data.py speller speller.npz
//   rnn-train examples/speller.mlir --data=speller.npz --epochs=8 --label-errors=logits
//
// A frame is noise with a letter in it, or without. labels and length say in every frame what the word is, last is true in
// its last one. Words follow one another in a stream: %new is marked as the reset and begins the next.

rnn.parameter @wx : tensor<96x4xf32> init(#rnn.uniform<>)
rnn.parameter @wh : tensor<96x32xf32> init(#rnn.orthogonal<gain = 0.5, blocks = 3>)
rnn.parameter @b : tensor<96xf32> init(#rnn.zeros)
rnn.parameter @out.w : tensor<5x32xf32> init(#rnn.uniform<>)
rnn.parameter @out.b : tensor<5xf32> init(#rnn.zeros)

rnn.network @speller(%x: tensor<4xf32>, %new: tensor<i1> {rnn.reset}, %last: tensor<i1>, %labels: tensor<5xi32>, %length: tensor<i32>)
    -> (logits: tensor<5xf32>, nll: tensor<f32>, ends: tensor<i1>) {
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<4xf32> -> tensor<32xf32>
  %w = rnn.param @out.w : tensor<5x32xf32>
  %b = rnn.param @out.b : tensor<5xf32>
  %logits = rnn.linear %h, %w, %b : (tensor<32xf32>, tensor<5x32xf32>, tensor<5xf32>) -> tensor<5xf32>
  %nll = rnn.ctc "align" %logits, %labels, %length {zero_infinity} : (tensor<5xf32>, tensor<5xi32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll, %last : tensor<5xf32>, tensor<f32>, tensor<i1>
}

// The loss of a word is the result at its last frame.
rnn.train_step @step of @speller loss("nll" mean mask "ends") optimizer(#rnn.adam<lr = 0.01>) clip<norm = 1.0> bptt<window = 64, advance = 32>
