//===- Schedule.h - Learning rate and early stop ----------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_SCHEDULE_H
#define RNN_TRAIN_SCHEDULE_H

#include "rnn/Train/Options.h"

namespace mlir::rnn::train {

/// What the validations so far mean for the run; part of a checkpoint.
struct Gains {
  bool any = false; ///< some validation was finite
  double best = 0;  ///< lowest validation loss
  int64_t bestStep = 0;
  int64_t sinceGain = 0; ///< validations without a gain, for --early-stop
  int64_t waiting = 0;   ///< the same since the last cut, for plateau
  double factor = 1;     ///< of the learning rate, by plateau
};

/// What to do after a validation.
struct Decision {
  bool isBest = false; ///< save as best
  bool goBack = false; ///< plateau: continue from best with a smaller rate
  bool stop = false;
};

/// Learning rate of the step with this number, from 1; `base` is --lr or the
/// model's, `total` the number of steps of the run.
double learningRate(const Options &options, double base, const Gains &gains, int64_t step, int64_t total);

/// Takes a validation loss into account.
Decision judge(const Options &options, double base, double loss, int64_t step, Gains &gains);

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_SCHEDULE_H
