//===- UnitShape.cpp - How a loop by units is dealt out ---------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where nothing is exchanged, every unit of every stream has a thread of its own.
// Else one block where its registers hold all weights: a barrier is several times
// faster than an exchange between multiprocessors. It gets as few warps as hold
// them, since every warp computes all elements of its units. Else a cluster,
// whose registers hold them and whose multiprocessors have the least to do. Else
// several blocks, as many as make a thread's products and their own polling
// cheapest.
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// Threads of a block of many, at most: two warps for each quarter of a
/// multiprocessor, whose threads may have all 255 registers.
static constexpr int64_t kGridThreads = 256;
/// Threads of a cluster's block, at most: with more than a warp for each quarter
/// of a multiprocessor, or with several streams, a grid is as fast or faster, as
/// seen on an H200: there only one warp computes a unit's elements.
static constexpr int64_t kClusterThreads = 128;
/// Elements of a sum that are worth a warp of their own.
static constexpr int64_t kMinSlice = 32;
/// Registers of a thread at most.
static constexpr int64_t kThreadRegisters = 255;
/// Weights that a thread keeps in registers at most, and registers that it needs
/// besides where others come from memory in every frame.
static constexpr int64_t kRegisterWeights = 160, kStreamingRegisters = 60;
/// Streams that are worth a tile's eight columns, and tiles of the vector that a
/// lane waits for at one time.
static constexpr int64_t kMinTensorStreams = 5, kMaxTilesAtOnce = 32, kMinTilesAtOnce = 4;
/// Products of one thread per frame that are written out.
static constexpr int64_t kMaxUnrolled = 2048;
/// Bytes that lie between what is in shared memory, at most.
static constexpr int64_t kPadding = 256;
/// The mbarriers of an exchange.
static constexpr int64_t kClusterBytes = 16;

/// Instructions of an element of a function that is not one itself, such as
/// `tanh`; a shuffle's latency; what a message of a cluster takes where it comes.
static constexpr int64_t kExpandedInstructions = 25, kShuffleCycles = 24, kMessageCycles = 2;

/// Why a loop is not dealt out in some way.
static constexpr llvm::StringLiteral kTooManyProducts = "a thread would have too many products",
                                     kTooMuchShared = "shared memory does not hold what is exchanged",
                                     kTooFewRegisters = "registers do not hold the weights",
                                     kTooMuchWork = "a grid has less to do per multiprocessor",
                                     kUnevenDiagonal = "units of a block on a diagonal do not come out even",
                                     kTooManyBlocks = "there are fewer multiprocessors than blocks";

/// Weights that each of so many threads of a block can keep in registers.
static int64_t getRegisterWeights(int64_t threads) {
  return std::min(std::min(kRegisters / threads, kThreadRegisters) - kOtherRegisters, kRegisterWeights);
}

/// As many as fit, the first ones of every product.
int64_t UnitLoop::chooseResident(int64_t weights) {
  const int64_t most = getRegisterWeights(shape.threads);
  inRegisters = weights <= most;
  int64_t resident = 0;
  for (auto &[op, product] : products) {
    product.residentQuads = product.quads;
    product.sharedQuads = 0;
    if (!inRegisters)
      product.residentQuads = product.quads * std::max<int64_t>(most - kStreamingRegisters, 0) / weights;
    resident += product.rowsPerLane * product.residentQuads * 4;
  }
  return resident;
}

/// Of the weights that registers do not hold as many as fit beside all else, the
/// first ones of every product.
int64_t UnitLoop::chooseShared() {
  shape.sharedBytes = countSharedBytes();
  int64_t shared = 0;
  for (auto &[op, product] : products) {
    const int64_t ofQuad = product.rowsPerLane * 4, bytes = ofQuad * shape.threads * getBytes(product.form.weight);
    const int64_t rest = product.quads - product.residentQuads;
    product.sharedQuads = std::clamp<int64_t>((e.getSharedBytes() - kPadding - shape.sharedBytes) / bytes, 0, rest);
    shape.sharedBytes += product.sharedQuads * bytes;
    shared += product.sharedQuads * ofQuad;
  }
  return shared;
}

