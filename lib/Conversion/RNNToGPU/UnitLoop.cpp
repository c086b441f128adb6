//===- UnitLoop.cpp - A loop over frames, dealt out by units ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

UnitLoop::UnitLoop(GpuEmitter &emitter, RegionEmitter &region, ArrayRef<Operation *> ops)
    : e(emitter), region(region), b(e.b), loc(region.loc), index(e.index), ops(ops), ownOps(ops.begin(), ops.end()) {}

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

bool UnitLoop::plan() {
  if (!classify() || !chooseUnits())
    return false;
  sortByStages();
  if (!chooseShape())
    return false;
  findOutside();
  return true;
}

/// Instructions of a frame that one thread may do where it does all of them, and
/// for the elements of one of several units.
static constexpr int64_t kMaxOfOneUnit = 256, kMaxOfUnit = 4096;

static bool isReshape(Operation *op) {
  return isa<BroadcastOp, StopGradientOp, tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::ConcatOp,
             tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
}

/// True if an op reads its operand number i at another frame than its own.
static bool readsOtherFrame(Operation *op, unsigned i) { return isTimed(op) && !isa<SeedOp>(op) && i == 0; }

/// Views of what comes from outside do, too: any unit reads any of its elements.
void UnitLoop::setViewsApart() {
  for (Operation *op : ops)
    if (isa<BroadcastOp, tensor::ExtractSliceOp>(op) && !isOfLoop(op->getOperand(0)) &&
        !region.outliving.contains(op->getResult(0))) {
      ownOps.erase(op);
      views.push_back(op);
    }
  llvm::erase_if(ops, [&](Operation *op) { return !ownOps.contains(op); });
}

/// Finds the products and what they exchange; drops what only they read.
bool UnitLoop::classify() {
  setViewsApart();
  for (Operation *op : ops) {
    if (isElementwise(op) || isTimed(op) || isReshape(op) || isa<ReduceOp>(op))
      continue;
    auto contract = dyn_cast<ContractOp>(op);
    auto form = contract ? region.asMatrixVector(contract) : std::nullopt;
    if (!form)
      return refuse(contract
                        ? describeSignal(op) + " multiplies no vector with a matrix that is the same in all frames"
                        : describeSignal(op) + " is neither elementwise nor a reshape nor a reduction nor a product",
                    contract ? "multiply a parameter with a vector" : "compute it from what the cycle does not need");
    if (products.empty())
      roundsToBf16 = contract.getRoundTo().has_value();
    else if (roundsToBf16 != contract.getRoundTo().has_value())
      return refuse("some of its products round their operands and some do not", "let all of them round, or none");
    Product product;
    product.form = *form;
    if (isOfLoop(form->input)) {
      product.delay = form->input.getDefiningOp<DelayOp>();
      product.exchanged = product.delay ? product.delay.getSource() : form->input;
      if (product.delay && product.delay.getInit() && isOfLoop(product.delay.getInit()))
        return refuse("the loop computes what " + describeSignal(op) + " reads before the first frame",
                      "take the init of its delay from outside the loop");
      if (!isOfLoop(product.exchanged))
        product.exchanged = {};
      else
        exchanged.insert(product.exchanged);
    }
    products.insert({op, product});
  }
  // Backwards from what is stored or exchanged.
  llvm::SmallPtrSet<Operation *, 16> needed;
  auto need = [&](Value value) {
    if (isOfLoop(value))
      needed.insert(value.getDefiningOp());
  };
  for (Value value : region.body.getTerminator()->getOperands())
    need(value);
  for (Value value : exchanged)
    need(value);
  for (Operation *op : llvm::reverse(ops)) {
    // What later frames read.
    if (region.outliving.contains(op->getResult(0)))
      needed.insert(op);
    if (!needed.contains(op))
      continue;
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (!products.contains(op) && !readsOtherFrame(op, i))
        need(operand);
  }
  products.remove_if([&](auto &item) { return !needed.contains(item.first); });
  llvm::erase_if(ops, [&](Operation *op) { return !needed.contains(op); });
  return true;
}

