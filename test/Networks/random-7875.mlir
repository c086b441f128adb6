// RUN: test-rnn-networks %s
// Failed once with
// emulator: @net: call 0 on 'emulator': kernel 'rnn_fn_0_k7' stalled: threads wait for a value that nobody writes
// note: block 0: 1 of 32 threads wait at warp barrier, the first is thread 0; 31 of 32 threads wait at atomic access, the first is thread 1; 0 have ended
// network random-7875 7875 passes,cpu,emulator
module {
  rnn.parameter @p0 : tensor<4x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p3 : tensor<2x2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.parameter @p7 : tensor<2xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>)
  rnn.network @net(%x: tensor<6xf32>, %z: tensor<4xf32>, %s: tensor<1xf32> {rnn.rate = "stream"}, %r: tensor<i1> {rnn.reset}) -> (y0: tensor<1xf32>, e: tensor<f32>) {
    %0 = rnn.delay %1 by 1 local name "v36" : tensor<2xf32>
    %1 = rnn.linear %5, %4, %8 : (tensor<2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %cst = arith.constant dense<0.000000e+00> : tensor<1xf32>
    %2 = arith.addf %cst_0, %6 : tensor<f32>
    %3 = rnn.param @p0 : tensor<4x2xf32>
    %4 = rnn.param @p3 : tensor<2x2xf32>
    %cst_0 = arith.constant dense<0.000000e+00> : tensor<f32>
    %5 = arith.subf %0, %0 : tensor<2xf32>
    %6 = rnn.reduce sum %7 over [0] : tensor<4xf32> to tensor<f32>
    %7 = rnn.linear %5, %3 : (tensor<2xf32>, tensor<4x2xf32>) -> tensor<4xf32>
    %8 = rnn.param @p7 : tensor<2xf32>
    rnn.output %cst, %2 : tensor<1xf32>, tensor<f32>
  }
}
