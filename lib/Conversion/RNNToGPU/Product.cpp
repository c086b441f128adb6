//===- Product.cpp - Matrix products as kernels -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Product.h"
#include "rnn/Conversion/InlinePtx.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// Lanes of a warp as rows and columns of threads.
static constexpr int64_t kWarpRows = 4, kWarpColumns = 8;
/// Frames of a chunk, where tiles are chosen: T is not known.
static constexpr int64_t kGuessedFrames = 64;
/// A kernel with fewer tiles leaves too much of a GPU idle.
static constexpr int64_t kWantedTiles = 96;
/// Blocks divide the depth in at most so many shares, to get so many blocks.
static constexpr int64_t kMaxShares = 32, kWantedBlocks = 128;
/// On tensor cores: several times as many as run at the same time, and a depth
/// that is worth a share.
static constexpr int64_t kWantedTensorBlocks = 1024, kMinShareDepth = 128;

bool ProductKernel::isSupported(Type element) {
  return element.isF32() || element.isF64() || element.isInteger(32) || element.isInteger(64);
}

ProductKernel::ProductKernel(GpuEmitter &emitter, const MatrixProduct &product)
    : e(emitter), b(e.b), loc(e.loc), index(e.index), product(product),
      onTensorCores(product.roundsToBf16 && product.element.isF32()),
      chunk(kAccessBytes * 8 / product.element.getIntOrFloatBitWidth()), tiling(chooseTiling()),
      columnTiles(llvm::divideCeil(product.columns, tiling.columns)),
      lhs{product.lhs, product.lhs.rowStride, product.lhs.columnStride, tiling.rows},
      rhs{product.rhs, product.rhs.columnStride, product.rhs.rowStride, tiling.columns} {
  if (product.depthOverFrames) {
    int64_t most = kMaxShares, blocks = kWantedBlocks;
    if (onTensorCores) {
      blocks = kWantedTensorBlocks;
      most = std::min(most, std::max<int64_t>(product.depth * kGuessedFrames / kMinShareDepth, 1));
    }
    shares = std::clamp<int64_t>(blocks / countTiles(tiling), 1, most);
  }
  // A bit more than a power of two: threads that store along the depth meet
  // different banks, as do lanes that read their parts of tiles.
  const int64_t padding = onTensorCores ? 2 * chunk : chunk;
  lhs.pitch = tiling.rows + padding;
  rhs.pitch = tiling.columns + padding;
  chooseVectors(lhs, product.rows);
  chooseVectors(rhs, product.columns);
  lhs.isRagged = product.rows % tiling.rows != 0;
  rhs.isRagged = product.columns % tiling.columns != 0;
}

int64_t ProductKernel::countTiles(const Tiling &tiling) const {
  int64_t guessedRows = product.rows * (product.rowsOverFrames ? kGuessedFrames : 1);
  return llvm::divideCeil(guessedRows, tiling.rows) * llvm::divideCeil(product.columns, tiling.columns);
}

/// The largest tile that leaves enough of them; where the depth can be divided,
/// that is not mostly padding.
ProductKernel::Tiling ProductKernel::chooseTiling() const {
  const Tiling small{32, 32, 16, 4, 4, 8}, medium{64, 64, chunk == 4 ? 16 : 8, 4, 4, 2},
      large{128, 128, onTensorCores ? kTileDepth : 8, 8, 8, 2};
  auto fits = [&](const Tiling &tiling) {
    if (!product.depthOverFrames)
      return countTiles(tiling) >= kWantedTiles;
    auto isUsed = [](int64_t size, int64_t tile) { return int64_t(llvm::alignTo(size, tile)) * 3 <= size * 4; };
    return isUsed(product.rows, tiling.rows) && isUsed(product.columns, tiling.columns);
  };
  // Sums of 64 bits take twice the registers.
  if (chunk == 4 && fits(large))
    return large;
  return fits(medium) ? medium : small;
}

