//===- StepTest.cpp - Rates, sums over frames, windows, updates -----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

TEST(Step, SumsOverFrames) { // R2, R3
  TensorMap outputs =
      run(R"(
    rnn.step @f eval of @n (%x: tensor<f32>, %s: tensor<f32> {rnn.rate = "static"}, %b: tensor<f32> {rnn.rate = "stream"})
        -> (all: tensor<f32> {rnn.rate = "static"}, each: tensor<f32> {rnn.rate = "stream"},
            statics: tensor<f32> {rnn.rate = "static"}, streams: tensor<f32> {rnn.rate = "static"},
            eachstream: tensor<f32> {rnn.rate = "stream"}, spread: tensor<f32>) {
      %all = rnn.sum_frames %x : tensor<f32>
      %each = rnn.sum_frames %x sum_to <stream> : tensor<f32>
      %statics = rnn.sum_frames %s : tensor<f32>
      %streams = rnn.sum_frames %b : tensor<f32>
      %eachstream = rnn.sum_frames %b sum_to <stream> : tensor<f32>
      rnn.output %all, %each, %statics, %streams, %eachstream, %b
        : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
    })",
          {{"x", floats({3, 2}, {1, 10, 2, 20, 3, 30})}, {"s", floats({}, {5})}, {"b", floats({2}, {7, 8})}}, 3, 2);
  EXPECT_EQ(outputs["all"].floats(), (Numbers{66}));
  EXPECT_EQ(outputs["each"].floats(), (Numbers{6, 60}));
  EXPECT_EQ(outputs["statics"].floats(), (Numbers{30})); // T·B·s
  EXPECT_EQ(outputs["streams"].floats(), (Numbers{45}));
  EXPECT_EQ(outputs["eachstream"].floats(), (Numbers{21, 24}));
  EXPECT_EQ(outputs["spread"].floats(), (Numbers{7, 8, 7, 8, 7, 8}));
  EXPECT_EQ(outputs["flags"].integers(), (Integers{0}));
}

TEST(Step, ProductsAndTablesSummedOverFrames) { // R2
  TensorMap outputs = run(R"(
    rnn.step @f eval of @n (%e: tensor<2xf32>, %x: tensor<1xf32>, %i: tensor<i32>)
        -> (dw: tensor<2x1xf32> {rnn.rate = "static"}, ds: tensor<2x1xf32> {rnn.rate = "stream"},
            dt: tensor<3x2xf32> {rnn.rate = "static"}) {
      %dw = rnn.contract %e, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static
          : (tensor<2xf32>, tensor<1xf32>) -> tensor<2x1xf32>
      %ds = rnn.contract %e, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to stream
          : (tensor<2xf32>, tensor<1xf32>) -> tensor<2x1xf32>
      %dt = rnn.scatter_add %e, %i sum_to <static> : (tensor<2xf32>, tensor<i32>) -> tensor<3x2xf32>
      rnn.output %dw, %ds, %dt : tensor<2x1xf32>, tensor<2x1xf32>, tensor<3x2xf32>
    })",
                          {{"e", floats({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})},
                           {"x", floats({2, 2, 1}, {1, 10, 100, 1000})},
                           {"i", integers({2, 2}, {2, 0, 2, 5})}},
                          2, 2);
  EXPECT_EQ(outputs["dw"].floats(), (Numbers{1 + 30 + 500 + 7000, 2 + 40 + 600 + 8000}));
  EXPECT_EQ(outputs["ds"].floats(), (Numbers{501, 602, 7030, 8040}));
  EXPECT_EQ(outputs["dt"].floats(), (Numbers{3, 4, 0, 0, 6, 8}));
}

/// H = 2: `sum` runs over the window, its older frames from the ring; `seeded` over the new frames of the same window.
constexpr const char *kWindow = R"(
    rnn.step @f train of @n bptt<window = 4, advance = 2> (%x: tensor<f32>)
        -> (sum: tensor<f32> {rnn.rate = "static"}, seeded: tensor<f32> {rnn.rate = "static"},
            chunk: tensor<f32> {rnn.rate = "static"}, next: tensor<f32> {rnn.rate = "static"}) {
      %one = arith.constant dense<1.0> : tensor<f32>
      %saved = rnn.save %x ring "0" : tensor<f32>
      %sum = rnn.sum_frames %saved : tensor<f32>
      %seed = rnn.seed %one : tensor<f32>
      %product = arith.mulf %saved, %seed : tensor<f32>
      %seeded = rnn.sum_frames %product : tensor<f32>
      %chunk = rnn.sum_frames %x : tensor<f32>
      %later = rnn.delay %saved by -1 local : tensor<f32>
      %next = rnn.sum_frames %later : tensor<f32>
      rnn.output %sum, %seeded, %chunk, %next : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
    })";

