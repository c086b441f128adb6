//===- Memory.h - Views of raw memory -----------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_RNNTOLOOPS_MEMORY_H
#define RNN_CONVERSION_RNNTOLOOPS_MEMORY_H

#include "mlir/IR/Builders.h"

namespace mlir::rnn {

/// The memory at `pointer` (!llvm.ptr of that memory space) as a flat
/// memref<?xelement>. Its size is not recorded: nothing in generated code asks
/// for it.
Value buildMemRefFromPointer(OpBuilder &builder, Location loc, Value pointer, Type element, Attribute memorySpace = {});

} // namespace mlir::rnn

#endif // RNN_CONVERSION_RNNTOLOOPS_MEMORY_H
