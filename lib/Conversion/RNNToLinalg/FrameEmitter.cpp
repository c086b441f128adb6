//===- FrameEmitter.cpp - Level-1 ops as tensor code ----------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "FrameEmitter.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"
#include "rnn/Conversion/BuildRandom.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::linalg_exit;

//===----------------------------------------------------------------------===//
// Small pieces
//===----------------------------------------------------------------------===//

static RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

RankedTensorType FrameEmitter::batchedType(Type signal, unsigned leads) {
  auto type = cast<RankedTensorType>(signal);
  SmallVector<int64_t> shape;
  if (leads == 2)
    shape.push_back(ShapedType::kDynamic);
  if (leads >= 1)
    shape.push_back(context.streams);
  llvm::append_range(shape, type.getShape());
  return RankedTensorType::get(shape, type.getElementType());
}

SmallVector<OpFoldResult> FrameEmitter::batchedSizes(ArrayRef<int64_t> signal, unsigned leads) {
  SmallVector<OpFoldResult> sizes;
  if (leads == 2)
    sizes.push_back(context.frames);
  if (leads >= 1)
    sizes.push_back(context.streamCount);
  llvm::append_range(sizes, getAsIndexOpFoldResult(b.getContext(), signal));
  return sizes;
}

Value FrameEmitter::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value FrameEmitter::scalar(Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

Value FrameEmitter::empty(Type signal, unsigned leads) {
  auto type = cast<RankedTensorType>(signal);
  return tensor::EmptyOp::create(b, loc, batchedSizes(type.getShape(), leads), type.getElementType());
}

Value FrameEmitter::filled(Type signal, unsigned leads, double value) {
  Value fill = scalar(cast<RankedTensorType>(signal).getElementType(), value);
  return linalg::FillOp::create(b, loc, fill, empty(signal, leads)).getResult(0);
}

SmallVector<Value> FrameEmitter::coordinates(OpBuilder &nested, unsigned rank) {
  return llvm::map_to_vector(llvm::seq<unsigned>(0, rank),
                             [&](unsigned i) -> Value { return linalg::IndexOp::create(nested, loc, i); });
}

Value FrameEmitter::generic(ArrayRef<Value> inputs, Value init, ArrayRef<AffineMap> maps, unsigned dims, BodyFn body) {
  SmallVector<utils::IteratorType> iterators(dims, utils::IteratorType::reduction);
  for (AffineExpr expr : maps.back().getResults())
    iterators[cast<AffineDimExpr>(expr).getPosition()] = utils::IteratorType::parallel;
  auto op = linalg::GenericOp::create(b, loc, init.getType(), inputs, init, maps, iterators,
                                      [&](OpBuilder &nested, Location nestedLoc, ValueRange arguments) {
                                        Value result = body(nested, nestedLoc, arguments);
                                        linalg::YieldOp::create(nested, nestedLoc, result);
                                      });
  return op.getResult(0);
}

AffineMap FrameEmitter::leadMap(AffineMap map, unsigned leads, unsigned has, unsigned totalLeads) {
  SmallVector<AffineExpr> results;
  for (unsigned i = totalLeads - has; i < totalLeads; ++i)
    results.push_back(b.getAffineDimExpr(i));
  AffineMap shifted = map.shiftDims(totalLeads);
  llvm::append_range(results, shifted.getResults());
  return AffineMap::get(map.getNumDims() + totalLeads, 0, results, b.getContext());
}

unsigned FrameEmitter::maxLeads(ValueRange operands) const {
  unsigned leads = 0;
  for (Value operand : operands)
    leads = std::max(leads, values.lookup(operand).leads);
  return leads;
}

Value FrameEmitter::spread(Batched value, unsigned leads) {
  if (value.leads == leads)
    return value.value;
  RankedTensorType type = tensorType(value.value);
  auto signal = RankedTensorType::get(type.getShape().drop_front(value.leads), type.getElementType());
  SmallVector<int64_t> added = llvm::to_vector(llvm::seq<int64_t>(0, leads - value.leads));
  return linalg::BroadcastOp::create(b, loc, value.value, empty(signal, leads), added).getResult()[0];
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

LogicalResult linalg_exit::unsupported(Operation *op) {
  InFlightDiagnostic diag = op->emitError() << "'" << op->getName() << "' op is not supported on target 'linalg'";
  diag.attachNote() << "supported on: cpu, interpreter";
  return diag;
}

LogicalResult FrameEmitter::emit(Operation *op, llvm::function_ref<Source(Operation *)> source) {
  if (op->getNumResults() != 1)
    return unsupported(op);
  Batched result = llvm::TypeSwitch<Operation *, Batched>(op)
                       .Case([&](SumOp sum) { return emitSum(sum); })
                       .Case([&](ContractOp contract) { return emitContract(contract); })
                       .Case([&](ReduceOp reduce) { return emitReduce(reduce); })
                       .Case([&](BroadcastOp broadcast) { return emitBroadcast(broadcast); })
                       .Case([&](GatherOp gather) { return emitGather(gather); })
                       .Case([&](ScatterAddOp scatter) { return emitScatterAdd(scatter); })
                       .Case([&](SumFramesOp sum) { return emitSumFrames(sum); })
                       .Case([&](DelayOp delay) { return emitDelay(delay, source(delay)); })
                       .Case([&](SaveOp save) { return emitSave(save, source(save)); })
                       .Case([&](SeedOp seed) { return emitSeed(seed); })
                       .Case([&](RandomOp random) { return emitRandom(random); })
                       .Case([&](StopGradientOp stop) { return lookup(stop.getSource()); })
                       .Case([&](SigmoidOp op) {
                         Batched x = lookup(op.getSource());
                         return Batched{emitSigmoid(x.value), x.leads};
                       })
                       .Case([&](SoftplusOp op) {
                         Batched x = lookup(op.getSource());
                         return Batched{emitSoftplus(x.value), x.leads};
                       })
                       .Case<tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::ConcatOp, tensor::ExpandShapeOp,
                             tensor::CollapseShapeOp>([&](Operation *op) { return emitReshape(op); })
                       .Default([&](Operation *op) { return emitElementwise(op); });
  if (!result.value)
    return unsupported(op);
  values[op->getResult(0)] = result;
  return success();
}

Batched FrameEmitter::emitElementwise(Operation *op) {
  if (isa<arith::ConstantOp>(op))
    return {b.clone(*op)->getResult(0), 0};
  unsigned leads = maxLeads(op->getOperands());
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(spread(lookup(operand), leads));
  OperationState state(loc, op->getName());
  state.addOperands(operands);
  state.addTypes(batchedType(op->getResult(0).getType(), leads));
  state.addAttributes(op->getAttrs());
  return {b.create(state)->getResult(0), leads};
}

Value FrameEmitter::emitSigmoid(Value x) {
  auto identity = AffineMap::getMultiDimIdentityMap(tensorType(x).getRank(), b.getContext());
  return generic({x}, x, {identity, identity}, tensorType(x).getRank(),
                 [](OpBuilder &nested, Location loc, ValueRange args) -> Value {
                   Type type = args[0].getType();
                   Value one = arith::ConstantOp::create(nested, loc, nested.getFloatAttr(type, 1.0));
                   Value exp = math::ExpOp::create(nested, loc, arith::NegFOp::create(nested, loc, args[0]));
                   return arith::DivFOp::create(nested, loc, one, arith::AddFOp::create(nested, loc, one, exp));
                 });
}

/// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)).
Value FrameEmitter::emitSoftplus(Value x) {
  auto identity = AffineMap::getMultiDimIdentityMap(tensorType(x).getRank(), b.getContext());
  return generic({x}, x, {identity, identity}, tensorType(x).getRank(),
                 [](OpBuilder &nested, Location loc, ValueRange args) -> Value {
                   Value zero = arith::ConstantOp::create(nested, loc, nested.getFloatAttr(args[0].getType(), 0.0));
                   Value down = arith::NegFOp::create(nested, loc, math::AbsFOp::create(nested, loc, args[0]));
                   Value tail = math::Log1pOp::create(nested, loc, math::ExpOp::create(nested, loc, down));
                   return arith::AddFOp::create(nested, loc, arith::MaximumFOp::create(nested, loc, args[0], zero),
                                                tail);
                 });
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

Batched FrameEmitter::emitReshape(Operation *op) {
  unsigned leads = maxLeads(op->getOperands());
  auto at = [&](Value value) { return spread(lookup(value), leads); };
  Type type = batchedType(op->getResult(0).getType(), leads);

  // Offsets and strides of a slice that has the whole of the leading dimensions.
  auto behindLeads = [&](ArrayRef<int64_t> values, int64_t lead) {
    SmallVector<OpFoldResult> all(leads, b.getIndexAttr(lead));
    llvm::append_range(all, getAsIndexOpFoldResult(b.getContext(), values));
    return all;
  };
  auto shiftGroups = [&](ArrayAttr groups) {
    SmallVector<ReassociationIndices> shifted;
    for (unsigned i = 0; i < leads; ++i)
      shifted.push_back({static_cast<int64_t>(i)});
    for (Attribute group : groups) {
      ReassociationIndices &indices = shifted.emplace_back();
      for (Attribute index : cast<ArrayAttr>(group))
        indices.push_back(cast<IntegerAttr>(index).getInt() + leads);
    }
    return shifted;
  };

  Value result =
      llvm::TypeSwitch<Operation *, Value>(op)
          .Case([&](tensor::ExtractSliceOp op) -> Value {
            // A slice may drop unit dimensions; the batched type drops the same ones.
            return tensor::ExtractSliceOp::create(
                b, loc, cast<RankedTensorType>(type), at(op.getSource()), behindLeads(op.getStaticOffsets(), 0),
                batchedSizes(op.getStaticSizes(), leads), behindLeads(op.getStaticStrides(), 1));
          })
          .Case([&](tensor::InsertSliceOp op) -> Value {
            return tensor::InsertSliceOp::create(
                b, loc, at(op.getSource()), at(op.getDest()), behindLeads(op.getStaticOffsets(), 0),
                batchedSizes(op.getStaticSizes(), leads), behindLeads(op.getStaticStrides(), 1));
          })
          .Case([&](tensor::ConcatOp op) -> Value {
            return tensor::ConcatOp::create(b, loc, type, op.getDim() + leads, llvm::map_to_vector(op.getInputs(), at));
          })
          .Case([&](tensor::ExpandShapeOp op) -> Value {
            return tensor::ExpandShapeOp::create(b, loc, type, at(op.getSrc()), shiftGroups(op.getReassociation()),
                                                 batchedSizes(cast<RankedTensorType>(op.getType()).getShape(), leads));
          })
          .Case([&](tensor::CollapseShapeOp op) -> Value {
            return tensor::CollapseShapeOp::create(b, loc, type, at(op.getSrc()), shiftGroups(op.getReassociation()));
          })
          .Default([](Operation *) { return Value(); });
  return {result, leads};
}

//===----------------------------------------------------------------------===//
// Sums and products
//===----------------------------------------------------------------------===//

/// x + y and x · y on elements of any type.
static Value add(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(getElementTypeOrSelf(x)))
    return arith::AddFOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}
static Value multiply(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::MulFOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

Batched FrameEmitter::emitSum(SumOp op) {
  unsigned leads = maxLeads(op.getTerms());
  Value sum = spread(lookup(op.getTerms().front()), leads);
  for (Value term : op.getTerms().drop_front())
    sum = add(b, loc, sum, spread(lookup(term), leads));
  return {sum, leads};
}

/// The leads of a sum over frames.
static unsigned summedLeads(std::optional<Rate> to) { return to == Rate::Stream ? 1 : 0; }

/// `value` where the frame exists, else 0 (rule A6). `age` is an i64.
static Value selectPresent(OpBuilder &b, Location loc, Value age, Value value) {
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(value.getType()));
  Value first = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
  Value present = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, age, first);
  return arith::SelectOp::create(b, loc, present, value, zero);
}

/// An element as the product takes it.
static Value roundOperand(OpBuilder &b, Location loc, ContractOp op, Value value) {
  if (!op.getRoundTo())
    return value;
  Value rounded = arith::TruncFOp::create(b, loc, *op.getRoundTo(), value);
  return arith::ExtFOp::create(b, loc, value.getType(), rounded);
}

Batched FrameEmitter::emitContract(ContractOp op) {
  Batched lhs = lookup(op.getLhs()), rhs = lookup(op.getRhs());
  unsigned leads = std::max(lhs.leads, rhs.leads), resultLeads = leads;
  if (op.getSumTo()) {
    // What is summed over frames is first spread to them (R3).
    leads = 2;
    resultLeads = summedLeads(op.getSumTo());
    if (lhs.leads < 2 && rhs.leads < 2)
      lhs = {spread(lhs, 2), 2};
  }
  unsigned dims = op.getMap(0).getNumDims() + leads;
  SmallVector<Value> inputs{lhs.value, rhs.value};
  SmallVector<AffineMap> maps{leadMap(op.getMap(0), leads, lhs.leads, leads),
                              leadMap(op.getMap(1), leads, rhs.leads, leads)};
  bool masked = op.getSumTo() && context.inWindow;
  if (masked) {
    inputs.push_back(context.ages);
    maps.push_back(AffineMap::get(dims, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(1)}, b.getContext()));
  }
  maps.push_back(leadMap(op.getMap(2), leads, resultLeads, leads));
  Value result = generic(
      inputs, filled(op.getType(), resultLeads, 0), maps, dims, [&](OpBuilder &nested, Location loc, ValueRange args) {
        Value product =
            multiply(nested, loc, roundOperand(nested, loc, op, args[0]), roundOperand(nested, loc, op, args[1]));
        if (masked)
          product = selectPresent(nested, loc, args[2], product);
        return add(nested, loc, args.back(), product);
      });
  return {result, resultLeads};
}

