//===- Options.h - Command line of rnn-train --------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_OPTIONS_H
#define RNN_TRAIN_OPTIONS_H

#include "rnn/Tools/CommandLine.h"
#include "rnn/Tools/Model.h"
#include "rnn/Tools/Sample.h"

#include <map>
#include <string>
#include <vector>

namespace mlir::rnn::train {

using runtime::Status;

/// The options of rnn-train, for the command line and its help.
const std::vector<tools::Option> &optionTable();

/// The command line of rnn-train, read and checked.
struct Options {
  std::string model; ///< empty: one is written, from `cell`, `hiddenSize`, `layers`
  std::string function;
  std::string cell = "lstm";
  int64_t hiddenSize = 128, layers = 2;

  std::string data, valData;
  double valSplit = 0.1;
  std::vector<std::string> inputColumns, targetColumns;
  std::string sequenceColumn;
  int64_t horizon = 1;
  int64_t streams = 16;
  bool streamsGiven = false;
  int64_t window = 0, advance = 0; ///< 0: not given

  /// Names of logits and, where given, of labels and their number; empty: label
  /// errors are not counted.
  std::vector<std::string> labelErrors;

  std::string matmulPrecision = "f32";
  std::string optimizer = "adam";
  bool optimizerGiven = false, lrGiven = false, clipGiven = false;
  double lr = 0.002, momentum = 0.9, weightDecay = 0;
  double clipNorm = 1, clipValue = 0; ///< one of them is 0
  std::string schedule = "constant";
  int64_t warmupSteps = 0;
  double lrMin = 1e-5, lrFactor = 0.5, minDelta = 1e-4;
  int64_t patience = 3, earlyStop = 0;

  int64_t epochs = 1, maxSteps = 0, valEvery = 0; ///< 0: not given
  std::string out = "rnn-out";
  int64_t saveEvery = 1000, logEvery = 100;
  bool resume = false, overwrite = false, quiet = false, dryRun = false, tensorboard = false;
  uint64_t seed = 0;
  tools::DeviceOptions device;
  tools::SampleOptions sample; ///< bytes = 0: no samples

  /// What was given of the options that shape the numbers; --resume may not
  /// change them.
  std::map<std::string, std::string> shaping;

  /// On --resume, options that are not given are those of the run: `stored`.
  /// One that is given and differs is error 25.
  static Status mergeWithRun(const std::map<std::string, std::string> &stored, tools::CommandLine &line);

  Status read(const tools::CommandLine &line);
};

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_OPTIONS_H
