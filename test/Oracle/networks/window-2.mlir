// BPTT(h; h') with h = 2 h', at learning rate 0; carried delays 1 and 2, a reset, an integer input.
rnn.parameter @table : tensor<5x6xf32> init(#rnn.normal<std = 0.3>)
rnn.parameter @u : tensor<6x6xf32> init(#rnn.orthogonal<>)
rnn.parameter @v : tensor<6x6xf32> init(#rnn.uniform<>)
rnn.parameter @o : tensor<5x6xf32> init(#rnn.uniform<>)

rnn.network @n(%x: tensor<i32>, %target: tensor<i32>, %r: tensor<i1> {rnn.reset}) -> (logits: tensor<5xf32>, nll: tensor<f32>) {
  %table = rnn.param @table : tensor<5x6xf32>
  %u = rnn.param @u : tensor<6x6xf32>
  %v = rnn.param @v : tensor<6x6xf32>
  %o = rnn.param @o : tensor<5x6xf32>
  %h1 = rnn.delay %h by 1 : tensor<6xf32>
  %h2 = rnn.delay %h by 2 : tensor<6xf32>
  %gx = rnn.gather %table, %x : (tensor<5x6xf32>, tensor<i32>) -> tensor<6xf32>
  %g1 = rnn.linear %h1, %u : (tensor<6xf32>, tensor<6x6xf32>) -> tensor<6xf32>
  %g2 = rnn.linear %h2, %v : (tensor<6xf32>, tensor<6x6xf32>) -> tensor<6xf32>
  %s = rnn.sum %gx, %g1, %g2 : tensor<6xf32>
  %h = math.tanh %s : tensor<6xf32>
  %logits = rnn.linear %h, %o : (tensor<6xf32>, tensor<5x6xf32>) -> tensor<5xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<5xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<5xf32>, tensor<f32>
}
rnn.train_step @step of @n loss("nll" mean) optimizer(#rnn.sgd<lr = 0.0>) bptt<window = 6, advance = 3>
