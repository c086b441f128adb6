//===- Sample.h - Draw bytes from a model -----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_SAMPLE_H
#define RNN_TOOLS_SAMPLE_H

#include "rnn/Tools/Program.h"

#include <cstdint>
#include <string>

namespace mlir::rnn::tools {

struct SampleOptions {
  int64_t bytes = 0;
  double temperature = 1; ///< 0: the most likely byte
  std::string prime;      ///< read before the first byte is drawn
  uint64_t seed = 0;
};

/// The network that a step trains, or the only network; it must be a byte model:
/// one integer argument, one result of 256 logits, both at frame rate.
Status findByteModel(const Program &program, const std::string &name, const Function *&function);

/// Draws bytes from a byte model, from a fresh state, one frame at a time; the
/// session's parameters are used, its state is lost. All streams get the same
/// bytes, stream 0 counts. Without a prime the model first reads a newline.
/// Equal parameters and options give equal bytes.
Status sampleBytes(Session &session, const Function &function, const SampleOptions &options, std::string &text);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_SAMPLE_H
