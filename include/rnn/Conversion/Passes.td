//===- Passes.td - Conversions out of the rnn dialect ------*- tablegen -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_PASSES_TD
#define RNN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandMath : Pass<"rnn-expand-math"> {
  let summary = "Expand elementary functions into plain arithmetic";
  let description = [{
    Replaces `math.exp`, `log`, `log1p`, `tanh`, `erf`, `sin`, `cos`, `rsqrt` and `powf` with a constant exponent, on f32 and f64 scalars and vectors, by branch-free sequences of fused multiply-adds with published error bounds (`rnn/Conversion/ExpandMath.h`).
    `1 / (1 + exp(-x))` is recognised and becomes a sigmoid that is exact to rounding over its whole range.
    No function of libm is needed afterwards, and every target computes the same bits.
    Any other operation of the `math` dialect that needs a library call is an error that names it.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def ConvertRNNToLinalg : Pass<"convert-rnn-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower schedules to functions on tensors, for other compilers";
  let description = [{
    Every `rnn.schedule` becomes a `func.func @<name>(arguments, parameters, states) -> (results, states)` with dimensions `[T, B, …]`, T dynamic, B too in a schedule with `streams ?`; the attribute `rnn.name` on arguments and results holds their names.
    Parameters and optimizer slots that a step assigns are results too, and so are rings and `flags`.
    Only `func`, `arith`, `math`, `tensor`, `linalg` and `scf` remain; nothing is allocated and nothing has a side effect.
    Work on all frames becomes linalg ops on `[T, B, …]`; a loop becomes an `scf.for` that carries the sequences it writes.
    T, and B where it is dynamic, are dimensions of the first argument of frame rate; a schedule without one is an error.
    That the other arguments and states agree with it is up to the caller: the function does not check.

    ```mlir
    // Of rnn.schedule @net … streams ? (%x: tensor<?x?x4xf32>) -> (h: tensor<?x?x4xf32>)
    func.func @net(%x: tensor<?x?x4xf32> {rnn.name = "x"}, %w: tensor<4x4xf32> {rnn.name = "w"}, %s: tensor<1x?x4xf32> {rnn.name = "state.h"}, …)
      -> (tensor<?x?x4xf32> {rnn.name = "h"}, tensor<1x?x4xf32> {rnn.name = "state.h"}, …)
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect"];
}

def ConvertRNNToCPU : Pass<"convert-rnn-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Lower schedules to functions for the CPU";
  let description = [{
    The k-th `rnn.schedule` becomes a `func.func @rnn_fn_<k>(context, thread, threads)` by the calling convention of docs/Artifact.md, made of `scf`, `vector`, `memref` and `arith`; all threads of a call enter it once and meet at barriers.
    Products are register tiles; elementwise work is fused into vector loops; everything else is loops over this thread's share of the results, so that no sum depends on the number of threads.
    The attribute `rnn.name` of a function is the name of its schedule, `rnn.memory` the workspace that it needs: `constant + per_frame * T` bytes.
  }];
  let options = [Option<"vectorBits", "vector-bits", "unsigned", "256", "Width of a vector register in bits">];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def ConvertRNNToGPU : Pass<"convert-rnn-to-gpu", "::mlir::ModuleOp"> {
  let summary = "Lower schedules to GPU kernels and a launch list";
  let description = [{
    The k-th `rnn.schedule` becomes a `func.func @rnn_fn_<k>(workspace, tensors, frames)` that only launches kernels `@rnn_kernels::@rnn_fn_<k>_k<i>`, one after another; each kernel takes the same arguments: the workspace, the array of the session's tensors by the function's table, and T.
    Work on all frames is a kernel that any number of blocks may run: each thread takes the items `thread + i * threads`. A loop over frames is one kernel.
    The attributes `rnn.name` and `rnn.memory` are as those of `convert-rnn-to-cpu`; where blocks wait for one another, `rnn.flags` tells where in the workspace the call's flags are, an i32 in which 4 tells that one waited in vain. No sum depends on the number of blocks or threads that are launched.

    A product outside of loops is a kernel of its own: blocks compute tiles of 128 x 128, 64 x 64 or 32 x 32 results, with slices of the factors in shared memory and the sums of each thread in registers. Where tiles are few and the depth is all frames, as for the gradient of a weight, blocks divide the depth in a fixed number of shares whose sums the next kernel adds.
    A reduction of many elements is divided among the lanes of a warp; where there are few results, parts of them are computed first. Both orders follow from the shapes alone.

    A loop whose body is elementwise work, reductions and products of static matrices, block-diagonal ones too, with vectors is dealt out by *units*: element u of every vector, with all its gates, belongs to one group of lanes, which computes it. Rows of the matrices are held in registers as far as these last, then in shared memory. Vectors that products read are exchanged once per frame. With few units all groups are in one block, exchange in shared memory and meet at its barrier; streams have blocks of their own. With more, they are in the blocks of a cluster, each of which has all of the vectors in its shared memory: who computes an element sends it to all blocks (`st.async`), whose threads wait for it at an mbarrier. With still more, units are in many blocks that run at the same time, at most `multiprocessors`, whose warps divide the sums and wait for the vector's elements themselves, preset to a value that no unit writes. A reduction over all units is combined by warps, then blocks, whose words are awaited likewise. Where nothing is exchanged, every unit of every stream has a thread of its own, on all multiprocessors. Any other loop runs op by op: all threads of a block, or of `multiprocessors` blocks where that is worth their meetings, share the elements of one op after another. `regime` chooses. How a sum is divided depends on the sizes and on `multiprocessors`, never on the device that runs it.

    Regions of a wavefront (`rnn-form-wavefronts`) become launches that may be cut into pieces of frames: their kernels take the first frame and the number of frames besides. The launches have attributes: `rnn.wavefront`, its number; `rnn.after`, the launches of it whose same piece comes before; `rnn.behind`, those whose piece before comes before; `rnn.reversed`, that the last frames are the first piece. Its loops share the `multiprocessors`. The function's `rnn.pieces` tells the least number of frames of a piece and the largest number of pieces.
  }];
  let options = [Option<"regime", "regime", "std::string", "\"auto\"", "auto, block, cluster or grid: how far a loop by units spreads">,
                 Option<"multiprocessors", "multiprocessors", "int64_t", "80", "How many blocks run at the same time">,
                 Option<"clusterBlocks", "cluster-blocks", "int64_t", "16", "Blocks of a cluster at most; 1: the chip has no clusters">,
                 Option<"sharedBytes", "shared-bytes", "int64_t", "232448", "Shared memory that a block may have">,
                 Option<"pieceFrames", "piece-frames", "int64_t", "64", "Frames of a piece of a wavefront, at least">];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::gpu::GPUDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::affine::AffineDialect"];
}

def AssignSchedule : Pass<"rnn-assign-schedule", "::mlir::ModuleOp"> {
  let summary = "Write down how a GPU will run each loop over frames";
  let description = [{
    Gives every `rnn.recurrent` the attribute `loop` with what `convert-rnn-to-gpu` would choose, which then obeys it. Attributes that are there, written by hand, stay.
    Options are those of `convert-rnn-to-gpu`.
  }];
  let options = [Option<"multiprocessors", "multiprocessors", "int64_t", "80", "How many blocks run at the same time">,
                 Option<"clusterBlocks", "cluster-blocks", "int64_t", "16", "Blocks of a cluster at most; 1: the chip has no clusters">,
                 Option<"sharedBytes", "shared-bytes", "int64_t", "232448", "Shared memory that a block may have">];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::gpu::GPUDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::affine::AffineDialect"];
}

def ConvertKernelsToNVVM : Pass<"convert-kernels-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Lower the kernels of a GPU module to the LLVM and NVVM dialects";
  let description = [{
    What `convert-gpu-to-nvvm` does, without calls of libdevice: `math` becomes intrinsics that the NVPTX backend has instructions for.
    `scf` must be gone (`convert-scf-to-cf`). The result is the border between a GPU and its emulator: both go on from here.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def ConvertNVVMToEmulator : Pass<"convert-nvvm-to-emulator", "::mlir::ModuleOp"> {
  let summary = "Turn GPU kernels into functions for the host";
  let description = [{
    Takes a module with one `gpu.module` in the LLVM and NVVM dialects (`convert-kernels-to-nvvm`) and leaves functions of the LLVM dialect: for each kernel an entry `void <kernel>(void **arguments)`, by docs/Artifact.md, "Emulated kernels".
    Special registers, barriers, shuffles, `mma.sync` of bf16, clusters, mbarriers and shared memory become calls of the emulator, every atomic access gives other threads a turn, and all address spaces become one.
    Inline PTX is known by its whole text (`rnn/Conversion/InlinePtx.h`): 16-byte relaxed accesses, `st.async`, and `mbarrier.try_wait` with the scope of a cluster.
    The attribute `rnn.shared_bytes` of the module is the static shared memory of a block; dynamic shared memory lies behind it. What launches the kernels is erased. An operation of a GPU that the emulator does not have is an error that names it.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // RNN_CONVERSION_PASSES_TD
