//===- Execute.h - Run a function -------------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a function over all given frames and collects what it leaves.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_EXECUTE_H
#define RNN_TOOLS_EXECUTE_H

#include "rnn/Tools/Inputs.h"
#include "rnn/Tools/Program.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mlir::rnn::tools {

/// Named tensors in the order of the function's table.
using NamedTensors = std::vector<std::pair<std::string, HostTensor>>;

/// The prefix of the results of `--keep=signals`.
inline constexpr const char *kSignalsPrefix = "signals.";

/// The first value among the results `signals.*` of frames `begin` to `end` that
/// is not finite, as a note with its signal, frame and stream; empty without one.
std::vector<std::string> noteNonFiniteSignal(const Function &function, const std::map<std::string, HostTensor> &results,
                                             int64_t begin, int64_t end);

/// Loads the stored values and runs `function` over all frames; a step with BPTT
/// takes `advance` frames a call. Results of frame rate are joined; over k > 1
/// calls `loss` and `grad_norm` become [k], `sum.*` and `count.*` totals, `flags`
/// the union. Appends the results and then, of the session, state for a network,
/// everything for a step. A step that met a non-finite value is error 24, with
/// the first non-finite signal where the function returns them.
Status execute(Session &session, const Function &function, const Prepared &prepared, NamedTensors &outputs);

/// An error for a glob that nothing matches of what a run of `function` gives out.
Status checkOutputGlobs(const std::vector<std::string> &globs, const Function &function);

/// Keeps the tensors that match one of the globs; all if there is none.
void selectOutputs(const std::vector<std::string> &globs, NamedTensors &outputs);

/// A table `name dtype shape min max mean`.
std::string summaryTable(const NamedTensors &outputs);

/// `loss is nan`: what is not finite of a step that says so in its flags, its loss or else its gradient.
std::string describeNonFinite(double loss, double gradNorm);

/// An element as a number.
double elementAsDouble(const HostTensor &tensor, size_t index);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_EXECUTE_H
