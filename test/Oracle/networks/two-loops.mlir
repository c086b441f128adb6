// Two coupled loops: %a reads itself one frame back and %b three frames back, %b reads %a of the frame before.
rnn.parameter @wx : tensor<4x3xf32> init(#rnn.uniform<>)
rnn.parameter @wa : tensor<4x4xf32> init(#rnn.orthogonal<>)
rnn.parameter @wb : tensor<4x5xf32> init(#rnn.uniform<>)
rnn.parameter @vb : tensor<5x5xf32> init(#rnn.orthogonal<>)
rnn.parameter @va : tensor<5x4xf32> init(#rnn.uniform<>)

rnn.network @n(%x: tensor<3xf32>) -> (b: tensor<5xf32>, e: tensor<f32>) {
  %a1 = rnn.delay %a by 1 : tensor<4xf32>
  %b3 = rnn.delay %b by 3 : tensor<5xf32>
  %wx = rnn.param @wx : tensor<4x3xf32>
  %wa = rnn.param @wa : tensor<4x4xf32>
  %wb = rnn.param @wb : tensor<4x5xf32>
  %vb = rnn.param @vb : tensor<5x5xf32>
  %va = rnn.param @va : tensor<5x4xf32>
  %gx = rnn.linear %x, %wx : (tensor<3xf32>, tensor<4x3xf32>) -> tensor<4xf32>
  %ga = rnn.linear %a1, %wa : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %gb = rnn.linear %b3, %wb : (tensor<5xf32>, tensor<4x5xf32>) -> tensor<4xf32>
  %sa = rnn.sum %gx, %ga, %gb : tensor<4xf32>
  %a = math.tanh %sa : tensor<4xf32>
  %ha = rnn.linear %a1, %va : (tensor<4xf32>, tensor<5x4xf32>) -> tensor<5xf32>
  %hb = rnn.linear %b3, %vb : (tensor<5xf32>, tensor<5x5xf32>) -> tensor<5xf32>
  %sb = rnn.sum %ha, %hb : tensor<5xf32>
  %b = rnn.sigmoid %sb : tensor<5xf32>
  %bb = arith.mulf %b, %b : tensor<5xf32>
  %e = rnn.reduce sum %bb over [0] : tensor<5xf32> to tensor<f32>
  rnn.output %b, %e : tensor<5xf32>, tensor<f32>
}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<lr = 0.0>)
