//===- UnitLoop.h - A loop over frames, dealt out by units --------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All vectors of the body have a multiple of U elements. Element j * U + u of
// any of them belongs to unit u: of an LSTM, one hidden unit with its cell and
// all its gates. A group of lanes owns a unit for some streams and computes its
// elements, all lanes the same. A frame has stages; in each of them a group
//
//   computes what depends on no product or reduction to come,
//   publishes its element of the vectors that products read,
//   has its rows of the matrices multiplied with the exchanged vectors,
//   and has its part of reductions over all units combined with that of others:
//   by warps, then by blocks, in one order.
//
// At the end it stores what else outlives the frame.
//
// Signals of the last frame stay in registers, and so do the matrices' elements
// where they fit. Others stay in shared memory, and those that do not fit there
// either are read from far memory in every frame, when their part of the vector is
// there. What the next frame reads from elsewhere is loaded a frame ahead.
//
// No exchange at all ("independent"): units and streams are divided among as many
// blocks as there are multiprocessors, and no thread waits for another.
//
// One block ("block"; several, if there are streams that share nothing):
// vectors are exchanged in shared memory, one barrier per frame and vector. The
// lanes of a group divide the sums over k and add up by shuffles.
//
// One cluster of blocks, each with some units ("cluster"; several, likewise):
// as in one block, but every block has all vectors in its shared memory. Each
// lane of a group sends the group's elements to some of the blocks, and an
// mbarrier in each block counts what has come.
//
// Many blocks ("grid"), each with some units: the warps of a block divide the
// sums over k. A warp waits for its part of the vector, multiplies all rows of
// the block with it, and leaves partial sums in shared memory, which the groups
// add in one order. To wait is to poll the elements themselves: the sequence is
// preset to a pattern that nobody publishes ("sentinel"; a result with its bits
// is published as another NaN). One relaxed store and relaxed loads suffice,
// since nothing but the polled words is read on their strength. Where products
// round their operands to bf16 and there are streams enough, the warps multiply
// on tensor cores: rows are a tile's rows, streams its columns, and each lane
// waits for the very elements that are its part of a tile. What only such
// products read of the last frame or this one is exchanged as bf16, in pairs.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_CONVERSION_RNNTOGPU_UNITLOOP_H
#define RNN_LIB_CONVERSION_RNNTOGPU_UNITLOOP_H

#include "GpuEmitter.h"
#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::rnn::loops {

/// Rows of an exchange in shared memory: two frames, and what stands for one
/// that does not exist.
constexpr int64_t kExchangeSlots = 3;

/// Bytes of an element that is sent to other blocks.
constexpr int64_t kWordBytes = 4;
/// Of one element.
inline int64_t getBytes(Value value) { return getElementTypeOrSelf(value).getIntOrFloatBitWidth() / 8; }

/// No published word has these bits.
constexpr int32_t kSentinel = -1;

/// Registers that a thread needs besides its weights.
constexpr int64_t kOtherRegisters = 56;

class UnitLoop {
public:
  UnitLoop(GpuEmitter &emitter, RegionEmitter &region, ArrayRef<Operation *> ops);

  /// Decides how the work is dealt out; false if the body has another form.
  bool plan();
  /// How it is dealt out after `plan`, or why not.
  LoopDescription describe() const;
  /// Emits the kernel.
  void emit();

private:
  /// A product of the body. A lane has `rowsPerLane` rows and, of each,
  /// `quads` times four neighbouring elements of the sum, every `lanesPerRow`-th
  /// four of its group's or warp's part.
  struct Product {
    RegionEmitter::MatrixVector form;
    DelayOp delay;       ///< the input is a delayed signal; or null
    Value exchanged;     ///< the signal of this loop that is read; or null
    int64_t perUnit = 0; ///< rows of a unit
    int64_t rowsPerLane = 0, lanesPerRow = 0, quads = 0;
    int64_t residentQuads = 0;  ///< the first ones, whose weights stay in registers
    int64_t sharedQuads = 0;    ///< the next ones, whose weights stay in shared memory
    int64_t slice = 0;          ///< elements of the sum that a group or warp adds
    SmallVector<Value> weights; ///< [rowsPerLane][residentQuads * 4]
    Value shared;               ///< the next ones: [sharedQuads][rowsPerLane][threads of the block][4]
    View streamed;              ///< the others: [quads][rowsPerLane][threads of the grid][4], if there are any
    Value inputs, partials;     ///< across blocks: memrefs in shared memory
    /// On tensor cores: tiles of 16 rows and of 16 elements of the sum that a warp
    /// has, and a lane's words of each, four of a tile.
    int64_t rowTiles = 0, depthTiles = 0;
    SmallVector<Value> fragments; ///< [rowTiles][depthTiles][4]
    bool isPacked = false;        ///< the input is exchanged as pairs of bf16
  };
  /// A vector in the shared memory of a block: [slots][streams][places]; slots 0
  /// and 1 are for even and odd frames. A unit's elements are neighbours. In a
  /// cluster the two slots have an mbarrier each, whose phases end when all blocks
  /// have sent theirs.
  struct Exchange {
    Product *product = nullptr; ///< one of those that read it; null: words of a reduction
    bool isOfLastFrame = false; ///< that is what is read; else this frame's
    int64_t bytes = 0;          ///< that a cluster's block gets in a frame
    Value memory, barriers;
    SmallVector<Value> remoteMemory, remoteBarriers; ///< in the blocks that this lane sends to
    bool isAwaited = false;                          ///< by what was emitted of the frame
  };
  /// A reduction over the elements of all units.
  struct FullReduction {
    View words; ///< across blocks, what each has: [frames][streams][blocks with units and more], bits of f32
    /// Else what each warp has: [2 frames][streams][blocks of the cluster][warps], in shared memory.
    Exchange exchange;
  };
  /// A delayed signal that stays in registers.
  struct Carried {
    DelayOp delay;
    SmallVector<Value> last, valid; ///< of this frame: [perUnit][streams of the group], [streams]
  };

