rnn.network @identity(%u: tensor<f32>) -> (v: tensor<f32>) {
  rnn.output %u : tensor<f32>
}
rnn.network @rates(%x: tensor<f32>) -> (h: tensor<f32> {rnn.rate = "static"}) {
  %y = rnn.call "i" @identity(%x) : (tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}
