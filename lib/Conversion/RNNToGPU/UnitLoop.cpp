//===- UnitLoop.cpp - A loop over frames, dealt out by units ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UnitLoop.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// Streams that one group of lanes has at most.
static constexpr int64_t kStreamsPerGroup = 4;
/// A group of fewer lanes adds up too slowly.
static constexpr unsigned kMinLanes = 4;
/// Threads of a block where there are several.
static constexpr int64_t kBlockThreads = 256;
/// Blocks that run at the same time on the smallest GPU with this kind of
/// kernels (sm_86 has 84 multiprocessors and more).
static constexpr int64_t kMaxBlocks = 80;
/// Registers of a multiprocessor, and of a thread at most.
static constexpr int64_t kRegisters = 65536, kThreadRegisters = 255;
/// Registers that a thread needs besides its weights.
static constexpr int64_t kOtherRegisters = 48;
/// Weights that a thread keeps in registers at most.
static constexpr int64_t kRegisterWeights = 160;
/// Products of one thread per frame that are written out.
static constexpr int64_t kMaxUnrolled = 1024;
/// No published word has these bits.
static constexpr int32_t kSentinel = -1;
/// NaN for results that have them.
static constexpr int32_t kOtherNan = 0x7fffffff;
/// Polls of one wait, far more than any frame takes.
static constexpr int32_t kMaxPolls = 1 << 22;

UnitLoop::UnitLoop(GpuEmitter &emitter, RegionEmitter &region, ArrayRef<Operation *> ops)
    : e(emitter), region(region), b(e.b), loc(region.loc), index(e.index), ops(ops), ownOps(ops.begin(), ops.end()) {}

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

bool UnitLoop::plan() { return classify() && chooseUnits() && chooseShape(); }

static bool isReshape(Operation *op) {
  return isa<BroadcastOp, StopGradientOp, tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::ConcatOp,
             tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
}

/// Finds the products and what they exchange; drops what only they read.
bool UnitLoop::classify() {
  for (Operation *op : ops) {
    if (isElementwise(op) || isTimed(op) || isReshape(op))
      continue;
    auto contract = dyn_cast<ContractOp>(op);
    auto form = contract ? region.asMatrixVector(contract) : std::nullopt;
    if (!form)
      return false;
    Product product{*form, {}, {}, 0, 0, {}};
    if (isOfLoop(form->input)) {
      product.delay = form->input.getDefiningOp<DelayOp>();
      product.exchanged = product.delay ? product.delay.getSource() : form->input;
      if (product.delay && product.delay.getInit() && isOfLoop(product.delay.getInit()))
        return false;
      if (!isOfLoop(product.exchanged))
        product.exchanged = {};
      else
        exchanged.insert(product.exchanged);
    }
    products.insert({op, product});
  }
  if (products.empty())
    return false;

  // Backwards from what is stored or exchanged.
  llvm::SmallPtrSet<Operation *, 16> needed, afterProduct;
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
      if (!products.contains(op) && !(isTimed(op) && !isa<SeedOp>(op) && i == 0))
        need(operand);
  }
  // Products come after everything that can be done without them.
  SmallVector<Operation *> early, late;
  for (Operation *op : ops) {
    if (!needed.contains(op))
      continue;
    auto isLate = [&](auto item) {
      auto [i, operand] = item;
      bool isOtherFrame = isTimed(op) && !isa<SeedOp>(op) && i == 0;
      return operand.getDefiningOp() && afterProduct.contains(operand.getDefiningOp()) && !isOtherFrame;
    };
    if (products.contains(op) || llvm::any_of(llvm::enumerate(op->getOperands()), isLate)) {
      afterProduct.insert(op);
      late.push_back(op);
    } else {
      early.push_back(op);
    }
  }
  ops = std::move(early);
  llvm::append_range(ops, late);
  return true;
}

bool UnitLoop::chooseUnits() {
  for (Operation *op : ops)
    if (int64_t count = countElements(op->getResult(0)); count > 1)
      units = std::gcd(units, count);
  for (Value value : exchanged)
    if (countElements(value) % std::max<int64_t>(units, 1) != 0)
      return false;
  if (units < 2)
    return false;
  for (auto &[op, product] : products)
    product.perUnit = std::max<int64_t>(product.form.rows / units, 1); // all have a scalar
  return llvm::all_of(ops, [&](Operation *op) { return !isReshape(op) || mapElements(op); });
}

