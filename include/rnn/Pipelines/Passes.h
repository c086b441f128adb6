//===- Passes.h - The pass that pipelines are made of -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_PIPELINES_PASSES_H
#define RNN_PIPELINES_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::rnn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "rnn/Pipelines/Passes.h.inc"

} // namespace mlir::rnn

#endif // RNN_PIPELINES_PASSES_H
