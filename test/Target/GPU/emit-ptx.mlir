// RUN: rnn-opt %s --test-rnn-emit-ptx=chip=sm_80 -o /dev/null | FileCheck %s --check-prefixes=CHECK,SM80
// RUN: rnn-opt %s --test-rnn-emit-ptx=chip=sm_86 -o /dev/null | FileCheck %s --check-prefixes=CHECK,SM86
// RUN: rnn-opt %s --test-rnn-emit-ptx=chip=sm_89 -o /dev/null | FileCheck %s --check-prefixes=CHECK,SM89
// RUN: rnn-opt %s --test-rnn-emit-ptx=chip=sm_90 -o /dev/null | FileCheck %s --check-prefixes=CHECK,SM90
// RUN: rnn-opt %s --test-rnn-emit-ptx=chip=sm_90a -o /dev/null | FileCheck %s --check-prefixes=CHECK,SM90A
// RUN: rnn-opt %s --test-rnn-emit-ptx=chip=sm_100 -o /dev/null | FileCheck %s --check-prefixes=CHECK,SM100

// The lowest version that has the chip, from 8.0 on.
// SM80:       .version 8.0
// SM80-NEXT:  .target sm_80
// SM86:       .version 8.0
// SM86-NEXT:  .target sm_86
// SM89:       .version 8.0
// SM89-NEXT:  .target sm_89
// SM90:       .version 8.0
// SM90-NEXT:  .target sm_90{{$}}
// SM90A:      .version 8.0
// SM90A-NEXT: .target sm_90a
// SM100:      .version 8.6
// SM100-NEXT: .target sm_100{{$}}
module attributes {gpu.container_module, rnn.level = "lowered"} {
  gpu.module @rnn_kernels {
    // Operations are rounded one by one, like in the emulator.
    // CHECK-LABEL: .entry rnn_fn_0_k0(
    // CHECK-NOT:   .maxntid
    // CHECK:       .reqntid 256, 1, 1
    // CHECK-NOT:   .minnctapersm
    // CHECK:       mul.rn.f32
    // CHECK-NEXT:  add.rn.f32
    // CHECK-NEXT:  div.rn.f32
    // CHECK-NEXT:  fma.rn.f32
    gpu.func @rnn_fn_0_k0(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %thread = gpu.thread_id x
      %block = gpu.block_id x
      %threads = gpu.block_dim x
      %blocks = gpu.grid_dim x
      %base = arith.muli %block, %threads : index
      %first = arith.addi %base, %thread : index
      %step = arith.muli %blocks, %threads : index
      %f = arith.index_cast %frames : i64 to index
      %c4 = arith.constant 4 : index
      %n = arith.muli %f, %c4 : index
      %x = llvm.load %tensors : !llvm.ptr<1> -> !llvm.ptr<1>
      %place = llvm.getelementptr %tensors[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, !llvm.ptr<1>
      %y = llvm.load %place : !llvm.ptr<1> -> !llvm.ptr<1>
      scf.for %i = %first to %n step %step {
        %at = arith.index_cast %i : index to i64
        %from = llvm.getelementptr %x[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
        %v = llvm.load %from : !llvm.ptr<1> -> f32
        %square = arith.mulf %v, %v : f32
        %sum = arith.addf %square, %v : f32
        %quotient = arith.divf %sum, %v : f32
        %w = math.fma %quotient, %sum, %v : f32
        %to = llvm.getelementptr %y[%at] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
        llvm.store %w, %to : f32, !llvm.ptr<1>
      }
      gpu.return
    }
    // A block of a cooperative grid has its processor to itself.
    // CHECK-LABEL: .entry rnn_fn_0_k1(
    // CHECK:       .reqntid 128, 1, 1
    // CHECK:       .minnctapersm 1
    gpu.func @rnn_fn_0_k1(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
      gpu.return
    }
  }
  func.func @rnn_fn_0(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    %c256 = arith.constant 256 : index
    %t = arith.index_cast %frames : index to i64
    gpu.launch_func @rnn_kernels::@rnn_fn_0_k0 blocks in (%c128, %c1, %c1) threads in (%c256, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    gpu.launch_func @rnn_kernels::@rnn_fn_0_k1 blocks in (%c128, %c1, %c1) threads in (%c128, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64) {rnn.cooperative}
    return
  }
}
