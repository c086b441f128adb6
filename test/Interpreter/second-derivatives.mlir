// The gradient of a gradient: the loss of each step holds one, and its own gradient is compared with differences.
// RUN: rnn-opt %s -split-input-file -verify-diagnostics -rnn-sort -rnn-differentiate -test-rnn-gradients -o /dev/null
// RUN: rnn-opt %s -split-input-file -verify-diagnostics -test-rnn-interpret-each -rnn-differentiate -rnn-sort -cse -rnn-partition=streams=2 -o /dev/null
// RUN: test-rnn-networks %s

rnn.parameter @w : tensor<2xf64> init(#rnn.zeros)
rnn.step @pointwise train of @net (%x: tensor<2xf64>) -> (loss: tensor<f64> {rnn.rate = "static"}, grad.w: tensor<2xf64> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<2xf64>
  %four = arith.constant dense<4.0> : tensor<2xf64>
  %w4 = arith.addf %w, %four : tensor<2xf64>
  %a = arith.mulf %w, %x : tensor<2xf64>
  %b = math.tanh %a : tensor<2xf64>
  %c = rnn.sigmoid %b : tensor<2xf64>
  %y = arith.divf %c, %w4 : tensor<2xf64>
  %yy = arith.mulf %y, %y : tensor<2xf64>
  %e = rnn.reduce sum %yy over [0] : tensor<2xf64> to tensor<f64>
  %total = rnn.sum_frames %e : tensor<f64>
  %g = rnn.gradient %total wrt(%w) : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  %gg = arith.mulf %g, %g : tensor<2xf64>
  %penalty = rnn.reduce sum %gg over [0] : tensor<2xf64> to tensor<f64>
  %loss = rnn.sum %total, %penalty : tensor<f64>
  %gw = rnn.gradient %loss wrt(%w) : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  rnn.output %loss, %gw : tensor<f64>, tensor<2xf64>
}

// -----

rnn.parameter @w : tensor<2xf64> init(#rnn.zeros)
rnn.step @loop train of @net (%x: tensor<2xf64>) -> (loss: tensor<f64> {rnn.rate = "static"}, grad.w: tensor<2xf64> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<2xf64>
  %h1 = rnn.delay %y by 1 init(%w) : tensor<2xf64>
  %u = arith.mulf %h1, %w : tensor<2xf64>
  %a = rnn.sum %u, %x : tensor<2xf64>
  %y = math.tanh %a : tensor<2xf64>
  %yy = arith.mulf %y, %y : tensor<2xf64>
  %e = rnn.reduce sum %yy over [0] : tensor<2xf64> to tensor<f64>
  %total = rnn.sum_frames %e : tensor<f64>
  %g = rnn.gradient %total wrt(%w) : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  %gg = arith.mulf %g, %g : tensor<2xf64>
  %penalty = rnn.reduce sum %gg over [0] : tensor<2xf64> to tensor<f64>
  %loss = rnn.sum %total, %penalty : tensor<f64>
  %gw = rnn.gradient %loss wrt(%w) : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  rnn.output %loss, %gw : tensor<f64>, tensor<2xf64>
}

// -----

rnn.parameter @w : tensor<2xf64> init(#rnn.zeros)
rnn.step @later train of @net (%x: tensor<2xf64>) -> (loss: tensor<f64> {rnn.rate = "static"}, grad.w: tensor<2xf64> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<2xf64>
  %h1 = rnn.delay %y by -2 init(%x) : tensor<2xf64>
  %u = arith.mulf %h1, %w : tensor<2xf64>
  %a = rnn.sum %u, %x : tensor<2xf64>
  %y = math.sin %a : tensor<2xf64>
  %yy = arith.mulf %y, %y : tensor<2xf64>
  %e = rnn.reduce sum %yy over [0] : tensor<2xf64> to tensor<f64>
  %total = rnn.sum_frames %e : tensor<f64>
  %g = rnn.gradient %total wrt(%w) : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  %gg = arith.mulf %g, %g : tensor<2xf64>
  %penalty = rnn.reduce sum %gg over [0] : tensor<2xf64> to tensor<f64>
  %loss = rnn.sum %total, %penalty : tensor<f64>
  %gw = rnn.gradient %loss wrt(%w) : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  rnn.output %loss, %gw : tensor<f64>, tensor<2xf64>
}

// -----

rnn.parameter @w : tensor<2xf64> init(#rnn.zeros)
rnn.step @product train of @net (%x: tensor<2xf64>) -> (loss: tensor<f64> {rnn.rate = "static"}, grad.w: tensor<2xf64> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<2xf64>
  %o = rnn.contract %w, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] : (tensor<2xf64>, tensor<2xf64>) -> tensor<2x2xf64>
  %t = math.tanh %o : tensor<2x2xf64>
  %y = rnn.contract %t, %w [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<2x2xf64>, tensor<2xf64>) -> tensor<2xf64>
  %yy = arith.mulf %y, %y : tensor<2xf64>
  %e = rnn.reduce sum %yy over [0] : tensor<2xf64> to tensor<f64>
  %total = rnn.sum_frames %e : tensor<f64>
  %g = rnn.gradient %total wrt(%w) : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  %gg = arith.mulf %g, %g : tensor<2xf64>
  %penalty = rnn.reduce sum %gg over [0] : tensor<2xf64> to tensor<f64>
  %loss = rnn.sum %total, %penalty : tensor<f64>
  %gw = rnn.gradient %loss wrt(%w) : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  rnn.output %loss, %gw : tensor<f64>, tensor<2xf64>
}