void ProductKernel::chooseVectors(Factor &factor, int64_t extent) {
  const int64_t depthExtent = product.depth;
  auto isVector = [&](int64_t along, int64_t other, int64_t extent) -> bool {
    return along == 1 && extent % chunk == 0 && other % chunk == 0 && factor.matrix.view.shift % chunk == 0 &&
           !e.isConstant(factor.matrix.view);
  };
  if (isVector(factor.stride, factor.depthStride, extent)) {
    factor.width = chunk;
    // Two vectors, one above the other, become one of pairs.
    if (onTensorCores)
      factor.width = std::min(chunk, factor.size * tiling.slice / tiling.threads() / 2);
  } else if (isVector(factor.depthStride, factor.stride, depthExtent)) {
    factor.width = chunk;
    factor.isAlongDepth = true;
  } else {
    // Neighbouring threads at least read neighbouring elements.
    factor.isAlongDepth = factor.stride != 1 && (factor.depthStride == 1 || factor.depthStride < factor.stride);
  }
}

void ProductKernel::emit() {
  std::optional<FunctionEmitter::Scratch> scratch;
  if (shares > 1) {
    scratch.emplace(e);
    partial = e.allocate(RankedTensorType::get({shares, product.rows, product.columns}, product.element), Rate::Static);
  }
  e.access({product.lhs.view.buffer, product.rhs.view.buffer},
           {shares > 1 ? partial.buffer : product.result.view.buffer});
  KernelShape shape;
  shape.threads = tiling.threads();
  shape.residentBlocks = tiling.residentBlocks;
  // Tiles are (rows ceildiv tiling.rows) * others, which is at most this.
  const int64_t others = columnTiles * shares;
  Size work;
  work.perFrame = product.rowsOverFrames ? product.rows * others : 0;
  const int64_t older = product.inWindow && !e.pieceFrames ? e.history : 0;
  work.constant = product.rows * (product.rowsOverFrames ? older : 1);
  work.constant = (work.constant + tiling.rows - 1) * others;
  shape.itemsPerBlock = tiling.rows;
  e.emitKernel(shape, work, [&] { emitTiles(); });
  if (shares > 1)
    addShares();
}

Value ProductKernel::domainExtent(int64_t size, bool overFrames) {
  Value extent = index.constant(size);
  return overFrames ? index.mul(product.inWindow ? e.windowFrames : e.frames, extent) : extent;
}

Value ProductKernel::narrow(Value value) { return arith::IndexCastUIOp::create(b, loc, b.getI32Type(), value); }

Value ProductKernel::widen(Value value) { return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), value); }

Value ProductKernel::constantI32(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

void ProductKernel::emitTiles() {
  for (Factor *factor : {&lhs, &rhs})
    factor->shared = e.allocateShared(onTensorCores ? Type(b.getI32Type()) : product.element, 2 * countShared(*factor));
  rows = lhs.extent = domainExtent(product.rows, product.rowsOverFrames);
  depth = domainExtent(product.depth, product.depthOverFrames);
  if (product.rowsOverFrames && e.pieceFrames) {
    rows = index.mul(e.pieceFrames, index.constant(product.rows));
    rowsBefore = index.mul(e.pieceBegin, index.constant(product.rows));
    lhs.extent = index.add(rowsBefore, rows);
  }
  rhs.extent = index.constant(product.columns);

  // Places in a tile and numbers of tiles have 32 bits: registers are scarce.
  thread = narrow(gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x));
  rowTiles = narrow(index.div(index.add(rows, index.constant(tiling.rows - 1)), index.constant(tiling.rows)));
  Value count = index.mul(rowTiles, constantI32(columnTiles * shares));
  Value block = narrow(gpu::BlockIdOp::create(b, loc, gpu::Dimension::x));
  Value blocks = narrow(gpu::GridDimOp::create(b, loc, gpu::Dimension::x));
  auto loop = scf::ForOp::create(b, loc, block, count, blocks);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  emitTile(loop.getInductionVar());
}

