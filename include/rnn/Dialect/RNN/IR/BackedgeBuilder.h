//===- BackedgeBuilder.h - Values used before they exist -*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Graph regions have cycles; a builder creates one op at a time. A backedge is a value that can be used before the op
// that computes it exists.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_BACKEDGEBUILDER_H
#define RNN_DIALECT_RNN_IR_BACKEDGEBUILDER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::rnn {

/// A value to be set later. Converts to the value that stands for it until then.
class Backedge {
public:
  operator Value() const { return placeholder->getResult(0); }

  /// Replaces every use by `value`, which must have the same type. To be called once.
  void setValue(Value value) {
    assert(value.getType() == placeholder->getResult(0).getType() && "a backedge keeps its type");
    placeholder->getResult(0).replaceAllUsesWith(value);
    placeholder->setAttr("rnn.set", UnitAttr::get(placeholder->getContext()));
  }

private:
  friend class BackedgeBuilder;
  explicit Backedge(Operation *placeholder) : placeholder(placeholder) {}
  Operation *placeholder;
};

/// Makes backedges and, at the end, removes what stood for them.
class BackedgeBuilder {
public:
  BackedgeBuilder(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  /// A new backedge of type `type`.
  Backedge get(Type type) {
    Operation *op = UnrealizedConversionCastOp::create(builder, loc, type, ValueRange());
    placeholders.push_back(op);
    return Backedge(op);
  }

  /// Fails with an error `backedge was never set` where one has not been set. The builder is empty afterwards.
  LogicalResult close() {
    LogicalResult result = success();
    for (Operation *op : placeholders) {
      if (!op->hasAttr("rnn.set"))
        result = op->emitError("backedge was never set");
      else
        op->erase();
    }
    placeholders.clear();
    return result;
  }

private:
  OpBuilder &builder;
  Location loc;
  SmallVector<Operation *> placeholders;
};

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_IR_BACKEDGEBUILDER_H
