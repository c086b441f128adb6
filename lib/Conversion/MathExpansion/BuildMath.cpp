//===- BuildMath.cpp - Elementary functions as plain arithmetic -------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each function is reduced to a short interval, where a minimax polynomial
// (Coefficients.inc, computed by scripts/minimax.py) stands for it:
//
//   exp      x = n ln 2 + r;               2^n (1 + r + r^2 P(r))
//   log      x = 2^e (1 + f);              s = f / (2 + f), an odd series in s
//   log1p    log of the rounded sum, plus what rounding the sum lost
//   tanh     E = expm1(2 |x|);             E / (E + 2)
//   sigmoid  e = exp(-|x|);                (x < 0 ? e : 1) / (1 + e)
//   erf      |x| < 1 an odd polynomial;    else 1 - exp(-P(|x| - 1))
//   sin, cos x = n pi / 2 + r + r', with three parts of pi / 2, in f64
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/ExpandMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::rnn;

#include "Coefficients.inc"

namespace {

using Predicate = arith::CmpFPredicate;

/// Emits arithmetic on values of one type; the operators of this file.
class MathEmitter {
public:
  MathEmitter(OpBuilder &builder, Location loc, Type type)
      : builder(builder), loc(loc), type(type), isDouble(getElementTypeOrSelf(type).isF64()),
        intType(withElement(builder.getIntegerType(isDouble ? 64 : 32))) {}

  Value exp(Value x);
  Value expOfNonPositive(Value x);
  Value log(Value x, Value correction = {});
  Value log1p(Value x);
  Value tanh(Value x);
  Value sigmoid(Value x);
  Value softplus(Value x);
  Value erf(Value x);
  Value sinOrCos(Value x, bool cosine);
  Value integerPow(Value x, unsigned exponent);
  Value pow(Value x, double exponent);

  Value constant(double value) { return constantOf(type, builder.getFloatAttr(getElementTypeOrSelf(type), value)); }
  Value div(Value a, Value b) { return arith::DivFOp::create(builder, loc, a, b); }
  /// Where the divisor is at least 1 and far from overflow.
  Value divPlainly(Value a, Value b) {
    auto op = arith::DivFOp::create(builder, loc, a, b);
    op->setAttr(kPlainDivision, builder.getUnitAttr());
    return op;
  }
  Value sqrt(Value a) { return math::SqrtOp::create(builder, loc, a); }

  /// The same shape with another element type.
  Type withElement(Type element) const {
    if (auto shaped = dyn_cast<ShapedType>(type))
      return shaped.clone(element);
    return element;
  }

private:
  struct ReducedExp {
    Value n;    ///< integer
    Value tail; ///< exp(r) - 1
  };
  ReducedExp reduceExp(Value x);
  Value polynomial(Value x, ArrayRef<double> f32, ArrayRef<double> f64);

