//===- Contract.cpp - Products of signals -----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Four ways, the first that fits:
//   reduction in a loop over frames, if the target divides sums among threads
//   product   one operand is static (a weight): rows are frames and streams
//   gradient  summed over all frames and streams: these are the depth
//   naive     any other contraction: loops over what is summed, one per result
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

namespace {

/// Dimensions of a contraction by where they occur.
struct Roles {
  SmallVector<unsigned> rows;    ///< lhs and result
  SmallVector<unsigned> columns; ///< rhs and result
  SmallVector<unsigned> summed;  ///< lhs and rhs
  bool isMatrixProduct = true;   ///< no other dimensions, rows before columns
};

/// A run of dimensions as one: its size and stride.
struct Run {
  int64_t size = 1;
  int64_t stride = 0;
};

} // namespace

/// The position of a dimension among the results of a projected permutation.
static std::optional<unsigned> positionOf(AffineMap map, unsigned dim) {
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    if (cast<AffineDimExpr>(expr).getPosition() == dim)
      return i;
  return std::nullopt;
}

/// Sorts the dimensions, `left` and `right` being operand numbers.
static Roles sortDimensions(ContractOp op, unsigned left, unsigned right) {
  Roles roles;
  AffineMap lhs = op.getMap(left), rhs = op.getMap(right), out = op.getMap(2);
  for (unsigned dim = 0; dim < lhs.getNumDims(); ++dim) {
    bool inLhs = positionOf(lhs, dim).has_value();
    bool inRhs = positionOf(rhs, dim).has_value();
    bool inOut = positionOf(out, dim).has_value();
    if (inLhs && inRhs && !inOut)
      roles.summed.push_back(dim);
    else if (inLhs + inRhs != 1 || !inOut)
      roles.isMatrixProduct = false;
  }
  for (AffineExpr expr : out.getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    if (positionOf(rhs, dim))
      roles.columns.push_back(dim);
    else if (roles.columns.empty())
      roles.rows.push_back(dim);
    else
      roles.isMatrixProduct = false;
  }
  // The order of the sum is that of the operand whose elements it walks.
  llvm::sort(roles.summed, [&](unsigned a, unsigned b) { return *positionOf(lhs, a) < *positionOf(lhs, b); });
  return roles;
}

/// The dimensions as one, if their strides allow it.
static std::optional<Run> fuse(ContractOp op, const View &view, unsigned operand, ArrayRef<unsigned> dimensions) {
  SmallVector<int64_t> sizes = op.getLoopSizes();
  Run run;
  bool first = true;
  for (unsigned dim : llvm::reverse(dimensions)) {
    if (sizes[dim] == 1)
      continue;
    int64_t stride = view.strides[*positionOf(op.getMap(operand), dim)];
    if (first)
      run.stride = stride;
    else if (stride != run.stride * run.size)
      return std::nullopt;
    first = false;
    run.size *= sizes[dim];
  }
  return run;
}

static SmallVector<unsigned> findSummed(ContractOp op) {
  AffineMap out = op.getMap(2);
  SmallVector<unsigned> summed;
  for (unsigned dim = 0; dim < out.getNumDims(); ++dim)
    if (!positionOf(out, dim))
      summed.push_back(dim);
  return summed;
}

LogicalResult RegionEmitter::emitContract(ContractOp op) {
  if (op.getSumTo() ? !emitAsGradient(op) : !emitAsReduction(op) && !emitAsProduct(op))
    emitNaively(op);
  return success();
}

//===----------------------------------------------------------------------===//
// Products with a static operand
//===----------------------------------------------------------------------===//

