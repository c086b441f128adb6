// RUN: rnn-opt %s -convert-nvvm-to-emulator -split-input-file -verify-diagnostics

// expected-error@+1 {{the emulator expects one gpu.module, found 0}}
module {}

// -----

// expected-error@+1 {{the emulator expects one gpu.module, found 2}}
module attributes {gpu.container_module} { gpu.module @a {} gpu.module @b {} }

// -----

gpu.module @kernels {
  llvm.func @other() {
    // expected-error@+1 {{'nvvm.fence.proxy' op is not known to the emulator}}
    nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}
    llvm.return
  }
}

// -----

gpu.module @kernels {
  llvm.func @register() -> i32 {
    // expected-error@+1 {{'nvvm.read.ptx.sreg.clock' op is not known to the emulator}}
    %0 = nvvm.read.ptx.sreg.clock : i32
    llvm.return %0 : i32
  }
}

// -----

gpu.module @kernels {
  llvm.func @not_lowered() {
    // expected-error@+1 {{'gpu.barrier' op is not known to the emulator}}
    gpu.barrier
    llvm.return
  }
}

// -----

gpu.module @kernels {
  llvm.func @reduction(%p: i32) -> i32 {
    // expected-error@+1 {{'nvvm.barrier' op with a reduction is not known to the emulator}}
    %0 = nvvm.barrier #nvvm.reduction<popc> %p -> i32
    llvm.return %0 : i32
  }
}

// -----

gpu.module @kernels {
  llvm.func @valid(%i: i32) {
    // expected-error@+1 {{'nvvm.shfl.sync' op that tells whether the lane is valid is not known to the emulator}}
    %0 = nvvm.shfl.sync bfly %i, %i, %i, %i {return_value_and_is_valid} : i32 -> !llvm.struct<(i32, i1)>
    llvm.return
  }
}

// -----

gpu.module @kernels {
  llvm.func @mma(%w: vector<2xf16>, %f: f32) {
    // expected-error@+1 {{'nvvm.mma.sync' op is known to the emulator for bf16, m = 16, n = 8, k = 16, row and col only}}
    %0 = nvvm.mma.sync A[%w, %w, %w, %w] B[%w, %w] C[%f, %f, %f, %f]
      {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
      : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    llvm.return
  }
}

// -----

gpu.module @kernels {
  llvm.func @ptx(%f: f32) -> f32 {
    // expected-error@+1 {{'nvvm.inline_ptx' op is not known to the emulator: "tanh.approx.f32 $0, $1;"}}
    %0 = nvvm.inline_ptx "tanh.approx.f32 $0, $1;" ro(%f : f32) -> f32
    llvm.return %0 : f32
  }
}

// -----

gpu.module @kernels {
  llvm.func @ptx_operands(%p: !llvm.ptr<1>) -> i32 {
    // expected-error@+1 {{'nvvm.inline_ptx' op is not known to the emulator: "ld.relaxed.gpu.global.v4.b32 {$0, $1, $2, $3}, [$4];"}}
    %0 = nvvm.inline_ptx "ld.relaxed.gpu.global.v4.b32 {$0, $1, $2, $3}, [$4];" ro(%p : !llvm.ptr<1>) -> i32
    llvm.return %0 : i32
  }
}

// -----

gpu.module @kernels {
  llvm.func @ptx_predicate(%p: !llvm.ptr<1>, %i: i32, %b: i1) {
    // expected-error@+1 {{'nvvm.inline_ptx' op with a predicate or operands to be changed is not known to the emulator}}
    nvvm.inline_ptx "st.relaxed.gpu.global.v4.b32 [$0], {$1, $2, $3, $4};" ro(%p, %i, %i, %i, %i : !llvm.ptr<1>, i32, i32, i32, i32), predicate = %b
    llvm.return
  }
}

// -----

gpu.module @kernels {
  llvm.func @asm(%i: i32) -> i32 {
    // expected-error@+1 {{'llvm.inline_asm' op is not known to the emulator}}
    %0 = llvm.inline_asm "mov.b32 $0, $1;", "=r,r" %i : (i32) -> i32
    llvm.return %0 : i32
  }
}

// -----

gpu.module @kernels {
  llvm.func @intrinsic() -> i32 {
    // expected-error@+1 {{'llvm.call_intrinsic' op is not known to the emulator}}
    %0 = llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.warpid"() : () -> i32
    llvm.return %0 : i32
  }
}

// -----

gpu.module @kernels {
  llvm.func @init(%p: !llvm.ptr<3>, %i: i32, %b: i1) {
    // expected-error@+1 {{'nvvm.mbarrier.init' op with a predicate is not known to the emulator}}
    nvvm.mbarrier.init %p, %i, predicate = %b : !llvm.ptr<3>, i32, i1
    llvm.return
  }
}

// -----

gpu.module @kernels {
  llvm.func @arrive(%p: !llvm.ptr<3>, %i: i32) {
    // expected-error@+1 {{'nvvm.mbarrier.arrive' op with a count, a used state or relaxed is not known to the emulator}}
    %0 = nvvm.mbarrier.arrive %p, %i : !llvm.ptr<3> -> i64
    llvm.return
  }
}

// -----

gpu.module @kernels {
  llvm.func @expect(%p: !llvm.ptr<3>, %i: i32) -> i64 {
    // expected-error@+1 {{'nvvm.mbarrier.arrive.expect_tx' op with a predicate, a used state or relaxed is not known to the emulator}}
    %0 = nvvm.mbarrier.arrive.expect_tx %p, %i : !llvm.ptr<3>, i32 -> i64
    llvm.return %0 : i64
  }
}

// -----

gpu.module @kernels {
  llvm.func @state(%p: !llvm.ptr<3>, %s: i64) -> i1 {
    // expected-error@+1 {{'nvvm.mbarrier.try_wait' op on a state is not known to the emulator; expected a parity}}
    %0 = nvvm.mbarrier.try_wait %p, %s : !llvm.ptr<3>, i64 -> i1
    llvm.return %0 : i1
  }
}

// -----

gpu.module @kernels {
  llvm.func @relaxed(%p: !llvm.ptr<3>, %i: i32) -> i1 {
    // expected-error@+1 {{'nvvm.mbarrier.test.wait' op that is relaxed is not known to the emulator}}
    %0 = nvvm.mbarrier.test.wait %p, %i {relaxed = true} : !llvm.ptr<3>, i32 -> i1
    llvm.return %0 : i1
  }
}
