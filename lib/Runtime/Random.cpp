//===- Random.cpp - Counter-based random numbers --------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Random.h"
#include "rnn/Runtime/NormalQuantile.h"

#include <cmath>
#include <cstring>

namespace mlir::rnn::runtime {

PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(0xD2511F53) * counter[0];
    uint64_t p1 = uint64_t(0xCD9E8D57) * counter[2];
    counter = {uint32_t(p1 >> 32) ^ counter[1] ^ key[0], uint32_t(p1), uint32_t(p0 >> 32) ^ counter[3] ^ key[1],
               uint32_t(p0)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

PhiloxKey randomKey(uint32_t id, uint64_t seed) {
  constexpr uint32_t rnn1 = 'R' | 'N' << 8 | 'N' << 16 | '1' << 24;
  PhiloxCounter words = philox({id, 0, 0, rnn1}, {uint32_t(seed), uint32_t(seed >> 32)});
  return {words[0], words[1]};
}

uint32_t randomWord(PhiloxKey key, uint32_t unit, uint32_t stream, uint64_t time) {
  PhiloxCounter words = philox({unit >> 2, stream, uint32_t(time), uint32_t(time >> 32)}, key);
  return words[unit & 3];
}

double toUniform(uint32_t word) { return double(word >> 8) * 0x1p-24; }

double toNormal(uint32_t word) { return normalQuantile((double(word >> 8) + 0.5) * 0x1p-24); }

// x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s) for
// s = (m - 1) / (m + 1), |s| < 0.1716, by its power series.
double portableLog(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  int exponent = int(bits >> 52) - 1023;
  bits = (bits & 0x000fffffffffffff) | 0x3ff0000000000000;
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  double s = (m - 1) / (m + 1);
  double z = s * s;
  double series = 0;
  for (int k = 25; k >= 3; k -= 2)
    series = (series + 1.0 / k) * z;
  return exponent * kLn2High + (2 * s + (2 * s * series + exponent * kLn2Low));
}

namespace {

/// (c0 + c1 r + ... + c7 r^7) by Horner's rule.
double polynomial(const double (&c)[8], double r) {
  double value = c[7];
  for (int i = 6; i >= 0; --i)
    value = value * r + c[i];
  return value;
}

} // namespace

double normalQuantile(double p) {
  using C = NormalQuantile;
  double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    double r = 0.180625 - q * q;
    return q * polynomial(C::kCentreNum, r) / polynomial(C::kCentreDen, r);
  }
  double r = std::sqrt(-portableLog(q < 0 ? p : 1 - p));
  double tail = r <= 5 ? polynomial(C::kNearNum, r - 1.6) / polynomial(C::kNearDen, r - 1.6)
                       : polynomial(C::kFarNum, r - 5) / polynomial(C::kFarDen, r - 5);
  return q < 0 ? -tail : tail;
}

} // namespace mlir::rnn::runtime
