// RUN: rnn-opt %s -convert-nvvm-to-emulator | FileCheck %s

// CHECK:      module attributes {rnn.shared_bytes = 160 : i64} {
// CHECK-NEXT:   llvm.mlir.global external @rnn_emulator_2() {{.*}} : !llvm.ptr {
// CHECK-NEXT:     %[[NULL:.*]] = llvm.mlir.zero : !llvm.ptr
// CHECK-NEXT:     llvm.return %[[NULL]] : !llvm.ptr
// CHECK:        llvm.func internal @two
// CHECK-DAG:      llvm.mlir.constant(0 : i64)
// CHECK-DAG:      llvm.mlir.constant(128 : i64)
// CHECK:        llvm.func internal @other
// CHECK-DAG:      llvm.mlir.constant(0 : i64)
// CHECK-DAG:      llvm.mlir.constant(160 : i64)
// CHECK-NOT:  addr_space
module attributes {gpu.container_module} {
  gpu.module @kernels {
    llvm.mlir.global internal @first() {addr_space = 3 : i32} : !llvm.array<5 x f32>
    llvm.mlir.global external @dynamic() {addr_space = 3 : i32} : !llvm.array<0 x i8>
    llvm.mlir.global internal @second() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<20 x i8>
    // Each kernel has its own places; what a launch adds lies behind those of all.
    llvm.func @two() attributes {nvvm.kernel} {
      %0 = llvm.mlir.addressof @first : !llvm.ptr<3>
      %1 = llvm.mlir.addressof @second : !llvm.ptr<3>
      llvm.return
    }
    llvm.func @other() attributes {nvvm.kernel} {
      %0 = llvm.mlir.addressof @second : !llvm.ptr<3>
      %1 = llvm.mlir.addressof @dynamic : !llvm.ptr<3>
      llvm.return
    }
  }
}
