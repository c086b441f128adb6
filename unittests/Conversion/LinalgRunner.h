//===- LinalgRunner.h - Functions on tensors as code in a test ----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_CONVERSION_LINALGRUNNER_H
#define RNN_UNITTESTS_CONVERSION_LINALGRUNNER_H

#include "rnn/Analysis/Abi.h"
#include "rnn/Interpreter/Interpreter.h"

#include <memory>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace mlir::rnn::test {

/// The functions that `rnn-to-linalg` left, compiled once by stock passes (one-shot bufferization, linalg to loops).
/// The module is used up.
class LinalgRunner {
public:
  explicit LinalgRunner(ModuleOp lowered);
  ~LinalgRunner();
  /// False where compiling failed, with an error on the module's context.
  bool isValid() const { return jit != nullptr; }

  /// Calls the function `name`. `abi` is that of the function before it was lowered, `inputs` are by name; states that
  /// are absent have their fill. Memory that nothing has written is NaN. Returns an error, or an empty text.
  std::string run(StringRef name, ArrayRef<AbiTensor> abi, const TensorMap &inputs, int64_t frames, int64_t streams,
                  TensorMap &outputs);

private:
  struct Signature {
    SmallVector<std::string> inputs, outputs;
  };
  std::map<std::string, Signature, std::less<>> signatures;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_CONVERSION_LINALGRUNNER_H
