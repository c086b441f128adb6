//===- Random.cpp - Random numbers in loops -----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"

#include "rnn/Conversion/BuildRandom.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

LogicalResult RegionEmitter::emitRandom(RandomOp op) {
  View target = allocateResult(op.getResult());
  View seed = stateOf("seed");
  View clock = stateOf(op.getRate() == Rate::Frame ? "state.frame" : "opt.step");
  SmallVector<unsigned> reads{seed.buffer};
  if (clock)
    reads.push_back(clock.buffer);
  e.access(reads, {target.buffer});

  auto integer = [&](Type type, int64_t value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
  };
  RandomKey key = buildRandomKey(b, loc, *op.getId(), e.loadElement(seed, {}));
  Value start = clock ? e.loadElement(clock, {}) : integer(b.getI64Type(), 0);
  auto type = cast<RankedTensorType>(op.getType());
  auto toInteger = [&](Value value, Type type) -> Value { return arith::IndexCastOp::create(b, loc, type, value); };
  forEachVector(
      {op.getRate(), SmallVector<int64_t>(type.getShape())},
      /*lanes=*/1, [](const Point &) {},
      [&](const Point &point, unsigned, Value mask) {
        Value unit = index.constant(0);
        for (auto [coordinate, size] : llvm::zip(point.element, type.getShape()))
          unit = index.add(index.mul(unit, index.constant(size)), coordinate);
        Value stream =
            op.getRate() == Rate::Static ? integer(b.getI32Type(), 0) : toInteger(point.stream, b.getI32Type());
        Value time = start;
        if (op.getRate() == Rate::Frame)
          time = arith::AddIOp::create(b, loc, start, toInteger(point.frame, b.getI64Type()));
        Value value = buildRandom(b, loc, op.getKind(), type.getElementType(), key, toInteger(unit, b.getI32Type()),
                                  stream, time);
        e.store(value, target, point, 1, mask);
      });
  return success();
}
