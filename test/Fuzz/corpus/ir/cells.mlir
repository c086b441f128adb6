rnn.parameter @p0 : tensor<6xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p1 : tensor<2x6xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p2 : tensor<4x12xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p3 : tensor<6x4xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<4xf64>, %r: tensor<i1> {rnn.reset}) -> (y0: tensor<6xf64>, e: tensor<f64>) {
  %v12 = arith.constant dense<[-0.484375, -0.453125, 0.296875, -0.265625, 0.90625, 0.21875]> : tensor<6xf64>
  %v2 = rnn.delay %v10 by 3 init(%v1) : tensor<6xf64>
  %v11 = math.tanh %v10 : tensor<6xf64>
  %v8 = rnn.param @p3 : tensor<6x4xf64>
  %v4 = rnn.param @p1 : tensor<2x6xf64>
  %v3 = tensor.concat dim(0) %v1, %v2 : (tensor<6xf64>, tensor<6xf64>) -> tensor<12xf64>
  %v5 = rnn.linear %v2, %v4 : (tensor<6xf64>, tensor<2x6xf64>) -> tensor<2xf64>
  %v10 = math.tanh %v9 : tensor<6xf64>
  %v9 = rnn.linear %v7, %v8 : (tensor<4xf64>, tensor<6x4xf64>) -> tensor<6xf64>
  %v18 = rnn.mean_absolute_error %v11, %v12 : (tensor<6xf64>, tensor<6xf64>) -> tensor<f64>
  %v1 = rnn.param @p0 : tensor<6xf64>
  %v6 = rnn.param @p2 : tensor<4x12xf64>
  %v7 = rnn.linear %v3, %v6 : (tensor<12xf64>, tensor<4x12xf64>) -> tensor<4xf64>
  rnn.output %v10, %v18 : tensor<6xf64>, tensor<f64>
}
rnn.train_step @step of @net loss("e" mean weight 1.0) optimizer(#rnn.sgd<lr = 0.0>)
