//===- ThreadChoice.cpp - All threads, or one -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/ThreadChoice.h"

#include <algorithm>

namespace mlir::rnn::runtime {

void ThreadChoice::record(double secondsPerFrame) {
  const Way way = useOne() ? One : All;
  double &time = average[way];
  ++calls;
  // The first call with a way touches memory and wakes threads.
  const bool isFirst = calls == 1 && (trial || !started);
  if (!isFirst)
    time = time == 0 ? secondsPerFrame : time + (secondsPerFrame - time) / 4;
  if (!trial) {
    // A neighbour on our cores shows at once.
    const bool isSlow = started && calls >= kTrialCalls && time > 1.5 * expected;
    if (!isSlow && calls < (started ? pause : kTrialCalls))
      return;
    trial = true;
    calls = 0;
    average[way == One ? All : One] = 0;
    return;
  }
  if (calls < kTrialCalls)
    return;
  // Near ties change nothing.
  const bool isBetter = time < 0.9 * average[current];
  if (isBetter)
    current = way;
  pause = isBetter ? kFirstPause : std::min(2 * pause, kLongestPause);
  expected = average[current];
  started = true;
  trial = false;
  calls = 0;
}

} // namespace mlir::rnn::runtime
