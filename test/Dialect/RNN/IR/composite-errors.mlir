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