bool UnitLoop::chooseShape() {
  wish = cast<RecurrentOp>(region.region).getLoopAttr();
  wanted = wish ? wish.getRegime() : symbolizeLoopRegime(e.getOptions().regime);
  const std::string who = wish ? "the schedule" : "the option 'regime'";
  if (wanted == LoopRegime::OpByOp)
    return refuse(who + " asks for it", "take the attribute `loop` away");
  const bool exchangesNothing = products.empty() && reductions.empty();
  if (wanted == LoopRegime::Independent && !exchangesNothing)
    return refuse("its units exchange vectors or reduce them", "ask for a block, a cluster or a grid");
  if (wish && wish.getStreams() > e.streams)
    return refuse("there are fewer streams", "ask for as many streams of a block as there are");
  isIndependent = exchangesNothing && (wish ? wanted == LoopRegime::Independent : wanted != LoopRegime::Block);
  if (isIndependent)
    return chooseIndependent();
  auto isReducible = [](auto &item) { return getElementTypeOrSelf(item.first->getResult(0)).isF32(); };
  auto isExchangeable = [](Value value) { return getElementTypeOrSelf(value).isF32(); };
  blockRefusal = who + " asks for several";
  if (wanted == LoopRegime::Block)
    clusterRefusal = acrossRefusal = who + " keeps to one block";
  else if (exchanged.empty() && reductions.empty())
    clusterRefusal = acrossRefusal = "there is nothing to exchange";
  else if (!llvm::all_of(exchanged, isExchangeable) || !llvm::all_of(reductions, isReducible))
    acrossRefusal = "only f32 is exchanged";
  if (wanted == LoopRegime::Grid && clusterRefusal.empty())
    clusterRefusal = who + " asks for a grid";

  if ((!wanted || wanted == LoopRegime::Block) && chooseBlock(/*mayBeTight=*/false))
    return true;
  if (clusterRefusal.empty() && chooseCluster())
    return true;
  // Where an option's regime does not fit, another will do.
  const bool mayCross = acrossRefusal.empty();
  if (wish && wanted == LoopRegime::Cluster)
    acrossRefusal = who + " asks for a cluster";
  else if (mayCross && chooseGrid())
    return true;
  const bool mayBeBlock = wish ? wanted == LoopRegime::Block : wanted != LoopRegime::Grid || !mayCross;
  if (mayBeBlock && chooseBlock(/*mayBeTight=*/true) && (wanted || !e.spreadOpByOp(ops, shape.blocks).blocks))
    return true;
  return refuse("one block: " + blockRefusal + "; a cluster: " + clusterRefusal + "; a grid: " + acrossRefusal,
                wanted == LoopRegime::Block ? "leave the regime to the compiler" : "give the layer fewer units");
}

int64_t UnitLoop::shareStreams(int64_t sets) const {
  if (wish && wish.getStreams())
    return wish.getStreams();
  return llvm::divideCeil(e.streams, std::max<int64_t>(sets, 1));
}

int64_t UnitLoop::divideProducts() {
  int64_t weights = 0;
  for (auto &[op, product] : products) {
    int64_t parts = 1;
    product.lanesPerRow = lanes;
    product.rowsPerLane = product.perUnit;
    if (acrossBlocks) {
      parts = countWarps();
      if (!onTensorCores)
        divideRows(product, llvm::divideCeil(product.form.depth, parts));
    }
    if (onTensorCores) {
      product.isPacked = product.exchanged && mayPack(product.exchanged);
      product.slice =
          llvm::alignTo(llvm::divideCeil(product.form.depth, parts), (product.isPacked ? 2 : 1) * kTileDepth);
      product.rowTiles = countRows(product) / kTileRows;
      product.depthTiles = product.slice / kTileDepth;
      weights += product.rowTiles * product.depthTiles * kWordsOfTile;
      continue;
    }
    product.quads = llvm::divideCeil(llvm::divideCeil(product.form.depth, parts), 4 * product.lanesPerRow);
    product.slice = product.quads * 4 * product.lanesPerRow;
    weights += product.rowsPerLane * product.quads * 4;
  }
  return weights;
}

