// One layer forwards, one backwards, joined; the layer above reads both.
rnn.parameter @wf : tensor<4x3xf32> init(#rnn.uniform<>)
rnn.parameter @uf : tensor<4x4xf32> init(#rnn.orthogonal<>)
rnn.parameter @wr : tensor<4x3xf32> init(#rnn.uniform<>)
rnn.parameter @ur : tensor<4x4xf32> init(#rnn.orthogonal<>)
rnn.parameter @wo : tensor<2x8xf32> init(#rnn.uniform<>)

rnn.network @n(%x: tensor<3xf32>, %r: tensor<i1> {rnn.reset}, %target: tensor<2xf32>) -> (y: tensor<2xf32>, e: tensor<f32>) {
  %wf = rnn.param @wf : tensor<4x3xf32>
  %uf = rnn.param @uf : tensor<4x4xf32>
  %wr = rnn.param @wr : tensor<4x3xf32>
  %ur = rnn.param @ur : tensor<4x4xf32>
  %wo = rnn.param @wo : tensor<2x8xf32>
  %f1 = rnn.delay %f by 1 local : tensor<4xf32>
  %r1 = rnn.delay %b by -1 : tensor<4xf32>
  %xf = rnn.linear %x, %wf : (tensor<3xf32>, tensor<4x3xf32>) -> tensor<4xf32>
  %hf = rnn.linear %f1, %uf : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %sf = rnn.sum %xf, %hf : tensor<4xf32>
  %f = math.tanh %sf : tensor<4xf32>
  %xr = rnn.linear %x, %wr : (tensor<3xf32>, tensor<4x3xf32>) -> tensor<4xf32>
  %hr = rnn.linear %r1, %ur : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %sr = rnn.sum %xr, %hr : tensor<4xf32>
  %b = math.tanh %sr : tensor<4xf32>
  %both = tensor.concat dim(0) %f, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %y = rnn.linear %both, %wo : (tensor<8xf32>, tensor<2x8xf32>) -> tensor<2xf32>
  %d = arith.subf %y, %target : tensor<2xf32>
  %dd = arith.mulf %d, %d : tensor<2xf32>
  %e = rnn.reduce sum %dd over [0] : tensor<2xf32> to tensor<f32>
  rnn.output %y, %e : tensor<2xf32>, tensor<f32>
}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<lr = 0.0>)
