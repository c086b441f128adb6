// RUN: test-rnn-networks %s
// Failed once with
// passes: 'rnn.delay' op reads 'state.v106', which no 'rnn.keep' keeps
// network mixed-1000364 1000364 passes,cpu,emulator
module {
  rnn.parameter @p3 : tensor<2x3xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>) frozen
  rnn.parameter @p19 : tensor<3x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.network @net(%x: tensor<3xf32>, %k: tensor<i32>, %b: tensor<i1>, %j32: tensor<2xi32>) -> (y0: tensor<3xf32>, e: tensor<f32>, e2: tensor<f32>) {
    %0 = rnn.param @p3 : tensor<2x3xf32>
    %1 = rnn.linear %x, %0 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2xf32>
    %cst = arith.constant dense<0.000000e+00> : tensor<2xf32>
    %2 = rnn.delay %6 by 1 name "v106" : tensor<3xf32>
    %3 = rnn.training : tensor<2xi1>
    %4 = arith.select %3, %1, %cst : tensor<2xi1>, tensor<2xf32>
    %5 = rnn.param @p19 : tensor<3x2xf32>
    %6 = rnn.linear %4, %5 : (tensor<2xf32>, tensor<3x2xf32>) -> tensor<3xf32>
    %cst_0 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_1 = arith.constant dense<[7.656250e-01, -7.500000e-01, -2.500000e-01]> : tensor<3xf32>
    %7 = rnn.mean_squared_error %2, %cst_1 : (tensor<3xf32>, tensor<3xf32>) -> tensor<f32>
    %8 = arith.addf %cst_0, %7 : tensor<f32>
    %cst_2 = arith.constant dense<0.000000e+00> : tensor<f32>
    rnn.output %6, %8, %cst_2 : tensor<3xf32>, tensor<f32>, tensor<f32>
  }
}