/// A stage ends with products and reductions, which wait for others: everything
/// comes before them that can be done without them.
void UnitLoop::sortByStages() {
  llvm::DenseMap<Operation *, int64_t> places; // twice the stage, one more for what ends it
  for (Operation *op : ops) {
    int64_t &place = places[op];
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (isOfLoop(operand) && !readsOtherFrame(op, i))
        // What ends a stage is known in the next.
        place = std::max<int64_t>(place, llvm::alignTo(places.lookup(operand.getDefiningOp()), 2));
    if (products.contains(op) || reductions.contains(op))
      ++place;
  }
  llvm::stable_sort(ops, [&](Operation *x, Operation *y) { return places.lookup(x) < places.lookup(y); });
}

bool UnitLoop::chooseUnits() {
  for (Operation *op : ops)
    if (int64_t count = countElements(op->getResult(0)); count > 1)
      units = std::gcd(units, count);
  if (units > 1
          ? assignElements()
          : refuse("the sizes of its vectors have no common divisor", "give its vectors the same number of units"))
    return countUnitInstructions() <= kMaxOfUnit ||
           refuse("each of its " + Twine(units) + " units would have too many elements",
                  "give its vectors sizes with a larger common divisor");
  if (countInstructions() > kMaxOfOneUnit)
    return false;
  // One unit that has all elements.
  units = 1;
  refusal.clear();
  elements.clear();
  reductions.clear();
  localReductions.clear();
  return assignElements();
}

/// False if not every element belongs to one unit.
bool UnitLoop::assignElements() {
  for (Value value : exchanged)
    if (countElements(value) % units != 0)
      return refuse("a product reads a scalar of the loop", "multiply elementwise with the scalar");
  for (auto &[op, product] : products) {
    product.perUnit = std::max<int64_t>(product.form.rows / units, 1); // all have a scalar
    const RegionEmitter::MatrixVector &form = product.form;
    if (form.blocks > 1 && (form.blockRows * form.blocks != units || form.blockDepth * form.blocks != units))
      return refuse("the blocks of " + describeSignal(op) + " have parts of a unit's rows or columns",
                    "let every block have all rows and columns of its units");
  }
  for (Operation *op : ops)
    if (isReshape(op) && !mapElements(op))
      return refuse(describeSignal(op) + " moves elements from one unit to another",
                    "let element j * units + u of every vector belong to unit u, as of gates one after another");
  return llvm::all_of(ops, [&](Operation *op) { return !isa<ReduceOp>(op) || mapReduction(cast<ReduceOp>(op)); });
}

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

static SmallVector<int64_t> delinearize(int64_t flat, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> at(shape.size());
  for (size_t i = shape.size(); i-- > 0; flat /= shape[i])
    at[i] = flat % shape[i];
  return at;
}

static int64_t linearize(ArrayRef<int64_t> at, ArrayRef<int64_t> shape) {
  int64_t flat = 0;
  for (auto [coordinate, size] : llvm::zip(at, shape))
    flat = flat * size + coordinate;
  return flat;
}

/// The flat element that is left of element `flat` of a larger value, which has
/// the dimensions `dims` besides those of a smaller one.
static int64_t dropDimensions(int64_t flat, Value larger, ArrayRef<int64_t> dims, Value smaller) {
  SmallVector<int64_t> at = delinearize(flat, shapeOf(larger)), left;
  for (auto [i, coordinate] : llvm::enumerate(at))
    if (!llvm::is_contained(dims, int64_t(i)))
      left.push_back(coordinate);
  return linearize(left, shapeOf(smaller));
}

