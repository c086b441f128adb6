//===- Groups.cpp - Elementwise work in fused loops -------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"
#include "rnn/Conversion/ExpandMath.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// The element of a constant whose elements are all equal, or null.
static Attribute splatConstant(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : nullptr;
  return splat ? splat.getSplatValue<Attribute>() : Attribute();
}

/// The operand of a timed op that is read at another frame.
static Value timedSource(Operation *op) { return op->getOperand(0); }

//===----------------------------------------------------------------------===//
// Forming groups
//===----------------------------------------------------------------------===//

void RegionEmitter::addToGroup(Operation *op) {
  Value result = op->getResult(0);
  Space space{rateOf(result), SmallVector<int64_t>(cast<RankedTensorType>(result.getType()).getShape())};
  // Operands in other groups must be in memory; so must what a timed op reads
  // at another frame, unless it is this loop's own sequence.
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    auto found = groupOf.find(operand.getDefiningOp());
    if (!operand.getDefiningOp() || found == groupOf.end())
      continue;
    bool isOtherFrame = isTimed(op) && i == 0;
    if (isOtherFrame || !(found->second->space == space))
      emitGroup(*found->second);
  }
  // A slice or spread of a group's value has been materialised by its view op.
  for (std::unique_ptr<Group> &group : openGroups)
    if (group->space == space) {
      group->ops.insert(op);
      groupOf[op] = group.get();
      return;
    }
  auto group = std::make_unique<Group>();
  group->space = space;
  group->ops.insert(op);
  groupOf[op] = group.get();
  openGroups.push_back(std::move(group));
}

void RegionEmitter::flushAll() {
  while (!openGroups.empty())
    emitGroup(*openGroups.front());
}

//===----------------------------------------------------------------------===//
// Emitting a group
//===----------------------------------------------------------------------===//

void RegionEmitter::emitGroup(Group &closed) {
  // The group is closed first: its values are memory from now on.
  std::unique_ptr<Group> group;
  for (auto it = openGroups.begin(); it != openGroups.end(); ++it)
    if (it->get() == &closed) {
      group = std::move(*it);
      openGroups.erase(it);
      break;
    }
  for (Operation *op : group->ops)
    groupOf.erase(op);

  // What others read is stored.
  llvm::SetVector<Value> stored;
  for (Operation *op : group->ops) {
    Value result = op->getResult(0);
    bool isRead = outliving.contains(result) || llvm::any_of(result.getUses(), [&](OpOperand &use) {
                    return !group->ops.contains(use.getOwner()) && !readInPlace.contains(&use);
                  });
    if (isRead) {
      allocateResult(result);
      stored.insert(result);
    }
  }
  if (stored.empty())
    return;

  // Memory that is read.
  llvm::MapVector<Value, View> leaves;
  llvm::SmallVector<unsigned> reads, writes;
  SmallVector<Type> elements;
  bool unitStrides = true, contiguous = true;
  auto addLeaf = [&](const View &view) {
    reads.push_back(view.buffer);
    elements.push_back(view.type.getElementType());
    if (!view.strides.empty() && view.strides.back() > 1 && view.type.getShape().back() > 1)
      unitStrides = false;
    if (!view.isContiguous() && !view.isSplat())
      contiguous = false;
  };
  for (Operation *op : group->ops) {
    elements.push_back(cast<RankedTensorType>(op->getResult(0).getType()).getElementType());
    for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
      if (!(isTimed(op) && i == 0) && group->ops.contains(operand.getDefiningOp()))
        continue;
      if (splatConstant(operand))
        continue;
      View view = materialize(operand);
      leaves.insert({operand, view});
      addLeaf(view);
    }
    if (isTimed(op)) {
      // State, ring and ages.
      contiguous &= materialize(timedSource(op)).isContiguous();
      if (e.ages)
        reads.append({e.ages.buffer, e.windowAges.buffer});
    }
  }
  for (Value value : stored) {
    const View &view = views[value];
    writes.push_back(view.buffer);
    contiguous &= view.isContiguous();
    if (!view.strides.empty() && view.strides.back() > 1 && view.type.getShape().back() > 1)
      unitStrides = false;
  }

  // Where all is row-major the shape is one dimension.
  Space space = group->space;
  auto flatten = [&](View view) {
    if (space.shape.size() == view.strides.size())
      return view;
    view.strides.assign(1, view.isSplat() ? 0 : 1);
    return view;
  };
  if (contiguous && space.shape.size() > 1) {
    int64_t count = 1;
    for (int64_t size : space.shape)
      count *= size;
    space.shape = {count};
  }
  const unsigned rowLanes = unitStrides ? lanesFor(elements, space.shape.empty() ? 1 : space.shape.back()) : 1;

  e.access(reads, writes);
  llvm::DenseMap<Operation *, TimedRead> timed;
  auto prepare = [&](const Point &row) {
    for (Operation *op : group->ops)
      if (isTimed(op))
        timed[op] = prepareRead(op, row);
  };
  forEachVector(space, rowLanes, prepare, [&](const Point &point, unsigned lanes, Value mask) {
    llvm::DenseMap<Value, Value> local;
    auto read = [&](Value operand) {
      if (Value value = local.lookup(operand))
        return value;
      if (Attribute element = splatConstant(operand))
        return e.splat(cast<TypedAttr>(element), lanes);
      return e.load(flatten(leaves[operand]), point, lanes, mask);
    };
    for (Operation *op : group->ops) {
      Value result;
      if (!isTimed(op)) {
        result = emitElement(op, llvm::map_to_vector(op->getOperands(), read), lanes);
      } else {
        const TimedRead &from = timed[op];
        Type element = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
        Value loaded;
        if (from.source) {
          View source = flatten(views[timedSource(op)]);
          loaded = loadRead(from, source.strides, element, point, lanes, mask);
        } else {
          loaded = read(timedSource(op));
        }
        result = loaded;
        if (from.valid) {
          auto delay = dyn_cast<DelayOp>(op);
          Value other = delay && delay.getInit() ? read(delay.getInit()) : e.splat(element, lanes, 0);
          result = arith::SelectOp::create(b, loc, from.valid, loaded, other);
        }
      }
      local[op->getResult(0)] = result;
    }
    for (Value value : stored)
      e.store(local[value], flatten(views[value]), point, lanes, mask);
  });
}

