//===- RecurrenceTest.cpp - What must run in time order -------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Recurrence.h"
#include "ParseNetwork.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"
#include "gtest/gtest.h"
#include <chrono>

using namespace mlir;
using namespace mlir::rnn;

namespace {

/// One word per component: kind, and the names of the ops in the order of a frame.
std::string summarize(const RecurrenceAnalysis &analysis) {
  std::string text;
  for (const Component &component : analysis.getComponents()) {
    text += stringifyComponentKind(component.kind).str() + "(";
    for (Operation *op : component.ops)
      text += (op == component.ops.front() ? "" : " ") + op->getName().getStringRef().str();
    text += ") ";
  }
  return text;
}

std::string showCycle(const Component &component, RNNFunctionInterface function) {
  SignalNames names(function);
  std::string text;
  for (Value value : component.cycle)
    text += names.getName(value) + " ";
  return text;
}

/// The one recurrent component.
const Component &getLoop(const RecurrenceAnalysis &analysis) {
  const Component *loop = nullptr;
  for (const Component &component : analysis.getComponents())
    if (component.isRecurrent()) {
      EXPECT_EQ(loop, nullptr) << "one loop expected";
      loop = &component;
    }
  EXPECT_NE(loop, nullptr);
  return *loop;
}

constexpr const char *kElman = R"(
  rnn.parameter @wx : tensor<4x3xf32> init(#rnn.zeros)
  rnn.parameter @wh : tensor<4x4xf32> init(#rnn.zeros)
  rnn.network @n(%x: tensor<3xf32>) -> (y: tensor<4xf32>) {
    %y = math.exp %h : tensor<4xf32>
    %h = math.tanh %s : tensor<4xf32>
    %s = rnn.sum %gx, %gh : tensor<4xf32>
    %wx = rnn.param @wx : tensor<4x3xf32>
    %wh = rnn.param @wh : tensor<4x4xf32>
    %gx = rnn.linear %x, %wx : (tensor<3xf32>, tensor<4x3xf32>) -> tensor<4xf32>
    %gh = rnn.linear %h1, %wh : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    rnn.output %y : tensor<4xf32>
  })";

TEST(RecurrenceTest, ElmanIsOneLoop) {
  ParsedModule parsed(kElman);
  ASSERT_TRUE(parsed.function);
  RecurrenceAnalysis analysis(parsed.function);
  EXPECT_EQ(summarize(analysis), "static(rnn.param) static(rnn.param) parallel(rnn.linear) "
                                 "recurrent(rnn.delay rnn.linear rnn.sum math.tanh) parallel(math.exp) ");
  const Component &loop = getLoop(analysis);
  EXPECT_EQ(loop.direction, Direction::Causal);
  EXPECT_EQ(loop.domain, Domain::Chunk);
  EXPECT_EQ(loop.stages, 1u);
  EXPECT_EQ(loop.cycleDelay, 1);
  EXPECT_EQ(loop.delays.size(), 1u);
  EXPECT_EQ(showCycle(loop, parsed.function), "%h %7 %6 %2 ") << "values without a recorded name are numbered";
  EXPECT_EQ(loop.flops, 2u * 4 * 4 + 4 + 4);
  EXPECT_EQ(loop.bytes, 4u * 4 + 4 * 4) << "%gx enters, %h leaves, the weight is not per frame";
}

TEST(RecurrenceTest, GruWithResetBeforeTheProductHasTwoStages) {
  ParsedModule parsed(R"(
    rnn.parameter @wr : tensor<4x4xf32> init(#rnn.zeros)
    rnn.parameter @wn : tensor<4x4xf32> init(#rnn.zeros)
    rnn.network @n(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
      %h1 = rnn.delay %h by 1 : tensor<4xf32>
      %wr = rnn.param @wr : tensor<4x4xf32>
      %wn = rnn.param @wn : tensor<4x4xf32>
      %ur = rnn.linear %h1, %wr : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
      %r = rnn.sigmoid %ur : tensor<4xf32>
      %rh = arith.mulf %r, %h1 : tensor<4xf32>
      %un = rnn.linear %rh, %wn : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
      %s = rnn.sum %un, %x : tensor<4xf32>
      %h = math.tanh %s : tensor<4xf32>
      rnn.output %h : tensor<4xf32>
    })");
  ASSERT_TRUE(parsed.function);
  EXPECT_EQ(getLoop(RecurrenceAnalysis(parsed.function)).stages, 2u);
}

TEST(RecurrenceTest, ElementwiseLoopHasNoStage) {
  ParsedModule parsed(R"(
    rnn.network @n(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
      %h1 = rnn.delay %h by -3 : tensor<4xf32>
      %h = arith.addf %x, %h1 : tensor<4xf32>
      rnn.output %h : tensor<4xf32>
    })");
  ASSERT_TRUE(parsed.function);
  RecurrenceAnalysis analysis(parsed.function);
  const Component &loop = getLoop(analysis);
  EXPECT_EQ(loop.stages, 0u);
  EXPECT_EQ(loop.direction, Direction::Anticausal);
  EXPECT_EQ(loop.cycleDelay, 3);
}

TEST(RecurrenceTest, CoupledLoopsAndTheShortestCycle) {
  ParsedModule parsed(R"(
    rnn.network @n(%x: tensor<4xf32>) -> (a: tensor<4xf32>, b: tensor<4xf32>) {
      %a3 = rnn.delay %a by 3 : tensor<4xf32>
      %b1 = rnn.delay %b by 1 : tensor<4xf32>
      %a = rnn.sum %x, %a3, %b1 : tensor<4xf32>
      %b = arith.addf %a, %x : tensor<4xf32>
      rnn.output %a, %b : tensor<4xf32>, tensor<4xf32>
    })");
  ASSERT_TRUE(parsed.function);
  RecurrenceAnalysis analysis(parsed.function);
  const Component &loop = getLoop(analysis);
  EXPECT_EQ(loop.delays.size(), 2u);
  EXPECT_EQ(loop.cycleDelay, 1);
  EXPECT_EQ(loop.cycle.size(), 3u);
  EXPECT_EQ(showCycle(loop, parsed.function).substr(0, 3), "%b ");
}

TEST(RecurrenceTest, AnInitInsideTheLoopComesBeforeItsDelay) {
  ParsedModule parsed(R"(
    rnn.network @n(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
      %d = rnn.delay %x by 2 init(%i) : tensor<4xf32>
      %h1 = rnn.delay %h by 1 : tensor<4xf32>
      %h = arith.addf %d, %d : tensor<4xf32>
      %i = math.tanh %h1 : tensor<4xf32>
      rnn.output %h : tensor<4xf32>
    })");
  ASSERT_TRUE(parsed.function);
  RecurrenceAnalysis analysis(parsed.function);
  EXPECT_EQ(summarize(analysis), "recurrent(rnn.delay math.tanh rnn.delay arith.addf) ");
  EXPECT_EQ(getLoop(analysis).delays.size(), 1u) << "the delay of %x carries nothing of the loop";
}

TEST(RecurrenceTest, ReductionsAndStaticWork) {
  ParsedModule parsed(R"(
    rnn.parameter @w : tensor<f32> init(#rnn.zeros)
    rnn.step @s train of @n (%x: tensor<f32>, %lr: tensor<f32> {rnn.rate = "static"}) -> (loss: tensor<f32> {rnn.rate = "static"}) {
      %w = rnn.param @w : tensor<f32>
      %e = arith.mulf %x, %w : tensor<f32>
      %loss = rnn.sum_frames %e : tensor<f32>
      %new = arith.mulf %loss, %lr : tensor<f32>
      rnn.assign @w, %new : tensor<f32>
      rnn.output %loss : tensor<f32>
    }
    rnn.network @n() -> () { rnn.output })");
  ASSERT_TRUE(parsed.function);
  RecurrenceAnalysis analysis(parsed.function);
  EXPECT_EQ(summarize(analysis), "static(rnn.param) parallel(arith.mulf) reduction(rnn.sum_frames) "
                                 "static(arith.mulf) static(rnn.assign) ");
  EXPECT_EQ(analysis.getComponents()[2].domain, Domain::Chunk);
}

/// A chain of `length` ops, written from the last to the first, closed by one delay.
std::string makeReversedRing(unsigned length) {
  std::string text = "rnn.network @n(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {\n";
  llvm::raw_string_ostream os(text);
  for (unsigned i = length; i > 0; --i)
    os << "%v" << i << " = arith.addf %v" << i - 1 << ", %x : tensor<4xf32>\n";
  os << "%v0 = rnn.delay %v" << length << " by 1 : tensor<4xf32>\nrnn.output %v" << length << " : tensor<4xf32>\n}";
  return text;
}

TEST(RecurrenceTest, TwentyThousandOpsTakeLinearTime) {
  ParsedModule parsed(makeReversedRing(20000));
  ASSERT_TRUE(parsed.function);
  auto begin = std::chrono::steady_clock::now();
  RecurrenceAnalysis analysis(parsed.function);
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(getLoop(analysis).ops.size(), 20001u);
  EXPECT_TRUE(isa<DelayOp>(getLoop(analysis).ops.front()));
  EXPECT_LT(seconds.count(), 1.0);
}

} // namespace
