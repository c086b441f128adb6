rnn.parameter @p0 : tensor<f32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p1 : tensor<6xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p2 : tensor<6x6xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p3 : tensor<4x6xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p4 : tensor<6x6xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p5 : tensor<4x1xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p6 : tensor<3x3xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @p7 : tensor<4x3xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<4xf32>) -> (y0: tensor<3xf32>, y1: tensor<3xf32>, e: tensor<f32>) {
  %v55 = arith.mulf %v54, %v54 : tensor<6xf32>
  %v44 = rnn.linear %v37, %v43 : (tensor<3xf32>, tensor<4x3xf32>) -> tensor<4xf32>
  %v41 = arith.cmpf ole, %v4, %v7 : tensor<6xf32>
  %v25 = math.tanh %v24 : tensor<1xf32>
  %v11 = math.tanh %v10 : tensor<1xf32>
  %v5 = rnn.param @p2 : tensor<6x6xf32>
  %v9 = rnn.linear %v6, %v8 : (tensor<6xf32>, tensor<4x6xf32>) -> tensor<4xf32>
  %v27 = arith.constant dense<0.625> : tensor<1xf32>
  %v24 = math.cos %v20 : tensor<1xf32>
  %v42 = arith.select %v41, %v4, %v7 : tensor<6xi1>, tensor<6xf32>
  %v12 = tensor.insert_slice %v11 into %v9[3] [1] [1] : tensor<1xf32> into tensor<4xf32>
  %v16 = rnn.sum %v2, %v2 : tensor<f32>
  %v23 = rnn.reduce max %v19 over [0] : tensor<4xf32> to tensor<f32>
  %v29 = arith.constant dense<2.0> : tensor<1xf32>
  %v1 = rnn.param @p0 : tensor<f32>
  %v39 = rnn.linear %v36, %v38 : (tensor<3xf32>, tensor<3x3xf32>) -> tensor<3xf32>
  %v49 = rnn.reduce sum %v48 over [0] : tensor<3xf32> to tensor<f32>
  %v4 = rnn.delay %v18 by 1 init(%v3) : tensor<6xf32>
  %v32 = rnn.linear %v26, %v31 : (tensor<1xf32>, tensor<4x1xf32>) -> tensor<4xf32>
  %v17 = math.tanh %v16 : tensor<f32>
  %v21 = arith.cmpf ult, %v20, %v20 : tensor<1xf32>
  %v46 = math.tanh %v39 : tensor<3xf32>
  %v34 = math.tanh %v30 : tensor<1xf32>
  %v47 = math.tanh %v45 : tensor<3xf32>
  %v40 = rnn.reduce sum %v36 over [0] : tensor<3xf32> to tensor<f32>
  %v53 = arith.addf %v49, %v52 : tensor<f32>
  %v10 = tensor.extract_slice %v9[3] [1] [1] : tensor<4xf32> to tensor<1xf32>
  %v45 = math.tanh %v39 : tensor<3xf32>
  %v37 = rnn.delay %v46 by 1 init(%v36) : tensor<3xf32>
  %v19 = rnn.delay %v33 by 3 local : tensor<4xf32>
  %v8 = rnn.param @p3 : tensor<4x6xf32>
  %v54 = math.tanh %v18 : tensor<6xf32>
  %v30 = math.powf %v28, %v29 : tensor<1xf32>
  %v7 = rnn.sum %v4, %v6, %v3 : tensor<6xf32>
  %v2 = rnn.delay %v17 by 4 init(%v1) : tensor<f32>
  %v59 = arith.mulf %v58, %v58 : tensor<1xf32>
  %v52 = rnn.reduce sum %v51 over [0] : tensor<3xf32> to tensor<f32>
  %v50 = math.tanh %v46 : tensor<3xf32>
  %v35 = rnn.delay %v45 by 3 : tensor<3xf32>
  %v48 = arith.mulf %v47, %v47 : tensor<3xf32>
  %v14 = rnn.param @p4 : tensor<6x6xf32>
  %v33 = math.tanh %v32 : tensor<4xf32>
  %v20 = rnn.delay %v34 by 3 : tensor<1xf32>
  %v18 = math.tanh %v6 : tensor<6xf32>
  %v61 = arith.addf %v57, %v60 : tensor<f32>
  %v57 = arith.addf %v53, %v56 : tensor<f32>
  %v60 = rnn.reduce sum %v59 over [0] : tensor<1xf32> to tensor<f32>
  %v22 = arith.select %v21, %v20, %v13 : tensor<1xi1>, tensor<1xf32>
  %v6 = rnn.linear %v3, %v5 : (tensor<6xf32>, tensor<6x6xf32>) -> tensor<6xf32>
  %v43 = rnn.param @p7 : tensor<4x3xf32>
  %v51 = arith.mulf %v50, %v50 : tensor<3xf32>
  %v28 = arith.addf %v26, %v27 : tensor<1xf32>
  %v26 = arith.mulf %v25, %v25 : tensor<1xf32>
  %v36 = arith.constant dense<[0.125, -0.203125, -0.5625]> : tensor<3xf32>
  %v15 = rnn.linear %v6, %v14 : (tensor<6xf32>, tensor<6x6xf32>) -> tensor<6xf32>
  %v13 = rnn.sum %v11 : tensor<1xf32>
  %v38 = rnn.param @p6 : tensor<3x3xf32>
  %v3 = rnn.param @p1 : tensor<6xf32>
  %v31 = rnn.param @p5 : tensor<4x1xf32>
  %v58 = math.tanh %v34 : tensor<1xf32>
  %v56 = rnn.reduce sum %v55 over [0] : tensor<6xf32> to tensor<f32>
  rnn.output %v45, %v46, %v61 : tensor<3xf32>, tensor<3xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" sum weight 0.5) optimizer(#rnn.sgd<lr = 0.0>)
