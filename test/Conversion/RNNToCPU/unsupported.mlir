// RUN: rnn-opt %s -rnn-plan-memory -convert-rnn-to-cpu -split-input-file -verify-diagnostics

// What no pass of ours writes, but the dialects have.

rnn.schedule @bits infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xi32>) {
  %h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xi32> {
    // expected-error @+2 {{'tensor.bitcast' op is not supported on target 'cpu'}}
    // expected-note @+1 {{supported on: interpreter}}
    %0 = tensor.bitcast %x0 : tensor<4xf32> to tensor<4xi32>
    rnn.yield %0 : tensor<4xi32>
  }
  rnn.return %h : tensor<?x2x4xi32>
}

// -----

rnn.schedule @two_results infer of @n streams 2 (%x: tensor<?x2x4xi32>) -> (h: tensor<?x2x4xi32>) {
  %h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xi32>) -> tensor<?x2x4xi32> {
    // expected-error @+2 {{'arith.addui_extended' op is not supported on target 'cpu'}}
    // expected-note @+1 {{supported on: interpreter}}
    %0, %1 = arith.addui_extended %x0, %x0 : tensor<4xi32>, tensor<4xi1>
    rnn.yield %0 : tensor<4xi32>
  }
  rnn.return %h : tensor<?x2x4xi32>
}

// -----

rnn.schedule @outside infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
  // expected-error @+2 {{'math.exp' op is not supported on target 'cpu'}}
  // expected-note @+1 {{supported on: interpreter}}
  %h = math.exp %x : tensor<?x2x4xf32>
  rnn.return %h : tensor<?x2x4xf32>
}
