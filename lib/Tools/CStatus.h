//===- CStatus.h - Errors of the C interface --------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_TOOLS_CSTATUS_H
#define RNN_LIB_TOOLS_CSTATUS_H

#include "rnn-c/Runtime.h"
#include "rnn/Runtime/Status.h"

namespace mlir::rnn::tools {

/// The outcome of this thread's last call of the C interface, with its message
/// and notes.
runtime::Status statusOf(RnnStatus code);

} // namespace mlir::rnn::tools

#endif // RNN_LIB_TOOLS_CSTATUS_H