Batched FrameEmitter::emitReduce(ReduceOp op) {
  Batched source = lookup(op.getSource());
  unsigned rank = tensorType(op.getSource()).getRank(), dims = rank + source.leads;
  llvm::SmallBitVector dropped(rank);
  for (int64_t dim : op.getDims())
    dropped.set(dim);
  SmallVector<AffineExpr> kept;
  for (unsigned i = 0; i < dims; ++i)
    if (i < source.leads || !dropped.test(i - source.leads))
      kept.push_back(b.getAffineDimExpr(i));
  bool isMax = op.getKind() == ReduceKind::Max;
  bool isFloat = isa<FloatType>(tensorType(op.getResult()).getElementType());
  double lowest = isFloat ? -std::numeric_limits<double>::infinity()
                          : -std::ldexp(1.0, tensorType(op.getResult()).getElementTypeBitWidth() - 1);
  Value result =
      generic({source.value}, filled(op.getType(), source.leads, isMax ? lowest : 0),
              {AffineMap::getMultiDimIdentityMap(dims, b.getContext()), AffineMap::get(dims, 0, kept, b.getContext())},
              dims, [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
                if (!isMax)
                  return add(nested, loc, args[1], args[0]);
                if (isFloat)
                  return arith::MaximumFOp::create(nested, loc, args[1], args[0]);
                return arith::MaxSIOp::create(nested, loc, args[1], args[0]);
              });
  return {result, source.leads};
}

