//===- Progress.h - Progress of a run ---------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_PROGRESS_H
#define RNN_TRAIN_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace mlir::rnn::train {

/// What a line of progress shows.
struct ProgressState {
  int64_t step = 0, totalSteps = 0;
  int64_t epoch = 1, epochs = 1;
  int64_t stepInEpoch = 0, stepsInEpoch = 0;
  int64_t frames = 0; ///< counted so far
  double loss = 0, lr = 0, gradNorm = 0;
  std::string metricName;
  std::optional<double> metric;
};

/// Progress on stderr: one rewritten bar on a terminal, a line now and then in a
/// pipe, nothing if quiet.
class Progress {
public:
  Progress(bool quiet, int64_t logEvery);

  /// After a step; `frames` of the state gives the speed.
  void step(const ProgressState &state);
  /// After a validation.
  void validation(int64_t step, double loss, const std::string &metricName, std::optional<double> metric, bool best);
  /// Ends the bar, so that something else can be printed.
  void clear();
  /// A whole line, kept.
  void line(const std::string &text);
  /// Counted frames per second since the last line or second.
  double speed() const { return framesPerSecond; }

private:
  using Clock = std::chrono::steady_clock;
  void bar(const ProgressState &state);
  void measure(const ProgressState &state);

  bool quiet, terminal;
  int64_t logEvery;
  bool drawn = false;
  Clock::time_point start, lastDrawn, lastMeasured;
  int64_t firstStep = -1, measuredFrames = -1;
  double framesPerSecond = 0;
};

/// tqdm's bar: 10 cells in eighths.
std::string progressBar(double fraction);

/// Seconds as tqdm writes them: 00:12, 1:02:03.
std::string clockText(double seconds);

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_PROGRESS_H
