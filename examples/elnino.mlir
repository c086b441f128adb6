// A sensor's series: the temperature of the sea off Peru, month by month from 1950 to 2010, and the next month's.
//
//   rnn-train examples/elnino.mlir --data=examples/elnino.csv --streams=1 --epochs=20
//
// The series is one stream, its state is carried over every chunk, and a gradient goes back over four years. Errors are
// those of temperatures that were scaled to a deviation of 1. Over the last tenth, which is not trained on, "as this
// month" has 0.26, "as usual in that month" 0.14, and "as usual, and as far from it as this month" 0.051.
// The data is the mean of ERSST V3B over Nino 1+2, of the U.S. National Weather Service, in the public domain.

rnn.parameter @l0.wx : tensor<48x1xf32> init(#rnn.uniform<>)
rnn.parameter @l0.wh : tensor<48x16xf32> init(#rnn.orthogonal<blocks = 3>)
rnn.parameter @l0.b : tensor<48xf32> init(#rnn.zeros)
rnn.parameter @out.w : tensor<1x16xf32> init(#rnn.zeros)

rnn.network @elnino(%x: tensor<1xf32>, %target: tensor<1xf32>) -> (y: tensor<1xf32>, mse: tensor<f32>) {
  %h = rnn.gru "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) : tensor<1xf32> -> tensor<16xf32>
  %w = rnn.param @out.w : tensor<1x16xf32>
  %change = rnn.linear %h, %w : (tensor<16xf32>, tensor<1x16xf32>) -> tensor<1xf32>
  // A residual connection: what is not known of the next month is as this one.
  %y = arith.addf %x, %change : tensor<1xf32>
  %mse = rnn.mean_squared_error %y, %target : (tensor<1xf32>, tensor<1xf32>) -> tensor<f32>
  rnn.output %y, %mse : tensor<1xf32>, tensor<f32>
}
rnn.train_step @step of @elnino loss("mse" mean) optimizer(#rnn.adamw<lr = 0.003>) clip<norm = 1.0> bptt<window = 48, advance = 12>
