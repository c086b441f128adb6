// RUN: rnn-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect

//===----------------------------------------------------------------------===//
// L1: the closed list of ops
//===----------------------------------------------------------------------===//

rnn.network @loop(%x: tensor<f32>) -> (y: tensor<f32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+2 {{'scf.for' op is not allowed in a network}}
  // expected-note@+1 {{allowed: elementwise arith and math, tensor reshapes, rnn ops}}
  %y = scf.for %i = %c0 to %c0 step %c0 iter_args(%a = %x) -> tensor<f32> {
    scf.yield %a : tensor<f32>
  }
  rnn.output %y : tensor<f32>
}

// -----

// A region is refused before its content is looked at.
rnn.network @region(%x: tensor<f32>, %c: tensor<i1>) -> (y: tensor<f32>) {
  // expected-error@+2 {{'foo.loop' op is not allowed in a network}}
  // expected-note@+1 {{allowed: elementwise arith and math, tensor reshapes, rnn ops}}
  %y = "foo.loop"(%x) ({
    %d = rnn.delay %x by 0 : tensor<f32>
    "foo.yield"(%d) : (tensor<f32>) -> ()
  }) : (tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @math(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+2 {{'math.cosh' op is not allowed in a network}}
  // expected-note@+1 {{allowed: elementwise arith and math, tensor reshapes, rnn ops}}
  %y = math.cosh %x : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @dynamic(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error@+2 {{'tensor.cast' op is not allowed in a network}}
  // expected-note@+1 {{allowed: elementwise arith and math, tensor reshapes, rnn ops}}
  %0 = tensor.cast %x : tensor<4xf32> to tensor<?xf32>
  %y = tensor.cast %0 : tensor<?xf32> to tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

// A3, A0: saves, seeds and gradients belong to steps.
rnn.network @save(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+2 {{'rnn.save' op is not allowed in a network}}
  // expected-note@+1 {{allowed: elementwise arith and math, tensor reshapes, rnn ops}}
  %y = rnn.save %x ring "0" : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.step @step eval of @n (%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+2 {{'foo.bar' op is not allowed in a step}}
  // expected-note@+1 {{allowed: elementwise arith and math, tensor reshapes, rnn ops}}
  %y = "foo.bar"(%x) : (tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

// An op of another dialect may end a block as far as the verifier of blocks can tell.
// expected-error@+1 {{'rnn.schedule' op expected 'rnn.return' as its last op}}
rnn.schedule @s infer of @n streams 1 () -> () {
  "foo.return"() : () -> ()
}

// -----

// Time exists in the functions of the dialect only.
func.func @time(%x: tensor<f32>) -> tensor<f32> {
  // expected-error-re@+1 {{'rnn.delay' op expects parent op to be one of {{.*}}}}
  %y = rnn.delay %x by 1 : tensor<f32>
  return %y : tensor<f32>
}

// -----

//===----------------------------------------------------------------------===//
// R4: types of values
//===----------------------------------------------------------------------===//

rnn.network @element(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error@+1 {{'arith.truncf' op element type 'f16' of the result is not supported; expected f32, f64, or an integer}}
  %0 = arith.truncf %x : tensor<4xf32> to tensor<4xf16>
  %y = arith.extf %0 : tensor<4xf16> to tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @scalar(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'arith.constant' op the result has type f32; expected a ranked tensor of static shape}}
  %c = arith.constant 1.0 : f32
  rnn.output %x : tensor<f32>
}

// -----

rnn.network @rank(%x: tensor<1x1x1x1x1x1xf32>) -> () {
  // expected-error@+1 {{'rnn.broadcast' op the result has rank 7; at most 6 is supported}}
  %y = rnn.broadcast %x along [0] : tensor<1x1x1x1x1x1xf32> to tensor<2x1x1x1x1x1x1xf32>
  rnn.output
}

// -----

rnn.network @many(%x: tensor<4294967295xf32>) -> () {
  // expected-error@+1 {{tensor<4294967295x4294967295xf32> has too many elements (limit 2^40)}}
  %y = rnn.broadcast %x along [0] : tensor<4294967295xf32> to tensor<4294967295x4294967295xf32>
  rnn.output
}

// -----

rnn.network @results(%x: tensor<f32>) -> () {
  // expected-error@+1 {{'rnn.call' op element type 'i16' of result 1 is not supported; expected f32, f64, or an integer}}
  %y:2 = rnn.call "a" @n(%x) : (tensor<f32>) -> (tensor<f32>, tensor<i16>)
  rnn.output
}

// -----

//===----------------------------------------------------------------------===//
// L2 to L5, N2: ops of other dialects
//===----------------------------------------------------------------------===//

rnn.network @fast(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'arith.addf' op fast-math flags are not allowed}}
  %y = arith.addf %x, %x fastmath<contract> : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @fast_math(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'math.tanh' op fast-math flags are not allowed}}
  %y = math.tanh %x fastmath<afn> : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @overflow(%x: tensor<i32>) -> (y: tensor<i32>) {
  // expected-error@+1 {{'arith.addi' op overflow flags are not allowed}}
  %y = arith.addi %x, %x overflow<nsw> : tensor<i32>
  rnn.output %y : tensor<i32>
}

// -----

rnn.network @rounding(%x: tensor<f64>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'arith.truncf' op expected rounding to nearest, ties to even}}
  %y = arith.truncf %x toward_zero : tensor<f64> to tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @sparse() -> (y: tensor<4xf32>) {
  // expected-error@+1 {{'arith.constant' op expected a dense constant}}
  %y = arith.constant sparse<[[0]], [1.0]> : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @power(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error@+1 {{'math.powf' op expected a constant exponent, the same for all elements}}
  %y = math.powf %x, %x : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

rnn.network @backwards(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error@+1 {{'tensor.extract_slice' op expected a slice inside tensor<4xf32> with positive strides, but dimension 0 has offset 3, size 4 and stride -1}}
  %y = tensor.extract_slice %x[3] [4] [-1] : tensor<4xf32> to tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @overlap(%x: tensor<2xf32>, %z: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error@+1 {{'tensor.insert_slice' op expected a slice inside tensor<4xf32> with positive strides, but dimension 0 has offset 1, size 2 and stride 0}}
  %y = tensor.insert_slice %x into %z[1] [2] [0] : tensor<2xf32> into tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

rnn.network @wrap(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  // expected-error@+1 {{but dimension 0 has offset 1, size 4 and stride 4611686018427387904}}
  %y = tensor.extract_slice %x[1] [4] [4611686018427387904] : tensor<4xf32> to tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

// -----

//===----------------------------------------------------------------------===//
// R3: rates of results
//===----------------------------------------------------------------------===//

rnn.network @static(%x: tensor<f32>) -> (h: tensor<f32> {rnn.rate = "static"}) {
  // expected-error@+1 {{'rnn.output' op result 'h' is declared static, but varies per frame}}
  rnn.output %x : tensor<f32>
}

// -----

rnn.network @stream(%x: tensor<f32> {rnn.rate = "stream"}) -> (y: tensor<f32>, h: tensor<f32> {rnn.rate = "static"}) {
  // expected-error@+1 {{'rnn.output' op result 'h' is declared static, but varies per stream}}
  rnn.output %x, %x : tensor<f32>, tensor<f32>
}

// -----

// A sum over the frames of each stream varies per stream; one of lower rate is spread.
rnn.network @sums(%x: tensor<f32>) -> (a: tensor<f32> {rnn.rate = "stream"}, b: tensor<f32>) {
  %a = rnn.sum_frames %x {sum_to = #rnn.rate<stream>} : tensor<f32>
  %b = rnn.sum_frames %x : tensor<f32>
  rnn.output %a, %b : tensor<f32>, tensor<f32>
}

// -----

// The rates behind a call are known when it has been written out: no error here.
rnn.network @total(%x: tensor<f32>) -> (s: tensor<f32> {rnn.rate = "static"}) {
  %s = rnn.sum_frames %x : tensor<f32>
  rnn.output %s : tensor<f32>
}
rnn.network @caller(%x: tensor<f32>) -> (s: tensor<f32> {rnn.rate = "static"}) {
  %s = rnn.call "t" @total(%x) : (tensor<f32>) -> tensor<f32>
  rnn.output %s : tensor<f32>
}
