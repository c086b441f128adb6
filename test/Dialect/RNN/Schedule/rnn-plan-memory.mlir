// RUN: rnn-opt %s -rnn-plan-memory -verify-each | FileCheck %s
// RUN: rnn-opt %s -rnn-plan-memory -rnn-print-memory -o /dev/null 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: rnn-opt %s -rnn-plan-memory -rnn-print-memory=format=json -o /dev/null 2>&1 | FileCheck %s --check-prefix=JSON
// RUN: rnn-opt %s -rnn-print-schedule -o /dev/null 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// RUN: not rnn-opt %s -rnn-plan-memory=limit=240 2>&1 | FileCheck %s --check-prefix=LIMIT
// RUN: rnn-opt %s -rnn-plan-memory=limit=256 -o /dev/null
// RUN: not rnn-opt %s -rnn-plan-memory=remat=recompute 2>&1 | FileCheck %s --check-prefix=REMAT
// RUN: not rnn-opt %s -rnn-print-memory 2>&1 | FileCheck %s --check-prefix=UNPLANNED

// Rows of %a have 32 bytes and take 64; the booleans take a byte each. %a is dead when %b is computed, so %b gets its
// place; %h is kept and lives to the end. %s is static.

// CHECK: rnn.memory = {constant = 64 : i64, per_frame = 192 : i64, per_thread = 0 : i64}
// CHECK: rnn.parallel chunk {{.*}} {slots = [#rnn.slot<offset = [[A:[0-9]+]], per_frame = [[AF:[0-9]+]]>]}
// CHECK: rnn.recurrent causal chunk {{.*}} {slots = [#rnn.slot<offset = 0, per_frame = 64>]}
// CHECK: rnn.parallel chunk {{.*}} {slots = [#rnn.slot<offset = [[A]], per_frame = [[AF]]>]} {{.*}} -> tensor<?x2x4xi1>
// CHECK: rnn.parallel chunk {{.*}} {slots = [#rnn.slot<offset = 0, per_frame = 128>]}
// CHECK: rnn.reduction chunk

// TEXT:      memory of m: 64 + 0 * threads + 192 * T bytes
// TEXT-NEXT:   region 1 result 0: at 0 + 0 * T, rows of 32 bytes
// TEXT-NEXT:   region 2 result 0: at 0 + 64 * T, rows of 32 bytes
// TEXT-NEXT:   region 3 result 0: at 0 + 0 * T, rows of 8 bytes
// TEXT-NEXT:   region 4 result 0: at 0 + 128 * T, rows of 32 bytes
// TEXT-NEXT:   region 5 result 0: at 0 + 192 * T, rows of 16 bytes

// JSON:      "constant": 64
// JSON:      "per_frame": 192

// SCHEDULE:      schedule m, streams 2
// SCHEDULE-NEXT:   region 1: parallel chunk, ops 1, products 0, flops 4, bytes per frame read 32 written 32
// SCHEDULE-NEXT:   region 2: recurrent causal chunk, ops 2, products 0, flops 4, bytes per frame read 32 written 32

// LIMIT:     error: needs 256 B, the limit is 240 B
// REMAT:     error: option 'remat=recompute' is not implemented yet
// UNPLANNED: error: 'rnn.schedule' op has no memory plan; run rnn-plan-memory first
rnn.schedule @m infer of @n streams 2 (%x: tensor<?x2x4xf32>) -> (c: tensor<?x2x4xf32>, s: tensor<4xf32> {rnn.rate = "static"}) {
  %a = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.exp %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  %h = rnn.recurrent causal chunk ins(%a as %a0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %h3 = rnn.delay %hh by 3 state "h" : tensor<4xf32>
    %hh = arith.addf %a0, %h3 : tensor<4xf32>
    rnn.yield %hh : tensor<4xf32>
  }
  %b = rnn.parallel chunk ins(%h as %h0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xi1> {
    %0 = arith.cmpf olt, %h0, %h0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xi1>
  }
  %c = rnn.parallel chunk ins(%b as %b0 frame, %h as %h0 frame) : (tensor<?x2x4xi1>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = math.exp %h0 : tensor<4xf32>
    %1 = arith.select %b0, %h0, %0 : tensor<4xi1>, tensor<4xf32>
    rnn.yield %1 : tensor<4xf32>
  }
  %s = rnn.reduction chunk ins(%c as %c0 frame) : (tensor<?x2x4xf32>) -> tensor<4xf32> {
    %0 = rnn.sum_frames %c0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  rnn.keep %h as "state.h" frames 3 : tensor<?x2x4xf32>
  rnn.return %c, %s : tensor<?x2x4xf32>, tensor<4xf32>
}
