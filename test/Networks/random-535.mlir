// RUN: test-rnn-networks %s
// Failed once with
// passes: 'rnn-specialise' changed '@net' in chunk 0: 'y0' at 0: expected 0.063538328184942164, got 0.05874166387166424; 'rnn-sort' changed '@net' in chunk 0: 'y0' at 0: expected 0.063538328184942164, got 0.05874166387166424; 'cse' changed '@net' in chunk 0: 'y0' at 0: expected 0.063538328184942164, got 0.05874166387166424
// network random-535 535 passes,cpu,emulator
module {
  rnn.parameter @p0 : tensor<f32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p1 : tensor<3x1xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p2 : tensor<2x6xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p3 : tensor<2x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p4 : tensor<2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p5 : tensor<1x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>) frozen
  rnn.parameter @p6 : tensor<1x1xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p7 : tensor<1xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p8 : tensor<1xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p9 : tensor<1x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.network @net(%x: tensor<3xf32>, %k: tensor<i32>, %b: tensor<i1>, %r: tensor<i1> {rnn.reset}) -> (y0: tensor<1xf32>, y1: tensor<f32>, e: tensor<f32>) {
    %0 = rnn.reduce max %7 over [0] : tensor<1xf32> to tensor<f32>
    %1 = rnn.param @p0 : tensor<f32>
    %2 = rnn.random uniform <stream> : tensor<3x1xf32>
    %3 = rnn.reduce sum %2 over [0, 1] : tensor<3x1xf32> to tensor<f32>
    %4 = rnn.delay %4 by 3 init(%10) name "v32" : tensor<1xf32>
    %5 = rnn.reduce sum %4 over [0] : tensor<1xf32> to tensor<f32>
    %6 = rnn.delay %6 by 1 name "v25" : tensor<2xf32>
    %7 = rnn.param @p8 : tensor<1xf32>
    %8 = rnn.random uniform <frame> : tensor<f32>
    %9 = rnn.random normal <static> : tensor<f32>
    %10 = rnn.broadcast %11 along [0] : tensor<f32> to tensor<1xf32>
    %11 = rnn.delay %11 by 3 init(%1) name "v11" : tensor<f32>
    %12 = arith.addf %5, %3 : tensor<f32>
    rnn.output %4, %0, %12 : tensor<1xf32>, tensor<f32>, tensor<f32>
  }
  rnn.train_step @step of @net loss("e" sum) optimizer(#rnn.rmsprop<lr = 1.000000e-02, eps = 1.000000e-02, momentum = 5.000000e-01>)
}
