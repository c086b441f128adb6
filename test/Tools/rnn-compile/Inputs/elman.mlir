rnn.parameter @wx : tensor<8x4xf32> init(#rnn.uniform<>)
rnn.parameter @wh : tensor<8x8xf32> init(#rnn.orthogonal<>)
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<8xf32>, e: tensor<f32>) {
  %h1 = rnn.delay %h by 1 : tensor<8xf32>
  %wx = rnn.param @wx : tensor<8x4xf32>
  %wh = rnn.param @wh : tensor<8x8xf32>
  %a = rnn.linear %x, %wx : (tensor<4xf32>, tensor<8x4xf32>) -> tensor<8xf32>
  %u = rnn.linear %h1, %wh : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  %s = rnn.sum %a, %u : tensor<8xf32>
  %h = math.tanh %s : tensor<8xf32>
  %hh = arith.mulf %h, %h : tensor<8xf32>
  %e = rnn.reduce sum %hh over [0] : tensor<8xf32> to tensor<f32>
  rnn.output %h, %e : tensor<8xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>) bptt<window = 6, advance = 3>
