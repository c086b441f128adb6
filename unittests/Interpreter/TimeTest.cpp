//===- TimeTest.cpp - Rules T1 to T6: delays, ages, state -----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include <cmath>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

constexpr int64_t kMaxAge = (int64_t(1) << 31) - 1;

std::string delayed(const std::string &delay) {
  return network("%x: tensor<f32>, %r: tensor<i1> {rnn.reset}, %i: tensor<f32>", "tensor<f32>",
                 "%y = rnn.delay %x " + delay + " : tensor<f32>");
}

/// 5 frames of one stream: x = 1 … 5, inits 10 … 50, a reset at frame 3.
TensorMap fiveFrames() {
  return {{"x", floats({5, 1}, {1, 2, 3, 4, 5})},
          {"r", integers({5, 1}, {0, 0, 0, 1, 0})},
          {"i", floats({5, 1}, {10, 20, 30, 40, 50})}};
}

TEST(Time, DelayBeginsWithZeros) { // T1, T2
  EXPECT_EQ(run(delayed("by 1"), fiveFrames(), 5)["y"].floats(), (Numbers{0, 1, 2, 0, 4}));
  EXPECT_EQ(run(delayed("by 2"), fiveFrames(), 5)["y"].floats(), (Numbers{0, 0, 1, 0, 0}));
}

TEST(Time, InitIsReadAtTheFrameItself) { // T2
  EXPECT_EQ(run(delayed("by 2 init(%i)"), fiveFrames(), 5)["y"].floats(), (Numbers{10, 20, 1, 40, 50}));
}

TEST(Time, ResetIsABorderInBothDirections) { // T4, T5
  EXPECT_EQ(run(delayed("by -1"), fiveFrames(), 5)["y"].floats(), (Numbers{2, 3, 0, 5, 0}));
  EXPECT_EQ(run(delayed("by -2 init(%i)"), fiveFrames(), 5)["y"].floats(), (Numbers{3, 20, 30, 40, 50}));
}

TEST(Time, StreamsHaveTheirOwnAges) { // T4
  TensorMap outputs = run(delayed("by 1"),
                          {{"x", floats({3, 2}, {1, 10, 2, 20, 3, 30})},
                           {"r", integers({3, 2}, {0, 0, 0, 1, 1, 0})},
                           {"i", floats({3, 2}, Numbers(6))}},
                          3, 2);
  EXPECT_EQ(outputs["y"].floats(), (Numbers{0, 0, 1, 0, 0, 20}));
  EXPECT_EQ(outputs["state.age"].integers(), (Integers{0, 1}));
  EXPECT_EQ(outputs["state.x"].floats(), (Numbers{3, 30}));
}

TEST(Time, AgeSaturates) { // T4
  TensorMap inputs = fiveFrames();
  inputs["r"] = integers({5, 1}, {0, 0, 0, 0, 0});
  inputs["state.age"] = integers({1}, {kMaxAge - 2});
  EXPECT_EQ(run(delayed("by 1"), inputs, 5)["state.age"].integers(), (Integers{kMaxAge}));
}

TEST(Time, StateIsOldestFirstAndMayBeLongerThanTheChunk) { // T3
  TensorMap inputs{{"x", floats({1, 1}, {4})},
                   {"r", integers({1, 1}, {0})},
                   {"i", floats({1, 1}, {0})},
                   {"state.x", floats({3, 1}, {1, 2, 3})}};
  TensorMap outputs = run(delayed("by 3"), inputs, 1);
  EXPECT_EQ(outputs["y"].floats(), (Numbers{1}));
  EXPECT_EQ(outputs["state.x"].floats(), (Numbers{2, 3, 4}));
  EXPECT_EQ(outputs["state.age"].integers(), (Integers{kMaxAge})); // State without ages is known.
}

