//===- Regions.h - What passes on region ops share -----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_DIALECT_RNN_SCHEDULE_REGIONS_H
#define RNN_LIB_DIALECT_RNN_SCHEDULE_REGIONS_H

#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn {

/// True for `rnn.parallel`, `rnn.recurrent` and `rnn.reduction`.
inline bool isRegionOp(Operation *op) { return isa<ParallelOp, RecurrentOp, ReductionOp>(op); }

/// The domain of a region op.
Domain getRegionDomain(Operation *region);

/// The rate of operand `i` of a region op.
Rate getOperandRate(Operation *region, unsigned i);

/// True if `sequence`, a type of a schedule for `streams` streams (kDynamic: any number), is of frame rate.
bool isFrameSequence(Type sequence, int64_t streams);

/// Bytes of a sequence per frame (of a stream per call, of a static value once), for all streams, or for one stream in
/// a schedule for any number of them. i1 counts a byte.
uint64_t getRowBytes(Type sequence);

/// True if the body reads operand `i` at other frames than its own: by a delay or a save.
bool readsOtherFrames(Operation *region, unsigned i);

/// The number of ops in the body, without constants and terminator.
unsigned countOps(Operation *region);

/// The names of the signals that a region computes, as of remarks: `%c, %h`.
std::string getResultNames(Operation *region);

/// Puts the ops of `producer`, a `rnn.parallel`, before `point` in the body of `consumer`, and lets the body read what
/// they compute instead of the results of `producer`, which is left without uses there. Operands are added as needed.
void inlineInto(ParallelOp producer, Operation *consumer, Operation *point);

/// Drops operands that the body does not read.
void dropUnusedOperands(Operation *region);

/// Drops results that nothing reads; replaces the op by a new one if there are any.
void dropUnusedResults(Operation *region);

} // namespace mlir::rnn

#endif // RNN_LIB_DIALECT_RNN_SCHEDULE_REGIONS_H
