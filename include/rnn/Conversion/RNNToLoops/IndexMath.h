//===- IndexMath.h - Address arithmetic ---------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_RNNTOLOOPS_INDEXMATH_H
#define RNN_CONVERSION_RNNTOLOOPS_INDEXMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::rnn {

/// A number known when compiling (`value` null) or at run time (an index).
struct Extent {
  Extent(int64_t constant) : constant(constant) {}
  Extent(Value value) : value(value) {}
  bool isStatic() const { return !value; }
  Value materialize(OpBuilder &builder, Location loc) const {
    return value ? value : Value(arith::ConstantIndexOp::create(builder, loc, constant));
  }

  int64_t constant = 0;
  Value value;
};

/// A matrix inside a flat buffer: element (row, column) lies at
/// base[offset + row * rowStride + column * columnStride].
struct MatrixView {
  Value base;   ///< memref<?xT>
  Value offset; ///< index, in elements
  Extent rowStride = 0;
  Extent columnStride = 1;
};

/// A range of work: this thread's number and their count (indices).
struct ThreadIds {
  Value thread, threads;
};

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

#endif // RNN_CONVERSION_RNNTOLOOPS_INDEXMATH_H