/// The flat element of an operand that element `flat` of a reshape's result is.
static std::pair<unsigned, int64_t> findElement(Operation *op, int64_t flat) {
  auto shapeOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getShape(); };
  auto delinearize = [](int64_t flat, ArrayRef<int64_t> shape) {
    SmallVector<int64_t> at(shape.size());
    for (size_t i = shape.size(); i-- > 0; flat /= shape[i])
      at[i] = flat % shape[i];
    return at;
  };
  auto linearize = [](ArrayRef<int64_t> at, ArrayRef<int64_t> shape) {
    int64_t flat = 0;
    for (auto [coordinate, size] : llvm::zip(at, shape))
      flat = flat * size + coordinate;
    return flat;
  };
  ArrayRef<int64_t> shape = shapeOf(op->getResult(0));
  using Element = std::pair<unsigned, int64_t>;
  return llvm::TypeSwitch<Operation *, Element>(op)
      .Case([&](BroadcastOp broadcast) {
        SmallVector<int64_t> at = delinearize(flat, shape), from;
        for (auto [i, coordinate] : llvm::enumerate(at))
          if (!llvm::is_contained(broadcast.getDims(), int64_t(i)))
            from.push_back(coordinate);
        return Element{0, linearize(from, shapeOf(broadcast.getSource()))};
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

/// Weights that each of so many threads of a block can keep in registers.
static int64_t getRegisterWeights(int64_t threads) {
  return std::min(std::min(kRegisters / threads, kThreadRegisters) - kOtherRegisters, kRegisterWeights);
}

bool UnitLoop::chooseShape() {
  streamsPerGroup = std::min(e.streams, kStreamsPerGroup);
  groups = units * llvm::divideCeil(e.streams, streamsPerGroup);
  auto weightsFor = [&](unsigned lanes) {
    int64_t weights = 0;
    for (auto &[op, product] : products)
      weights += product.perUnit * llvm::divideCeil(product.form.depth, lanes);
    return weights;
  };
  auto isExchangeable = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType().isF32(); };
  const bool canCross = e.getRegime() != "block" && !exchanged.empty() && llvm::all_of(exchanged, isExchangeable);

  unsigned inBlock = kWarpThreads;
  while (inBlock > kMinLanes && groups * inBlock > kMaxBlockThreads)
    inBlock /= 2;
  const bool fitsBlock = groups * inBlock <= kMaxBlockThreads && weightsFor(inBlock) * streamsPerGroup <= kMaxUnrolled;
  const int64_t blockThreads = llvm::alignTo(groups * inBlock, kWarpThreads);
  const bool isComfortable = fitsBlock && weightsFor(inBlock) <= getRegisterWeights(blockThreads);
  if (fitsBlock && e.getRegime() != "grid" && (isComfortable || !canCross)) {
    lanes = inBlock;
    shape.threads = blockThreads;
    shape.blocks = 1;
  } else if (canCross) {
    lanes = kWarpThreads;
    while (lanes > kMinLanes && llvm::divideCeil(groups * lanes, kBlockThreads) > kMaxBlocks)
      lanes /= 2;
    shape.threads = kBlockThreads;
    shape.blocks = llvm::divideCeil(groups * lanes, kBlockThreads);
    shape.isCooperative = acrossBlocks = true;
    if (shape.blocks > kMaxBlocks || weightsFor(lanes) * streamsPerGroup > kMaxUnrolled)
      return false;
  } else {
    return false;
  }
  for (auto &[op, product] : products)
    product.perLane = llvm::divideCeil(product.form.depth, lanes);
  inRegisters = weightsFor(lanes) <= getRegisterWeights(shape.threads);
  return true;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void UnitLoop::emit() {
  if (acrossBlocks)
    presetSequences();
  e.synchronize();
  e.beginLoop(shape);
  findPlace();
  if (inRegisters)
    loadWeights();
  Value zero = index.constant(0), one = index.constant(1);
  dead = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  auto loop = scf::ForOp::create(b, loc, zero, region.domainFrames(), one, ValueRange{dead});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    dead = loop.getRegionIterArg(0);
    emitFrame(loop.getInductionVar());
    scf::YieldOp::create(b, loc, ValueRange{dead});
  }
  if (acrossBlocks) {
    // Flag 4: a block was lost.
    auto failed = scf::IfOp::create(b, loc, loop.getResult(0), /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(failed.thenBlock());
    e.store(constantI32(4), e.flags, {}, 1, {});
  }
  e.endLoop();
}

/// Sentinels where the exchanged signals will be.
void UnitLoop::presetSequences() {
  for (Value value : exchanged) {
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

/// Which unit, streams and share of the sums are this thread's.
void UnitLoop::findPlace() {
  Value lanesValue = index.constant(lanes);
  lane = index.rem(e.ids.thread, lanesValue);
  Value group = index.div(e.ids.thread, lanesValue);
  isActive = index.less(group, index.constant(groups));
  group = index.min(group, index.constant(groups - 1));
  unit = index.rem(group, index.constant(units));
  Value first = index.mul(index.div(group, index.constant(units)), index.constant(streamsPerGroup));
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    Value stream = s ? index.add(first, index.constant(s)) : first;
    Value exists = index.less(stream, index.constant(e.streams));
    isPresent.push_back(arith::AndIOp::create(b, loc, isActive, exists));
    streams.push_back(index.min(stream, index.constant(e.streams - 1)));
  }
}

/// The lane's elements k = lane, lane + lanes, …; zero behind the last.
void UnitLoop::loadWeights() {
  for (auto &[op, product] : products) {
    const RegionEmitter::MatrixVector &form = product.form;
    View view = region.materialize(form.weight);
    product.weights.clear();
    for (int64_t j = 0; j < product.perUnit; ++j)
      for (int64_t i = 0; i < product.perLane; ++i) {
        Value row = flatIndex(op->getResult(0), j), k = index.add(lane, index.constant(i * lanes));
        Value inside = index.less(k, index.constant(form.depth));
        k = index.min(k, index.constant(form.depth - 1));
        Value at = index.addScaled(index.constant(view.shift), row, form.rowStride);
        at = index.addScaled(at, k, form.depthStride);
        Type element = view.type.getElementType();
        Value weight = e.loadAt(e.base(view), at, element, 0, 1, {});
        product.weights.push_back(arith::SelectOp::create(b, loc, inside, weight, e.splat(element, 1, 0)));
      }
  }
}

void UnitLoop::emitFrame(Value step) {
  frame = step;
  if (cast<RecurrentOp>(region.region).getDirection() == Direction::Anticausal)
    frame = index.sub(index.sub(region.domainFrames(), index.constant(1)), frame);
  region.frame = frame;
  values.clear();
  unsynchronized.clear();
  for (Operation *op : ops)
    emitOp(op);
  // Results that have no op of their own.
  for (auto [place, value] : llvm::zip(region.results, region.body.getTerminator()->getOperands()))
    if (region.materialize(value).buffer != place.buffer)
      publish(value, place);
  if (!acrossBlocks && !unsynchronized.empty())
    gpu::BarrierOp::create(b, loc);
  region.frame = {};
}

void UnitLoop::emitOp(Operation *op) {
  Value result = op->getResult(0);
  if (auto product = products.find(op); product != products.end()) {
    emitProduct(cast<ContractOp>(op), product->second);
  } else if (isTimed(op)) {
    emitTimed(op);
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
  if (region.outliving.contains(result) || exchanged.contains(result))
    publish(result, region.allocateResult(result));
}

void UnitLoop::emitTimed(Operation *op) {
  Value result = op->getResult(0);
  Type element = cast<RankedTensorType>(result.getType()).getElementType();
  SmallVector<Value> list(perUnit(result) * streamsPerGroup);
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    RegionEmitter::TimedRead read = region.prepareRead(op, {frame, streams[s], {}});
    for (int64_t j = 0; j < perUnit(result); ++j) {
      Value value;
      if (read.source) {
        View origin = read.source;
        origin.shift = origin.frameStride = origin.streamStride = 0;
        Value at = index.add(read.rowOffset, e.address(origin, pointOf(flatIndex(result, j), origin, s)));
        value = e.loadAt(read.base, at, element, 0, 1, {});
      } else {
        value = get(op->getOperand(0), j, s);
      }
      if (read.valid) {
        auto delay = dyn_cast<DelayOp>(op);
        Value other = delay && delay.getInit() ? get(delay.getInit(), j, s) : e.splat(element, 1, 0);
        value = arith::SelectOp::create(b, loc, read.valid, value, other);
      }
      list[j * streamsPerGroup + s] = value;
    }
  }
  values[result] = list;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void UnitLoop::emitProduct(ContractOp op, Product &product) {
  if (!acrossBlocks && unsynchronized.contains(product.exchanged) && !product.delay) {
    gpu::BarrierOp::create(b, loc);
    unsynchronized.clear();
  }
  if (!inRegisters)
    loadWeights();
  Type element = cast<RankedTensorType>(op.getType()).getElementType();
  SmallVector<Value> list(product.perUnit * streamsPerGroup);
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    SmallVector<Value> input = readInput(product, s);
    for (int64_t j = 0; j < product.perUnit; ++j) {
      Value sum = e.splat(element, 1, 0);
      for (int64_t i = 0; i < product.perLane; ++i) {
        Value weight = product.weights[j * product.perLane + i];
        if (isa<FloatType>(element))
          sum = math::FmaOp::create(b, loc, weight, input[i], sum);
        else
          sum = arith::AddIOp::create(b, loc, sum, arith::MulIOp::create(b, loc, weight, input[i]));
      }
      list[j * streamsPerGroup + s] = addLanes(sum);
    }
  }
  values[op.getResult()] = list;
}

/// All lanes of a group get the sum of their values, added in one order.
Value UnitLoop::addLanes(Value sum) {
  for (unsigned distance = lanes / 2; distance > 0; distance /= 2) {
    // The whole warp takes part: its groups exchange among themselves.
    Value other =
        gpu::ShuffleOp::create(b, loc, sum, constantI32(distance), constantI32(kWarpThreads), gpu::ShuffleMode::XOR)
            .getShuffleResult();
    sum = region.combine(ReduceKind::Sum, sum, other);
  }
  return sum;
}

SmallVector<Value> UnitLoop::readInput(Product &product, int64_t s) {
  Type element = cast<RankedTensorType>(product.form.input.getType()).getElementType();
  SmallVector<Value> positions; // clamped: weights behind the end are zero
  for (int64_t i = 0; i < product.perLane; ++i)
    positions.push_back(index.min(index.add(lane, index.constant(i * lanes)), index.constant(product.form.depth - 1)));

  RegionEmitter::TimedRead read;
  View view;
  Value rowOffset;
  if (product.delay) {
    read = region.prepareRead(product.delay, {frame, streams[s], {}});
    view = read.source;
    rowOffset = read.rowOffset;
  } else {
    view = isOfLoop(product.form.input) ? region.allocateResult(product.form.input)
                                        : region.materialize(product.form.input);
    View row = view;
    row.strides.clear();
    rowOffset = e.address(row, {frame, streams[s], {}});
  }
  View origin = view;
  origin.shift = origin.frameStride = origin.streamStride = 0;
  SmallVector<Value> offsets;
  for (Value k : positions)
    offsets.push_back(index.add(rowOffset, e.address(origin, pointOf(k, origin, s))));

  SmallVector<Value> input;
  if (acrossBlocks && product.exchanged) {
    Value address = e.pointer(view), fresh = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
    if (product.delay) {
      // Only a frame of this chunk, and one that exists, is waited for.
      fresh = read.valid && read.isNew ? Value(arith::AndIOp::create(b, loc, read.valid, read.isNew)) : fresh;
      if (read.isOld)
        address = arith::SelectOp::create(b, loc, read.isOld, e.pointer(read.old), address);
    }
    input = awaitElements(address, offsets, element, fresh);
  } else {
    Value base = product.delay ? read.base : e.base(view);
    for (Value at : offsets)
      input.push_back(e.loadAt(base, at, element, 0, 1, {}));
  }
  if (product.delay && read.valid)
    for (auto [i, value] : llvm::enumerate(input)) {
      Value other = e.splat(element, 1, 0);
      if (Value init = product.delay.getInit()) {
        View initView = region.materialize(init);
        other = e.loadElement(initView, pointOf(positions[i], initView, s));
      }
      value = arith::SelectOp::create(b, loc, read.valid, value, other);
    }
  return input;
}

/// Polls until no element has the bits of the sentinel; at most `kMaxPolls`
/// times, and not at all once a wait has failed.
SmallVector<Value> UnitLoop::awaitElements(Value address, ArrayRef<Value> offsets, Type element, Value fresh) {
  Type i32 = b.getI32Type(), i1 = b.getI1Type();
  SmallVector<Value> addresses;
  for (Value at : offsets) {
    Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), at);
    addresses.push_back(LLVM::GEPOp::create(b, loc, address.getType(), i32, address, ArrayRef<LLVM::GEPArg>{wide}));
  }
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  Value patient = arith::AndIOp::create(b, loc, fresh, arith::XOrIOp::create(b, loc, dead, yes));
  // The words, whether one is missing, and the number of polls.
  SmallVector<Type> results(offsets.size(), i32);
  results.append({i1, i32});
  auto loop = scf::WhileOp::create(
      b, loc, results, ValueRange{constantI32(0)},
      [&](OpBuilder &, Location, ValueRange arguments) {
        SmallVector<Value> words;
        Value isMissing;
        for (Value at : addresses) {
          words.push_back(LLVM::LoadOp::create(b, loc, i32, at, /*alignment=*/4, /*isVolatile=*/false,
                                               /*isNonTemporal=*/false, /*isInvariant=*/false,
                                               /*isInvariantGroup=*/false, LLVM::AtomicOrdering::monotonic, "device"));
          Value same = e.compare(arith::CmpIPredicate::eq, words.back(), constantI32(kSentinel));
          isMissing = isMissing ? Value(arith::OrIOp::create(b, loc, isMissing, same)) : same;
        }
        isMissing = arith::AndIOp::create(b, loc, isMissing, patient);
        Value mayGoOn = e.compare(arith::CmpIPredicate::ult, arguments[0], constantI32(kMaxPolls));
        words.append({isMissing, arguments[0]});
        scf::ConditionOp::create(b, loc, arith::AndIOp::create(b, loc, isMissing, mayGoOn), words);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        scf::YieldOp::create(b, loc, ValueRange{arith::AddIOp::create(b, loc, arguments.back(), constantI32(1))});
      });
  dead = arith::OrIOp::create(b, loc, dead, loop.getResult(offsets.size()));
  return llvm::map_to_vector(loop.getResults().take_front(offsets.size()),
                             [&](Value word) -> Value { return arith::BitcastOp::create(b, loc, element, word); });
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value UnitLoop::flatIndex(Value value, int64_t j) {
  if (countElements(value) == 1)
    return index.constant(0);
  return j ? index.add(unit, index.constant(j * units)) : unit;
}

Point UnitLoop::pointOf(Value flat, const View &view, int64_t s) {
  Point point{frame, streams[s], {}};
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
  if (auto found = values.find(value); found != values.end())
    return found->second[(countElements(value) == 1 ? 0 : j) * streamsPerGroup + s];
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue()))
      return e.splat(cast<TypedAttr>(splat.getSplatValue<Attribute>()), 1);
  // From outside of the loop.
  View view = region.materialize(value);
  return e.loadElement(view, pointOf(flatIndex(value, j), view, s));
}

