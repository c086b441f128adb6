//===- Graphviz.h - Pictures of networks ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TARGET_GRAPHVIZ_H
#define RNN_TARGET_GRAPHVIZ_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::rnn {

/// What a picture shows.
struct DotOptions {
  /// Draw cells, losses and calls open, not as boxes.
  bool expand = false;
};

/// Writes a digraph in Graphviz's language for every network, step and train step, in the order of the text. The module
/// stays as it is. On failure an error has been emitted and nothing was written.
LogicalResult exportToDot(ModuleOp module, raw_ostream &os, const DotOptions &options = {});

} // namespace mlir::rnn

#endif // RNN_TARGET_GRAPHVIZ_H
