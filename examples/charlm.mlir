// A character model: two peephole LSTM layers of 128 units read bytes and predict the next one.
//
//   rnn-train examples/charlm.mlir --data=book.txt
//   rnn-run examples/charlm.mlir --input=rnn-out/last.safetensors --sample=400
//
// A signal is a value per frame, here per byte. Change the cell, the sizes or the loss; nothing else has to follow.

// Layer 0 looks its input up: row x of wx is what byte x adds to the four gates.
rnn.parameter @l0.wx : tensor<256x512xf32> init(#rnn.uniform<-2.0, 2.0>)
rnn.parameter @l0.wh : tensor<512x128xf32> init(#rnn.orthogonal<gain = 0.5, blocks = 4>)
rnn.parameter @l0.b : tensor<512xf32> init(#rnn.zeros)
rnn.parameter @l0.pi : tensor<128xf32> init(#rnn.zeros)
rnn.parameter @l0.pf : tensor<128xf32> init(#rnn.zeros)
rnn.parameter @l0.po : tensor<128xf32> init(#rnn.zeros)

rnn.parameter @l1.wx : tensor<512x128xf32> init(#rnn.uniform<-0.2, 0.2>)
rnn.parameter @l1.wh : tensor<512x128xf32> init(#rnn.orthogonal<gain = 0.5, blocks = 4>)
rnn.parameter @l1.b : tensor<512xf32> init(#rnn.zeros)
rnn.parameter @l1.pi : tensor<128xf32> init(#rnn.zeros)
rnn.parameter @l1.pf : tensor<128xf32> init(#rnn.zeros)
rnn.parameter @l1.po : tensor<128xf32> init(#rnn.zeros)

rnn.parameter @out.w : tensor<256x128xf32> init(#rnn.uniform<-0.08, 0.08>)
rnn.parameter @out.b : tensor<256xf32> init(#rnn.zeros)

rnn.network @charlm(%x: tensor<i32>, %target: tensor<i32>) -> (logits: tensor<256xf32>, nll: tensor<f32>) {
  %h0, %c0 = rnn.lstm "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) peephole(@l0.pi, @l0.pf, @l0.po) : tensor<i32> -> tensor<128xf32>
  %h1, %c1 = rnn.lstm "l1" %h0 wx(@l1.wx) wh(@l1.wh) b(@l1.b) peephole(@l1.pi, @l1.pf, @l1.po) : tensor<128xf32> -> tensor<128xf32>
  %w = rnn.param @out.w : tensor<256x128xf32>
  %b = rnn.param @out.b : tensor<256xf32>
  %logits = rnn.linear %h1, %w, %b : (tensor<128xf32>, tensor<256x128xf32>, tensor<256xf32>) -> tensor<256xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<256xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<256xf32>, tensor<f32>
}

// One training step: back-propagation over 64 bytes, an update every 32.
rnn.train_step @step of @charlm loss("nll" mean) optimizer(#rnn.adam<lr = 0.002>) clip<norm = 1.0> bptt<window = 64, advance = 32>
