// The derivative rule of every op, against central differences; then the derivative of the derivative.
// RUN: rnn-opt %s -split-input-file -verify-diagnostics -rnn-to-gradient=keep=gradients -test-rnn-gradients -o /dev/null
// RUN: rnn-opt %s -split-input-file -verify-diagnostics -test-rnn-interpret-each -rnn-to-schedule=streams=2 -o /dev/null

// Values: w is a parameter (static), ws of stream rate, v of frame rate; all depend on w. k and one are constants.

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @addf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %k = arith.constant dense<[0.25, -0.5, 0.125]> : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = arith.addf %v, %k : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @addf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @subf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %k = arith.constant dense<[0.25, -0.5, 0.125]> : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = arith.subf %k, %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @subf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @mulf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = arith.mulf %v, %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @mulf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @divf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %one = arith.constant dense<1.0> : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %q = arith.mulf %v, %v : tensor<3xf64>
  %q1 = arith.addf %q, %one : tensor<3xf64>
  %y = arith.divf %v, %q1 : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @divf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @negf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = arith.negf %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @negf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @maximumf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %k = arith.constant dense<[0.25, -0.5, 0.125]> : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = arith.maximumf %v, %k : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @maximumf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @minimumf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %k = arith.constant dense<[0.25, -0.5, 0.125]> : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = arith.minimumf %k, %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @minimumf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @select(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %k = arith.constant dense<[0.25, -0.5, 0.125]> : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %c = arith.cmpf olt, %x, %k : tensor<3xf64>
  %n = arith.mulf %v, %v : tensor<3xf64>
  %y = arith.select %c, %v, %n : tensor<3xi1>, tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @select loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @sigmoid(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = rnn.sigmoid %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @sigmoid loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @softplus(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = rnn.softplus %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @softplus loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @tanh(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = math.tanh %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @tanh loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @exp(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = math.exp %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @exp loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @log(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %one = arith.constant dense<1.0> : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %p = math.exp %v : tensor<3xf64>
  %p1 = arith.addf %p, %one : tensor<3xf64>
  %y = math.log %p1 : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @log loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @log1p(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %p = math.exp %v : tensor<3xf64>
  %y = math.log1p %p : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @log1p loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @sqrt(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %p = math.exp %v : tensor<3xf64>
  %y = math.sqrt %p : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @sqrt loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @rsqrt(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %p = math.exp %v : tensor<3xf64>
  %y = math.rsqrt %p : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @rsqrt loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @erf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = math.erf %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @erf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @sin(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = math.sin %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @sin loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @cos(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = math.cos %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @cos loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @absf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = math.absf %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @absf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @powf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %p = math.exp %v : tensor<3xf64>
  %exponent = arith.constant dense<2.5> : tensor<3xf64>
  %y = math.powf %p, %exponent : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @powf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @reduce_sum(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %r = rnn.reduce sum %v over [0] : tensor<3xf64> to tensor<f64>
  %y = rnn.broadcast %r along [0] : tensor<f64> to tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @reduce_sum loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @reduce_max(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %r = rnn.reduce max %v over [0] : tensor<3xf64> to tensor<f64>
  %y = rnn.broadcast %r along [0] : tensor<f64> to tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @reduce_max loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @insert_slice(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %z = tensor.extract_slice %v[1] [2] [1] : tensor<3xf64> to tensor<2xf64>
  %y = tensor.insert_slice %z into %v[0] [2] [1] : tensor<2xf64> into tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @insert_slice loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @overlapping_slices(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %a = tensor.extract_slice %v[0] [2] [1] : tensor<3xf64> to tensor<2xf64>
  %b = tensor.extract_slice %v[1] [2] [1] : tensor<3xf64> to tensor<2xf64>
  %ab = arith.mulf %a, %b : tensor<2xf64>
  %y = tensor.insert_slice %ab into %v[0] [2] [1] : tensor<2xf64> into tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @overlapping_slices loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @concat(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %a = tensor.extract_slice %v[0] [1] [1] : tensor<3xf64> to tensor<1xf64>
  %b = tensor.extract_slice %v[1] [2] [1] : tensor<3xf64> to tensor<2xf64>
  %y = tensor.concat dim(0) %b, %a : (tensor<2xf64>, tensor<1xf64>) -> tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @concat loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @reshape(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %a = tensor.expand_shape %v [[0, 1]] output_shape [3, 1] : tensor<3xf64> into tensor<3x1xf64>
  %b = arith.mulf %a, %a : tensor<3x1xf64>
  %y = tensor.collapse_shape %b [[0, 1]] : tensor<3x1xf64> into tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @reshape loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @truncf_extf(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %a = arith.truncf %v : tensor<3xf64> to tensor<3xf32>
  %y = arith.extf %a : tensor<3xf32> to tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @truncf_extf loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @contract(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %o = rnn.contract %v, %v [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] : (tensor<3xf64>, tensor<3xf64>) -> tensor<3x3xf64>
  %y = rnn.contract %o, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d0), (d0, d1) -> (d1)] : (tensor<3x3xf64>, tensor<3xf64>) -> tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @contract loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @contract_own_dimension(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %r = rnn.contract %v, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d1)] : (tensor<3xf64>, tensor<3xf64>) -> tensor<3xf64>
  %y = math.tanh %r : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @contract_own_dimension loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.parameter @t : tensor<3x3xf64> init(#rnn.zeros)
rnn.network @gather(%x: tensor<3xf64>, %i: tensor<i32>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %t = rnn.param @t : tensor<3x3xf64>
  %y = rnn.gather %t, %i : (tensor<3x3xf64>, tensor<i32>) -> tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @gather loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @scatter_add(%x: tensor<3xf64>, %i: tensor<i32>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %s = rnn.scatter_add %v, %i : (tensor<3xf64>, tensor<i32>) -> tensor<3x3xf64>
  %y = rnn.reduce sum %s over [0] : tensor<3x3xf64> to tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @scatter_add loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @delay(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = rnn.delay %v by 2 : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @delay loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @delay_init(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = rnn.delay %x by 2 init(%v) : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @delay_init loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @delay_local(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = rnn.delay %v by 1 init(%v) local : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @delay_local loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @delay_later(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %k = arith.constant dense<[0.25, -0.5, 0.125]> : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = rnn.delay %v by -1 init(%k) : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @delay_later loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @delay_of_static(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %y = rnn.delay %w by 2 init(%v) : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @delay_of_static loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @delay_of_stream(%x: tensor<3xf64>, %s: tensor<3xf64> {rnn.rate = "stream"}) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %ws = arith.mulf %w, %s : tensor<3xf64>
  %y = rnn.delay %ws by -2 : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @delay_of_stream loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @stream(%x: tensor<3xf64>, %s: tensor<3xf64> {rnn.rate = "stream"}) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %ws = arith.mulf %w, %s : tensor<3xf64>
  %y = arith.mulf %ws, %ws : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @stream loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @stream_sum(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %z = rnn.sum_frames %v sum_to <stream> : tensor<3xf64>
  %y = arith.mulf %z, %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @stream_sum loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @sum_of_static(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %z = rnn.sum_frames %w : tensor<3xf64>
  %y = arith.mulf %z, %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @sum_of_static loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @sum_of_stream(%x: tensor<3xf64>, %s: tensor<3xf64> {rnn.rate = "stream"}) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %ws = arith.mulf %w, %s : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %z = rnn.sum_frames %ws : tensor<3xf64>
  %y = arith.mulf %z, %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @sum_of_stream loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @contract_sum_to(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %z = rnn.contract %v, %x [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] sum_to static : (tensor<3xf64>, tensor<3xf64>) -> tensor<3xf64>
  %y = arith.mulf %z, %v : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @contract_sum_to loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @contract_sum_to_stream(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %z = rnn.contract %w, %v [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] sum_to stream : (tensor<3xf64>, tensor<3xf64>) -> tensor<3xf64>
  %y = arith.mulf %z, %z : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @contract_sum_to_stream loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @scatter_add_sum_to(%x: tensor<3xf64>, %i: tensor<i32>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %s = rnn.scatter_add %v, %i sum_to <static> : (tensor<3xf64>, tensor<i32>) -> tensor<3x3xf64>
  %q = arith.mulf %s, %s : tensor<3x3xf64>
  %y = rnn.reduce sum %q over [1] : tensor<3x3xf64> to tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @scatter_add_sum_to loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @loop(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %h1 = rnn.delay %y by 1 init(%w) : tensor<3xf64>
  %y2 = rnn.delay %y by 3 : tensor<3xf64>
  %u = arith.mulf %h1, %w : tensor<3xf64>
  %uu = arith.mulf %y2, %v : tensor<3xf64>
  %a = rnn.sum %u, %uu, %v : tensor<3xf64>
  %y = math.tanh %a : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @loop loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.parameter @w : tensor<3xf64> init(#rnn.zeros)
rnn.network @loop_backwards(%x: tensor<3xf64>) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<3xf64>
  %v = rnn.sum %w, %x : tensor<3xf64>
  %h1 = rnn.delay %y by -2 : tensor<3xf64>
  %u = arith.mulf %h1, %w : tensor<3xf64>
  %a = rnn.sum %u, %v : tensor<3xf64>
  %y = math.tanh %a : tensor<3xf64>
  %weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf64>
  %yy = math.sin %y : tensor<3xf64>
  %weighted = arith.mulf %yy, %weight : tensor<3xf64>
  %e = rnn.reduce sum %weighted over [0] : tensor<3xf64> to tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @loop_backwards loss("e" mean) optimizer(#rnn.sgd<>)
