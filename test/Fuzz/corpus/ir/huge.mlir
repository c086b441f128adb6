rnn.network @n(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  %y = rnn.delay %x by 9223372036854775807 : tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}
