// RUN: rnn-opt %s --test-rnn-emit-ptx --split-input-file --verify-diagnostics -o /dev/null
// RUN: not rnn-opt %s --test-rnn-emit-ptx=chip=sm_70 -o /dev/null 2>&1 | FileCheck %s

// There is no libdevice.
// CHECK: error: unknown chip 'sm_70'; expected one of sm_80, sm_86, sm_89, sm_90, sm_90a, sm_100
module attributes {gpu.container_module} {
  // expected-error@+1 {{kernels need the function '__nv_expf'; expected no external function}}
  gpu.module @rnn_kernels {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      %x = llvm.load %workspace : !llvm.ptr<1> -> f32
      %y = llvm.call @__nv_expf(%x) : (f32) -> f32
      llvm.store %y, %workspace : f32, !llvm.ptr<1>
      gpu.return
    }
    llvm.func @__nv_expf(f32) -> f32
  }
}
