//===- RandomTest.cpp - Random numbers and first values -------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Random.h"
#include "rnn/Runtime/Initializers.h"
#include "rnn/Runtime/Sha256.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

using namespace mlir::rnn::runtime;

namespace {

TEST(Sha256, KnownDigests) {
  auto hex = [](const std::string &text) { return toHex(sha256(text.data(), text.size())); };
  EXPECT_EQ(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// The vectors that the authors of Philox publish for 4x32 with 10 rounds.
TEST(Random, PhiloxKnownAnswers) {
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, WordsAreAddressed) {
  PhiloxKey key = randomKey(7, 0x123456789abcdef0);
  EXPECT_EQ(key[0], philox({7, 0, 0, 0x314e4e52}, {0x9abcdef0, 0x12345678})[0]);
  EXPECT_EQ(randomWord(key, 6, 2, 0x500000003), philox({1, 2, 3, 5}, key)[2]);
  EXPECT_NE(randomKey(8, 0), randomKey(7, 0));
}

TEST(Random, LogarithmAgainstLibrary) {
  double worst = 0;
  for (int i = 1; i < 200000; ++i) {
    double x = i * 0x1p-17;
    double expected = std::log(x);
    double ulp = std::nextafter(std::abs(expected), INFINITY) - std::abs(expected);
    worst = std::max(worst, std::abs(portableLog(x) - expected) / ulp);
  }
  EXPECT_LT(worst, 2.0);
  EXPECT_EQ(portableLog(1), 0);
  EXPECT_NEAR(portableLog(0x1p-1000), -1000 * std::log(2), 1e-12);
  EXPECT_NEAR(portableLog(0x1p1000), 1000 * std::log(2), 1e-12);
}

// Q inverts the distribution function, in the centre and in both tails.
TEST(Random, QuantileInvertsDistribution) {
  for (double p : {0x1p-25, 1e-7, 1e-5, 0.01, 0.07, 0.08, 0.3, 0.5, 0.7, 0.925, 0.99, 1 - 0x1p-20}) {
    double q = normalQuantile(p);
    EXPECT_NEAR(0.5 * std::erfc(-q / std::sqrt(2.0)) / p, 1, 1e-13) << p;
    EXPECT_NEAR(normalQuantile(1 - p), -q, 1e-9 * (1 + std::abs(q))) << p;
  }
  EXPECT_EQ(normalQuantile(0.5), 0);
  EXPECT_NEAR(normalQuantile(1e-20), -9.262340089798408, 1e-14);
}

Variable variable(std::string name, std::vector<int64_t> shape, Initializer init, DType dtype = DType::F64) {
  Variable v;
  v.name = std::move(name);
  v.dtype = dtype;
  v.shape = std::move(shape);
  v.init = init;
  return v;
}

TEST(Initializers, UniformStaysInItsBounds) {
  Initializer init;
  init.kind = Initializer::Kind::Uniform;
  std::vector<double> values = initialValues(variable("wx", {256, 16}, init), 3);
  double sum = 0, low = 1, high = -1;
  for (double value : values) {
    sum += value;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  EXPECT_GE(low, -0.25);
  EXPECT_LT(high, 0.25);
  EXPECT_LT(low, -0.249);
  EXPECT_GT(high, 0.249);
  EXPECT_NEAR(sum / values.size(), 0, 0.01);
  // Element 5 by the rule, written out.
  uint32_t word = philox({1, 0, 0, 0}, randomKey(initializerId("wx"), 3))[1];
  EXPECT_EQ(values[5], -0.25 + 0.5 * ((word >> 8) / 16777216.0));
}

TEST(Initializers, NormalHasItsMoments) {
  Initializer init;
  init.kind = Initializer::Kind::Normal;
  init.mean = 1;
  init.deviation = 0.5;
  std::vector<double> values = initialValues(variable("wx", {400, 400}, init), 0);
  double moments[5] = {};
  for (double value : values)
    for (int k = 1; k <= 4; ++k)
      moments[k] += std::pow((value - 1) / 0.5, k) / values.size();
  EXPECT_NEAR(moments[1], 0, 0.01);
  EXPECT_NEAR(moments[2], 1, 0.015);
  EXPECT_NEAR(moments[3], 0, 0.03);
  EXPECT_NEAR(moments[4], 3, 0.1);
}

TEST(Initializers, NamesAndSeedsSeparateParameters) {
  Initializer init;
  init.kind = Initializer::Kind::Normal;
  std::vector<double> first = initialValues(variable("a", {8}, init), 0);
  EXPECT_EQ(first, initialValues(variable("a", {8}, init), 0));
  EXPECT_NE(first, initialValues(variable("b", {8}, init), 0));
  EXPECT_NE(first, initialValues(variable("a", {8}, init), 1));
  // SHA-256("abc") begins with ba 78 16 bf.
  EXPECT_EQ(initializerId("abc"), 0xbf1678bau);
}

/// Largest deviation of A A^T (wide) or A^T A (tall) from gain^2 times identity.
double orthogonalityError(const double *a, int64_t rows, int64_t columns, double gain) {
  bool wide = rows < columns;
  int64_t n = wide ? rows : columns, m = wide ? columns : rows;
  double worst = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < m; ++k)
        sum += wide ? a[i * columns + k] * a[j * columns + k] : a[k * columns + i] * a[k * columns + j];
      worst = std::max(worst, std::abs(sum - (i == j ? gain * gain : 0)));
    }
  return worst;
}

TEST(Initializers, OrthogonalBlocks) {
  struct Case {
    std::vector<int64_t> shape;
    int64_t blocks;
  };
  for (const Case &c : {Case{{16, 16}, 1}, {{64, 16}, 4}, {{40, 8}, 1}, {{8, 40}, 1}, {{12, 7}, 4}, {{3, 1}, 1}}) {
    Initializer init;
    init.kind = Initializer::Kind::Orthogonal;
    init.gain = 1.5;
    init.blocks = c.blocks;
    std::vector<double> values = initialValues(variable("wh", c.shape, init), 11);
    int64_t rows = c.shape[0] / c.blocks, columns = c.shape[1];
    for (int64_t b = 0; b < c.blocks; ++b)
      EXPECT_LT(orthogonalityError(values.data() + b * rows * columns, rows, columns, 1.5), 1e-13)
          << c.shape[0] << "x" << c.shape[1] << " block " << b;
  }
}

// Q R = A with a positive diagonal of R: then Q is the one.
TEST(Initializers, OrthogonalIsTheQOfTheDraws) {
  constexpr int64_t n = 6, m = 4;
  std::vector<double> a(n * m);
  for (int64_t i = 0; i < n * m; ++i)
    a[i] = std::sin(3.0 * i + 1);
  std::vector<double> q = a;
  orthonormalize(q, n, m);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < m; ++j) {
      double r = 0; // (Q^T A)(i, j)
      for (int64_t k = 0; k < n; ++k)
        r += q[k * m + i] * a[k * m + j];
      if (i > j) {
        EXPECT_NEAR(r, 0, 1e-14);
      } else if (i == j) {
        EXPECT_GT(r, 0);
      }
    }
}

TEST(Initializers, RoundedOnceAndWidened) {
  Initializer init;
  init.kind = Initializer::Kind::Normal;
  std::vector<double> exact = initialValues(variable("w", {64}, init), 0);
  init.roundToF32 = true;
  std::vector<double> rounded = initialValues(variable("w", {64}, init), 0);
  float stored[64];
  storeValues(exact, DType::F32, stored);
  bool differ = false;
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(rounded[i], double(stored[i]));
    differ |= rounded[i] != exact[i];
  }
  EXPECT_TRUE(differ);
}

} // namespace