TEST(Step, WindowsKeepOlderFrames) { // A3, A6, S5
  Program program(kWindow);
  TensorMap first = program.run("f", {{"x", floats({2, 2}, {1, 10, 2, 20})}}, 2, 2);
  EXPECT_EQ(program.error, "");
  EXPECT_EQ(first["sum"].floats(), (Numbers{33}));
  EXPECT_EQ(first["next"].floats(), (Numbers{22}));
  EXPECT_EQ(first["ring.0"].floats(), (Numbers{1, 10, 2, 20}));
  EXPECT_EQ(first["ring.age"].integers(), (Integers{0, 0, 1, 1}));

  // A shorter chunk: the window is H + T = 3 frames.
  TensorMap inputs = first;
  inputs["x"] = floats({1, 2}, {3, 30});
  TensorMap second = program.run("f", inputs, 1, 2);
  EXPECT_EQ(second["sum"].floats(), (Numbers{66}));
  EXPECT_EQ(second["seeded"].floats(), (Numbers{33}));
  EXPECT_EQ(second["chunk"].floats(), (Numbers{33}));
  EXPECT_EQ(second["next"].floats(), (Numbers{55})); // x(1) and x(2): a frame later than 0 and 1
  EXPECT_EQ(second["ring.0"].floats(), (Numbers{2, 20, 3, 30}));
  EXPECT_EQ(second["ring.age"].integers(), (Integers{1, 1, 2, 2}));

  // The host restarts stream 0: what is older is absent, and the border lies before the new frame.
  inputs = second;
  inputs["x"] = floats({1, 2}, {4, 40});
  inputs["state.age"].integers()[0] = inputs["ring.age"].integers()[0] = inputs["ring.age"].integers()[2] = -1;
  TensorMap third = program.run("f", inputs, 1, 2);
  EXPECT_EQ(third["sum"].floats(), (Numbers{4 + 90}));
  EXPECT_EQ(third["next"].floats(), (Numbers{70}));
  EXPECT_EQ(third["ring.age"].integers(), (Integers{-1, 2, 0, 3}));
}

TEST(Step, WindowTakesAtMostAdvanceFrames) {
  Program program(kWindow);
  program.run("f", {{"x", floats({3, 1}, {1, 2, 3})}}, 3);
  EXPECT_EQ(program.error, "'f' takes at most 2 frames a call, but got 3");
}

TEST(Step, AssignsSeeOldValuesAndTheGuardHoldsAllBack) { // S4
  Program program(R"(
    rnn.parameter @a : tensor<f32> init(#rnn.zeros)
    rnn.parameter @b : tensor<f32> init(#rnn.zeros)
    rnn.parameter @opt.step : tensor<i64> init(#rnn.zeros) slot
    rnn.step @f train of @n (%x: tensor<f32>, %ok: tensor<i1> {rnn.rate = "static", rnn.default = 1.0})
        -> (y: tensor<f32>) {
      %x1 = rnn.delay %x by 1 : tensor<f32>
      %a = rnn.param @a : tensor<f32>
      %b = rnn.param @b : tensor<f32>
      %n = rnn.param @opt.step : tensor<i64>
      %one = arith.constant dense<1> : tensor<i64>
      %next = arith.addi %n, %one : tensor<i64>
      rnn.assign @a, %b : tensor<f32>
      rnn.assign @b, %a : tensor<f32>
      rnn.assign @opt.step, %next : tensor<i64>
      rnn.guard %ok : tensor<i1>
      rnn.output %x1 : tensor<f32>
    })");
  TensorMap inputs{{"x", floats({2, 1}, {1, 2})}, {"a", floats({}, {3})}, {"b", floats({}, {4})}};
  TensorMap outputs = program.run("f", inputs, 2);
  EXPECT_EQ(outputs["a"].floats(), (Numbers{4}));
  EXPECT_EQ(outputs["b"].floats(), (Numbers{3}));
  EXPECT_EQ(outputs["opt.step"].integers(), (Integers{1}));
  EXPECT_EQ(outputs["state.x"].floats(), (Numbers{2}));
  EXPECT_EQ(outputs["flags"].integers(), (Integers{0}));

  inputs["ok"] = integers({}, {0});
  outputs = program.run("f", inputs, 2);
  EXPECT_EQ(outputs["y"].floats(), (Numbers{0, 1}));
  EXPECT_EQ(outputs["a"].floats(), (Numbers{3}));
  EXPECT_EQ(outputs["b"].floats(), (Numbers{4}));
  EXPECT_EQ(outputs["opt.step"].integers(), (Integers{0}));
  EXPECT_EQ(outputs["state.x"].floats(), (Numbers{0}));
  EXPECT_EQ(outputs["state.age"].integers(), (Integers{-1}));
  EXPECT_EQ(outputs["state.frame"].integers(), (Integers{0}));
  EXPECT_EQ(outputs["flags"].integers(), (Integers{1}));
}

TEST(Step, IndexOutOfRangeSetsAFlag) { // N3
  std::string text = R"(
    rnn.step @f eval of @n (%i: tensor<i32>) -> (y: tensor<f32>) {
      %t = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
      %y = rnn.gather %t, %i : (tensor<2xf32>, tensor<i32>) -> tensor<f32>
      rnn.output %y : tensor<f32>
    })";
  EXPECT_EQ(run(text, {{"i", integers({2, 1}, {1, 0})}}, 2)["flags"].integers(), (Integers{0}));
  TensorMap outputs = run(text, {{"i", integers({2, 1}, {1, 2})}}, 2);
  EXPECT_EQ(outputs["flags"].integers(), (Integers{2}));
  EXPECT_EQ(outputs["y"].floats(), (Numbers{2, 0}));
}

} // namespace
