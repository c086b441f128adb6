// RUN: rnn-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{'rnn.schedule' op expected at least 1 stream, but got -1}}
rnn.schedule @negative infer of @n streams -1 () -> () {
  rnn.return
}

// -----

// A schedule for any number of streams has no sequence of two.
rnn.schedule @any infer of @n streams ? (%x: tensor<?x2x4xf32>) -> () {
  // expected-error@+1 {{operand tensor<?x2x4xf32> is no sequence of tensor<4xf32>}}
  %y = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x?x4xf32> {
    rnn.yield %x0 : tensor<4xf32>
  }
  rnn.return
}

// -----

// expected-error@+1 {{'rnn.schedule' op expected at least 1 stream, but got 0}}
rnn.schedule @streams infer of @n streams 0 () -> () {
  rnn.return
}

// -----

rnn.schedule @rate infer of @n streams 2 (%x: tensor<4xf32>) -> () {
  // expected-error@+1 {{tensor<4xf32> is no sequence of rate frame}}
  %y = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<4xf32>) -> tensor<?x2x4xf32> {
    rnn.yield %x0 : tensor<4xf32>
  }
  rnn.return
}

// -----

rnn.schedule @arguments infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> () {
  // expected-error@+1 {{'rnn.parallel' op expected 1 block arguments, but got 0}}
  "rnn.parallel"(%x) <{domain = #rnn<domain chunk>}> ({
    "rnn.yield"() : () -> ()
  }) : (tensor<?x2x4xf32>) -> ()
  rnn.return
}

// -----

rnn.schedule @sequence infer of @n streams 2 (%x: tensor<?x3x4xf32>) -> () {
  // expected-error@+1 {{'rnn.parallel' op operand tensor<?x3x4xf32> is no sequence of tensor<4xf32>}}
  %y = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x3x4xf32>) -> tensor<?x2x4xf32> {
    rnn.yield %x0 : tensor<4xf32>
  }
  rnn.return
}

// -----

rnn.schedule @scalar infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> () {
  // expected-error@+1 {{'rnn.parallel' op operand tensor<?x2x4xf32> is no sequence of i32}}
  "rnn.parallel"(%x) <{domain = #rnn<domain chunk>}> ({
  ^bb0(%x0: i32):
    "rnn.yield"() : () -> ()
  }) : (tensor<?x2x4xf32>) -> ()
  rnn.return
}

// -----

rnn.schedule @count infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> () {
  // expected-error@+1 {{'rnn.parallel' op expected a rnn.yield of 1 values}}
  %y = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    rnn.yield
  }
  rnn.return
}

// -----

rnn.schedule @result infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> () {
  // expected-error@+1 {{'rnn.parallel' op result tensor<2x4xf32> is no sequence of tensor<4xf32>}}
  %y = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<2x4xf32> {
    rnn.yield %x0 : tensor<4xf32>
  }
  rnn.return
}

// -----

// What is yielded has not been verified when the region op is.
rnn.schedule @yielded infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> () {
  // expected-error@+1 {{'rnn.parallel' op result tensor<?x2xi32> is no sequence of index}}
  "rnn.parallel"(%x) <{domain = #rnn<domain chunk>}> ({
  ^bb0(%x0: tensor<4xf32>):
    %c = "arith.constant"() <{value = 0 : index}> : () -> index
    "rnn.yield"(%c) : (index) -> ()
  }) : (tensor<?x2x4xf32>) -> tensor<?x2xi32>
  rnn.return
}

// -----

rnn.schedule @loop infer of @n streams 2 (%x: tensor<4xf32>) -> () {
  // expected-error@+1 {{'rnn.recurrent' op expected domain 'chunk' or 'window', but got 'static'}}
  %y = rnn.recurrent causal static ins(%x as %x0 static) : (tensor<4xf32>) -> tensor<4xf32> {
    rnn.yield %x0 : tensor<4xf32>
  }
  rnn.return
}

// -----

rnn.schedule @reduction infer of @n streams 2 (%x: tensor<2x4xf32>) -> () {
  // expected-error@+1 {{'rnn.reduction' op expected domain 'chunk' or 'window', but got 'stream'}}
  %y = rnn.reduction stream ins(%x as %x0 stream) : (tensor<2x4xf32>) -> tensor<4xf32> {
    %s = rnn.sum_frames %x0 : tensor<4xf32>
    rnn.yield %s : tensor<4xf32>
  }
  rnn.return
}
