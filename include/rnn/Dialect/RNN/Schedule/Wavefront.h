//===- Wavefront.h - Regions that may overlap in time --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_SCHEDULE_WAVEFRONT_H
#define RNN_DIALECT_RNN_SCHEDULE_WAVEFRONT_H

#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn {

/// On the regions of a wavefront, which stand one behind another: its number in the schedule (i64).
inline constexpr StringLiteral kWavefrontAttrName = "rnn.wavefront";

/// The wavefront of a region; none of any other op.
inline std::optional<int64_t> getWavefront(Operation *op) {
  auto number = op->getAttrOfType<IntegerAttr>(kWavefrontAttrName);
  return number ? std::optional(number.getInt()) : std::nullopt;
}

/// Frames of a piece of a wavefront, at least: below, starting its kernels takes as long as what overlaps.
inline constexpr int64_t kPieceFrames = 64;

} // namespace mlir::rnn

#endif // RNN_DIALECT_RNN_SCHEDULE_WAVEFRONT_H
