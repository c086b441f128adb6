// Seeded bugs are put into this network: two loops, one an LSTM, resets, a mask, windows longer than what they go on by.
rnn.parameter @wx : tensor<8x3xf64> init(#rnn.zeros)
rnn.parameter @wh : tensor<8x2xf64> init(#rnn.zeros)
rnn.parameter @b : tensor<8xf64> init(#rnn.zeros)
rnn.parameter @v : tensor<2x2xf64> init(#rnn.zeros)
rnn.parameter @first : tensor<2xf64> init(#rnn.zeros)
rnn.network @net(%x: tensor<3xf64>, %target: tensor<2xf64>, %r: tensor<i1> {rnn.reset}, %counts: tensor<i1>)
    -> (s: tensor<2xf64>, e: tensor<f64>, m: tensor<i1>) {
  %v = rnn.param @v : tensor<2x2xf64>
  %first = rnn.param @first : tensor<2xf64>
  %h, %c = rnn.lstm "cell" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf64> -> tensor<2xf64>
  %h2 = rnn.delay %h by 2 init(%first) : tensor<2xf64>
  %s1 = rnn.delay %s by 1 : tensor<2xf64>
  %vs = rnn.linear %s1, %v : (tensor<2xf64>, tensor<2x2xf64>) -> tensor<2xf64>
  %sum = rnn.sum %vs, %h, %h2 : tensor<2xf64>
  %s = math.tanh %sum : tensor<2xf64>
  %top = rnn.reduce max %s over [0] : tensor<2xf64> to tensor<f64>
  %tops = rnn.broadcast %top along [0] : tensor<f64> to tensor<2xf64>
  %d = arith.subf %s, %target : tensor<2xf64>
  %dt = arith.addf %d, %tops : tensor<2xf64>
  %outer = rnn.broadcast %dt along [0] : tensor<2xf64> to tensor<2x2xf64>
  %weighted = arith.mulf %outer, %v : tensor<2x2xf64>
  %square = arith.mulf %weighted, %weighted : tensor<2x2xf64>
  %e = rnn.reduce sum %square over [0, 1] : tensor<2x2xf64> to tensor<f64>
  rnn.output %s, %e, %counts : tensor<2xf64>, tensor<f64>, tensor<i1>
}
rnn.train_step @step of @net loss("e" mean mask "m") optimizer(#rnn.adam<lr = 0.05, eps = 0.01>) clip<norm = 0.75> bptt<window = 4, advance = 2>
