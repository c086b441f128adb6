//===- ModelText.h - A model fitted to data ---------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_MODELTEXT_H
#define RNN_TRAIN_MODELTEXT_H

#include "rnn/Train/Data.h"
#include "rnn/Train/Options.h"

#include <string>
#include <utility>
#include <vector>

namespace mlir::rnn::train {

/// A float as MLIR reads it: with a point before any exponent.
std::string floatText(double value);

/// The fields of the optimizer's attribute that the command line decides, in
/// the attribute's order.
std::vector<std::pair<std::string, double>> optimizerFields(const Options &options);

/// Writes the text of a model fitted to the data: layers of `--cell`, then
/// softmax cross-entropy for whole-number targets, else the mean squared error.
Status writeModelText(const Options &options, const Data &data, std::string &text);

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_MODELTEXT_H