  // What is computed: UnitLoop.cpp.
  void setViewsApart();
  bool classify();
  bool chooseUnits();
  bool assignElements();
  bool mapElements(Operation *op);
  bool mapReduction(ReduceOp op);
  void sortByStages();
  /// Of a frame and stream, about.
  int64_t countInstructions() const;
  /// Likewise, of the elements of one unit.
  int64_t countUnitInstructions() const;
  void findOutside();
  static int64_t countElements(Value value) { return cast<RankedTensorType>(value.getType()).getNumElements(); }
  /// Elements of a value that one unit has; 1 for a scalar, which all have.
  int64_t perUnit(Value value) const { return std::max<int64_t>(countElements(value) / units, 1); }
  bool isOfLoop(Value value) const { return value.getDefiningOp() && ownOps.contains(value.getDefiningOp()); }
  /// True if the delay reads what the last frame that was computed has left.
  bool readsLastFrame(DelayOp delay) const;

  /// Keeps why the loop is not dealt out by units; returns false. LoopRemarks.cpp.
  bool refuse(const Twine &reason, StringRef suggestion);
  static std::string describeSignal(Operation *op);

  // How it is dealt out: UnitShape.cpp.
  bool chooseShape();
  bool chooseIndependent();
  bool chooseBlock(bool mayBeTight);
  bool chooseCluster();
  bool mayExchangeInCluster();
  std::optional<int64_t> dealOutToCluster(int64_t blocks, int64_t lanesOfGroup);
  int64_t countGroupCycles() const;
  bool chooseGrid();
  /// Whether the fragments and all else that a thread has fit in its registers.
  bool fragmentsFit(int64_t words);
  bool mayPack(Value value) const;
  int64_t countTensorCycles() const;
  std::optional<int64_t> dealOut(int64_t unitsPerBlock, int64_t bytes);
  /// Whether a block may have so many units, by the schedule.
  bool isWished(int64_t count) const { return !wish || !wish.getUnits() || wish.getUnits() == count; }
  /// Streams of a block, of which so many sets have multiprocessors of their own.
  int64_t shareStreams(int64_t sets) const;
  /// Deals out the products; returns the weights of a thread.
  int64_t divideProducts();
  void divideRows(Product &product, int64_t depth);
  /// Whether lanes, or blocks, divide evenly what is on the diagonals of matrices.
  bool fitsDiagonals() const;
  /// Rows of a product that a block has, with those that are added to fill warps.
  int64_t countRows(const Product &product) const;
  /// Chooses which weights stay in registers; returns how many, `weights` being all.
  int64_t chooseResident(int64_t weights);
  /// Chooses which of the others stay in shared memory; returns how many.
  int64_t chooseShared();
  int64_t countSharedBytes() const;
  int64_t countWarps() const { return shape.threads / kWarpThreads; }
  int64_t countUnitBlocks() const { return llvm::divideCeil(units, unitsPerBlock); }
  /// Groups that own elements of a block.
  int64_t countGroups() const { return unitsPerBlock * llvm::divideCeil(streamsPerBlock, streamsPerGroup); }

