//===- Schedule.cpp - Learning rate and early stop ------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Schedule.h"

#include <algorithm>
#include <cmath>

namespace mlir::rnn::train {

double learningRate(const Options &options, double base, const Gains &gains, int64_t step, int64_t total) {
  if (step <= options.warmupSteps)
    return base * double(step) / double(options.warmupSteps);
  if (options.schedule == "plateau")
    return base * gains.factor;
  if (options.schedule != "cosine")
    return base;
  double whole = double(std::max<int64_t>(total - options.warmupSteps, 1));
  double progress = std::min(1.0, double(step - options.warmupSteps) / whole);
  double low = std::min(options.lrMin, base);
  return low + (base - low) * 0.5 * (1 + std::cos(M_PI * progress));
}

Decision judge(const Options &options, double base, double loss, int64_t step, Gains &gains) {
  Decision decision;
  bool gained = std::isfinite(loss) && (!gains.any || loss < gains.best - options.minDelta);
  decision.isBest = std::isfinite(loss) && (!gains.any || loss < gains.best);
  if (decision.isBest) {
    gains.any = true;
    gains.best = loss;
    gains.bestStep = step;
  }
  gains.sinceGain = gained ? 0 : gains.sinceGain + 1;
  gains.waiting = gained ? 0 : gains.waiting + 1;
  if (options.schedule == "plateau" && gains.waiting >= options.patience) {
    gains.waiting = 0;
    gains.factor *= options.lrFactor;
    decision.goBack = gains.any;
    decision.stop = base * gains.factor < options.lrMin;
  }
  if (options.earlyStop && gains.sinceGain >= options.earlyStop)
    decision.stop = true;
  return decision;
}

} // namespace mlir::rnn::train
