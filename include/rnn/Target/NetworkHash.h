//===- NetworkHash.h - What network a checkpoint belongs to ---*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TARGET_NETWORKHASH_H
#define RNN_TARGET_NETWORKHASH_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::rnn {

/// The SHA-256 of a module's parameters and networks, as 64 lower-case hex digits. `module` is at the level `graph`
/// (after `rnn-to-graph`). What a network is trained and run with leaves no trace in it: train steps (losses,
/// optimizer, bptt), the number of streams, the target, locations, and the spelling of values other than the recorded
/// names.
std::string getNetworkHash(ModuleOp module);

} // namespace mlir::rnn

#endif // RNN_TARGET_NETWORKHASH_H
