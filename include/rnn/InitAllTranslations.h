//===- InitAllTranslations.h - All translations of rnn-mlir -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_INITALLTRANSLATIONS_H
#define RNN_INITALLTRANSLATIONS_H

#include "mlir/Tools/mlir-translate/Translation.h"
#include "rnn/InitAllDialects.h"
#include "rnn/Target/JSON.h"

namespace mlir::rnn {

/// Makes our translations known by name.
inline void registerAllTranslations() {
  TranslateFromMLIRRegistration("rnn-to-json", "write a module for tools without MLIR (docs/JSON.md)", exportToJSON,
                                registerAllDialects);
}

} // namespace mlir::rnn

#endif // RNN_INITALLTRANSLATIONS_H
