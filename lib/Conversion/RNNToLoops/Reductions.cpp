//===- Reductions.cpp - Sums within and over frames, tables -----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every sum has one order: threads divide the results, never a sum, unless the
// target has an order of its own for it.
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

Value RegionEmitter::combine(ReduceKind kind, Value x, Value y) {
  if (kind == ReduceKind::Sum)
    return e.add(x, y);
  bool isFloat = isa<FloatType>(getElementTypeOrSelf(x.getType()));
  return isFloat ? Value(arith::MaximumFOp::create(b, loc, x, y)) : Value(arith::MaxSIOp::create(b, loc, x, y));
}

TypedAttr RegionEmitter::neutralOf(ReduceOp op) {
  Type element = getElementTypeOrSelf(op.getType());
  if (op.getKind() != ReduceKind::Max)
    return b.getZeroAttr(element);
  if (auto floatType = dyn_cast<FloatType>(element))
    return b.getFloatAttr(element, APFloat::getInf(floatType.getFloatSemantics(), /*Negative=*/true));
  return b.getIntegerAttr(element, APInt::getSignedMinValue(element.getIntOrFloatBitWidth()));
}

Value RegionEmitter::whereFrameExists(Value frameIndex, Value stream, Value value, Value otherwise) {
  if (!inWindow || !e.history)
    return value;
  Value age = e.loadAge(frameIndex, stream, /*inWindow=*/true);
  Value exists = e.compare(arith::CmpIPredicate::sge, age, e.splat(b.getI64Type(), 1, 0));
  return arith::SelectOp::create(b, loc, exists, value, otherwise);
}

SmallVector<Value> RegionEmitter::forEachFrame(bool overStreams, Value fixedStream, ValueRange initial,
                                               function_ref<SmallVector<Value>(Value, Value, ValueRange)> emit) {
  // A loop that carries nothing has its yield already.
  auto yield = [&](ValueRange values) {
    if (!initial.empty())
      scf::YieldOp::create(b, loc, values);
  };
  Value zero = index.constant(0), one = index.constant(1);
  auto outer = scf::ForOp::create(b, loc, zero, domainFrames(), one, initial);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(outer.getBody());
  Value t = outer.getInductionVar();
  if (!overStreams) {
    yield(emit(t, fixedStream, outer.getRegionIterArgs()));
    return outer.getResults();
  }
  auto inner = scf::ForOp::create(b, loc, zero, index.constant(e.streams), one, outer.getRegionIterArgs());
  {
    OpBuilder::InsertionGuard innerGuard(b);
    b.setInsertionPointToStart(inner.getBody());
    yield(emit(t, inner.getInductionVar(), inner.getRegionIterArgs()));
  }
  yield(inner.getResults());
  return outer.getResults();
}

//===----------------------------------------------------------------------===//
// Within a frame
//===----------------------------------------------------------------------===//

