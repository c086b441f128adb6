//===- BuildRandom.cpp - Random numbers as arithmetic -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rule N1: the same numbers on every target. What is written here as
// operations is lib/Runtime/Random.cpp, operation by operation, so that both
// round alike; tables of coefficients come from there.
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/BuildRandom.h"

#include "rnn/Runtime/NormalQuantile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::rnn;

namespace {

/// Arithmetic on scalars.
struct Scalars {
  OpBuilder &b;
  Location loc;

  Value i32(uint32_t value) { return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value)); }
  Value i64(int64_t value) { return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value)); }
  Value f64(double value) { return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value)); }
  Value low(Value wide) { return arith::TruncIOp::create(b, loc, b.getI32Type(), wide); }
  Value high(Value wide) { return low(arith::ShRUIOp::create(b, loc, wide, i64(32))); }
  Value bitXor(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, loc, x); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }
  Value compare(arith::CmpFPredicate predicate, Value x, double y) {
    return arith::CmpFOp::create(b, loc, predicate, x, f64(y));
  }

  using Words = std::array<Value, 4>;

  /// Philox4x32-10.
  Words philox(Words counter, RandomKey key) {
    auto product = [&](uint32_t constant, Value word) -> Value {
      Value wide = arith::ExtUIOp::create(b, loc, b.getI64Type(), word);
      return arith::MulIOp::create(b, loc, i64(constant), wide);
    };
    auto next = [&](Value word, uint32_t constant) -> Value {
      return arith::AddIOp::create(b, loc, word, i32(constant));
    };
    for (int round = 0; round < 10; ++round) {
      Value p0 = product(0xD2511F53, counter[0]);
      Value p1 = product(0xCD9E8D57, counter[2]);
      counter = {bitXor(bitXor(high(p1), counter[1]), key[0]), low(p1), bitXor(bitXor(high(p0), counter[3]), key[1]),
                 low(p0)};
      key = {next(key[0], 0x9E3779B9), next(key[1], 0xBB67AE85)};
    }
    return counter;
  }

  /// The key of a random op; `seed` is i64.
  RandomKey key(uint32_t id, Value seed) {
    constexpr uint32_t rnn1 = 'R' | 'N' << 8 | 'N' << 16 | '1' << 24;
    Words words = philox({i32(id), i32(0), i32(0), i32(rnn1)}, {low(seed), high(seed)});
    return {words[0], words[1]};
  }

  /// Word `unit` & 3 of the block that holds it.
  Value word(RandomKey key, Value unit, Value stream, Value time) {
    Value block = arith::ShRUIOp::create(b, loc, unit, i32(2));
    Words words = philox({block, stream, low(time), high(time)}, key);
    Value which = arith::AndIOp::create(b, loc, unit, i32(3));
    Value result = words[3];
    for (int i = 2; i >= 0; --i)
      result = select(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, which, i32(i)), words[i], result);
    return result;
  }

  /// The upper 24 bits as a number.
  Value upperBits(Value word) {
    Value bits = arith::ShRUIOp::create(b, loc, word, i32(8));
    return arith::UIToFPOp::create(b, loc, b.getF64Type(), bits);
  }
  Value uniform(Value word) { return mul(upperBits(word), f64(0x1p-24)); }
  Value normal(Value word) { return quantile(mul(add(upperBits(word), f64(0.5)), f64(0x1p-24))); }

  Value portableLog(Value x) {
    Value bits = arith::BitcastOp::create(b, loc, b.getI64Type(), x);
    Value exponent = arith::SubIOp::create(b, loc, arith::ShRUIOp::create(b, loc, bits, i64(52)), i64(1023));
    Value mantissa = arith::AndIOp::create(b, loc, bits, i64(0x000fffffffffffff));
    mantissa = arith::OrIOp::create(b, loc, mantissa, i64(0x3ff0000000000000));
    Value m = arith::BitcastOp::create(b, loc, b.getF64Type(), mantissa);
    Value isLarge = compare(arith::CmpFPredicate::OGT, m, 1.4142135623730951);
    m = select(isLarge, mul(m, f64(0.5)), m);
    exponent = select(isLarge, arith::AddIOp::create(b, loc, exponent, i64(1)), exponent);
    Value e = arith::SIToFPOp::create(b, loc, b.getF64Type(), exponent);
    Value s = div(sub(m, f64(1)), add(m, f64(1)));
    Value z = mul(s, s);
    Value series = f64(0);
    for (int k = 25; k >= 3; k -= 2)
      series = mul(add(series, f64(1.0 / k)), z);
    Value twice = mul(f64(2), s);
    Value rest = add(twice, add(mul(twice, series), mul(e, f64(runtime::kLn2Low))));
    return add(mul(e, f64(runtime::kLn2High)), rest);
  }

  Value polynomial(const double (&c)[8], Value r) {
    Value value = f64(c[7]);
    for (int i = 6; i >= 0; --i)
      value = add(mul(value, r), f64(c[i]));
    return value;
  }

  /// AS 241; all three branches are computed and one is taken.
  Value quantile(Value p) {
    using runtime::NormalQuantile;
    Value q = sub(p, f64(0.5));
    Value r = sub(f64(0.180625), mul(q, q));
    Value centre = div(mul(q, polynomial(NormalQuantile::kCentreNum, r)), polynomial(NormalQuantile::kCentreDen, r));
    Value isLow = compare(arith::CmpFPredicate::OLT, q, 0);
    Value tailP = select(isLow, p, sub(f64(1), p));
    Value t = math::SqrtOp::create(b, loc, neg(portableLog(tailP)));
    Value nearT = sub(t, f64(1.6)), farT = sub(t, f64(5));
    Value tail = select(compare(arith::CmpFPredicate::OLE, t, 5),
                        div(polynomial(NormalQuantile::kNearNum, nearT), polynomial(NormalQuantile::kNearDen, nearT)),
                        div(polynomial(NormalQuantile::kFarNum, farT), polynomial(NormalQuantile::kFarDen, farT)));
    tail = select(isLow, neg(tail), tail);
    Value isCentre = compare(arith::CmpFPredicate::OLE, math::AbsFOp::create(b, loc, q), 0.425);
    return select(isCentre, centre, tail);
  }
};

} // namespace

RandomKey rnn::buildRandomKey(OpBuilder &builder, Location loc, uint32_t id, Value seed) {
  return Scalars{builder, loc}.key(id, seed);
}

Value rnn::buildRandom(OpBuilder &builder, Location loc, RandomKind kind, Type type, RandomKey key, Value unit,
                       Value stream, Value time) {
  Scalars s{builder, loc};
  Value word = s.word(key, unit, stream, time);
  Value value = kind == RandomKind::Uniform ? s.uniform(word) : s.normal(word);
  return type.isF32() ? arith::TruncFOp::create(builder, loc, type, value) : value;
}
