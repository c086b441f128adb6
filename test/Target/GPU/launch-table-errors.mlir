// RUN: rnn-opt %s --test-rnn-launch-table --split-input-file --verify-diagnostics -o /dev/null

// expected-error@+1 {{no kernels found; expected a gpu.module}}
module attributes {gpu.container_module} {
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {}
  // expected-error@+1 {{'gpu.module' op is the second one; expected one module of kernels}}
  gpu.module @b {}
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {}
  // expected-error@+1 {{'memref.global' op is not allowed beside kernels and launch lists}}
  memref.global @g : memref<4xf32>
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {}
  // expected-error@+1 {{'func.func' op is no launch list; expected a public function of one block on (!llvm.ptr<1>, !llvm.ptr<1>, index) without results}}
  func.func @f(%workspace: !llvm.ptr, %tensors: !llvm.ptr<1>, %frames: index) {
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {}
  // expected-error@+1 {{'func.func' op is no launch list}}
  func.func private @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {}
  // expected-error@+1 {{'func.func' op has an impossible 'per_thread' in 'rnn.memory'}}
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) attributes {rnn.memory = {per_thread = 8 : i64}} {
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {}
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    // expected-error@+2 {{'gpu.barrier' op is not allowed in a launch list}}
    // expected-note@+1 {{allowed: gpu.launch_func, affine.apply, arith.constant, arith.index_cast}}
    gpu.barrier
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %t = arith.index_cast %frames : index to i64
    %n = affine.apply affine_map<()[s0] -> (s0 floordiv 2)>()[%frames]
    // expected-error@+1 {{'gpu.launch_func' op expected its number of blocks to be a constant or (a * T + b) ceildiv c, and positive}}
    gpu.launch_func @a::@k blocks in (%n, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

// One frame gives no block.
module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %t = arith.index_cast %frames : index to i64
    %n = affine.apply affine_map<()[s0] -> (s0 - 1)>()[%frames]
    // expected-error@+1 {{expected its number of blocks}}
    gpu.launch_func @a::@k blocks in (%n, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

// Neither a quotient plus another nor numbers beyond 2^40 have a place.
module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %t = arith.index_cast %frames : index to i64
    %n = affine.apply affine_map<()[s0] -> (s0 ceildiv 2 + s0 ceildiv 3)>()[%frames]
    // expected-error@+1 {{expected its number of blocks}}
    gpu.launch_func @a::@k blocks in (%n, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %t = arith.index_cast %frames : index to i64
    %n = affine.apply affine_map<()[s0] -> (s0 * 1000000000000)>()[%frames]
    %m = affine.apply affine_map<()[s0] -> (s0 * 1000000000000)>()[%n]
    // expected-error@+1 {{expected its number of blocks}}
    gpu.launch_func @a::@k blocks in (%m, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op expected threads of a block to be a constant from 1 to 1024}}
    gpu.launch_func @a::@k blocks in (%c1, %c1, %c1) threads in (%frames, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op expected blocks along y to be a constant from 1 to 1}}
    gpu.launch_func @a::@k blocks in (%c1, %c2, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    // expected-note@+1 {{the kernel is written for blocks of 256, 1, 1}}
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op launches blocks of 128 threads}}
    gpu.launch_func @a::@k blocks in (%c1, %c1, %c1) threads in (%c128, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op expected the kernel's arguments to be workspace, tensors and frames as i64}}
    gpu.launch_func @a::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%tensors : !llvm.ptr<1>, %workspace : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    %shared = arith.constant 300000 : i32
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op expected dynamic shared memory to be a constant from 0 to 262144}}
    gpu.launch_func @a::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) dynamic_shared_memory_size %shared args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op expected blocks of a cluster to be a constant from 1 to 16}}
    gpu.launch_func @a::@k clusters in (%c32, %c1, %c1) blocks in (%c32, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op has dependencies; launches of a list follow one another}}
    %token = gpu.launch_func async @a::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64, %first: i64, %count: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) attributes {rnn.pieces = {frames = 64 : i64, most = 16 : i64}} {
    %c1 = arith.constant 1 : index
    %first = arith.constant 0 : i64
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op expected the kernel's arguments to be workspace, tensors and frames as i64, and the first frame and the number of frames of the wavefront}}
    gpu.launch_func @a::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64, %t : i64, %t : i64) {rnn.after = array<i64>, rnn.behind = array<i64: 0>, rnn.wavefront = 0 : i64}
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64, %first: i64, %count: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %first = arith.constant 0 : i64
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op is of a wavefront; expected 'rnn.after' and 'rnn.behind', and 'rnn.pieces' of its function}}
    gpu.launch_func @a::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64, %first : i64, %t : i64) {rnn.after = array<i64>, rnn.behind = array<i64: 0>, rnn.wavefront = 0 : i64}
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64, %first: i64, %count: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) attributes {rnn.pieces = {frames = 64 : i64, most = 16 : i64}} {
    %c1 = arith.constant 1 : index
    %first = arith.constant 0 : i64
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op waits for a launch that is not before it}}
    gpu.launch_func @a::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64, %first : i64, %t : i64) {rnn.after = array<i64: 0>, rnn.behind = array<i64: 0>, rnn.wavefront = 0 : i64}
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @k(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64, %first: i64, %count: i64) kernel {
      gpu.return
    }
  }
  func.func @f(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) attributes {rnn.pieces = {frames = 64 : i64, most = 16 : i64}} {
    %c1 = arith.constant 1 : index
    %first = arith.constant 0 : i64
    %t = arith.index_cast %frames : index to i64
    // expected-error@+1 {{'gpu.launch_func' op is of wavefront 1; expected 0}}
    gpu.launch_func @a::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64, %first : i64, %t : i64) {rnn.after = array<i64>, rnn.behind = array<i64: 0>, rnn.wavefront = 1 : i64}
    return
  }
}
