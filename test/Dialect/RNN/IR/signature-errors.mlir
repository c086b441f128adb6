// RUN: rnn-opt %s -split-input-file -verify-diagnostics

//===----------------------------------------------------------------------===//
// R1, T4: marks of arguments and results
//===----------------------------------------------------------------------===//

// expected-error@+1 {{'rnn.network' op expected rnn.rate to be "static", "stream" or "frame", but got "statc"}}
rnn.network @typo(%x: tensor<f32> {rnn.rate = "statc"}) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{'rnn.network' op expected rnn.rate to be "static", "stream" or "frame", but got #rnn.rate<static>}}
rnn.network @kind(%x: tensor<f32>) -> (y: tensor<f32> {rnn.rate = #rnn.rate<static>}) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{'rnn.network' op unknown attribute 'rnn.rest' of an argument}}
rnn.network @rest(%x: tensor<i1> {rnn.rest}) -> (y: tensor<i1>) {
  rnn.output %x : tensor<i1>
}

// -----

// expected-error@+1 {{'rnn.network' op unknown attribute 'rnn.reset' of a result}}
rnn.network @reset_result(%x: tensor<i1>) -> (y: tensor<i1> {rnn.reset}) {
  rnn.output %x : tensor<i1>
}

// -----

// expected-error@+1 {{'rnn.network' op expected rnn.reset to have no value, but got false}}
rnn.network @reset_value(%x: tensor<i1> {rnn.reset = false}) -> (y: tensor<i1>) {
  rnn.output %x : tensor<i1>
}

// -----

// expected-error@+1 {{'rnn.network' op expected rnn.default to be a floating-point number, but got "one"}}
rnn.network @default(%x: tensor<f32> {rnn.default = "one"}) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{'rnn.network' op expected at most one reset, but got 'q' and 'r'}}
rnn.network @resets(%q: tensor<i1> {rnn.reset}, %r: tensor<i1> {rnn.reset}) -> (y: tensor<i1>) {
  rnn.output %q : tensor<i1>
}

// -----

// expected-error@+1 {{'rnn.network' op expected the reset 'r' to have frame rate, but got stream}}
rnn.network @reset_rate(%r: tensor<i1> {rnn.reset, rnn.rate = "stream"}) -> (y: tensor<i1>) {
  rnn.output %r : tensor<i1>
}

// -----

// expected-error@+1 {{'rnn.network' op expected the reset 'r' to be tensor<i1>, but got tensor<i32>}}
rnn.network @reset_type(%r: tensor<i32> {rnn.reset}) -> (y: tensor<i32>) {
  rnn.output %r : tensor<i32>
}

// -----

// expected-error@+1 {{'rnn.network' op expected the reset 'r' to be tensor<i1>, but got tensor<2xi1>}}
rnn.network @reset_shape(%r: tensor<2xi1> {rnn.reset}) -> (y: tensor<2xi1>) {
  rnn.output %r : tensor<2xi1>
}

// -----

// At level 2 a reset is a sequence.
// expected-error@+1 {{'rnn.schedule' op expected the reset 'r' to be tensor<i1>, but got tensor<?x2x4xi1>}}
rnn.schedule @s infer of @n streams 2 (%r: tensor<?x2x4xi1> {rnn.reset}) -> () {
  rnn.return
}

// -----

//===----------------------------------------------------------------------===//
// F2: names
//===----------------------------------------------------------------------===//

rnn.parameter @x : tensor<f32> init(#rnn.zeros)
// expected-error@+1 {{name 'x' is used by an argument and a parameter}}
rnn.network @clash(%x: tensor<f32>) -> (y: tensor<f32>) {
  %0 = rnn.param @x : tensor<f32>
  %y = arith.addf %0, %x : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

// A parameter that the network does not read is no concern of it; one that it reads twice is shared.
rnn.parameter @x : tensor<f32> init(#rnn.zeros)
rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.network @shared(%x: tensor<f32>) -> (y: tensor<f32>) {
  %0 = rnn.param @w : tensor<f32>
  %1 = rnn.param @w : tensor<f32>
  %y = rnn.sum %x, %0, %1 : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.parameter @y : tensor<f32> init(#rnn.zeros)
// expected-error@+1 {{name 'y' is used by a result and a parameter}}
rnn.network @result_parameter() -> (y: tensor<f32>) {
  %0 = rnn.param @y : tensor<f32>
  rnn.output %0 : tensor<f32>
}

// -----

// A cell names its parameters, too.
rnn.parameter @wx : tensor<8x3xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<8x2xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<8xf32> init(#rnn.zeros)
rnn.parameter @h : tensor<2xf32> init(#rnn.zeros)
// expected-error@+1 {{name 'h' is used by a result and a parameter}}
rnn.network @cell(%x: tensor<3xf32>) -> (h: tensor<2xf32>) {
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) peephole(@h, @h, @h) : tensor<3xf32> -> tensor<2xf32>
  rnn.output %h : tensor<2xf32>
}

// -----

// expected-error@+1 {{name 'x' is used by an argument and a result}}
rnn.network @argument_result(%x: tensor<f32>) -> (x: tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{name 'y' is used by two results}}
rnn.network @results(%x: tensor<f32>) -> (y: tensor<f32>, y: tensor<f32>) {
  rnn.output %x, %x : tensor<f32>, tensor<f32>
}

// -----

// expected-error@+1 {{name 'x' is used by two arguments}}
"rnn.network"() <{sym_name = "arguments", function_type = (tensor<f32>, tensor<f32>) -> (), arg_names = ["x", "x"], result_names = []}> ({
^bb0(%0: tensor<f32>, %1: tensor<f32>):
  "rnn.output"() : () -> ()
}) : () -> ()

// -----

// expected-error@+1 {{name '0' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
rnn.network @number(%0: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %0 : tensor<f32>
}

// -----

// expected-error@+1 {{name 'a-b' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
rnn.network @dash(%x: tensor<f32>) -> ("a-b": tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{name '' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
rnn.network @empty(%x: tensor<f32>) -> ("": tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// A delayed signal's name becomes that of a state.
rnn.network @delayed(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{name 'a-b' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
  %y = rnn.delay %x by 1 name "a-b" : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

// expected-error@+1 {{name 'loss' is reserved}}
rnn.network @loss(%x: tensor<f32>) -> (loss: tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{name 'mask' is reserved}}
rnn.network @mask(%mask: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %mask : tensor<f32>
}

// -----

// expected-error@+1 {{name 'state.h' is reserved}}
rnn.network @state(%x: tensor<f32>) -> (state.h: tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{name 'seed' is reserved}}
rnn.parameter @seed : tensor<f32> init(#rnn.zeros)

// -----

// expected-error@+1 {{name 'opt.m' is reserved}}
rnn.parameter @opt.m : tensor<f32> init(#rnn.zeros)

// -----

// expected-error@+1 {{name 'w-1' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
rnn.parameter @"w-1" : tensor<f32> init(#rnn.zeros)

// -----

// expected-error@+1 {{name 'opt.m.w 1' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
rnn.parameter @"opt.m.w 1" : tensor<f32> init(#rnn.zeros) slot

// -----

// Slots and steps have the names that are reserved for them.
rnn.parameter @opt.m.w : tensor<f32> init(#rnn.zeros) slot
rnn.step @step train of @n (%mask: tensor<i1>, %lr: tensor<f32> {rnn.rate = "static"})
    -> (loss: tensor<f32> {rnn.rate = "static"}, grad.w: tensor<f32> {rnn.rate = "static"}) {
  rnn.output %lr, %lr : tensor<f32>, tensor<f32>
}

// -----

// expected-note@+1 {{see existing symbol definition here}}
rnn.parameter @wx : tensor<f32> init(#rnn.zeros)
// expected-error@+1 {{redefinition of symbol named 'wx'}}
rnn.parameter @wx : tensor<f32> init(#rnn.zeros)

// -----

//===----------------------------------------------------------------------===//
// R4: types
//===----------------------------------------------------------------------===//

// expected-error@+1 {{'rnn.network' op element type 'f16' of 'x' is not supported; expected f32, f64, or an integer}}
rnn.network @element(%x: tensor<4xf16>) -> (y: tensor<4xf16>) {
  rnn.output %x : tensor<4xf16>
}

// -----

// expected-error@+1 {{'rnn.step' op element type 'i16' of 'x' is not supported; expected f32, f64, or an integer}}
rnn.step @element eval of @n (%x: tensor<4xi16>) -> () {
  rnn.output
}

// -----

// expected-error@+1 {{'rnn.parameter' op element type 'bf16' of 'w' is not supported; expected f32, f64, or an integer}}
rnn.parameter @w : tensor<4xbf16> init(#rnn.zeros)

// -----

// expected-error@+1 {{'rnn.network' op 'n' has type index; expected a ranked tensor of static shape}}
rnn.network @scalar(%n: index) -> () {
  rnn.output
}

// -----

// expected-error@+1 {{'rnn.network' op 'x' has type tensor<?xf32>; expected a ranked tensor of static shape}}
rnn.network @dynamic(%x: tensor<?xf32>) -> () {
  rnn.output
}

// -----

// expected-error@+1 {{'rnn.network' op 'x' has type tensor<*xf32>; expected a ranked tensor of static shape}}
rnn.network @unranked(%x: tensor<*xf32>) -> () {
  rnn.output
}

// -----

// expected-error@+1 {{'rnn.network' op 'x' has type tensor<4xf32, "columns">; expected a tensor without encoding}}
rnn.network @encoding(%x: tensor<4xf32, "columns">) -> () {
  rnn.output
}

// -----

// expected-error@+1 {{'rnn.network' op 'x' has rank 7; at most 6 is supported}}
rnn.network @rank(%x: tensor<1x1x1x1x1x1x1xf32>) -> () {
  rnn.output
}

// -----

// expected-error@+1 {{'rnn.network' op 'x' has type tensor<4x0xf32>; every dimension must be at least 1}}
rnn.network @empty(%x: tensor<4x0xf32>) -> () {
  rnn.output
}

// -----

// expected-error@+1 {{tensor<4294967296x4294967296xf32> has too many elements (limit 2^40)}}
rnn.network @overflow(%x: tensor<4294967296x4294967296xf32>) -> () {
  rnn.output
}

// -----

// expected-error@+1 {{tensor<1099511627777xf32> has too many elements (limit 2^40)}}
rnn.parameter @many : tensor<1099511627777xf32> init(#rnn.zeros)

// -----

// expected-error@+1 {{'rnn.network' op element type 'f16' of 'y' is not supported; expected f32, f64, or an integer}}
rnn.network @result(%x: tensor<f32>) -> (y: tensor<f16>) {
  rnn.output %x : tensor<f32>
}

// -----

//===----------------------------------------------------------------------===//
// F1, F3: signature and terminator
//===----------------------------------------------------------------------===//

// expected-error@+1 {{'rnn.network' op expected 1 argument names, but got 0}}
"rnn.network"() <{sym_name = "n", function_type = (tensor<f32>) -> (), arg_names = [], result_names = []}> ({
^bb0(%0: tensor<f32>):
  "rnn.output"() : () -> ()
}) : () -> ()

// -----

// expected-error@+1 {{'rnn.network' op expected 0 result names, but got 1}}
"rnn.network"() <{sym_name = "n", function_type = () -> (), arg_names = [], result_names = ["y"]}> ({
  "rnn.output"() : () -> ()
}) : () -> ()

// -----

// expected-error@+1 {{'rnn.network' op expected 0 argument dictionaries, but got 1}}
"rnn.network"() <{sym_name = "n", function_type = () -> (), arg_names = [], result_names = [], arg_attrs = [{}]}> ({
  "rnn.output"() : () -> ()
}) : () -> ()

// -----

// expected-error@+1 {{'rnn.network' op expected 0 result dictionaries, but got 2}}
"rnn.network"() <{sym_name = "n", function_type = () -> (), arg_names = [], result_names = [], res_attrs = [{}, {}]}> ({
  "rnn.output"() : () -> ()
}) : () -> ()

// -----

// expected-error@+1 {{'rnn.network' op block arguments do not match the signature}}
"rnn.network"() <{sym_name = "n", function_type = (tensor<f32>) -> (), arg_names = ["x"], result_names = []}> ({
^bb0(%0: tensor<f64>):
  "rnn.output"() : () -> ()
}) : () -> ()

// -----

rnn.network @count(%x: tensor<f32>) -> (y: tensor<f32>, z: tensor<f32>) {
  // expected-error@+1 {{'rnn.output' op expected 2 operands, but got 1}}
  rnn.output %x : tensor<f32>
}

// -----

rnn.network @type(%x: tensor<f32>) -> (y: tensor<f64>) {
  // expected-error@+1 {{'rnn.output' op result 'y' is tensor<f64>, but the operand is tensor<f32>}}
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{name 'a b' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
rnn.network @"a b"(%x: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}

// -----

// expected-error@+1 {{name 'a/b' is not of the form [A-Za-z_][A-Za-z0-9_.]*}}
rnn.train_step @"a/b" of @n loss("e" mean) optimizer(#rnn.sgd<>)