TEST(Time, StateBeforeTheStartIsNeverRead) { // T6
  TensorMap inputs{{"x", floats({2, 1}, {4, 5})},
                   {"r", integers({2, 1}, {0, 0})},
                   {"i", floats({2, 1}, {7, 8})},
                   {"state.x", floats({3, 1}, {NAN, NAN, 3})},
                   {"state.age", integers({1}, {0})}};
  // Age -1 + 1 … : one older frame is known.
  EXPECT_EQ(run(delayed("by 1"),
                {{"x", inputs["x"]},
                 {"r", inputs["r"]},
                 {"i", inputs["i"]},
                 {"state.x", floats({1, 1}, {3})},
                 {"state.age", integers({1}, {0})}},
                2)["y"]
                .floats(),
            (Numbers{3, 4}));
  EXPECT_EQ(run(delayed("by 3 init(%i)"), inputs, 2)["y"].floats(), (Numbers{7, 8}));
}

TEST(Time, LocalDelaysStayInTheChunk) { // T1, T5
  TensorMap inputs = fiveFrames();
  inputs["state.age"] = integers({1}, {100});
  TensorMap outputs = run(network("%x: tensor<f32>", "tensor<f32>", R"(
    %a = rnn.delay %x by 1 local : tensor<f32>
    %b = rnn.delay %x by 1 : tensor<f32>
    %c = arith.constant dense<100.0> : tensor<f32>
    %d = arith.mulf %b, %c : tensor<f32>
    %y = arith.addf %a, %d : tensor<f32>)"),
                          {{"x", floats({2, 1}, {1, 2})}, {"state.x", floats({1, 1}, {9})}}, 2);
  EXPECT_EQ(outputs["y"].floats(), (Numbers{900, 101}));
}

TEST(Time, DelayOfAStaticValueNeedsNoState) { // R4
  std::string text =
      network("%x: tensor<f32> {rnn.rate = \"static\"}", "tensor<f32>", "%y = rnn.delay %x by 2 : tensor<f32>");
  TensorMap outputs = run(text, {{"x", floats({}, {3})}}, 3);
  EXPECT_EQ(outputs["y"].floats(), (Numbers{0, 0, 3}));
  EXPECT_EQ(outputs.count("state.x"), 0u);
  outputs = run(text, {{"x", floats({}, {3})}, {"state.age", outputs["state.age"]}}, 1);
  EXPECT_EQ(outputs["y"].floats(), (Numbers{3}));
}

TEST(Time, LaterFramesReadByALoop) { // Anticausal: y(t) = x(t) + y(t+1) / 2.
  EXPECT_EQ(run(network("%x: tensor<f32>", "tensor<f32>", R"(
    %next = rnn.delay %y by -1 : tensor<f32>
    %half = arith.constant dense<0.5> : tensor<f32>
    %part = arith.mulf %next, %half : tensor<f32>
    %y = arith.addf %x, %part : tensor<f32>)"),
                {{"x", floats({3, 1}, {4, 4, 4})}}, 3)["y"]
                .floats(),
            (Numbers{7, 6, 4}));
}

/// Several loops and depths: chunks of any length, state carried over, equal one long run.
TEST(Time, ChunksEqualOneLongRun) {
  Program program(R"(
    rnn.network @f(%x: tensor<2xf32>, %r: tensor<i1> {rnn.reset}) -> (y: tensor<2xf32>, z: tensor<2xf32>) {
      %y1 = rnn.delay %y by 1 : tensor<2xf32>
      %y3 = rnn.delay %y by 3 init(%x) : tensor<2xf32>
      %z2 = rnn.delay %z by 2 : tensor<2xf32>
      %a = rnn.sum %x, %y1, %y3 : tensor<2xf32>
      %y = math.sin %a : tensor<2xf32>
      %b = arith.subf %y, %z2 : tensor<2xf32>
      %z = math.tanh %b : tensor<2xf32>
      rnn.output %y, %z : tensor<2xf32>, tensor<2xf32>
    })");
  constexpr int64_t frames = 12, streams = 2, width = 2;
  Tensor x = Tensor::zeros({frames, streams, width}, true), reset = Tensor::zeros({frames, streams}, false);
  for (int64_t i = 0; i < x.size(); ++i)
    x.floats()[i] = std::cos(1.7 * i);
  reset.integers()[2 * 5] = reset.integers()[2 * 8 + 1] = reset.integers()[2 * 9 + 1] = 1;
  TensorMap whole = program.run("f", {{"x", x}, {"r", reset}}, frames, streams);
  for (int64_t length : {1, 2, 5}) {
    TensorMap session;
    for (int64_t begin = 0; begin < frames; begin += length) {
      int64_t count = std::min(length, frames - begin);
      auto part = [&](const Tensor &tensor, int64_t size) {
        Tensor rows = tensor.getRow(0, {count, streams, size});
        std::visit(
            [&](auto &values) {
              auto &all = std::get<std::decay_t<decltype(values)>>(tensor.data);
              std::copy_n(all.begin() + begin * streams * size, values.size(), values.begin());
            },
            rows.data);
        return rows;
      };
      session["x"] = part(x, width);
      session["r"] = part(reset, 1);
      session["r"].shape = {count, streams};
      session = program.run("f", session, count, streams);
      ASSERT_EQ(program.error, "");
      EXPECT_EQ(session["y"].floats(), part(whole["y"], width).floats());
      EXPECT_EQ(session["z"].floats(), part(whole["z"], width).floats());
    }
    for (StringRef name : {"state.y", "state.z"})
      EXPECT_EQ(session[name.str()].floats(), whole[name.str()].floats());
    EXPECT_EQ(session["state.age"].integers(), whole["state.age"].integers());
    EXPECT_EQ(session["state.frame"].integers(), (Integers{frames}));
  }
}