ProductKernel::Place ProductKernel::findPlace(Value item) {
  Place place;
  item = recompute(item);
  Value across = constantI32(columnTiles), down = index.div(item, across);
  if (shares > 1) {
    place.share = widen(index.div(down, rowTiles));
    down = index.rem(down, rowTiles);
  }
  place.firstRow = index.mul(widen(down), index.constant(tiling.rows));
  if (rowsBefore)
    place.firstRow = index.add(rowsBefore, place.firstRow);
  place.firstColumn = index.mul(widen(index.rem(item, across)), index.constant(tiling.columns));

  place.thread = recompute(thread);
  Value threads = constantI32(kWarpThreads), two = constantI32(2), columns = constantI32(kWarpColumns);
  Value lane = index.rem(place.thread, threads), warp = index.div(place.thread, threads);
  if (onTensorCores) {
    auto [rows, columns] = getWarpPart();
    Value four = constantI32(4), warpsAcross = constantI32(tiling.columns / columns);
    place.depthLane = index.rem(lane, four);
    place.threadRow = index.add(index.mul(index.div(warp, warpsAcross), constantI32(rows)), index.div(lane, four));
    place.threadColumn =
        index.add(index.mul(index.rem(warp, warpsAcross), constantI32(columns)), index.mul(place.depthLane, two));
    return place;
  }
  // Pairs of lanes are one above the other: each quarter of a warp reads few
  // different vectors of either side.
  Value laneRow = index.add(index.mul(index.div(lane, constantI32(2 * kWarpColumns)), two), index.rem(lane, two));
  Value laneColumn = index.rem(index.div(lane, two), columns);
  Value warpsAcross = constantI32(tiling.columns / tiling.threadColumns / kWarpColumns);
  Value row = index.add(index.mul(index.div(warp, warpsAcross), constantI32(kWarpRows)), laneRow);
  Value column = index.add(index.mul(index.rem(warp, warpsAcross), columns), laneColumn);
  place.threadRow = index.mul(row, constantI32(chunk));
  place.threadColumn = index.mul(column, constantI32(chunk));
  return place;
}

/// The same number, of which the compiler does not know that it is: what follows
/// from it is computed where it is needed, and has no register elsewhere.
Value ProductKernel::recompute(Value value) {
  return NVVM::InlinePtxOp::create(b, loc, TypeRange(b.getI32Type()), ValueRange(value), ValueRange(), kPtxMove,
                                   Value())
      .getResult(0);
}

void ProductKernel::emitTile(Value item) {
  const Place place = findPlace(item);
  Value begin = index.constant(0), end = depth, slice = index.constant(tiling.slice);
  if (place.share) {
    // Whole slices, the same number for every share but the last.
    Value step = index.constant(shares * tiling.slice);
    Value length = index.mul(index.div(index.add(depth, index.constant(shares * tiling.slice - 1)), step), slice);
    begin = index.mul(place.share, length);
    end = index.min(index.add(begin, length), depth);
  }
  Value length = index.sub(end, index.min(begin, end)), last = index.constant(tiling.slice - 1);
  Value slices = narrow(index.div(index.add(length, last), slice));
  // Where the depth is whole slices, a slice is inside or not; else each vector.
  isWhole = product.depth % tiling.slice == 0;
  Value limit = isWhole ? slices : end;
  findVectors(lhs, place.firstRow, place.thread, limit);
  findVectors(rhs, place.firstColumn, place.thread, limit);
  Value zero = index.constant(0), one = index.constant(1);
  storeSlice(lhs, loadSlice(lhs, constantI32(0), begin), zero);
  storeSlice(rhs, loadSlice(rhs, constantI32(0), begin), zero);
  gpu::BarrierOp::create(b, loc);

  SmallVector<Value> carried(tiling.threadRows * tiling.threadColumns, e.splat(product.element, 1, 0));
  carried.push_back(zero);
  auto loop = scf::ForOp::create(b, loc, constantI32(0), slices, constantI32(1), carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> sums(loop.getRegionIterArgs());
    Value buffer = sums.pop_back_val(), other = index.sub(one, buffer);
    Value next = index.add(loop.getInductionVar(), constantI32(1));
    Value nextDepth = index.add(begin, index.mul(widen(next), slice));
    SmallVector<Value> nextLhs = loadSlice(lhs, next, nextDepth), nextRhs = loadSlice(rhs, next, nextDepth);
    if (onTensorCores)
      multiplySliceOnTensorCores(place, buffer, sums);
    else
      multiplySlice(place, buffer, sums);
    storeSlice(lhs, nextLhs, other);
    storeSlice(rhs, nextRhs, other);
    gpu::BarrierOp::create(b, loc);
    sums.push_back(other);
    scf::YieldOp::create(b, loc, sums);
  }
  storeResults(llvm::to_vector_of<Value>(loop.getResults().drop_back()), findPlace(item));
}

