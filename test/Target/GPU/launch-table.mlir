// RUN: rnn-opt %s --test-rnn-launch-table -o /dev/null | FileCheck %s
// RUN: rnn-opt %s --canonicalize --test-rnn-launch-table -o /dev/null | FileCheck %s

module attributes {gpu.container_module, rnn.level = "lowered"} {
  gpu.module @rnn_kernels {
    gpu.func @rnn_fn_0_k0(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      gpu.return
    }
    gpu.func @rnn_fn_0_k1(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
    gpu.func @rnn_fn_3_k0(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64, %first: i64, %count: i64) kernel {
      gpu.return
    }
  }

  // CHECK:      "functions": [
  // CHECK-NEXT:   {
  // CHECK-NEXT:     "flags": {
  // CHECK-NEXT:       "constant": 64,
  // CHECK-NEXT:       "per_frame": 1024
  // CHECK-NEXT:     },
  // CHECK-NEXT:     "launches": [
  // CHECK:            "block": 256,
  // CHECK-NEXT:       "cluster": 1,
  // CHECK-NEXT:       "cooperative": false,
  // CHECK-NEXT:       "exact": true,
  // CHECK-NEXT:       "grid": {
  // CHECK-NEXT:         "constant": 5,
  // CHECK-NEXT:         "divisor": 256,
  // CHECK-NEXT:         "per_frame": 12
  // CHECK-NEXT:       },
  // CHECK-NEXT:       "kernel": "rnn_fn_0_k0",
  // CHECK-NEXT:       "shared_bytes": 0
  // CHECK:            "block": 128,
  // CHECK-NEXT:       "cluster": 4,
  // CHECK-NEXT:       "cooperative": true,
  // CHECK-NEXT:       "exact": false,
  // CHECK-NEXT:       "grid": {
  // CHECK-NEXT:         "constant": 64,
  // CHECK-NEXT:         "divisor": 1,
  // CHECK-NEXT:         "per_frame": 0
  // CHECK-NEXT:       },
  // CHECK-NEXT:       "kernel": "rnn_fn_0_k1",
  // CHECK-NEXT:       "shared_bytes": 49152
  // CHECK:            "constant": 0,
  // CHECK-NEXT:       "divisor": 1,
  // CHECK-NEXT:       "per_frame": 1
  // CHECK:          "memory": {
  // CHECK-NEXT:       "constant": 4096,
  // CHECK-NEXT:       "per_frame": 1024
  // CHECK-NEXT:     },
  // CHECK-NEXT:     "symbol": "rnn_fn_0"
  func.func @rnn_fn_0(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) attributes {rnn.memory = {constant = 4096 : i64, per_frame = 1024 : i64, per_thread = 0 : i64}, rnn.flags = {constant = 64 : i64, per_frame = 1024 : i64}} {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %c4 = arith.constant 4 : index
    %c128 = arith.constant 128 : index
    %c256 = arith.constant 256 : index
    %shared = arith.constant 49152 : i32
    %t = arith.index_cast %frames : index to i64
    %n = affine.apply affine_map<()[s0] -> ((s0 * 12 + 5) ceildiv 256)>()[%frames]
    gpu.launch_func @rnn_kernels::@rnn_fn_0_k0 blocks in (%n, %c1, %c1) threads in (%c256, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64) {rnn.exact}
    gpu.launch_func @rnn_kernels::@rnn_fn_0_k1 clusters in (%c4, %c1, %c1) blocks in (%c64, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %shared args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64) {rnn.cooperative}
    gpu.launch_func @rnn_kernels::@rnn_fn_0_k1 blocks in (%frames, %c1, %c1) threads in (%c128, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }

  // Sums, products and quotients of quotients come to one quotient.
  // CHECK:            "constant": 24,
  // CHECK-NEXT:       "divisor": 12,
  // CHECK-NEXT:       "per_frame": 7
  // CHECK:          "launches": []
  // CHECK:          "symbol": "rnn_fn_2"
  func.func @rnn_fn_1(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c256 = arith.constant 256 : index
    %t = arith.index_cast %frames : index to i64
    // ceil(ceil((3T + 4T) / 4) / 3) + 2
    %rows = affine.apply affine_map<(d0)[s0, s1] -> ((d0 * 3 + s0 * 4) ceildiv s1)>(%frames)[%frames, %c4]
    %n = affine.apply affine_map<(d0) -> (d0 ceildiv 3 + 2)>(%rows)
    gpu.launch_func @rnn_kernels::@rnn_fn_0_k0 blocks in (%n, %c1, %c1) threads in (%c256, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
  func.func @rnn_fn_2(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    return
  }
  // A wavefront of a domain with 8 frames besides T: grids follow from the frames of a piece.
  // CHECK:            "after": [],
  // CHECK-NEXT:       "behind": [
  // CHECK-NEXT:         0,
  // CHECK-NEXT:         1
  // CHECK-NEXT:       ],
  // CHECK:            "cooperative": true,
  // CHECK:              "constant": 64,
  // CHECK:            "reversed": true,
  // CHECK-NEXT:       "shared_bytes": 0,
  // CHECK-NEXT:       "wavefront": 0
  // CHECK:            "after": [
  // CHECK-NEXT:         0
  // CHECK-NEXT:       ],
  // CHECK-NEXT:       "behind": [
  // CHECK-NEXT:         1
  // CHECK-NEXT:       ],
  // CHECK:              "constant": 5,
  // CHECK-NEXT:         "divisor": 256,
  // CHECK-NEXT:         "per_frame": 12
  // CHECK:            "reversed": false,
  // CHECK:          "symbol": "rnn_fn_3",
  // CHECK-NEXT:     "wavefronts": [
  // CHECK-NEXT:       {
  // CHECK-NEXT:         "frames": 64,
  // CHECK-NEXT:         "older": 8,
  // CHECK-NEXT:         "pieces": 16
  func.func @rnn_fn_3(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) attributes {rnn.pieces = {frames = 64 : i64, most = 16 : i64}} {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %c256 = arith.constant 256 : index
    %first = arith.constant 0 : i64
    %t = arith.index_cast %frames : index to i64
    %all = affine.apply affine_map<()[s0] -> (s0 + 8)>()[%frames]
    %count = arith.index_cast %all : index to i64
    %n = affine.apply affine_map<()[s0] -> (((s0 + 8) * 12 + 5) ceildiv 256)>()[%frames]
    gpu.launch_func @rnn_kernels::@rnn_fn_3_k0 blocks in (%c64, %c1, %c1) threads in (%c256, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64, %first : i64, %count : i64) {rnn.after = array<i64>, rnn.behind = array<i64: 0, 1>, rnn.cooperative, rnn.reversed, rnn.wavefront = 0 : i64}
    gpu.launch_func @rnn_kernels::@rnn_fn_3_k0 blocks in (%n, %c1, %c1) threads in (%c256, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64, %first : i64, %count : i64) {rnn.after = array<i64: 0>, rnn.behind = array<i64: 1>, rnn.wavefront = 0 : i64}
    return
  }
}
