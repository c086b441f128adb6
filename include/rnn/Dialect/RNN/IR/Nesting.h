//===- Nesting.h - A look at text before it is parsed -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_NESTING_H
#define RNN_DIALECT_RNN_IR_NESTING_H

#include "llvm/ADT/StringRef.h"
#include <cstddef>
#include <optional>

namespace mlir::rnn {

/// Where MLIR text nests deeper than a parser should follow: MLIR's is recursive and ends the process. Line and column
/// count from 1.
struct TextPosition {
  unsigned line, column;
};

/// The deepest nesting of brackets that we read.
inline constexpr size_t kMaxNesting = 256;

/// The first place in `text` that is nested deeper than `kMaxNesting`, if there is one.
std::optional<TextPosition> findTooDeepNesting(llvm::StringRef text);

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_IR_NESTING_H
