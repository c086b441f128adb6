rnn.parameter @p0 : tensor<4xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p1 : tensor<4x4xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<3xf32>, %k: tensor<i32>, %r: tensor<i1> {rnn.reset}) -> (y0: tensor<3xf32>, y1: tensor<3xf32>, e: tensor<f32>) {
  %v1 = rnn.param @p0 : tensor<4xf32>
  %v2 = rnn.delay %v16 by 1 init(%v1) : tensor<4xf32>
  %v3 = math.tanh %v1 : tensor<4xf32>
  %v4 = arith.mulf %v3, %v3 : tensor<4xf32>
  %v5 = arith.constant dense<0.984375> : tensor<4xf32>
  %v6 = arith.addf %v4, %v5 : tensor<4xf32>
  %v7 = math.log %v6 : tensor<4xf32>
  %v8 = rnn.sum %v1, %v5 : tensor<4xf32>
  %v9 = arith.subf %v6, %v5 : tensor<4xf32>
  %v10 = rnn.param @p1 : tensor<4x4xf32>
  %v11 = rnn.linear %v6, %v10 : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %v12 = rnn.sum %v5, %v5, %v11, %v11 : tensor<4xf32>
  %v13 = rnn.sum %v8 : tensor<4xf32>
  %v14 = rnn.random normal <frame> : tensor<3xf32>
  %v15 = arith.mulf %x, %v14 : tensor<3xf32>
  %v16 = math.tanh %v13 : tensor<4xf32>
  %v17 = rnn.delay %v26 by 2 : tensor<3xf32>
  %v18 = rnn.random uniform <frame> : tensor<3xf32>
  %v19 = arith.constant dense<0.90625> : tensor<3xf32>
  %v20 = arith.cmpf olt, %v18, %v19 : tensor<3xf32>
  %v21 = arith.constant dense<0.0> : tensor<3xf32>
  %v22 = arith.select %v20, %v17, %v21 : tensor<3xi1>, tensor<3xf32>
  %v23 = rnn.contract %v10, %v10 [(d0, d1) -> (d0, d1), (d0, d1) -> (d0, d1), (d0, d1) -> ()] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<f32>
  %v24 = rnn.contract %v12, %v5 [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %v25 = math.tanh %v24 : tensor<4x4xf32>
  %v26 = math.tanh %v18 : tensor<3xf32>
  %v27 = math.tanh %v26 : tensor<3xf32>
  %v28 = arith.mulf %v27, %v27 : tensor<3xf32>
  %v29 = rnn.reduce sum %v28 over [0] : tensor<3xf32> to tensor<f32>
  %v30 = math.tanh %v18 : tensor<3xf32>
  %v31 = arith.mulf %v30, %v30 : tensor<3xf32>
  %v32 = rnn.reduce sum %v31 over [0] : tensor<3xf32> to tensor<f32>
  %v33 = arith.addf %v29, %v32 : tensor<f32>
  %v34 = math.tanh %v16 : tensor<4xf32>
  %v35 = arith.mulf %v34, %v34 : tensor<4xf32>
  %v36 = rnn.reduce sum %v35 over [0] : tensor<4xf32> to tensor<f32>
  %v37 = arith.addf %v33, %v36 : tensor<f32>
  rnn.output %v26, %v18, %v37 : tensor<3xf32>, tensor<3xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" sum weight 1.0) optimizer(#rnn.sgd<lr = 0.0>)
