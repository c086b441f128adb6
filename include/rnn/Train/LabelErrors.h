//===- LabelErrors.h - What CTC's best classes spell ------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The label error rate of networks that are trained with `rnn.ctc`: the best
// class of each frame, equal ones in a row taken for one and blanks left out,
// against the labels of the sequence.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_LABELERRORS_H
#define RNN_TRAIN_LABELERRORS_H

#include "rnn/Train/Feed.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mlir::rnn::train {

/// What the best classes of a stream's frames have spelt since its sequence
/// began. Class 0 is the blank.
struct Spelling {
  int64_t last = 0; ///< class of the frame before
  std::vector<int64_t> labels;

  void add(int64_t best);
};

/// The least number of labels to insert, delete and replace that makes one
/// sequence the other.
int64_t editDistance(const std::vector<int64_t> &from, const std::vector<int64_t> &to);

/// Counts errors of one function's calls.
class LabelErrors {
public:
  /// `names` are those of the logits, a result [T,B,C], and, where they are not
  /// `labels` and `length`, of the arguments that `rnn.ctc` compares them with.
  /// An error names what the function lacks.
  Status create(const std::vector<std::string> &names, const tools::Function &function, const tools::Program &program,
                const Data &data, const Feed &feed);

  /// Adds the logits to the results of a call.
  void bind(int64_t frames, std::vector<tools::Binding> &bindings);

  /// Reads the logits of a chunk, and counts the sequences that end in it and
  /// whose last frame counts for the loss. `streams` goes on from chunk to chunk.
  void count(const Chunk &chunk, const Feed &feed, std::vector<Spelling> &streams);

  /// Errors per label since the last `clear`; nothing where no label was counted.
  std::optional<double> rate() const;
  void clear() { errors = counted = 0; }

private:
  const tools::TensorDesc *logits = nullptr, *labels = nullptr, *length = nullptr;
  HostTensor values;
  int64_t errors = 0, counted = 0;
};

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_LABELERRORS_H
