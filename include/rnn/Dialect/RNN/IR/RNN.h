//===- RNN.h - The rnn dialect -*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Include this file to use the dialect: its ops, attributes and interfaces, and the few helpers on types that all
// rooms share.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNN_H
#define RNN_DIALECT_RNN_IR_RNN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/JSON.h"

#include "rnn/Dialect/RNN/IR/RNNDialect.h.inc"
#include "rnn/Dialect/RNN/IR/RNNEnums.h.inc"

namespace mlir::rnn {

class AdjointBuilder;

/// The largest |d| of a delay (rule T1).
inline constexpr int64_t kMaxDelay = 1 << 20;
/// The largest rank of a signal (rule R4).
inline constexpr int64_t kMaxRank = 6;
/// The largest number of elements of a tensor.
inline constexpr int64_t kMaxElements = int64_t(1) << 40;

/// True if `type` may be the type of a signal: a ranked tensor of static shape (rule R4). The finer limits (rank,
/// element type, number of elements) have messages of their own; see `verifySignalType`.
bool isSignalType(Type type);

/// Checks the limits of rule R4 on a signal type. Emits on `op`, naming the value `what`.
LogicalResult verifySignalType(Operation *op, Type type, const Twine &what);

/// True if `name` may be the name of a tensor: `[A-Za-z_][A-Za-z0-9_.]*` (F2).
bool isTensorName(StringRef name);

/// Checks `isTensorName`. Emits on `op`.
LogicalResult verifyTensorName(Operation *op, StringRef name);

/// The element types of rule R4.
bool isSignalElementType(Type type);

/// The type of a signal of type `signal` and rate `rate` at level 2, for `streams` streams; for any number of them if
/// `streams` is ShapedType::kDynamic.
RankedTensorType getSequenceType(RankedTensorType signal, Rate rate, int64_t streams);

/// The rate of a level-2 value of type `sequence` whose signal has type `signal`: the difference of their ranks.
Rate getSequenceRate(Type sequence, Type signal);

/// A constant of the ranked tensor type `type`, all elements equal to `number`, which is rounded to the element type.
Value createSplat(OpBuilder &builder, Location loc, Type type, double number);

namespace detail {
Attribute getDictAttr(ArrayAttr dicts, unsigned i, StringRef name);
Rate getRate(Attribute attr);
std::optional<unsigned> findName(ArrayAttr names, StringRef name);
} // namespace detail

} // namespace mlir::rnn

#include "rnn/Dialect/RNN/IR/Real.h"

#include "rnn/Dialect/RNN/IR/RNNAttrInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "rnn/Dialect/RNN/IR/RNNAttributes.h.inc"
#include "rnn/Dialect/RNN/IR/RNNOpInterfaces.h.inc"
#define GET_OP_CLASSES
#include "rnn/Dialect/RNN/IR/RNNOps.h.inc"

#endif // RNN_DIALECT_RNN_IR_RNN_H
