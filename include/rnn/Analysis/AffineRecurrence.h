//===- AffineRecurrence.h - Loops that can run as scans -------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop whose every op is affine and elementwise in the values of the loop computes, per unit, a linear recurrence
// with coefficients that are known before it starts: h[t] = a[t]·h[t-1] + b[t]. Such maps compose, so a parallel prefix
// scan over time computes it (G. E. Blelloch, "Prefix sums and their applications", 1990). The question is asked op by
// op, so it does not matter where on the cycle the delay sits: an adjoint has coefficient and delay swapped.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_ANALYSIS_AFFINERECURRENCE_H
#define RNN_ANALYSIS_AFFINERECURRENCE_H

#include "rnn/Analysis/Recurrence.h"

namespace mlir::rnn {

/// Whether a loop can run as a scan.
struct AffineRecurrence {
  /// The first op, in the order of a frame, that is not affine or not elementwise in the values of the loop; null if
  /// the loop is a scan.
  Operation *obstacle = nullptr;
  /// What the obstacle does, as the end of a sentence about it: `is not affine`.
  StringRef reason;
  /// The number of earlier values that a unit depends on: over all delayed sources, the sum of their largest delays.
  int64_t order = 0;

  bool isScan() const { return !obstacle; }
};

/// Looks at a recurrent component of `analysis`. Linear in its number of operands.
AffineRecurrence findAffineRecurrence(const RecurrenceAnalysis &analysis, const Component &component);

} // namespace mlir::rnn

#endif // RNN_ANALYSIS_AFFINERECURRENCE_H