void ProductKernel::multiplySlice(const Place &place, Value buffer, SmallVectorImpl<Value> &sums) {
  auto read = [&](int64_t k) {
    return std::pair(readShared(lhs, buffer, widen(place.threadRow), k, tiling.threadRows),
                     readShared(rhs, buffer, widen(place.threadColumn), k, tiling.threadColumns));
  };
  auto current = read(0);
  for (int64_t k = 0; k < tiling.slice; ++k) {
    auto [left, right] = current;
    if (k + 1 < tiling.slice)
      current = read(k + 1);
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = e.multiplyAdd(left[i / right.size()], right[i % right.size()], sum);
  }
}

//===----------------------------------------------------------------------===//
// Tensor cores
//===----------------------------------------------------------------------===//

/// Warps lie two above each other.
std::pair<int64_t, int64_t> ProductKernel::getWarpPart() const {
  const int64_t warps = tiling.threads() / kWarpThreads;
  return {tiling.rows / 2, tiling.columns / (warps / 2)};
}

/// The sums are [tiles of rows][tiles of columns][4].
void ProductKernel::multiplySliceOnTensorCores(const Place &place, Value buffer, SmallVectorImpl<Value> &sums) {
  auto [rows, columns] = getWarpPart();
  const int64_t rowTiles = rows / kTileRows, columnTiles = columns / kTileColumns;
  // A right tile's column is that of the lane's row in a left one.
  Value column = index.sub(place.threadColumn, index.mul(place.depthLane, constantI32(2)));
  column = index.add(column, index.div(index.rem(place.thread, constantI32(kWarpThreads)), constantI32(4)));
  for (int64_t k = 0; k < tiling.slice; k += kTileDepth) {
    SmallVector<Value> right = readTiles(rhs, buffer, column, place.depthLane, k, columnTiles);
    for (int64_t i = 0; i < rowTiles; ++i) {
      Value row = index.add(place.threadRow, constantI32(i * kTileRows));
      SmallVector<Value> half = readTiles(lhs, buffer, row, place.depthLane, k, kTileRows / kTileColumns);
      Value left[] = {half[0], half[2], half[1], half[3]};
      for (int64_t j = 0; j < columnTiles; ++j) {
        const int64_t at = (i * columnTiles + j) * 4;
        SmallVector<Value> tile =
            e.multiplyTiles(left, ArrayRef(right).slice(j * 2, 2), ArrayRef<Value>(sums).slice(at, 4));
        llvm::copy(tile, sums.begin() + at);
      }
    }
  }
}

SmallVector<Value> ProductKernel::readTiles(const Factor &factor, Value buffer, Value place, Value depthLane, int64_t k,
                                            int64_t tiles) {
  Value begin = index.add(index.mul(buffer, index.constant(countShared(factor))), widen(place));
  begin = index.addScaled(begin, widen(depthLane), factor.pitch);
  SmallVector<Value> words;
  for (int64_t tile = 0; tile < tiles; ++tile)
    for (int64_t pair : {k / 2, k / 2 + 4}) {
      Value at = index.add(begin, index.constant(pair * factor.pitch + tile * kTileColumns));
      words.push_back(memref::LoadOp::create(b, loc, factor.shared, at));
    }
  return words;
}

//===----------------------------------------------------------------------===//
// Slices of the depth
//===----------------------------------------------------------------------===//

Value ProductKernel::countInside(const Factor &factor, Value first) {
  return narrow(index.min(index.sub(factor.extent, first), index.constant(factor.size)));
}

void ProductKernel::findVectors(Factor &factor, Value first, Value thread, Value limit) {
  Value left = countInside(factor, first);
  const int64_t vectors = factor.size * tiling.slice / factor.width, threads = tiling.threads();
  const bool inPairs = isPaired(factor);
  const int64_t perDepth = inPairs ? 2 : 1; // vectors of a line's place
  Value perLine =
      constantI32(factor.isAlongDepth ? tiling.slice / factor.width / perDepth : factor.size / factor.width);
  for (SmallVector<Value> *list : {&factor.places, &factor.depths, &factor.addresses, &factor.limits})
    list->clear();
  for (int64_t i = 0; i < vectors / threads; ++i) {
    Value number = index.add(thread, constantI32(i / perDepth * threads));
    Value line = index.div(number, perLine);
    Value inLine = index.mul(index.rem(number, perLine), constantI32(factor.width));
    Value k = factor.isAlongDepth ? inLine : line, place = factor.isAlongDepth ? line : inLine;
    if (inPairs)
      k = index.add(index.mul(k, constantI32(2)), constantI32(i % 2));
    Value own = limit;
    if (factor.isRagged) {
      Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(limit.getType()));
      own = arith::SelectOp::create(b, loc, index.less(place, left), limit, none);
    }
    factor.limits.push_back(own);
    factor.places.push_back(place = widen(place));
    factor.depths.push_back(k = widen(k));
    Value address = index.addScaled(index.constant(factor.matrix.view.shift), index.add(first, place), factor.stride);
    factor.addresses.push_back(index.addScaled(address, k, factor.depthStride));
  }
}

