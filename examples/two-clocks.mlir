// A cell that nobody has named: two loops that read each other, one with a delay of 1, one with a delay of 3.
//
//   python3 examples/data.py series series.csv
//   rnn-train examples/two-clocks.mlir --data=series.csv --targets=load --epochs=4
//   rnn-opt --rnn-to-graph --rnn-print-recurrence examples/two-clocks.mlir -o /dev/null
//
// The fast part sees every frame and the slow part three frames back; the slow part is told what the fast part did.
// Together they are one component of the graph, which runs frame by frame; the products with the input do not.

rnn.parameter @fast.x : tensor<24x2xf32> init(#rnn.uniform<>)
rnn.parameter @fast.fast : tensor<24x24xf32> init(#rnn.orthogonal<>)
rnn.parameter @fast.slow : tensor<24x8xf32> init(#rnn.uniform<>)
rnn.parameter @slow.fast : tensor<8x24xf32> init(#rnn.uniform<>)
rnn.parameter @keep : tensor<8xf32> init(#rnn.constant<1.0>)
rnn.parameter @out.w : tensor<1x24xf32> init(#rnn.uniform<>)

rnn.network @two_clocks(%x: tensor<2xf32>, %target: tensor<1xf32>) -> (y: tensor<1xf32>, mse: tensor<f32>) {
  %fast1 = rnn.delay %fast by 1 : tensor<24xf32>
  %slow3 = rnn.delay %slow by 3 : tensor<8xf32>

  %fast.x = rnn.param @fast.x : tensor<24x2xf32>
  %fast.fast = rnn.param @fast.fast : tensor<24x24xf32>
  %fast.slow = rnn.param @fast.slow : tensor<24x8xf32>
  %a = rnn.linear %x, %fast.x : (tensor<2xf32>, tensor<24x2xf32>) -> tensor<24xf32>
  %b = rnn.linear %fast1, %fast.fast : (tensor<24xf32>, tensor<24x24xf32>) -> tensor<24xf32>
  %c = rnn.linear %slow3, %fast.slow : (tensor<8xf32>, tensor<24x8xf32>) -> tensor<24xf32>
  %fast.sum = rnn.sum %a, %b, %c : tensor<24xf32>
  %fast = math.tanh %fast.sum : tensor<24xf32>

  // slow = k ∘ slow[t-3] + (1 - k) ∘ tanh(slow.fast · fast), with a learned k between 0 and 1
  %keep = rnn.param @keep : tensor<8xf32>
  %k = rnn.sigmoid %keep : tensor<8xf32>
  %slow.fast = rnn.param @slow.fast : tensor<8x24xf32>
  %d = rnn.linear %fast, %slow.fast : (tensor<24xf32>, tensor<8x24xf32>) -> tensor<8xf32>
  %news = math.tanh %d : tensor<8xf32>
  %difference = arith.subf %slow3, %news : tensor<8xf32>
  %kept = arith.mulf %k, %difference : tensor<8xf32>
  %slow = arith.addf %news, %kept : tensor<8xf32>

  %out.w = rnn.param @out.w : tensor<1x24xf32>
  %y = rnn.linear %fast, %out.w : (tensor<24xf32>, tensor<1x24xf32>) -> tensor<1xf32>
  %mse = rnn.mean_squared_error %y, %target : (tensor<1xf32>, tensor<1xf32>) -> tensor<f32>
  rnn.output %y, %mse : tensor<1xf32>, tensor<f32>
}

rnn.train_step @step of @two_clocks loss("mse" mean) optimizer(#rnn.adam<lr = 0.004>) clip<norm = 1.0> bptt<window = 48, advance = 16>