  // The kernel: UnitLoop.cpp.
  void findPlace();
  SmallVector<Value> loadAll(Value value);
  SmallVector<Value> loadAhead(Value wanted);
  SmallVector<Value> readLast(const Carried &item);
  /// The address of a flat element of a signal whose row begins at `rowOffset`.
  Value addressInRow(const View &view, Value rowOffset, Value flat, Value stream);
  void takeCarried(ValueRange arguments);
  Value getValid(DelayOp delay, int64_t s) const;
  SmallVector<Value> emitFrame();
  void beginOwners();
  bool endOwners();
  void emitOp(Operation *op);
  void emitTimed(Operation *op);
  void finishOp(Value result);
  void forEachPresent(function_ref<void(int64_t s)> body);
  void store(Value value, const View &view);
  /// Element `j` of this unit for stream number `s` of the group.
  Value get(Value value, int64_t j, int64_t s);
  Value flatIndex(Value value, int64_t j);
  Point pointOf(Value flat, const View &view, int64_t s) { return pointOf(flat, view, streams[s]); }
  Point pointOf(Value flat, const View &view, Value stream);
  Value constantI32(int32_t value) { return e.constantI32(value); }

  // Reductions: UnitReductions.cpp.
  void presetReductions();
  void allocateReductions();
  void reduceInUnit(ReduceOp op);
  /// Combines what the groups have for the reductions in `open`, all at once.
  void combineOpen();
  /// [open][streams of the group], what all warps of the block have, or all blocks.
  SmallVector<Value> combineWarps(ArrayRef<Value> parts);
  /// Words of a stream that a reduction is made of in a block or cluster.
  int64_t countSharedWords() const { return shape.clusterBlocks * countWarps(); }
  SmallVector<Value> combineBlocks(ArrayRef<Value> parts);
  Value combineTerms(ReduceOp op, ArrayRef<Value> terms);
  /// Of `width` neighbouring lanes, one value of each `stride` lanes.
  Value combineLanes(ReduceOp op, Value value, int64_t width, int64_t stride = 1);
  Value neutralOf(ReduceOp op);
  /// Lanes that wait for the blocks' words of one stream, and the words of each.
  int64_t countPollingLanes() const;
  int64_t countPolledWords() const;

