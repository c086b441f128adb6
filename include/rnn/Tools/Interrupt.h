//===- Interrupt.h - Ctrl-C and SIGTERM -------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_INTERRUPT_H
#define RNN_TOOLS_INTERRUPT_H

#include "rnn/Runtime/Status.h"

namespace mlir::rnn::tools {

/// From here on the first SIGINT or SIGTERM is only noted; a second one ends the
/// process at once.
void catchInterrupts();

/// The signal that was noted, 0 if none.
int interruptSignal();

/// Exit code 130 or 143 for the noted signal, without a message.
runtime::Status interruptedStatus();

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_INTERRUPT_H
