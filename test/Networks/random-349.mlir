// RUN: test-rnn-networks %s
// Failed once with
// passes: 'rnn-specialise' changed '@net' in chunk 0: 'state.age' at 0: expected 2147483647, got 3; 'cse' changed '@net' in chunk 0: 'state.age' at 0: expected 2147483647, got 3
// network random-349 349 passes,cpu,emulator
module {
  rnn.network @net(%x: tensor<1xf32>, %z: tensor<1xf32>, %b: tensor<i1>) -> (y0: tensor<1xf32>, y1: tensor<1xf32>, e: tensor<f32>, m: tensor<i1>) {
    %cst = arith.constant dense<6.562500e-01> : tensor<1xf32>
    %0 = rnn.delay %0 by -1 local name "v10" : tensor<1xf32>
    %1 = rnn.random normal <static> : tensor<1xf32>
    %cst_0 = arith.constant dense<1.109375> : tensor<1xf32>
    %2 = arith.cmpf olt, %1, %cst_0 : tensor<1xf32>
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<1xf32>
    %3 = arith.select %2, %cst, %cst_1 : tensor<1xi1>, tensor<1xf32>
    %4 = rnn.reduce sum %0 over [0] : tensor<1xf32> to tensor<f32>
    %5 = rnn.reduce sum %3 over [0] : tensor<1xf32> to tensor<f32>
    %6 = arith.addf %4, %5 : tensor<f32>
    rnn.output %0, %0, %6, %b : tensor<1xf32>, tensor<1xf32>, tensor<f32>, tensor<i1>
  }
  rnn.train_step @step of @net loss("e" mean weight 5.000000e-01 mask "m") optimizer(#rnn.adam<lr = 1.000000e-02, eps = 1.000000e-02>)
}