LogicalResult RegionEmitter::emitReduce(ReduceOp op) {
  View source = materialize(op.getSource());
  View target = allocateResult(op.getResult());
  auto type = cast<RankedTensorType>(op.getSource().getType());
  Type element = type.getElementType();
  ReduceKind kind = op.getKind();
  llvm::SmallBitVector reduced(type.getRank());
  for (int64_t dim : op.getDims())
    reduced.set(dim);

  const TypedAttr neutral = neutralOf(op);
  Space space{rateOf(op.getResult()), SmallVector<int64_t>(cast<RankedTensorType>(op.getType()).getShape())};
  // The place of a result in the source, with the reduced coordinates left out.
  auto placeOf = [&](const Point &result) {
    Point at = result;
    at.element.assign(type.getRank(), Value());
    unsigned kept = 0;
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (!reduced.test(i))
        at.element[i] = result.element[kept++];
    return at;
  };
  Reduction reduction{space, neutral, 1};
  for (int64_t dim : reduced.set_bits())
    reduction.count *= type.getDimSize(dim);
  reduction.frame = frame;
  reduction.isAlong = type.getRank() && reduced.test(type.getRank() - 1) && source.strides.back() <= 1;
  reduction.reads = {source.buffer};
  reduction.target = target;
  reduction.load = [&](const Point &result, Value i) {
    Point at = placeOf(result);
    for (int64_t dim = type.getRank(); dim-- > 0;)
      if (reduced.test(dim)) {
        at.element[dim] = index.rem(i, index.constant(type.getDimSize(dim)));
        i = index.div(i, index.constant(type.getDimSize(dim)));
      }
    return e.loadElement(source, at);
  };
  reduction.combine = [&](Value x, Value y) { return combine(kind, x, y); };
  if (e.emitReduction(reduction))
    return success();

  e.access({source.buffer}, {target.buffer});
  // Along the last dimension whole vectors are combined, then their lanes.
  const int64_t inner = type.getRank() ? type.getShape().back() : 1;
  bool alongLast = type.getRank() && reduced.test(type.getRank() - 1) && (source.strides.back() == 1 || inner == 1);
  bool besideLast = type.getRank() && !reduced.test(type.getRank() - 1) && (source.strides.back() <= 1);
  const unsigned vectorLanes = alongLast ? lanesFor(element, inner) : 1;

  unsigned rowLanes = besideLast ? lanesFor(element, space.shape.back()) : 1;
  forEachVector(
      space, rowLanes, [](const Point &) {},
      [&](const Point &point, unsigned lanes, Value mask) {
        Point at = placeOf(point);
        std::function<Value(int64_t, Value)> nest = [&](int64_t dim, Value sum) -> Value {
          while (dim < type.getRank() && !reduced.test(dim))
            ++dim;
          if (dim == type.getRank())
            return combine(kind, sum, e.load(source, at, lanes, mask));
          Value zero = index.constant(0);
          const int64_t size = type.getDimSize(dim);
          if (dim + 1 == type.getRank() && vectorLanes > 1) {
            // Vectors of this dimension; a masked lane is neutral.
            const int64_t fullEnd = size / vectorLanes * vectorLanes;
            Value start = e.splat(neutral, vectorLanes);
            auto loop = scf::ForOp::create(b, loc, zero, index.constant(fullEnd), index.constant(vectorLanes), start);
            {
              OpBuilder::InsertionGuard guard(b);
              b.setInsertionPointToStart(loop.getBody());
              at.element[dim] = loop.getInductionVar();
              Value value = e.load(source, at, vectorLanes, {});
              scf::YieldOp::create(b, loc, combine(kind, loop.getRegionIterArg(0), value));
            }
            Value vectorSum = loop.getResult(0);
            if (fullEnd != size) {
              SmallVector<bool> bits(vectorLanes, false);
              std::fill_n(bits.begin(), size - fullEnd, true);
              Value tail = arith::ConstantOp::create(
                  b, loc, DenseElementsAttr::get(VectorType::get(vectorLanes, b.getI1Type()), bits));
              at.element[dim] = index.constant(fullEnd);
              Value value = e.load(source, at, vectorLanes, tail);
              value = arith::SelectOp::create(b, loc, tail, value, start);
              vectorSum = combine(kind, vectorSum, value);
            }
            auto how = kind == ReduceKind::Sum   ? vector::CombiningKind::ADD
                       : isa<FloatType>(element) ? vector::CombiningKind::MAXIMUMF
                                                 : vector::CombiningKind::MAXSI;
            Value scalar = vector::ReductionOp::create(b, loc, how, vectorSum);
            return combine(kind, sum, scalar);
          }
          auto loop = scf::ForOp::create(b, loc, zero, index.constant(size), index.constant(1), sum);
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(loop.getBody());
          at.element[dim] = loop.getInductionVar();
          scf::YieldOp::create(b, loc, nest(dim + 1, loop.getRegionIterArg(0)));
          return loop.getResult(0);
        };
        e.store(nest(0, e.splat(neutral, lanes)), target, point, lanes, mask);
      });
  return success();
}

