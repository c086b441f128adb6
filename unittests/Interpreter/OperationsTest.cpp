//===- OperationsTest.cpp - What each op computes -------------------------===//
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

/// The result of a body on no arguments.
Tensor value(const std::string &type, const std::string &body) { return run(network("", type, body), {}, 1)["y"]; }

/// The result of a body on %x, a vector of floats.
Numbers apply(const std::string &op, Numbers x) {
  std::string type = "tensor<" + std::to_string(x.size()) + "xf64>";
  int64_t size = x.size();
  return run(network("%x: " + type, type, "%y = " + op + " %x : " + type), {{"x", floats({1, 1, size}, x)}}, 1)["y"]
      .floats();
}

TEST(Operations, Elementwise) {
  EXPECT_EQ(apply("arith.negf", {1, -2}), (Numbers{-1, 2}));
  EXPECT_EQ(apply("math.absf", {1, -2}), (Numbers{1, 2}));
  EXPECT_EQ(apply("math.sqrt", {4, 0.25}), (Numbers{2, 0.5}));
  EXPECT_EQ(apply("math.rsqrt", {4, 0.25}), (Numbers{0.5, 2}));
  EXPECT_EQ(apply("math.exp", {0, 1}), (Numbers{1, std::exp(1.0)}));
  EXPECT_EQ(apply("rnn.sigmoid", {0, 1000, -1000}), (Numbers{0.5, 1, 0}));
  EXPECT_EQ(apply("rnn.softplus", {0, 1000, -1000}), (Numbers{std::log(2.0), 1000, 0}));
  EXPECT_EQ(apply("rnn.stop_gradient", {3}), (Numbers{3}));
}

TEST(Operations, ConstantsOfF32AreWidened) {
  EXPECT_EQ(value("tensor<f32>", "%y = arith.constant dense<0.1> : tensor<f32>").floats()[0], double(0.1f));
  EXPECT_EQ(value("tensor<2xi8>", "%y = arith.constant dense<[-1, 127]> : tensor<2xi8>").integers(),
            (Integers{-1, 127}));
  EXPECT_EQ(value("tensor<2xi1>", "%y = arith.constant dense<[true, false]> : tensor<2xi1>").integers(),
            (Integers{1, 0}));
}

TEST(Operations, IntegersWrapAround) {
  EXPECT_EQ(value("tensor<i8>", R"(
    %a = arith.constant dense<127> : tensor<i8>
    %y = arith.addi %a, %a : tensor<i8>)")
                .integers(),
            (Integers{-2}));
  EXPECT_EQ(value("tensor<i32>", R"(
    %a = arith.constant dense<65536> : tensor<i32>
    %b = arith.muli %a, %a : tensor<i32>
    %c = arith.constant dense<2147483647> : tensor<i32>
    %y = rnn.sum %b, %c, %c, %c : tensor<i32>)")
                .integers(),
            (Integers{2147483645}));
  EXPECT_EQ(value("tensor<i64>", R"(
    %a = arith.constant dense<[9223372036854775807, 2]> : tensor<2xi64>
    %b = arith.constant dense<[2, 5]> : tensor<2xi64>
    %y = rnn.contract %a, %b [(d0) -> (d0), (d0) -> (d0), (d0) -> ()] : (tensor<2xi64>, tensor<2xi64>) -> tensor<i64>)")
                .integers(),
            (Integers{8}));
}

TEST(Operations, ComparisonsAndSelect) {
  EXPECT_EQ(value("tensor<3xf32>", R"(
    %a = arith.constant dense<[1.0, 2.0, 0x7fc00000]> : tensor<3xf32>
    %b = arith.constant dense<2.0> : tensor<3xf32>
    %c = arith.cmpf olt, %a, %b : tensor<3xf32>
    %y = arith.select %c, %a, %b : tensor<3xi1>, tensor<3xf32>)")
                .floats(),
            (Numbers{1, 2, 2}));
  // As signed numbers of one bit, true is -1.
  EXPECT_EQ(value("tensor<4xi1>", R"(
    %a = arith.constant dense<[true, true, false, false]> : tensor<4xi1>
    %b = arith.constant dense<[true, false, true, false]> : tensor<4xi1>
    %y = arith.cmpi slt, %a, %b : tensor<4xi1>)")
                .integers(),
            (Integers{0, 1, 0, 0}));
  EXPECT_EQ(value("tensor<2xi1>", R"(
    %a = arith.constant dense<[-1, 1]> : tensor<2xi32>
    %b = arith.constant dense<0> : tensor<2xi32>
    %y = arith.cmpi ugt, %a, %b : tensor<2xi32>)")
                .integers(),
            (Integers{1, 1}));
}

