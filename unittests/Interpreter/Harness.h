//===- Harness.h - Networks in text, run on numbers -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_UNITTESTS_INTERPRETER_HARNESS_H
#define RNN_UNITTESTS_INTERPRETER_HARNESS_H

#include "rnn/Interpreter/Interpreter.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

namespace mlir::rnn::test {

using Numbers = std::vector<double>;
using Integers = std::vector<int64_t>;

inline Tensor floats(std::vector<int64_t> shape, Numbers values) {
  Tensor tensor;
  tensor.shape = std::move(shape);
  tensor.data = std::move(values);
  return tensor;
}

inline Tensor integers(std::vector<int64_t> shape, Integers values) {
  Tensor tensor;
  tensor.shape = std::move(shape);
  tensor.data = std::move(values);
  return tensor;
}

/// A module parsed from text.
class Program {
public:
  explicit Program(StringRef text) : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<RNNDialect>();
    ScopedDiagnosticHandler handler(&context, [this](Diagnostic &d) { error = d.str(); });
    module = parseSourceString<ModuleOp>(text, ParserConfig(&context));
    EXPECT_TRUE(module) << error;
  }

  RNNFunctionInterface find(StringRef name) {
    return cast<RNNFunctionInterface>(SymbolTable::lookupSymbolIn(*module, name));
  }

  /// The outputs, or an empty map and `error`.
  TensorMap run(StringRef name, const TensorMap &inputs, int64_t frames, int64_t streams = 1,
                const InterpreterOptions &options = {}) {
    error.clear();
    ScopedDiagnosticHandler handler(&context, [this](Diagnostic &d) { error = d.str(); });
    TensorMap outputs;
    if (failed(interpret(find(name), inputs, frames, streams, outputs, options)))
      outputs.clear();
    EXPECT_EQ(outputs.empty(), !error.empty());
    return outputs;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string error;
};

/// Runs `@f` of a text that must be right, and returns its outputs.
inline TensorMap run(StringRef text, const TensorMap &inputs, int64_t frames, int64_t streams = 1) {
  Program program(text);
  TensorMap outputs = program.run("f", inputs, frames, streams);
  EXPECT_EQ(program.error, "");
  return outputs;
}

/// `rnn.network @f` with one result `y`, from its arguments and its body (which defines %y of the given type).
inline std::string network(const std::string &arguments, const std::string &type, const std::string &body) {
  return "rnn.network @f(" + arguments + ") -> (y: " + type + ") {\n" + body + "\nrnn.output %y : " + type + "\n}";
}

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_INTERPRETER_HARNESS_H
