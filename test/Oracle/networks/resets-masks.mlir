// A gated loop with learned initial state, resets, a mask of its own and two losses.
rnn.parameter @w : tensor<4x3xf32> init(#rnn.uniform<>)
rnn.parameter @u : tensor<4x4xf32> init(#rnn.orthogonal<>)
rnn.parameter @h0 : tensor<4xf32> init(#rnn.normal<std = 0.1>)
rnn.parameter @p : tensor<4xf32> init(#rnn.zeros)

rnn.network @n(%x: tensor<3xf32>, %r: tensor<i1> {rnn.reset}, %m: tensor<i1>) -> (h: tensor<4xf32>, e: tensor<f32>, all: tensor<f32>, q: tensor<f32>, counted: tensor<i1>) {
  %w = rnn.param @w : tensor<4x3xf32>
  %u = rnn.param @u : tensor<4x4xf32>
  %h0 = rnn.param @h0 : tensor<4xf32>
  %p = rnn.param @p : tensor<4xf32>
  %h1 = rnn.delay %h by 1 init(%h0) : tensor<4xf32>
  %h2 = rnn.delay %h by 2 init(%h1) : tensor<4xf32>
  %gx = rnn.linear %x, %w : (tensor<3xf32>, tensor<4x3xf32>) -> tensor<4xf32>
  %gh = rnn.linear %h1, %u : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %peep = arith.mulf %p, %h2 : tensor<4xf32>
  %s = rnn.sum %gx, %gh, %peep : tensor<4xf32>
  %z = rnn.sigmoid %s : tensor<4xf32>
  %t = math.tanh %s : tensor<4xf32>
  %zt = arith.mulf %z, %t : tensor<4xf32>
  %zh = arith.mulf %z, %h1 : tensor<4xf32>
  %rest = arith.subf %h1, %zh : tensor<4xf32>
  %h = arith.addf %zt, %rest : tensor<4xf32>
  %hh = arith.mulf %h, %h : tensor<4xf32>
  %e = rnn.reduce sum %hh over [0] : tensor<4xf32> to tensor<f32>
  %q = rnn.reduce max %h over [0] : tensor<4xf32> to tensor<f32>
  rnn.output %h, %e, %e, %q, %m : tensor<4xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<i1>
}
rnn.train_step @step of @n loss("e" mean weight 0.5 mask "counted") loss("q" sum weight 0.25) metric("all" mean) optimizer(#rnn.sgd<lr = 0.0>)
