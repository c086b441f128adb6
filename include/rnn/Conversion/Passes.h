//===- Passes.h - Conversions out of the rnn dialect --------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_PASSES_H
#define RNN_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::rnn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "rnn/Conversion/Passes.h.inc"

} // namespace mlir::rnn

#endif // RNN_CONVERSION_PASSES_H