SmallVector<Value> ProductKernel::loadSlice(const Factor &factor, Value number, Value depth) {
  Type type = e.lanesType(product.element, factor.width);
  Value memory = e.base(factor.matrix.view);
  SmallVector<Value> vectors;
  for (auto [address, k, limit] : llvm::zip(factor.addresses, factor.depths, factor.limits)) {
    Value condition = index.less(isWhole ? number : index.add(depth, k), limit);
    auto branch = scf::IfOp::create(b, loc, type, condition, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Value at = index.addScaled(address, depth, factor.depthStride);
    Value loaded;
    if (factor.width == 1)
      loaded = memref::LoadOp::create(b, loc, memory, at);
    else
      loaded = vector::LoadOp::create(b, loc, cast<VectorType>(type), memory, at, /*nontemporal=*/false,
                                      llvm::MaybeAlign(factor.width * kAccessBytes / chunk));
    scf::YieldOp::create(b, loc, loaded);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, e.splat(product.element, factor.width, 0));
    vectors.push_back(branch.getResult(0));
  }
  return vectors;
}

bool ProductKernel::isPaired(const Factor &factor) const {
  return onTensorCores && !(factor.isAlongDepth && factor.width > 1);
}

int64_t ProductKernel::countShared(const Factor &factor) const {
  return (onTensorCores ? tiling.slice / 2 : tiling.slice) * factor.pitch;
}

/// Pairs of neighbours along the depth, rounded to bf16.
void ProductKernel::storePairs(const Factor &factor, ArrayRef<Value> vectors, Value buffer) {
  Value begin = index.mul(buffer, index.constant(countShared(factor)));
  auto extract = [&](Value vector, int64_t i) -> Value {
    return factor.width == 1 ? vector : Value(vector::ExtractOp::create(b, loc, vector, i));
  };
  const bool inPairs = isPaired(factor);
  for (size_t i = 0; i < vectors.size(); i += inPairs ? 2 : 1) {
    Value line = index.div(factor.depths[i], index.constant(2));
    Value at = index.add(begin, index.add(index.mul(line, index.constant(factor.pitch)), factor.places[i]));
    SmallVector<Value> words;
    for (int64_t c = 0; c < factor.width; c += inPairs ? 1 : 2)
      words.push_back(inPairs ? e.packBf16(extract(vectors[i], c), extract(vectors[i + 1], c))
                              : e.packBf16(extract(vectors[i], c), extract(vectors[i], c + 1)));
    if (inPairs && factor.width > 1) {
      e.storeNeighbours(words, factor.shared, at);
      continue;
    }
    for (auto [c, word] : llvm::enumerate(words))
      memref::StoreOp::create(b, loc, word, factor.shared, index.add(at, index.constant(c * factor.pitch)));
  }
}

void ProductKernel::storeSlice(const Factor &factor, ArrayRef<Value> vectors, Value buffer) {
  if (onTensorCores)
    return storePairs(factor, vectors, buffer);
  Value begin = index.mul(buffer, index.constant(countShared(factor)));
  for (auto [place, k, value] : llvm::zip(factor.places, factor.depths, vectors)) {
    Value at = index.add(begin, index.add(index.mul(k, index.constant(factor.pitch)), place));
    if (factor.width == 1) {
      memref::StoreOp::create(b, loc, value, factor.shared, at);
    } else if (!factor.isAlongDepth) {
      vector::StoreOp::create(b, loc, value, factor.shared, at, /*nontemporal=*/false, llvm::MaybeAlign(kAccessBytes));
    } else {
      for (int64_t i = 0; i < factor.width; ++i)
        memref::StoreOp::create(b, loc, vector::ExtractOp::create(b, loc, value, i), factor.shared,
                                index.add(at, index.constant(i * factor.pitch)));
    }
  }
}

