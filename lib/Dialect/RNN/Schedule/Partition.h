//===- Partition.h - Parts of rnn-partition ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_DIALECT_RNN_SCHEDULE_PARTITION_H
#define RNN_LIB_DIALECT_RNN_SCHEDULE_PARTITION_H

#include "rnn/Analysis/Recurrence.h"

namespace mlir::rnn {

/// Splits every `rnn.sum` in a loop of `function` into the sum of the terms that the loop does not compute, which then
/// is outside the loop, and the rest. Sums in the loop that only another sum reads are merged with it first.
void splitSums(RNNFunctionInterface function);

/// The loop that a product feeds, directly or through elementwise ops, though it runs for all frames at once; null for
/// other ops.
const Component *findHoistedFrom(Operation *op, const RecurrenceAnalysis &recurrence);

/// Says of every loop why it is one, of every product whether it could leave its loop (in `sequential` mode none does).
/// If anybody listens, the signals' names are put into their locations.
void emitPartitionRemarks(RNNFunctionInterface function, const RecurrenceAnalysis &recurrence, bool sequential);

} // namespace mlir::rnn

#endif // RNN_LIB_DIALECT_RNN_SCHEDULE_PARTITION_H