  Value constantOf(Type type, TypedAttr element) {
    if (auto shaped = dyn_cast<ShapedType>(type))
      element = DenseElementsAttr::get(shaped, element);
    return arith::ConstantOp::create(builder, loc, element);
  }
  Value intConstant(int64_t value) {
    return constantOf(intType, builder.getIntegerAttr(getElementTypeOrSelf(intType), value));
  }
  Value add(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }
  Value neg(Value a) { return arith::NegFOp::create(builder, loc, a); }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(builder, loc, a, b, c); }
  Value abs(Value a) { return math::AbsFOp::create(builder, loc, a); }
  Value copySign(Value a, Value sign) { return math::CopySignOp::create(builder, loc, a, sign); }
  Value cmp(Predicate predicate, Value a, Value b) { return arith::CmpFOp::create(builder, loc, predicate, a, b); }
  Value select(Value condition, Value a, Value b) { return arith::SelectOp::create(builder, loc, condition, a, b); }
  /// The larger of `x` and a bound; NaN stays NaN.
  Value atLeast(Value x, double bound) {
    Value limit = constant(bound);
    return select(cmp(Predicate::OLT, x, limit), limit, x);
  }
  Value atMost(Value x, double bound) {
    Value limit = constant(bound);
    return select(cmp(Predicate::OGT, x, limit), limit, x);
  }
  Value addi(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value subi(Value a, Value b) { return arith::SubIOp::create(builder, loc, a, b); }
  Value toBits(Value a) { return arith::BitcastOp::create(builder, loc, intType, a); }
  Value fromBits(Value a) { return arith::BitcastOp::create(builder, loc, type, a); }
  /// 2^(n + offset) for an integer n; the sum must be a normal exponent.
  Value powerOfTwo(Value n, int64_t offset = 0) {
    Value biased = addi(n, intConstant(offset + (isDouble ? 1023 : 127)));
    return fromBits(arith::ShLIOp::create(builder, loc, biased, intConstant(mantissaBits())));
  }
  int64_t mantissaBits() const { return isDouble ? 52 : 23; }
  /// 1.5 * 2^mantissa: adding it rounds to the nearest integer, which then
  /// stands in the low bits.
  double roundingMagic() const { return std::ldexp(1.5, mantissaBits()); }
  const double *ln2() const { return isDouble ? kLn2F64 : kLn2F32; }

  OpBuilder &builder;
  Location loc;
  Type type;
  bool isDouble;
  Type intType;
};

/// Horner's rule.
Value MathEmitter::polynomial(Value x, ArrayRef<double> f32, ArrayRef<double> f64) {
  ArrayRef<double> coefficients = isDouble ? f64 : f32;
  Value result = constant(coefficients.back());
  for (double c : llvm::reverse(coefficients.drop_back()))
    result = fma(result, x, constant(c));
  return result;
}

MathEmitter::ReducedExp MathEmitter::reduceExp(Value x) {
  Value magic = constant(roundingMagic());
  Value shifted = fma(x, constant(1.0 / kLn2F64[0]), magic);
  Value n = sub(shifted, magic);
  Value r = fma(n, constant(-ln2()[0]), x);
  r = fma(n, constant(-ln2()[1]), r);
  Value square = mul(r, r);
  Value tail = fma(square, polynomial(r, kExpF32, kExpF64), r);
  return {subi(toBits(shifted), toBits(magic)), tail};
}

Value MathEmitter::exp(Value x) {
  // Beyond these bounds the result is 0 or inf, and n fits two factors.
  x = atMost(atLeast(x, isDouble ? -746 : -104), isDouble ? 710 : 89);
  ReducedExp reduced = reduceExp(x);
  Value half = arith::ShRSIOp::create(builder, loc, reduced.n, intConstant(1));
  Value low = powerOfTwo(half);
  Value high = powerOfTwo(subi(reduced.n, half));
  return mul(mul(add(reduced.tail, constant(1)), low), high);
}

/// exp(x) for x <= 0 in fewer operations; denormal results are exact to
/// rounding.
Value MathEmitter::expOfNonPositive(Value x) {
  x = atLeast(x, isDouble ? -746 : -104);
  ReducedExp reduced = reduceExp(x);
  // The constant factor keeps the variable one normal.
  int64_t offset = isDouble ? 512 : 64;
  Value scaled = mul(add(reduced.tail, constant(1)), powerOfTwo(reduced.n, offset));
  return mul(scaled, constant(std::ldexp(1.0, -offset)));
}

/// log(x) + correction, the correction being small against 1.
Value MathEmitter::log(Value x, Value correction) {
  const double infinity = std::numeric_limits<double>::infinity();
  const int64_t denormalShift = isDouble ? 54 : 25;
  const double minNormal = isDouble ? std::numeric_limits<double>::min() : std::numeric_limits<float>::min();
  const int64_t sqrtHalf = isDouble ? 0x3fe6a09e667f3bcd : 0x3f3504f3;
  const int64_t mantissaMask = (int64_t(1) << mantissaBits()) - 1;

  Value isSmall = cmp(Predicate::OLT, x, constant(minNormal));
  Value scaled = select(isSmall, mul(x, constant(std::ldexp(1.0, denormalShift))), x);
  Value offset = subi(toBits(scaled), intConstant(sqrtHalf));
  Value e = arith::ShRSIOp::create(builder, loc, offset, intConstant(mantissaBits()));
  e = subi(e, select(isSmall, intConstant(denormalShift), intConstant(0)));
  Value exponent = arith::SIToFPOp::create(builder, loc, type, e);
  Value mantissa = arith::AndIOp::create(builder, loc, offset, intConstant(mantissaMask));
  Value f = sub(fromBits(addi(mantissa, intConstant(sqrtHalf))), constant(1));

  // log(1 + f) = f - (f^2/2 - s (f^2/2 + R)), R = s^2 P(s^2).
  Value s = div(f, add(f, constant(2)));
  Value z = mul(s, s);
  Value halfSquare = mul(mul(f, f), constant(0.5));
  Value rest = mul(z, polynomial(z, kLogF32, kLogF64));
  Value low = mul(s, add(halfSquare, rest));
  if (correction)
    low = add(low, correction);
  low = fma(exponent, constant(ln2()[1]), low);
  Value fraction = sub(f, sub(halfSquare, low));
  Value result = fma(exponent, constant(ln2()[0]), fraction);

  Value zero = constant(0);
  result = select(cmp(Predicate::OEQ, x, constant(infinity)), x, result);
  result = select(cmp(Predicate::OEQ, x, zero), constant(-infinity), result);
  return select(cmp(Predicate::ULT, x, zero), constant(std::numeric_limits<double>::quiet_NaN()), result);
}

Value MathEmitter::log1p(Value x) {
  // sum + lost == 1 + x exactly.
  Value one = constant(1);
  Value sum = add(x, one);
  Value seen = sub(sum, one);
  Value lost = add(sub(one, sub(sum, seen)), sub(x, seen));
  Value correction = div(lost, sum);
  Value finite = cmp(Predicate::OLT, abs(correction), constant(1));
  correction = select(finite, correction, constant(0));
  Value result = log(sum, correction);
  // Signed zeros, and NaN, whose correction was dropped but whose sum is NaN.
  return select(cmp(Predicate::OEQ, x, constant(0)), x, result);
}

Value MathEmitter::tanh(Value x) {
  Value twice = atMost(mul(abs(x), constant(2)), isDouble ? 40 : 20);
  ReducedExp reduced = reduceExp(twice);
  Value scale = powerOfTwo(reduced.n);
  Value expm1 = fma(scale, reduced.tail, sub(scale, constant(1)));
  // The rounding errors of the denominator and of the quotient are undone.
  Value denominator = add(expm1, constant(2));
  Value lost = sub(expm1, sub(denominator, constant(2)));
  Value inverse = divPlainly(constant(1), denominator);
  Value quotient = mul(expm1, inverse);
  Value residual = fma(neg(quotient), denominator, expm1);
  residual = fma(neg(quotient), lost, residual);
  return copySign(fma(residual, inverse, quotient), x);
}

Value MathEmitter::sigmoid(Value x) {
  Value e = expOfNonPositive(neg(abs(x)));
  Value one = constant(1);
  Value numerator = select(cmp(Predicate::OLT, x, constant(0)), e, one);
  return divPlainly(numerator, add(e, one));
}

Value MathEmitter::softplus(Value x) {
  Value tail = log1p(expOfNonPositive(neg(abs(x))));
  return add(atLeast(x, 0), tail);
}

Value MathEmitter::erf(Value x) {
  Value a = abs(x);
  Value square = mul(x, x);
  // Where the other branch is taken, the square may overflow unseen.
  Value small = fma(a, polynomial(square, kErfSmallF32, kErfSmallF64), a);
  Value distance = sub(atMost(a, isDouble ? 6 : 4), constant(1));
  Value q = polynomial(distance, kErfLargeF32, kErfLargeF64);
  Value large = sub(constant(1), expOfNonPositive(neg(q)));
  Value isSmall = cmp(Predicate::OLT, a, constant(1));
  return copySign(select(isSmall, small, large), x);
}

/// Works in f64; `type` must be an f64 type.
Value MathEmitter::sinOrCos(Value x, bool cosine) {
  const double limit = std::ldexp(1.0, 50);
  Value inRange = cmp(Predicate::OLE, abs(x), constant(limit));
  Value magic = constant(roundingMagic());
  Value shifted = fma(x, constant(1.0 / kHalfPiF64[0]), magic);
  Value n = sub(shifted, magic);
  Value quadrant = toBits(shifted);
  if (cosine)
    quadrant = addi(quadrant, intConstant(1));

  // r + low = x - n pi / 2. The first step is exact, the second one is a sum
  // of two whose rounding error is kept.
  Value first = fma(n, constant(-kHalfPiF64[0]), x);
  Value second = mul(n, constant(kHalfPiF64[1]));
  Value secondLow = fma(n, constant(kHalfPiF64[1]), neg(second));
  Value r = sub(first, second);
  Value seen = sub(r, first);
  Value lost = sub(sub(first, sub(r, seen)), add(second, seen));
  Value low = sub(lost, secondLow);
  low = fma(n, constant(-kHalfPiF64[2]), low);
  Value sum = add(r, low);
  low = add(sub(r, sum), low);
  r = sum;

  // sin(r + low) = sin(r) + low cos(r), cos(r + low) = cos(r) - low r.
  Value z = mul(r, r);
  Value halfSquare = mul(z, constant(0.5));
  Value one = constant(1);
  Value cosTop = sub(one, halfSquare);
  Value cube = mul(z, r);
  Value sinTail = mul(cube, polynomial(z, kSinF32, kSinF64));
  Value sine = add(r, fma(low, cosTop, sinTail));
  Value cosTail = fma(mul(z, z), polynomial(z, kCosF32, kCosF64), neg(mul(low, r)));
  Value cosLost = sub(sub(one, cosTop), halfSquare);
  Value cosineValue = add(cosTop, add(cosLost, cosTail));

  auto hasBit = [&](int64_t bit) -> Value {
    Value masked = arith::AndIOp::create(builder, loc, quadrant, intConstant(bit));
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, masked, intConstant(0));
  };
  Value result = select(hasBit(1), cosineValue, sine);
  result = select(hasBit(2), neg(result), result);
  if (!cosine)
    result = select(cmp(Predicate::OEQ, x, constant(0)), x, result);
  return select(inRange, result, constant(std::numeric_limits<double>::quiet_NaN()));
}