/// The flat element of an operand that element `flat` of a reshape's result is.
static std::pair<unsigned, int64_t> findElement(Operation *op, int64_t flat) {
  ArrayRef<int64_t> shape = shapeOf(op->getResult(0));
  using Element = std::pair<unsigned, int64_t>;
  return llvm::TypeSwitch<Operation *, Element>(op)
      .Case([&](BroadcastOp broadcast) {
        return Element{0, dropDimensions(flat, broadcast, broadcast.getDims(), broadcast.getSource())};
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        llvm::SmallBitVector dropped = slice.getDroppedDims();
        SmallVector<int64_t> at = delinearize(flat, shape), from;
        unsigned next = 0;
        for (unsigned i = 0; i < dropped.size(); ++i)
          from.push_back(slice.getStaticOffsets()[i] +
                         (dropped.test(i) ? 0 : at[next++]) * slice.getStaticStrides()[i]);
        return Element{0, linearize(from, shapeOf(slice.getSource()))};
      })
      .Case([&](tensor::InsertSliceOp insert) {
        SmallVector<int64_t> at = delinearize(flat, shape), from;
        llvm::SmallBitVector dropped = insert.getDroppedDims();
        bool isInside = true;
        for (unsigned i = 0; i < at.size(); ++i) {
          int64_t behind = at[i] - insert.getStaticOffsets()[i], stride = insert.getStaticStrides()[i];
          isInside &= behind >= 0 && behind % stride == 0 && behind / stride < insert.getStaticSizes()[i];
          if (!dropped.test(i))
            from.push_back(behind / stride);
        }
        return isInside ? Element{0, linearize(from, shapeOf(insert.getSource()))} : Element{1, flat};
      })
      .Case([&](tensor::ConcatOp concat) {
        SmallVector<int64_t> at = delinearize(flat, shape);
        unsigned operand = 0;
        for (;; ++operand) {
          int64_t size = shapeOf(concat.getInputs()[operand])[concat.getDim()];
          if (at[concat.getDim()] < size)
            break;
          at[concat.getDim()] -= size;
        }
        return Element{operand, linearize(at, shapeOf(concat.getInputs()[operand]))};
      })
      .Default([&](Operation *) { return Element{0, flat}; });
}

/// A reshape is a matter of each unit alone if unit u's elements come from unit
/// u's, or from a scalar.
bool UnitLoop::mapElements(Operation *op) {
  SmallVector<std::pair<unsigned, int64_t>> &list = elements[op];
  const int64_t count = countElements(op->getResult(0));
  for (int64_t flat = 0; flat < count; ++flat) {
    auto [operand, from] = findElement(op, flat);
    const bool isScalar = countElements(op->getOperand(operand)) == 1;
    if (countElements(op->getOperand(operand)) % units != 0 && !isScalar)
      return false;
    std::pair<unsigned, int64_t> element{operand, isScalar ? 0 : from / units};
    if (flat % units == 0 || count == 1)
      list.push_back(element);
    else if (list.back() != element)
      return false;
    if (!isScalar && from % units != flat % units)
      return false;
  }
  return true;
}

