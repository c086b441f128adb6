//===- InlinePtx.h - The PTX texts that kernels may contain -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What no operation of the NVVM dialect says. Whoever generates kernels takes
// the text from here, and the emulator knows its meaning by the whole text.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_INLINEPTX_H
#define RNN_CONVERSION_INLINEPTX_H

#include "llvm/ADT/StringRef.h"

namespace mlir::rnn {

/// An i32 as it is; the compiler cannot see what it is made of: (word) -> word.
inline constexpr llvm::StringLiteral kPtxMove = "mov.b32 $0, $1;";
/// Four words at once, 16-byte aligned, each of them a relaxed atomic access:
/// (address) -> (word, word, word, word).
inline constexpr llvm::StringLiteral kPtxLoad16 = "ld.relaxed.gpu.global.v4.b32 {$0, $1, $2, $3}, [$4];";
/// (address, word, word, word, word) -> ().
inline constexpr llvm::StringLiteral kPtxStore16 = "st.relaxed.gpu.global.v4.b32 [$0], {$1, $2, $3, $4};";
/// Adds one and tells what was there before. What blocks have done before it is
/// seen by those who acquire the sum: (address) -> i32. `atomicrmw` would not do:
/// LLVM 22 drops its order on a GPU.
inline constexpr llvm::StringLiteral kPtxCount = "atom.acq_rel.gpu.global.add.u32 $0, [$1], 1;";
/// A store of an i32 to the shared memory of a block of the cluster, which
/// counts at an mbarrier there: (address, value, mbarrier) -> ().
inline constexpr llvm::StringLiteral kPtxStoreAsync =
    "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.b32 [$0], $1, [$2];";
/// The same for four words, 16-byte aligned, in one message:
/// (address, word, word, word, word, mbarrier) -> ().
inline constexpr llvm::StringLiteral kPtxStoreAsync16 =
    "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [$0], {$1, $2, $3, $4}, [$5];";
/// Whether the phase of a parity is complete, with what the other blocks of the
/// cluster have written before it: (mbarrier, parity) -> i32, 0 or 1.
inline constexpr llvm::StringLiteral kPtxTryWait =
    "{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [$1], $2; selp.b32 $0, 1, 0, p; }";

} // namespace mlir::rnn

#endif // RNN_CONVERSION_INLINEPTX_H
