//===- Setup.h - Preparation of a run ---------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything a run needs before its first step: data, model, folder, and the
// checkpoint that it continues.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_SETUP_H
#define RNN_TRAIN_SETUP_H

#include "rnn/Tools/Compiler.h"
#include "rnn/Train/Checkpoint.h"
#include "rnn/Train/Data.h"
#include "rnn/Train/Options.h"

#include <string>
#include <vector>

namespace mlir::rnn::train {

struct Setup {
  Options options;
  Data data, validation; ///< `validation` without sequences: none
  tools::Program program;
  const tools::Function *step = nullptr;
  const tools::Function *eval = nullptr; ///< null without validation
  int64_t advance = 0;                   ///< frames per step, unless it takes whole sequences
  double lr = 0;                         ///< before the schedule
  RunIdentity identity;
  /// The text for model.mlir; empty if the model is not text.
  std::string modelText;
  /// The options that the model was compiled with; empty for an artifact.
  std::vector<std::string> compileFlags;
  /// --resume: the checkpoint and where its run stands.
  runtime::TensorFile checkpoint;
  RunState state;

  std::string file(const char *name) const { return options.out + "/" + name; }
};

/// Reads and checks everything; touches no file of the run. With --dry-run it
/// prints the compiler's report, and `setup.step` stays null.
Status prepare(tools::CommandLine line, Setup &setup);

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_SETUP_H
