//===- RegionEmitter.h - The body of a schedule region as loops ---*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Level-1 ops describe one frame of one stream. The emitter writes them for all
// points of a domain, or inside a loop for one frame of all streams.
//
// Consecutive elementwise ops of one iteration space form a group: one loop
// nest, in which values used nowhere else stay in registers. A group is emitted
// when something outside of it needs one of its values. Slices, reshapes and
// broadcasts are address arithmetic.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_RNNTOLOOPS_REGIONEMITTER_H
#define RNN_CONVERSION_RNNTOLOOPS_REGIONEMITTER_H

#include "rnn/Conversion/RNNToLoops/FunctionEmitter.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::rnn::loops {

class RegionEmitter {
public:
  /// `sequences` finds the memory of an operand of the region; `stateOf` that
  /// of the session's tensor with a name, or a view without base.
  RegionEmitter(FunctionEmitter &emitter, Operation *region, function_ref<View(Value)> sequences,
                function_ref<View(StringRef)> stateOf);

  /// Emits the region. Afterwards `getResult` tells where its results lie.
  LogicalResult run();
  View getResult(unsigned i) const { return results[i]; }

  /// Where a delay, save or seed reads: prepared once per frame and stream.
  struct TimedRead {
    Value valid;     ///< i1: read, or else take the other value
    View source;     ///< the sequence; none for a seed
    View old;        ///< the session's tensor with older frames, or none
    Value isOld;     ///< i1: `old` is read; null if there is none
    Value isNew;     ///< i1: a frame of the domain is read; null: a value of lower rate
    Value base;      ///< memref of what is read
    Value rowOffset; ///< of the element with all coordinates 0, there
  };

  /// A product of a static matrix and one vector per stream: element r of the
  /// result is the sum over k of W[r, k] * x[k], all in row-major order.
  ///
  /// The matrix may be block-diagonal, with `blocks` blocks. The result is
  /// [rows / (blocks * blockRows)][blocks][blockRows] then, and its block n has
  /// sums over [depth / blockDepth][n][blockDepth] of the vector.
  struct MatrixVector {
    Value input, weight;
    int64_t rows, depth;            ///< of the result, of one sum
    int64_t rowStride, depthStride; ///< in the memory of the weight
    int64_t blocks = 1, blockRows = 0, blockDepth = 0;
    int64_t blockStride = 0, outerRowStride = 0, outerDepthStride = 0; ///< likewise
  };

private:
  friend class UnitLoop;
  struct Group {
    Space space;
    llvm::SetVector<Operation *> ops;
  };

  bool inLoop() const { return bool(frame); }
  Rate rateOf(Value value) const { return rates.lookup(value); }
  Value domainFrames() { return inWindow ? e.windowFrames : e.frames; }
  /// How many frames are computed, and the one of step number `step` of a loop over them.
  Value countFrames() { return e.pieceFrames ? e.pieceFrames : domainFrames(); }
  Value frameOfStep(Value step);

  // RegionEmitter.cpp
  void computeRates();
  LogicalResult emitBody();
  LogicalResult emitLoop();
  LogicalResult emitOp(Operation *op);
  /// Finds the places of the region's results in the memory plan.
  void planResults();
  /// Copies what was not computed in its place: views of other memory.
  void finishResults();

  // Views.cpp
  /// The memory of a value; emits its group first where that is needed.
  View materialize(Value value);
  /// Memory for the result of an op that writes it: its place in the plan if
  /// it is a result of the region, else scratch, for all frames where the value
  /// outlives its own.
  View allocateResult(Value value);
  View sliceView(const View &source, ArrayRef<int64_t> offsets, ArrayRef<int64_t> strides, RankedTensorType type);
  std::optional<View> reshapeView(const View &source, RankedTensorType type);
  LogicalResult emitView(Operation *op);
  LogicalResult emitConcat(tensor::ConcatOp op);
  LogicalResult emitInsertSlice(tensor::InsertSliceOp op);
  View constantView(arith::ConstantOp op);
  /// Copies a value into memory of the same type.
  void emitCopy(const View &source, const View &target, Rate rate) {
    e.copy(source, target, rate, {domainFrames(), frame});
  }