TEST(Operations, Conversions) {
  EXPECT_EQ(value("tensor<2xf32>", R"(
    %a = arith.constant dense<[-3, 4]> : tensor<2xi32>
    %y = arith.sitofp %a : tensor<2xi32> to tensor<2xf32>)")
                .floats(),
            (Numbers{-3, 4}));
  EXPECT_EQ(value("tensor<2xf32>", R"(
    %a = arith.constant dense<[true, false]> : tensor<2xi1>
    %y = arith.uitofp %a : tensor<2xi1> to tensor<2xf32>)")
                .floats(),
            (Numbers{1, 0}));
  EXPECT_EQ(value("tensor<f64>", R"(
    %a = arith.constant dense<-1> : tensor<i8>
    %y = arith.uitofp %a : tensor<i8> to tensor<f64>)")
                .floats(),
            (Numbers{255}));
}

TEST(Operations, Contract) {
  std::string operands = R"(
    %a = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %b = arith.constant dense<[10.0, 100.0]> : tensor<2xf32>
  )";
  EXPECT_EQ(value("tensor<2xf32>", operands + R"(
    %y = rnn.contract %a, %b [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)]
       : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32>)")
                .floats(),
            (Numbers{210, 430}));
  EXPECT_EQ(value("tensor<2xf32>", operands + R"(
    %y = rnn.contract %b, %a [(d0, d1) -> (d0), (d0, d1) -> (d0, d1), (d0, d1) -> (d1)]
       : (tensor<2xf32>, tensor<2x2xf32>) -> tensor<2xf32>)")
                .floats(),
            (Numbers{310, 420}));
  EXPECT_EQ(value("tensor<2x2xf32>", operands + R"(
    %y = rnn.contract %b, %b [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d1, d0)]
       : (tensor<2xf32>, tensor<2xf32>) -> tensor<2x2xf32>)")
                .floats(),
            (Numbers{100, 1000, 1000, 10000}));
  EXPECT_EQ(value("tensor<2xf32>", operands + R"(
    %y = rnn.linear %b, %a, %b : (tensor<2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32>)")
                .floats(),
            (Numbers{220, 530}));
}

TEST(Operations, ReduceAndBroadcast) {
  std::string operand = "%a = arith.constant dense<[[1.0, 5.0, 2.0], [-3.0, -4.0, -9.0]]> : tensor<2x3xf32>\n";
  EXPECT_EQ(
      value("tensor<2xf32>", operand + "%y = rnn.reduce sum %a over [1] : tensor<2x3xf32> to tensor<2xf32>").floats(),
      (Numbers{8, -16}));
  EXPECT_EQ(
      value("tensor<2xf32>", operand + "%y = rnn.reduce max %a over [1] : tensor<2x3xf32> to tensor<2xf32>").floats(),
      (Numbers{5, -3}));
  EXPECT_EQ(
      value("tensor<3xf32>", operand + "%y = rnn.reduce sum %a over [0] : tensor<2x3xf32> to tensor<3xf32>").floats(),
      (Numbers{-2, 1, -7}));
  EXPECT_EQ(value("tensor<3x2xf32>", R"(
    %a = arith.constant dense<[7.0, 8.0]> : tensor<2xf32>
    %y = rnn.broadcast %a along [0] : tensor<2xf32> to tensor<3x2xf32>)")
                .floats(),
            (Numbers{7, 8, 7, 8, 7, 8}));
  EXPECT_EQ(value("tensor<2x2xf32>", R"(
    %a = arith.constant dense<[7.0, 8.0]> : tensor<2xf32>
    %y = rnn.broadcast %a along [1] : tensor<2xf32> to tensor<2x2xf32>)")
                .floats(),
            (Numbers{7, 7, 8, 8}));
}

TEST(Operations, GatherAndScatter) { // N3
  EXPECT_EQ(value("tensor<3x2xf32>", R"(
    %t = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %i = arith.constant dense<[1, 2, -1]> : tensor<3xi32>
    %y = rnn.gather %t, %i : (tensor<2x2xf32>, tensor<3xi32>) -> tensor<3x2xf32>)")
                .floats(),
            (Numbers{3, 4, 0, 0, 0, 0}));
  EXPECT_EQ(value("tensor<3xf32>", R"(
    %u = arith.constant dense<[1.0, 10.0, 100.0, 1000.0]> : tensor<4xf32>
    %i = arith.constant dense<[2, 0, 2, 3]> : tensor<4xi64>
    %y = rnn.scatter_add %u, %i : (tensor<4xf32>, tensor<4xi64>) -> tensor<3xf32>)")
                .floats(),
            (Numbers{10, 0, 101}));
}

