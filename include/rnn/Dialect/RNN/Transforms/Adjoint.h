//===- Adjoint.h - How derivative rules are written -----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The error of a value is the derivative of the loss with respect to it. The rule of an op (`AdjointOpInterface`) turns
// the error of its result into errors of its operands, in terms of level-1 ops.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_TRANSFORMS_ADJOINT_H
#define RNN_DIALECT_RNN_TRANSFORMS_ADJOINT_H

#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn {

/// What a rule sees: the error of the op's result, the values of the primal graph, and arithmetic on tensors of one
/// shape.
class AdjointBuilder {
public:
  /// `use` gives a primal value as adjoint ops may read it (rule A3); `isFrameRate` tells a primal value's rate.
  AdjointBuilder(OpBuilder &builder, Location loc, Value error, llvm::function_ref<Value(Value)> use,
                 llvm::function_ref<bool(Value)> isFrameRate)
      : builder(builder), loc(loc), error(error), useValue(use), frameRate(isFrameRate) {}

  OpBuilder &getBuilder() { return builder; }
  Location getLoc() const { return loc; }

  /// The error of the result, of its type.
  Value getError() const { return error; }
  /// A value of the primal graph, to be read by adjoint ops.
  Value use(Value primal) { return useValue(primal); }
  /// True if a value of the primal graph changes from frame to frame.
  bool isFrameRate(Value primal) { return frameRate(primal); }

  /// All elements equal to `number`, which is rounded to the element type.
  Value constant(Type type, double number) { return createSplat(builder, loc, type, number); }
  Value zero(Type type) { return constant(type, 0); }

  Value add(Value x, Value y) { return arith::AddFOp::create(builder, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(builder, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(builder, loc, x, y); }
  Value mul(double x, Value y) { return mul(constant(y.getType(), x), y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(builder, loc, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(builder, loc, x); }
  /// number - x.
  Value sub(double number, Value x) { return sub(constant(x.getType(), number), x); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(builder, loc, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(builder, loc, condition, x, y); }

private:
  OpBuilder &builder;
  Location loc;
  Value error;
  llvm::function_ref<Value(Value)> useValue;
  llvm::function_ref<bool(Value)> frameRate;
};

/// Slices of one value, in the order in which they tile it along a dimension without a gap. The error of the value is
/// the concatenation of theirs, where the rules of the slices alone would add one padded term per slice.
struct Tiling {
  int64_t dim;
  SmallVector<tensor::ExtractSliceOp> slices;
};

/// The tiling that slices of one value, at least one, form; none if they overlap, leave a gap or drop a dimension.
std::optional<Tiling> findTiling(SmallVector<tensor::ExtractSliceOp> slices);

/// Gives the ops of level 1 their derivative rules.
void registerAdjointModels(DialectRegistry &registry);

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_TRANSFORMS_ADJOINT_H