//===----------------------------------------------------------------------===//
// Over frames
//===----------------------------------------------------------------------===//

LogicalResult RegionEmitter::emitSumFrames(SumFramesOp op) {
  View source = materialize(op.getSource());
  View target = allocateResult(op.getResult());
  auto type = cast<RankedTensorType>(op.getType());
  Rate rate = rateOf(op.getResult());
  if (!inLoop()) {
    Reduction reduction{{rate, SmallVector<int64_t>(type.getShape())}, b.getZeroAttr(type.getElementType()), 1};
    if (rate == Rate::Static)
      reduction.count = e.streams;
    reduction.overFrames = true;
    reduction.inWindow = inWindow;
    reduction.reads = {source.buffer, e.windowAges.buffer};
    reduction.target = target;
    reduction.load = [&](const Point &result, Value i) {
      Value streams = index.constant(e.streams);
      Value t = rate == Rate::Static ? index.div(i, streams) : i;
      Value stream = rate == Rate::Static ? index.rem(i, streams) : result.stream;
      Value value = e.loadElement(source, {t, stream, result.element});
      return whereFrameExists(t, stream, value, e.splat(type.getElementType(), 1, 0));
    };
    reduction.combine = [&](Value x, Value y) { return combine(ReduceKind::Sum, x, y); };
    if (e.emitReduction(reduction))
      return success();
  }
  e.access({source.buffer, e.windowAges.buffer}, {target.buffer});
  bool isUnit = source.strides.empty() || source.strides.back() <= 1;
  unsigned lanes = isUnit ? lanesFor(type.getElementType(), type.getRank() ? type.getShape().back() : 1) : 1;
  forEachVector(
      {rate, SmallVector<int64_t>(type.getShape())}, lanes, [](const Point &) {},
      [&](const Point &point, unsigned lanes, Value mask) {
        Value zero = e.splat(type.getElementType(), lanes, 0);
        SmallVector<Value> sum = forEachFrame(rate == Rate::Static, point.stream, zero,
                                              [&](Value t, Value stream, ValueRange carried) -> SmallVector<Value> {
                                                Value value = e.load(source, {t, stream, point.element}, lanes, mask);
                                                Value sum = combine(ReduceKind::Sum, carried.front(), value);
                                                return {whereFrameExists(t, stream, sum, carried.front())};
                                              });
        e.store(sum.front(), target, point, lanes, mask);
      });
  return success();
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

LogicalResult RegionEmitter::emitGather(GatherOp op) {
  View table = materialize(op.getTable());
  View indices = materialize(op.getIndex());
  View target = allocateResult(op.getResult());
  e.access({table.buffer, indices.buffer}, {target.buffer});
  auto type = cast<RankedTensorType>(op.getType());
  const unsigned indexRank = indices.type.getRank();
  const bool hasRow = table.type.getRank() > 1;
  bool isUnit = hasRow && table.strides.back() <= 1;
  unsigned rowLanes = isUnit ? lanesFor(type.getElementType(), type.getShape().back()) : 1;

  Value row, inside;
  Space space{rateOf(op.getResult()), SmallVector<int64_t>(type.getShape())};
  auto find = [&](const Point &point) {
    Point at = point;
    at.element.resize(indexRank);
    Value wanted = e.loadElement(indices, at);
    wanted = arith::IndexCastOp::create(b, loc, b.getIndexType(), wanted);
    // Unsigned: one comparison rejects negative indices too.
    inside = e.compare(arith::CmpIPredicate::ult, wanted, index.constant(table.type.getDimSize(0)));
    row = arith::SelectOp::create(b, loc, inside, wanted, index.constant(0));
    auto missed = scf::IfOp::create(b, loc, inside, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(missed.elseBlock());
    e.store(e.splat(b.getI32Type(), 1, 2), e.flags, {}, 1, {});
  };
  // Where the elements of one index are a row, the index is read once a row.
  forEachVector(
      space, rowLanes,
      [&](const Point &point) {
        if (hasRow)
          find(point);
      },
      [&](const Point &point, unsigned lanes, Value mask) {
        if (!hasRow)
          find(point);
        Point from = point;
        from.element.assign(1, row);
        from.element.append(point.element.begin() + indexRank, point.element.end());
        Value value = e.load(table, from, lanes, mask);
        Value zero = e.splat(type.getElementType(), lanes, 0);
        value = arith::SelectOp::create(b, loc, inside, value, zero);
        e.store(value, target, point, lanes, mask);
      });
  return success();
}

LogicalResult RegionEmitter::emitScatterAdd(ScatterAddOp op) {
  View update = materialize(op.getUpdate());
  View indices = materialize(op.getIndex());
  View target = allocateResult(op.getResult());
  e.access({update.buffer, indices.buffer, e.windowAges.buffer}, {target.buffer});
  auto type = cast<RankedTensorType>(op.getType());
  Type element = type.getElementType();
  const Rate rate = rateOf(op.getResult());
  const bool overFrames = op.getSumTo().has_value();
  ArrayRef<int64_t> rowShape = type.getShape().drop_front();
  ArrayRef<int64_t> indexShape = indices.type.getShape();
  auto isUnit = [](const View &view) { return view.strides.back() <= 1; };
  unsigned rowLanes = !rowShape.empty() && isUnit(update) ? lanesFor(element, rowShape.back()) : 1;

  // A thread owns some columns of the table and looks at all indices.
  forEachVector(
      {rate, SmallVector<int64_t>(rowShape)}, rowLanes, [](const Point &) {},
      [&](const Point &column, unsigned lanes, Value mask) {
        auto cell = [&](Value row) {
          Point at = column;
          at.element.insert(at.element.begin(), row);
          return at;
        };
        Value zero = index.constant(0), one = index.constant(1);
        {
          auto clear = scf::ForOp::create(b, loc, zero, index.constant(type.getDimSize(0)), one);
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(clear.getBody());
          e.store(e.splat(element, lanes, 0), target, cell(clear.getInductionVar()), lanes, mask);
        }
        auto addAll = [&](Value t, Value stream) {
          OpBuilder::InsertionGuard guard(b);
          Point at{t, stream, {}};
          for (int64_t size : indexShape) {
            auto loop = scf::ForOp::create(b, loc, zero, index.constant(size), one);
            b.setInsertionPointToStart(loop.getBody());
            at.element.push_back(loop.getInductionVar());
          }
          Value wanted = e.loadElement(indices, at);
          wanted = arith::IndexCastOp::create(b, loc, b.getIndexType(), wanted);
          Value counts = e.compare(arith::CmpIPredicate::ult, wanted, index.constant(type.getDimSize(0)));
          if (overFrames)
            counts = whereFrameExists(t, stream, counts, e.splat(b.getI1Type(), 1, 0));
          auto branch = scf::IfOp::create(b, loc, counts, /*withElseRegion=*/false);
          b.setInsertionPointToStart(branch.thenBlock());
          Point from = at;
          llvm::append_range(from.element, column.element);
          Value old = e.load(target, cell(wanted), lanes, mask);
          Value sum = combine(ReduceKind::Sum, old, e.load(update, from, lanes, mask));
          e.store(sum, target, cell(wanted), lanes, mask);
        };
        if (!overFrames)
          return addAll(column.frame, column.stream);
        forEachFrame(rate == Rate::Static, column.stream, {},
                     [&](Value t, Value stream, ValueRange) -> SmallVector<Value> {
                       addAll(t, stream);
                       return {};
                     });
      });
  return success();
}
