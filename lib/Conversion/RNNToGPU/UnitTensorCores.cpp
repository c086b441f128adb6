//===- UnitTensorCores.cpp - A loop's products on tensor cores --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of a tile of 16 elements of the sum, lane 4g + i has the four neighbours from
// 4i on, of the matrix and of the vectors alike: the order of a sum is free, and
// so they are one load. Where the vector is exchanged as pairs of bf16, with the
// elements of a unit side by side, one load of four pairs is the lane's part of
// two tiles: pairs 4i to 4i + 3 of 32 elements.
//
// A pair's rounding makes every NaN the same one, which is not the sentinel.
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// Products of tiles that a warp has under way.
static constexpr int64_t kChains = 4;

/// The first of the lane's four elements of the sum in one of its warp's tiles.
Value UnitLoop::positionInTile(const Product &product, int64_t depthTile) {
  Value among = index.rem(lane, index.constant(4));
  Value first = index.mul(warp, index.constant(product.slice));
  if (!product.isPacked) {
    first = index.add(first, index.mul(among, index.constant(4)));
    return index.add(first, index.constant(depthTile * kTileDepth));
  }
  first = index.add(first, index.mul(among, index.constant(8)));
  return index.add(first, index.constant(depthTile / 2 * 2 * kTileDepth + depthTile % 2 * 4));
}

void UnitLoop::loadFragments(Operation *op, Product &product) {
  product.fragments.clear();
  if (!inRegisters)
    return;
  for (int64_t rowTile = 0; rowTile < product.rowTiles; ++rowTile)
    for (int64_t depthTile = 0; depthTile < product.depthTiles; ++depthTile)
      llvm::append_range(product.fragments, loadFragment(op, product, rowTile, depthTile));
}

/// The lane's words of a tile; zero behind the last row and the last column.
SmallVector<Value> UnitLoop::loadFragment(Operation *op, const Product &product, int64_t rowTile, int64_t depthTile) {
  Value first = positionInTile(product, depthTile);
  SmallVector<Value> positions, words[2];
  for (int64_t c = 0; c < 4; ++c)
    positions.push_back(index.add(first, index.constant(c)));
  for (int64_t half : {0, 1}) {
    Value number =
        index.add(index.div(lane, index.constant(4)), index.constant(rowTile * kTileRows + half * kTileRows / 2));
    auto [row, exists] = findRow(op, product, number);
    SmallVector<Value> elements = loadFour(product, row, exists, positions);
    words[half] = {e.packBf16(elements[0], elements[1]), e.packBf16(elements[2], elements[3])};
  }
  return {words[0][0], words[1][0], words[0][1], words[1][1]};
}