  // Products and exchange: UnitProducts.cpp.
  bool isShared(const Product &product) const;
  bool isAwaited(const Product &product) const;
  int64_t countInputs(const Product &product) const;
  /// Elements of a vector of one stream in an exchange, with those that fill it up.
  int64_t countPlaces(const Product &product) const {
    return llvm::alignTo(countElements(product.form.input), 4 * product.lanesPerRow);
  }
  int64_t countPartials(const Product &product) const;
  void allocateShared();
  void presetSequences();
  void fillExchange();
  void exchangeInBlock(Value value);
  void publish(Value value);
  /// The bits of an f32, or of another NaN than the sentinel.
  Value toWord(Value value);
  /// One relaxed store.
  void publishWord(Value word, Value address);
  /// Where the unit's element `j` for stream number `s` of the group lies in this
  /// frame's slot of an exchange.
  Value placeOf(const Exchange &entry, int64_t s, int64_t j);
  /// True if elements of a unit are neighbours where the product reads them.
  bool isInterleaved(const Product &product) const;
  /// The element of a vector of so many units that is at a place of an exchange.
  Value elementAt(const Product &product, Value place, int64_t ofUnits);
  /// The element of the vector that is number `k` of the sums of this unit, or
  /// across blocks of all units of the block.
  Value elementOfSum(const Product &product, Value k);
  /// The first unit of the matrix's block on the diagonal that this unit is in.
  Value firstOfDiagonal(const Product &product);
  /// The units of a block on the diagonal.
  int64_t countDiagonalUnits(const Product &product) const { return units / product.form.blocks; }
  /// Where the lane's four elements number `quad` begin in the group's or warp's
  /// part of the sum.
  Value quadStart(const Product &product, int64_t quad);
  /// Positions in the sum of all of the lane's elements; some may lie behind it.
  SmallVector<Value> findPositions(const Product &product);
  Value clampPosition(const Product &product, Value k) { return index.min(k, index.constant(product.form.depth - 1)); }
  Value rowInBlock(const Product &product, int64_t i);
  /// The matrix's row that is the block's row `number`, and whether there is one;
  /// null if there always is.
  std::pair<Value, Value> findRow(Operation *op, const Product &product, Value number);
  /// Four neighbouring elements of a row of the matrix, zero behind its end and
  /// where the row does not exist; `exists` may be null.
  SmallVector<Value> loadFour(const Product &product, Value row, Value exists, ArrayRef<Value> positions);
  void loadWeights(Operation *op, Product &product);
  void allocateStreamed();
  int64_t countStreamedQuads(const Product &product) const {
    return product.quads - product.residentQuads - product.sharedQuads;
  }
  /// Where this thread has its weights number `quad` of its row number `i`, if not in
  /// registers: the memory and the place in it.
  std::pair<Value, Value> placeOfWeights(const Product &product, int64_t quad, int64_t i);
  void multiplyInGroup(ContractOp op, Product &product);
  void multiplyAcrossWarps(ContractOp op, Product &product);
  void forStreams(function_ref<void(Value first)> body);
  void addPartials(ContractOp op, Product &product);
  Value partialsOf(const Product &product, Value stream);
  /// Streams of a frame's partial sums, with those that fill tiles.
  int64_t countPartialStreams() const;
  /// Partial sums of a stream, with those that keep streams in different banks.
  int64_t countPartialsOfStream(const Product &product) const;
  int64_t countChains(const Product &product) const;
  SmallVector<Value> multiply(const Product &product, ArrayRef<Value> input);
  /// Adds products with weights that are not in registers to the sums of several
  /// streams; `load(s, quad)` gives the four elements of a stream's input.
  void multiplyStreamed(const Product &product, MutableArrayRef<SmallVector<Value>> sums,
                        function_ref<SmallVector<Value>(size_t s, int64_t quad)> load);
  SmallVector<Value> loadQuad(const Product &product, Value memory, Value base, int64_t quad);
  SmallVector<Value> loadQuads(const Product &product, Value memory, Value base);
  Value multiplyAdd(Value weight, Value value, Value sum);
  /// The row of the matrix that is the lane's number i, and whether there is one.
  std::pair<Value, Value> rowOfLane(Operation *op, const Product &product, int64_t i);
  Value addInOrder(ArrayRef<Value> terms);
  Value combineInOrder(ArrayRef<Value> terms, function_ref<Value(Value, Value)> combine);
  Value addLanes(Value sum, int64_t count);
  void syncWarp();
  void meet();
  /// The product's input at these positions for a stream, waited for where
  /// other blocks publish it.
  SmallVector<Value> readInput(const Product &product, Value stream, ArrayRef<Value> positions);
  /// An element as products take it.
  Value roundForProducts(Value element) { return roundsToBf16 ? e.roundToBf16(element) : element; }
  /// The delayed input of a product for a stream, and whether it exists.
  RegionEmitter::TimedRead prepareInput(const Product &product, Value stream);
  /// What was read, or where the frame does not exist what `makeOther` makes for
  /// element i.
  SmallVector<Value> selectInput(const Product &product, Value valid, ArrayRef<Value> input,
                                 function_ref<Value(size_t i)> makeOther);
  /// Element k of what the product reads for a frame that does not exist.
  Value loadInit(const Product &product, Value k, Value stream);
  /// The address of element `at` behind an LLVM pointer.
  Value addressOf(Value base, Value at, Type element);
  /// Waits until none of the words that others may be publishing has the bits of
  /// the sentinel; only a frame of this chunk, and one that exists, is waited for.
  /// `inQuads`: each four of them are neighbours and aligned.
  SmallVector<Value> awaitWords(ArrayRef<Value> addresses, bool inQuads, const RegionEmitter::TimedRead &read);
  /// True if four neighbours of the product's input are one aligned access.
  bool hasAlignedQuads(const Product &product, const RegionEmitter::TimedRead &read, const View &view) const;
  /// Waits as `GpuEmitter::await`, in vain only once. Returns the words that the
  /// last poll has read.
  SmallVector<Value> awaitAll(int64_t words, function_ref<Value(SmallVectorImpl<Value> &words)> poll);

  // Products on tensor cores: UnitTensorCores.cpp.
  Value positionInTile(const Product &product, int64_t depthTile);
  SmallVector<Value> readPacked(const Product &product, Value stream, int64_t begin, int64_t end);
  Value packedAddress(Value value, Value row, Value stream, Value word);
  bool isPacked(Value value) const {
    return llvm::any_of(products, [&](auto &item) { return item.second.isPacked && item.second.exchanged == value; });
  }
  void presetPacked(Value value);
  void publishPacked(Value value);
  bool isBackward() const { return cast<RecurrentOp>(region.region).getDirection() == Direction::Anticausal; }
  void loadFragments(Operation *op, Product &product);
  void multiplyOnTensorCores(ContractOp op, Product &product);
  SmallVector<Value> loadFragment(Operation *op, const Product &product, int64_t rowTile, int64_t depthTile);
  SmallVector<Value> multiplyStreamTile(Operation *op, const Product &product, Value stream);

