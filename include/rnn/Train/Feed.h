//===- Feed.h - Arguments of a step from data -------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Carries rows of the data into the arguments of a step.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_FEED_H
#define RNN_TRAIN_FEED_H

#include "rnn/Tools/Program.h"
#include "rnn/Train/Batches.h"

#include <map>
#include <string>
#include <vector>

namespace mlir::rnn::train {

/// The arguments of one function, filled chunk by chunk.
class Feed {
public:
  /// Matches columns and arguments: errors 15 and 16. Columns are converted to
  /// the arguments' types once.
  Status create(const tools::Function &function, Data &data);

  /// True if the function has a reset argument.
  bool hasReset() const { return reset != nullptr; }

  /// True if some argument has one value per stream and call, so that a chunk
  /// may not hold two sequences of a stream.
  bool hasStreamArguments() const;

  /// The bindings of a chunk; valid until the next call.
  std::vector<tools::Binding> fill(const Chunk &chunk);

  /// True if the data has resets of its own, within sequences.
  bool divides() const { return resetColumn != nullptr; }

  /// What an argument got by the last `fill`.
  const HostTensor &argument(const std::string &name) const;

  /// True if this place of the last chunk counts for the loss.
  bool counts(size_t place) const { return maskBuffer.as<uint8_t>()[place] != 0; }

  /// Frames of the last chunk that count for the loss, over all streams.
  int64_t counted() const { return countedFrames; }

private:
  struct Pair {
    const Column *column;
    const tools::TensorDesc *argument;
    HostTensor buffer;

    /// Gives `buffer` the values of a chunk.
    void fill(const Chunk &chunk);

  private:
    /// Copies the values of a row of the column to a place of the buffer, each of
    /// `elements` elements.
    void copy(int64_t row, size_t place, size_t elements);
  };
  const tools::TensorDesc *reset = nullptr, *mask = nullptr;
  const Column *maskColumn = nullptr, *resetColumn = nullptr;
  std::vector<Pair> pairs;
  HostTensor maskBuffer, resetBuffer;
  int64_t countedFrames = 0;
};

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_FEED_H
