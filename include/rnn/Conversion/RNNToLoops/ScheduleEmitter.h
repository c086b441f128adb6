//===- ScheduleEmitter.h - Schedules as functions of loops --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_RNNTOLOOPS_SCHEDULEEMITTER_H
#define RNN_CONVERSION_RNNTOLOOPS_SCHEDULEEMITTER_H

#include "rnn/Conversion/RNNToLoops/FunctionEmitter.h"

namespace mlir::rnn::loops {

/// Replaces every `rnn.schedule` of a module, in order, by a function `rnn_fn_<i>`:
/// ages, the regions, the results, and last, if the guard allows it, the new
/// parameters and states (docs/Artifact.md, "Compiled functions"). Erases what
/// the functions were made of. `makeEmitter` makes the target's emitter for one
/// schedule. Fails, with an error, for schedules without a memory plan and for
/// ops that the target does not have.
LogicalResult convertSchedules(ModuleOp module,
                               function_ref<std::unique_ptr<FunctionEmitter>(OpBuilder &, ScheduleOp)> makeEmitter);

} // namespace mlir::rnn::loops

#endif // RNN_CONVERSION_RNNTOLOOPS_SCHEDULEEMITTER_H
