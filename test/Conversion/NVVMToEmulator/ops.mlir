// RUN: rnn-opt %s -convert-nvvm-to-emulator | FileCheck %s

// One function per row of the table. What a GPU has becomes a call through the table of the engine; numbers in
// getelementptr are offsets there.

module attributes {gpu.container_module} {
gpu.module @kernels {

// CHECK-LABEL: llvm.func @registers
// CHECK:         %[[WHICH:.*]] = llvm.mlir.constant(1 : i32)
// CHECK-NEXT:    %[[GLOBAL:.*]] = llvm.mlir.addressof @rnn_emulator_2 : !llvm.ptr
// CHECK-NEXT:    %[[TABLE:.*]] = llvm.load %[[GLOBAL]]
// CHECK-NEXT:    %[[SLOT:.*]] = llvm.getelementptr %[[TABLE]][0]
// CHECK-NEXT:    %[[SPECIAL:.*]] = llvm.load %[[SLOT]]
// CHECK-NEXT:    llvm.call %[[SPECIAL]](%[[WHICH]]) : !llvm.ptr, (i32) -> i32
// CHECK:         llvm.mlir.constant(5 : i32)
// CHECK:         llvm.mlir.constant(6 : i32)
// CHECK:         llvm.mlir.constant(11 : i32)
// CHECK:         llvm.mlir.constant(12 : i32)
// CHECK:         llvm.mlir.constant(15 : i32)
// CHECK:         llvm.mlir.constant(18 : i32)
// CHECK:         llvm.mlir.constant(21 : i32)
// CHECK:         llvm.mlir.constant(24 : i32)
// CHECK:         llvm.mlir.constant(25 : i32)
// CHECK:         llvm.mlir.constant(26 : i32)
// CHECK:         llvm.mlir.constant(27 : i32)
llvm.func @registers() {
  %0 = nvvm.read.ptx.sreg.tid.y : i32
  %1 = nvvm.read.ptx.sreg.ntid.z : i32
  %2 = nvvm.read.ptx.sreg.ctaid.x range <i32, 0, 4> : i32
  %3 = nvvm.read.ptx.sreg.nctaid.z : i32
  %4 = nvvm.read.ptx.sreg.clusterid.x : i32
  %5 = nvvm.read.ptx.sreg.nclusterid.x : i32
  %6 = nvvm.read.ptx.sreg.cluster.ctaid.x : i32
  %7 = nvvm.read.ptx.sreg.cluster.nctaid.x : i32
  %8 = nvvm.read.ptx.sreg.laneid : i32
  %9 = nvvm.read.ptx.sreg.warpsize : i32
  %10 = nvvm.read.ptx.sreg.cluster.ctarank : i32
  %11 = nvvm.read.ptx.sreg.cluster.nctarank : i32
  llvm.return
}

// Barriers of blocks have a place, so that lanes that part ways are found out.
// CHECK-LABEL: llvm.func @barriers
// CHECK-SAME:    (%[[ID:.*]]: i32, %[[THREADS:.*]]: i32)
// CHECK:         %[[NONE:.*]] = llvm.mlir.constant(0 : i32)
// CHECK:         %[[ALL:.*]] = llvm.mlir.constant(0 : i32)
// CHECK:         %[[PLACE:.*]] = llvm.mlir.constant(0 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[8]
// CHECK:         llvm.call %{{.*}}(%[[NONE]], %[[ALL]], %[[PLACE]])
// CHECK:         %[[PLACE1:.*]] = llvm.mlir.constant(1 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[8]
// CHECK:         llvm.call %{{.*}}(%[[ID]], %[[THREADS]], %[[PLACE1]])
// CHECK:         %[[PLACE2:.*]] = llvm.mlir.constant(2 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[16]
// CHECK:         llvm.call %{{.*}}(%[[ID]], %[[THREADS]], %[[PLACE2]])
// CHECK:         llvm.getelementptr %{{.*}}[24]
// CHECK:         llvm.call %{{.*}}(%[[ID]]) : !llvm.ptr, (i32) -> ()
// CHECK:         llvm.fence seq_cst
// CHECK-NEXT:    llvm.fence acq_rel
// CHECK-NEXT:    llvm.return
llvm.func @barriers(%id: i32, %threads: i32) {
  nvvm.barrier0
  nvvm.barrier id = %id number_of_threads = %threads
  nvvm.barrier.arrive id = %id number_of_threads = %threads
  nvvm.bar.warp.sync %id : i32
  nvvm.memory.barrier #nvvm.mem_scope<gpu>
  llvm.fence syncscope("device") acq_rel
  llvm.return
}

// CHECK-LABEL: llvm.func @shuffles
// CHECK-SAME:    (%[[MASK:.*]]: i32, %[[I:.*]]: i32, %[[F:.*]]: f32)
// CHECK:         %[[HOW:.*]] = llvm.mlir.constant(0 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[32]
// CHECK:         llvm.call %{{.*}}(%[[MASK]], %[[HOW]], %[[I]], %[[I]], %[[I]])
// CHECK:         llvm.mlir.constant(1 : i32)
// CHECK:         llvm.mlir.constant(2 : i32)
// CHECK:         %[[WORD:.*]] = llvm.bitcast %[[F]] : f32 to i32
// CHECK:         %[[INDEX:.*]] = llvm.mlir.constant(3 : i32)
// CHECK:         %[[GOT:.*]] = llvm.call %{{.*}}(%[[MASK]], %[[INDEX]], %[[WORD]], %[[I]], %[[I]])
// CHECK:         llvm.bitcast %[[GOT]] : i32 to f32
llvm.func @shuffles(%mask: i32, %i: i32, %f: f32) -> f32 {
  %0 = nvvm.shfl.sync bfly %mask, %i, %i, %i : i32 -> i32
  %1 = nvvm.shfl.sync up %mask, %i, %i, %i : i32 -> i32
  %2 = nvvm.shfl.sync down %mask, %i, %i, %i : i32 -> i32
  %3 = nvvm.shfl.sync idx %mask, %f, %i, %i : f32 -> f32
  llvm.return %3 : f32
}

// Another thread may run before an atomic access: what only reads may be in vain.
// CHECK-LABEL: llvm.func @atomics
// CHECK-SAME:    (%[[P:.*]]: !llvm.ptr,
// CHECK:         %[[READS:.*]] = llvm.mlir.constant(0 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[48]
// CHECK:         llvm.call %{{.*}}(%[[READS]])
// CHECK-NEXT:    llvm.load %[[P]] atomic acquire {alignment = 4 : i64} : !llvm.ptr -> i32
// CHECK:         %[[WRITES:.*]] = llvm.mlir.constant(1 : i32)
// CHECK:         llvm.call %{{.*}}(%[[WRITES]])
// CHECK-NEXT:    llvm.store %{{.*}}, %[[P]] atomic release
// CHECK:         llvm.mlir.constant(1 : i32)
// CHECK:         llvm.atomicrmw add %[[P]], %{{.*}} monotonic
// CHECK:         llvm.mlir.constant(0 : i32)
// CHECK:         llvm.cmpxchg %[[P]], {{.*}} acq_rel monotonic
// CHECK-NEXT:    llvm.load %[[P]] : !llvm.ptr -> i32
llvm.func @atomics(%p: !llvm.ptr<1>, %v: i32) {
  %0 = llvm.load %p atomic syncscope("device") acquire {alignment = 4 : i64} : !llvm.ptr<1> -> i32
  llvm.store %v, %p atomic syncscope("device") release {alignment = 4 : i64} : i32, !llvm.ptr<1>
  %1 = llvm.atomicrmw add %p, %v syncscope("device") monotonic : !llvm.ptr<1>, i32
  %2 = llvm.cmpxchg %p, %v, %v syncscope("device") acq_rel monotonic : !llvm.ptr<1>, i32
  %3 = llvm.load %p : !llvm.ptr<1> -> i32
  llvm.return
}

// Static shared memory, each global at a multiple of its alignment; dynamic memory behind it.
// CHECK-LABEL: llvm.func @memory
// CHECK:         %[[FIRST:.*]] = llvm.mlir.constant(0 : i64)
// CHECK:         llvm.getelementptr %{{.*}}[40]
// CHECK:         llvm.call %{{.*}}(%[[FIRST]]) : !llvm.ptr, (i64) -> !llvm.ptr
// CHECK:         llvm.mlir.constant(128 : i64)
// CHECK:         llvm.mlir.constant(160 : i64)
// CHECK:         llvm.mlir.addressof @table : !llvm.ptr
// CHECK-NOT:     addrspacecast
llvm.mlir.global internal @first() {addr_space = 3 : i32} : !llvm.array<5 x f32>
llvm.mlir.global external @dynamic() {addr_space = 3 : i32} : !llvm.array<0 x i8>
llvm.mlir.global internal @second() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<20 x i8>
llvm.mlir.global internal constant @table(dense<1.0> : tensor<4xf32>) {addr_space = 4 : i32} : !llvm.array<4 x f32>
llvm.func @memory() {
  %0 = llvm.mlir.addressof @first : !llvm.ptr<3>
  %1 = llvm.mlir.addressof @second : !llvm.ptr<3>
  %2 = llvm.mlir.addressof @dynamic : !llvm.ptr<3>
  %3 = llvm.mlir.addressof @table : !llvm.ptr<4>
  %4 = llvm.addrspacecast %0 : !llvm.ptr<3> to !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @clusters
// CHECK-SAME:    (%[[P:.*]]: !llvm.ptr, %[[I:.*]]: i32, %[[BAR:.*]]: !llvm.ptr)
// CHECK:         llvm.mlir.constant(0 : i32)
// CHECK:         llvm.mlir.constant(3 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[56]
// CHECK:         llvm.mlir.constant(1 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[56]
// CHECK:         llvm.getelementptr %{{.*}}[64]
// CHECK:         llvm.getelementptr %{{.*}}[72]
// CHECK:         llvm.call %{{.*}}(%[[P]], %[[I]]) : !llvm.ptr, (!llvm.ptr, i32) -> !llvm.ptr
// CHECK:         llvm.getelementptr %{{.*}}[80]
// CHECK:         llvm.call %{{.*}}(%[[BAR]], %[[I]])
// CHECK:         llvm.fence release
// CHECK:         %[[NOTHING:.*]] = llvm.mlir.constant(0 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[88]
// CHECK:         llvm.call %{{.*}}(%[[BAR]], %[[NOTHING]])
// CHECK:         llvm.getelementptr %{{.*}}[88]
// CHECK:         llvm.call %{{.*}}(%[[BAR]], %[[I]])
// CHECK:         llvm.getelementptr %{{.*}}[96]
// CHECK:         %[[DONE:.*]] = llvm.call %{{.*}}(%[[BAR]], %[[I]]) : !llvm.ptr, (!llvm.ptr, i32) -> i32
// CHECK:         llvm.trunc %[[DONE]] : i32 to i1
// CHECK:         llvm.getelementptr %{{.*}}[96]
// CHECK:         llvm.getelementptr %{{.*}}[96]
// CHECK:         %[[SAID:.*]] = llvm.call %{{.*}}(%[[BAR]], %[[I]])
// CHECK:         llvm.getelementptr %{{.*}}[104]
// CHECK:         llvm.call %{{.*}}(%{{.*}}, %[[I]], %[[BAR]])
// CHECK:         llvm.return %[[SAID]] : i32
llvm.func @clusters(%p: !llvm.ptr<3>, %i: i32, %bar: !llvm.ptr<3>) -> i32 {
  nvvm.cluster.arrive {aligned}
  nvvm.cluster.arrive.relaxed
  nvvm.cluster.wait
  %remote = nvvm.mapa %p, %i : !llvm.ptr<3> -> !llvm.ptr<7>
  nvvm.mbarrier.init %bar, %i : !llvm.ptr<3>, i32
  nvvm.fence.mbarrier.init
  %s = nvvm.mbarrier.arrive %bar : !llvm.ptr<3> -> i64
  nvvm.mbarrier.arrive.expect_tx %bar, %i : !llvm.ptr<3>, i32
  %0 = nvvm.mbarrier.try_wait %bar, %i : !llvm.ptr<3>, i32 -> i1
  %1 = nvvm.mbarrier.test.wait %bar, %i : !llvm.ptr<3>, i32 -> i1
  %2 = nvvm.inline_ptx "{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [$1], $2; selp.b32 $0, 1, 0, p; }" ro(%bar, %i : !llvm.ptr<3>, i32) -> i32
  nvvm.inline_ptx "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.b32 [$0], $1, [$2];" ro(%remote, %i, %bar : !llvm.ptr<7>, i32, !llvm.ptr<3>)
  llvm.return %2 : i32
}

// Four words are sent one by one.
// CHECK-LABEL: llvm.func @send16
// CHECK-SAME:    (%[[P:.*]]: !llvm.ptr, %[[I:.*]]: i32, %[[BAR:.*]]: !llvm.ptr)
// CHECK:         llvm.getelementptr %[[P]][0]
// CHECK:         llvm.call %{{.*}}(%{{.*}}, %[[I]], %[[BAR]])
// CHECK:         llvm.getelementptr %[[P]][1]
// CHECK:         llvm.getelementptr %[[P]][2]
// CHECK:         llvm.getelementptr %[[P]][3]
// CHECK:         llvm.call %{{.*}}(%{{.*}}, %[[I]], %[[BAR]])
llvm.func @send16(%p: !llvm.ptr<7>, %i: i32, %bar: !llvm.ptr<7>) {
  nvvm.inline_ptx "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [$0], {$1, $2, $3, $4}, [$5];" ro(%p, %i, %i, %i, %i, %bar : !llvm.ptr<7>, i32, i32, i32, i32, !llvm.ptr<7>)
  llvm.return
}

// Four relaxed words, with nobody in between.
// CHECK-LABEL: llvm.func @sixteen
// CHECK-SAME:    (%[[P:.*]]: !llvm.ptr)
// CHECK:         llvm.mlir.constant(0 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[48]
// CHECK:         llvm.call
// CHECK-NEXT:    %[[P0:.*]] = llvm.getelementptr %[[P]][0]
// CHECK-NEXT:    %[[W0:.*]] = llvm.load %[[P0]] atomic monotonic {alignment = 4 : i64}
// CHECK-NEXT:    llvm.getelementptr %[[P]][1]
// CHECK-NEXT:    llvm.load
// CHECK-NEXT:    llvm.getelementptr %[[P]][2]
// CHECK-NEXT:    llvm.load
// CHECK-NEXT:    llvm.getelementptr %[[P]][3]
// CHECK-NEXT:    %[[W3:.*]] = llvm.load
// CHECK:         llvm.mlir.constant(1 : i32)
// CHECK:         llvm.call
// CHECK-NEXT:    %[[Q0:.*]] = llvm.getelementptr %[[P]][0]
// CHECK-NEXT:    llvm.store %[[W3]], %[[Q0]] atomic monotonic
// CHECK:         %[[Q3:.*]] = llvm.getelementptr %[[P]][3]
// CHECK-NEXT:    llvm.store %[[W0]], %[[Q3]] atomic monotonic
llvm.func @sixteen(%p: !llvm.ptr<1>) {
  %w:4 = nvvm.inline_ptx "ld.relaxed.gpu.global.v4.b32 {$0, $1, $2, $3}, [$4];" ro(%p : !llvm.ptr<1>) -> i32, i32, i32, i32
  nvvm.inline_ptx "st.relaxed.gpu.global.v4.b32 [$0], {$1, $2, $3, $4};" ro(%p, %w#3, %w#2, %w#1, %w#0 : !llvm.ptr<1>, i32, i32, i32, i32)
  llvm.return
}

// CHECK-LABEL: llvm.func @mma
// CHECK-SAME:    (%[[W:.*]]: i32, %[[F:.*]]: f32)
// CHECK:         %[[TEN:.*]] = llvm.mlir.constant(10 : i32)
// CHECK-NEXT:    %[[WORDS:.*]] = llvm.alloca %[[TEN]] x i32
// CHECK-COUNT-6: llvm.store %[[W]]
// CHECK-COUNT-4: llvm.store %[[F]]
// CHECK:         %[[PLACE:.*]] = llvm.mlir.constant(6 : i32)
// CHECK:         llvm.getelementptr %{{.*}}[112]
// CHECK:         llvm.call %{{.*}}(%[[WORDS]], %[[PLACE]])
// CHECK:         %[[D0:.*]] = llvm.getelementptr %[[WORDS]][6]
// CHECK-NEXT:    %[[V0:.*]] = llvm.load %[[D0]] : !llvm.ptr -> f32
// CHECK-NEXT:    llvm.insertvalue %[[V0]], %{{.*}}[0]
// CHECK:         llvm.getelementptr %[[WORDS]][9]
llvm.func @mma(%w: i32, %f: f32) -> !llvm.struct<(f32, f32, f32, f32)> {
  %d = nvvm.mma.sync A[%w, %w, %w, %w] B[%w, %w] C[%f, %f, %f, %f]
    {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
     multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>,
     shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  llvm.return %d : !llvm.struct<(f32, f32, f32, f32)>
}

// A kernel keeps its body; its name is that of an entry with one address per argument.
// CHECK-LABEL: llvm.func internal @kernel_body(
// CHECK-SAME:    !llvm.ptr, %{{.*}}: i64)
// CHECK-NOT:     nvvm
llvm.func @kernel(%p: !llvm.ptr<1>, %n: i64) attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 256, 1, 1>} {
  llvm.return
}
}

// What launches the kernels is gone.
// CHECK-NOT: func.func
func.func @launches() {
  return
}
}

// CHECK-LABEL: llvm.func @kernel(
// CHECK-SAME:    %[[ARGUMENTS:.*]]: !llvm.ptr)
// CHECK:         %[[S0:.*]] = llvm.getelementptr %[[ARGUMENTS]][0] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK-NEXT:    %[[A0:.*]] = llvm.load %[[S0]] : !llvm.ptr -> !llvm.ptr
// CHECK-NEXT:    %[[V0:.*]] = llvm.load %[[A0]] : !llvm.ptr -> !llvm.ptr
// CHECK-NEXT:    %[[S1:.*]] = llvm.getelementptr %[[ARGUMENTS]][1]
// CHECK-NEXT:    %[[A1:.*]] = llvm.load %[[S1]]
// CHECK-NEXT:    %[[V1:.*]] = llvm.load %[[A1]] : !llvm.ptr -> i64
// CHECK-NEXT:    llvm.call @kernel_body(%[[V0]], %[[V1]])