/// Gives a lane one row or several, or a row several lanes: what needs the fewest
/// weights per lane for sums of so many elements, and then the fewest shuffles.
void UnitLoop::divideRows(Product &product, int64_t depth) {
  std::optional<int64_t> best;
  for (int64_t lanesPerRow = 1; lanesPerRow <= kWarpThreads; lanesPerRow *= 2) {
    const int64_t rowsPerLane = llvm::divideCeil(unitsPerBlock * product.perUnit, kWarpThreads / lanesPerRow);
    const int64_t weights = rowsPerLane * llvm::divideCeil(depth, 4 * lanesPerRow);
    if (best && weights >= *best)
      continue;
    best = weights;
    product.lanesPerRow = lanesPerRow;
    product.rowsPerLane = rowsPerLane;
  }
}

bool UnitLoop::fitsDiagonals() const {
  return llvm::all_of(products, [&](auto &item) {
    const Product &product = item.second;
    const bool isEven =
        acrossBlocks ? countDiagonalUnits(product) % unitsPerBlock == 0 : product.slice == product.form.depth;
    return product.form.blocks == 1 || isEven;
  });
}

bool UnitLoop::fragmentsFit(int64_t words) {
  for (tilesAtOnce = kMaxTilesAtOnce; tilesAtOnce >= kMinTilesAtOnce; tilesAtOnce /= 2) {
    int64_t others = 0;
    for (auto &[op, product] : products) {
      const int64_t wordsOfTile = product.isPacked ? 2 : 4;
      others = std::max(others, std::min(product.depthTiles, tilesAtOnce) * wordsOfTile + product.rowTiles * 4);
    }
    if (words + others + kOtherRegisters <= std::min(kRegisters / shape.threads, kThreadRegisters))
      return true;
  }
  tilesAtOnce = kMinTilesAtOnce;
  return false;
}

/// True if a signal can be exchanged as pairs of bf16: those who read it want the
/// last frame or this one, and pairs are of one unit or of two that neighbouring
/// lanes have.
bool UnitLoop::mayPack(Value value) const {
  for (auto &[op, product] : products)
    if (product.exchanged == value &&
        ((product.delay && !readsLastFrame(product.delay)) || product.form.depth != countElements(value)))
      return false;
  const bool hasNeighbour = lanes == 1 && units % 2 == 0 && unitsPerBlock % 2 == 0;
  return getElementTypeOrSelf(value).isF32() && (perUnit(value) % 2 == 0 || hasNeighbour);
}

/// A frame on tensor cores, in cycles, about: what a multiprocessor reads of the
/// vectors, what all of them do, and the tiles of a quarter of it.
int64_t UnitLoop::countTensorCycles() const {
  constexpr int64_t kBytesPerCycle = 64, kAllBytesPerCycle = 2560, kTileCycles = 4;
  int64_t bytes = 0, tiles = 0;
  for (auto &[op, product] : products) {
    bytes += (product.isPacked ? 2 : 4) * product.form.depth * streamsPerBlock;
    tiles += product.rowTiles * product.depthTiles * llvm::divideCeil(streamsPerBlock, kTileColumns);
  }
  return bytes / kBytesPerCycle + bytes * shape.blocks / kAllBytesPerCycle +
         tiles * llvm::divideCeil(countWarps(), 4) * kTileCycles;
}

int64_t UnitLoop::countRows(const Product &product) const {
  if (onTensorCores)
    return llvm::alignTo(unitsPerBlock * product.perUnit, kTileRows);
  return product.rowsPerLane * kWarpThreads / product.lanesPerRow;
}

int64_t UnitLoop::countSharedBytes() const {
  int64_t bytes = 0;
  for (auto &[op, product] : products) {
    if (acrossBlocks)
      bytes +=
          getBytes(product.form.input) * countInputs(product) + getBytes(op->getResult(0)) * countPartials(product);
    else if (isShared(product))
      bytes += getBytes(product.form.input) * kExchangeSlots * streamsPerBlock * countPlaces(product);
    if (isCluster() && product.exchanged)
      bytes += kClusterBytes;
  }
  if (!acrossBlocks)
    for (auto &[op, reduction] : reductions)
      bytes +=
          getBytes(op->getResult(0)) * 2 * streamsPerBlock * countSharedWords() + (isCluster() ? kClusterBytes : 0);
  return bytes;
}

