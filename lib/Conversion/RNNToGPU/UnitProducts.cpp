//===- UnitProducts.cpp - Products and exchange of a loop by units ----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"
#include "rnn/Conversion/InlinePtx.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// NaN for results that have them.
static constexpr int32_t kOtherNan = 0x7fffffff;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// So many first states are loaded in every frame, more only where a stream begins.
static constexpr size_t kFewInputs = 4;

/// True if the product's input is exchanged in the shared memory of one block:
/// a signal of this frame or the last.
bool UnitLoop::isShared(const Product &product) const {
  if (acrossBlocks || !product.exchanged || getElementTypeOrSelf(product.exchanged).isInteger(1))
    return false;
  DelayOp delay = product.delay;
  if (!delay)
    return true;
  Value init = delay.getInit();
  return readsLastFrame(delay) && (!init || region.rateOf(init) == Rate::Static);
}

/// Elements of a warp's part of the input for one stream, in shared memory.
static int64_t padToWarp(int64_t slice) { return llvm::alignTo(slice, kWarpThreads); }

int64_t UnitLoop::countInputs(const Product &product) const {
  if (onTensorCores)
    return 0;
  return countWarps() * streamsAtOnce * padToWarp(product.slice);
}

int64_t UnitLoop::countPartials(const Product &product) const {
  return partialSlots * countPartialStreams() * countPartialsOfStream(product);
}

int64_t UnitLoop::countPartialStreams() const {
  return onTensorCores ? llvm::alignTo(streamsPerBlock, kTileColumns) : streamsPerBlock;
}

int64_t UnitLoop::countPartialsOfStream(const Product &product) const {
  // Lanes of a tile's four pairs of columns write to different banks.
  return countWarps() * countRows(product) + (onTensorCores ? 4 : 0);
}

void UnitLoop::allocateShared() {
  for (auto &[op, product] : products) {
    Type element = getElementTypeOrSelf(product.form.input);
    if (product.sharedQuads)
      product.shared = e.allocateShared(element, product.sharedQuads * product.rowsPerLane * shape.threads * 4);
    if (acrossBlocks) {
      if (!onTensorCores)
        product.inputs = e.allocateShared(element, countInputs(product));
      product.partials = e.allocateShared(getElementTypeOrSelf(op->getResult(0)), countPartials(product));
    } else if (isShared(product) && !exchange.contains(product.form.input)) {
      Exchange &entry = exchange[product.form.input];
      entry.product = &product;
      entry.isOfLastFrame = bool(product.delay);
      entry.bytes = kWordBytes * streamsPerBlock * countElements(product.exchanged);
      entry.memory = e.allocateShared(element, kExchangeSlots * streamsPerBlock * countPlaces(product));
    }
  }
}

/// Sentinels where the exchanged signals will be.
void UnitLoop::presetSequences() {
  for (Value value : exchanged) {
    if (isPacked(value)) {
      presetPacked(value);
      continue;
    }
    const View &view = region.allocateResult(value);
    e.access({}, {view.buffer});
    Space space{Rate::Frame, SmallVector<int64_t>(view.type.getShape())};
    e.forEachVector(
        space, 1, {region.domainFrames(), Value()}, [](const Point &) {},
        [&](const Point &point, unsigned, Value) {
          Value bits = arith::BitcastOp::create(b, loc, b.getF32Type(), constantI32(kSentinel));
          e.store(bits, view, point, 1, {});
        });
  }
}

/// True if the product waits for its input, and for one stream only, so that
/// whether it exists is known a frame ahead.
bool UnitLoop::isAwaited(const Product &product) const {
  return acrossBlocks && streamsPerBlock == 1 && product.exchanged;
}

