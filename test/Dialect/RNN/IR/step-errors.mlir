// RUN: rnn-opt %s -split-input-file -verify-diagnostics

//===----------------------------------------------------------------------===//
// A0, S4: what is static
//===----------------------------------------------------------------------===//

rnn.step @gradient train of @n (%x: tensor<f32>) -> (g: tensor<f32>) {
  // expected-error@+1 {{'rnn.gradient' op expected a static loss, but got one of frame rate}}
  %g = rnn.gradient %x wrt(%x) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  rnn.output %g : tensor<f32>
}

// -----

rnn.step @loss train of @n (%x: tensor<2xf32> {rnn.rate = "static"}) -> () {
  // expected-error@+1 {{'rnn.gradient' op expected a scalar loss, but got tensor<2xf32>}}
  %g = rnn.gradient %x wrt(%x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output
}

// -----

rnn.step @types train of @n (%x: tensor<f32> {rnn.rate = "static"}) -> () {
  // expected-error@+1 {{'rnn.gradient' op expected one gradient per value, of the same type}}
  %g:2 = rnn.gradient %x wrt(%x) : (tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
  rnn.output
}

// -----

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.step @assign train of @n (%x: tensor<f32> {rnn.rate = "stream"}) -> () {
  // expected-error@+1 {{'rnn.assign' op expected a static value, but got one of stream rate}}
  rnn.assign @w, %x : tensor<f32>
  rnn.output
}

// -----

rnn.step @guard train of @n (%x: tensor<i1>) -> () {
  // expected-error@+1 {{'rnn.guard' op expected a static condition, but got one of frame rate}}
  rnn.guard %x : tensor<i1>
  rnn.output
}

// -----

rnn.step @guard_type train of @n (%x: tensor<i32> {rnn.rate = "static"}) -> () {
  // expected-error@+1 {{'rnn.guard' op expected tensor<i1>, but got tensor<i32>}}
  rnn.guard %x : tensor<i32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// S4: what is said once
//===----------------------------------------------------------------------===//

rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.parameter @v : tensor<f32> init(#rnn.zeros)
rnn.step @assigns train of @n (%x: tensor<f32> {rnn.rate = "static"}) -> () {
  // expected-note@+1 {{first assigned here}}
  rnn.assign @w, %x : tensor<f32>
  rnn.assign @v, %x : tensor<f32>
  // expected-error@+1 {{'rnn.assign' op assigns '@w' again}}
  rnn.assign @w, %x : tensor<f32>
  rnn.output
}

// -----

rnn.step @guards train of @n (%x: tensor<i1> {rnn.rate = "static"}) -> () {
  // expected-note@+1 {{first guard here}}
  rnn.guard %x : tensor<i1>
  // expected-error@+1 {{'rnn.guard' op expected at most one guard in a step}}
  rnn.guard %x : tensor<i1>
  rnn.output
}

// -----

rnn.step @unknown train of @n (%x: tensor<f32> {rnn.rate = "static"}) -> () {
  // expected-error@+1 {{'rnn.assign' op refers to unknown parameter '@w'}}
  rnn.assign @w, %x : tensor<f32>
  rnn.output
}

// -----

rnn.parameter @w : tensor<2xf32> init(#rnn.zeros)
rnn.step @type train of @n (%x: tensor<f32> {rnn.rate = "static"}) -> () {
  // expected-error@+1 {{'rnn.assign' op value is tensor<f32>, but '@w' is tensor<2xf32>}}
  rnn.assign @w, %x : tensor<f32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// A3: chunk and window
//===----------------------------------------------------------------------===//

rnn.step @mixed train of @n bptt<window = 4, advance = 2> (%x: tensor<f32>) -> () {
  %s = rnn.save %x ring "0" : tensor<f32>
  // expected-error@+1 {{'arith.mulf' op mixes signals of the chunk and of the window}}
  %y = arith.mulf %s, %x : tensor<f32>
  rnn.output
}

// -----

rnn.step @init train of @n bptt<window = 4, advance = 2> (%x: tensor<f32>) -> () {
  %s = rnn.save %x ring "0" : tensor<f32>
  // expected-error@+1 {{'rnn.delay' op mixes signals of the chunk and of the window}}
  %y = rnn.delay %s by 1 init(%x) local : tensor<f32>
  rnn.output
}

// -----

rnn.step @save train of @n bptt<window = 4, advance = 2> (%x: tensor<f32>) -> () {
  %s = rnn.save %x ring "0" : tensor<f32>
  // expected-error@+1 {{'rnn.save' op expected a signal of the chunk, but got one of the window}}
  %y = rnn.save %s ring "1" : tensor<f32>
  rnn.output
}

// -----

rnn.step @seed train of @n (%x: tensor<f32>) -> () {
  // expected-error@+1 {{'rnn.seed' op expected a static or stream signal, but got one of frame rate}}
  %y = rnn.seed %x : tensor<f32>
  rnn.output
}

// -----

// A4: without older frames the window is the chunk.
rnn.step @whole train of @n bptt<window = 4, advance = 4> (%x: tensor<f32>) -> () {
  %s = rnn.save %x ring "0" : tensor<f32>
  %y = arith.mulf %s, %x : tensor<f32>
  rnn.output
}

// -----

// The adjoint of a recurrence, as rnn-differentiate writes it (A1): errors in the window, delayed the other way.
rnn.parameter @w : tensor<2x2xf32> init(#rnn.zeros)
rnn.parameter @t : tensor<3x2xf32> init(#rnn.zeros)
rnn.step @adjoint train of @n bptt<window = 4, advance = 2> (%x: tensor<2xf32>, %i: tensor<i32>) -> () {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %w = rnn.param @w : tensor<2x2xf32>
  %h1 = rnn.delay %h by 1 : tensor<2xf32>
  %h = arith.addf %x, %h1 : tensor<2xf32>
  %sh = rnn.save %h1 ring "0" : tensor<2xf32>
  %si = rnn.save %i ring "1" : tensor<i32>
  %seed = rnn.seed %one : tensor<2xf32>
  %e = rnn.sum %seed, %later : tensor<2xf32>
  %u = rnn.contract %w, %e [(d0, d1) -> (d0, d1), (d0, d1) -> (d0), (d0, d1) -> (d1)] : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %later = rnn.delay %u by -1 local : tensor<2xf32>
  %init = rnn.delay %zero by 1 init(%u) : tensor<2xf32>
  %p = rnn.sum_frames %init : tensor<2xf32>
  %part = tensor.extract_slice %e[0] [1] [1] : tensor<2xf32> to tensor<1xf32>
  %wide = tensor.insert_slice %part into %zero[1] [1] [1] : tensor<1xf32> into tensor<2xf32>
  %dt = rnn.scatter_add %wide, %si sum_to <static> : (tensor<2xf32>, tensor<i32>) -> tensor<3x2xf32>
  %dw = rnn.contract %e, %sh [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  rnn.assign @w, %dw : tensor<2x2xf32>
  rnn.assign @t, %dt : tensor<3x2xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.step, rnn.schedule: the clauses
//===----------------------------------------------------------------------===//

// expected-error@+1 {{bptt window 200 is not a multiple of advance 128}}
rnn.step @bptt train of @n bptt<window = 200, advance = 128> () -> () {
  rnn.output
}

// -----

// expected-error@+1 {{'rnn.step' op expected positive bptt window and advance, but got 0 and 1}}
rnn.step @window train of @n bptt<window = 0, advance = 1> () -> () {
  rnn.output
}

// -----

// expected-error@+1 {{bptt window 1073741824 is out of range, at most 1048576}}
rnn.step @far train of @n bptt<window = 1073741824, advance = 1> () -> () {
  rnn.output
}

// -----

// expected-error@+1 {{bptt window 3 is not a multiple of advance 2}}
rnn.schedule @s train of @n streams 1 bptt<window = 3, advance = 2> () -> () {
  rnn.return
}

// -----

// expected-error@+1 {{expected 'train', 'eval' or 'infer', but got 'trains'}}
rnn.step @kind trains of @n () -> () {
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.train_step
//===----------------------------------------------------------------------===//

// expected-error@+1 {{'rnn.train_step' op expected at least one loss}}
rnn.train_step @step of @n optimizer(#rnn.sgd<>)

// -----

// expected-error@+1 {{'rnn.train_step' op names result 'e' with two masks; 'sum.e' can be the sum over one}}
rnn.train_step @step of @n loss("e" mean mask "m") metric("e" sum) optimizer(#rnn.sgd<>)

// -----

// expected-error@+1 {{'rnn.train_step' op expected a positive number to clip at, but got 0.0}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<>) clip<norm = 0>

// -----

// expected-error@+1 {{'rnn.train_step' op expected a positive number to clip at, but got -1.0}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<>) clip<value = -1.0>

// -----

// expected-error@+1 {{'rnn.train_step' op clips by norm or by value, not both}}
"rnn.train_step"() {sym_name = "step", network = @n, losses = [#rnn.loss<"e", mean, 1.0, "">], metrics = [], optimizer = #rnn.sgd<>,
                    clip_norm = 1.0, clip_value = 1.0} : () -> ()

// -----

// expected-error@+1 {{expected 'norm' or 'value', but got 'size'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<>) clip<size = 1.0>

// -----

// expected-error@+1 {{'rnn.train_step' op refers to unknown network '@n'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<>)

// -----

// expected-error@+1 {{bptt window 200 is not a multiple of advance 128}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<>) bptt<window = 200, advance = 128>

// -----

// expected-error@+1 {{expected 'mean' or 'sum', but got 'median'}}
rnn.train_step @step of @n loss("e" median) optimizer(#rnn.sgd<>)

// -----

rnn.network @n(%e: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %e : tensor<f32>
}
// expected-error@+1 {{'rnn.train_step' op loss refers to unknown result 'e' of '@n'}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.network @n(%x: tensor<2xf32>) -> (e: tensor<2xf32>) {
  rnn.output %x : tensor<2xf32>
}
// expected-error@+1 {{'rnn.train_step' op loss 'e' is tensor<2xf32>; expected tensor<f32> or tensor<f64>}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<>)

// -----

rnn.network @n(%x: tensor<f32>, %k: tensor<i32>) -> (e: tensor<f32>, hit: tensor<i32>) {
  rnn.output %x, %k : tensor<f32>, tensor<i32>
}
// expected-error@+1 {{'rnn.train_step' op metric 'hit' is tensor<i32>; expected tensor<f32> or tensor<f64>}}
rnn.train_step @step of @n loss("e" mean) metric("hit" mean) optimizer(#rnn.sgd<>)

// -----

rnn.network @n(%x: tensor<f32>) -> (e: tensor<f32>) {
  rnn.output %x : tensor<f32>
}
// expected-error@+1 {{'rnn.train_step' op mask refers to unknown result 'm' of '@n'}}
rnn.train_step @step of @n loss("e" mean mask "m") optimizer(#rnn.sgd<>)

// -----

rnn.network @n(%x: tensor<f32>) -> (e: tensor<f32>) {
  rnn.output %x : tensor<f32>
}
// expected-error@+1 {{'rnn.train_step' op mask 'e' is tensor<f32>; expected tensor<i1>}}
rnn.train_step @step of @n loss("e" mean mask "e") optimizer(#rnn.sgd<>)