/// Instructions of an element.
static int64_t countInstructionsOf(Operation *op) {
  const bool isExpanded = isElementwise(op) && !isa<arith::ArithDialect>(op->getDialect());
  return isExpanded ? kExpandedInstructions : 1;
}

int64_t UnitLoop::countInstructions() const {
  int64_t count = 0;
  for (Operation *op : ops)
    count += countElements(op->getResult(0)) * countInstructionsOf(op);
  for (auto &[op, product] : products)
    count += product.form.rows * product.form.depth;
  return count;
}

int64_t UnitLoop::countUnitInstructions() const {
  int64_t count = 0;
  for (Operation *op : ops)
    if (isElementwise(op))
      count += perUnit(op->getResult(0)) * countInstructionsOf(op);
  return count;
}

/// What a multiprocessor issues for a frame where groups of lanes compute all of
/// their units' elements, in cycles of a quarter of it, and what a warp waits for
/// besides.
int64_t UnitLoop::countGroupCycles() const {
  int64_t instructions = streamsPerGroup * countUnitInstructions();
  for (auto &[op, product] : products) {
    const int64_t sums = product.perUnit * llvm::Log2_64(lanes);
    instructions += streamsPerGroup * (product.rowsPerLane * product.quads * 4 + product.quads + 2 * sums);
  }
  const int64_t warpsOfQuarter = llvm::divideCeil(shape.threads, 4 * kWarpThreads);
  return warpsOfQuarter * instructions + kShuffleCycles * llvm::Log2_64(lanes) + kMessageCycles * countMessages();
}

/// As many threads a block as keep all multiprocessors busy, or as the schedule asks for.
bool UnitLoop::chooseIndependent() {
  acrossBlocks = onTensorCores = false;
  inRegisters = true;
  lanes = streamsPerGroup = 1;
  const int64_t share = llvm::divideCeil(units * e.streams, e.getMultiprocessors());
  const int64_t threads = std::clamp<int64_t>(llvm::PowerOf2Ceil(share), kWarpThreads, kGridThreads);
  const bool hasUnits = wish && wish.getUnits(), hasStreams = wish && wish.getStreams();
  unitsPerBlock = hasUnits ? wish.getUnits() : std::min(units, threads);
  streamsPerBlock = hasStreams ? wish.getStreams() : std::clamp<int64_t>(threads / unitsPerBlock, 1, e.streams);
  if (unitsPerBlock > units || unitsPerBlock * streamsPerBlock > kMaxBlockThreads)
    return refuse("a block would have more units than there are, or more of all streams than threads",
                  "ask for fewer units or streams of a block");
  shape = {};
  shape.threads = llvm::alignTo(unitsPerBlock * streamsPerBlock, kWarpThreads);
  shape.blocks = countUnitBlocks() * llvm::divideCeil(e.streams, streamsPerBlock);
  shape.isExact = shape.blocks > 1;
  return true;
}

/// `mayBeTight`: there is no other way, so weights need not be in registers.
bool UnitLoop::chooseBlock(bool mayBeTight) {
  acrossBlocks = onTensorCores = false;
  shape = {};
  unitsPerBlock = units;
  // Streams share nothing: each may have a block.
  streamsPerBlock = streamsPerGroup = shareStreams(e.getMultiprocessors());
  shape.blocks = llvm::divideCeil(e.streams, streamsPerBlock);
  shape.isExact = shape.blocks > 1; // fewer would leave streams out
  blockRefusal = "there are more units than threads";
  if (!isWished(units)) {
    blockRefusal = "the schedule asks for fewer units of a block";
    return false;
  }
  int64_t fitting = 0;
  // One unit has a warp.
  for (lanes = units > 1 ? 1 : kWarpThreads; lanes <= kWarpThreads; lanes *= 2) {
    shape.threads = llvm::alignTo(units * lanes, kWarpThreads);
    if (shape.threads > kMaxBlockThreads)
      break;
    const int64_t weights = divideProducts();
    const bool hasRoom = countSharedBytes() <= kStaticSharedBytes;
    if (weights * streamsPerGroup > kMaxUnrolled || !hasRoom || !fitsDiagonals()) {
      blockRefusal = !hasRoom ? kTooMuchShared : !fitsDiagonals() ? kUnevenDiagonal : kTooManyProducts;
      continue;
    }
    blockRefusal = kTooFewRegisters;
    chooseResident(weights);
    if (inRegisters)
      return true;
    fitting = lanes;
  }
  if (!mayBeTight || !fitting)
    return false;
  lanes = fitting;
  shape.threads = llvm::alignTo(units * lanes, kWarpThreads);
  chooseResident(divideProducts());
  chooseShared();
  return true;
}

