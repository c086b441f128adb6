//===- ParseNetwork.h - Networks from text, for tests ---------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_UNITTESTS_ANALYSIS_PARSENETWORK_H
#define RNN_UNITTESTS_ANALYSIS_PARSENETWORK_H

#include "mlir/Parser/Parser.h"
#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn {

/// A module read from text, and its first function.
struct ParsedModule {
  explicit ParsedModule(StringRef text) {
    context.loadDialect<RNNDialect, arith::ArithDialect, math::MathDialect, tensor::TensorDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
    if (module)
      for (Operation &op : *module->getBody())
        if (auto found = dyn_cast<RNNFunctionInterface>(op); found && !function)
          function = found;
  }
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  RNNFunctionInterface function;
};

} // namespace mlir::rnn

#endif // RNN_UNITTESTS_ANALYSIS_PARSENETWORK_H