bool RegionEmitter::emitAsProduct(ContractOp op) {
  // The static operand is the right one.
  std::optional<unsigned> weight;
  Roles roles;
  for (unsigned candidate : {1u, 0u}) {
    if (rateOf(op.getOperand(candidate)) != Rate::Static)
      continue;
    roles = sortDimensions(op, 1 - candidate, candidate);
    if (roles.isMatrixProduct) {
      weight = candidate;
      break;
    }
  }
  if (!weight)
    return false;
  const unsigned input = 1 - *weight;
  Value inputValue = op.getOperand(input), weightValue = op.getOperand(*weight);
  View lhs = materialize(inputValue), rhs = materialize(weightValue);
  View target = allocateResult(op.getResult());

  std::optional<Run> lhsRows = fuse(op, lhs, input, roles.rows);
  std::optional<Run> lhsDepth = fuse(op, lhs, input, roles.summed);
  std::optional<Run> rhsDepth = fuse(op, rhs, *weight, roles.summed);
  std::optional<Run> rhsColumns = fuse(op, rhs, *weight, roles.columns);
  std::optional<Run> outRows = fuse(op, target, 2, roles.rows);
  if (!lhsRows || !lhsDepth || !rhsDepth || !rhsColumns || !outRows)
    return false;

  // Streams, then frames, continue the rows where memory allows.
  const Rate rate = rateOf(op.getResult());
  Run left = *lhsRows, out = *outRows;
  auto extend = [&](int64_t size, int64_t leftStride, int64_t outStride) {
    bool fits = (left.size == 1 || left.size * left.stride == leftStride) &&
                (out.size == 1 || out.size * out.stride == outStride);
    if (!fits)
      return false;
    if (left.size == 1) {
      left.stride = leftStride;
      out.stride = outStride;
    }
    left.size *= size;
    out.size *= size;
    return true;
  };
  if (rate >= Rate::Stream && e.streams > 1 && !extend(e.streams, lhs.streamStride, target.streamStride))
    return false;
  const bool overFrames = rate == Rate::Frame && !inLoop();
  if (overFrames) {
    if (!(left.size == 1 || left.size * left.stride == lhs.frameStride) ||
        !(out.size == 1 || out.size * out.stride == target.frameStride))
      return false;
    if (left.size == 1) {
      left.stride = lhs.frameStride;
      out.stride = target.frameStride;
    }
  }

  Value at = inLoop() && rate == Rate::Frame ? frame : Value();
  MatrixProduct product;
  product.element = cast<RankedTensorType>(op.getType()).getElementType();
  product.rows = left.size;
  product.rowsOverFrames = overFrames;
  product.columns = rhsColumns->size;
  product.depth = lhsDepth->size;
  product.inWindow = inWindow;
  product.roundsToBf16 = op.getRoundTo().has_value();
  product.lhs = {lhs, at, left.stride, lhsDepth->stride};
  product.rhs = {rhs, {}, rhsDepth->stride, rhsColumns->size > 1 ? rhsColumns->stride : 1};
  product.result = {target, at, out.stride, 1};
  product.weight = weightValue;
  product.beforeLoop = inLoop() ? beforeLoop : nullptr;
  return e.emitProduct(product);
}

std::optional<RegionEmitter::MatrixVector> RegionEmitter::asMatrixVector(ContractOp op) {
  if (op.getSumTo())
    return std::nullopt;
  for (unsigned weight : {1u, 0u}) {
    Value input = op.getOperand(1 - weight), matrix = op.getOperand(weight);
    if (rateOf(matrix) != Rate::Static || rateOf(input) == Rate::Static)
      continue;
    if (std::optional<MatrixVector> form = asBlockDiagonal(op, weight))
      return form;
    Roles roles = sortDimensions(op, 1 - weight, weight);
    if (!roles.isMatrixProduct || !roles.rows.empty())
      continue;
    View view = materialize(matrix);
    std::optional<Run> depth = fuse(op, view, weight, roles.summed), rows = fuse(op, view, weight, roles.columns);
    if (depth && rows)
      return MatrixVector{input, matrix, rows->size, depth->size, rows->stride, depth->stride};
  }
  return std::nullopt;
}

