//===- Real.h - A double as a parameter of attributes --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_REAL_H
#define RNN_DIALECT_RNN_IR_REAL_H

#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/bit.h"

namespace mlir::rnn {

/// A double that can be hashed and compared bit by bit, as attribute uniquing needs it.
struct Real {
  Real(double value = 0) : value(value) {}
  operator double() const { return value; }
  bool operator==(Real other) const { return bits() == other.bits(); }
  bool operator==(double other) const { return *this == Real(other); }
  uint64_t bits() const { return llvm::bit_cast<uint64_t>(value); }

  double value;
};

inline llvm::hash_code hash_value(Real real) { return llvm::hash_value(real.bits()); }

inline AsmPrinter &operator<<(AsmPrinter &printer, Real real) {
  printer.printFloat(APFloat(real.value));
  return printer;
}

/// Parses a number, an integer literal included.
inline ParseResult parseReal(AsmParser &parser, Real &real) {
  SMLoc loc = parser.getCurrentLocation();
  Attribute number;
  if (parser.parseAttribute(number))
    return failure();
  if (auto floating = dyn_cast<FloatAttr>(number))
    real = floating.getValueAsDouble();
  else if (auto integer = dyn_cast<IntegerAttr>(number))
    real = static_cast<double>(integer.getInt());
  else
    return parser.emitError(loc, "expected a number");
  return success();
}

} // namespace mlir::rnn

namespace mlir {
template <>
struct FieldParser<rnn::Real> {
  static FailureOr<rnn::Real> parse(AsmParser &parser) {
    rnn::Real real;
    if (rnn::parseReal(parser, real))
      return failure();
    return real;
  }
};
} // namespace mlir

#endif // RNN_DIALECT_RNN_IR_REAL_H
