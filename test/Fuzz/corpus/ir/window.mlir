rnn.parameter @p0 : tensor<6xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p1 : tensor<3x6xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p2 : tensor<3xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p3 : tensor<6x1xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p4 : tensor<1x6xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p5 : tensor<1xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<6xf32>, %r: tensor<i1> {rnn.reset}) -> (y0: tensor<1xf32>, y1: tensor<6xf32>, e: tensor<f32>) {
  %v1 = arith.constant dense<0.53125> : tensor<1xf32>
  %v2 = rnn.delay %v12 by 2 init(%v1) : tensor<1xf32>
  %v3 = rnn.delay %v13 by 4 : tensor<1xf32>
  %v4 = rnn.sum %v2, %v2, %v1, %v1 : tensor<1xf32>
  %v5 = arith.mulf %v2, %v1 : tensor<1xf32>
  %v6 = rnn.param @p0 : tensor<6xf32>
  %v7 = rnn.delay %x by 1 init(%v6) : tensor<6xf32>
  %v8 = rnn.param @p1 : tensor<3x6xf32>
  %v9 = rnn.param @p2 : tensor<3xf32>
  %v10 = rnn.linear %x, %v8, %v9 : (tensor<6xf32>, tensor<3x6xf32>, tensor<3xf32>) -> tensor<3xf32>
  %v11 = math.sin %v9 : tensor<3xf32>
  %v12 = math.tanh %v4 : tensor<1xf32>
  %v13 = math.tanh %v4 : tensor<1xf32>
  %v14 = rnn.delay %v20 by 1 : tensor<6xf32>
  %v15 = rnn.delay %v24 by 2 : tensor<1xf32>
  %v16 = arith.mulf %v14, %v6 : tensor<6xf32>
  %v17 = rnn.sigmoid %v15 : tensor<1xf32>
  %v18 = rnn.param @p3 : tensor<6x1xf32>
  %v19 = rnn.linear %v15, %v18 : (tensor<1xf32>, tensor<6x1xf32>) -> tensor<6xf32>
  %v20 = math.tanh %v19 : tensor<6xf32>
  %v21 = rnn.param @p4 : tensor<1x6xf32>
  %v22 = rnn.param @p5 : tensor<1xf32>
  %v23 = rnn.linear %v16, %v21, %v22 : (tensor<6xf32>, tensor<1x6xf32>, tensor<1xf32>) -> tensor<1xf32>
  %v24 = math.tanh %v23 : tensor<1xf32>
  %v25 = math.tanh %v24 : tensor<1xf32>
  %v26 = arith.mulf %v25, %v25 : tensor<1xf32>
  %v27 = rnn.reduce sum %v26 over [0] : tensor<1xf32> to tensor<f32>
  %v28 = math.tanh %v16 : tensor<6xf32>
  %v29 = arith.mulf %v28, %v28 : tensor<6xf32>
  %v30 = rnn.reduce sum %v29 over [0] : tensor<6xf32> to tensor<f32>
  %v31 = arith.addf %v27, %v30 : tensor<f32>
  %v32 = math.tanh %v13 : tensor<1xf32>
  %v33 = arith.mulf %v32, %v32 : tensor<1xf32>
  %v34 = rnn.reduce sum %v33 over [0] : tensor<1xf32> to tensor<f32>
  %v35 = arith.addf %v31, %v34 : tensor<f32>
  rnn.output %v24, %v16, %v35 : tensor<1xf32>, tensor<6xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean weight 1.0) optimizer(#rnn.sgd<lr = 0.0>) bptt<window = 4, advance = 2>