/// Finds out whether units reduce their own elements, or all of them.
bool UnitLoop::mapReduction(ReduceOp op) {
  const int64_t count = countElements(op.getSource()), results = countElements(op.getResult());
  if (results == 1 && units > 1 && count % units == 0) {
    if (getElementTypeOrSelf(op.getSource()).getIntOrFloatBitWidth() != 32)
      return refuse(describeSignal(op) + " reduces elements that do not have 32 bits", "reduce f32");
    reductions[op];
    return true;
  }
  SmallVector<SmallVector<int64_t>> &elements = localReductions[op];
  elements.assign(std::max<int64_t>(results / units, 1), {});
  for (int64_t flat = 0; flat < count; ++flat) {
    const int64_t result = dropDimensions(flat, op.getSource(), op.getDims(), op.getResult());
    if (count % units != 0 || flat % units != result % units)
      return refuse(describeSignal(op) + " reduces some elements of several units",
                    "reduce all elements to one, or those of a unit");
    if (flat % units == 0)
      elements[result / units].push_back(flat / units);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void UnitLoop::emit() {
  for (Operation *op : views)
    (void)region.emitView(op);
  // Pieces of a wavefront take up what earlier ones have published.
  if (acrossBlocks)
    e.emitBeforeWavefront([&] {
      presetSequences();
      presetReductions();
    });
  allocateStreamed();
  e.synchronize();
  e.beginLoop(shape);
  findPlace();
  allocateShared();
  allocateReductions();
  Value zero = index.constant(0), one = index.constant(1);
  frame = region.frame = region.frameOfStep(zero);
  for (Value value : fixed)
    fixedValues[value] = loadAll(value);
  for (auto &[op, product] : products)
    loadWeights(op, product);
  fillExchange();
  if (isCluster())
    beginCluster();

  // From frame to frame: whether a wait has failed, signals of the last frame,
  // and what was loaded ahead.
  SmallVector<Value> initial{arith::ConstantOp::create(b, loc, b.getBoolAttr(false))};
  for (Carried &item : carried)
    llvm::append_range(initial, readLast(item));
  llvm::append_range(initial, loadAhead(zero));
  auto loop = scf::ForOp::create(b, loc, zero, region.countFrames(), one, initial);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value step = loop.getInductionVar();
    frame = region.frame = region.frameOfStep(step);
    Value two = index.constant(2);
    parity = index.rem(step, two);
    if (isCluster())
      turn = index.rem(index.div(step, two), two);
    values.clear();
    takeCarried(loop.getRegionIterArgs());
    Value lastStep = index.sub(region.countFrames(), one);
    SmallVector<Value> next = loadAhead(index.min(index.add(step, one), lastStep));
    SmallVector<Value> kept = emitFrame();
    SmallVector<Value> yielded{dead};
    llvm::append_range(yielded, kept);
    llvm::append_range(yielded, next);
    scf::YieldOp::create(b, loc, yielded);
  }
  region.frame = {};
  dead = loop.getResult(0);
  if (isCluster())
    endCluster();
  if (acrossBlocks || isCluster())
    e.reportLoss(dead);
  e.endLoop();
}

/// Which unit and streams are this thread's.
void UnitLoop::findPlace() {
  auto x = gpu::Dimension::x;
  thread = gpu::ThreadIdOp::create(b, loc, x);
  warp = index.div(thread, index.constant(kWarpThreads));
  lane = index.rem(thread, index.constant(acrossBlocks ? kWarpThreads : lanes));
  Value block = gpu::BlockIdOp::create(b, loc, x), unitBlocks = index.constant(countUnitBlocks());
  firstUnit = index.mul(index.rem(block, unitBlocks), index.constant(unitsPerBlock));
  firstStream = index.mul(index.div(block, unitBlocks), index.constant(streamsPerBlock));

  Value group = index.div(thread, index.constant(lanes));
  const int64_t groups = countGroups();
  if (acrossBlocks) {
    // Lanes that are left repeat the work of others.
    group = index.rem(group, index.constant(groups));
    if (const int64_t owners = llvm::alignTo(groups * lanes, kWarpThreads); owners < shape.threads)
      isOwner = index.less(thread, index.constant(owners));
  }
  localUnit = index.rem(group, index.constant(unitsPerBlock));
  unit = index.add(firstUnit, localUnit);
  Value isUnit;
  if (units % unitsPerBlock != 0) {
    isUnit = index.less(unit, index.constant(units));
    unit = index.min(unit, index.constant(units - 1));
  }
  Value first = index.mul(index.div(group, index.constant(unitsPerBlock)), index.constant(streamsPerGroup));
  // Where all comes out even, all threads have a stream.
  const bool isEven = streamsPerBlock % streamsPerGroup == 0 && (acrossBlocks || shape.threads == lanes * groups);
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    Value local = s ? index.add(first, index.constant(s)) : first, exists = isUnit;
    auto limit = [&](Value number, int64_t count) {
      Value inside = index.less(number, index.constant(count));
      exists = exists ? Value(arith::AndIOp::create(b, loc, exists, inside)) : inside;
      return index.min(number, index.constant(count - 1));
    };
    if (!isEven)
      local = limit(local, streamsPerBlock);
    Value stream = index.add(firstStream, local);
    if (e.streams % streamsPerBlock != 0)
      stream = limit(stream, e.streams);
    localStreams.push_back(local);
    isPresent.push_back(exists);
    streams.push_back(stream);
  }
}

//===----------------------------------------------------------------------===//
// From frame to frame
//===----------------------------------------------------------------------===//

bool UnitLoop::readsLastFrame(DelayOp delay) const {
  return isOfLoop(delay.getSource()) && int64_t(delay.getBy()) == (isBackward() ? -1 : 1);
}

