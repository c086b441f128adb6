//===- Events.h - Event files for TensorBoard -------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_EVENTS_H
#define RNN_TRAIN_EVENTS_H

#include "rnn/Train/Log.h"

#include <string_view>

namespace mlir::rnn::train {

/// CRC-32C (Castagnoli) of some bytes, as TFRecord files have it.
uint32_t crc32c(std::string_view bytes);

/// The scalars of log.csv as a file `events.out.tfevents.<seconds>.rnn-train`:
/// TFRecords, each a `tensorflow.Event`, with the columns' names as tags. What
/// is not finite is shown as such. Readers that follow the file see a row as
/// soon as it is written.
class Events {
public:
  /// Removes the event files of a folder.
  static void remove(const std::string &folder);

  /// Begins a file in `folder`. Where a run goes on after `resumedStep` > 0,
  /// readers are told to forget what older files say of later steps. `metric`
  /// is the name of the metric's column, or empty.
  Status create(const std::string &folder, const std::string &metric, int64_t resumedStep);

  /// Writes a row; nothing where no file was begun.
  Status append(const LogRow &row);

  /// Writes the validation of a row that is there already.
  Status amend(const LogRow &row);

private:
  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  /// One event: `body` follows its time and step.
  Status write(int64_t step, const std::string &body);

  std::string path, metric;
  std::unique_ptr<std::FILE, Close> file;
};

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_EVENTS_H
