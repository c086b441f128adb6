// A hierarchical network of two rates (Hwang & Sung 2017): one layer moves with every byte, one with every word.
//
//   rnn-train examples/hierarchical.mlir --data=book.txt
//   rnn-opt --rnn-to-graph --rnn-print-recurrence examples/hierarchical.mlir -o /dev/null
//
// The layer of words has a clock: in frames without a space it holds its state. In a space's frame it reads what the layer
// of bytes has made of the word; the layer of bytes begins the next word anew, but is told what the layer of words knows.

rnn.parameter @embed : tensor<256x64xf32> init(#rnn.normal<std = 0.5>)
rnn.parameter @bytes.wx : tensor<256x128xf32> init(#rnn.uniform<-0.2, 0.2>)
rnn.parameter @bytes.wh : tensor<256x64xf32> init(#rnn.orthogonal<gain = 0.5, blocks = 4>)
rnn.parameter @bytes.b : tensor<256xf32> init(#rnn.zeros)
rnn.parameter @words.wx : tensor<256x64xf32> init(#rnn.uniform<-0.2, 0.2>)
rnn.parameter @words.wh : tensor<256x64xf32> init(#rnn.orthogonal<gain = 0.5, blocks = 4>)
rnn.parameter @words.b : tensor<256xf32> init(#rnn.zeros)
rnn.parameter @out.w : tensor<256x64xf32> init(#rnn.uniform<-0.08, 0.08>)
rnn.parameter @out.b : tensor<256xf32> init(#rnn.zeros)

rnn.network @hierarchical(%x: tensor<i32>, %target: tensor<i32>) -> (logits: tensor<256xf32>, nll: tensor<f32>) {
  // Where a word ends, and where the next one begins.
  %space = arith.constant dense<32> : tensor<i32>
  %ends = arith.cmpi eq, %x, %space : tensor<i32>
  %begins = rnn.delay %ends by 1 : tensor<i1>

  %embed = rnn.param @embed : tensor<256x64xf32>
  %byte = rnn.gather %embed, %x : (tensor<256x64xf32>, tensor<i32>) -> tensor<64xf32>
  %known = rnn.delay %words by 1 : tensor<64xf32>
  %in = tensor.concat dim(0) %byte, %known : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
  %bytes, %c0 = rnn.lstm "bytes" %in wx(@bytes.wx) wh(@bytes.wh) b(@bytes.b) restart(%begins) : tensor<128xf32> -> tensor<64xf32>
  %words, %c1 = rnn.lstm "words" %bytes wx(@words.wx) wh(@words.wh) b(@words.b) clock(%ends) : tensor<64xf32> -> tensor<64xf32>

  %w = rnn.param @out.w : tensor<256x64xf32>
  %b = rnn.param @out.b : tensor<256xf32>
  %logits = rnn.linear %bytes, %w, %b : (tensor<64xf32>, tensor<256x64xf32>, tensor<256xf32>) -> tensor<256xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<256xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<256xf32>, tensor<f32>
}

rnn.train_step @step of @hierarchical loss("nll" mean) optimizer(#rnn.adam<lr = 0.004>) clip<norm = 1.0> bptt<window = 64, advance = 32>
