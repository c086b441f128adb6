//===- Diagnostics.h - How rnn-compile prints diagnostics -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_TARGET_COMPILE_DIAGNOSTICS_H
#define RNN_LIB_TARGET_COMPILE_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include <string>

namespace mlir::rnn {

/// Prints the diagnostics of a context to stderr while it lives, as `<file>:<line>:<col>: error: …` lines or as one
/// JSON object per line. Remarks are left out.
class DiagnosticPrinter {
public:
  DiagnosticPrinter(MLIRContext &context, bool asJson);
  /// Whether an error has been printed.
  bool hasErrors() const { return errors != 0; }

private:
  unsigned errors = 0;
  ScopedDiagnosticHandler handler;
};

/// A size for people: `512 bytes`, `9.2 GiB`.
std::string formatBytes(int64_t bytes);

} // namespace mlir::rnn

#endif // RNN_LIB_TARGET_COMPILE_DIAGNOSTICS_H
