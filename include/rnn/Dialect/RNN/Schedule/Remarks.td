//===- Remarks.td - Categories of optimization remarks -*- tablegen -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_SCHEDULE_REMARKS_TD
#define RNN_DIALECT_RNN_SCHEDULE_REMARKS_TD

include "mlir/IR/EnumAttr.td"

/// What a remark is about; chosen on the command line by `--remarks-filter=rnn-…`. Numbers are never used again.
def RNN_RemarkCategory : I32EnumAttr<"RemarkCategory", "category of a remark", [
  I32EnumAttrCase<"Recurrence", 1, "rnn-recurrence">,
  I32EnumAttrCase<"Hoist", 2, "rnn-hoist">,
  I32EnumAttrCase<"Fuse", 3, "rnn-fuse">,
  I32EnumAttrCase<"Scan", 4, "rnn-scan">,
  I32EnumAttrCase<"Memory", 5, "rnn-memory">,
  I32EnumAttrCase<"Launch", 6, "rnn-launch">,
  I32EnumAttrCase<"Target", 7, "rnn-target">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}

#endif // RNN_DIALECT_RNN_SCHEDULE_REMARKS_TD
