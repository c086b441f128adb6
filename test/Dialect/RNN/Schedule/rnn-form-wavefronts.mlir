// RUN: split-file %s %t
// RUN: rnn-opt %t/stack.mlir -rnn-form-wavefronts -rnn-plan-memory | FileCheck %s --check-prefix=STACK
// RUN: rnn-opt %t/stack.mlir -rnn-form-wavefronts=multiprocessors=1 | FileCheck %s --check-prefix=NONE
// RUN: rnn-opt %t/others.mlir -rnn-form-wavefronts -remarks-filter=rnn-launch -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARKS
// RUN: rnn-opt %t/others.mlir -rnn-form-wavefronts | FileCheck %s --check-prefix=OTHERS
// RUN: rnn-opt %t/short.mlir -rnn-form-wavefronts | FileCheck %s --check-prefix=NONE
// RUN: rnn-opt %t/short.mlir -rnn-form-wavefronts=piece-frames=8 | FileCheck %s --check-prefix=SHORT

// What only reads the first loop moves behind the wavefront, what it needs nothing of before it. Within it no sequence
// takes the place of another, though the first product is not read after the first loop.
// STACK:      %[[X:.*]] = rnn.parallel chunk ins(%x {{.*}} {slots = [#rnn.slot<offset = 0, per_frame = [[FIRST:[0-9]+]]>]}
// STACK:      %[[Z:.*]] = rnn.parallel chunk ins(%z
// STACK:      %[[H:.*]] = rnn.recurrent causal chunk ins(%[[X]] {{.*}}rnn.wavefront = 0
// STACK:      %[[Y:.*]] = rnn.parallel chunk ins(%[[H]] {{.*}}rnn.wavefront = 0
// STACK-NOT:  per_frame = [[FIRST]]>
// STACK:      %[[K:.*]] = rnn.recurrent causal chunk ins(%[[Y]] {{.*}}, %[[Z]] {{.*}}rnn.wavefront = 0
// STACK:      rnn.reduction chunk ins(%[[H]]
// STACK:      rnn.parallel chunk ins(%[[K]]
// NONE-NOT:   rnn.wavefront
// SHORT:      rnn.wavefront = 0

// Directions do not mix in what depends on one another, nor do frames that come later, nor sums over all frames.
// REMARKS: NoWavefront {{.*}}Reason="of it or what it needs, frames are visited in the other direction"
// REMARKS: NoWavefront {{.*}}Reason="of it or what it needs, frames are read that are computed later"
// REMARKS: NoWavefront {{.*}}Reason="of it or what it needs, work is done once for all frames"
// OTHERS-NOT: rnn.wavefront

//--- stack.mlir
rnn.schedule @net infer of @net streams 1 (%x: tensor<?x1x4xf32>, %z: tensor<?x1x4xf32>) -> (a: tensor<?x1x4xf32>, s: tensor<4xf32>) {
  %0 = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = math.exp %x0 : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  %h = rnn.recurrent causal chunk ins(%0 as %x0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %2 by 1 local : tensor<4xf32>
    %2 = arith.addf %1, %x0 : tensor<4xf32>
    rnn.yield %2 : tensor<4xf32>
  }
  %s = rnn.reduction chunk ins(%h as %h0 frame) : (tensor<?x1x4xf32>) -> tensor<4xf32> {
    %1 = rnn.sum_frames %h0 : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  %y = rnn.parallel chunk ins(%h as %h0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %h0 by 1 local : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  %z1 = rnn.parallel chunk ins(%z as %z0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = math.exp %z0 : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  %k = rnn.recurrent causal chunk ins(%y as %y0 frame, %z1 as %z0 frame) : (tensor<?x1x4xf32>, tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %3 by 1 local : tensor<4xf32>
    %2 = arith.addf %1, %y0 : tensor<4xf32>
    %3 = arith.addf %2, %z0 : tensor<4xf32>
    rnn.yield %3 : tensor<4xf32>
  }
  %a = rnn.parallel chunk ins(%k as %k0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = math.exp %k0 : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  rnn.return %a, %s : tensor<?x1x4xf32>, tensor<4xf32>
}

//--- others.mlir
rnn.schedule @net infer of @net streams 1 (%x: tensor<?x1x4xf32>) -> (a: tensor<?x1x4xf32>) {
  %f = rnn.recurrent causal chunk ins(%x as %x0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %2 by 1 local : tensor<4xf32>
    %2 = arith.addf %1, %x0 : tensor<4xf32>
    rnn.yield %2 : tensor<4xf32>
  }
  %g = rnn.recurrent anticausal chunk ins(%f as %x0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %2 by -1 local : tensor<4xf32>
    %2 = arith.addf %1, %x0 : tensor<4xf32>
    rnn.yield %2 : tensor<4xf32>
  }
  %later = rnn.parallel chunk ins(%g as %x0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %x0 by 1 local : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  %h = rnn.recurrent anticausal chunk ins(%later as %x0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %2 by -1 local : tensor<4xf32>
    %2 = arith.addf %1, %x0 : tensor<4xf32>
    rnn.yield %2 : tensor<4xf32>
  }
  %s = rnn.reduction chunk ins(%h as %h0 frame) : (tensor<?x1x4xf32>) -> tensor<4xf32> {
    %1 = rnn.sum_frames %h0 : tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  %k = rnn.recurrent anticausal chunk ins(%s as %s0 static, %x as %x0 frame) : (tensor<4xf32>, tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %3 by -1 local : tensor<4xf32>
    %2 = arith.addf %1, %x0 : tensor<4xf32>
    %3 = arith.addf %2, %s0 : tensor<4xf32>
    rnn.yield %3 : tensor<4xf32>
  }
  rnn.return %k : tensor<?x1x4xf32>
}

//--- short.mlir
rnn.schedule @step train of @net streams 1 bptt<window = 32, advance = 16> (%x: tensor<?x1x4xf32>) -> (a: tensor<?x1x4xf32>) {
  %f = rnn.recurrent causal chunk ins(%x as %x0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %2 by 1 local : tensor<4xf32>
    %2 = arith.addf %1, %x0 : tensor<4xf32>
    rnn.yield %2 : tensor<4xf32>
  }
  %g = rnn.recurrent causal chunk ins(%f as %x0 frame) : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32> {
    %1 = rnn.delay %2 by 1 local : tensor<4xf32>
    %2 = arith.addf %1, %x0 : tensor<4xf32>
    rnn.yield %2 : tensor<4xf32>
  }
  rnn.return %g : tensor<?x1x4xf32>
}