/// What the first frame reads: slot 1 holds the frame before it, slot 2 what
/// stands for a frame that does not exist; zero behind the vector's end.
void UnitLoop::fillExchange() {
  for (auto &[input, entry] : exchange) {
    const Product &product = *entry.product;
    const int64_t places = countPlaces(product), elements = countElements(input);
    const int64_t count = kExchangeSlots * streamsPerBlock * places;
    auto loop = scf::ForOp::create(b, loc, thread, index.constant(count), index.constant(shape.threads));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value at = loop.getInductionVar(), k = index.rem(at, index.constant(places));
    Value row = index.div(at, index.constant(places));
    Value slot = index.div(row, index.constant(streamsPerBlock));
    Value inside;
    if (places > elements) {
      inside = index.less(k, index.constant(elements));
      k = index.min(k, index.constant(elements - 1));
    }
    k = elementAt(product, k, units);
    Value zero = e.splat(getElementTypeOrSelf(input), 1, 0), value = zero;
    if (product.delay) {
      Value stream = index.add(firstStream, index.rem(row, index.constant(streamsPerBlock)));
      stream = index.min(stream, index.constant(e.streams - 1));
      Value first = readInput(product, stream, {k}).front(), other = loadInit(product, k, stream);
      Value isFirst = e.compare(arith::CmpIPredicate::eq, slot, index.constant(1));
      Value isOther = e.compare(arith::CmpIPredicate::eq, slot, index.constant(2));
      value = arith::SelectOp::create(b, loc, isFirst, first, arith::SelectOp::create(b, loc, isOther, other, zero));
    }
    value = roundForProducts(value);
    if (inside)
      value = arith::SelectOp::create(b, loc, inside, value, zero);
    memref::StoreOp::create(b, loc, value, entry.memory, at);
  }
  if (!exchange.empty())
    gpu::BarrierOp::create(b, loc);
}

/// Gives the unit's elements to the other groups of the block.
void UnitLoop::exchangeInBlock(Value value) {
  for (auto &[input, entry] : exchange) {
    if (entry.product->exchanged != value)
      continue;
    const Exchange &to = entry;
    forEachPresent([&](int64_t s) {
      for (int64_t j = 0; j < perUnit(value); ++j)
        memref::StoreOp::create(b, loc, roundForProducts(get(value, j, s)), to.memory, placeOf(to, s, j));
    });
  }
}

Value UnitLoop::placeOf(const Exchange &entry, int64_t s, int64_t j) {
  Value row = index.add(index.mul(parity, index.constant(streamsPerBlock)), localStreams[s]);
  Value place = index.mul(row, index.constant(countPlaces(*entry.product)));
  return index.add(place,
                   index.add(index.mul(unit, index.constant(perUnit(entry.product->exchanged))), index.constant(j)));
}

bool UnitLoop::isInterleaved(const Product &product) const {
  return (product.isPacked || isShared(product)) && perUnit(product.exchanged) > 1;
}

Value UnitLoop::elementAt(const Product &product, Value place, int64_t ofUnits) {
  if (!isInterleaved(product))
    return place;
  Value ofUnit = index.constant(perUnit(product.exchanged));
  return index.add(index.mul(index.rem(place, ofUnit), index.constant(ofUnits)), index.div(place, ofUnit));
}

Value UnitLoop::firstOfDiagonal(const Product &product) {
  Value of = index.constant(countDiagonalUnits(product));
  return index.mul(index.div(acrossBlocks ? firstUnit : unit, of), of);
}