  // Exchange in a cluster: UnitCluster.cpp.
  bool isCluster() const { return shape.clusterBlocks > 1; }
  void onFirstThread(function_ref<void()> body);
  void beginCluster();
  SmallVector<Exchange *> allExchanges();
  void endCluster();
  void awaitExchange(Exchange &entry);
  void awaitPhase(const Exchange &entry, Value slot, Value phase);
  void expect(const Exchange &entry, Value slot);
  /// The slot that this frame reads.
  Value slotOf(const Exchange &entry);
  void expectNext();
  void sendToCluster(Value value);
  void sendGathered(Value value);
  void send(ArrayRef<Value> words, Value to, Value barrier);
  /// Elements of a stream that a warp's groups have together of a value with so
  /// many per unit, if they give them to each other before they are sent; else 0.
  int64_t countGathered(int64_t perUnit) const;
  /// Messages that a block gets in a frame.
  int64_t countMessages() const;

  GpuEmitter &e;
  RegionEmitter &region;
  OpBuilder &b;
  Location loc;
  IndexMath &index;

  SmallVector<Operation *> ops;                   ///< needed, in order; those that need no product first
  llvm::SmallPtrSet<Operation *, 16> ownOps;      ///< all ops of a frame
  SmallVector<Operation *> views;                 ///< of values from outside
  llvm::MapVector<Operation *, Product> products; ///< contractions
  llvm::SetVector<Value> exchanged;               ///< signals that products of other units read
  llvm::MapVector<Operation *, FullReduction> reductions;
  /// Of reductions within a unit: for each of its results the elements.
  llvm::DenseMap<Operation *, SmallVector<SmallVector<int64_t>>> localReductions;
  llvm::DenseMap<Operation *, SmallVector<std::pair<unsigned, int64_t>>> elements; ///< of reshapes: operand, element
  SmallVector<Carried> carried;
  SmallVector<Value> ahead; ///< sequences from outside, loaded a frame ahead
  SmallVector<Value> fixed; ///< values from outside that do not change

  int64_t units = 0;
  int64_t unitsPerBlock = 0, streamsPerBlock = 1, streamsPerGroup = 1;
  int64_t streamsAtOnce = 1;        ///< whose vectors a block multiplies at one time
  int64_t lanes = kWarpThreads;     ///< of a group
  LoopAttr wish;                    ///< of the schedule, which is obeyed or refused; or null
  std::optional<LoopRegime> wanted; ///< its regime, or that which the option prefers
  KernelShape shape;
  bool isIndependent = false; ///< nothing is exchanged, and units spread over all multiprocessors
  bool acrossBlocks = false, inRegisters = false;
  bool roundsToBf16 = false; ///< the operands of all products
  bool onTensorCores = false;
  int64_t tilesAtOnce = 0;  ///< of the vector, that a lane waits for at one time
  int64_t partialSlots = 2; ///< frames whose partial sums there is room for; of one, its readers hold up the next
  std::string refusal, suggestion; ///< why not by units
  /// Why not in one block, why not in a cluster, why not across blocks.
  std::string blockRefusal, clusterRefusal, acrossRefusal;

  Value thread, lane, warp, localUnit, unit;
  Value firstUnit, firstStream;          ///< of the block
  SmallVector<Value> streams, isPresent; ///< of the group; the last may repeat
  SmallVector<Value> localStreams;       ///< the same, counted in the block
  Value frame, parity;
  Value turn;                                        ///< how often a slot was used before, modulo 2
  llvm::MapVector<Value, SmallVector<Value>> values; ///< [perUnit][streams of the group]
  llvm::MapVector<Value, SmallVector<Value>> fixedValues;
  /// Of signals that are exchanged as pairs of bf16: [a frame more][streams][pairs],
  /// of one unit after another. The first row is that of the frame before, or going
  /// backwards the last one that of none.
  llvm::DenseMap<Value, View> packed;
  llvm::MapVector<Value, Exchange> exchange;   ///< by the input of products
  llvm::SmallPtrSet<Value, 4> unsynchronized;  ///< published since the last barrier
  bool isReading = false;                      ///< `exchange` was read since the last barrier
  llvm::SetVector<Operation *> open;           ///< reductions whose result is not known yet
  SmallVector<std::pair<Value, View>> pending; ///< to be stored behind what others wait for
  Value isOwner;                               ///< i1: of threads that own elements; null if all do
  Value onlyOwners;                            ///< the same, or null while only they go on
  scf::IfOp owners;                            ///< in which they do
  Value dead;                                  ///< i1: a wait has failed
};

} // namespace mlir::rnn::loops

#endif // RNN_LIB_CONVERSION_RNNTOGPU_UNITLOOP_H