TEST(Operations, Reshaping) {
  std::string operand = "%a = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>\n";
  EXPECT_EQ(value("tensor<2x2xf32>",
                  operand + "%y = tensor.extract_slice %a[0, 0] [2, 2] [1, 2] : tensor<2x3xf32> to tensor<2x2xf32>")
                .floats(),
            (Numbers{1, 3, 4, 6}));
  EXPECT_EQ(value("tensor<2xf32>",
                  operand + "%y = tensor.extract_slice %a[0, 1] [2, 1] [1, 1] : tensor<2x3xf32> to tensor<2xf32>")
                .floats(),
            (Numbers{2, 5}));
  EXPECT_EQ(value("tensor<2x3xf32>", operand + R"(
    %b = arith.constant dense<[7.0, 8.0]> : tensor<2xf32>
    %y = tensor.insert_slice %b into %a[1, 1] [1, 2] [1, 1] : tensor<2xf32> into tensor<2x3xf32>)")
                .floats(),
            (Numbers{1, 2, 3, 4, 7, 8}));
  EXPECT_EQ(value("tensor<2x4xf32>", operand + R"(
    %b = arith.constant dense<[[7.0], [8.0]]> : tensor<2x1xf32>
    %y = tensor.concat dim(1) %a, %b : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>)")
                .floats(),
            (Numbers{1, 2, 3, 7, 4, 5, 6, 8}));
  EXPECT_EQ(
      value("tensor<6xf32>", operand + "%y = tensor.collapse_shape %a [[0, 1]] : tensor<2x3xf32> into tensor<6xf32>")
          .floats(),
      (Numbers{1, 2, 3, 4, 5, 6}));
}

TEST(Operations, CompositesAndCallsAreWrittenOut) {
  // One unit with all weights 1 and no bias: gates of x + h[t-1].
  Program program(R"(
    rnn.parameter @l0.wx : tensor<4x1xf32> init(#rnn.zeros)
    rnn.parameter @l0.wh : tensor<4x1xf32> init(#rnn.zeros)
    rnn.parameter @l0.b : tensor<4xf32> init(#rnn.zeros)
    rnn.network @cell(%x: tensor<1xf32>) -> (h: tensor<1xf32>, c: tensor<1xf32>) {
      %h, %c = rnn.lstm "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) : tensor<1xf32> -> tensor<1xf32>
      rnn.output %h, %c : tensor<1xf32>, tensor<1xf32>
    }
    rnn.network @f(%x: tensor<1xf32>) -> (h: tensor<1xf32>, c: tensor<1xf32>) {
      %h, %c = rnn.call "a" @cell(%x) : (tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>)
      rnn.output %h, %c : tensor<1xf32>, tensor<1xf32>
    })");
  TensorMap outputs = program.run("f",
                                  {{"x", floats({2, 1, 1}, {0.5, -1})},
                                   {"l0.wx", floats({4, 1}, {1, 1, 1, 1})},
                                   {"l0.wh", floats({4, 1}, {1, 1, 1, 1})},
                                   {"l0.b", floats({4}, {0, 0, 0, 0})}},
                                  2);
  ASSERT_EQ(program.error, "");
  double h = 0, c = 0;
  for (auto [t, x] : llvm::enumerate(Numbers{0.5, -1})) {
    double z = x + h, gate = 1 / (1 + std::exp(-z));
    c = gate * c + gate * std::tanh(z);
    h = gate * std::tanh(c);
    EXPECT_NEAR(outputs["h"].floats()[t], h, 1e-15);
    EXPECT_NEAR(outputs["c"].floats()[t], c, 1e-15);
  }
  EXPECT_EQ(outputs.count("state.a.l0.h"), 1u);
}

TEST(Operations, PerturbationIsSmallAndSeeded) {
  auto perturbed = [](const std::string &type, uint64_t seed) {
    Program program(network("%x: " + type, type, "%y = arith.addf %x, %x : " + type));
    InterpreterOptions options;
    options.perturbUlps = 1;
    options.perturbSeed = seed;
    return program.run("f", {{"x", floats({1, 1}, {1.5})}}, 1, 1, options)["y"].floats()[0];
  };
  EXPECT_NE(perturbed("tensor<f64>", 1), 3);
  EXPECT_NEAR(perturbed("tensor<f64>", 1), 3, 3 * 0x1p-52);
  EXPECT_NE(perturbed("tensor<f32>", 1), 3);
  EXPECT_NEAR(perturbed("tensor<f32>", 1), 3, 3 * 0x1p-24);
  EXPECT_EQ(perturbed("tensor<f32>", 1), perturbed("tensor<f32>", 1));
  EXPECT_NE(perturbed("tensor<f32>", 1), perturbed("tensor<f32>", 2));
}

TEST(Operations, PerturbationKnowsSubnormalNumbers) {
  auto perturbed = [](double x, uint64_t seed) {
    Program program(network("%x: tensor<f32>", "tensor<f32>", "%y = arith.mulf %x, %x : tensor<f32>"));
    InterpreterOptions options;
    options.perturbUlps = 1;
    options.perturbSeed = seed;
    return program.run("f", {{"x", floats({1, 1}, {x})}}, 1, 1, options)["y"].floats()[0];
  };
  // The square, 2^-160, is less than half the smallest number of f32: it may become 0, or at most that half.
  bool becomesZero = false;
  for (uint64_t seed = 1; seed <= 16; ++seed) {
    double y = perturbed(0x1p-80, seed);
    EXPECT_TRUE(y >= 0 && y <= 0x1p-160 + 0x1p-150);
    becomesZero |= y == 0;
    EXPECT_EQ(perturbed(0, seed), 0);
  }
  EXPECT_TRUE(becomesZero);
}

} // namespace
