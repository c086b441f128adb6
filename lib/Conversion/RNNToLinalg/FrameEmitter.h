//===- FrameEmitter.h - Level-1 ops as tensor code ------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Level-1 ops describe one frame of one stream. The emitter writes them for many at once: a value of lower rate has
// fewer leading dimensions.
//
//   leads   shape        outside a loop      inside a loop over frames
//   0       [S]          static              static
//   1       [B, S]       stream              stream, or this frame
//   2       [N, B, S]    frame               -
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_CONVERSION_RNNTOLINALG_FRAMEEMITTER_H
#define RNN_LIB_CONVERSION_RNNTOLINALG_FRAMEEMITTER_H

#include "rnn/Dialect/RNN/IR/RNN.h"

namespace mlir::rnn::linalg_exit {

/// Error 11 on an op that this exit cannot express.
LogicalResult unsupported(Operation *op);

/// A value with its number of leading dimensions.
struct Batched {
  Value value;
  unsigned leads = 0;
};

/// A sequence that a delay or save reads at other frames: `[N, B, S]`, and the frames before it, `[D, B, S]` or null.
struct Source {
  Value sequence;
  Value history;
};

/// What the ops of one region see of their surroundings.
struct FrameContext {
  /// B, in types (kDynamic: any number) and as a number, an attribute or an index.
  int64_t streams = 1;
  OpFoldResult streamCount;
  /// H, the older frames of the window (0 in the chunk).
  int64_t windowHistory = 0;
  /// The number of frames of the domain, an index; null in static and stream regions.
  Value frames;
  /// Ages of the domain, [N, B] i64.
  Value ages;
  /// The current frame, an index, inside a loop; null outside.
  Value frame;
  /// True if the domain is the window, where frames may be absent (age -1).
  bool inWindow = false;
  /// What random numbers depend on, each an i64: the seed, the number of frames before the chunk and of steps before
  /// this one; null where the function draws none.
  Value seed, firstFrame, step;
};

/// Emits the ops of one region at the builder's insertion point.
class FrameEmitter {
public:
  FrameEmitter(OpBuilder &builder, Location loc, const FrameContext &context)
      : b(builder), loc(loc), context(context) {}

  /// Sets the value of a block argument, or of a delay that has been emitted already.
  void map(Value from, Batched to) { values[from] = to; }
  Batched lookup(Value value) const { return values.lookup(value); }

  /// Emits one op. Delays and saves find what they read by `source(op)`. An op outside the list is an error.
  LogicalResult emit(Operation *op, llvm::function_ref<Source(Operation *)> source);

  /// The value with `leads` leading dimensions, repeated where it had fewer.
  Value spread(Batched value, unsigned leads);

  /// i1 scalars: whether some gather met an index out of range.
  ArrayRef<Value> getOutOfRange() const { return outOfRange; }

private:
  using BodyFn = llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;

  RankedTensorType batchedType(Type signal, unsigned leads);
  /// The sizes of a value of that type: leading ones, then those of the signal.
  SmallVector<OpFoldResult> batchedSizes(ArrayRef<int64_t> signal, unsigned leads);
  Value index(int64_t value);
  Value scalar(Type type, double value);
  Value empty(Type signal, unsigned leads);
  Value filled(Type signal, unsigned leads, double value);
  /// The coordinates of the current point of a generic op, as indices.
  SmallVector<Value> coordinates(OpBuilder &nested, unsigned rank);
  /// A generic op; iteration dimensions named by no result map are summed.
  Value generic(ArrayRef<Value> inputs, Value init, ArrayRef<AffineMap> maps, unsigned dims, BodyFn body);
  /// A map from (leads…, dims…) to the coordinates of a value with `has` of the `leads` leading dimensions.
  AffineMap leadMap(AffineMap map, unsigned leads, unsigned has, unsigned totalLeads);

  Batched emitElementwise(Operation *op);
  Batched emitReshape(Operation *op);
  Batched emitSum(SumOp op);
  Batched emitContract(ContractOp op);
  Batched emitReduce(ReduceOp op);
  Batched emitBroadcast(BroadcastOp op);
  Batched emitGather(GatherOp op);
  Batched emitScatterAdd(ScatterAddOp op);
  Batched emitSumFrames(SumFramesOp op);
  Batched emitDelay(DelayOp op, Source source);
  Batched emitSave(SaveOp op, Source source);
  Batched emitSeed(SeedOp op);
  Batched emitRandom(RandomOp op);
  Value emitSigmoid(Value x);
  Value emitSoftplus(Value x);
  /// Reads `source` at frame `at` (an index value, any integer), stream and coordinates; clamped into range.
  Value readFrame(OpBuilder &nested, Source source, Value at, ArrayRef<Value> rest);
  /// The number of leads of a frame-rate value here: 1 inside a loop, 2 outside.
  unsigned frameLeads() const { return context.frame ? 1 : 2; }
  unsigned maxLeads(ValueRange operands) const;

  OpBuilder &b;
  Location loc;
  FrameContext context;
  llvm::DenseMap<Value, Batched> values;
  SmallVector<Value> outOfRange;
};

} // namespace mlir::rnn::linalg_exit

#endif // RNN_LIB_CONVERSION_RNNTOLINALG_FRAMEEMITTER_H
