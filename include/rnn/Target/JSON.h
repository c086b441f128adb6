//===- JSON.h - A level-1 module for tools without MLIR -------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TARGET_JSON_H
#define RNN_TARGET_JSON_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::rnn {

/// Writes the dump of docs/JSON.md, one line: calls are inlined and composites expanded, nothing is simplified. The
/// module stays as it is. On failure an error has been emitted and nothing was written.
LogicalResult exportToJSON(ModuleOp module, raw_ostream &os);

} // namespace mlir::rnn

#endif // RNN_TARGET_JSON_H