Batched FrameEmitter::emitBroadcast(BroadcastOp op) {
  Batched source = lookup(op.getSource());
  SmallVector<int64_t> added;
  for (int64_t dim : op.getDims())
    added.push_back(dim + source.leads);
  Value result =
      linalg::BroadcastOp::create(b, loc, source.value, empty(op.getType(), source.leads), added).getResult()[0];
  return {result, source.leads};
}

Batched FrameEmitter::emitSumFrames(SumFramesOp op) {
  Value source = spread(lookup(op.getSource()), 2);
  unsigned rank = tensorType(source).getRank(), leads = summedLeads(op.getSumTo());
  SmallVector<AffineExpr> kept;
  for (unsigned i = 2 - leads; i < rank; ++i)
    kept.push_back(b.getAffineDimExpr(i));
  AffineMap agesMap = AffineMap::get(rank, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(1)}, b.getContext());
  Value result = generic(
      {source, context.ages}, filled(op.getType(), leads, 0),
      {AffineMap::getMultiDimIdentityMap(rank, b.getContext()), agesMap, AffineMap::get(rank, 0, kept, b.getContext())},
      rank, [&](OpBuilder &nested, Location loc, ValueRange args) {
        return add(nested, loc, args[2], selectPresent(nested, loc, args[1], args[0]));
      });
  return {result, leads};
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// Clamps `at` into [0, size) and tells whether it was inside.
static std::pair<Value, Value> clampIndex(OpBuilder &b, Location loc, Value at, Value size) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  // Unsigned, so that one comparison rejects negative indices too.
  Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, size);
  Value last = arith::SubIOp::create(b, loc, size, one);
  Value clamped = arith::MinSIOp::create(b, loc, arith::MaxSIOp::create(b, loc, at, zero), last);
  return {clamped, inside};
}