Value RegionEmitter::loadRead(const TimedRead &read, ArrayRef<int64_t> strides, Type element, const Point &point,
                              unsigned lanes, Value mask) {
  Value at = read.rowOffset;
  for (auto [coordinate, stride] : llvm::zip(point.element, strides))
    at = index.addScaled(at, coordinate, stride);
  return e.loadAt(read.base, at, element, strides.empty() ? 0 : strides.back(), lanes, mask);
}

/// Where a delay, save or seed reads at a frame and stream, by rules T2, T5, A3.
RegionEmitter::TimedRead RegionEmitter::prepareRead(Operation *op, const Point &row) {
  TimedRead read;
  Value t = row.frame;
  if (isa<SeedOp>(op)) {
    if (inWindow && e.history)
      read.valid = e.compare(arith::CmpIPredicate::sge, t, index.constant(e.history));
    return read;
  }

  // `at` is the frame to read, counted in the source's sequence; `valid` keeps
  // it from being used where it is none.
  const View source = materialize(timedSource(op));
  const Rate sourceRate = rateOf(timedSource(op));
  Value at, end;
  std::string stateName;
  if (auto delay = dyn_cast<DelayOp>(op)) {
    int64_t by = delay.getBy();
    at = index.sub(t, index.constant(by));
    end = domainFrames();
    Value inside = e.compare(arith::CmpIPredicate::ult, at, end);
    Value later = by > 0 ? t : arith::SelectOp::create(b, loc, inside, at, t);
    Value age = e.loadAge(later, row.stream, inWindow);
    read.valid = e.compare(arith::CmpIPredicate::sge, age, e.splat(b.getI64Type(), 1, std::abs(by)));
    if (delay.isCarried() && delay.getState())
      stateName = "state." + delay.getState()->str();
    if (!delay.isCarried())
      read.valid = arith::AndIOp::create(b, loc, read.valid, inside);
  } else {
    at = index.sub(t, index.constant(e.history));
    end = e.frames;
    if (e.history)
      stateName = "ring." + cast<SaveOp>(op).getRing().str();
  }

  // A value of lower rate is the same at all frames.
  Value zero = index.constant(0);
  Value inSequence = sourceRate == Rate::Frame ? Value(e.compare(arith::CmpIPredicate::ult, at, end)) : Value();
  Value clamped = inSequence ? Value(arith::SelectOp::create(b, loc, inSequence, at, zero)) : zero;
  View rowView = source;
  rowView.strides.clear();
  read.source = source;
  read.base = e.base(source);
  read.isNew = inSequence;
  read.rowOffset = e.address(rowView, {clamped, row.stream, {}});
  View old = stateName.empty() || !inSequence ? View() : stateOf(stateName);
  if (!old)
    return read;

  // Frame -1 is the last row of the history.
  int64_t depth = old.type.getDimSize(0);
  Value inHistory = index.add(at, index.constant(depth));
  Value known = e.compare(arith::CmpIPredicate::ult, inHistory, index.constant(depth));
  inHistory = arith::SelectOp::create(b, loc, known, inHistory, zero);
  int64_t signal = source.type.getNumElements();
  Value oldOffset = index.addScaled({}, inHistory, signal * e.streams);
  oldOffset = index.addScaled(oldOffset, row.stream, signal);
  read.old = old;
  read.isOld = e.compare(arith::CmpIPredicate::slt, at, zero);
  read.base = arith::SelectOp::create(b, loc, read.isOld, e.base(old), read.base);
  read.rowOffset = arith::SelectOp::create(b, loc, read.isOld, oldOffset, read.rowOffset);
  return read;
}

/// One op on vectors.
Value RegionEmitter::emitElement(Operation *op, ValueRange operands, unsigned lanes) {
  if (auto sum = dyn_cast<SumOp>(op)) {
    Value result = operands.front();
    for (Value term : operands.drop_front())
      result = combine(ReduceKind::Sum, result, term);
    return result;
  }
  if (isa<SigmoidOp>(op))
    return buildSigmoid(b, loc, operands.front());
  if (isa<SoftplusOp>(op))
    return buildSoftplus(b, loc, operands.front());
  OperationState state(loc, op->getName());
  state.addOperands(operands);
  Type element = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
  state.addTypes(e.lanesType(element, lanes));
  state.addAttributes(op->getAttrs());
  Operation *clone = b.create(state);
  if (Value expanded = expandMathOp(b, clone)) {
    clone->erase();
    return expanded;
  }
  return clone->getResult(0);
}
