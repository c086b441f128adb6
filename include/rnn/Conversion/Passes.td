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
    Every `rnn.schedule` becomes a `func.func @<name>(arguments, parameters, states) -> (results, states)` with dimensions `[T, B, …]`, T dynamic; the attribute `rnn.name` on arguments and results holds their names.
    Parameters and optimizer slots that a step assigns are results too, and so are rings and `flags`.
    Only `func`, `arith`, `math`, `tensor`, `linalg` and `scf` remain; nothing is allocated and nothing has a side effect.
    Work on all frames becomes linalg ops on `[T, B, …]`; a loop becomes an `scf.for` that carries the sequences it writes.
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

#endif // RNN_CONVERSION_PASSES_TD
