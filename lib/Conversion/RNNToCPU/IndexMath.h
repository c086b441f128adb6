//===- IndexMath.h - Address arithmetic ---------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_CONVERSION_RNNTOCPU_INDEXMATH_H
#define RNN_LIB_CONVERSION_RNNTOCPU_INDEXMATH_H

#include "rnn/Conversion/RNNToCPU/Product.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::rnn {

/// Arithmetic on values of type index. Constants are left to LLVM to fold, but
/// for factors 0 and 1.
struct IndexMath {
  OpBuilder &builder;
  Location loc;

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubIOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return arith::MulIOp::create(builder, loc, a, b); }
  Value mul(Value a, const Extent &b) {
    if (b.isStatic() && b.constant == 1)
      return a;
    return mul(a, b.materialize(builder, loc));
  }
  Value div(Value a, Value b) { return arith::DivUIOp::create(builder, loc, a, b); }
  Value rem(Value a, Value b) { return arith::RemUIOp::create(builder, loc, a, b); }
  Value min(Value a, Value b) { return arith::MinUIOp::create(builder, loc, a, b); }
  Value less(Value a, Value b) { return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, a, b); }
  Value at(const MatrixView &view, Value row, Value column) {
    return add(view.offset, add(mul(row, view.rowStride), mul(column, view.columnStride)));
  }
  /// sum + a * stride.
  Value addScaled(Value sum, Value a, int64_t stride) {
    if (stride == 0 || !a)
      return sum;
    Value scaled = stride == 1 ? a : mul(a, constant(stride));
    return sum ? add(sum, scaled) : scaled;
  }
};

} // namespace mlir::rnn

#endif // RNN_LIB_CONVERSION_RNNTOCPU_INDEXMATH_H
