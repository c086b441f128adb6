// An sLSTM of two heads (xLSTM, Beck et al. 2024), written in arithmetic: exponential gates, a normaliser, a stabiliser.
//
//   rnn-run examples/slstm.mlir --function=step --input=in.npz --compare=interpreter
//
//   i = exp(ai)   f = σ(af)   o = σ(ao)   z = tanh(az)   c = f∘c[t-1] + i∘z   n = f∘n[t-1] + i   h = o∘c/n
//
// exp(ai) would overflow, so c and n are kept divided by exp(m), m being the largest logarithm of what they have added up.
// h does not depend on m, so no error goes through it. A head reads its own units only: the recurrent product has one
// 8 x 8 matrix per gate and head.

rnn.parameter @wx : tensor<64x6xf32> init(#rnn.uniform<>)
rnn.parameter @wh : tensor<4x2x8x8xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @b : tensor<64xf32> init(#rnn.zeros)

rnn.network @slstm(%x: tensor<6xf32>, %target: tensor<16xf32>) -> (h: tensor<16xf32>, mse: tensor<f32>) {
  %low = arith.constant dense<-1.0e30> : tensor<16xf32>
  %h1 = rnn.delay %h by 1 : tensor<16xf32>
  %c1 = rnn.delay %c by 1 : tensor<16xf32>
  %n1 = rnn.delay %n by 1 : tensor<16xf32>
  %m1 = rnn.delay %m by 1 init(%low) : tensor<16xf32>

  // The gates i, f, z, o of 16 units each.
  %wx = rnn.param @wx : tensor<64x6xf32>
  %b = rnn.param @b : tensor<64xf32>
  %wh = rnn.param @wh : tensor<4x2x8x8xf32>
  %in = rnn.linear %x, %wx, %b : (tensor<6xf32>, tensor<64x6xf32>, tensor<64xf32>) -> tensor<64xf32>
  %heads = tensor.expand_shape %h1 [[0, 1]] output_shape [2, 8] : tensor<16xf32> into tensor<2x8xf32>
  %products = rnn.contract %wh, %heads
              [(d0, d1, d2, d3) -> (d0, d1, d2, d3), (d0, d1, d2, d3) -> (d1, d3), (d0, d1, d2, d3) -> (d0, d1, d2)]
            : (tensor<4x2x8x8xf32>, tensor<2x8xf32>) -> tensor<4x2x8xf32>
  %old = tensor.collapse_shape %products [[0, 1, 2]] : tensor<4x2x8xf32> into tensor<64xf32>
  %gates = rnn.sum %in, %old : tensor<64xf32>
  %ai = tensor.extract_slice %gates[0] [16] [1] : tensor<64xf32> to tensor<16xf32>
  %af = tensor.extract_slice %gates[16] [16] [1] : tensor<64xf32> to tensor<16xf32>
  %az = tensor.extract_slice %gates[32] [16] [1] : tensor<64xf32> to tensor<16xf32>
  %ao = tensor.extract_slice %gates[48] [16] [1] : tensor<64xf32> to tensor<16xf32>

  // log f = -softplus(-af), m = max(log f + m[t-1], ai)
  %minus.af = arith.negf %af : tensor<16xf32>
  %minus.logf = rnn.softplus %minus.af : tensor<16xf32>
  %kept = arith.subf %m1, %minus.logf : tensor<16xf32>
  %larger = arith.maximumf %kept, %ai : tensor<16xf32>
  %m = rnn.stop_gradient %larger : tensor<16xf32>
  %logi = arith.subf %ai, %m : tensor<16xf32>
  %logf = arith.subf %kept, %m : tensor<16xf32>
  %i = math.exp %logi : tensor<16xf32>
  %f = math.exp %logf : tensor<16xf32>
  %z = math.tanh %az : tensor<16xf32>
  %o = rnn.sigmoid %ao : tensor<16xf32>

  %fc = arith.mulf %f, %c1 : tensor<16xf32>
  %iz = arith.mulf %i, %z : tensor<16xf32>
  %c = arith.addf %fc, %iz : tensor<16xf32>
  %fn = arith.mulf %f, %n1 : tensor<16xf32>
  %n = arith.addf %fn, %i : tensor<16xf32>
  %mean = arith.divf %c, %n : tensor<16xf32>
  %h = arith.mulf %o, %mean : tensor<16xf32>

  %mse = rnn.mean_squared_error %h, %target : (tensor<16xf32>, tensor<16xf32>) -> tensor<f32>
  rnn.output %h, %mse : tensor<16xf32>, tensor<f32>
}

rnn.train_step @step of @slstm loss("mse" mean) optimizer(#rnn.adam<lr = 0.01>) clip<norm = 1.0> bptt<window = 16, advance = 16>
