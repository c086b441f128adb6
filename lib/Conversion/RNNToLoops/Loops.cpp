//===- Loops.cpp - Loops over the points of a space -------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/FunctionEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

unsigned FunctionEmitter::lanesFor(ArrayRef<Type> elements, int64_t inner) const {
  unsigned width = 8;
  for (Type element : elements)
    if (!element.isInteger(1))
      width = std::max(width, element.getIntOrFloatBitWidth());
  if (width < 32)
    width = 32;
  unsigned lanes = std::max(vectorBits / width, 1u);
  while (lanes > 1 && int64_t(lanes / 2) >= inner)
    lanes /= 2;
  return lanes;
}

void FunctionEmitter::forEachVector(const Space &space, unsigned lanes, const Frames &when,
                                    function_ref<void(const Point &)> row, RowBody body) {
  const bool isScalar = space.shape.empty();
  const int64_t inner = isScalar ? 1 : space.shape.back();
  ArrayRef<int64_t> outer(space.shape);
  if (!isScalar)
    outer = outer.drop_back();
  int64_t blockSize = inner;
  if (inner > 2 * vectorsPerItem * int64_t(lanes) || vectorsPerItem == 1)
    blockSize = vectorsPerItem * lanes;
  const int64_t blocks = llvm::divideCeil(inner, blockSize);

  int64_t points = blocks;
  for (int64_t size : outer)
    points *= size;
  if (space.rate >= Rate::Stream)
    points *= streams;
  const bool hasFrames = space.rate == Rate::Frame && !when.current;
  share(points, hasFrames ? when.count : Value(), [&](Value item) {
    // The item's number, digit by digit, the last dimension first.
    Value rest = item;
    auto digit = [&](int64_t size) -> Value {
      if (size == 1)
        return index.constant(0);
      Value value = index.rem(rest, index.constant(size));
      rest = index.div(rest, index.constant(size));
      return value;
    };
    Value block = digit(blocks);
    Point point;
    point.element.resize(space.shape.size());
    for (size_t i = outer.size(); i-- > 0;)
      point.element[i] = digit(outer[i]);
    if (space.rate >= Rate::Stream)
      point.stream = digit(streams);
    if (space.rate == Rate::Frame)
      point.frame = hasFrames ? rest : when.current;
    Value begin = index.mul(block, index.constant(blockSize));
    if (!isScalar)
      point.element.back() = begin;
    row(point);

    auto at = [&](Value position) {
      Point result = point;
      if (!isScalar)
        result.element.back() = position;
      return result;
    };
    if (lanes == 1 && blockSize == 1)
      return body(at(begin), 1, {});
    const int64_t fullEnd = inner / lanes * lanes;
    if (fullEnd) {
      Value end = index.min(index.add(begin, index.constant(blockSize)), index.constant(fullEnd));
      auto loop = scf::ForOp::create(b, loc, begin, end, index.constant(lanes));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      body(at(loop.getInductionVar()), lanes, {});
    }
    if (fullEnd == inner)
      return;
    // The last vector, partly masked, belongs to the last block.
    SmallVector<bool> bits(lanes, false);
    std::fill_n(bits.begin(), inner - fullEnd, true);
    auto maskType = VectorType::get(lanes, b.getI1Type());
    OpBuilder::InsertionGuard guard(b);
    if (blocks > 1) {
      Value isLast = compare(arith::CmpIPredicate::eq, block, index.constant(blocks - 1));
      auto branch = scf::IfOp::create(b, loc, isLast, /*withElseRegion=*/false);
      b.setInsertionPointToStart(branch.thenBlock());
    }
    Value mask = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(maskType, bits));
    body(at(index.constant(fullEnd)), lanes, mask);
  });
}

void FunctionEmitter::copy(const View &source, const View &target, Rate rate, const Frames &when) {
  ArrayRef<int64_t> shape = source.type.getShape();
  unsigned lanes = lanesFor(source.type.getElementType(), shape.empty() ? 1 : shape.back());
  auto isUnit = [](const View &view) { return view.strides.empty() || view.strides.back() == 1; };
  if (!isUnit(target) || !(isUnit(source) || source.strides.back() == 0))
    lanes = 1;
  forEachVector(
      {rate, SmallVector<int64_t>(shape)}, lanes, when, [](const Point &) {},
      [&](const Point &point, unsigned lanes, Value mask) {
        store(load(source, point, lanes, mask), target, point, lanes, mask);
      });
}