/// Partial sums of the warp are in shared memory then: [frames][streams of the
/// block][warps][rows].
void UnitLoop::multiplyOnTensorCores(ContractOp op, Product &product) {
  auto multiplyTile = [&](Value first) {
    Value column = index.add(first, index.div(lane, index.constant(4)));
    Value stream = index.min(column, index.constant(streamsPerBlock - 1)); // columns that are left repeat one
    stream = index.min(index.add(firstStream, stream), index.constant(e.streams - 1));
    SmallVector<Value> sums = multiplyStreamTile(op, product, stream);
    Value ofWarp = index.mul(warp, index.constant(countRows(product)));
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
  if (streamsPerBlock <= streamsAtOnce)
    multiplyTile(index.constant(0));
  else
    forStreams(multiplyTile);
  gpu::BarrierOp::create(b, loc);
}

/// The warp's part of the sums, four of every tile of rows, with `stream` the
/// one of the lane's column of the vectors.
SmallVector<Value> UnitLoop::multiplyStreamTile(Operation *op, const Product &product, Value stream) {
  // Several sums at a time, as a product waits for the last one of its sum.
  const int64_t chains = llvm::divideCeil(kChains, product.rowTiles);
  SmallVector<Value> sums(chains * product.rowTiles * 4, e.splat(b.getF32Type(), 1, 0)); // [chains][rowTiles][4]
  for (int64_t begin = 0; begin < product.depthTiles; begin += tilesAtOnce) {
    const int64_t end = std::min(begin + tilesAtOnce, product.depthTiles);
    SmallVector<Value> words; // two of a tile
    if (product.isPacked) {
      words = readPacked(product, stream, begin, end);
    } else {
      SmallVector<Value> positions; // clamped: the matrix is zero behind the end
      for (int64_t depthTile = begin; depthTile < end; ++depthTile) {
        Value first = positionInTile(product, depthTile);
        if (product.form.depth % 4 == 0)
          first = index.min(first, index.constant(product.form.depth - 4));
        for (int64_t c = 0; c < 4; ++c)
          positions.push_back(elementOfSum(product, clampPosition(product, index.add(first, index.constant(c)))));
      }
      SmallVector<Value> input = readInput(product, stream, positions);
      for (size_t i = 0; i < input.size(); i += 2)
        words.push_back(e.packBf16(input[i], input[i + 1]));
    }
    for (int64_t depthTile = begin; depthTile < end; ++depthTile) {
      ArrayRef<Value> right = ArrayRef(words).slice((depthTile - begin) * 2, 2);
      for (int64_t rowTile = 0; rowTile < product.rowTiles; ++rowTile) {
        const int64_t number = rowTile * product.depthTiles + depthTile;
        SmallVector<Value> left =
            inRegisters ? SmallVector<Value>(ArrayRef(product.fragments).slice(number * kWordsOfTile, kWordsOfTile))
                        : loadFragment(op, product, rowTile, depthTile);
        const int64_t at = (depthTile % chains * product.rowTiles + rowTile) * 4;
        SmallVector<Value> tile = e.multiplyTiles(left, right, ArrayRef<Value>(sums).slice(at, 4));
        llvm::copy(tile, sums.begin() + at);
      }
    }
  }
  SmallVector<Value> results;
  for (int64_t i = 0; i < product.rowTiles * 4; ++i) {
    SmallVector<Value> terms;
    for (int64_t chain = 0; chain < std::min(chains, product.depthTiles); ++chain)
      terms.push_back(sums[chain * product.rowTiles * 4 + i]);
    results.push_back(addInOrder(terms));
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Pairs of bf16
//===----------------------------------------------------------------------===//

Value UnitLoop::packedAddress(Value value, Value row, Value stream, Value word) {
  const View &view = packed[value];
  return addressOf(e.pointer(view), e.address(view, {row, stream, {word}}), b.getI32Type());
}

/// Sentinels where the pairs of all frames will be, and what a session has left
/// of the frame before the first.
void UnitLoop::presetPacked(Value value) {
  auto type = RankedTensorType::get({countElements(value) / 2}, b.getI32Type());
  View view = packed[value] = e.allocate(type, Rate::Frame, (region.inWindow ? e.history : 0) + 1);
  e.access({}, {view.buffer});
  e.forEachVector(
      {Rate::Frame, {type.getNumElements()}}, 1, {region.domainFrames(), Value()}, [](const Point &) {},
      [&](const Point &point, unsigned, Value) {
        Point at = point;
        if (!isBackward())
          at.frame = index.add(at.frame, index.constant(1));
        e.store(constantI32(kSentinel), view, at, 1, {});
      });
  auto isCarried = [&](auto &item) { return item.second.exchanged == value && item.second.delay; };
  auto found = llvm::find_if(products, isCarried);
  if (isBackward() || found == products.end())
    return;
  const Product &product = found->second;
  e.forEachVector(
      {Rate::Stream, {type.getNumElements()}}, 1, {}, [](const Point &) {},
      [&](const Point &point, unsigned, Value) {
        RegionEmitter::TimedRead read = region.prepareRead(product.delay, {index.constant(0), point.stream, {}});
        SmallVector<Value> pair;
        for (int64_t i : {0, 1}) {
          Value k = index.add(index.mul(point.element.front(), index.constant(2)), index.constant(i));
          Value at = addressInRow(read.source, read.rowOffset, elementAt(product, k, units), point.stream);
          pair.push_back(read.old ? e.loadAt(read.base, at, b.getF32Type(), 0, 1, {}) : e.splat(b.getF32Type(), 1, 0));
        }
        e.store(e.packBf16(pair[0], pair[1]), view, {index.constant(0), point.stream, point.element}, 1, {});
      });
}

/// Writes this unit's pairs for the readers of other blocks; where units have an
/// odd number of elements, every other unit writes for two.
void UnitLoop::publishPacked(Value value) {
  const int64_t count = perUnit(value);
  const bool isOdd = count % 2 == 1;
  SmallVector<SmallVector<Value>> words(streamsPerGroup);
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    SmallVector<Value> elements;
    for (int64_t j = 0; j < count; ++j)
      elements.push_back(get(value, j, s));
    for (int64_t j = 0; j < (isOdd ? count : 0); ++j)
      elements.push_back(
          gpu::ShuffleOp::create(b, loc, elements[j], constantI32(1), constantI32(kWarpThreads), gpu::ShuffleMode::XOR)
              .getShuffleResult());
    for (size_t i = 0; i < elements.size(); i += 2)
      words[s].push_back(e.packBf16(elements[i], elements[i + 1]));
  }
  Value row = isBackward() ? frame : index.add(frame, index.constant(1));
  Value first = index.div(index.mul(unit, index.constant(count)), index.constant(2));
  OpBuilder::InsertionGuard guard(b);
  if (isOdd) {
    Value isFirst = e.compare(arith::CmpIPredicate::eq, index.rem(localUnit, index.constant(2)), index.constant(0));
    b.setInsertionPointToStart(scf::IfOp::create(b, loc, isFirst, /*withElseRegion=*/false).thenBlock());
  }
  forEachPresent([&](int64_t s) {
    for (auto [i, word] : llvm::enumerate(words[s]))
      publishWord(word, packedAddress(value, row, streams[s], index.add(first, index.constant(i))));
  });
}

/// The lane's words of tiles `begin` to `end` - 1, an even number, of a stream's
/// vector; waits for them.
SmallVector<Value> UnitLoop::readPacked(const Product &product, Value stream, int64_t begin, int64_t end) {
  const int64_t pairs = product.form.depth / 2;
  DelayOp delay = product.delay;
  RegionEmitter::TimedRead read;
  if (delay)
    read = prepareInput(product, stream);
  // That of the last frame is where this frame's goes, but for a row.
  Value row = bool(delay) == isBackward() ? index.add(frame, index.constant(1)) : frame;
  const bool inQuads = pairs % 4 == 0;
  SmallVector<Value> places, addresses; // clamped: the matrix is zero behind the end
  for (int64_t depthTile = begin; depthTile < end; depthTile += 2) {
    Value first = index.div(positionInTile(product, depthTile), index.constant(2));
    if (inQuads)
      first = index.min(first, index.constant(pairs - 4));
    for (int64_t i = 0; i < 4; ++i) {
      Value place = index.add(first, index.constant(i));
      places.push_back(inQuads ? place : index.min(place, index.constant(pairs - 1)));
      addresses.push_back(packedAddress(product.exchanged, row, stream, places.back()));
    }
  }
  SmallVector<Value> words = awaitWords(addresses, inQuads, read);
  if (!read.valid)
    return words;
  return selectInput(product, read.valid, words, [&](size_t i) -> Value {
    if (!delay.getInit())
      return constantI32(0);
    Value k = index.mul(places[i], index.constant(2));
    return e.packBf16(loadInit(product, elementAt(product, k, units), stream),
                      loadInit(product, elementAt(product, index.add(k, index.constant(1)), units), stream));
  });
}
