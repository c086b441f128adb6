//===- Compare.h - Compare results ------------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compares the outputs of a run with expected ones, within an error budget.
//
// The budget of an element comes from the interpreter: it runs once in f64 and
// several times with every f32 result perturbed by its rounding error. Eight
// times the largest deviation over the features of that frame, plus four
// roundings of the value itself (of the smallest normal number, if it is smaller
// than that), is what a correct f32 run may differ by.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_COMPARE_H
#define RNN_TOOLS_COMPARE_H

#include "rnn/Tools/Execute.h"

#include <optional>
#include <string>
#include <vector>

namespace mlir::rnn::tools {

/// Number of perturbed runs; their seeds are 1, 2, ….
inline constexpr int kPerturbedRuns = 4;

/// What the outputs are held against.
struct Reference {
  NamedTensors expected;
  /// The interpreter's outputs and those of its perturbed runs; empty if the
  /// tolerance is given by rtol and atol.
  NamedTensors exact;
  std::vector<NamedTensors> perturbed;
  std::optional<double> rtol, atol;
};

/// Prints a line per tensor of the reference to stdout, unless `quiet`. On a
/// difference code 3, and in `first` its place: the earliest frame, then the
/// order of outputs.
Status compareOutputs(const Function &function, const NamedTensors &outputs, const Reference &reference, bool quiet,
                      std::string &first);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_COMPARE_H
