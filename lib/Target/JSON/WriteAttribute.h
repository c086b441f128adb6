//===- WriteAttribute.h - Attributes as JSON ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_TARGET_JSON_WRITEATTRIBUTE_H
#define RNN_LIB_TARGET_JSON_WRITEATTRIBUTE_H

#include "mlir/IR/Attributes.h"
#include "mlir/IR/Types.h"
#include "llvm/Support/JSON.h"

namespace mlir::rnn {

/// Writes a number with as many digits as it takes to read it back; strings for nan and the infinities.
void writeReal(llvm::json::OStream &json, double value);

/// Writes `"shape": […], "dtype": …` of a ranked tensor type into the open object.
void writeShape(llvm::json::OStream &json, Type type);

/// The element type of a tensor as a word: `f32`.
std::string getDtype(Type type);

/// Writes an attribute by the table of docs/JSON.md. Fails, having written null, for one that has no rule there.
LogicalResult writeAttribute(llvm::json::OStream &json, Attribute attribute);

} // namespace mlir::rnn

#endif // RNN_LIB_TARGET_JSON_WRITEATTRIBUTE_H