Batched FrameEmitter::emitGather(GatherOp op) {
  Batched table = lookup(op.getTable()), at = lookup(op.getIndex());
  unsigned leads = std::max(table.leads, at.leads);
  unsigned indexRank = tensorType(op.getIndex()).getRank(), rank = tensorType(op.getResult()).getRank() + leads;
  Value size = index(tensorType(op.getTable()).getDimSize(0));
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank - leads, b.getContext());
  AffineMap indexMap =
      leadMap(AffineMap::get(rank - leads, 0, identity.getResults().take_front(indexRank), b.getContext()), leads,
              at.leads, leads);
  Value result = generic({at.value}, empty(op.getType(), leads),
                         {indexMap, AffineMap::getMultiDimIdentityMap(rank, b.getContext())}, rank,
                         [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
                           Value wanted = arith::IndexCastOp::create(nested, loc, nested.getIndexType(), args[0]);
                           auto [row, inside] = clampIndex(nested, loc, wanted, size);
                           SmallVector<Value> point = coordinates(nested, rank);
                           SmallVector<Value> from(point.begin() + (leads - table.leads), point.begin() + leads);
                           from.push_back(row);
                           llvm::append_range(from, ArrayRef<Value>(point).drop_front(leads + indexRank));
                           Value element = tensor::ExtractOp::create(nested, loc, table.value, from);
                           Value zero = arith::ConstantOp::create(nested, loc, nested.getZeroAttr(element.getType()));
                           return arith::SelectOp::create(nested, loc, inside, element, zero);
                         });

  // One bit for all: did any index miss?
  unsigned indexDims = tensorType(at.value).getRank();
  auto bit = RankedTensorType::get({}, b.getI1Type());
  Value missed = generic(
      {at.value}, filled(bit, 0, 0),
      {AffineMap::getMultiDimIdentityMap(indexDims, b.getContext()), AffineMap::get(indexDims, 0, b.getContext())},
      indexDims, [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
        Value wanted = arith::IndexCastOp::create(nested, loc, nested.getIndexType(), args[0]);
        Value outside = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::uge, wanted, size);
        return arith::OrIOp::create(nested, loc, args[1], outside);
      });
  outOfRange.push_back(tensor::ExtractOp::create(b, loc, missed, ValueRange()));
  return {result, leads};
}

