//===- Verify.h - What the functions of level 1 must obey -------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rules of docs/Spec.md for `rnn.network` and `rnn.step`, in the order in which they are checked. What comes later
// relies on what came before. All of it is iterative, and linear in the text but for the search of a cycle to show.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_DIALECT_RNN_IR_VERIFY_H
#define RNN_LIB_DIALECT_RNN_IR_VERIFY_H

#include "rnn/Dialect/RNN/IR/RNN.h"

// Types in messages are written with debugString: a diagnostic would put quotes around them.
#include "mlir/Support/DebugStringHelper.h"

namespace mlir::rnn::detail {

//===----------------------------------------------------------------------===//
// Before the ops of the body are verified
//===----------------------------------------------------------------------===//

/// Types of arguments and results (R4).
LogicalResult verifySignatureTypes(RNNFunctionInterface function);

/// The attributes `rnn.…` of arguments and results (R1, T4).
LogicalResult verifyMarks(RNNFunctionInterface function);

/// The names of a network's arguments, results and parameters (F2).
LogicalResult verifyNames(RNNFunctionInterface function);

/// The name of a parameter that is no slot (F2).
LogicalResult verifyParameterName(ParameterOp parameter);

/// The closed list of ops (L1).
LogicalResult verifyOpList(RNNFunctionInterface function);

/// The numbers of a `bptt` clause.
LogicalResult verifyBPTT(Operation *op, BPTTAttr bptt);

//===----------------------------------------------------------------------===//
// After the ops of the body have been verified
//===----------------------------------------------------------------------===//

/// Types of all values, and what L2 to L5 and N2 ask of ops of other dialects.
LogicalResult verifyOps(RNNFunctionInterface function);

/// No cycle is without a delay, mixes directions or holds a sum over frames (C1).
LogicalResult verifyCycles(RNNFunctionInterface function);

/// Rates and domains (R3, A0, A3, S4).
LogicalResult verifyRates(RNNFunctionInterface function);

/// What may be said only once: assigns, the guard, ids, states (S4, N1, S5).
LogicalResult verifyUnique(RNNFunctionInterface function);

} // namespace mlir::rnn::detail

#endif // RNN_LIB_DIALECT_RNN_IR_VERIFY_H
