// RUN: rnn-opt %s -convert-nvvm-to-emulator | FileCheck %s

// CHECK:      module attributes {rnn.shared_bytes = 160 : i64} {
// CHECK-NEXT:   llvm.mlir.global external @rnn_emulator_2() {{.*}} : !llvm.ptr {
// CHECK-NEXT:     %[[NULL:.*]] = llvm.mlir.zero : !llvm.ptr
// CHECK-NEXT:     llvm.return %[[NULL]] : !llvm.ptr
// CHECK-NOT:  addr_space
module attributes {gpu.container_module} {
  gpu.module @kernels {
    llvm.mlir.global internal @first() {addr_space = 3 : i32} : !llvm.array<5 x f32>
    llvm.mlir.global external @dynamic() {addr_space = 3 : i32} : !llvm.array<0 x i8>
    llvm.mlir.global internal @second() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<20 x i8>
  }
}
