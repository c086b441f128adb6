//===- ThreadChoice.h - All threads, or one ---------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Threads meet at barriers many times a frame. Where the work between two of them is small, or where another process
// wants the cores, one thread alone is faster than several. Results do not depend on the number of threads, so which
// it is can be found out while running: calls are timed, and now and then the other way is tried again.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_THREADCHOICE_H
#define RNN_RUNTIME_THREADCHOICE_H

#include <array>
#include <cstdint>

namespace mlir::rnn::runtime {

/// Chooses, for one function, whether its calls use all threads or one.
class ThreadChoice {
public:
  /// Whether the next call should use one thread.
  bool useOne() const { return trial ? current == All : current == One; }

  /// Tells what the call took, in seconds per frame.
  void record(double secondsPerFrame);

private:
  enum Way { All, One };
  /// Calls with a way before its time is believed.
  static constexpr int kTrialCalls = 5;
  static constexpr int kFirstPause = 32, kLongestPause = 1024;

  Way current = All;
  bool trial = false;   ///< whether the other way is being tried
  bool started = false; ///< whether both ways have a time
  int calls = 0;        ///< since the trial, or the pause between trials, began
  int pause = kFirstPause;
  double expected = 0;                    ///< the present way's average at the last decision
  std::array<double, 2> average = {0, 0}; ///< of the last calls with each way, the last ones weigh most; 0: none yet
};

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_THREADCHOICE_H
