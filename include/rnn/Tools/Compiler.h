//===- Compiler.h - rnn-compile as a child ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rnn-run and rnn-train contain no compiler: they start rnn-compile, the one
// beside them or else the one on PATH, and pass on its messages and exit code.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_COMPILER_H
#define RNN_TOOLS_COMPILER_H

#include "rnn/Runtime/Status.h"

#include <string>
#include <vector>

namespace mlir::rnn::tools {

using runtime::Status;

/// A folder that is removed, with its files, at the end of its scope.
class TemporaryFolder {
public:
  TemporaryFolder() = default;
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  ~TemporaryFolder();

  Status create();
  std::string file(const std::string &name) const { return path + "/" + name; }
  /// Leaves the folder where it is: it holds the reproducer that a message names.
  void keep() { kept = true; }

private:
  std::string path;
  bool kept = false;
};

/// Runs rnn-compile. Its stdout goes into `output`, or is ours if null. If it
/// fails, the status has its exit code and no message: it has said it itself.
Status runCompiler(const std::vector<std::string> &arguments, std::string *output);

/// True for .mlir and .mlirbc; the rest but .rnnc is an error.
Status needsCompiler(const std::string &model, bool &compile);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_COMPILER_H
