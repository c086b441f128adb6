//===- ProbeTest.cpp - Made-up inputs and differences ---------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Interpreter/Probe.h"
#include "Harness.h"
#include <cmath>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

TEST(Probe, DifferencesAreNamed) {
  TensorMap expected{{"h", floats({2}, {1, 1000})}, {"n", integers({}, {3})}};
  EXPECT_EQ(findDifference(expected, expected), std::nullopt);
  // Numbers up to 1e-10 of the largest magnitude; integers exactly; names that one side lacks are left out.
  EXPECT_EQ(findDifference(expected, {{"h", floats({2}, {1 + 9e-8, 1000})}}), std::nullopt);
  EXPECT_EQ(findDifference(expected, {{"h", floats({2}, {1.5, 1000})}}), "'h' at 0: expected 1, got 1.5");
  EXPECT_EQ(findDifference(expected, {{"h", floats({1}, {1})}}), "'h': expected [2], got [1]");
  EXPECT_EQ(findDifference(expected, {{"n", integers({}, {4})}}), "'n' at 0: expected 3, got 4");
  EXPECT_EQ(findDifference({{"h", floats({}, {NAN})}}, {{"h", floats({}, {NAN})}}), std::nullopt);
  EXPECT_NE(findDifference({{"h", floats({}, {NAN})}}, {{"h", floats({}, {1})}}), std::nullopt);
  EXPECT_NE(findDifference({{"h", floats({}, {1})}}, {{"h", floats({}, {INFINITY})}}), std::nullopt);
  // Of states, only ages.
  EXPECT_EQ(findDifference({{"state.h", floats({}, {1})}}, {{"state.h", floats({}, {2})}}), std::nullopt);
  EXPECT_NE(findDifference({{"state.age", integers({1}, {1})}}, {{"state.age", integers({1}, {2})}}), std::nullopt);
}

constexpr const char *kNetwork = R"(
    rnn.parameter @w : tensor<100xf32> init(#rnn.zeros)
    rnn.network @f(%x: tensor<100xf32>, %i: tensor<100xi32>, %r: tensor<i1> {rnn.reset},
                   %rate: tensor<f32> {rnn.rate = "static", rnn.default = 0.5}) -> (y: tensor<100xf32>, j: tensor<100xi32>) {
      %w = rnn.param @w : tensor<100xf32>
      %x1 = rnn.delay %x by 1 : tensor<100xf32>
      %y = arith.mulf %w, %x1 : tensor<100xf32>
      rnn.output %y, %i : tensor<100xf32>, tensor<100xi32>
    })";

TEST(Probe, InputsFollowFromNamesAlone) {
  Program program(kNetwork);
  ProbeOptions options;
  TensorMap inputs = getProbeInputs(program.find("f"), options, 0),
            later = getProbeInputs(program.find("f"), options, 2);
  EXPECT_EQ(inputs["x"].shape, (Integers{4, 2, 100}));
  EXPECT_EQ(getProbeInputs(program.find("f"), options, 1)["x"].shape, (Integers{3, 2, 100}));
  EXPECT_EQ(inputs["x"].floats(), getProbeInputs(program.find("f"), options, 0)["x"].floats());
  EXPECT_NE(inputs["x"].floats(), later["x"].floats());
  EXPECT_EQ(inputs["w"].floats(), later["w"].floats());
  EXPECT_EQ(inputs["rate"].floats(), (Numbers{0.5}));
  for (double x : inputs["x"].floats())
    EXPECT_TRUE(x >= -1 && x < 1);
  EXPECT_EQ(std::set<int64_t>(inputs["i"].integers().begin(), inputs["i"].integers().end()),
            (std::set<int64_t>{0, 1, 2}));
}

TEST(Probe, ChunksGoOnAndStreamsRestart) {
  Program program(kNetwork);
  FailureOr<SmallVector<TensorMap>> chunks = probe(program.find("f"), {});
  ASSERT_TRUE(succeeded(chunks));
  ASSERT_EQ(chunks->size(), 3u);
  EXPECT_EQ((*chunks)[2]["state.frame"].integers(), (Integers{4 + 3 + 4}));
  // The first product of chunk 2 is zero where the stream is restarted, by the host or by the argument, and else not.
  TensorMap inputs = getProbeInputs(program.find("f"), {}, 2);
  EXPECT_EQ((*chunks)[2]["y"].floats()[0], 0);
  EXPECT_EQ((*chunks)[2]["y"].floats()[100] == 0, inputs["r"].integers()[1] == 1);
}

} // namespace
