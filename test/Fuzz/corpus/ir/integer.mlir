rnn.parameter @p0 : tensor<4xi32> init(#rnn.zeros)
rnn.parameter @p1 : tensor<6x4xi32> init(#rnn.zeros)
rnn.parameter @p2 : tensor<4x6xi32> init(#rnn.zeros)
rnn.parameter @p3 : tensor<2x4xi32> init(#rnn.zeros)
rnn.parameter @p4 : tensor<1xi32> init(#rnn.zeros)
rnn.parameter @p5 : tensor<1x10xi32> init(#rnn.zeros)
rnn.network @net(%x: tensor<6xi32>, %b: tensor<i1>, %r: tensor<i1> {rnn.reset}) -> (y0: tensor<2xi32>) {
  %v1 = rnn.delay %v7 by 2 : tensor<6xi32>
  %v2 = rnn.param @p0 : tensor<4xi32>
  %v3 = rnn.delay %v5 by 1 init(%v2) : tensor<4xi32>
  %v4 = arith.addi %v1, %v1 : tensor<6xi32>
  %v5 = rnn.sum %v3 : tensor<4xi32>
  %v6 = rnn.param @p1 : tensor<6x4xi32>
  %v7 = rnn.contract %v6, %v2 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<6x4xi32>, tensor<4xi32>) -> tensor<6xi32>
  %v8 = rnn.delay %v17 by 2 : tensor<2xi32>
  %v9 = rnn.delay %v18 by 3 : tensor<2x3xi32>
  %v10 = rnn.delay %v13 by 1 init(%v5) : tensor<4xi32>
  %v11 = arith.andi %v9, %v9 : tensor<2x3xi32>
  %v12 = rnn.param @p2 : tensor<4x6xi32>
  %v13 = rnn.contract %v12, %v1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x6xi32>, tensor<6xi32>) -> tensor<4xi32>
  %v14 = rnn.reduce sum %v8 over [0] : tensor<2xi32> to tensor<i32>
  %v15 = rnn.sum %v14, %v14 : tensor<i32>
  %v16 = rnn.param @p3 : tensor<2x4xi32>
  %v17 = rnn.contract %v16, %v10 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<2x4xi32>, tensor<4xi32>) -> tensor<2xi32>
  %v18 = rnn.sum %v9, %v11 : tensor<2x3xi32>
  %v19 = rnn.param @p4 : tensor<1xi32>
  %v20 = rnn.delay %v29 by 1 init(%v19) : tensor<1xi32>
  %v21 = rnn.delay %v29 by 4 : tensor<1xi32>
  %v22 = rnn.delay %v31 by 4 : tensor<1xi32>
  %v23 = tensor.concat dim(0) %v7, %v3 : (tensor<6xi32>, tensor<4xi32>) -> tensor<10xi32>
  %v24 = rnn.broadcast %v19 along [0] : tensor<1xi32> to tensor<6x1xi32>
  %v25 = arith.subi %v23, %v23 : tensor<10xi32>
  %v26 = rnn.sum %v18, %v11, %v9 : tensor<2x3xi32>
  %v27 = arith.ori %v25, %v25 : tensor<10xi32>
  %v28 = rnn.param @p5 : tensor<1x10xi32>
  %v29 = rnn.contract %v28, %v23 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<1x10xi32>, tensor<10xi32>) -> tensor<1xi32>
  %v30 = rnn.param @p5 : tensor<1x10xi32>
  %v31 = rnn.contract %v30, %v25 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<1x10xi32>, tensor<10xi32>) -> tensor<1xi32>
  rnn.output %v17 : tensor<2xi32>
}
