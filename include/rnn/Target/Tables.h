//===- Tables.h - The tensor tables of an artifact ------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TARGET_TABLES_H
#define RNN_TARGET_TABLES_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/Support/JSON.h"

namespace mlir::rnn {

/// The functions of a module that an artifact offers: its schedules if it has any, else its steps and networks, in the
/// order of the text. A network that a step or another network calls is one too, unless it is private.
SmallVector<RNNFunctionInterface> getFunctions(ModuleOp module);

/// The symbol of function number `index` in host code.
std::string getFunctionSymbol(unsigned index);

/// What the tables say beyond what the module says.
struct TablesOptions {
  std::string networkHash;
  /// B; nothing stands for a symbolic B, written "B" in shapes (`rnn-compile --describe`).
  std::optional<int64_t> streams;
  /// The features without which a section of host code must not run, by the section's target.
  std::vector<std::pair<std::string, std::vector<std::string>>> requirements;
};

/// The tables of docs/Artifact.md. Tensors of a function stand in the order of `getAbi`.
llvm::json::Object buildTables(ModuleOp module, const TablesOptions &options);

} // namespace mlir::rnn

#endif // RNN_TARGET_TABLES_H