Batched FrameEmitter::emitScatterAdd(ScatterAddOp op) {
  Batched update = lookup(op.getUpdate()), at = lookup(op.getIndex());
  unsigned leads = std::max(update.leads, at.leads), resultLeads = leads;
  if (op.getSumTo()) {
    leads = 2;
    resultLeads = summedLeads(op.getSumTo());
  }
  Value updates = spread(update, leads), indices = spread(at, leads);
  RankedTensorType table = cast<RankedTensorType>(op.getType());
  unsigned points = tensorType(indices).getRank();
  Value size = index(table.getDimSize(0)), zero = index(0), one = index(1);

  // A loop nest over all indices carries the table; each point adds one row, in order.
  SmallVector<Value> upper =
      getValueOrCreateConstantIndexOp(b, loc, batchedSizes(tensorType(op.getIndex()).getShape(), leads));
  auto body = [&](OpBuilder &nested, Location loc, ValueRange ivs, ValueRange carried) -> scf::ValueVector {
    Value wanted = arith::IndexCastOp::create(nested, loc, nested.getIndexType(),
                                              tensor::ExtractOp::create(nested, loc, indices, ivs));
    auto [row, inside] = clampIndex(nested, loc, wanted, size);
    if (op.getSumTo() && context.inWindow) {
      Value age = tensor::ExtractOp::create(nested, loc, context.ages, ivs.take_front(2));
      Value first = arith::ConstantOp::create(nested, loc, nested.getI64IntegerAttr(0));
      Value present = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::sge, age, first);
      inside = arith::AndIOp::create(nested, loc, inside, present);
    }
    SmallVector<OpFoldResult> from, to;
    llvm::append_range(from, ivs);
    for (unsigned i = leads - resultLeads; i < leads; ++i)
      to.push_back(ivs[i]);
    to.push_back(row);
    auto whole = [&](SmallVector<OpFoldResult> &offsets) {
      SmallVector<OpFoldResult> sizes(offsets.size(), nested.getIndexAttr(1));
      for (int64_t extent : table.getShape().drop_front()) {
        offsets.push_back(nested.getIndexAttr(0));
        sizes.push_back(nested.getIndexAttr(extent));
      }
      return sizes;
    };
    SmallVector<OpFoldResult> fromSizes = whole(from), toSizes = whole(to);
    SmallVector<OpFoldResult> fromStrides(from.size(), nested.getIndexAttr(1)),
        toStrides(to.size(), nested.getIndexAttr(1));
    auto rowType = RankedTensorType::get(table.getShape().drop_front(), table.getElementType());
    Value added = tensor::ExtractSliceOp::create(nested, loc, rowType, updates, from, fromSizes, fromStrides);
    Value old = tensor::ExtractSliceOp::create(nested, loc, rowType, carried[0], to, toSizes, toStrides);
    Value sum = arith::SelectOp::create(nested, loc, inside, add(nested, loc, old, added), old);
    return {tensor::InsertSliceOp::create(nested, loc, sum, carried[0], to, toSizes, toStrides)};
  };
  Value init = filled(table, resultLeads, 0);
  if (points == 0) {
    scf::ValueVector result = body(b, loc, {}, init);
    return {result.front(), resultLeads};
  }
  scf::LoopNest nest =
      scf::buildLoopNest(b, loc, SmallVector<Value>(points, zero), upper, SmallVector<Value>(points, one), init, body);
  return {nest.results.front(), resultLeads};
}

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

