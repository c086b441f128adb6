//===- BuildRandom.h - Random numbers as arithmetic --------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Builders of the draws of `rnn.random` (rule N1) as scalar operations of
// `arith` and `math.absf`, `math.sqrt`. All targets share them, so that they
// draw the bits of `rnn/Runtime/Random.h`.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_BUILDRANDOM_H
#define RNN_CONVERSION_BUILDRANDOM_H

#include "rnn/Dialect/RNN/IR/RNN.h"

#include <array>

namespace mlir::rnn {

/// The key of a random op: two i32 words, low word first.
using RandomKey = std::array<Value, 2>;

/// The key of the random op with this id; `seed` is an i64.
RandomKey buildRandomKey(OpBuilder &builder, Location loc, uint32_t id, Value seed);

/// The draw of one element, a `type` (f32 or f64). `unit` is the element's place in the signal, row by row, and
/// `stream` its stream, or 0 where the rate is static; both are i32. `time`, an i64, is the absolute frame, or the
/// number of the step where the rate is not frame.
Value buildRandom(OpBuilder &builder, Location loc, RandomKind kind, Type type, RandomKey key, Value unit, Value stream,
                  Value time);

} // namespace mlir::rnn

#endif // RNN_CONVERSION_BUILDRANDOM_H
