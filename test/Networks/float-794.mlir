// RUN: test-rnn-networks %s
// Failed once with
// cpu: @step: call 1: first difference: 'state.v21' [0,0,1]: got 0, expected 6.81752613e-47
// network float-794 794 passes,cpu,emulator
module {
  rnn.parameter @p0 : tensor<2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p1 : tensor<3x6x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p2 : tensor<4x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p3 : tensor<4x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p4 : tensor<3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p5 : tensor<3x3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p6 : tensor<3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p7 : tensor<4x3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p8 : tensor<4xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p9 : tensor<2x3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.network @net(%x: tensor<3xf32>, %k: tensor<i32>, %s: tensor<4xf32> {rnn.rate = "stream"}) -> (y0: tensor<4xf32>, y1: tensor<2xf32>, e: tensor<f32>) {
    %0 = rnn.linear %8, %5 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2xf32>
    %1 = rnn.reduce sum %6 over [0] : tensor<4xf32> to tensor<f32>
    %2 = arith.mulf %7, %7 : tensor<2xf32>
    %3 = rnn.param @p3 : tensor<4x2xf32>
    %4 = rnn.param @p0 : tensor<2xf32>
    %5 = rnn.param @p9 : tensor<2x3xf32>
    %6 = rnn.linear %7, %3 : (tensor<2xf32>, tensor<4x2xf32>) -> tensor<4xf32>
    %7 = rnn.delay %2 by 1 init(%4) name "v21" : tensor<2xf32>
    %8 = rnn.param @p4 : tensor<3xf32>
    rnn.output %6, %0, %1 : tensor<4xf32>, tensor<2xf32>, tensor<f32>
  }
  rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.adamw<lr = 1.000000e-02, eps = 1.000000e-02, weight_decay = 1.000000e-01>)
}