Value UnitLoop::elementOfSum(const Product &product, Value k) {
  if (product.form.blocks == 1)
    return k;
  Value of = index.constant(countDiagonalUnits(product));
  Value row = index.mul(index.div(k, of), index.constant(units));
  return index.add(row, index.add(firstOfDiagonal(product), index.rem(k, of)));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Value UnitLoop::quadStart(const Product &product, int64_t quad) {
  Value among = index.rem(lane, index.constant(product.lanesPerRow));
  Value four = index.add(index.constant(quad * product.lanesPerRow), among);
  return index.mul(four, index.constant(4));
}

SmallVector<Value> UnitLoop::findPositions(const Product &product) {
  SmallVector<Value> positions;
  for (int64_t quad = 0; quad < product.quads; ++quad) {
    Value start = quadStart(product, quad);
    if (acrossBlocks)
      start = index.add(start, index.mul(warp, index.constant(product.slice)));
    for (int64_t c = 0; c < 4; ++c)
      positions.push_back(index.add(start, index.constant(c)));
  }
  return positions;
}

/// The row of the block that is this lane's number i; across blocks.
Value UnitLoop::rowInBlock(const Product &product, int64_t i) {
  Value row = index.div(lane, index.constant(product.lanesPerRow));
  return i ? index.add(row, index.constant(i * kWarpThreads / product.lanesPerRow)) : row;
}

std::pair<Value, Value> UnitLoop::findRow(Operation *op, const Product &product, Value number) {
  Value perUnit = index.constant(product.perUnit);
  Value of = index.add(firstUnit, index.div(number, perUnit));
  Value exists;
  if (countRows(product) > unitsPerBlock * product.perUnit || units % unitsPerBlock != 0) {
    exists = arith::AndIOp::create(b, loc, index.less(number, index.constant(unitsPerBlock * product.perUnit)),
                                   index.less(of, index.constant(units)));
    of = index.min(of, index.constant(units - 1));
  }
  Value row = countElements(op->getResult(0)) == 1
                  ? index.constant(0)
                  : index.add(index.mul(index.rem(number, perUnit), index.constant(units)), of);
  return {row, exists};
}

/// In one access where rows begin at multiples of four: a loop in pieces loads
/// its weights for each of them.
SmallVector<Value> UnitLoop::loadFour(const Product &product, Value row, Value exists, ArrayRef<Value> positions) {
  const RegionEmitter::MatrixVector &form = product.form;
  View view = region.materialize(form.weight);
  Type element = view.type.getElementType();
  auto isEven = [](int64_t count) { return count % 4 == 0; };
  const bool inQuads = element.isF32() && form.depthStride == 1 && isEven(form.depth) && isEven(form.rowStride) &&
                       isEven(view.shift) && !e.isConstant(view) && !isInterleaved(product) && form.blocks == 1;
  const int64_t of = countDiagonalUnits(product);
  const bool isFull = form.depth == product.slice * (acrossBlocks ? countWarps() : 1);
  const size_t width = inQuads ? 4 : 1;
  Value zero = e.splat(element, 1, 0);
  SmallVector<Value> weights;
  for (size_t p = 0; p < positions.size(); p += width) {
    Value k = positions[p], inside = exists;
    if (!isFull) {
      Value isColumn = index.less(k, index.constant(form.depth));
      inside = exists ? Value(arith::AndIOp::create(b, loc, isColumn, exists)) : isColumn;
      k = index.min(k, index.constant(form.depth - int64_t(width)));
    }
    Value at = index.constant(view.shift);
    k = elementAt(product, k, of);
    if (form.blocks == 1) {
      at = index.addScaled(at, row, form.rowStride);
      at = index.addScaled(at, k, form.depthStride);
    } else {
      Value ofUnits = index.constant(units), ofBlock = index.constant(of), ofRow = index.rem(row, ofUnits);
      at = index.addScaled(at, index.div(row, ofUnits), form.outerRowStride);
      at = index.addScaled(at, index.div(ofRow, ofBlock), form.blockStride);
      at = index.addScaled(at, index.rem(ofRow, ofBlock), form.rowStride);
      at = index.addScaled(at, index.div(k, ofBlock), form.outerDepthStride);
      at = index.addScaled(at, index.rem(k, ofBlock), form.depthStride);
    }
    SmallVector<Value> loaded;
    if (inQuads)
      loaded = e.loadNeighbours(e.base(view), at, width);
    else
      loaded.push_back(e.loadAt(e.base(view), at, element, 0, 1, {}));
    for (Value weight : loaded)
      weights.push_back(inside ? Value(arith::SelectOp::create(b, loc, inside, weight, zero)) : weight);
  }
  return weights;
}

/// Zero behind the last row and the last column. Those that are read in every
/// frame get a place where neighbouring threads have theirs side by side.
void UnitLoop::loadWeights(Operation *op, Product &product) {
  if (onTensorCores)
    return loadFragments(op, product);
  SmallVector<Value> positions = findPositions(product);
  product.weights.clear();
  for (int64_t i = 0; i < product.rowsPerLane; ++i) {
    auto [row, exists] = rowOfLane(op, product, i);
    for (int64_t quad = 0; quad < product.quads; ++quad) {
      SmallVector<Value> four;
      for (Value weight : loadFour(product, row, exists, ArrayRef(positions).slice(quad * 4, 4)))
        four.push_back(roundForProducts(weight));
      if (quad < product.residentQuads) {
        llvm::append_range(product.weights, four);
        continue;
      }
      auto [memory, at] = placeOfWeights(product, quad, i);
      e.storeNeighbours(four, memory, at);
    }
  }
}

void UnitLoop::allocateStreamed() {
  for (auto &[op, product] : products)
    if (const int64_t quads = countStreamedQuads(product); quads && !onTensorCores)
      product.streamed =
          e.allocate(RankedTensorType::get({quads * product.rowsPerLane * shape.threads * shape.blocks * 4},
                                           getElementTypeOrSelf(product.form.weight)),
                     Rate::Static, 0);
}

std::pair<Value, Value> UnitLoop::placeOfWeights(const Product &product, int64_t quad, int64_t i) {
  const int64_t first = product.residentQuads + product.sharedQuads;
  const bool isShared = quad < first;
  const int64_t row = (quad - (isShared ? product.residentQuads : first)) * product.rowsPerLane + i;
  Value number = thread;
  if (!isShared) {
    Value block = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
    number = index.add(index.mul(block, index.constant(shape.threads)), thread);
  }
  const int64_t threads = shape.threads * (isShared ? 1 : shape.blocks);
  Value at = index.mul(index.add(number, index.constant(row * threads)), index.constant(4));
  if (isShared)
    return {product.shared, at};
  return {e.base(product.streamed), index.add(at, index.constant(product.streamed.shift))};
}

std::pair<Value, Value> UnitLoop::rowOfLane(Operation *op, const Product &product, int64_t i) {
  if (acrossBlocks)
    return findRow(op, product, rowInBlock(product, i));
  return {flatIndex(op->getResult(0), i), Value()};
}

/// The lanes of a group add the rows of their unit.
void UnitLoop::multiplyInGroup(ContractOp op, Product &product) {
  auto found = exchange.find(product.form.input);
  if (isCluster() && found != exchange.end())
    awaitExchange(found->second);
  else if (unsynchronized.contains(product.exchanged) && !product.delay)
    meet();
  SmallVector<Value> list(product.perUnit * streamsPerGroup);
  SmallVector<SmallVector<Value>> inputs(streamsPerGroup), sums;
  SmallVector<Value> begins;
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    SmallVector<Value> &input = inputs[s];
    if (found != exchange.end()) {
      // Of this frame, of the last, or what stands for it.
      Value slot = parity;
      if (product.delay) {
        Value last = index.sub(index.constant(1), parity);
        slot = arith::SelectOp::create(b, loc, getValid(product.delay, s), last, index.constant(2));
      }
      Value row = index.add(index.mul(slot, index.constant(streamsPerBlock)), localStreams[s]);
      Value begin = index.mul(row, index.constant(countPlaces(product)));
      if (product.form.blocks > 1)
        begin = index.addScaled(begin, firstOfDiagonal(product), perUnit(product.form.input));
      begins.push_back(begin);
      input = loadQuads(product, found->second.memory, begin);
      isReading = true;
    } else {
      SmallVector<Value> positions = findPositions(product);
      for (Value &k : positions) // weights behind the end are zero
        k = elementOfSum(product, clampPosition(product, k));
      input = readInput(product, streams[s], positions);
    }
    sums.push_back(multiply(product, input));
  }
  multiplyStreamed(product, sums, [&](size_t s, int64_t quad) {
    if (begins.empty())
      return llvm::to_vector(ArrayRef<Value>(inputs[s]).slice(quad * 4, 4));
    return loadQuad(product, found->second.memory, begins[s], quad);
  });
  for (int64_t s = 0; s < streamsPerGroup; ++s)
    for (auto [j, sum] : llvm::enumerate(sums[s]))
      list[j * streamsPerGroup + s] = addLanes(sum, lanes);
  values[op.getResult()] = list;
}