Value FrameEmitter::readFrame(OpBuilder &nested, Source source, Value at, ArrayRef<Value> rest) {
  Value zero = arith::ConstantIndexOp::create(nested, loc, 0);
  auto extract = [&](Value sequence, Value frame, Value size) -> Value {
    SmallVector<Value> point{clampIndex(nested, loc, frame, size).first};
    llvm::append_range(point, rest);
    return tensor::ExtractOp::create(nested, loc, sequence, point);
  };
  Value now = extract(source.sequence, at, tensor::DimOp::create(nested, loc, source.sequence, 0));
  if (!source.history)
    return now;
  // Frame -1 is the last row of the history.
  Value depth = tensor::DimOp::create(nested, loc, source.history, 0);
  Value before = extract(source.history, arith::AddIOp::create(nested, loc, at, depth), depth);
  Value isOld = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::slt, at, zero);
  return arith::SelectOp::create(nested, loc, isOld, before, now);
}

Batched FrameEmitter::emitDelay(DelayOp op, Source source) {
  unsigned leads = frameLeads(), rank = tensorType(op.getResult()).getRank() + leads;
  Value init = op.getInit() ? spread(lookup(op.getInit()), leads) : filled(op.getType(), leads, 0);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  int64_t by = op.getBy();
  bool carried = op.isCarried();
  Value result = generic({}, init, {identity}, rank, [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
    SmallVector<Value> point = coordinates(nested, rank);
    Value t = context.frame ? context.frame : point.front();
    ArrayRef<Value> rest = context.frame ? ArrayRef<Value>(point) : ArrayRef<Value>(point).drop_front();
    Value distance = arith::ConstantIndexOp::create(nested, loc, by);
    Value at = arith::SubIOp::create(nested, loc, t, distance);
    // T5: the frame exists in this domain (or, carried, in the state), and the later of the two frames is old enough.
    Value later = by > 0 ? t : at;
    Value laterFrame = clampIndex(nested, loc, later, context.frames).first;
    Value age = tensor::ExtractOp::create(nested, loc, context.ages, ValueRange{laterFrame, rest.front()});
    Value needed = arith::ConstantOp::create(nested, loc, nested.getI64IntegerAttr(std::abs(by)));
    Value valid = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::sge, age, needed);
    if (!carried) {
      Value inside = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::ult, at, context.frames);
      valid = arith::AndIOp::create(nested, loc, valid, inside);
    }
    return arith::SelectOp::create(nested, loc, valid, readFrame(nested, source, at, rest), args[0]);
  });
  return {result, leads};
}