TEST(Time, LongChainsNeedNoStack) {
  std::string body = "%v0 = arith.negf %x : tensor<f32>\n";
  for (int i = 1; i < 20000; ++i)
    body += "%v" + std::to_string(i) + " = arith.negf %v" + std::to_string(i - 1) + " : tensor<f32>\n";
  body += "%y = arith.negf %v19999 : tensor<f32>";
  EXPECT_EQ(run(network("%x: tensor<f32>", "tensor<f32>", body), {{"x", floats({1, 1}, {3})}}, 1)["y"].floats(),
            (Numbers{-3}));
}

TEST(Time, RandomNumbersFollowTheAbsoluteFrame) { // N1
  Program program(R"(
    rnn.network @f(%x: tensor<f32>) -> (y: tensor<3xf32>, x1: tensor<f32>) {
      %x1 = rnn.delay %x by 1 : tensor<f32>
      %y = rnn.random uniform <frame> id 7 : tensor<3xf32>
      rnn.output %y, %x1 : tensor<3xf32>, tensor<f32>
    })");
  TensorMap whole = program.run("f", {{"x", floats({4, 2}, Numbers(8))}, {"seed", integers({}, {5})}}, 4, 2);
  TensorMap last = program.run(
      "f", {{"x", floats({1, 2}, Numbers(2))}, {"seed", integers({}, {5})}, {"state.frame", integers({}, {3})}}, 1, 2);
  Numbers all = whole["y"].floats();
  EXPECT_EQ(last["y"].floats(), Numbers(all.begin() + 18, all.end()));
  std::set<double> distinct(all.begin(), all.end());
  EXPECT_EQ(distinct.size(), all.size());
  EXPECT_TRUE(*distinct.begin() >= 0 && *distinct.rbegin() < 1);
}

TEST(Time, ASeedIsNoPast) {
  Program program(R"(
    rnn.network @f(%x: tensor<f32>) -> (y: tensor<f32>, x1: tensor<f32>) {
      %one = arith.constant dense<1.0> : tensor<f32>
      %x1 = rnn.delay %x by 1 init(%one) : tensor<f32>
      %y = rnn.random uniform <frame> id 7 : tensor<f32>
      rnn.output %y, %x1 : tensor<f32>, tensor<f32>
    })");
  TensorMap outputs = program.run("f", {{"x", floats({1, 1}, {3})}, {"seed", integers({}, {5})}}, 1);
  EXPECT_EQ(outputs["x1"].floats(), Numbers{1});
  EXPECT_EQ(outputs["state.age"].integers(), Integers{0});
}

TEST(Time, Errors) {
  Program program(delayed("by 1"));
  TensorMap inputs = fiveFrames();
  program.run("f", inputs, 4);
  EXPECT_EQ(program.error, "input 'x' of 'f' is floats [5,1], expected floats [4,1]");
  program.run("f", inputs, 0);
  EXPECT_EQ(program.error, "'f' takes at least 1 frame a call, but got 0");
  inputs.erase("x");
  program.run("f", inputs, 5);
  EXPECT_EQ(program.error, "no input for 'x' of 'f'");
}

} // namespace
