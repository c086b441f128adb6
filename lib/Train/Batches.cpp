//===- Batches.cpp - Streams and chunks of data ---------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Batches.h"

#include <algorithm>

namespace mlir::rnn::train {

using namespace runtime;

Status Batches::create(const Data &data, const BatchOptions &how) {
  options = how;
  int64_t b = options.streams, advance = options.advance;
  streams.assign(size_t(b), {});
  begins.clear();
  frames = count = 0;
  if (data.sequences.empty())
    return fileError("'" + data.path + "' has no sequences");

  if (data.isSeries) {
    const Sequence &whole = data.sequences[0];
    int64_t piece = whole.frames / b;
    int64_t needed = (options.keepTail ? 1 : advance) + data.shift;
    if (piece < needed)
      return fileError("'" + data.path + "' gives " + std::to_string(piece) + " frames per stream; one chunk needs " +
                           std::to_string(needed),
                       {"use fewer --streams or a smaller --bptt-advance"});
    frames = piece - data.shift;
    for (int64_t i = 0; i < b; ++i)
      streams[size_t(i)].push_back({0, {whole.first + i * piece * whole.stride, whole.stride, frames, whole.number}});
    count = options.keepTail ? (frames + advance - 1) / advance : frames / advance;
    return Status::success();
  }

  deal(data);
  if (frames == 0)
    return fileError("'" + data.path + "' has no sequence of more than " + std::to_string(data.shift) + " frames");
  count = options.wholeSequences ? int64_t(begins.size()) : (frames + advance - 1) / advance;
  return Status::success();
}

void Batches::deal(const Data &data) {
  int64_t b = options.streams, advance = options.advance;
  std::vector<int64_t> ends(size_t(b), 0);
  for (size_t n = 0; n < data.sequences.size(); ++n) {
    Sequence sequence = data.sequences[n];
    sequence.frames -= data.shift;
    if (sequence.frames < 1)
      continue;
    size_t stream = n % size_t(b);
    if (options.wholeSequences) {
      // The first stream of a round opens its chunk, where the longest sequence of the round before ends.
      int64_t longest = *std::max_element(ends.begin(), ends.end());
      if (begins.empty() || ends[stream] > begins.back()) {
        begins.push_back(longest);
        std::fill(ends.begin(), ends.end(), longest);
      }
    }
    streams[stream].push_back({ends[stream], sequence});
    int64_t taken = sequence.frames;
    if (!options.startAnywhere && !options.wholeSequences)
      taken = (taken + advance - 1) / advance * advance;
    ends[stream] += taken;
  }
  frames = *std::max_element(ends.begin(), ends.end());
}

void Batches::locate(int64_t index, Chunk &chunk) const {
  int64_t begin = index * options.advance;
  chunk.frames = options.keepTail ? std::min(options.advance, frames - begin) : options.advance;
  if (!begins.empty()) {
    begin = begins[size_t(index)];
    chunk.frames = (index + 1 < count ? begins[size_t(index) + 1] : frames) - begin;
  }
  size_t b = size_t(options.streams);
  chunk.rows.assign(size_t(chunk.frames) * b, -1);
  chunk.starts.assign(size_t(chunk.frames) * b, 0);
  chunk.ends.assign(size_t(chunk.frames) * b, 0);
  chunk.sequences.assign(b, -1);
  for (size_t stream = 0; stream < b; ++stream) {
    const std::vector<Segment> &segments = streams[stream];
    auto segment = std::upper_bound(segments.begin(), segments.end(), begin,
                                    [](int64_t at, const Segment &s) { return at < s.at; });
    if (segment != segments.begin())
      --segment;
    for (int64_t t = 0; t < chunk.frames; ++t) {
      int64_t at = begin + t;
      while (segment != segments.end() && at >= segment->at + segment->sequence.frames)
        ++segment;
      if (segment == segments.end())
        break;
      if (at < segment->at)
        continue;
      const Sequence &sequence = segment->sequence;
      size_t place = size_t(t) * b + stream;
      chunk.rows[place] = sequence.first + (at - segment->at) * sequence.stride;
      chunk.starts[place] = at == segment->at;
      chunk.ends[place] = at + 1 == segment->at + sequence.frames;
      if (chunk.sequences[stream] < 0)
        chunk.sequences[stream] = sequence.number;
    }
  }
}

} // namespace mlir::rnn::train
