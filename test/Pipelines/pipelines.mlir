// Each pipeline contains the one before, sets the level it reaches, and does nothing on a module that is further on.
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-graph)' | FileCheck %s --check-prefix=GRAPH
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-gradient)' | FileCheck %s --check-prefix=GRADIENT
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-schedule{streams=3})' | FileCheck %s --check-prefix=SCHEDULE
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-schedule{streams=3},rnn-to-graph,rnn-to-schedule{streams=5})' \
// RUN:   | FileCheck %s --check-prefix=SCHEDULE
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-schedule{mode=sequential})' | FileCheck %s --check-prefix=SEQUENTIAL
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-linalg)' | FileCheck %s --check-prefix=LINALG
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-cpu{cpu=x86-64-v4})' | FileCheck %s --check-prefixes=CPU,V4
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-schedule,rnn-to-cpu{cpu=x86-64-v3})' | FileCheck %s --check-prefixes=CPU,V3
// RUN: rnn-opt %s --pass-pipeline='builtin.module(rnn-to-cpu{vector-bits=128})' | FileCheck %s --check-prefix=CPU

// GRAPH: module attributes {rnn.level = "graph"}
// GRAPH: rnn.delay %{{.*}} by 1 name "h" state "h"
// GRADIENT: module attributes {rnn.level = "gradient"}
// GRADIENT: rnn.network @net
// SCHEDULE: module attributes {rnn.level = "schedule"}
// SCHEDULE: rnn.schedule @net infer of @net streams 3
// SCHEDULE-SAME: rnn.memory
// SCHEDULE: rnn.parallel
// SCHEDULE: rnn.recurrent causal
// SEQUENTIAL-NOT: rnn.parallel
// SEQUENTIAL: rnn.recurrent causal
// SEQUENTIAL-NOT: rnn.parallel
// LINALG: module attributes {rnn.level = "lowered"}
// LINALG: func.func @net(%{{.*}}: tensor<?x1x4xf32> {rnn.name = "x"}
// CPU: module attributes {rnn.level = "lowered"}
// CPU: func.func @rnn_fn_0(%{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// V4: vector<16xf32>
// V3-NOT: vector<16xf32>
rnn.parameter @wx : tensor<40x4xf32> init(#rnn.uniform<>)
rnn.parameter @wh : tensor<40x40xf32> init(#rnn.orthogonal<>)
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<40xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<40xf32>
  %wx = rnn.param @wx : tensor<40x4xf32>
  %wh = rnn.param @wh : tensor<40x40xf32>
  %a = rnn.linear %x, %wx : (tensor<4xf32>, tensor<40x4xf32>) -> tensor<40xf32>
  %u = rnn.linear %h1, %wh : (tensor<40xf32>, tensor<40x40xf32>) -> tensor<40xf32>
  %s = rnn.sum %a, %u : tensor<40xf32>
  %h = math.tanh %s : tensor<40xf32>
  rnn.output %h : tensor<40xf32>
}