/// Writes this unit's elements; all lanes write the same, so that each may read
/// them back.
void UnitLoop::publish(Value value, const View &view) {
  const bool isExchanged = exchanged.contains(value) && view.buffer == region.materialize(value).buffer;
  for (int64_t s = 0; s < streamsPerGroup; ++s) {
    auto present = scf::IfOp::create(b, loc, isPresent[s], /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(present.thenBlock());
    for (int64_t j = 0; j < perUnit(value); ++j) {
      Value element = get(value, j, s);
      Point point = pointOf(flatIndex(value, j), view, s);
      if (!isExchanged || !acrossBlocks) {
        e.store(element, view, point, 1, {});
        continue;
      }
      Type i32 = b.getI32Type();
      Value bits = arith::BitcastOp::create(b, loc, i32, element);
      Value isSentinel = e.compare(arith::CmpIPredicate::eq, bits, constantI32(kSentinel));
      bits = arith::SelectOp::create(b, loc, isSentinel, constantI32(kOtherNan), bits);
      Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), e.address(view, point));
      Value base = e.pointer(view);
      Value at = LLVM::GEPOp::create(b, loc, base.getType(), i32, base, ArrayRef<LLVM::GEPArg>{wide});
      LLVM::StoreOp::create(b, loc, bits, at, /*alignment=*/4, /*isVolatile=*/false, /*isNonTemporal=*/false,
                            /*isInvariantGroup=*/false, LLVM::AtomicOrdering::monotonic, "device");
    }
  }
  if (isExchanged)
    unsynchronized.insert(value);
}
