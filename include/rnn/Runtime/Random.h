//===- Random.h - Counter-based random numbers ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011): a number is a function of key and counter, so that it is the same
// on every target and for every number of threads. No function here calls libm
// but for sqrt, none may be compiled with contraction.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_RANDOM_H
#define RNN_RUNTIME_RANDOM_H

#include <array>
#include <cstdint>

namespace mlir::rnn::runtime {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

/// Philox4x32 with 10 rounds.
PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key);

/// The key of a random op or initializer: the first 64 bits of
/// Philox(counter (id, 0, 0, 'RNN1'), key seed); low word first. 'RNN1' is the
/// little-endian word of these four characters.
PhiloxKey randomKey(uint32_t id, uint64_t seed);

/// Random word of one element: word `unit & 3` of Philox(counter (unit >> 2,
/// stream, low and high word of `time`)). `time` is the absolute frame, or the
/// step number where the rate is static.
uint32_t randomWord(PhiloxKey key, uint32_t unit, uint32_t stream, uint64_t time);

/// Uniform in [0, 1): (word >> 8) * 2^-24, exact in f32.
double toUniform(uint32_t word);

/// Standard normal: the quantile of ((word >> 8) + 1/2) * 2^-24.
double toNormal(uint32_t word);

/// The standard normal quantile of p, 0 < p < 1, by Wichura's AS 241 (PPND16,
/// Applied Statistics 37, 1988): relative error about 1e-16.
double normalQuantile(double p);

/// Natural logarithm of a normal positive x, in +, -, *, / alone: error below
/// 2 ulp.
double portableLog(double x);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_RANDOM_H
