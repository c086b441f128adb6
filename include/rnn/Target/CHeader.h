//===- CHeader.h - Names and sizes for C programs -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TARGET_CHEADER_H
#define RNN_TARGET_CHEADER_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::rnn {

/// Writes a C99 header with the hash, the functions, and the names and sizes of the tensors of every public network:
/// what a program needs that calls the runtime with an artifact of `module`. `module` has not passed the level `graph`,
/// and stays as it is. On failure an error has been emitted and nothing was written.
LogicalResult exportToCHeader(ModuleOp module, raw_ostream &os);

} // namespace mlir::rnn

#endif // RNN_TARGET_CHEADER_H
