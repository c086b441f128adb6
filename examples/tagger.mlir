// A bidirectional tagger: each item of a sequence gets one of two tags, which depends on its neighbours on both sides.
//
//   python3 examples/data.py tagger tagger.npz
//   rnn-train examples/tagger.mlir --data=tagger.npz --epochs=4
//
// The file holds x and target [T,N], the lengths [N] of the sequences, and a mask [T,N], false where a tag is not known.
// Since %first is marked as the reset, sequences follow one another in a stream without padding: rnn-train sets it at the
// first item of each, and no delay reads across that border, in either direction.

rnn.parameter @embedding : tensor<8x16xf32> init(#rnn.normal<std = 0.3>)
rnn.parameter @past.wh : tensor<16x16xf32> init(#rnn.orthogonal<>)
rnn.parameter @past.b : tensor<16xf32> init(#rnn.zeros)
rnn.parameter @future.wh : tensor<16x16xf32> init(#rnn.orthogonal<>)
rnn.parameter @future.b : tensor<16xf32> init(#rnn.zeros)
rnn.parameter @out.w : tensor<2x32xf32> init(#rnn.uniform<>)
rnn.parameter @out.b : tensor<2xf32> init(#rnn.zeros)

rnn.network @tagger(%x: tensor<i32>, %first: tensor<i1> {rnn.reset}, %target: tensor<i32>) -> (logits: tensor<2xf32>, nll: tensor<f32>) {
  // Two layers read the same items, with one table: the first carries its state from chunk to chunk; the second goes through
  // a chunk from its end, and begins anew in each.
  %past = rnn.elman "past" %x wx(@embedding) wh(@past.wh) b(@past.b) : tensor<i32> -> tensor<16xf32>
  %future = rnn.elman "future" %x wx(@embedding) wh(@future.wh) b(@future.b) reverse : tensor<i32> -> tensor<16xf32>

  %both = tensor.concat dim(0) %past, %future : (tensor<16xf32>, tensor<16xf32>) -> tensor<32xf32>
  %w = rnn.param @out.w : tensor<2x32xf32>
  %b = rnn.param @out.b : tensor<2xf32>
  %logits = rnn.linear %both, %w, %b : (tensor<32xf32>, tensor<2x32xf32>, tensor<2xf32>) -> tensor<2xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<2xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<2xf32>, tensor<f32>
}

// Window and advance are equal: back-propagation beyond the chunk has no meaning where signals come from later frames.
rnn.train_step @step of @tagger loss("nll" mean) optimizer(#rnn.adam<lr = 0.01>) clip<norm = 1.0> bptt<window = 32, advance = 32>