/// A warp brings its part of the vector to shared memory, whence every lane
/// reads what its rows need. Partial sums are in shared memory then.
void UnitLoop::multiplyAcrossWarps(ContractOp op, Product &product) {
  const int64_t rows = countRows(product), part = padToWarp(product.slice);
  auto multiplyStreams = [&](Value first) {
    SmallVector<Value> local;
    for (int64_t s = 0; s < streamsAtOnce; ++s)
      local.push_back(index.min(index.add(first, index.constant(s)), index.constant(streamsPerBlock - 1)));
    auto inputsOf = [&](int64_t s) {
      return index.mul(index.add(index.mul(warp, index.constant(streamsAtOnce)), index.constant(s)),
                       index.constant(part));
    };
    for (int64_t s = 0; s < streamsAtOnce; ++s) {
      SmallVector<Value> places, positions; // clamped: weights behind the end are zero
      for (int64_t i = 0; i < part / kWarpThreads; ++i) {
        places.push_back(index.add(lane, index.constant(i * kWarpThreads)));
        Value k = index.add(index.mul(warp, index.constant(product.slice)), places.back());
        positions.push_back(elementOfSum(product, clampPosition(product, k)));
      }
      Value stream = index.min(index.add(firstStream, local[s]), index.constant(e.streams - 1));
      for (auto [place, value] : llvm::zip(places, readInput(product, stream, positions)))
        memref::StoreOp::create(b, loc, value, product.inputs, index.add(inputsOf(s), place));
    }
    syncWarp();
    SmallVector<SmallVector<Value>> sumsOf;
    for (int64_t s = 0; s < streamsAtOnce; ++s)
      sumsOf.push_back(multiply(product, loadQuads(product, product.inputs, inputsOf(s))));
    multiplyStreamed(product, sumsOf,
                     [&](size_t s, int64_t quad) { return loadQuad(product, product.inputs, inputsOf(s), quad); });
    for (SmallVector<Value> &sums : sumsOf)
      for (Value &sum : sums)
        sum = addLanes(sum, product.lanesPerRow);
    // One branch for all streams: LLVM moves the products of a stream behind that of the stream before, where what they
    // multiply takes registers of its own.
    auto branch = scf::IfOp::create(
        b, loc,
        e.compare(arith::CmpIPredicate::eq, index.rem(lane, index.constant(product.lanesPerRow)), index.constant(0)),
        /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    for (int64_t s = 0; s < streamsAtOnce; ++s) {
      Value begin = index.add(partialsOf(product, local[s]), index.mul(warp, index.constant(rows)));
      for (auto [i, sum] : llvm::enumerate(sumsOf[s]))
        memref::StoreOp::create(b, loc, sum, product.partials, index.add(begin, rowInBlock(product, i)));
    }
  };
  if (streamsAtOnce == streamsPerBlock)
    multiplyStreams(index.constant(0));
  else
    forStreams([&](Value first) {
      multiplyStreams(first);
      syncWarp(); // all have read before the next streams are written
    });
  gpu::BarrierOp::create(b, loc);
}

/// Emits a loop over the block's streams, `streamsAtOnce` at a time.
void UnitLoop::forStreams(function_ref<void(Value first)> body) {
  auto loop = scf::ForOp::create(b, loc, index.constant(0), index.constant(streamsPerBlock),
                                 index.constant(streamsAtOnce), ValueRange{dead});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  dead = loop.getRegionIterArg(0);
  body(loop.getInductionVar());
  scf::YieldOp::create(b, loc, ValueRange{dead});
  dead = loop.getResult(0);
}

/// Where the partial sums of a block's stream begin in this frame.
Value UnitLoop::partialsOf(const Product &product, Value stream) {
  Value row = stream;
  if (partialSlots > 1)
    row = index.add(index.mul(parity, index.constant(countPartialStreams())), stream);
  return index.mul(row, index.constant(countPartialsOfStream(product)));
}

/// A group adds what the warps have found for its unit.
void UnitLoop::addPartials(ContractOp op, Product &product) {
  const int64_t rows = countRows(product);
  Type element = getElementTypeOrSelf(op.getResult());
  SmallVector<Value> list(product.perUnit * streamsPerGroup);
  const bool isPair = element.isF32() && product.perUnit % 2 == 0;
  const int64_t width = !isPair ? 1 : product.perUnit % 4 == 0 ? 4 : 2;
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    Value begin =
        index.add(partialsOf(product, localStreams[s]), index.mul(localUnit, index.constant(product.perUnit)));
    SmallVector<SmallVector<Value>> terms(product.perUnit);
    for (int64_t w = 0; w < countWarps(); ++w)
      for (int64_t j = 0; j < product.perUnit; j += width) {
        Value at = index.add(begin, index.constant(w * rows + j));
        for (auto [c, value] : llvm::enumerate(e.loadNeighbours(product.partials, at, width)))
          terms[j + c].push_back(value);
      }
    for (int64_t j = 0; j < product.perUnit; ++j)
      list[j * streamsPerGroup + s] = addInOrder(terms[j]);
  }
  values[op.getResult()] = list;
}

