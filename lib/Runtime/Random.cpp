//===- Random.cpp - Counter-based random numbers --------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Random.h"

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
  constexpr double ln2High = 0x1.62e42fefa38p-1; // 42 bits: exact products
  constexpr double ln2Low = 0x1.ef35793c7673p-45;
  return exponent * ln2High + (2 * s + (2 * s * series + exponent * ln2Low));
}

namespace {

/// (c0 + c1 r + ... + c7 r^7) by Horner's rule.
double polynomial(const double (&c)[8], double r) {
  double value = c[7];
  for (int i = 6; i >= 0; --i)
    value = value * r + c[i];
  return value;
}

// Coefficients of AS 241: numerator and denominator for |p - 1/2| <= 0.425,
// for the near and for the far tail.
constexpr double kCentreNum[8] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                  1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                  3.3430575583588128105e4, 2.5090809287301226727e3};
constexpr double kCentreDen[8] = {1.0,
                                  4.2313330701600911252e1,
                                  6.8718700749205790830e2,
                                  5.3941960214247511077e3,
                                  2.1213794301586595867e4,
                                  3.9307895800092710610e4,
                                  2.8729085735721942674e4,
                                  5.2264952788528545610e3};
constexpr double kNearNum[8] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr double kNearDen[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
constexpr double kFarNum[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                               2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr double kFarDen[8] = {1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};

} // namespace

double normalQuantile(double p) {
  double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    double r = 0.180625 - q * q;
    return q * polynomial(kCentreNum, r) / polynomial(kCentreDen, r);
  }
  double r = std::sqrt(-portableLog(q < 0 ? p : 1 - p));
  double tail = r <= 5 ? polynomial(kNearNum, r - 1.6) / polynomial(kNearDen, r - 1.6)
                       : polynomial(kFarNum, r - 5) / polynomial(kFarDen, r - 5);
  return q < 0 ? -tail : tail;
}

} // namespace mlir::rnn::runtime
