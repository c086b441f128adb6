//===- NonFinite.h - Where a step went wrong ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_NONFINITE_H
#define RNN_TRAIN_NONFINITE_H

#include "rnn/Train/Setup.h"

#include <string>
#include <vector>

namespace mlir::rnn::train {

/// Compiles the model once more, with all signals as results, and runs the step
/// that `bindings`, of `frames` frames, belong to from the state of `session`.
/// `notes` gets the first signal that is not finite; nothing where the model is
/// an artifact, or where only a gradient is not finite.
Status findNonFiniteSignal(const Setup &setup, tools::Session &session, std::vector<tools::Binding> bindings,
                           int64_t frames, std::vector<std::string> &notes);

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_NONFINITE_H
