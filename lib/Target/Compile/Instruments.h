//===- Instruments.h - What rnn-compile watches passes with -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_TARGET_COMPILE_INSTRUMENTS_H
#define RNN_LIB_TARGET_COMPILE_INSTRUMENTS_H

#include "mlir/Pass/PassInstrumentation.h"
#include <memory>
#include <string>

namespace mlir::rnn {

/// Writes the module after every pass to `<folder>/<number>-<pass>.mlir`; numbers go on in `next`, so that several pass
/// managers share a folder. A file that cannot be written is left out.
std::unique_ptr<PassInstrumentation> createSaveTemps(std::string folder, unsigned &next);

/// Verifies the module after every pass, in place of the pass manager: a pass that leaves invalid IR is a mistake of
/// ours. The first such pass is named in `broken`.
std::unique_ptr<PassInstrumentation> createVerifyEach(std::string &broken);

} // namespace mlir::rnn

#endif // RNN_LIB_TARGET_COMPILE_INSTRUMENTS_H
