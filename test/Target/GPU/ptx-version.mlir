// RUN: rnn-opt %s --test-rnn-emit-ptx=chip=sm_90 -o /dev/null | FileCheck %s
// RUN: rnn-opt %s --test-rnn-emit-ptx=chip=sm_100 -o /dev/null | FileCheck %s --check-prefix=SM100

// What kernels write in PTX themselves asks for the version that brought it. The size of a cluster is said at the
// launch.
// CHECK:     .version 8.3
// SM100:     .version 8.6
// CHECK-NOT: .reqnctapercluster
// CHECK:     ld.relaxed.gpu.global.b128
module attributes {gpu.container_module, rnn.level = "lowered"} {
  gpu.module @rnn_kernels {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel attributes {known_block_size = array<i32: 32, 1, 1>, known_cluster_size = array<i32: 4, 1, 1>} {
      %0:2 = nvvm.inline_ptx "{ .reg .b128 t; ld.relaxed.gpu.global.b128 t, [$2]; mov.b128 {$0, $1}, t; }" ro(%workspace : !llvm.ptr<1>) -> i64, i64
      %1 = llvm.add %0#0, %0#1 : i64
      llvm.store %1, %workspace : i64, !llvm.ptr<1>
      gpu.return
    }
  }
}
