rnn.network @identity(%u: tensor<f32>) -> (v: tensor<f32>) {
  rnn.output %u : tensor<f32>
}
rnn.network @cycle() -> (h: tensor<f32>) {
  %g = math.tanh %h : tensor<f32>
  %h = rnn.call "i" @identity(%g) : (tensor<f32>) -> tensor<f32>
  rnn.output %h : tensor<f32>
}
