// RUN: rnn-opt %s -rnn-plan-memory -split-input-file -verify-diagnostics
// RUN: not rnn-opt %S/Inputs/identity.mlir -rnn-plan-memory=remat=never 2>&1 | FileCheck %s --check-prefix=REMAT
// REMAT: error: unknown remat 'never'; expected auto, keep or recompute

// A frame of 2^40 f32 in 2^20 streams has 2^62 bytes.
rnn.schedule @one infer of @n streams 1048576 (%x: tensor<?x1048576x1099511627776xf32>) -> (s: tensor<f32> {rnn.rate = "static"}) {
  // expected-error @+1 {{a sequence of 'tensor<?x1048576x1099511627776xf32>' with 0 older frames is larger than any memory}}
  %e = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x1048576x1099511627776xf32>) -> tensor<?x1048576x1099511627776xf32> {
    %0 = math.exp %x0 : tensor<1099511627776xf32>
    rnn.yield %0 : tensor<1099511627776xf32>
  }
  %s = rnn.reduction chunk ins(%e as %e0 frame) : (tensor<?x1048576x1099511627776xf32>) -> tensor<f32> {
    %0 = rnn.reduce sum %e0 over [0] : tensor<1099511627776xf32> to tensor<f32>
    %1 = rnn.sum_frames %0 : tensor<f32>
    rnn.yield %1 : tensor<f32>
  }
  rnn.return %s : tensor<f32>
}

// -----

// Older frames of a window count, too.
rnn.schedule @window train of @n streams 1 bptt<window = 1048576, advance = 1> (%x: tensor<?x1x1099511627776xf32>) -> (s: tensor<f32> {rnn.rate = "static"}) {
  %e = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x1x1099511627776xf32>) -> tensor<?x1x1099511627776xf32> {
    %0 = math.exp %x0 : tensor<1099511627776xf32>
    rnn.yield %0 : tensor<1099511627776xf32>
  }
  // expected-error @+1 {{a sequence of 'tensor<?x1x1099511627776xf32>' with 1048575 older frames is larger than any memory}}
  %w = rnn.parallel window ins(%e as %e0 frame) : (tensor<?x1x1099511627776xf32>) -> tensor<?x1x1099511627776xf32> {
    %0 = rnn.save %e0 ring "0" : tensor<1099511627776xf32>
    rnn.yield %0 : tensor<1099511627776xf32>
  }
  %s = rnn.reduction window ins(%w as %e0 frame) : (tensor<?x1x1099511627776xf32>) -> tensor<f32> {
    %0 = rnn.reduce sum %e0 over [0] : tensor<1099511627776xf32> to tensor<f32>
    %1 = rnn.sum_frames %0 : tensor<f32>
    rnn.yield %1 : tensor<f32>
  }
  rnn.return %s : tensor<f32>
}

// -----

// Each of two sequences that live at the same time has the most that is allowed.
// expected-error @+1 {{the sequences of 'two' are larger than any memory}}
rnn.schedule @two infer of @n streams 16384 (%x: tensor<?x16384x1099511627776xf32>) -> (h: tensor<?x16384x1099511627776xf32>) {
  %e = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x16384x1099511627776xf32>) -> tensor<?x16384x1099511627776xf32> {
    %0 = math.exp %x0 : tensor<1099511627776xf32>
    rnn.yield %0 : tensor<1099511627776xf32>
  }
  %h = rnn.parallel chunk ins(%e as %e0 frame) : (tensor<?x16384x1099511627776xf32>) -> tensor<?x16384x1099511627776xf32> {
    %0 = math.exp %e0 : tensor<1099511627776xf32>
    rnn.yield %0 : tensor<1099511627776xf32>
  }
  rnn.return %h : tensor<?x16384x1099511627776xf32>
}
