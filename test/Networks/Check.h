//===- Check.h - Networks judged by the interpreter -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `test-rnn-networks` does with one network. Nothing is written but the artifact, and that to a temporary file.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TEST_NETWORKS_CHECK_H
#define RNN_TEST_NETWORKS_CHECK_H

#include "rnn/Target/Compile.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mlir::rnn::test {

/// What a network is checked with. All that is not said follows from the seed, so that one number tells everything.
struct CheckOptions {
  uint64_t seed = 0;
  /// `passes`, `cpu`, `emulator`.
  std::vector<std::string> stages;
};

/// What was found.
struct CheckResult {
  /// The first difference or error, and the stage in which it came up; both empty if all is right.
  std::string stage, message;
  /// How many functions were interpreted after each pass.
  std::map<std::string, int64_t> passes;
  /// How many networks have each op, at level 1 and 2: 1 for those of this network.
  std::map<std::string, int64_t> ops;
  /// Calls that were compared, by target.
  std::map<std::string, int64_t> calls;
  /// Elements that were compared, by target, and those that a comparison close to a border leaves open.
  std::map<std::string, int64_t> elements;
  int64_t undecided = 0;
  /// Seconds, by stage.
  std::map<std::string, double> seconds;
};

/// Runs the pipelines up to the schedule, split and sequential, and interprets every function after every pass.
void checkPasses(const std::string &text, const CheckOptions &options, CheckResult &result);

/// Compiles for the targets among the stages and runs every function over three chunks or, with a window, more, with
/// the state of each from the one before; one stream begins anew before the third. Every output of every call must be
/// within the error budget of `rnn-run --compare`, the same bits whatever the number of threads or their order.
void checkTargets(const std::string &text, const CheckOptions &options, CheckResult &result);

} // namespace mlir::rnn::test

#endif // RNN_TEST_NETWORKS_CHECK_H
