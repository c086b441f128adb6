//===- TrainTest.cpp - Tests of the parts of rnn-train --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Batches.h"
#include "rnn/Train/LabelErrors.h"
#include "rnn/Train/Log.h"
#include "rnn/Train/Progress.h"
#include "rnn/Train/Schedule.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace mlir::rnn;
using namespace mlir::rnn::train;

namespace {

Data series(int64_t rows, int64_t shift) {
  Data data;
  data.path = "a.txt";
  data.sequences = {{0, 1, rows}};
  data.shift = shift;
  return data;
}

Data sequences(std::initializer_list<int64_t> lengths) {
  Data data;
  data.isSeries = false;
  int64_t first = 0;
  for (int64_t length : lengths) {
    data.sequences.push_back({first, 1, length});
    first += 100;
  }
  return data;
}

std::vector<int64_t> rowsOf(const Batches &batches, int64_t index, int64_t stream, int64_t streams) {
  Chunk chunk;
  batches.locate(index, chunk);
  std::vector<int64_t> rows;
  for (int64_t t = 0; t < chunk.frames; ++t)
    rows.push_back(chunk.rows[size_t(t * streams + stream)]);
  return rows;
}

using Rows = std::vector<int64_t>;

TEST(Batches, SeriesIsCutIntoPieces) {
  Batches batches;
  // 23 rows, 2 pieces of 11; the last row of a piece is only a target.
  ASSERT_TRUE(batches.create(series(23, 1), {2, 4}).ok());
  EXPECT_EQ(batches.chunks(), 2);
  EXPECT_EQ(rowsOf(batches, 0, 0, 2), (Rows{0, 1, 2, 3}));
  EXPECT_EQ(rowsOf(batches, 1, 1, 2), (Rows{15, 16, 17, 18}));
  ASSERT_TRUE(batches.create(series(23, 1), {2, 4, false, /*keepTail=*/true}).ok());
  EXPECT_EQ(batches.chunks(), 3);
  EXPECT_EQ(rowsOf(batches, 2, 1, 2), (Rows{19, 20}));
}

TEST(Batches, TooShort) {
  Batches batches;
  Status status = batches.create(series(192, 1), {16, 128});
  EXPECT_EQ(status.message, "'a.txt' gives 12 frames per stream; one chunk needs 129");
  EXPECT_EQ(status.notes, std::vector<std::string>{"use fewer --streams or a smaller --bptt-advance"});
}

TEST(Batches, SequencesStartAtChunks) {
  Batches batches;
  ASSERT_TRUE(batches.create(sequences({5, 2, 3}), {2, 4}).ok());
  EXPECT_EQ(batches.chunks(), 3);
  EXPECT_EQ(rowsOf(batches, 0, 0, 2), (Rows{0, 1, 2, 3}));
  EXPECT_EQ(rowsOf(batches, 1, 0, 2), (Rows{4, -1, -1, -1}));
  EXPECT_EQ(rowsOf(batches, 2, 0, 2), (Rows{200, 201, 202, -1}));
  EXPECT_EQ(rowsOf(batches, 0, 1, 2), (Rows{100, 101, -1, -1}));
  EXPECT_EQ(rowsOf(batches, 2, 1, 2), (Rows{-1, -1, -1, -1}));
}

TEST(Batches, SequencesStartAtOnceWithReset) {
  Batches batches;
  ASSERT_TRUE(batches.create(sequences({5, 2, 3}), {2, 4, /*startAnywhere=*/true}).ok());
  EXPECT_EQ(batches.chunks(), 2);
  EXPECT_EQ(rowsOf(batches, 1, 0, 2), (Rows{4, 200, 201, 202}));
  Chunk chunk;
  batches.locate(1, chunk);
  EXPECT_EQ(chunk.starts, (std::vector<uint8_t>{0, 0, 1, 0, 0, 0, 0, 0}));
}

TEST(Batches, WholeSequences) {
  Batches batches;
  Data data = sequences({5, 2, 3, 4, 1});
  for (size_t n = 0; n < 5; ++n)
    data.sequences[n].number = int64_t(n);
  BatchOptions options;
  options.streams = 2;
  options.wholeSequences = true;
  ASSERT_TRUE(batches.create(data, options).ok());
  EXPECT_EQ(batches.chunks(), 3);
  EXPECT_EQ(rowsOf(batches, 0, 0, 2), (Rows{0, 1, 2, 3, 4}));
  EXPECT_EQ(rowsOf(batches, 0, 1, 2), (Rows{100, 101, -1, -1, -1}));
  EXPECT_EQ(rowsOf(batches, 1, 0, 2), (Rows{200, 201, 202, -1}));
  EXPECT_EQ(rowsOf(batches, 1, 1, 2), (Rows{300, 301, 302, 303}));
  EXPECT_EQ(rowsOf(batches, 2, 0, 2), (Rows{400}));
  EXPECT_EQ(rowsOf(batches, 2, 1, 2), (Rows{-1}));
  Chunk chunk;
  batches.locate(1, chunk);
  EXPECT_EQ(chunk.sequences, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(chunk.starts, (std::vector<uint8_t>{1, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(chunk.ends, (std::vector<uint8_t>{0, 0, 0, 0, 1, 0, 0, 1}));
  batches.locate(2, chunk);
  EXPECT_EQ(chunk.sequences, (std::vector<int64_t>{4, -1}));
}

TEST(LabelErrors, SpellingAndDistance) {
  Spelling spelling;
  for (int64_t best : {0, 3, 3, 0, 3, 1, 1, 2, 0, 0})
    spelling.add(best);
  EXPECT_EQ(spelling.labels, (std::vector<int64_t>{3, 3, 1, 2}));
  auto distance = [](std::vector<int64_t> from, std::vector<int64_t> to) { return editDistance(from, to); };
  EXPECT_EQ(distance({}, {}), 0);
  EXPECT_EQ(distance({1, 2}, {}), 2);
  EXPECT_EQ(distance({}, {1, 2, 3}), 3);
  EXPECT_EQ(distance({1, 2, 3, 4}, {1, 3, 4}), 1);
  EXPECT_EQ(distance({1, 2, 3}, {2, 3, 1}), 2);
  EXPECT_EQ(distance({5, 1, 2, 2, 3, 4}, {6, 1, 2, 2, 1, 4, 7}), 3); // kitten, sitting
}

TEST(Split, LastPartOrLastSequences) {
  Data data = series(100, 1), validation;
  splitData(0.1, data, validation);
  EXPECT_EQ(data.sequences[0].frames, 90);
  EXPECT_EQ(validation.sequences[0].first, 90);
  data = sequences({5, 2, 3, 4});
  splitData(0.5, data, validation);
  ASSERT_EQ(validation.sequences.size(), 2u);
  EXPECT_EQ(validation.sequences[0].first, 200);
}

TEST(Csv, ColumnsMaskAndScale) {
  Data data;
  data.path = "a.csv";
  DataOptions options;
  options.inputColumns = {"t"};
  options.targetColumns = {"y", "z"};
  options.sequenceColumn = "id";
  Status status = readCsv("t, id ,y,z\r\n1,a,10,1\n3,a,,2\n5,b,30,3\n\n", options, data);
  ASSERT_TRUE(status.ok()) << status.message;
  ASSERT_EQ(data.sequences.size(), 2u);
  EXPECT_EQ(data.sequences[0].frames, 2);
  EXPECT_EQ(data.columns[1].values->shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(data.columns[2].values->as<uint8_t>()[1], 0);
  measureScale(data);
  EXPECT_EQ(data.mean, (std::vector<double>{3, 20, 2}));
  applyScale(data.mean, data.deviation, data);
  EXPECT_FLOAT_EQ(data.columns[1].values->as<float>()[0], -1);
  EXPECT_FLOAT_EQ(data.columns[1].values->as<float>()[2], 0); // missing
}

TEST(Csv, Errors) {
  Data data;
  data.path = "a.csv";
  EXPECT_EQ(readCsv("a,b\n1,2\n3\n", {}, data).message, "a.csv:3: 1 columns, expected 2");
  EXPECT_EQ(readCsv("a,b\n1,x\n", {}, data).message, "a.csv:2: column 2 'b' is not a number: 'x'");
  EXPECT_EQ(readCsv("a,b\n", {}, data).message, "'a.csv' has no rows");
  DataOptions options;
  options.inputColumns = {"c"};
  EXPECT_EQ(readCsv("a,b\n1,2\n", options, data).message, "'a.csv' has no column 'c'");
  EXPECT_EQ(readCsv("1,2\n1,1e999\n", {}, data).message, "a.csv:2: column 2 '2' is not a number: '1e999'");
}

TEST(Schedule, WarmupCosinePlateau) {
  Options options;
  options.warmupSteps = 4;
  Gains gains;
  EXPECT_DOUBLE_EQ(learningRate(options, 0.8, gains, 1, 100), 0.2);
  EXPECT_DOUBLE_EQ(learningRate(options, 0.8, gains, 5, 100), 0.8);
  options.schedule = "cosine";
  EXPECT_NEAR(learningRate(options, 0.8, gains, 52, 100), 0.4, 1e-4);
  EXPECT_DOUBLE_EQ(learningRate(options, 0.8, gains, 100, 100), options.lrMin);

  options.schedule = "plateau";
  options.patience = 2;
  options.lrMin = 0.3;
  EXPECT_TRUE(judge(options, 0.8, 1.0, 10, gains).isBest);
  EXPECT_FALSE(judge(options, 0.8, NAN, 20, gains).isBest);
  Decision decision = judge(options, 0.8, 1.0, 30, gains);
  EXPECT_TRUE(decision.goBack && !decision.stop);
  EXPECT_DOUBLE_EQ(gains.factor, 0.5);
  EXPECT_TRUE(judge(options, 0.8, 0.5, 40, gains).isBest);
  (void)judge(options, 0.8, 0.5, 50, gains);
  EXPECT_TRUE(judge(options, 0.8, 0.5, 60, gains).stop);
  EXPECT_EQ(gains.bestStep, 40);
}

TEST(Progress, BarAndClock) {
  EXPECT_EQ(progressBar(0), "          ");
  EXPECT_EQ(progressBar(0.42), "████▏     ");
  EXPECT_EQ(progressBar(1), "██████████");
  EXPECT_EQ(clockText(12.9), "00:12");
  EXPECT_EQ(clockText(3723), "1:02:03");
}

/// What a log draws does not depend on whether it has been read again. The losses are neighbouring numbers of f32,
/// whose shortest text is not their very value.
TEST(Log, AResumedLogDrawsTheSame) {
  const std::string path = ::testing::TempDir() + "rnn-resumed-log.csv";
  Log first, second;
  ASSERT_TRUE(first.create(path, "").ok());
  float loss = 5.5f;
  for (int64_t step = 1; step <= 8; ++step) {
    loss = std::nextafter(loss, 6.0f);
    LogRow row;
    row.step = step;
    row.loss = loss;
    if (step % 2 == 0)
      row.valLoss = loss;
    ASSERT_TRUE(first.append(row).ok());
  }
  ASSERT_TRUE(first.sync().ok());
  ASSERT_TRUE(second.resume(path, "", 8, true).ok());
  EXPECT_EQ(first.svg("a"), second.svg("a"));
  std::remove(path.c_str());
}

TEST(Log, ExactNumbers) {
  EXPECT_EQ(exactNumber(double(0.1f)), "0.1");
  EXPECT_EQ(exactNumber(0.1), "0.1");
  EXPECT_EQ(exactNumber(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(exactNumber(-NAN), "nan");
}

} // namespace
