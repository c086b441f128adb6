//===- TestInterpret.h - The interpreter in rnn-opt -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TOOLS_RNNOPT_TESTINTERPRET_H
#define RNN_TOOLS_RNNOPT_TESTINTERPRET_H

#include "mlir/Pass/PassInstrumentation.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace mlir::rnn {

/// Registers `test-rnn-interpret`, which runs functions on the inputs of `rnn/Interpreter/Probe.h` and prints what
/// comes out, and `test-rnn-gradients`, which compares gradients with central differences.
void registerTestInterpretPasses();

/// Runs all functions of the module before the first pass and after every pass that leaves them interpretable, and
/// emits an error where a result has changed: pass, function, chunk, tensor and element. Sets `failed` then. `checked`,
/// if there is one, counts the functions that were compared after each pass.
std::unique_ptr<PassInstrumentation>
createInterpretEachInstrumentation(bool &failed, std::map<std::string, int64_t> *checked = nullptr);

} // namespace mlir::rnn

#endif // RNN_TOOLS_RNNOPT_TESTINTERPRET_H
