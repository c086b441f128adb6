//===- UnitTensorCores.cpp - A loop's products on tensor cores --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of a tile of 16 elements of the sum, lane 4g + i has the four neighbours from
// 4i on, of the matrix and of the vectors alike: the order of a sum is free, and
// so they are one load. Row number r of a block is element r / U of unit r % U,
// where the block has U units.
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// The first of the lane's four elements of the sum in one of its warp's tiles.
Value UnitLoop::positionInTile(const Product &product, int64_t depthTile) {
  Value among = index.mul(index.rem(lane, index.constant(4)), index.constant(4));
  Value first = index.add(index.mul(warp, index.constant(product.slice)), among);
  return index.add(first, index.constant(depthTile * kTileDepth));
}

/// Zero behind the last row and the last column.
void UnitLoop::loadFragments(Operation *op, Product &product) {
  const RegionEmitter::MatrixVector &form = product.form;
  View view = region.materialize(form.weight);
  auto isEven = [](int64_t count) { return count % 4 == 0; };
  const bool inQuads = form.depthStride == 1 && isEven(form.depth) && isEven(form.rowStride) && isEven(view.shift) &&
                       !e.isConstant(view);
  Value zero = e.splat(b.getF32Type(), 1, 0), ofBlock = index.constant(unitsPerBlock);
  const bool isScalar = countElements(op->getResult(0)) == 1;
  product.fragments.clear();
  for (int64_t rowTile = 0; rowTile < product.rowTiles; ++rowTile) {
    Value rows[2], exists[2];
    for (int64_t half : {0, 1}) {
      Value number =
          index.add(index.div(lane, index.constant(4)), index.constant(rowTile * kTileRows + half * kTileRows / 2));
      Value of = index.add(firstUnit, index.rem(number, ofBlock));
      exists[half] = arith::AndIOp::create(b, loc, index.less(number, index.constant(unitsPerBlock * product.perUnit)),
                                           index.less(of, index.constant(units)));
      Value element = index.min(index.div(number, ofBlock), index.constant(product.perUnit - 1));
      rows[half] = isScalar
                       ? index.constant(0)
                       : index.add(index.mul(element, index.constant(units)), index.min(of, index.constant(units - 1)));
    }
    for (int64_t depthTile = 0; depthTile < product.depthTiles; ++depthTile) {
      Value first = positionInTile(product, depthTile);
      SmallVector<Value> words[2];
      for (int64_t half : {0, 1}) {
        Value row = index.addScaled(index.constant(view.shift), rows[half], form.rowStride);
        SmallVector<Value> elements;
        if (inQuads) {
          Value at = index.add(row, index.min(first, index.constant(form.depth - 4)));
          elements = e.loadNeighbours(e.base(view), at, 4);
        }
        for (int64_t c = 0; c < 4; ++c) {
          Value k = index.add(first, index.constant(c));
          if (!inQuads) {
            Value at = index.addScaled(row, clampPosition(product, k), form.depthStride);
            elements.push_back(e.loadAt(e.base(view), at, b.getF32Type(), 0, 1, {}));
          }
          Value inside = arith::AndIOp::create(b, loc, index.less(k, index.constant(form.depth)), exists[half]);
          elements[c] = arith::SelectOp::create(b, loc, inside, elements[c], zero);
        }
        words[half] = {e.packBf16(elements[0], elements[1]), e.packBf16(elements[2], elements[3])};
      }
      product.fragments.append({words[0][0], words[1][0], words[0][1], words[1][1]});
    }
  }
}

/// Partial sums of the warp are in shared memory then: [two frames][streams of
/// the block][warps][rows].
void UnitLoop::multiplyOnTensorCores(ContractOp op, Product &product) {
  const int64_t rows = countPartialRows(product);
  auto multiplyTile = [&](Value first) {
    Value column = index.add(first, index.div(lane, index.constant(4)));
    Value stream = index.min(column, index.constant(streamsPerBlock - 1)); // columns that are left repeat one
    stream = index.min(index.add(firstStream, stream), index.constant(e.streams - 1));
    SmallVector<Value> sums = multiplyStreamTile(product, stream);
    Value ofWarp = index.mul(warp, index.constant(rows));
    for (int64_t pair : {0, 1}) {
      Value result = index.add(first, index.mul(index.rem(lane, index.constant(4)), index.constant(2)));
      result = index.add(result, index.constant(pair));
      Value begin = index.add(partialsOf(product, result), ofWarp);
      begin = index.add(begin, index.div(lane, index.constant(4)));
      for (int64_t rowTile = 0; rowTile < product.rowTiles; ++rowTile)
        for (int64_t half : {0, 1})
          memref::StoreOp::create(b, loc, sums[rowTile * 4 + half * 2 + pair], product.partials,
                                  index.add(begin, index.constant(rowTile * kTileRows + half * kTileRows / 2)));
    }
  };
  if (streamsPerBlock <= kTileColumns) {
    multiplyTile(index.constant(0));
  } else {
    auto loop = scf::ForOp::create(b, loc, index.constant(0), index.constant(streamsPerBlock),
                                   index.constant(kTileColumns), ValueRange{dead});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    dead = loop.getRegionIterArg(0);
    multiplyTile(loop.getInductionVar());
    scf::YieldOp::create(b, loc, ValueRange{dead});
    dead = loop.getResult(0);
  }
  gpu::BarrierOp::create(b, loc);
}

/// The warp's part of the sums, four of every tile of rows, with `stream` the
/// one of the lane's column of the vectors.
SmallVector<Value> UnitLoop::multiplyStreamTile(const Product &product, Value stream) {
  SmallVector<Value> sums(product.rowTiles * 4, e.splat(b.getF32Type(), 1, 0));
  for (int64_t begin = 0; begin < product.depthTiles; begin += kTilesAtOnce) {
    const int64_t end = std::min(begin + kTilesAtOnce, product.depthTiles);
    SmallVector<Value> positions; // clamped: the matrix is zero behind the end
    for (int64_t depthTile = begin; depthTile < end; ++depthTile) {
      Value first = positionInTile(product, depthTile);
      if (product.form.depth % 4 == 0)
        first = index.min(first, index.constant(product.form.depth - 4));
      for (int64_t c = 0; c < 4; ++c)
        positions.push_back(clampPosition(product, index.add(first, index.constant(c))));
    }
    SmallVector<Value> input = readInput(product, stream, positions);
    for (int64_t depthTile = begin; depthTile < end; ++depthTile) {
      ArrayRef<Value> elements = ArrayRef(input).slice((depthTile - begin) * 4, 4);
      Value right[] = {e.packBf16(elements[0], elements[1]), e.packBf16(elements[2], elements[3])};
      for (int64_t rowTile = 0; rowTile < product.rowTiles; ++rowTile) {
        ArrayRef<Value> left =
            ArrayRef(product.fragments).slice((rowTile * product.depthTiles + depthTile) * kWordsOfTile, kWordsOfTile);
        SmallVector<Value> tile = e.multiplyTiles(left, right, ArrayRef(sums).slice(rowTile * 4, 4));
        llvm::copy(tile, sums.begin() + rowTile * 4);
      }
    }
  }
  return sums;
}
