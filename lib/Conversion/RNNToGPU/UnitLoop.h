//===- UnitLoop.h - A loop over frames, dealt out by units --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All vectors of the body have a multiple of U elements. Element j * U + u of
// any of them belongs to unit u: of an LSTM, one hidden unit with its cell and
// all its gates. A group of lanes owns a unit for some streams. Per frame it
//
//   computes what depends on no product,
//   waits for the vectors that its products read,
//   multiplies its rows of the matrices: lanes divide the sum over k and add up
//   by shuffles, so that every lane has the results,
//   computes the rest of its elements, all lanes the same,
//   and publishes its element of the vectors that products read.
//
// With one barrier or one wait per exchanged vector and frame. The matrices'
// elements stay in registers where they fit.
//
// In several blocks a reader polls the elements themselves: the sequence is
// preset to a pattern that nobody publishes ("sentinel"; a result with its bits
// is published as another NaN). One relaxed store and relaxed loads suffice,
// since nothing but the polled words is read on their strength.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_CONVERSION_RNNTOGPU_UNITLOOP_H
#define RNN_LIB_CONVERSION_RNNTOGPU_UNITLOOP_H

#include "GpuEmitter.h"
#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"

namespace mlir::rnn::loops {

class UnitLoop {
public:
  UnitLoop(GpuEmitter &emitter, RegionEmitter &region, ArrayRef<Operation *> ops);

  /// Decides how the work is dealt out; false if the body has another form.
  bool plan();
  /// Emits the kernel.
  void emit();

private:
  /// A product of the body.
  struct Product {
    RegionEmitter::MatrixVector form;
    DelayOp delay;              ///< the input is a delayed signal; or null
    Value exchanged;            ///< the signal of this loop that is read; or null
    int64_t perUnit;            ///< rows of a unit
    int64_t perLane;            ///< elements of the sum that a lane adds
    SmallVector<Value> weights; ///< [perUnit][perLane], if in registers
  };

  // What is computed.
  bool classify();
  bool chooseUnits();
  bool chooseShape();
  bool mapElements(Operation *op);
  static int64_t countElements(Value value) { return cast<RankedTensorType>(value.getType()).getNumElements(); }
  /// Elements of a value that one unit has; 1 for a scalar, which all have.
  int64_t perUnit(Value value) const { return std::max<int64_t>(countElements(value) / units, 1); }
  bool isOfLoop(Value value) const { return value.getDefiningOp() && ownOps.contains(value.getDefiningOp()); }

  // The kernel.
  void presetSequences();
  void findPlace();
  void loadWeights();
  void emitFrame(Value step);
  void emitOp(Operation *op);
  void emitTimed(Operation *op);
  void emitProduct(ContractOp op, Product &product);
  /// Element k of the product's input for a stream, one value per element of
  /// the lane's share.
  SmallVector<Value> readInput(Product &product, int64_t stream);
  SmallVector<Value> awaitElements(Value address, ArrayRef<Value> offsets, Type element, Value fresh);
  Value addLanes(Value sum);
  void publish(Value value, const View &view);
  /// Element `j` of this unit for stream number `s` of the group.
  Value get(Value value, int64_t j, int64_t s);
  Value flatIndex(Value value, int64_t j);
  Point pointOf(Value flat, const View &view, int64_t s);
  Value constantI32(int32_t value) { return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value)); }

  GpuEmitter &e;
  RegionEmitter &region;
  OpBuilder &b;
  Location loc;
  IndexMath &index;

  SmallVector<Operation *> ops;                   ///< needed, in order; those that need no product first
  llvm::SmallPtrSet<Operation *, 16> ownOps;      ///< all ops of a frame
  llvm::MapVector<Operation *, Product> products; ///< contractions
  llvm::SetVector<Value> exchanged;               ///< signals that products of other units read
  llvm::DenseMap<Operation *, SmallVector<std::pair<unsigned, int64_t>>> elements; ///< of reshapes: operand, element
  int64_t units = 0, streamsPerGroup = 1, groups = 0;
  unsigned lanes = kWarpThreads;
  KernelShape shape;
  bool acrossBlocks = false, inRegisters = false;

  Value lane, unit, frame, isActive;
  SmallVector<Value> streams, isPresent;            ///< of the group; the last may repeat
  llvm::DenseMap<Value, SmallVector<Value>> values; ///< [perUnit][streams of the group]
  llvm::SmallPtrSet<Value, 4> unsynchronized;       ///< published since the last barrier
  Value dead;                                       ///< i1: a wait has failed
};

} // namespace mlir::rnn::loops

#endif // RNN_LIB_CONVERSION_RNNTOGPU_UNITLOOP_H