  // Groups.cpp
  void addToGroup(Operation *op);
  void emitGroup(Group &group);
  void flushAll();
  TimedRead prepareRead(Operation *op, const Point &row);
  /// Loads elements of what is read, a signal with these strides, whether or not the read is valid.
  Value loadRead(const TimedRead &read, ArrayRef<int64_t> strides, Type element, const Point &point, unsigned lanes,
                 Value mask);
  Value emitElement(Operation *op, ValueRange operands, unsigned lanes);
  void forEachVector(const Space &space, unsigned lanes, function_ref<void(const Point &)> row,
                     FunctionEmitter::RowBody body) {
    e.forEachVector(space, lanes, {domainFrames(), frame}, row, body);
  }
  unsigned lanesFor(ArrayRef<Type> elements, int64_t inner) const { return e.lanesFor(elements, inner); }

  // Reductions.cpp
  LogicalResult emitReduce(ReduceOp op);
  LogicalResult emitSumFrames(SumFramesOp op);
  LogicalResult emitGather(GatherOp op);
  LogicalResult emitScatterAdd(ScatterAddOp op);
  Value combine(ReduceKind kind, Value a, Value b);
  /// What a reduction of no elements gives.
  TypedAttr neutralOf(ReduceOp op);
  /// The value where the frame exists, else the other (rule A6).
  Value whereFrameExists(Value frameIndex, Value stream, Value value, Value otherwise);
  /// A nest of loops over frames and streams of the domain that carries values.
  SmallVector<Value> forEachFrame(bool overStreams, Value fixedStream, ValueRange initial,
                                  function_ref<SmallVector<Value>(Value frame, Value stream, ValueRange carried)> body);

  // Random.cpp
  LogicalResult emitRandom(RandomOp op);

  // Contract.cpp
  LogicalResult emitContract(ContractOp op);
  bool emitAsProduct(ContractOp op);
  bool emitAsGradient(ContractOp op);
  bool emitAsReduction(ContractOp op);
  View copyWithLast(const View &view, ArrayRef<unsigned> last);
  Value loadDelayed(DelayOp delay, const View &init, const Point &point);
  void emitNaively(ContractOp op);
  View withAbsentFramesZero(const View &view);
  /// The op in that form, if it has it.
  std::optional<MatrixVector> asMatrixVector(ContractOp op);
  std::optional<MatrixVector> asBlockDiagonal(ContractOp op, unsigned weight);

  FunctionEmitter &e;
  OpBuilder &b;
  Location loc;
  IndexMath &index;
  Operation *region;
  Block &body;
  Domain domain;
  bool inWindow;
  function_ref<View(StringRef)> stateOf;

  Value frame;                     ///< the current frame inside a loop
  Operation *beforeLoop = nullptr; ///< what a loop needs once goes here
  llvm::DenseMap<Value, Rate> rates;
  llvm::DenseMap<Value, View> views;  ///< what has memory
  llvm::DenseMap<Value, View> places; ///< where the region's results go
  llvm::DenseMap<Operation *, Group *> groupOf;
  SmallVector<std::unique_ptr<Group>> openGroups;
  /// Operands that are read where their delayed signal lies, and need no memory of their own.
  llvm::SmallPtrSet<OpOperand *, 4> readInPlace;
  /// Values that later frames or the region's results read.
  llvm::SmallPtrSet<Value, 8> outliving;
  SmallVector<View> results;
};

/// True for ops that are the same arithmetic for every element.
bool isElementwise(Operation *op);
/// True for ops that read a sequence at another frame, or only at some frames.
bool isTimed(Operation *op);

} // namespace mlir::rnn::loops

#endif // RNN_CONVERSION_RNNTOLOOPS_REGIONEMITTER_H