/// Sums that a row's are divided into.
int64_t UnitLoop::countChains(const Product &product) const { return product.rowsPerLane >= 4 ? 1 : 4; }

/// The lane's rows times its elements of the input; several chains of sums, so
/// that multiply-adds do not wait for each other.
SmallVector<Value> UnitLoop::multiply(const Product &product, ArrayRef<Value> input) {
  const int64_t chains = countChains(product), count = product.residentQuads * 4;
  SmallVector<Value> results;
  for (int64_t i = 0; i < product.rowsPerLane; ++i) {
    SmallVector<Value> sums(chains);
    for (int64_t k = 0; k < count; ++k)
      sums[k % chains] = multiplyAdd(product.weights[i * count + k], input[k], sums[k % chains]);
    results.push_back(count ? addInOrder(sums) : Value());
  }
  return results;
}

/// Weights come from memory while those before them are multiplied.
void UnitLoop::multiplyStreamed(const Product &product, MutableArrayRef<SmallVector<Value>> sums,
                                function_ref<SmallVector<Value>(size_t s, int64_t quad)> load) {
  if (product.residentQuads == product.quads)
    return;
  const int64_t chains = countChains(product), rows = product.rowsPerLane;
  SmallVector<SmallVector<Value>> more(sums.size() * rows, SmallVector<Value>(chains)); // [streams][rows]
  for (int64_t quad = product.residentQuads; quad < product.quads; ++quad) {
    SmallVector<SmallVector<Value>> weights, inputs;
    for (int64_t i = 0; i < rows; ++i) {
      auto [memory, at] = placeOfWeights(product, quad, i);
      weights.push_back(e.loadNeighbours(memory, at, 4));
    }
    for (size_t s = 0; s < sums.size(); ++s)
      inputs.push_back(load(s, quad));
    for (auto [i, weight] : llvm::enumerate(weights))
      for (auto [s, input] : llvm::enumerate(inputs))
        for (int64_t c = 0; c < 4; ++c) {
          Value &sum = more[s * rows + i][c % chains];
          sum = multiplyAdd(weight[c], input[c], sum);
        }
  }
  for (auto [s, ofStream] : llvm::enumerate(sums))
    for (auto [i, sum] : llvm::enumerate(ofStream)) {
      Value streamed = addInOrder(more[s * rows + i]);
      sum = sum ? e.add(sum, streamed) : streamed;
    }
}