/// What the ops read that the loop does not compute, and what it keeps.
void UnitLoop::findOutside() {
  llvm::SetVector<Value> outside;
  for (Operation *op : ops) {
    if (auto delay = dyn_cast<DelayOp>(op); delay && readsLastFrame(delay)) {
      carried.push_back({delay, SmallVector<Value>(perUnit(delay) * streamsPerGroup), {}});
      if (delay.getInit())
        outside.insert(delay.getInit());
      continue;
    }
    if (products.contains(op))
      continue;
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (!readsOtherFrame(op, i))
        outside.insert(operand);
  }
  // Of those that only products read, whether they exist.
  for (auto &[op, product] : products)
    if (product.delay && (isShared(product) || isAwaited(product)) &&
        llvm::none_of(carried, [&](const Carried &item) { return item.delay == product.delay; }))
      carried.push_back({product.delay, {}, {}});
  for (Value value : outside) {
    auto constant = value.getDefiningOp<arith::ConstantOp>();
    if (isOfLoop(value) || (constant && isa<SplatElementsAttr>(constant.getValue())))
      continue;
    (region.rateOf(value) == Rate::Frame ? ahead : fixed).push_back(value);
  }
}

SmallVector<Value> UnitLoop::loadAll(Value value) {
  SmallVector<Value> list;
  View view = region.materialize(value);
  for (int64_t j = 0; j < perUnit(value); ++j)
    for (int64_t s = 0; s < streamsPerGroup; ++s)
      list.push_back(e.loadElement(view, pointOf(flatIndex(value, j), view, s)));
  return list;
}

/// Loads for a step what comes from outside, and whether the frames before it
/// exist.
SmallVector<Value> UnitLoop::loadAhead(Value wanted) {
  Value current = frame;
  frame = region.frame = region.frameOfStep(wanted);
  SmallVector<Value> list;
  for (Value value : ahead)
    llvm::append_range(list, loadAll(value));
  for (Carried &item : carried)
    for (int64_t s = 0; s < streamsPerGroup; ++s)
      list.push_back(region.prepareRead(item.delay, {frame, streams[s], {}}).valid);
  frame = region.frame = current;
  return list;
}

/// What a delay reads at the first frame, if that exists.
SmallVector<Value> UnitLoop::readLast(const Carried &item) {
  SmallVector<Value> list;
  DelayOp delay = item.delay;
  for (size_t i = 0; i < item.last.size(); ++i) {
    const int64_t j = i / streamsPerGroup, s = i % streamsPerGroup;
    RegionEmitter::TimedRead read = region.prepareRead(delay, {frame, streams[s], {}});
    Value at = addressInRow(read.source, read.rowOffset, flatIndex(delay, j), streams[s]);
    list.push_back(e.loadAt(read.base, at, getElementTypeOrSelf(delay), 0, 1, {}));
  }
  return list;
}

Value UnitLoop::addressInRow(const View &view, Value rowOffset, Value flat, Value stream) {
  View origin = view;
  origin.shift = origin.frameStride = origin.streamStride = 0;
  return index.add(rowOffset, e.address(origin, pointOf(flat, origin, stream)));
}

/// The arguments of the loop, in the order of its initial values.
void UnitLoop::takeCarried(ValueRange arguments) {
  auto take = [&](size_t count) {
    SmallVector<Value> taken(arguments.take_front(count));
    arguments = arguments.drop_front(count);
    return taken;
  };
  dead = take(1).front();
  for (Carried &item : carried)
    item.last = take(item.last.size());
  for (Value value : ahead)
    values[value] = take(perUnit(value) * streamsPerGroup);
  for (Carried &item : carried)
    item.valid = take(streamsPerGroup);
}

Value UnitLoop::getValid(DelayOp delay, int64_t s) const {
  return llvm::find_if(carried, [&](const Carried &item) { return item.delay == delay; })->valid[s];
}

//===----------------------------------------------------------------------===//
// A frame
//===----------------------------------------------------------------------===//

