//===- Rates.h - How often each value of a function changes ---*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rates (rules R1, R2) and domains (rule A3) are inferred from the graph, never part of a type.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RATES_H
#define RNN_DIALECT_RNN_IR_RATES_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::rnn {

/// The rate of the sums over frames that an op computes: `sum_to` of a product or a table, static for `rnn.sum_frames`
/// without it. None for ops that do not sum over frames.
std::optional<Rate> getSumRate(Operation *op);

/// True for sums over frames. Their operands, not their results, tell the domain in which they work.
inline bool sumsFrames(Operation *op) { return getSumRate(op).has_value(); }

/// Rate and domain of every value in the body of a network or step (level 1), or of a region of a schedule (level 2).
/// Linear in the number of operands; a snapshot, to be built again after a change.
class RateAnalysis {
public:
  /// Infers the rates in `block`. `argumentRate(i)` is the rate of block argument i.
  /// `argumentInWindow(i)`, if given, tells the arguments that live in the window.
  RateAnalysis(Block &block, llvm::function_ref<Rate(unsigned)> argumentRate,
               llvm::function_ref<bool(unsigned)> argumentInWindow = nullptr);

  /// For a network or step: argument rates as declared, all in the chunk.
  explicit RateAnalysis(RNNFunctionInterface function);

  /// The rate of a value (R1, R2). Values that the analysis has not seen are static.
  Rate getRate(Value value) const { return rates.lookup(value); }

  /// True if a frame-rate value lives in the window, not the chunk (A3).
  bool isInWindow(Value value) const { return window.contains(value); }

  Domain getDomain(Value value) const;

private:
  llvm::DenseMap<Value, Rate> rates;
  llvm::DenseSet<Value> window;
};

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_IR_RATES_H