std::optional<RegionEmitter::MatrixVector> RegionEmitter::asBlockDiagonal(ContractOp op, unsigned weight) {
  // One dimension is everywhere; all others of the result are the matrix's, and
  // all others of the vector are summed over.
  std::optional<unsigned> block;
  SmallVector<unsigned> rows[2], depth[2]; // before and behind that dimension
  AffineMap ofInput = op.getMap(1 - weight), ofWeight = op.getMap(weight), out = op.getMap(2);
  for (AffineExpr expr : out.getResults()) {
    const unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    if (!positionOf(ofWeight, dim) || (block && positionOf(ofInput, dim)))
      return std::nullopt;
    if (positionOf(ofInput, dim))
      block = dim;
    else
      rows[block.has_value()].push_back(dim);
  }
  if (!block || ofWeight.getNumResults() != op.getLoopSizes().size())
    return std::nullopt;
  for (AffineExpr expr : ofInput.getResults())
    if (const unsigned dim = cast<AffineDimExpr>(expr).getPosition(); dim != *block)
      depth[*positionOf(ofInput, dim) > *positionOf(ofInput, *block)].push_back(dim);

  View view = materialize(op.getOperand(weight));
  std::optional<Run> runs[4] = {fuse(op, view, weight, rows[0]), fuse(op, view, weight, rows[1]),
                                fuse(op, view, weight, depth[0]), fuse(op, view, weight, depth[1])};
  if (!llvm::all_of(runs, [](const std::optional<Run> &run) { return run.has_value(); }))
    return std::nullopt;
  const int64_t blocks = op.getLoopSizes()[*block];
  MatrixVector form{op.getOperand(1 - weight),     op.getOperand(weight), runs[0]->size * blocks * runs[1]->size,
                    runs[2]->size * runs[3]->size, runs[1]->stride,       runs[3]->stride};
  form.blocks = blocks;
  form.blockRows = runs[1]->size;
  form.blockDepth = runs[3]->size;
  form.blockStride = view.strides[*positionOf(ofWeight, *block)];
  form.outerRowStride = runs[0]->stride;
  form.outerDepthStride = runs[2]->stride;
  return form;
}

//===----------------------------------------------------------------------===//
// Sums over all frames and streams
//===----------------------------------------------------------------------===//

/// Frames that do not exist must not add: a row of zeros stands for them.
View RegionEmitter::withAbsentFramesZero(const View &view) {
  View copy = e.allocate(view.type, Rate::Frame, e.history);
  ArrayRef<int64_t> shape = view.type.getShape();
  bool isUnit = view.strides.empty() || view.strides.back() <= 1;
  unsigned lanes = isUnit ? lanesFor(view.type.getElementType(), shape.empty() ? 1 : shape.back()) : 1;
  e.access({view.buffer, e.windowAges.buffer}, {copy.buffer});
  Value exists;
  forEachVector(
      {Rate::Frame, SmallVector<int64_t>(shape)}, lanes,
      [&](const Point &row) {
        exists = e.compare(arith::CmpIPredicate::sge, e.loadAge(row.frame, row.stream, /*inWindow=*/true),
                           e.splat(b.getI64Type(), 1, 0));
      },
      [&](const Point &point, unsigned lanes, Value mask) {
        Value value = e.load(view, point, lanes, mask);
        Value zero = e.splat(view.type.getElementType(), lanes, 0);
        value = arith::SelectOp::create(b, loc, exists, value, zero);
        e.store(value, copy, point, lanes, mask);
      });
  return copy;
}