Value UnitLoop::multiplyAdd(Value weight, Value value, Value sum) {
  if (sum)
    return e.multiplyAdd(weight, value, sum);
  return e.multiply(weight, value);
}

SmallVector<Value> UnitLoop::loadQuad(const Product &product, Value memory, Value base, int64_t quad) {
  return e.loadNeighbours(memory, index.add(base, quadStart(product, quad)), 4);
}

/// Those that resident weights are multiplied with.
SmallVector<Value> UnitLoop::loadQuads(const Product &product, Value memory, Value base) {
  SmallVector<Value> input;
  for (int64_t quad = 0; quad < product.residentQuads; ++quad)
    llvm::append_range(input, loadQuad(product, memory, base, quad));
  return input;
}

Value UnitLoop::addInOrder(ArrayRef<Value> terms) {
  return combineInOrder(terms, [&](Value x, Value y) { return e.add(x, y); });
}

/// Neighbours first; an absent right one is left out.
Value UnitLoop::combineInOrder(ArrayRef<Value> terms, function_ref<Value(Value, Value)> combine) {
  SmallVector<Value> left(terms);
  while (left.size() > 1) {
    SmallVector<Value> next;
    for (size_t i = 0; i + 1 < left.size(); i += 2)
      next.push_back(left[i + 1] ? combine(left[i], left[i + 1]) : left[i]);
    if (left.size() % 2)
      next.push_back(left.back());
    left = std::move(next);
  }
  return left.front();
}

