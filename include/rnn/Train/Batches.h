//===- Batches.h - Streams and chunks of data -------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which row of the data each stream reads at each frame (INTERFACE: streams).
//
// One long series is cut into as many contiguous pieces as there are streams.
// Separate sequences are dealt b, b + B, …; one starts at the start of a chunk,
// or at once where chunks may hold several. Whole sequences have chunks of their
// own, as long as the longest of them. What is left is padding.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_BATCHES_H
#define RNN_TRAIN_BATCHES_H

#include "rnn/Train/Data.h"

#include <cstdint>
#include <vector>

namespace mlir::rnn::train {

struct BatchOptions {
  int64_t streams = 1;
  int64_t advance = 1;         ///< frames per chunk
  bool startAnywhere = false;  ///< sequences may start within a chunk
  bool keepTail = false;       ///< a series' last chunk may be shorter
  bool wholeSequences = false; ///< a chunk is one sequence per stream, whatever its frames
};

/// Rows of one chunk, [frames, streams]; -1 is padding.
struct Chunk {
  int64_t frames = 0;
  std::vector<int64_t> rows;
  /// The first and the last frame of each sequence, [frames, streams].
  std::vector<uint8_t> starts, ends;
  /// Numbers in the file of the sequences that the streams begin with; -1: none.
  std::vector<int64_t> sequences;
};

class Batches {
public:
  /// Error 26 if the series is too short for one chunk.
  Status create(const Data &data, const BatchOptions &options);

  /// Chunks of one epoch.
  int64_t chunks() const { return count; }

  void locate(int64_t index, Chunk &chunk) const;

private:
  void deal(const Data &data);

  /// A sequence in a stream, from frame `at`.
  struct Segment {
    int64_t at = 0;
    Sequence sequence;
  };

  BatchOptions options;
  std::vector<std::vector<Segment>> streams;
  int64_t count = 0;
  int64_t frames = 0;          ///< of the longest stream
  std::vector<int64_t> begins; ///< of whole sequences: where each chunk begins
};

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_BATCHES_H