/// Returns what the next frame needs of the carried signals.
SmallVector<Value> UnitLoop::emitFrame() {
  unsynchronized.clear();
  pending.clear();
  isReading = false;
  onlyOwners = isOwner;
  auto isProduct = [&](Operation *op) { return products.contains(op); };
  auto lastProduct = llvm::find_if(llvm::reverse(ops), isProduct).base();
  // Reductions are for owners alone: the fewer wait, the sooner others are seen.
  auto hasReduction = [&](auto begin) {
    return std::any_of(begin, std::find_if(begin, ops.end(), isProduct),
                       [&](Operation *op) { return reductions.contains(op); });
  };
  if (isOwner && (lastProduct == ops.begin() || hasReduction(ops.begin())))
    beginOwners();
  for (auto it = ops.begin(); it != ops.end(); ++it) {
    Operation *op = *it;
    if (llvm::any_of(op->getOperands(), [&](Value operand) { return open.contains(operand.getDefiningOp()); }))
      combineOpen();
    if (auto product = products.find(op); product != products.end()) {
      combineOpen();
      endOwners();
      if (onTensorCores)
        multiplyOnTensorCores(cast<ContractOp>(op), product->second);
      else if (acrossBlocks)
        multiplyAcrossWarps(cast<ContractOp>(op), product->second);
      // The last product is the last that the threads have in common.
      if (isOwner && (std::next(it) == lastProduct || hasReduction(std::next(it))))
        beginOwners();
    }
    emitOp(op);
  }
  combineOpen();
  // Results that have no op of their own.
  for (auto [place, value] : llvm::zip(region.results, region.body.getTerminator()->getOperands()))
    if (region.materialize(value).buffer != place.buffer)
      pending.push_back({value, place});
  if (isCluster())
    expectNext();
  else if (!acrossBlocks && (isReading || !unsynchronized.empty()))
    meet();
  for (auto &[value, view] : pending)
    store(value, view);
  // Nobody waits for the next frame, and so is in the way of what leaves the
  // multiprocessor, before this one is published.
  if (!endOwners() && acrossBlocks && partialSlots == 1)
    gpu::BarrierOp::create(b, loc);

  SmallVector<Value> kept;
  for (Carried &item : carried)
    for (size_t i = 0; i < item.last.size(); ++i)
      kept.push_back(get(item.delay.getSource(), i / streamsPerGroup, i % streamsPerGroup));
  return kept;
}

/// From here on only threads that own elements go on.
void UnitLoop::beginOwners() {
  owners = scf::IfOp::create(b, loc, isOwner, /*withElseRegion=*/false);
  b.setInsertionPointToStart(owners.thenBlock());
  onlyOwners = {};
}

/// Until here, if there are any. What they have computed others have as zero,
/// which nobody sees, and all meet.
bool UnitLoop::endOwners() {
  if (!owners)
    return false;
  SmallVector<Value *> results;
  auto add = [&](Value &value) {
    if (Operation *op = value.getDefiningOp(); op && owners->isProperAncestor(op))
      results.push_back(&value);
  };
  for (auto &[value, list] : values)
    llvm::for_each(list, add);
  add(dead); // where they have waited
  SmallVector<Value> ofOwners, ofOthers;
  for (Value *result : results)
    ofOwners.push_back(*result);
  b.setInsertionPointAfter(owners);
  if (!results.empty()) {
    auto whole = scf::IfOp::create(b, loc, ValueRange(ofOwners).getTypes(), isOwner, /*withElseRegion=*/true);
    owners.thenYield()->setOperands(ofOwners);
    whole.getThenRegion().takeBody(owners.getThenRegion());
    owners.erase();
    b.setInsertionPointToStart(whole.elseBlock());
    for (Value *result : results)
      ofOthers.push_back(e.splat(result->getType(), 1, 0));
    scf::YieldOp::create(b, loc, ofOthers);
    for (auto [result, value] : llvm::zip(results, whole.getResults()))
      *result = value;
    b.setInsertionPointAfter(whole);
  }
  owners = {};
  onlyOwners = isOwner;
  gpu::BarrierOp::create(b, loc);
  return true;
}

void UnitLoop::emitOp(Operation *op) {
  Value result = op->getResult(0);
  if (auto product = products.find(op); product != products.end()) {
    if (acrossBlocks)
      addPartials(cast<ContractOp>(op), product->second);
    else
      multiplyInGroup(cast<ContractOp>(op), product->second);
  } else if (isTimed(op)) {
    emitTimed(op);
  } else if (reductions.contains(op)) {
    open.insert(op);
    return;
  } else if (auto reduce = dyn_cast<ReduceOp>(op)) {
    reduceInUnit(reduce);
  } else {
    SmallVector<Value> list;
    for (int64_t j = 0; j < perUnit(result); ++j)
      for (int64_t s = 0; s < streamsPerGroup; ++s) {
        if (isReshape(op)) {
          auto [operand, from] = elements[op][j];
          list.push_back(get(op->getOperand(operand), from, s));
          continue;
        }
        SmallVector<Value> operands;
        for (Value operand : op->getOperands())
          operands.push_back(get(operand, j, s));
        list.push_back(region.emitElement(op, operands, 1));
      }
    values[result] = list;
  }
  finishOp(result);
}