bool UnitLoop::chooseCluster() {
  acrossBlocks = false;
  if (!mayExchangeInCluster())
    return false;
  const int64_t mostBlocks = std::min(e.getOptions().clusterBlocks, units);
  clusterRefusal = mostBlocks < 2 ? "the chip has no clusters" : "no number of blocks divides the units";
  std::optional<int64_t> best;
  int64_t bestBlocks = 0, bestLanes = 0;
  for (int64_t blocks = 2; blocks <= mostBlocks; blocks *= 2) {
    if (units % blocks != 0 || !isWished(units / blocks))
      continue;
    for (int64_t count = 1; count <= kWarpThreads && units / blocks * count <= kMaxBlockThreads; count *= 2) {
      const std::optional<int64_t> cost = dealOutToCluster(blocks, count);
      if (cost && (!best || *cost < *best)) {
        best = cost;
        bestBlocks = blocks;
        bestLanes = count;
      }
    }
  }
  return best && dealOutToCluster(bestBlocks, bestLanes);
}

/// Gives groups of so many lanes to the units of every block of a cluster;
/// returns the cost of a frame, or none if that does not fit, or is slower than a
/// grid.
std::optional<int64_t> UnitLoop::dealOutToCluster(int64_t blocks, int64_t lanesOfGroup) {
  unitsPerBlock = units / blocks;
  lanes = lanesOfGroup;
  streamsPerBlock = streamsPerGroup = shareStreams(e.getMultiprocessors() / blocks);
  shape = {};
  shape.threads = llvm::alignTo(unitsPerBlock * lanes, kWarpThreads);
  shape.blocks = blocks * llvm::divideCeil(e.streams, streamsPerBlock);
  shape.clusterBlocks = blocks;
  shape.isExact = true;
  const int64_t weights = divideProducts();
  chooseResident(weights);
  if (weights * streamsPerGroup > kMaxUnrolled)
    clusterRefusal = kTooManyProducts;
  else if (countSharedBytes() > kStaticSharedBytes)
    clusterRefusal = kTooMuchShared;
  else if (!fitsDiagonals())
    clusterRefusal = kUnevenDiagonal;
  else if (!inRegisters)
    clusterRefusal = kTooFewRegisters;
  else if (!wanted && (streamsPerBlock > 1 || shape.threads > kClusterThreads))
    clusterRefusal = kTooMuchWork;
  else
    return countGroupCycles();
  return std::nullopt;
}

bool UnitLoop::chooseGrid() {
  acrossBlocks = true;
  auto isF32 = [](auto &item) { return getElementTypeOrSelf(item.first->getResult(0)).isF32(); };
  onTensorCores = roundsToBf16 && e.streams >= kMinTensorStreams && llvm::all_of(products, isF32);
  shape = {};
  acrossRefusal = kTooManyBlocks;
  int64_t depth = 0;
  for (auto &[op, product] : products)
    depth = std::max(depth, product.form.depth);
  shape.threads = std::clamp<int64_t>(depth / kMinSlice, 1, kGridThreads / kWarpThreads) * kWarpThreads;
  shape.isCooperative = true;

  const bool spreads = wanted == LoopRegime::Grid && !(wish && wish.getUnits());
  const int64_t mostUnits = spreads ? llvm::divideCeil(units, 2) : units;
  // What is exchanged has more shared memory only where it must.
  for (int64_t bytes : {kStaticSharedBytes, e.getSharedBytes()}) {
    // The least work of a thread per frame, in multiply-adds.
    std::optional<int64_t> best;
    int64_t bestUnits = 0;
    for (int64_t count = 1; count < 2 * mostUnits; ++count) {
      // Others leave the last block with less.
      if ((!llvm::isPowerOf2_64(count) && units % count != 0) || !isWished(count))
        continue;
      const std::optional<int64_t> cost = dealOut(count, bytes);
      if (cost && (!best || *cost < *best)) {
        best = cost;
        bestUnits = count;
      }
    }
    if (best)
      return dealOut(bestUnits, bytes).has_value();
  }
  return false;
}