Batched FrameEmitter::emitSave(SaveOp op, Source source) {
  unsigned leads = frameLeads(), rank = tensorType(op.getResult()).getRank() + leads;
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  Value result = generic(
      {}, empty(op.getType(), leads), {identity}, rank, [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
        SmallVector<Value> point = coordinates(nested, rank);
        Value t = context.frame ? context.frame : point.front();
        ArrayRef<Value> rest = context.frame ? ArrayRef<Value>(point) : ArrayRef<Value>(point).drop_front();
        Value older = arith::ConstantIndexOp::create(nested, loc, context.windowHistory);
        return readFrame(nested, source, arith::SubIOp::create(nested, loc, t, older), rest);
      });
  return {result, leads};
}

Batched FrameEmitter::emitSeed(SeedOp op) {
  unsigned leads = frameLeads();
  Value error = spread(lookup(op.getSource()), leads);
  if (context.windowHistory == 0)
    return {error, leads};
  unsigned rank = tensorType(error).getRank();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  Value result = generic({error}, empty(op.getType(), leads), {identity, identity}, rank,
                         [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
                           Value t = context.frame ? context.frame : coordinates(nested, rank).front();
                           Value older = arith::ConstantIndexOp::create(nested, loc, context.windowHistory);
                           Value isNew = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::sge, t, older);
                           Value zero = arith::ConstantOp::create(nested, loc, nested.getZeroAttr(args[0].getType()));
                           return arith::SelectOp::create(nested, loc, isNew, args[0], zero);
                         });
  return {result, leads};
}

//===----------------------------------------------------------------------===//
// Random numbers
//===----------------------------------------------------------------------===//

Batched FrameEmitter::emitRandom(RandomOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  bool perFrame = op.getRate() == Rate::Frame;
  unsigned leads = perFrame ? frameLeads() : static_cast<unsigned>(op.getRate()), rank = type.getRank() + leads;
  RandomKey key = buildRandomKey(b, loc, *op.getId(), context.seed);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  Value result =
      generic({}, empty(type, leads), {identity}, rank, [&](OpBuilder &nested, Location loc, ValueRange) -> Value {
        auto toInteger = [&](Value value, Type integer) -> Value {
          return arith::IndexCastOp::create(nested, loc, integer, value);
        };
        SmallVector<Value> point = coordinates(nested, rank);
        Value unit = arith::ConstantIndexOp::create(nested, loc, 0);
        for (auto [coordinate, size] : llvm::zip(ArrayRef<Value>(point).drop_front(leads), type.getShape())) {
          Value extent = arith::ConstantIndexOp::create(nested, loc, size);
          unit = arith::AddIOp::create(nested, loc, arith::MulIOp::create(nested, loc, unit, extent), coordinate);
        }
        Value stream = op.getRate() == Rate::Static ? arith::ConstantIndexOp::create(nested, loc, 0).getResult()
                                                    : point[leads - 1];
        Value time = context.step;
        if (perFrame) {
          Value frame = toInteger(context.frame ? context.frame : point.front(), nested.getI64Type());
          time = arith::AddIOp::create(nested, loc, context.firstFrame, frame);
        }
        Type i32 = nested.getI32Type();
        return buildRandom(nested, loc, op.getKind(), type.getElementType(), key, toInteger(unit, i32),
                           toInteger(stream, i32), time);
      });
  return {result, leads};
}
