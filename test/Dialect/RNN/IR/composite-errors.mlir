// RUN: rnn-opt %s -split-input-file -verify-diagnostics

//===----------------------------------------------------------------------===//
// rnn.lstm
//===----------------------------------------------------------------------===//

rnn.network @vectors(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected vectors h and c of one float type, but got tensor<2xf32> and tensor<2xf64>}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) projection(@p) : tensor<3xf32> -> tensor<2xf32>, tensor<2xf64>
  rnn.output
}

// -----

rnn.network @projection(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected h and c of one type without projection, but got tensor<2xf32> and tensor<4xf32>}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xf32>, tensor<4xf32>
  rnn.output
}

// -----

rnn.network @input(%x: tensor<3xi32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected a vector of f32 or a scalar integer as input, but got tensor<3xi32>}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xi32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @peepholes(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected 3 peephole parameters (input, forget, output), but got 2}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) peephole(@pi, @pf) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @unknown(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op refers to unknown parameter '@wx'}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

// expected-note@+1 {{'@wx' is declared here}}
rnn.parameter @wx : tensor<8x4xf32> init(#rnn.zeros)
rnn.network @shape(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op wx '@wx' is tensor<8x4xf32>; expected [8, 3] of f32}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

// expected-note@+1 {{'@wx' is declared here}}
rnn.parameter @wx : tensor<5x4xf32> init(#rnn.zeros)
rnn.network @table(%x: tensor<i32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op wx '@wx' is tensor<5x4xf32>; expected [any, 8] of f32}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<i32> -> tensor<2xf32>
  rnn.output
}

// -----

// F2: the name of a cell is the beginning of names of tensors.
rnn.network @name(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{name 'l 0' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
  %h, %c = rnn.lstm "l 0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @coupled_peepholes(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected 2 peephole parameters (input, output), but got 3}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) forget(coupled) peephole(@pi, @pf, @po) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @forget(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{expected one of 'gate', 'coupled', 'none', but got 'never'}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) forget(never) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @layer_norm(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected 4 parameters of the layer norm (gains of input, state and cell, shift of the cell), but got 1}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) layer_norm(@ax) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @clip(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected a positive number as clip, but got -1.0}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) clip(-1.0) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

// expected-note@+1 {{'@wx' is declared here}}
rnn.parameter @wx : tensor<8x3xf32> init(#rnn.zeros)
rnn.network @three_gates(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op wx '@wx' is tensor<8x3xf32>; expected [6, 3] of f32}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) forget(none) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.parameter @wx : tensor<8x3xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<8x2xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<8xf32> init(#rnn.zeros)
// expected-note@+1 {{'@a' is declared here}}
rnn.parameter @a : tensor<2xf32> init(#rnn.zeros)
rnn.network @gain(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op layer_norm '@a' is tensor<2xf32>; expected [8] of f32}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) layer_norm(@a, @b, @b, @b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.gru
//===----------------------------------------------------------------------===//

rnn.network @gru_result(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.gru' op expected a float vector h, but got tensor<2xi32>}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xi32>
  rnn.output
}

// -----

rnn.network @gru_input(%x: tensor<3xf64>) -> () {
  // expected-error@+1 {{'rnn.gru' op expected a vector of f32 or a scalar integer as input, but got tensor<3xf64>}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf64> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @gru_bias(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.gru' op expected no bn with the reset before the product, where it is a part of b}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) bn(@bn) reset(before) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @gru_reset(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{expected one of 'after', 'before', but got 'never'}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) reset(never) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @gru_unknown(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.gru' op refers to unknown parameter '@wx'}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

// expected-note@+1 {{'@wx' is declared here}}
rnn.parameter @wx : tensor<8x3xf32> init(#rnn.zeros)
rnn.network @gru_shape(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.gru' op wx '@wx' is tensor<8x3xf32>; expected [6, 3] of f32}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.parameter @wx : tensor<6x3xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<6x2xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<6xf32> init(#rnn.zeros)
// expected-note@+1 {{'@bn' is declared here}}
rnn.parameter @bn : tensor<6xf32> init(#rnn.zeros)
rnn.network @gru_bn(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.gru' op bn '@bn' is tensor<6xf32>; expected [2] of f32}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) bn(@bn) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @gru_name(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{name 'l 0' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
  %h = rnn.gru "l 0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.elman
//===----------------------------------------------------------------------===//

rnn.network @elman_result(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.elman' op expected a float vector h, but got tensor<f32>}}
  %h = rnn.elman "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<f32>
  rnn.output
}

// -----

rnn.network @elman_activation(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{expected one of 'tanh', 'relu', but got 'sine'}}
  %h = rnn.elman "l0" %x wx(@wx) wh(@wh) b(@b) activation(sine) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @elman_input(%x: tensor<f32>) -> () {
  // expected-error@+1 {{'rnn.elman' op expected a vector of f32 or a scalar integer as input, but got tensor<f32>}}
  %h = rnn.elman "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<f32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.parameter @wx : tensor<2x3xf32> init(#rnn.zeros)
// expected-note@+1 {{'@wh' is declared here}}
rnn.parameter @wh : tensor<3x3xf32> init(#rnn.zeros)
rnn.network @elman_shape(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.elman' op wh '@wh' is tensor<3x3xf32>; expected [2, 2] of f32}}
  %h = rnn.elman "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// Zoneout, clock and restart
//===----------------------------------------------------------------------===//

rnn.network @zones(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected 2 probabilities of zoneout (of h, of c), but got 1}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) zoneout(0.5) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @zone(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected zoneout to be a probability less than 1, but got 1.0}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) zoneout(0.5, 1.0) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @gru_zone(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.gru' op expected zoneout to be a probability less than 1, but got -5.000000e-01}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) zoneout(-0.5) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @elman_zone(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.elman' op expected zoneout to be a probability less than 1, but got 2.0}}
  %h = rnn.elman "l0" %x wx(@wx) wh(@wh) b(@b) zoneout(2) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @clock_type(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected tensor<i1> as clock, but got tensor<3xf32>}}
  %h, %c = "rnn.lstm"(%x, %x) {name = "l0", wx = @wx, wh = @wh, b = @b, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3xf32>, tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  rnn.output
}

// -----

rnn.network @restart_type(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.gru' op expected tensor<i1> as restart, but got tensor<3xf32>}}
  %h = "rnn.gru"(%x, %x) {name = "l0", wx = @wx, wh = @wh, b = @b, operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<3xf32>, tensor<3xf32>) -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @elman_clock_type(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.elman' op expected tensor<i1> as clock, but got tensor<3xf32>}}
  %h = "rnn.elman"(%x, %x) {name = "l0", wx = @wx, wh = @wh, b = @b, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3xf32>, tensor<3xf32>) -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @lstm_init_count(%x: tensor<3xf32>, %h0: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op expected 2 first states (h, c), but got 1}}
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) init(%h0) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @sru_init_count(%x: tensor<3xf32>, %h0: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.sru' op expected 1 first state (c), but got 2}}
  %h, %c = rnn.sru "l0" %x wx(@wx) b(@b) init(%h0, %h0) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @gru_init_none(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{expected a first state}}
  %h = rnn.gru "l0" %x wx(@wx) wh(@wh) b(@b) init() : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @lstm_init_type(%x: tensor<3xf32>, %h0: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.lstm' op init is tensor<3xf32>, but c is tensor<2xf32>}}
  %h, %c = "rnn.lstm"(%x, %h0, %x) {name = "l0", wx = @wx, wh = @wh, b = @b, operandSegmentSizes = array<i32: 1, 0, 0, 2>} : (tensor<3xf32>, tensor<2xf32>, tensor<3xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  rnn.output
}

// -----

rnn.network @min_gru_init_type(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.min_gru' op init is tensor<3xf32>, but h is tensor<2xf32>}}
  %h = "rnn.min_gru"(%x, %x) {name = "l0", wx = @wx, b = @b} : (tensor<3xf32>, tensor<3xf32>) -> tensor<2xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.indrnn, rnn.min_gru, rnn.sru
//===----------------------------------------------------------------------===//

rnn.network @indrnn_result(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.indrnn' op expected a float vector h, but got tensor<f32>}}
  %h = rnn.indrnn "l0" %x wx(@wx) u(@u) b(@b) : tensor<3xf32> -> tensor<f32>
  rnn.output
}

// -----

rnn.parameter @wx : tensor<2x3xf32> init(#rnn.zeros)
// expected-note@+1 {{'@u' is declared here}}
rnn.parameter @u : tensor<3xf32> init(#rnn.zeros)
rnn.network @indrnn_u(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.indrnn' op u '@u' is tensor<3xf32>; expected [2] of f32}}
  %h = rnn.indrnn "l0" %x wx(@wx) u(@u) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @indrnn_activation(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{expected one of 'tanh', 'relu', but got 'sine'}}
  %h = rnn.indrnn "l0" %x wx(@wx) u(@u) b(@b) activation(sine) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @min_gru_input(%x: tensor<3x3xf32>) -> () {
  // expected-error@+1 {{'rnn.min_gru' op expected a vector of f32 or a scalar integer as input, but got tensor<3x3xf32>}}
  %h = rnn.min_gru "l0" %x wx(@wx) b(@b) : tensor<3x3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

// expected-note@+1 {{'@wx' is declared here}}
rnn.parameter @wx : tensor<2x3xf32> init(#rnn.zeros)
rnn.network @min_gru_wx(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.min_gru' op wx '@wx' is tensor<2x3xf32>; expected [4, 3] of f32}}
  %h = rnn.min_gru "l0" %x wx(@wx) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @sru_c(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.sru' op expected h and c of one type, but got tensor<2xf32> and tensor<3xf32>}}
  %h, %c = "rnn.sru"(%x) {name = "l0", wx = @wx, b = @b} : (tensor<3xf32>) -> (tensor<2xf32>, tensor<3xf32>)
  rnn.output
}

// -----

rnn.network @sru_peephole(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.sru' op expected 2 peephole parameters (forget, reset), but got 1}}
  %h, %c = rnn.sru "l0" %x wx(@wx) b(@b) peephole(@v) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

// expected-note@+1 {{'@wx' is declared here}}
rnn.parameter @wx : tensor<6x3xf32> init(#rnn.zeros)
rnn.network @sru_highway(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.sru' op wx '@wx' is tensor<6x3xf32>; expected [8, 3] of f32}}
  %h, %c = rnn.sru "l0" %x wx(@wx) b(@b) : tensor<3xf32> -> tensor<2xf32>
  rnn.output
}

// -----

// expected-note@+1 {{'@wx' is declared here}}
rnn.parameter @wx : tensor<12x3xf32> init(#rnn.zeros)
rnn.network @sru_plain(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.sru' op wx '@wx' is tensor<12x3xf32>; expected [9, 3] of f32}}
  %h, %c = rnn.sru "l0" %x wx(@wx) b(@b) : tensor<3xf32> -> tensor<3xf32>
  rnn.output
}

// -----

rnn.parameter @wx : tensor<9x3xf32> init(#rnn.zeros)
// expected-note@+1 {{'@b' is declared here}}
rnn.parameter @b : tensor<9xf32> init(#rnn.zeros)
rnn.network @sru_bias(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.sru' op b '@b' is tensor<9xf32>; expected [6] of f32}}
  %h, %c = rnn.sru "l0" %x wx(@wx) b(@b) : tensor<3xf32> -> tensor<3xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.dropout, rnn.training
//===----------------------------------------------------------------------===//

rnn.network @dropout_p(%x: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.dropout' op expected p to be a probability less than 1, but got 1.0}}
  %y = rnn.dropout %x <frame> p(1.0) : tensor<3xf32>
  rnn.output
}

// -----

rnn.network @dropout_type(%x: tensor<3xi32>) -> () {
  // expected-error@+1 {{'rnn.dropout' op expected a float signal, but got tensor<3xi32>}}
  %y = rnn.dropout %x <frame> p(0.5) : tensor<3xi32>
  rnn.output
}

// -----

rnn.network @training_type() -> () {
  // expected-error@+1 {{'rnn.training' op expected a result of i1, but got tensor<f32>}}
  %y = rnn.training : tensor<f32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.ctc
//===----------------------------------------------------------------------===//

rnn.network @ctc_logits(%x: tensor<3x3xf32>, %l: tensor<2xi32>, %n: tensor<i32>) -> () {
  // expected-error@+1 {{'rnn.ctc' op expected a float vector of logits, but got tensor<3x3xf32>}}
  %e = rnn.ctc "a" %x, %l, %n : (tensor<3x3xf32>, tensor<2xi32>, tensor<i32>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @ctc_labels(%x: tensor<3xf32>, %l: tensor<2xi8>, %n: tensor<i8>) -> () {
  // expected-error@+1 {{'rnn.ctc' op expected a vector of i32 or i64 labels, but got tensor<2xi8>}}
  %e = rnn.ctc "a" %x, %l, %n : (tensor<3xf32>, tensor<2xi8>, tensor<i8>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @ctc_scalar(%x: tensor<3xf32>, %l: tensor<i32>, %n: tensor<i32>) -> () {
  // expected-error@+1 {{'rnn.ctc' op expected a vector of i32 or i64 labels, but got tensor<i32>}}
  %e = rnn.ctc "a" %x, %l, %n : (tensor<3xf32>, tensor<i32>, tensor<i32>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @ctc_length(%x: tensor<3xf32>, %l: tensor<2xi32>, %n: tensor<i64>) -> () {
  // expected-error@+1 {{'rnn.ctc' op expected a scalar i32 length, but got tensor<i64>}}
  %e = rnn.ctc "a" %x, %l, %n : (tensor<3xf32>, tensor<2xi32>, tensor<i64>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @ctc_result(%x: tensor<3xf32>, %l: tensor<2xi32>, %n: tensor<i32>) -> () {
  // expected-error@+1 {{'rnn.ctc' op expected a scalar f32 result, but got tensor<f64>}}
  %e = rnn.ctc "a" %x, %l, %n : (tensor<3xf32>, tensor<2xi32>, tensor<i32>) -> tensor<f64>
  rnn.output
}

// -----

rnn.network @ctc_name(%x: tensor<3xf32>, %l: tensor<2xi32>, %n: tensor<i32>) -> () {
  // expected-error@+1 {{name 'a b' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
  %e = rnn.ctc "a b" %x, %l, %n : (tensor<3xf32>, tensor<2xi32>, tensor<i32>) -> tensor<f32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.softmax_cross_entropy
//===----------------------------------------------------------------------===//

rnn.network @logits(%x: tensor<2x2xf32>, %k: tensor<i32>) -> () {
  // expected-error@+1 {{'rnn.softmax_cross_entropy' op expected a float vector of logits, but got tensor<2x2xf32>}}
  %e = rnn.softmax_cross_entropy %x, %k : (tensor<2x2xf32>, tensor<i32>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @target(%x: tensor<2xf32>, %k: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.softmax_cross_entropy' op expected a scalar integer target, but got tensor<2xf32>}}
  %e = rnn.softmax_cross_entropy %x, %k : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @result(%x: tensor<2xf32>, %k: tensor<i32>) -> () {
  // expected-error@+1 {{'rnn.softmax_cross_entropy' op expected a scalar f32 result, but got tensor<f64>}}
  %e = rnn.softmax_cross_entropy %x, %k : (tensor<2xf32>, tensor<i32>) -> tensor<f64>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.sigmoid_cross_entropy
//===----------------------------------------------------------------------===//

rnn.network @prediction_sigmoid_cross_entropy(%x: tensor<2xi32>) -> () {
  // expected-error@+1 {{'rnn.sigmoid_cross_entropy' op expected a float prediction, but got tensor<2xi32>}}
  %e = rnn.sigmoid_cross_entropy %x, %x : (tensor<2xi32>, tensor<2xi32>) -> tensor<i32>
  rnn.output
}

// -----

rnn.network @target_sigmoid_cross_entropy(%x: tensor<2xf32>, %t: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.sigmoid_cross_entropy' op expected a target of the prediction's type tensor<2xf32>, but got tensor<3xf32>}}
  %e = rnn.sigmoid_cross_entropy %x, %t : (tensor<2xf32>, tensor<3xf32>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @result_sigmoid_cross_entropy(%x: tensor<2xf32>, %t: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.sigmoid_cross_entropy' op expected a scalar f32 result, but got tensor<2xf32>}}
  %e = rnn.sigmoid_cross_entropy %x, %t : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.mean_squared_error
//===----------------------------------------------------------------------===//

rnn.network @prediction_mean_squared_error(%x: tensor<2xi32>) -> () {
  // expected-error@+1 {{'rnn.mean_squared_error' op expected a float prediction, but got tensor<2xi32>}}
  %e = rnn.mean_squared_error %x, %x : (tensor<2xi32>, tensor<2xi32>) -> tensor<i32>
  rnn.output
}

// -----

rnn.network @target_mean_squared_error(%x: tensor<2xf32>, %t: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.mean_squared_error' op expected a target of the prediction's type tensor<2xf32>, but got tensor<3xf32>}}
  %e = rnn.mean_squared_error %x, %t : (tensor<2xf32>, tensor<3xf32>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @result_mean_squared_error(%x: tensor<2xf32>, %t: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.mean_squared_error' op expected a scalar f32 result, but got tensor<2xf32>}}
  %e = rnn.mean_squared_error %x, %t : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.mean_absolute_error
//===----------------------------------------------------------------------===//

rnn.network @prediction_mean_absolute_error(%x: tensor<2xi32>) -> () {
  // expected-error@+1 {{'rnn.mean_absolute_error' op expected a float prediction, but got tensor<2xi32>}}
  %e = rnn.mean_absolute_error %x, %x : (tensor<2xi32>, tensor<2xi32>) -> tensor<i32>
  rnn.output
}

// -----

rnn.network @target_mean_absolute_error(%x: tensor<2xf32>, %t: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.mean_absolute_error' op expected a target of the prediction's type tensor<2xf32>, but got tensor<3xf32>}}
  %e = rnn.mean_absolute_error %x, %t : (tensor<2xf32>, tensor<3xf32>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @result_mean_absolute_error(%x: tensor<2xf32>, %t: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.mean_absolute_error' op expected a scalar f32 result, but got tensor<2xf32>}}
  %e = rnn.mean_absolute_error %x, %t : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// rnn.huber
//===----------------------------------------------------------------------===//

rnn.network @prediction_huber(%x: tensor<2xi32>) -> () {
  // expected-error@+1 {{'rnn.huber' op expected a float prediction, but got tensor<2xi32>}}
  %e = rnn.huber %x, %x : (tensor<2xi32>, tensor<2xi32>) -> tensor<i32>
  rnn.output
}

// -----

rnn.network @target_huber(%x: tensor<2xf32>, %t: tensor<3xf32>) -> () {
  // expected-error@+1 {{'rnn.huber' op expected a target of the prediction's type tensor<2xf32>, but got tensor<3xf32>}}
  %e = rnn.huber %x, %t : (tensor<2xf32>, tensor<3xf32>) -> tensor<f32>
  rnn.output
}

// -----

rnn.network @result_huber(%x: tensor<2xf32>, %t: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.huber' op expected a scalar f32 result, but got tensor<2xf32>}}
  %e = rnn.huber %x, %t : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output
}

// -----

rnn.network @delta(%x: tensor<2xf32>, %t: tensor<2xf32>) -> () {
  // expected-error@+1 {{'rnn.huber' op expected a positive delta, but got 0.0}}
  %e = rnn.huber %x, %t {delta = 0.0} : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>
  rnn.output
}
