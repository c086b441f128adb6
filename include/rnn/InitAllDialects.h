//===- InitAllDialects.h - Everything that IR may hold -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INITALLDIALECTS_H
#define RNN_INITALLDIALECTS_H

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn {

/// Adds the rnn dialect, all upstream dialects that our pipelines lead to, and their extensions to `registry`.
inline void registerAllDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<RNNDialect>();
}

} // namespace mlir::rnn

#endif // RNN_INITALLDIALECTS_H