SmallVector<Value> ProductKernel::readShared(const Factor &factor, Value buffer, Value place, int64_t k,
                                             int64_t count) {
  Value begin = index.add(index.mul(buffer, index.constant(countShared(factor))), place);
  const int64_t chunks = count / chunk;
  SmallVector<Value> elements;
  for (int64_t i = 0; i < chunks; ++i) {
    Value at = index.add(begin, index.constant(k * factor.pitch + i * factor.size / chunks));
    llvm::append_range(elements, e.loadNeighbours(factor.shared, at, chunk));
  }
  return elements;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void ProductKernel::storeResults(ArrayRef<Value> sums, const Place &tile) {
  const View &target = tile.share ? partial : product.result.view;
  const int64_t rowStride = tile.share ? product.columns : product.result.rowStride;
  // Neighbouring columns of a thread.
  const int64_t wide = onTensorCores ? 2 : chunk;
  const bool hasVectors = product.columns % wide == 0 && rowStride % wide == 0 && target.shift % wide == 0;
  const int64_t width = hasVectors ? wide : 1;
  Value start = index.addScaled(index.constant(target.shift), tile.share, product.rows * product.columns);
  start = index.add(index.addScaled(start, tile.firstRow, rowStride), tile.firstColumn);
  start = index.add(index.addScaled(start, widen(tile.threadRow), rowStride), widen(tile.threadColumn));
  Value rowsLeft = countInside(lhs, tile.firstRow), columnsLeft = countInside(rhs, tile.firstColumn);
  auto ifInside = [&](bool isRagged, Value first, int64_t further, Value left, function_ref<void()> body) {
    if (!isRagged)
      return body();
    Value isInside = index.less(index.add(first, constantI32(further)), left);
    auto branch = scf::IfOp::create(b, loc, isInside, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body();
  };
  // Where the thread's row or column number i lies behind its first one.
  auto behind = [&](int64_t i, int64_t count, int64_t size) { return i / chunk * (size * chunk / count) + i % chunk; };
  auto [warpRows, warpColumns] = getWarpPart();
  const int64_t threadRows = onTensorCores ? warpRows / 8 : tiling.threadRows;
  const int64_t threadColumns = onTensorCores ? warpColumns / 4 : tiling.threadColumns;
  auto sumAt = [&](int64_t i, int64_t j) {
    return onTensorCores ? (i / 2 * (threadColumns / 2) + j / 2) * 4 + i % 2 * 2 + j % 2 : i * threadColumns + j;
  };
  for (int64_t i = 0; i < threadRows; ++i) {
    const int64_t row = onTensorCores ? 8 * i : behind(i, threadRows, tiling.rows);
    ifInside(lhs.isRagged, tile.threadRow, row, rowsLeft, [&] {
      for (int64_t j = 0; j < threadColumns; j += width) {
        const int64_t column = onTensorCores ? j / 2 * 8 + j % 2 : behind(j, threadColumns, tiling.columns);
        ifInside(rhs.isRagged, tile.threadColumn, column, columnsLeft, [&] {
          Value at = index.add(start, index.constant(row * rowStride + column));
          e.storeNeighbours(sums.slice(sumAt(i, j), width), e.base(target), at);
        });
      }
    });
  }
}

/// The sums of all shares, in their order.
void ProductKernel::addShares() {
  const View &target = product.result.view;
  e.access({partial.buffer}, {target.buffer});
  e.forEachVector(
      {Rate::Static, {product.rows, product.columns}}, 1, {}, [](const Point &) {},
      [&](const Point &point, unsigned, Value) {
        Value sum;
        for (int64_t share = 0; share < shares; ++share) {
          Value part = e.loadElement(partial, {{}, {}, {index.constant(share), point.element[0], point.element[1]}});
          sum = sum ? e.add(sum, part) : part;
        }
        Value at = index.addScaled(index.constant(target.shift), point.element[0], product.result.rowStride);
        memref::StoreOp::create(b, loc, sum, e.base(target), index.add(at, point.element[1]));
      });
  // The shares' memory is free again.
  e.synchronize();
}