/// Gives what is known now to those who wait for it.
void UnitLoop::finishOp(Value result) {
  if (isPacked(result))
    publishPacked(result);
  if (!exchanged.contains(result) || isPacked(result)) {
    if (region.outliving.contains(result))
      pending.push_back({result, region.allocateResult(result)});
    return;
  }
  if (acrossBlocks)
    return publish(result);
  if (isCluster()) {
    sendToCluster(result);
  } else {
    exchangeInBlock(result);
    unsynchronized.insert(result);
  }
  // Others read the sequence itself where it is not all in shared memory.
  auto readsSequence = [&](auto &item) { return item.second.exchanged == result && !isShared(item.second); };
  if (llvm::any_of(products, readsSequence))
    store(result, region.allocateResult(result));
  else if (region.outliving.contains(result))
    pending.push_back({result, region.allocateResult(result)});
}

void UnitLoop::emitTimed(Operation *op) {
  Value result = op->getResult(0);
  Type element = getElementTypeOrSelf(result);
  auto delay = dyn_cast<DelayOp>(op);
  auto isKept = [&](const Carried &item) { return item.delay == op && !item.last.empty(); };
  auto kept = llvm::find_if(carried, isKept);
  SmallVector<Value> list(perUnit(result) * streamsPerGroup);
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    RegionEmitter::TimedRead read;
    if (kept == carried.end())
      read = region.prepareRead(op, {frame, streams[s], {}});
    else
      read.valid = kept->valid[s];
    for (int64_t j = 0; j < perUnit(result); ++j) {
      Value value;
      if (kept != carried.end())
        value = kept->last[j * streamsPerGroup + s];
      else if (read.source)
        value = e.loadAt(read.base, addressInRow(read.source, read.rowOffset, flatIndex(result, j), streams[s]),
                         element, 0, 1, {});
      else
        value = get(op->getOperand(0), j, s);
      if (read.valid) {
        Value other = delay && delay.getInit() ? get(delay.getInit(), j, s) : e.splat(element, 1, 0);
        value = arith::SelectOp::create(b, loc, read.valid, value, other);
      }
      list[j * streamsPerGroup + s] = value;
    }
  }
  values[result] = list;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value UnitLoop::flatIndex(Value value, int64_t j) {
  if (countElements(value) == 1)
    return index.constant(0);
  return j ? index.add(unit, index.constant(j * units)) : unit;
}

Point UnitLoop::pointOf(Value flat, const View &view, Value stream) {
  Point point{frame, stream, {}};
  ArrayRef<int64_t> shape = view.type.getShape();
  point.element.resize(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    point.element[i] = i ? index.rem(flat, index.constant(shape[i])) : flat;
    if (i)
      flat = index.div(flat, index.constant(shape[i]));
  }
  return point;
}

Value UnitLoop::get(Value value, int64_t j, int64_t s) {
  const int64_t at = (countElements(value) == 1 ? 0 : j) * streamsPerGroup + s;
  for (auto *known : {&values, &fixedValues})
    if (auto found = known->find(value); found != known->end())
      return found->second[at];
  // All else from outside was loaded.
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  auto splat = cast<SplatElementsAttr>(constant.getValue());
  return e.splat(cast<TypedAttr>(splat.getSplatValue<Attribute>()), 1);
}

/// Emits something for each of the group's streams that exist.
void UnitLoop::forEachPresent(function_ref<void(int64_t s)> body) {
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    OpBuilder::InsertionGuard guard(b);
    Value condition = isPresent[s];
    if (onlyOwners)
      condition = condition ? Value(arith::AndIOp::create(b, loc, condition, onlyOwners)) : onlyOwners;
    if (condition) {
      auto present = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
      b.setInsertionPointToStart(present.thenBlock());
    }
    body(s);
  }
}

/// Writes this unit's elements; all lanes write the same, so that each may read
/// them back.
void UnitLoop::store(Value value, const View &view) {
  forEachPresent([&](int64_t s) {
    for (int64_t j = 0; j < perUnit(value); ++j)
      e.store(get(value, j, s), view, pointOf(flatIndex(value, j), view, s), 1, {});
  });
}
