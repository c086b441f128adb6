//===- Remarks.h - What the compiler decided, and why --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One remark per decision, at the location of the op that it is about, with a `Reason`; where something was not done
// also a `Suggestion`. Use upstream's `remark::passed`, `missed` and `analysis` with the options from here.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_SCHEDULE_REMARKS_H
#define RNN_DIALECT_RNN_SCHEDULE_REMARKS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Remarks.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h.inc"

namespace mlir::rnn {

/// Options of a remark called `name` about something in `function`.
inline remark::RemarkOpts remarkOptions(RemarkCategory category, StringRef name, StringRef function) {
  return remark::RemarkOpts::name(name).category(stringifyRemarkCategory(category)).function(function);
}

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_SCHEDULE_REMARKS_H