/// All of so many neighbouring lanes get the sum of their values.
Value UnitLoop::addLanes(Value sum, int64_t count) {
  return e.combineLanes(sum, count, [&](Value x, Value y) { return e.add(x, y); });
}

void UnitLoop::syncWarp() { NVVM::SyncWarpOp::create(b, loc, constantI32(-1)); }

/// All threads of the block.
void UnitLoop::meet() {
  gpu::BarrierOp::create(b, loc);
  unsynchronized.clear();
  isReading = false;
}

//===----------------------------------------------------------------------===//
// Input of products
//===----------------------------------------------------------------------===//

SmallVector<Value> UnitLoop::readInput(const Product &product, Value stream, ArrayRef<Value> positions) {
  Type element = getElementTypeOrSelf(product.form.input);
  DelayOp delay = product.delay;
  RegionEmitter::TimedRead read;
  View view;
  Value rowOffset;
  if (delay) {
    read = prepareInput(product, stream);
    view = read.source;
    rowOffset = read.rowOffset;
  } else {
    view = isOfLoop(product.form.input) ? region.allocateResult(product.form.input)
                                        : region.materialize(product.form.input);
    View row = view;
    row.strides.clear();
    rowOffset = e.address(row, {frame, stream, {}});
  }
  const bool inQuads = onTensorCores && hasAlignedQuads(product, read, view);
  SmallVector<Value> offsets;
  for (Value k : positions)
    offsets.push_back(addressInRow(view, rowOffset, k, stream));

  // A few first states are on their way while the words of other blocks are awaited.
  SmallVector<Value> input, init;
  if (delay && delay.getInit() && read.valid && positions.size() <= kFewInputs)
    for (Value k : positions)
      init.push_back(loadInit(product, k, stream));
  if (acrossBlocks && product.exchanged) {
    Value address = e.pointer(view);
    if (read.isOld)
      address = arith::SelectOp::create(b, loc, read.isOld, e.pointer(read.old), address);
    SmallVector<Value> addresses;
    for (Value at : offsets)
      addresses.push_back(addressOf(address, at, b.getI32Type()));
    for (Value word : awaitWords(addresses, inQuads, read))
      input.push_back(arith::BitcastOp::create(b, loc, element, word));
  } else {
    Value base = delay ? read.base : e.base(view);
    const size_t width = inQuads ? 4 : 1;
    for (size_t i = 0; i < offsets.size(); i += width)
      if (inQuads)
        llvm::append_range(input, e.loadNeighbours(base, offsets[i], width));
      else
        input.push_back(e.loadAt(base, offsets[i], element, 0, 1, {}));
  }
  if (read.valid)
    input = selectInput(product, read.valid, input,
                        [&](size_t i) { return init.empty() ? loadInit(product, positions[i], stream) : init[i]; });
  if (!onTensorCores) // whose tiles are rounded as a whole
    for (Value &value : input)
      value = roundForProducts(value);
  return input;
}

SmallVector<Value> UnitLoop::selectInput(const Product &product, Value valid, ArrayRef<Value> input,
                                         function_ref<Value(size_t i)> makeOther) {
  SmallVector<Value> selected;
  DelayOp delay = product.delay;
  if (!delay.getInit() || input.size() <= kFewInputs) {
    for (auto [i, value] : llvm::enumerate(input))
      selected.push_back(arith::SelectOp::create(b, loc, valid, value, makeOther(i)));
    return selected;
  }
  // Many are loaded only where they are needed.
  auto branch = scf::IfOp::create(b, loc, ValueRange(input).getTypes(), valid, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, input);
  b.setInsertionPointToStart(branch.elseBlock());
  for (size_t i = 0; i < input.size(); ++i)
    selected.push_back(makeOther(i));
  scf::YieldOp::create(b, loc, selected);
  return llvm::to_vector_of<Value>(branch.getResults());
}

RegionEmitter::TimedRead UnitLoop::prepareInput(const Product &product, Value stream) {
  RegionEmitter::TimedRead read = region.prepareRead(product.delay, {frame, stream, {}});
  if (isAwaited(product))
    read.valid = getValid(product.delay, 0);
  return read;
}

