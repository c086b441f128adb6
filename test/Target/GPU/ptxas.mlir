// REQUIRES: ptxas
// RUN: rnn-opt %S/emit-ptx.mlir --test-rnn-emit-ptx="chip=sm_90 usage" -o /dev/null | FileCheck %s
// RUN: not rnn-opt %s --test-rnn-emit-ptx="chip=sm_90 usage" -o /dev/null 2>&1 | FileCheck %s --check-prefix=ERROR

// CHECK:      rnn_fn_0_k0: {{[1-9][0-9]*}} registers, 0 bytes shared, 0 bytes spilled
// CHECK-NEXT: rnn_fn_0_k1: {{[1-9][0-9]*}} registers, 0 bytes shared, 0 bytes spilled

// ERROR: error: ptxas failed: ptxas {{.*}}nonsense
module attributes {gpu.container_module} {
  gpu.module @rnn_kernels {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      nvvm.inline_ptx "nonsense [$0];" ro(%workspace : !llvm.ptr<1>)
      gpu.return
    }
  }
}