bool RegionEmitter::emitAsGradient(ContractOp op) {
  if (*op.getSumTo() != Rate::Static || inLoop() || rateOf(op.getLhs()) != Rate::Frame ||
      rateOf(op.getRhs()) != Rate::Frame)
    return false;
  View views[2] = {materialize(op.getLhs()), materialize(op.getRhs())};
  View target = allocateResult(op.getResult());

  for (unsigned left : {0u, 1u}) {
    const unsigned right = 1 - left;
    Roles roles = sortDimensions(op, left, right);
    if (!roles.isMatrixProduct || !roles.summed.empty())
      continue;
    View lhs = views[left], rhs = views[right];
    std::optional<Run> lhsRows = fuse(op, lhs, left, roles.rows);
    std::optional<Run> rhsColumns = fuse(op, rhs, right, roles.columns);
    std::optional<Run> outRows = fuse(op, target, 2, roles.rows);
    auto oneDepth = [&](const View &view) {
      return e.streams == 1 || view.frameStride == e.streams * view.streamStride;
    };
    auto depthStride = [&](const View &view) { return e.streams == 1 ? view.frameStride : view.streamStride; };
    if (!lhsRows || !rhsColumns || !outRows || !oneDepth(lhs) || !oneDepth(rhs) ||
        (rhsColumns->stride != 1 && rhsColumns->size > 1))
      continue;
    if (inWindow && e.history) {
      lhs = withAbsentFramesZero(lhs);
      rhs = withAbsentFramesZero(rhs);
      lhsRows = fuse(op, lhs, left, roles.rows);
      rhsColumns = fuse(op, rhs, right, roles.columns);
    }
    MatrixProduct product;
    product.element = cast<RankedTensorType>(op.getType()).getElementType();
    product.rows = lhsRows->size;
    product.columns = rhsColumns->size;
    product.depth = e.streams;
    product.depthOverFrames = true;
    product.inWindow = inWindow;
    product.roundsToBf16 = op.getRoundTo().has_value();
    product.lhs = {lhs, {}, lhsRows->stride, depthStride(lhs)};
    product.rhs = {rhs, {}, depthStride(rhs), 1};
    product.result = {target, {}, outRows->stride, 1};
    return e.emitProduct(product);
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Sums that threads divide
//===----------------------------------------------------------------------===//

/// A copy of a static signal, made before the loop, in which these dimensions are
/// the last ones.
View RegionEmitter::copyWithLast(const View &view, ArrayRef<unsigned> last) {
  SmallVector<unsigned> order;
  for (unsigned dim = 0; dim < view.strides.size(); ++dim)
    if (!llvm::is_contained(last, dim))
      order.push_back(dim);
  llvm::append_range(order, last);
  View copy = e.allocate(view.type, Rate::Static);
  int64_t stride = 1;
  for (unsigned dim : llvm::reverse(order)) {
    copy.strides[dim] = stride;
    stride *= view.type.getDimSize(dim);
  }
  e.emitBefore(beforeLoop, [&] { e.copy(view, copy, Rate::Static, {}); });
  return copy;
}

/// An element of a delayed signal; `init` is null where zeros come before its frames.
Value RegionEmitter::loadDelayed(DelayOp delay, const View &init, const Point &point) {
  TimedRead read = prepareRead(delay, point);
  Type element = cast<RankedTensorType>(delay.getType()).getElementType();
  Value loaded = loadRead(read, read.source.strides, element, point, /*lanes=*/1, {});
  Value other = init ? e.loadElement(init, point) : e.splat(element, 1, 0);
  return arith::SelectOp::create(b, loc, read.valid, loaded, other);
}

bool RegionEmitter::emitAsReduction(ContractOp op) {
  AffineMap out = op.getMap(2);
  SmallVector<int64_t> sizes = op.getLoopSizes();
  SmallVector<unsigned> summed = findSummed(op);
  int64_t count = 1;
  for (unsigned dim : summed)
    count *= sizes[dim];
  auto type = cast<RankedTensorType>(op.getType());
  if (!inLoop() || !e.dividesSums(type.getElementType(), count))
    return false;
  View operands[2];
  // What is delayed is read where it lies, so that no thread need write it first.
  DelayOp delays[2];
  for (unsigned i : {0u, 1u}) {
    auto delay = op.getOperand(i).getDefiningOp<DelayOp>();
    if (delay && groupOf.contains(delay)) {
      delays[i] = delay;
      readInPlace.insert(&op->getOpOperand(i));
      if (delay.getInit())
        operands[i] = materialize(delay.getInit());
      continue;
    }
    operands[i] = materialize(op.getOperand(i));
    // A matrix is read again in every frame, so that its order is worth a copy.
    SmallVector<unsigned> last;
    for (unsigned dim : summed)
      if (auto position = positionOf(op.getMap(i), dim))
        last.push_back(*position);
    if (rateOf(op.getOperand(i)) == Rate::Static && !last.empty() && operands[i].strides[last.back()] > 1)
      operands[i] = copyWithLast(operands[i], last);
  }

  Reduction reduction{
      {rateOf(op.getResult()), SmallVector<int64_t>(type.getShape())}, b.getZeroAttr(type.getElementType()), count};
  reduction.frame = frame;
  reduction.isAlong = true;
  for (const View &view : operands)
    if (view)
      reduction.reads.push_back(view.buffer);
  reduction.target = allocateResult(op.getResult());
  reduction.load = [&](const Point &result, Value i) {
    SmallVector<Value> at(sizes.size());
    for (auto [expr, value] : llvm::zip(out.getResults(), result.element))
      at[cast<AffineDimExpr>(expr).getPosition()] = value;
    for (unsigned dim : llvm::reverse(summed)) {
      at[dim] = index.rem(i, index.constant(sizes[dim]));
      i = index.div(i, index.constant(sizes[dim]));
    }
    Value factors[2];
    for (unsigned operand : {0u, 1u}) {
      Point from{result.frame, result.stream, {}};
      for (AffineExpr expr : op.getMap(operand).getResults())
        from.element.push_back(at[cast<AffineDimExpr>(expr).getPosition()]);
      factors[operand] = delays[operand] ? loadDelayed(delays[operand], operands[operand], from)
                                         : e.loadElement(operands[operand], from);
      if (op.getRoundTo())
        factors[operand] = e.roundToBf16(factors[operand]);
    }
    return e.multiply(factors[0], factors[1]);
  };
  reduction.combine = [&](Value x, Value y) { return e.add(x, y); };
  return e.emitReduction(reduction);
}

//===----------------------------------------------------------------------===//
// Anything else
//===----------------------------------------------------------------------===//

void RegionEmitter::emitNaively(ContractOp op) {
  View operands[2] = {materialize(op.getLhs()), materialize(op.getRhs())};
  View target = allocateResult(op.getResult());
  e.access({operands[0].buffer, operands[1].buffer, e.windowAges.buffer}, {target.buffer});
  auto type = cast<RankedTensorType>(op.getType());
  Type element = type.getElementType();
  const Rate rate = rateOf(op.getResult());
  AffineMap out = op.getMap(2);
  SmallVector<int64_t> sizes = op.getLoopSizes();
  SmallVector<unsigned> summed = findSummed(op);

  // Vectors run along the last dimension of the result.
  unsigned rowLanes = 1;
  bool isVector[2] = {false, false};
  if (type.getRank()) {
    unsigned last = cast<AffineDimExpr>(out.getResults().back()).getPosition();
    bool fits = true;
    for (unsigned i : {0u, 1u})
      if (auto position = positionOf(op.getMap(i), last)) {
        bool isLast = *position + 1 == op.getMap(i).getNumResults();
        int64_t stride = operands[i].strides[*position];
        isVector[i] = isLast && stride == 1;
        fits &= isVector[i] || stride == 0;
      }
    if (fits)
      rowLanes = lanesFor(element, type.getShape().back());
  }

  forEachVector(
      {rate, SmallVector<int64_t>(type.getShape())}, rowLanes, [](const Point &) {},
      [&](const Point &point, unsigned lanes, Value mask) {
        SmallVector<Value> at(sizes.size());
        for (auto [expr, value] : llvm::zip(out.getResults(), point.element))
          at[cast<AffineDimExpr>(expr).getPosition()] = value;

        auto multiply = [&](Value t, Value stream, Value sum) -> Value {
          Value factors[2];
          for (unsigned i : {0u, 1u}) {
            Point from{t, stream, {}};
            for (AffineExpr expr : op.getMap(i).getResults())
              from.element.push_back(at[cast<AffineDimExpr>(expr).getPosition()]);
            unsigned width = isVector[i] ? lanes : 1;
            factors[i] = e.load(operands[i], from, width, width > 1 ? mask : Value());
            if (op.getRoundTo())
              factors[i] = e.roundToBf16(factors[i]);
            if (width != lanes)
              factors[i] = vector::BroadcastOp::create(b, loc, e.lanesType(element, lanes), factors[i]);
          }
          // As in a tile of a product, with one rounding.
          Value next = e.multiplyAdd(factors[0], factors[1], sum);
          return op.getSumTo() ? whereFrameExists(t, stream, next, sum) : next;
        };
        std::function<Value(unsigned, Value, Value, Value)> nest = [&](unsigned depth, Value t, Value stream,
                                                                       Value sum) -> Value {
          if (depth == summed.size())
            return multiply(t, stream, sum);
          auto loop = scf::ForOp::create(b, loc, index.constant(0), index.constant(sizes[summed[depth]]),
                                         index.constant(1), sum);
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(loop.getBody());
          at[summed[depth]] = loop.getInductionVar();
          scf::YieldOp::create(b, loc, nest(depth + 1, t, stream, loop.getRegionIterArg(0)));
          return loop.getResult(0);
        };
        Value zero = e.splat(element, lanes, 0);
        Value result;
        if (op.getSumTo())
          result = forEachFrame(rate == Rate::Static, point.stream, zero,
                                [&](Value t, Value stream, ValueRange carried) -> SmallVector<Value> {
                                  return {nest(0, t, stream, carried.front())};
                                })
                       .front();
        else
          result = nest(0, point.frame, point.stream, zero);
        e.store(result, target, point, lanes, mask);
      });
}
