// RUN: rnn-opt %s -split-input-file -verify-diagnostics

// Op by op, in the order of docs/Spec.md, which numbers the constraints.

//===----------------------------------------------------------------------===//
// rnn.parameter, rnn.param
//===----------------------------------------------------------------------===//

// expected-error@+1 {{'rnn.parameter' op expected a floating-point type for #rnn.uniform<>, but got tensor<4xi32>}}
rnn.parameter @w : tensor<4xi32> init(#rnn.uniform<>)

// -----

// expected-error@+1 {{'rnn.parameter' op expected the number of blocks to divide 6 rows, but got 4}}
rnn.parameter @w : tensor<6x2xf32> init(#rnn.orthogonal<blocks = 4>)

// -----

// expected-note@+1 {{did you mean '@wx'?}}
rnn.parameter @wx : tensor<f32> init(#rnn.zeros)
rnn.parameter @other : tensor<f32> init(#rnn.zeros)
rnn.network @unknown() -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.param' op refers to unknown parameter '@wq'}}
  %y = rnn.param @wq : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

// A network is no parameter, and nothing is close to its name.
rnn.network @net() -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.param' op refers to unknown parameter '@net'}}
  %y = rnn.param @net : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.parameter @w : tensor<2xf32> init(#rnn.zeros)
rnn.network @type() -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.param' op result is tensor<f32>, but '@w' is tensor<2xf32>}}
  %y = rnn.param @w : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

//===----------------------------------------------------------------------===//
// rnn.delay (T1)
//===----------------------------------------------------------------------===//

rnn.network @zero(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.delay' op delay must not be 0}}
  %y = rnn.delay %x by 0 : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @far(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{delay 2097152 is out of range, |d| <= 1048576}}
  %y = rnn.delay %x by 2097152 : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @early(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{delay -9223372036854775808 is out of range, |d| <= 1048576}}
  %y = "rnn.delay"(%x) <{by = -9223372036854775808 : i64}> : (tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @farthest(%x: tensor<f32>) -> (y: tensor<f32>, z: tensor<f32>) {
  %y = rnn.delay %x by 1048576 : tensor<f32>
  %z = rnn.delay %x by -1048576 : tensor<f32>
  rnn.output %y, %z : tensor<f32>, tensor<f32>
}

// -----

rnn.network @init(%x: tensor<256xf32>, %i: tensor<128xf32>) -> (y: tensor<256xf32>) {
  // expected-error@+1 {{'rnn.delay' op init is tensor<128xf32>, but the delayed signal is tensor<256xf32>}}
  %y = "rnn.delay"(%x, %i) <{by = 1 : i64}> : (tensor<256xf32>, tensor<128xf32>) -> tensor<256xf32>
  rnn.output %y : tensor<256xf32>
}

// -----

rnn.network @result(%x: tensor<256xf32>) -> (y: tensor<128xf32>) {
  // expected-error@+1 {{'rnn.delay' op result is tensor<128xf32>, but the delayed signal is tensor<256xf32>}}
  %y = "rnn.delay"(%x) <{by = 1 : i64}> : (tensor<256xf32>) -> tensor<128xf32>
  rnn.output %y : tensor<128xf32>
}

// -----

rnn.network @carried(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{a negative delay cannot be carried}}
  %y = rnn.delay %x by -1 carried : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @state_later(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.delay' op has state 'x', but is not carried}}
  %y = rnn.delay %x by -1 state "x" : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @state_local(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.delay' op has state 'x', but is not carried}}
  %y = rnn.delay %x by 1 local state "x" : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

// S5: one state per signal.
rnn.network @states(%x: tensor<f32>, %z: tensor<f32>) -> (a: tensor<f32>) {
  // expected-note@+1 {{first used here}}
  %0 = rnn.delay %x by 1 state "x" : tensor<f32>
  %1 = rnn.delay %x by 2 state "x" : tensor<f32>
  // expected-error@+1 {{'rnn.delay' op state 'x' is used for two signals}}
  %2 = rnn.delay %z by 1 state "x" : tensor<f32>
  %a = rnn.sum %0, %1, %2 : tensor<f32>
  rnn.output %a : tensor<f32>
}

// -----

//===----------------------------------------------------------------------===//
// rnn.random
//===----------------------------------------------------------------------===//

rnn.network @kind() -> (a: tensor<i32>) {
  // expected-error@+1 {{'rnn.random' op expected a floating-point result, but got tensor<i32>}}
  %a = rnn.random uniform <frame> : tensor<i32>
  rnn.output %a : tensor<i32>
}

// -----

// N1: ids are unique.
rnn.network @ids() -> (a: tensor<f32>) {
  // expected-note@+1 {{first used here}}
  %0 = rnn.random uniform <frame> id 7 : tensor<f32>
  // expected-error@+1 {{'rnn.random' op id 7 is used twice}}
  %1 = rnn.random uniform <static> id 7 : tensor<f32>
  %a = rnn.sum %0, %1 : tensor<f32>
  rnn.output %a : tensor<f32>
}

// -----

//===----------------------------------------------------------------------===//
// rnn.linear
//===----------------------------------------------------------------------===//

rnn.parameter @wx : tensor<1024x256xf32> init(#rnn.uniform<>)
rnn.network @size(%x: tensor<128xf32>) -> (y: tensor<1024xf32>) {
  // expected-note@+1 {{weight is tensor<1024x256xf32>}}
  %w = rnn.param @wx : tensor<1024x256xf32>
  // expected-error@+1 {{'rnn.linear' op expected input of 256 elements, but got 128}}
  %y = rnn.linear %x, %w : (tensor<128xf32>, tensor<1024x256xf32>) -> tensor<1024xf32>
  rnn.output %y : tensor<1024xf32>
}

// -----

// expected-note@+1 {{weight is tensor<4x2xf32>}}
rnn.network @rank(%x: tensor<2x2xf32>, %w: tensor<4x2xf32>) -> (y: tensor<4xf32>) {
  // expected-error@+1 {{'rnn.linear' op expected input of 2 elements, but got tensor<2x2xf32>}}
  %y = rnn.linear %x, %w : (tensor<2x2xf32>, tensor<4x2xf32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

// expected-note@+1 {{weight is tensor<2xf32>}}
rnn.network @weight(%x: tensor<2xf32>, %w: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.linear' op expected a weight of rank 2}}
  %y = rnn.linear %x, %w : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

// expected-note@+1 {{weight is tensor<4x2xf32>}}
rnn.network @element(%x: tensor<2xf64>, %w: tensor<4x2xf32>) -> (y: tensor<4xf32>) {
  // expected-error@+1 {{'rnn.linear' op expected input of f32, but got tensor<2xf64>}}
  %y = rnn.linear %x, %w : (tensor<2xf64>, tensor<4x2xf32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

// expected-note@+1 {{weight is tensor<4x2xf32>}}
rnn.network @result(%x: tensor<2xf32>, %w: tensor<4x2xf32>) -> (y: tensor<3xf32>) {
  // expected-error@+1 {{'rnn.linear' op expected result tensor<4xf32>, but got tensor<3xf32>}}
  %y = rnn.linear %x, %w : (tensor<2xf32>, tensor<4x2xf32>) -> tensor<3xf32>
  rnn.output %y : tensor<3xf32>
}

// -----

// expected-note@+1 {{weight is tensor<4x2xf32>}}
rnn.network @bias(%x: tensor<2xf32>, %w: tensor<4x2xf32>) -> (y: tensor<4xf32>) {
  // expected-error@+1 {{'rnn.linear' op expected bias tensor<4xf32>, but got tensor<2xf32>}}
  %y = rnn.linear %x, %w, %x : (tensor<2xf32>, tensor<4x2xf32>, tensor<2xf32>) -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

//===----------------------------------------------------------------------===//
// rnn.contract
//===----------------------------------------------------------------------===//

rnn.network @maps(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.contract' op expected 3 indexing maps, but got 2}}
  %y = rnn.contract %x, %x [(d0) -> (d0), (d0) -> (d0)] : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @dims(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.contract' op expected at most 12 dimensions, but got 13}}
  %y = rnn.contract %x, %x [(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12) -> (d0), (d0) -> (d0), (d0) -> (d0)] : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @permutation(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.contract' op expected indexing map 1 to be a projected permutation of 1 dimensions}}
  %y = rnn.contract %x, %x [(d0) -> (d0), (d0) -> (d0 + 1), (d0) -> (d0)] : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @results(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.contract' op indexing map 0 has 0 results, but the tensor is tensor<2xf32>}}
  %y = rnn.contract %x, %x [(d0) -> (), (d0) -> (d0), (d0) -> (d0)] : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @elements(%x: tensor<2xf32>, %z: tensor<2xf64>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.contract' op expected operands and result of one element type}}
  %y = rnn.contract %x, %z [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] : (tensor<2xf32>, tensor<2xf64>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @sizes(%x: tensor<2xf32>, %z: tensor<3xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.contract' op dimension d0 is both 2 and 3}}
  %y = rnn.contract %x, %z [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @unread(%x: tensor<2xf32>) -> (y: tensor<3xf32>) {
  // expected-error@+1 {{'rnn.contract' op dimension d1 is in no operand}}
  %y = rnn.contract %x, %x [(d0, d1) -> (d0), (d0, d1) -> (d0), (d0, d1) -> (d1)] : (tensor<2xf32>, tensor<2xf32>) -> tensor<3xf32>
  rnn.output %y : tensor<3xf32>
}

// -----

rnn.network @round_to(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.contract' op expected round_to bf16 of f32 or f64 operands, but got f16 of f32}}
  %y = rnn.contract %x, %x [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] round_to f16 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @round_integers(%x: tensor<2xi32>) -> (y: tensor<2xi32>) {
  // expected-error@+1 {{'rnn.contract' op expected round_to bf16 of f32 or f64 operands, but got bf16 of i32}}
  %y = rnn.contract %x, %x [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] round_to bf16 : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  rnn.output %y : tensor<2xi32>
}

// -----

rnn.network @sum_to(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.contract' op expected sum_to 'static' or 'stream', but got 'frame'}}
  %y = rnn.contract %x, %x [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] sum_to frame : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

//===----------------------------------------------------------------------===//
// rnn.sum, rnn.sum_frames, rnn.reduce, rnn.broadcast
//===----------------------------------------------------------------------===//

rnn.network @sum(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.sum' op expected 1 or more operands, but found 0}}
  %y = rnn.sum : tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @sum_frames(%x: tensor<2xf32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.sum_frames' op expected sum_to 'static' or 'stream', but got 'frame'}}
  %y = rnn.sum_frames %x {sum_to = #rnn.rate<frame>} : tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @order(%x: tensor<2x3xf32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.reduce' op expected strictly increasing dimensions below 2}}
  %y = rnn.reduce sum %x over [1, 0] : tensor<2x3xf32> to tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @reduce(%x: tensor<2x3xf32>) -> (y: tensor<3xf32>) {
  // expected-error@+1 {{'rnn.reduce' op expected tensor<2xf32> beside tensor<2x3xf32>, but got tensor<3xf32>}}
  %y = rnn.reduce max %x over [1] : tensor<2x3xf32> to tensor<3xf32>
  rnn.output %y : tensor<3xf32>
}

// -----

rnn.network @broadcast(%x: tensor<3xf32>) -> (y: tensor<2x3xf32>) {
  // expected-error@+1 {{'rnn.broadcast' op expected tensor<2xf32> beside tensor<2x3xf32>, but got tensor<3xf32>}}
  %y = rnn.broadcast %x along [1] : tensor<3xf32> to tensor<2x3xf32>
  rnn.output %y : tensor<2x3xf32>
}

// -----

rnn.network @negative(%x: tensor<3xf32>) -> (y: tensor<2x3xf32>) {
  // expected-error@+1 {{'rnn.broadcast' op expected strictly increasing dimensions below 2}}
  %y = rnn.broadcast %x along [-1] : tensor<3xf32> to tensor<2x3xf32>
  rnn.output %y : tensor<2x3xf32>
}

// -----

//===----------------------------------------------------------------------===//
// rnn.gather, rnn.scatter_add
//===----------------------------------------------------------------------===//

rnn.network @index(%t: tensor<3x2xf32>, %i: tensor<i1>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.gather' op expected an integer index, but got tensor<i1>}}
  %y = rnn.gather %t, %i : (tensor<3x2xf32>, tensor<i1>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @table(%t: tensor<f32>, %i: tensor<i32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.gather' op expected a table of rank 1 or more}}
  %y = rnn.gather %t, %i : (tensor<f32>, tensor<i32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @rows(%t: tensor<3x2xf32>, %i: tensor<4xi32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.gather' op expected rows of tensor<4x2xf32>, but got tensor<2xf32>}}
  %y = rnn.gather %t, %i : (tensor<3x2xf32>, tensor<4xi32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}

// -----

rnn.network @scatter(%u: tensor<3xf32>, %i: tensor<i32>) -> (y: tensor<3x2xf32>) {
  // expected-error@+1 {{'rnn.scatter_add' op expected rows of tensor<2xf32>, but got tensor<3xf32>}}
  %y = rnn.scatter_add %u, %i : (tensor<3xf32>, tensor<i32>) -> tensor<3x2xf32>
  rnn.output %y : tensor<3x2xf32>
}

// -----

rnn.network @scatter_sum(%u: tensor<2xf32>, %i: tensor<i32>) -> (y: tensor<3x2xf32>) {
  // expected-error@+1 {{'rnn.scatter_add' op expected sum_to 'static' or 'stream', but got 'frame'}}
  %y = rnn.scatter_add %u, %i sum_to <frame> : (tensor<2xf32>, tensor<i32>) -> tensor<3x2xf32>
  rnn.output %y : tensor<3x2xf32>
}

// -----

//===----------------------------------------------------------------------===//
// rnn.sigmoid, rnn.softplus, rnn.stop_gradient
//===----------------------------------------------------------------------===//

rnn.network @sigmoid(%x: tensor<3xi32>) -> (y: tensor<3xi32>) {
  // expected-error@+1 {{'rnn.sigmoid' op expected a floating-point result, but got tensor<3xi32>}}
  %y = rnn.sigmoid %x : tensor<3xi32>
  rnn.output %y : tensor<3xi32>
}

// -----

rnn.network @softplus(%x: tensor<3xi32>) -> (y: tensor<3xi32>) {
  // expected-error@+1 {{'rnn.softplus' op expected a floating-point result, but got tensor<3xi32>}}
  %y = rnn.softplus %x : tensor<3xi32>
  rnn.output %y : tensor<3xi32>
}

// -----

rnn.network @stop_gradient(%x: tensor<3xf32>) -> (y: tensor<3xf64>) {
  // expected-error@+1 {{'rnn.stop_gradient' op requires the same type for all operands and results}}
  %y = "rnn.stop_gradient"(%x) : (tensor<3xf32>) -> tensor<3xf64>
  rnn.output %y : tensor<3xf64>
}

// -----

//===----------------------------------------------------------------------===//
// rnn.call
//===----------------------------------------------------------------------===//

rnn.network @callee(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'rnn.call' op refers to unknown network '@nobody'}}
  %y = rnn.call "a" @nobody(%x) : (tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @cell(%x: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}
rnn.network @call_type(%x: tensor<f32>) -> (y: tensor<2xf32>) {
  // expected-error@+1 {{'rnn.call' op has type (tensor<f32>) -> tensor<2xf32>, but '@cell' is (tensor<f32>) -> tensor<f32>}}
  %y = rnn.call "a" @cell(%x) : (tensor<f32>) -> tensor<2xf32>
  rnn.output %y : tensor<2xf32>
}
