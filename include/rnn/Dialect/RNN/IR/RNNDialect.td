//===- RNNDialect.td - The rnn dialect -*- tablegen -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNNDIALECT_TD
#define RNN_DIALECT_RNN_IR_RNNDIALECT_TD

include "mlir/IR/OpBase.td"

def RNN_Dialect : Dialect {
  let name = "rnn";
  let cppNamespace = "::mlir::rnn";
  let summary = "Generalized recurrent networks and their schedules";
  let description = [{
    The dialect has two levels and no op that belongs to a particular cell.

    **Level 1, the graph.**
    A `rnn.network` is a graph region: signals are SSA values that hold one tensor per frame and stream, cycles are plain use-def cycles, and every cycle holds a `rnn.delay`.
    Time and streams appear in no type.
    Elementwise arithmetic is upstream `arith` and `math` on tensors, reshaping is upstream `tensor`.
    A `rnn.step` is the same kind of region and holds a whole training step: the network, its loss reductions, gradients, clipping and the optimizer.

    **Level 2, the schedule.**
    A `rnn.schedule` is an ordered list of `rnn.parallel`, `rnn.recurrent` and `rnn.reduction` regions over sequences `tensor<?xBx…>`.
    The bodies of these regions are level-1 ops on level-1 types, so one op table and one interpreter serve both levels.

    The module attribute `rnn.level` (`graph`, `gradient`, `schedule`, `lowered`) records which border the module has passed.
    The rules that the verifiers enforce are numbered in `docs/Spec.md`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// Argument attribute: the rate of an argument or result ("static", "stream" or "frame").
    static constexpr ::llvm::StringLiteral kRateAttrName = "rnn.rate";
    /// Argument attribute: marks the argument that starts a stream afresh.
    static constexpr ::llvm::StringLiteral kResetAttrName = "rnn.reset";
    /// Argument attribute: the value that an unbound argument takes (a number).
    static constexpr ::llvm::StringLiteral kDefaultAttrName = "rnn.default";
    /// Module attribute: the level that the module has reached (a string).
    static constexpr ::llvm::StringLiteral kLevelAttrName = "rnn.level";

    void registerAttributes();
  }];
}

#endif // RNN_DIALECT_RNN_IR_RNNDIALECT_TD
