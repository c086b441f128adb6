//===- AffineRecurrenceTest.cpp - Loops that can run as scans -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/AffineRecurrence.h"
#include "ParseNetwork.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::rnn;

namespace {

/// `scan <order>`, or the op in the way and why, of the only loop of a network. %a, %b, %x are signals of 4 units, %p
/// is an i1 signal, %w a matrix; `body` computes %h.
std::string judge(const std::string &body) {
  ParsedModule parsed(R"(
    rnn.network @n(%a: tensor<4xf32>, %b: tensor<4xf32>, %x: tensor<4xf32>, %p: tensor<4xi1>, %w: tensor<4x4xf32>)
        -> (h: tensor<4xf32>) {
  )" + body + R"(
      rnn.output %h : tensor<4xf32>
    })");
  if (!parsed.function)
    return "does not parse";
  RecurrenceAnalysis analysis(parsed.function);
  std::string text;
  for (const Component &component : analysis.getComponents()) {
    if (!component.isRecurrent())
      continue;
    AffineRecurrence affine = findAffineRecurrence(analysis, component);
    text += affine.isScan() ? "scan " + std::to_string(affine.order)
                            : (affine.obstacle->getName().getStringRef() + " " + affine.reason).str();
  }
  return text;
}

/// A loop around one op that reads the older value %h1.
std::string judgeOp(const std::string &op) { return judge("%h1 = rnn.delay %h by 1 : tensor<4xf32>\n%h = " + op); }

TEST(AffineRecurrence, AcceptsAffineOps) {
  for (const char *op :
       {"arith.addf %h1, %h1 : tensor<4xf32>", "arith.subf %a, %h1 : tensor<4xf32>", "arith.negf %h1 : tensor<4xf32>",
        "arith.mulf %h1, %a : tensor<4xf32>", "arith.mulf %a, %h1 : tensor<4xf32>",
        "arith.divf %h1, %a : tensor<4xf32>", "rnn.sum %a, %h1, %b, %h1 : tensor<4xf32>",
        "rnn.stop_gradient %h1 : tensor<4xf32>", "arith.select %p, %h1, %a : tensor<4xi1>, tensor<4xf32>",
        "rnn.contract %a, %h1 [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] : (tensor<4xf32>, tensor<4xf32>) -> "
        "tensor<4xf32>",
        // The row sums of %w times %h1.
        "rnn.contract %w, %h1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d0), (d0, d1) -> (d0)]"
        " : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>"})
    EXPECT_EQ(judgeOp(op), "scan 1") << op;
}

TEST(AffineRecurrence, NamesTheObstacle) {
  std::pair<const char *, const char *> cases[] = {
      {"math.tanh %h1 : tensor<4xf32>", "math.tanh is not affine"},
      {"arith.maximumf %h1, %a : tensor<4xf32>", "arith.maximumf is not affine"},
      {"arith.mulf %h1, %h1 : tensor<4xf32>", "arith.mulf multiplies two values of the loop"},
      {"arith.divf %a, %h1 : tensor<4xf32>", "arith.divf divides by a value of the loop"},
      {"rnn.contract %w, %h1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)]"
       " : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>",
       "rnn.contract mixes units"},
      {"rnn.contract %h1, %h1 [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] : (tensor<4xf32>, tensor<4xf32>) -> "
       "tensor<4xf32>",
       "rnn.contract multiplies two values of the loop"},
      {"rnn.linear %h1, %w : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>", "rnn.linear mixes units"}};
  for (auto [op, expected] : cases)
    EXPECT_EQ(judgeOp(op), expected) << op;
  EXPECT_EQ(judge(R"(
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %q = arith.cmpf olt, %h1, %a : tensor<4xf32>
    %h = arith.select %q, %a, %b : tensor<4xi1>, tensor<4xf32>)"),
            "arith.cmpf is not affine");
  EXPECT_EQ(judge(R"(
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %s = rnn.reduce sum %h1 over [0] : tensor<4xf32> to tensor<f32>
    %r = rnn.broadcast %s along [0] : tensor<f32> to tensor<4xf32>
    %h = arith.addf %r, %a : tensor<4xf32>)"),
            "rnn.reduce mixes units");
  EXPECT_EQ(judge(R"(
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %l = tensor.extract_slice %h1[0] [2] [1] : tensor<4xf32> to tensor<2xf32>
    %h = tensor.concat dim(0) %l, %l : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>)"),
            "tensor.extract_slice mixes units");
}

/// What only enters the loop may be anything.
TEST(AffineRecurrence, LooksAtTheLoopAlone) {
  EXPECT_EQ(judge(R"(
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %f = rnn.sigmoid %a : tensor<4xf32>
    %k = arith.mulf %f, %h1 : tensor<4xf32>
    %t = math.tanh %x : tensor<4xf32>
    %h = rnn.sum %k, %t : tensor<4xf32>)"),
            "scan 1");
}

/// Coefficient first, delay after it, as in an adjoint; and the delay of a delay's init.
TEST(AffineRecurrence, DelayAnywhereOnTheCycle) {
  EXPECT_EQ(judge(R"(
    %q = arith.mulf %a, %h : tensor<4xf32>
    %q1 = rnn.delay %q by -1 local : tensor<4xf32>
    %h = arith.addf %x, %q1 : tensor<4xf32>)"),
            "scan 1");
  EXPECT_EQ(judge(R"(
    %h1 = rnn.delay %h by 1 init(%h2) : tensor<4xf32>
    %h2 = rnn.delay %h by 3 : tensor<4xf32>
    %h = arith.addf %x, %h1 : tensor<4xf32>)"),
            "scan 3");
}

/// The order counts the frames of every delayed source once.
TEST(AffineRecurrence, Order) {
  EXPECT_EQ(judge(R"(
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %h4 = rnn.delay %h by 4 : tensor<4xf32>
    %g2 = rnn.delay %g by 2 : tensor<4xf32>
    %g = arith.addf %h1, %x : tensor<4xf32>
    %h = rnn.sum %h1, %h4, %g2 : tensor<4xf32>)"),
            "scan 6");
}

} // namespace