/// x^exponent by repeated squaring; the exponent is at least 1.
Value MathEmitter::integerPow(Value x, unsigned exponent) {
  Value result, power = x;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1)
      result = result ? mul(result, power) : power;
    if (exponent > 1)
      power = mul(power, power);
  }
  return result;
}

/// |x|^exponent by exp and log, with the sign of odd powers and NaN for a
/// fractional power of a negative number.
Value MathEmitter::pow(Value x, double exponent) {
  bool isInteger = std::trunc(exponent) == exponent;
  bool isOdd = isInteger && std::fmod(exponent, 2.0) != 0;
  Value base = isInteger ? abs(x) : x;
  Value result = exp(mul(log(base), constant(exponent)));
  return isOdd ? copySign(result, x) : result;
}

/// Runs `body` on the value widened to f64 and narrows the result.
template <typename Body>
Value inDouble(OpBuilder &builder, Location loc, Value x, Body body) {
  if (getElementTypeOrSelf(x.getType()).isF64())
    return body(MathEmitter(builder, loc, x.getType()), x);
  Type wide = MathEmitter(builder, loc, x.getType()).withElement(builder.getF64Type());
  Value widened = arith::ExtFOp::create(builder, loc, wide, x);
  Value result = body(MathEmitter(builder, loc, wide), widened);
  return arith::TruncFOp::create(builder, loc, x.getType(), result);
}

} // namespace

