//===- Log.h - log.csv and loss.svg -----------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_LOG_H
#define RNN_TRAIN_LOG_H

#include "rnn/Runtime/Status.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlir::rnn::train {

using runtime::Status;

/// One row of log.csv.
struct LogRow {
  int64_t step = 0, epoch = 0, frames = 0;
  double lr = 0, loss = 0;
  std::optional<double> valLoss, metric, valMetric;
  double gradNorm = 0, framesPerSecond = 0;
  int64_t skipped = 0;
};

/// The shortest text that reads back as the same number.
std::string exactNumber(double value);

/// log.csv: a header, then a row per step. It may lose its last rows in a crash,
/// which --resume cuts off anyway; `sync` makes it safe before a checkpoint.
class Log {
public:
  /// Starts a new file. `metric` is the name of the metric's column, or empty.
  Status create(const std::string &path, const std::string &metric);

  /// Continues a file: rows after `step` are cut off. Without `keepValidation`
  /// the validation in that step's row goes too: only the run's end caused it.
  Status resume(const std::string &path, const std::string &metric, int64_t step, bool keepValidation);

  Status append(const LogRow &row);

  /// Puts the validation of `row` into the last row of the file.
  Status amend(const LogRow &row);
  Status sync();

  /// True if the last row of the file has a validation.
  bool lastIsValidated() const { return validated; }

  /// A picture of the losses, with a second line for validation.
  std::string svg(const std::string &title) const;

private:
  struct Point {
    double step, loss;
  };
  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  void remember(const LogRow &row);
  void rememberValidation(const LogRow &row);
  std::string format(const LogRow &row) const;
  std::string header() const;
  Status failure() const;
  Status reopen();

  std::string path, metric;
  std::unique_ptr<std::FILE, Close> file;
  std::vector<Point> losses, valLosses;
  bool validated = false; ///< the last row
};

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_LOG_H
