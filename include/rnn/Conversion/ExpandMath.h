//===- ExpandMath.h - Elementary functions as plain arithmetic ----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Builders of branch-free sequences of `arith` operations and `math.fma`,
// `math.absf`, `math.copysign`, `math.sqrt` (each one instruction) for the
// elementary functions. CPU and GPU paths share them, so that every target
// gives the same bits. All take an f32 or f64 scalar, vector or tensor of
// static shape and return the same type; they need no fast-math flags, handle
// infinities, NaN, signed zeros and denormals, and never trap.
//
// Largest errors in ulp, asserted by unittests/Conversion/ExpandMathTest.cpp:
//
//   | function         | f32 | f64 | remark                                 |
//   |------------------|-----|-----|----------------------------------------|
//   | exp              | 1.1 | 1   |                                        |
//   | log              | 1.5 | 1.5 |                                        |
//   | log1p            | 2   | 2   |                                        |
//   | tanh             | 2   | 2   |                                        |
//   | sigmoid          | 2.3 | 2.3 | denormal results included              |
//   | softplus         | 2   | 2   |                                        |
//   | erf              | 1.5 | 1.5 |                                        |
//   | sin, cos         | 1   | 1   | NaN for abs(x) > 2^50                  |
//   | rsqrt            | 1.5 | 1.5 |                                        |
//
// `buildPow` with exponent c: 1 + abs(c) ulp for integers up to 64 and normal
// intermediate results; otherwise 1 ulp in f32 and 2 + 1.5 * abs(c * log(x)) ulp in f64.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_EXPANDMATH_H
#define RNN_CONVERSION_EXPANDMATH_H

#include "mlir/IR/Builders.h"

namespace mlir::rnn {

/// Marks an `arith.divf` whose divisor is at least 1 and far from overflow: a
/// target may leave out what a division does for other divisors.
inline constexpr llvm::StringLiteral kPlainDivision = "rnn.plain_division";

/// e to the power of `x`.
Value buildExp(OpBuilder &builder, Location loc, Value x);
/// Natural logarithm: NaN below zero, -inf at zero.
Value buildLog(OpBuilder &builder, Location loc, Value x);
/// log(1 + x), exact to rounding near zero.
Value buildLog1p(OpBuilder &builder, Location loc, Value x);
/// Hyperbolic tangent.
Value buildTanh(OpBuilder &builder, Location loc, Value x);
/// 1 / (1 + exp(-x)).
Value buildSigmoid(OpBuilder &builder, Location loc, Value x);
/// log(1 + exp(x)).
Value buildSoftplus(OpBuilder &builder, Location loc, Value x);
/// The error function.
Value buildErf(OpBuilder &builder, Location loc, Value x);
/// Sine and cosine.
Value buildSin(OpBuilder &builder, Location loc, Value x);
Value buildCos(OpBuilder &builder, Location loc, Value x);
/// 1 / sqrt(x).
Value buildRsqrt(OpBuilder &builder, Location loc, Value x);
/// `x` to the power of a finite constant.
Value buildPow(OpBuilder &builder, Location loc, Value x, double exponent);

/// The expansion of an operation of the `math` dialect at the builder's
/// insertion point, or null if it has none. `math.powf` needs a constant
/// exponent. Operations that lower to one instruction are not expanded.
Value expandMathOp(OpBuilder &builder, Operation *op);

} // namespace mlir::rnn

#endif // RNN_CONVERSION_EXPANDMATH_H
