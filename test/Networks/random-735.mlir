// RUN: test-rnn-networks %s
// Failed once with
// passes: 'rnn-specialise' changed '@net' in chunk 0: 'y0' at 0: expected 0, got -0.045241123544794398; 'rnn-sort' changed '@net' in chunk 0: 'y0' at 0: expected 0, got -0.045241123544794398; 'cse' changed '@net' in chunk 0: 'y0' at 0: expected 0, got -0.045241123544794398
// network random-735 735 passes,cpu,emulator
module {
  rnn.parameter @p0 : tensor<2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p1 : tensor<3x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>) frozen
  rnn.parameter @p2 : tensor<2x3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p3 : tensor<1x6xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p4 : tensor<4x6xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.network @net(%x: tensor<4xf32>, %k: tensor<i32>, %b: tensor<i1>, %r: tensor<i1> {rnn.reset}) -> (y0: tensor<2xf32>, e: tensor<f32>, m: tensor<i1>) {
    %0 = rnn.param @p0 : tensor<2xf32>
    %1 = rnn.delay %6 by 3 init(%0) name "v20" : tensor<2xf32>
    %2 = rnn.param @p1 : tensor<3x2xf32>
    %3 = rnn.linear %1, %2 : (tensor<2xf32>, tensor<3x2xf32>) -> tensor<3xf32>
    %4 = rnn.random uniform <static> : tensor<3xf32>
    %5 = rnn.param @p2 : tensor<2x3xf32>
    %6 = rnn.linear %3, %5 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2xf32>
    %7 = rnn.delay %8 by 1 name "v34" : tensor<6xf32>
    %8 = rnn.random uniform <static> : tensor<6xf32>
    %9 = rnn.param @p3 : tensor<1x6xf32>
    %10 = rnn.linear %7, %9 : (tensor<6xf32>, tensor<1x6xf32>) -> tensor<1xf32>
    %11 = rnn.random normal <stream> : tensor<6xf32>
    %12 = rnn.random uniform <frame> : tensor<6xf32>
    %13 = rnn.random uniform <frame> : tensor<6xf32>
    %14 = rnn.reduce sum %6 over [0] : tensor<2xf32> to tensor<f32>
    %15 = rnn.reduce sum %10 over [0] : tensor<1xf32> to tensor<f32>
    %16 = arith.addf %14, %15 : tensor<f32>
    rnn.output %6, %16, %b : tensor<2xf32>, tensor<f32>, tensor<i1>
  }
  rnn.train_step @step of @net loss("e" sum mask "m") optimizer(#rnn.rmsprop<lr = 1.000000e-02, eps = 1.000000e-02>)
}
