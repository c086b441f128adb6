//===- Checkpoint.h - Checkpoints of a run ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A checkpoint holds the session's tensors, the data's scales, and in its
// metadata everything that a run needs to go on as if it had not stopped.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_CHECKPOINT_H
#define RNN_TRAIN_CHECKPOINT_H

#include "rnn/Runtime/TensorFile.h"
#include "rnn/Tools/Program.h"
#include "rnn/Train/LabelErrors.h"
#include "rnn/Train/Schedule.h"

#include <map>
#include <string>

namespace mlir::rnn::train {

/// Where a run stands.
struct RunState {
  int64_t step = 0;    ///< steps done, skipped ones included
  int64_t frames = 0;  ///< counted so far
  int64_t skipped = 0; ///< steps with a non-finite value
  int64_t inARow = 0;  ///< of those, the last ones in a row
  Gains gains;
  /// Of each stream, where label errors are counted.
  std::vector<Spelling> spellings;
};

/// What stays the same for the whole run.
struct RunIdentity {
  std::string networkHash;
  uint64_t seed = 0;
  uint32_t dataChecksum = 0, validationChecksum = 0; ///< of the files
  std::map<std::string, std::string> options;
};

/// Reads all session tensors into `file`.
Status collectTensors(tools::Session &session, runtime::TensorFile &file);

/// Puts the tensors of a checkpoint into the session; with `parametersOnly`
/// (parameters and optimizer) state and rings stay. A missing one is an error.
Status restoreTensors(const std::string &path, const runtime::TensorFile &file, bool parametersOnly,
                      tools::Session &session);

/// `epoch` and `lr` are there for readers of the file.
void writeMetadata(const RunState &state, const RunIdentity &identity, int64_t epoch, double lr,
                   std::map<std::string, std::string> &metadata);

Status readMetadata(const std::string &path, const std::map<std::string, std::string> &metadata, RunState &state,
                    RunIdentity &identity);

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_CHECKPOINT_H
