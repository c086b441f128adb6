//===- Trainer.h - The training loop ----------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_TRAINER_H
#define RNN_TRAIN_TRAINER_H

#include "rnn/Train/Batches.h"
#include "rnn/Train/Feed.h"
#include "rnn/Train/Events.h"
#include "rnn/Train/LabelErrors.h"
#include "rnn/Train/Log.h"
#include "rnn/Train/Progress.h"
#include "rnn/Train/Setup.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace mlir::rnn::train {

/// Runs the steps of a prepared run: trains, validates, logs, saves.
class Trainer {
public:
  explicit Trainer(Setup &setup);

  Status run();

private:
  /// What one call of a step or its evaluation returned.
  struct Results {
    std::map<std::string, HostTensor> tensors;
    void create(const tools::Function &function);
    void bind(std::vector<tools::Binding> &bindings);
    double number(const std::string &name) const;
  };

  Status start();
  Status createData();
  Status createFolder();
  Status trainStep(LogRow &row);
  Status noteNonFinite(const LogRow &row, const std::vector<tools::Binding> &bindings, int64_t frames);
  Status validate(LogRow &row, Decision &decision);
  Status conclude(LogRow &row, bool isLogged, RunState &saved, bool &stop);
  Status evaluate(double &loss, std::optional<double> &metric);
  Status copyParameters();
  Status printSample();
  Status save(const char *name, const RunState &state);
  Status note(const LogRow &row); ///< in the log and the event file
  Status savePicture();
  Status finish(const RunState &saved);
  Status interrupt();
  std::optional<double> metricOf(double loss) const;
  bool validatesAt(int64_t step) const;
  int64_t epochOf(int64_t step) const;
  void showProgress(const LogRow &row);

  Setup &setup;
  const Options &options;
  std::unique_ptr<tools::Session> session;
  /// Validation and samples have a session of their own, so that they do not
  /// disturb the streams.
  std::unique_ptr<tools::Session> observer;
  Feed feed, evalFeed;
  Batches batches, evalBatches;
  Results results, evalResults;
  LabelErrors labelErrors, evalLabelErrors; ///< with --label-errors only
  RunState state;
  Log log;
  Events events; ///< written with --tensorboard only
  Progress progress;
  std::string metric;
  int64_t totalSteps = 0;
  double lr = 0;
  int64_t firstNonFinite = 0;
  std::string firstNonFiniteValue;
  bool warnedIndex = false;
};

/// All of rnn-train; returns the exit code.
int trainTool(int argc, const char *const *argv);

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_TRAINER_H
