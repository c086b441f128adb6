// RUN: test-rnn-networks %s
// Failed once with
// cpu: @net: call 1: first difference: 'state.v27' [0,0,1]: got 0, expected 3.11953883e-53
// network window-481 481 passes,cpu,emulator
module {
  rnn.parameter @p0 : tensor<1x6xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p1 : tensor<3x3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p2 : tensor<2x3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p3 : tensor<4x3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p4 : tensor<4xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p5 : tensor<2x4xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>) frozen
  rnn.network @net(%x: tensor<6xf32>, %z: tensor<1xf32>, %k: tensor<i32>, %b: tensor<i1>, %r: tensor<i1> {rnn.reset}) -> (y0: tensor<3xf32>, y1: tensor<2xf32>, e: tensor<f32>, m: tensor<i1>) {
    %cst = arith.constant dense<0.596373618> : tensor<3xf32>
    %0 = rnn.param @p4 : tensor<4xf32>
    %1 = rnn.delay %2 by 1 init(%0) name "v27" : tensor<4xf32>
    %2 = arith.mulf %1, %1 : tensor<4xf32>
    %3 = rnn.param @p5 : tensor<2x4xf32>
    %4 = rnn.linear %1, %3 : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<2xf32>
    %cst_0 = arith.constant dense<0.285651833> : tensor<3xf32>
    %5 = rnn.reduce sum %cst_0 over [0] : tensor<3xf32> to tensor<f32>
    rnn.output %cst, %4, %5, %b : tensor<3xf32>, tensor<2xf32>, tensor<f32>, tensor<i1>
  }
  rnn.train_step @step of @net loss("e" mean weight 5.000000e-01 mask "m") optimizer(#rnn.sgd<lr = 5.000000e-02, momentum = 9.000000e-01>) bptt<window = 4, advance = 2>
}