/// Gives so many units to a block, whose exchange has so many bytes of shared memory
/// at most; returns the cost of a frame, or none if that does not fit.
std::optional<int64_t> UnitLoop::dealOut(int64_t count, int64_t bytes) {
  unitsPerBlock = count;
  if (!reductions.empty() && (unitsPerBlock > kWarpThreads || !llvm::isPowerOf2_64(unitsPerBlock))) {
    if (unitsPerBlock > kWarpThreads)
      acrossRefusal = "more units than a warp has lanes, and a reduction of them all";
    return std::nullopt;
  }
  const int64_t unitBlocks = countUnitBlocks(), sets = e.getMultiprocessors() / unitBlocks;
  if (sets == 0)
    return std::nullopt;
  if (!fitsDiagonals()) {
    acrossRefusal = kUnevenDiagonal;
    return std::nullopt;
  }
  streamsPerBlock = shareStreams(sets);
  shape.blocks = unitBlocks * llvm::divideCeil(e.streams, streamsPerBlock);
  if (shape.blocks > e.getMultiprocessors())
    return std::nullopt;
  streamsPerGroup = llvm::divideCeil(unitsPerBlock * streamsPerBlock, shape.threads);
  // Where a unit publishes one element, few warps own all of them, and the
  // others are not in their way; more are published faster by all warps. So is
  // what tensor cores multiply, by more than a warp; but an odd number of elements
  // is in pairs only with those of the next lane. All as seen on an H200.
  const bool publishesOne = exchanged.size() == 1 && perUnit(exchanged.front()) == 1;
  const bool isOdd = llvm::any_of(exchanged, [&](Value value) { return perUnit(value) % 2 == 1; });
  const bool ownedByFew =
      publishesOne || !reductions.empty() || (onTensorCores && (isOdd || countGroups() <= kWarpThreads));
  lanes = ownedByFew ? 1 : std::max<int64_t>(shape.threads / countGroups(), 1);
  const int64_t weights = divideProducts();
  const int64_t resident = onTensorCores ? 0 : chooseResident(weights);
  if (onTensorCores)
    inRegisters = fragmentsFit(weights);
  streamsAtOnce = onTensorCores ? kTileColumns : std::min<int64_t>(streamsPerBlock, 4);
  while (!onTensorCores && streamsAtOnce > 1 &&
         (countSharedBytes() > kStaticSharedBytes || weights * streamsAtOnce > kMaxUnrolled))
    streamsAtOnce /= 2;
  partialSlots = 2;
  if (countSharedBytes() > kStaticSharedBytes)
    partialSlots = 1;
  if (countSharedBytes() > bytes || weights * (onTensorCores ? 1 : streamsAtOnce) > kMaxUnrolled) {
    // More units need more of both.
    if (acrossRefusal == kTooManyBlocks)
      acrossRefusal = countSharedBytes() > bytes ? kTooMuchShared : kTooManyProducts;
    return std::nullopt;
  }
  shape.sharedBytes = countSharedBytes();
  if (onTensorCores)
    return countTensorCycles() * (inRegisters ? 1 : 8) + shape.blocks;
  const int64_t shared = chooseShared();
  int64_t waits = 0;
  for (auto &[op, product] : products)
    waits += llvm::divideCeil(product.slice, kWarpThreads);
  // In multiply-adds, as seen on an H200: a wait takes some, a weight from far
  // memory many (from shared memory fewer: by its bandwidth); each block that polls
  // delays all others.
  const int64_t loads = 2 * shared + 8 * (weights - resident - shared);
  return (resident + loads + 4 * waits) * streamsPerBlock + shape.blocks;
}
