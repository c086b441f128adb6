//===- LaunchTable.h - What a function launches, as JSON ----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TARGET_GPU_LAUNCHTABLE_H
#define RNN_TARGET_GPU_LAUNCHTABLE_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace mlir::rnn {

/// Unit attribute of a `gpu.launch_func`: its grid is exact, and all of its
/// blocks are resident at the same time.
inline constexpr StringLiteral kCooperativeAttrName = "rnn.cooperative";
/// Unit attribute of a `gpu.launch_func`: its grid is exact.
inline constexpr StringLiteral kExactAttrName = "rnn.exact";
/// Of a launch that is of a wavefront: the positions, among its launches, of
/// those whose same piece (`after`) and whose piece before (`behind`) come first
/// (array<i64>), and that the last frames are the first piece (unit).
inline constexpr StringLiteral kAfterAttrName = "rnn.after", kBehindAttrName = "rnn.behind",
                               kReversedAttrName = "rnn.reversed";
/// Of a launch list with wavefronts: `frames` of a piece at least, and the `most`
/// pieces (dictionary of i64).
inline constexpr StringLiteral kPiecesAttrName = "rnn.pieces";

/// The kernels of a converted module. Anything but one `gpu.module` beside the
/// functions is an error.
FailureOr<gpu::GPUModuleOp> getKernels(ModuleOp module);

/// The launch table of docs/Artifact.md for the functions of a converted
/// module. A function is a launch list: straight-line, one `gpu.launch_func`
/// after another, each on the function's own arguments; launches of a wavefront
/// also on 0 and the number of its frames, T + b. Numbers of blocks are
/// `(a * T + b) ceildiv c`, everything else is constant. Any other op or form
/// is an error at its place.
FailureOr<llvm::json::Object> buildLaunchTable(ModuleOp module);

} // namespace mlir::rnn

#endif // RNN_TARGET_GPU_LAUNCHTABLE_H