bool UnitLoop::hasAlignedQuads(const Product &product, const RegionEmitter::TimedRead &read, const View &view) const {
  auto isAligned = [](const View &view) {
    return view.isContiguous() && view.shift % 4 == 0 && view.frameStride % 4 == 0 && view.streamStride % 4 == 0;
  };
  const int64_t neighbours = product.form.blocks > 1 ? product.form.blockDepth : product.form.depth;
  return neighbours % 4 == 0 && isAligned(view) && (!read.old || isAligned(read.old)) && !e.isConstant(view);
}

Value UnitLoop::loadInit(const Product &product, Value k, Value stream) {
  DelayOp delay = product.delay;
  Value init = delay.getInit();
  if (!init)
    return e.splat(getElementTypeOrSelf(delay), 1, 0);
  View view = region.materialize(init);
  return e.loadElement(view, pointOf(k, view, stream));
}

Value UnitLoop::addressOf(Value base, Value at, Type element) {
  Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), at);
  return LLVM::GEPOp::create(b, loc, base.getType(), element, base, ArrayRef<LLVM::GEPArg>{wide});
}

SmallVector<Value> UnitLoop::awaitWords(ArrayRef<Value> addresses, bool inQuads, const RegionEmitter::TimedRead &read) {
  Type i32 = b.getI32Type();
  Value fresh = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  if (read.valid && read.isNew)
    fresh = arith::AndIOp::create(b, loc, read.valid, read.isNew);
  return awaitAll(addresses.size(), [&](SmallVectorImpl<Value> &words) -> Value {
    for (size_t i = 0; i < addresses.size(); i += inQuads ? 4 : 1) {
      if (inQuads) {
        auto quad = NVVM::InlinePtxOp::create(b, loc, SmallVector<Type>(4, i32), ValueRange{addresses[i]}, ValueRange(),
                                              kPtxLoad16, Value());
        llvm::append_range(words, quad.getResults());
      } else {
        words.push_back(LLVM::LoadOp::create(b, loc, i32, addresses[i], /*alignment=*/4, /*isVolatile=*/false,
                                             /*isNonTemporal=*/false, /*isInvariant=*/false,
                                             /*isInvariantGroup=*/false, LLVM::AtomicOrdering::monotonic, "device"));
      }
    }
    // The sentinel is the largest of unsigned words.
    Value largest = combineInOrder(words, [&](Value x, Value y) { return arith::MaxUIOp::create(b, loc, x, y); });
    Value isMissing = e.compare(arith::CmpIPredicate::eq, largest, constantI32(kSentinel));
    return arith::AndIOp::create(b, loc, isMissing, fresh);
  });
}

SmallVector<Value> UnitLoop::awaitAll(int64_t count, function_ref<Value(SmallVectorImpl<Value> &)> poll) {
  SmallVector<Value> words = e.await(count, dead, poll);
  dead = arith::OrIOp::create(b, loc, dead, words.pop_back_val());
  return words;
}

/// Writes this unit's elements for the readers of other blocks.
void UnitLoop::publish(Value value) {
  const View view = region.allocateResult(value);
  Value base = e.pointer(view);
  Type i32 = b.getI32Type();
  forEachPresent([&](int64_t s) {
    for (int64_t j = 0; j < perUnit(value); ++j) {
      Value at = addressOf(base, e.address(view, pointOf(flatIndex(value, j), view, s)), i32);
      publishWord(toWord(get(value, j, s)), at);
    }
  });
}

Value UnitLoop::toWord(Value value) {
  Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), value);
  Value isSentinel = e.compare(arith::CmpIPredicate::eq, bits, constantI32(kSentinel));
  return arith::SelectOp::create(b, loc, isSentinel, constantI32(kOtherNan), bits);
}

void UnitLoop::publishWord(Value word, Value address) {
  LLVM::StoreOp::create(b, loc, word, address, /*alignment=*/4, /*isVolatile=*/false, /*isNonTemporal=*/false,
                        /*isInvariantGroup=*/false, LLVM::AtomicOrdering::monotonic, "device");
}
