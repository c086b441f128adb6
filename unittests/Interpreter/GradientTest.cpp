//===- GradientTest.cpp - Adjoints against central differences ------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step whose adjoints are written by hand, by the rules A1 to A3, agrees with differences of its own loss.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include <cmath>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

/// h = tanh(w h[t-2] + x), h = p before the first frame; loss = sum of h^2. The windowed form saves what it needs.
std::string step(const std::string &bptt, const std::string &saves) {
  return R"(
    rnn.step @f train of @n )" +
         bptt + R"( (%x: tensor<f32>, %r: tensor<i1> {rnn.reset}, %w: tensor<f32> {rnn.rate = "static"},
        %p: tensor<f32> {rnn.rate = "static"})
        -> (loss: tensor<f32> {rnn.rate = "static"}, dw: tensor<f32> {rnn.rate = "static"},
            dp: tensor<f32> {rnn.rate = "static"}) {
      %h2 = rnn.delay %h by 2 init(%p) : tensor<f32>
      %u = arith.mulf %w, %h2 : tensor<f32>
      %a = arith.addf %u, %x : tensor<f32>
      %h = math.tanh %a : tensor<f32>
      %square = arith.mulf %h, %h : tensor<f32>
      %loss = rnn.sum_frames %square : tensor<f32>

      )" +
         saves +
         R"(
      %one = arith.constant dense<1.0> : tensor<f32>
      %zero = arith.constant dense<0.0> : tensor<f32>
      %two = arith.constant dense<2.0> : tensor<f32>
      %seed = rnn.seed %two : tensor<f32>
      %dh_loss = arith.mulf %sh, %seed : tensor<f32>
      %dh = rnn.sum %dh_loss, %dh_later : tensor<f32>
      %sh_sh = arith.mulf %sh, %sh : tensor<f32>
      %slope = arith.subf %one, %sh_sh : tensor<f32>
      %da = arith.mulf %dh, %slope : tensor<f32>
      %dh2 = arith.mulf %da, %w : tensor<f32>
      %dh_later = rnn.delay %dh2 by -2 local : tensor<f32>
      %dinit = rnn.delay %zero by 2 init(%dh2) : tensor<f32>
      %dp = rnn.sum_frames %dinit : tensor<f32>
      %dw_frames = arith.mulf %da, %sh2 : tensor<f32>
      %dw = rnn.sum_frames %dw_frames : tensor<f32>
      rnn.output %loss, %dw, %dp : tensor<f32>, tensor<f32>, tensor<f32>
    })";
}

const char *kNoSaves = R"(
      %sh = rnn.stop_gradient %h : tensor<f32>
      %sh2 = rnn.stop_gradient %h2 : tensor<f32>)";
const char *kSaves = R"(
      %sh = rnn.save %h ring "0" : tensor<f32>
      %sh2 = rnn.save %h2 ring "1" : tensor<f32>)";

/// (f(v + e) - f(v - e)) / 2e for `loss` as a function of input `name`.
double difference(Program &program, TensorMap inputs, const std::string &name, int64_t frames, int64_t streams) {
  constexpr double e = 1e-5;
  double &v = inputs[name].floats()[0];
  v += e;
  double above = program.run("f", inputs, frames, streams)["loss"].floats()[0];
  v -= 2 * e;
  return (above - program.run("f", inputs, frames, streams)["loss"].floats()[0]) / (2 * e);
}

TEST(Gradient, EqualsCentralDifferences) {
  Program program(step("", kNoSaves));
  TensorMap inputs{{"x", floats({6, 2}, {.3, -.8, .5, .1, -.4, .9, .2, .7, -.6, .4, .8, -.1})},
                   {"r", integers({6, 2}, {0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0})},
                   {"w", floats({}, {0.9})},
                   {"p", floats({}, {0.6})},
                   {"state.h", floats({2, 2}, {.5, -.3, .1, .7})},
                   {"state.age", integers({2}, {8, 0})}};
  TensorMap outputs = program.run("f", inputs, 6, 2);
  ASSERT_EQ(program.error, "");
  EXPECT_NEAR(outputs["dw"].floats()[0], difference(program, inputs, "w", 6, 2), 1e-8);
  EXPECT_NEAR(outputs["dp"].floats()[0], difference(program, inputs, "p", 6, 2), 1e-8);
  EXPECT_GT(std::abs(outputs["dp"].floats()[0]), 0.01);
}

/// S7: with H > 0 the gradient is that of the newest frames' loss over the window, older state constant.
TEST(Gradient, WindowsGoBackOverOlderFrames) {
  Program windowed(step("bptt<window = 6, advance = 2>", kSaves)), whole(step("", kNoSaves));
  Numbers x{.3, -.8, .5, .1, -.4, .9, .2, .7};
  TensorMap shared{{"w", floats({}, {0.9})}, {"p", floats({}, {0.6})}};

  // Four calls of two frames: the last sees frames 2 … 7.
  TensorMap session = shared, last;
  for (int64_t t = 0; t < 8; t += 2) {
    session["x"] = floats({2, 1}, {x[t], x[t + 1]});
    session["r"] = integers({2, 1}, {0, 0});
    last = windowed.run("f", session, 2);
    ASSERT_EQ(windowed.error, "");
    session = last;
    session["w"] = shared["w"];
    session["p"] = shared["p"];
  }
  // The same in one run over frames 2 … 7 from the state before them; the loss of frames 2 … 5 taken away.
  TensorMap head = shared;
  head["x"] = floats({2, 1}, {x[0], x[1]});
  head["r"] = integers({2, 1}, {0, 0});
  TensorMap tail = whole.run("f", head, 2);
  auto lossOf = [&](int64_t frames, double w) {
    TensorMap inputs = shared;
    inputs["w"] = floats({}, {w});
    inputs["x"] = floats({frames, 1}, Numbers(x.begin() + 2, x.begin() + 2 + frames));
    inputs["r"] = Tensor::zeros({frames, 1}, false);
    inputs["state.h"] = tail["state.h"];
    inputs["state.age"] = tail["state.age"];
    return whole.run("f", inputs, frames)["loss"].floats()[0];
  };
  auto newLoss = [&](double w) { return lossOf(6, w) - lossOf(4, w); };
  EXPECT_NEAR(last["loss"].floats()[0], newLoss(0.9), 1e-12);
  EXPECT_NEAR(last["dw"].floats()[0], (newLoss(0.9 + 1e-5) - newLoss(0.9 - 1e-5)) / 2e-5, 1e-8);
}

} // namespace
