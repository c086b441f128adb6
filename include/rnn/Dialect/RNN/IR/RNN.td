//===- RNN.td - Umbrella of the rnn dialect -*- tablegen -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNN_TD
#define RNN_DIALECT_RNN_IR_RNN_TD

include "rnn/Dialect/RNN/IR/RNNDialect.td"
include "rnn/Dialect/RNN/IR/RNNAttributes.td"
include "rnn/Dialect/RNN/IR/RNNInterfaces.td"
include "rnn/Dialect/RNN/IR/RNNModuleOps.td"
include "rnn/Dialect/RNN/IR/RNNGraphOps.td"
include "rnn/Dialect/RNN/IR/RNNCompositeOps.td"
include "rnn/Dialect/RNN/IR/RNNScheduleOps.td"

#endif // RNN_DIALECT_RNN_IR_RNN_TD
