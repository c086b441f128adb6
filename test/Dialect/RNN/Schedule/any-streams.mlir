// A schedule for any number of streams: what is printed of it, what it computes with several numbers, and that neither
// a memory plan nor machine code is made of it, written by hand or not.
// RUN: rnn-opt %s -rnn-verify-schedule -rnn-print-schedule -o /dev/null 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// RUN: rnn-opt %s -rnn-print-schedule=format=json -o /dev/null 2>&1 | FileCheck %s --check-prefix=JSON
// RUN: rnn-opt %s -rnn-print-abi -o /dev/null 2>&1 | FileCheck %s --check-prefix=ABI
// RUN: rnn-opt %s -pass-pipeline='builtin.module(test-rnn-interpret{frames=2 streams=1 chunks=1})' -o /dev/null | FileCheck %s --check-prefix=ONE
// RUN: rnn-opt %s -pass-pipeline='builtin.module(test-rnn-interpret{frames=2 streams=3 chunks=1})' -o /dev/null | FileCheck %s --check-prefix=THREE
// RUN: not rnn-opt %s -rnn-plan-memory 2>&1 | FileCheck %s --check-prefix=REFUSED
// RUN: not rnn-opt %s -rnn-print-memory 2>&1 | FileCheck %s --check-prefix=REFUSED
// RUN: not rnn-opt %s -convert-rnn-to-cpu 2>&1 | FileCheck %s --check-prefix=REFUSED
// RUN: not rnn-opt %s -convert-rnn-to-gpu 2>&1 | FileCheck %s --check-prefix=REFUSED

// SCHEDULE:      schedule any, streams ?
// SCHEDULE-NEXT:   region 1: parallel chunk, ops 1, products 0, flops 4, bytes per frame and stream read 16 written 16
// JSON:      "streams": null
// ABI:      function any, infer
// ABI-NEXT:   argument x: f32 [T,B,4]
// ABI-NEXT:   argument g: f32 [B,4]
// ABI-NEXT:   state state.y: f32 [2,B,4], fill 0
// ONE:      @any chunk 0
// ONE:      state.y [2,1,4]
// ONE:      y [2,1,4]
// THREE:    @any chunk 0
// THREE:    state.y [2,3,4]
// THREE:    y [2,3,4]
// REFUSED:      any-streams.mlir:[[@LINE+4]]:1: error: 'any' is for any number of streams (streams=0)
// REFUSED:      note: 'rnn-to-linalg' takes streams=0; a memory plan, and all other code, is for a fixed number
// REFUSED-NOT:  error:

rnn.schedule @any infer of @n streams ? (%x: tensor<?x?x4xf32>, %g: tensor<?x4xf32> {rnn.rate = "stream"}) -> (y: tensor<?x?x4xf32>)
    attributes {rnn.memory = {constant = 0, per_frame = 64, per_thread = 0}} {
  %y = rnn.parallel chunk ins(%x as %x0 frame, %g as %g0 stream) {slots = [#rnn.slot<offset = 0, per_frame = 0>]}
      : (tensor<?x?x4xf32>, tensor<?x4xf32>) -> tensor<?x?x4xf32> {
    %0 = arith.mulf %x0, %g0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.keep %y as "state.y" frames 2 : tensor<?x?x4xf32>
  rnn.return %y : tensor<?x?x4xf32>
}