Value mlir::rnn::buildExp(OpBuilder &builder, Location loc, Value x) {
  return MathEmitter(builder, loc, x.getType()).exp(x);
}

Value mlir::rnn::buildLog(OpBuilder &builder, Location loc, Value x) {
  return MathEmitter(builder, loc, x.getType()).log(x);
}

Value mlir::rnn::buildLog1p(OpBuilder &builder, Location loc, Value x) {
  return MathEmitter(builder, loc, x.getType()).log1p(x);
}

Value mlir::rnn::buildTanh(OpBuilder &builder, Location loc, Value x) {
  return MathEmitter(builder, loc, x.getType()).tanh(x);
}

Value mlir::rnn::buildSigmoid(OpBuilder &builder, Location loc, Value x) {
  return MathEmitter(builder, loc, x.getType()).sigmoid(x);
}

Value mlir::rnn::buildSoftplus(OpBuilder &builder, Location loc, Value x) {
  return MathEmitter(builder, loc, x.getType()).softplus(x);
}

Value mlir::rnn::buildErf(OpBuilder &builder, Location loc, Value x) {
  return MathEmitter(builder, loc, x.getType()).erf(x);
}

Value mlir::rnn::buildSin(OpBuilder &builder, Location loc, Value x) {
  return inDouble(builder, loc, x,
                  [](MathEmitter emitter, Value wide) { return emitter.sinOrCos(wide, /*cosine=*/false); });
}

Value mlir::rnn::buildCos(OpBuilder &builder, Location loc, Value x) {
  return inDouble(builder, loc, x,
                  [](MathEmitter emitter, Value wide) { return emitter.sinOrCos(wide, /*cosine=*/true); });
}

Value mlir::rnn::buildRsqrt(OpBuilder &builder, Location loc, Value x) {
  MathEmitter emitter(builder, loc, x.getType());
  return emitter.div(emitter.constant(1), emitter.sqrt(x));
}

Value mlir::rnn::buildPow(OpBuilder &builder, Location loc, Value x, double exponent) {
  MathEmitter emitter(builder, loc, x.getType());
  double magnitude = std::fabs(exponent);
  if (exponent == 0)
    return emitter.constant(1);
  if (std::trunc(exponent) == exponent && magnitude <= 64) {
    Value power = emitter.integerPow(x, static_cast<unsigned>(magnitude));
    return exponent < 0 ? emitter.div(emitter.constant(1), power) : power;
  }
  return inDouble(builder, loc, x,
                  [=](MathEmitter wideEmitter, Value wide) { return wideEmitter.pow(wide, exponent); });
}
