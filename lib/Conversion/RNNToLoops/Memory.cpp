//===- Memory.cpp - Views of raw memory -------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/Memory.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

Value mlir::rnn::buildMemRefFromPointer(OpBuilder &builder, Location loc, Value pointer, Type element,
                                        Attribute memorySpace) {
  // The descriptor that memref is lowered to: allocated and aligned pointer,
  // offset, one size, one stride.
  auto i64 = builder.getI64Type();
  auto array = LLVM::LLVMArrayType::get(i64, 1);
  auto type =
      LLVM::LLVMStructType::getLiteral(builder.getContext(), {pointer.getType(), pointer.getType(), i64, array, array});
  auto constant = [&](int64_t value) -> Value { return LLVM::ConstantOp::create(builder, loc, i64, value); };
  Value descriptor = LLVM::PoisonOp::create(builder, loc, type);
  auto insert = [&](Value value, ArrayRef<int64_t> position) {
    descriptor = LLVM::InsertValueOp::create(builder, loc, descriptor, value, position);
  };
  insert(pointer, {0});
  insert(pointer, {1});
  insert(constant(0), {2});
  insert(constant(0), {3, 0});
  insert(constant(1), {4, 0});
  auto memref = MemRefType::get({ShapedType::kDynamic}, element, MemRefLayoutAttrInterface(), memorySpace);
  return UnrealizedConversionCastOp::create(builder, loc, memref, descriptor).getResult(0);
}
