//===- Product.cpp - Generated matrix products ------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loop nest, outermost first: items (a panel of columns times a block of rows,
// dealt to threads), blocks of k, tiles of rows, k. A tile holds `rows` x
// `vectors` accumulators; one step of k loads one row of the panel and adds its
// products with `rows` broadcast elements of A. The last columns are a narrower
// tile whose last vector is masked; the last rows are lower tiles.
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToCPU/Product.h"

#include "rnn/Conversion/RNNToLoops/IndexMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::rnn;

namespace {

/// Rows that one item covers: enough to use a panel often, few enough to share.
constexpr int64_t kTilesPerItem = 16;
/// Steps of k whose panel stays in the second-level cache.
constexpr int64_t kDepthBlock = 512;
/// Sums up to this depth are not cut.
constexpr int64_t kUncutDepth = 1024;

/// Emits one product; the loop nest above, one method per level.
class ProductEmitter {
public:
  ProductEmitter(OpBuilder &builder, Location loc, const Product &product)
      : builder(builder), loc(loc), product(product), tiling(product.tiling), index{builder, loc},
        vectorType(VectorType::get(tiling.lanes, product.element)) {}

  void emit(const ThreadIds &ids);

private:
  /// The columns of a tile: its vectors, and the mask of the last one.
  struct Columns {
    Value first;
    unsigned vectors;
    Value lastMask; ///< null if the last vector is full
  };
  /// A block of the sum.
  struct Depth {
    Value begin, end;
    Value isFirst, isLast; ///< null: known to be true
  };

  void emitRowBlock(const Columns &columns, Value panel, Value begin, Value end);
  void emitDepths(function_ref<void(const Depth &)> body);
  void emitTile(const Columns &columns, Value panel, Value row, unsigned rows, const Depth &depth);
  SmallVector<Value> emitStep(const Columns &columns, Value rhsRow, ArrayRef<Value> lhs, ValueRange accumulators);
  SmallVector<Value> loadResult(const Columns &columns, Value row, unsigned rows);
  void storeResult(const Columns &columns, Value row, unsigned rows, ValueRange values, bool finished);

  Value maskOf(const Columns &columns, unsigned vector) const {
    return vector + 1 == columns.vectors ? columns.lastMask : Value();
  }
  Value zeroVector() { return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vectorType)); }
  Value loadVector(Value base, Value at, Value mask) {
    if (!mask)
      return vector::LoadOp::create(builder, loc, vectorType, base, at);
    return vector::MaskedLoadOp::create(builder, loc, vectorType, base, at, mask, zeroVector());
  }
  Value multiplyAdd(Value a, Value b, Value c) {
    if (isa<FloatType>(product.element))
      return vector::FMAOp::create(builder, loc, a, b, c);
    Value scaled = arith::MulIOp::create(builder, loc, a, b);
    return arith::AddIOp::create(builder, loc, scaled, c);
  }

  OpBuilder &builder;
  Location loc;
  const Product &product;
  const ProductTiling &tiling;
  IndexMath index;
  VectorType vectorType;
};

void ProductEmitter::emit(const ThreadIds &ids) {
  const int64_t panel = tiling.panel();
  const int64_t fullPanels = product.columns / panel;
  const int64_t rest = product.columns % panel;
  const int64_t panels = fullPanels + (rest != 0);
  const int64_t blockRows = kTilesPerItem * tiling.rows;

  Value rows = product.rows.materialize(builder, loc);
  Value blocks = index.div(index.add(rows, index.constant(blockRows - 1)), index.constant(blockRows));
  Value items = index.mul(blocks, index.constant(panels));
  emitShare(builder, loc, items, ids, [&](OpBuilder &, Location, Value item) {
    Value panelNumber = index.div(item, blocks);
    Value begin = index.mul(index.rem(item, blocks), index.constant(blockRows));
    Value end = index.min(index.add(begin, index.constant(blockRows)), rows);
    Value first = index.mul(panelNumber, index.constant(panel));

    Columns full{first, tiling.vectors, {}};
    if (!rest)
      return emitRowBlock(full, panelNumber, begin, end);
    Columns narrow{first, static_cast<unsigned>(llvm::divideCeil(rest, tiling.lanes)), {}};
    if (int64_t lanes = rest % tiling.lanes) {
      SmallVector<bool> bits(tiling.lanes, false);
      std::fill_n(bits.begin(), lanes, true);
      narrow.lastMask = arith::ConstantOp::create(
          builder, loc, DenseElementsAttr::get(VectorType::get(tiling.lanes, builder.getI1Type()), bits));
    }
    if (!fullPanels)
      return emitRowBlock(narrow, panelNumber, begin, end);
    auto choice = scf::IfOp::create(builder, loc, index.less(panelNumber, index.constant(fullPanels)),
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(choice.thenYield());
    emitRowBlock(full, panelNumber, begin, end);
    builder.setInsertionPoint(choice.elseYield());
    emitRowBlock(narrow, panelNumber, begin, end);
  });
}

/// Rows [begin, end) in tiles: full ones, then, where the number of rows is
/// static, one of the exact height, else lower and lower ones.
void ProductEmitter::emitRowBlock(const Columns &columns, Value panel, Value begin, Value end) {
  SmallVector<unsigned> heights = {tiling.rows};
  if (product.rows.isStatic()) {
    unsigned rest = product.rows.constant % tiling.rows;
    if (product.rows.constant < tiling.rows)
      heights.clear();
    if (rest)
      heights.push_back(rest);
  } else {
    for (unsigned height : {2u, 1u})
      if (height < tiling.rows)
        heights.push_back(height);
  }
  emitDepths([&](const Depth &depth) {
    Value position = begin;
    for (unsigned height : heights) {
      Value step = index.constant(height);
      Value count = index.div(index.sub(end, position), step);
      Value stop = index.add(position, index.mul(count, step));
      auto loop = scf::ForOp::create(builder, loc, position, stop, step);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      emitTile(columns, panel, loop.getInductionVar(), height, depth);
      position = stop;
    }
  });
}

/// Cuts a long sum so that the part of the panel in use stays in the cache.
void ProductEmitter::emitDepths(function_ref<void(const Depth &)> body) {
  Value zero = index.constant(0);
  Value depth = product.depth.materialize(builder, loc);
  if (product.depth.isStatic() && product.depth.constant <= kUncutDepth)
    return body({zero, depth, {}, {}});
  // At least one block, so that a sum of nothing is stored too.
  Value one = index.constant(1);
  Value size = index.constant(kDepthBlock);
  Value limit = arith::MaxUIOp::create(builder, loc, depth, one);
  auto loop = scf::ForOp::create(builder, loc, zero, limit, size);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Value begin = loop.getInductionVar();
  Value next = index.add(begin, size);
  Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, begin, zero);
  Value isLast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::uge, next, depth);
  body({begin, index.min(next, depth), isFirst, isLast});
}

SmallVector<Value> ProductEmitter::loadResult(const Columns &columns, Value row, unsigned rows) {
  SmallVector<Value> values;
  for (unsigned r = 0; r < rows; ++r)
    for (unsigned v = 0; v < columns.vectors; ++v) {
      Value column = index.add(columns.first, index.constant(v * tiling.lanes));
      Value at = index.at(product.result, index.add(row, index.constant(r)), column);
      values.push_back(loadVector(product.result.base, at, maskOf(columns, v)));
    }
  return values;
}

void ProductEmitter::storeResult(const Columns &columns, Value row, unsigned rows, ValueRange values, bool finished) {
  for (unsigned r = 0; r < rows; ++r)
    for (unsigned v = 0; v < columns.vectors; ++v) {
      Value mask = maskOf(columns, v);
      Value thisRow = index.add(row, index.constant(r));
      Value column = index.add(columns.first, index.constant(v * tiling.lanes));
      Value value = values[r * columns.vectors + v];
      if (finished && product.epilogue)
        value = product.epilogue(builder, loc, thisRow, column, value, mask);
      if (!value)
        continue;
      Value at = index.at(product.result, thisRow, column);
      if (mask)
        vector::MaskedStoreOp::create(builder, loc, product.result.base, at, mask, value);
      else
        vector::StoreOp::create(builder, loc, value, product.result.base, at);
    }
}

/// One k: accumulators + lhs (one scalar per row) * row of the panel.
SmallVector<Value> ProductEmitter::emitStep(const Columns &columns, Value rhsRow, ArrayRef<Value> lhs,
                                            ValueRange accumulators) {
  SmallVector<Value> panelRow, results;
  for (unsigned v = 0; v < columns.vectors; ++v) {
    Value at = index.add(rhsRow, index.constant(v * tiling.lanes));
    // A packed panel is padded.
    Value mask = product.rhsPacked ? Value() : maskOf(columns, v);
    panelRow.push_back(loadVector(product.rhs.base, at, mask));
  }
  for (auto [r, scalar] : llvm::enumerate(lhs)) {
    Value spread = vector::BroadcastOp::create(builder, loc, vectorType, scalar);
    for (unsigned v = 0; v < columns.vectors; ++v)
      results.push_back(multiplyAdd(spread, panelRow[v], accumulators[r * columns.vectors + v]));
  }
  return results;
}

void ProductEmitter::emitTile(const Columns &columns, Value panel, Value row, unsigned rows, const Depth &depth) {
  // Accumulators begin at zero, or at what the result holds already.
  SmallVector<Value> accumulators;
  if (product.accumulate) {
    accumulators = loadResult(columns, row, rows);
  } else if (!depth.isFirst) {
    accumulators.assign(rows * columns.vectors, zeroVector());
  } else {
    SmallVector<Type> types(rows * columns.vectors, vectorType);
    auto choice = scf::IfOp::create(builder, loc, types, depth.isFirst,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(choice.thenBlock());
    SmallVector<Value> zeros(types.size(), zeroVector());
    scf::YieldOp::create(builder, loc, zeros);
    builder.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(builder, loc, loadResult(columns, row, rows));
    accumulators.assign(choice.result_begin(), choice.result_end());
  }

  // Addresses that do not depend on k.
  SmallVector<Value> lhsRows;
  for (unsigned r = 0; r < rows; ++r)
    lhsRows.push_back(index.at(product.lhs, index.add(row, index.constant(r)), index.constant(0)));
  Extent rhsStride = product.rhsPacked ? Extent(tiling.panel()) : product.rhs.rowStride;
  Value rhsStart;
  if (product.rhsPacked) {
    Value panelSize = index.mul(product.depth.materialize(builder, loc), index.constant(tiling.panel()));
    rhsStart = index.add(product.rhs.offset, index.mul(panel, panelSize));
  } else {
    rhsStart = index.add(product.rhs.offset, columns.first);
  }

  Value one = index.constant(1);
  auto loop = scf::ForOp::create(builder, loc, depth.begin, depth.end, one, accumulators);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value k = loop.getInductionVar();
    SmallVector<Value> scalars;
    Value lhsStep = index.mul(k, product.lhs.columnStride);
    for (Value lhsRow : lhsRows)
      scalars.push_back(memref::LoadOp::create(builder, loc, product.lhs.base, index.add(lhsRow, lhsStep)));
    Value rhsRow = index.add(rhsStart, index.mul(k, rhsStride));
    scf::YieldOp::create(builder, loc, emitStep(columns, rhsRow, scalars, loop.getRegionIterArgs()));
  }

  ValueRange sums = loop.getResults();
  if (!depth.isLast || !product.epilogue)
    return storeResult(columns, row, rows, sums, /*finished=*/true);
  auto choice = scf::IfOp::create(builder, loc, depth.isLast,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(choice.thenYield());
  storeResult(columns, row, rows, sums, /*finished=*/true);
  builder.setInsertionPoint(choice.elseYield());
  storeResult(columns, row, rows, sums, /*finished=*/false);
}

} // namespace

ProductTiling ProductTiling::choose(unsigned vectorBits, Type element, int64_t rows, int64_t columns) {
  ProductTiling tiling;
  tiling.lanes = vectorBits / element.getIntOrFloatBitWidth();
  // 12 accumulators of 16 registers, or 24 of 32.
  const unsigned accumulators = vectorBits >= 512 ? 24 : 12;
  tiling.rows = rows > 0 && rows < 6 ? rows : 6;
  // Few rows take more columns: eight chains hide the latency of the adder.
  tiling.vectors = std::min(8u, accumulators / tiling.rows);
  // A panel wider than the matrix would be padding.
  while (tiling.vectors > 1 && int64_t(tiling.lanes) * (tiling.vectors - 1) >= columns)
    --tiling.vectors;
  return tiling;
}

void mlir::rnn::emitProduct(OpBuilder &builder, Location loc, const Product &product, const ThreadIds &ids) {
  ProductEmitter(builder, loc, product).emit(ids);
}

int64_t mlir::rnn::packedSize(int64_t depth, int64_t columns, const ProductTiling &tiling) {
  return llvm::divideCeil(columns, tiling.panel()) * tiling.panel() * depth;
}

namespace {

/// Packs columns of one matrix; the loop over columns is the caller's.
struct Packer {
  OpBuilder &b;
  Location loc;
  Type element;
  const MatrixView &source;
  int64_t depth, columns;
  Value target, targetOffset;
  const ProductTiling &tiling;
  function_ref<Value(Value)> convert; ///< may be null
  IndexMath index{b, loc};

  Value converted(Value loaded) { return convert ? convert(loaded) : loaded; }
  int64_t panel() const { return tiling.panel(); }

  /// Where the first row of a column lies in its panel.
  Value startOf(Value column) {
    Value number = index.div(column, index.constant(panel()));
    return index.add(index.add(targetOffset, index.mul(number, index.constant(panel() * depth))),
                     index.rem(column, index.constant(panel())));
  }

  /// Rows [begin, depth) of one column, one after another; zeros behind the
  /// matrix.
  void packColumn(Value column, int64_t begin) {
    Value start = startOf(column);
    auto loop = scf::ForOp::create(b, loc, index.constant(begin), index.constant(depth), index.constant(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value k = loop.getInductionVar();
    Value inside = index.less(column, index.constant(columns));
    auto value = scf::IfOp::create(b, loc, element, inside, /*withElseRegion=*/true);
    {
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(value.thenBlock());
      Value loaded = memref::LoadOp::create(b, loc, source.base, index.at(source, k, column));
      scf::YieldOp::create(b, loc, converted(loaded));
      b.setInsertionPointToStart(value.elseBlock());
      Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
      scf::YieldOp::create(b, loc, zero);
    }
    memref::StoreOp::create(b, loc, value.getResult(0), target,
                            index.add(start, index.mul(k, index.constant(panel()))));
  }

  /// A square of as many columns and rows as a vector has lanes, whose columns
  /// lie in one piece each: transposed in registers, in log2(lanes) rounds. A
  /// round swaps the two off-diagonal blocks of every square of twice its size.
  void packSquare(Value k, Value column, Value start) {
    const int64_t lanes = tiling.lanes;
    auto type = VectorType::get(lanes, element);
    SmallVector<Value> rows;
    for (int64_t c = 0; c < lanes; ++c) {
      Value at = index.at(source, k, index.add(column, index.constant(c)));
      rows.push_back(converted(vector::LoadOp::create(b, loc, type, source.base, at)));
    }
    for (int64_t size = lanes / 2; size > 0; size /= 2)
      for (int64_t upper = 0; upper < lanes; ++upper) {
        if (upper & size)
          continue;
        const int64_t lower = upper | size;
        SmallVector<int64_t> first(lanes), second(lanes);
        for (int64_t i = 0; i < lanes; ++i) {
          first[i] = i & size ? lanes + (i ^ size) : i;
          second[i] = i & size ? lanes + i : i ^ size;
        }
        Value a = rows[upper], c = rows[lower];
        rows[upper] = vector::ShuffleOp::create(b, loc, a, c, first);
        rows[lower] = vector::ShuffleOp::create(b, loc, a, c, second);
      }
    Value row = index.add(start, index.mul(k, index.constant(panel())));
    for (int64_t r = 0; r < lanes; ++r)
      vector::StoreOp::create(b, loc, rows[r], target, index.add(row, index.constant(r * panel())));
  }

  /// As many columns as a vector has lanes, all inside the matrix.
  void packColumns(Value column) {
    const int64_t lanes = tiling.lanes, even = depth / lanes * lanes;
    Value start = startOf(column);
    auto loop = scf::ForOp::create(b, loc, index.constant(0), index.constant(even), index.constant(lanes));
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      packSquare(loop.getInductionVar(), column, start);
    }
    if (even < depth)
      packOneByOne(column, even);
  }

  /// The same number of columns in any case.
  void packOneByOne(Value column, int64_t begin) {
    auto loop = scf::ForOp::create(b, loc, column, index.add(column, index.constant(tiling.lanes)), index.constant(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    packColumn(loop.getInductionVar(), begin);
  }
};

} // namespace

void mlir::rnn::emitPack(OpBuilder &builder, Location loc, Type element, const MatrixView &source, int64_t depth,
                         int64_t columns, Value target, Value targetOffset, const ProductTiling &tiling,
                         const ThreadIds &ids, function_ref<Value(Value)> convert) {
  Packer packer{builder, loc, element, source, depth, columns, target, targetOffset, tiling, convert};
  IndexMath &index = packer.index;
  const int64_t lanes = tiling.lanes;
  const int64_t groups = llvm::divideCeil(columns, tiling.panel()) * tiling.vectors;
  const int64_t fullGroups = columns / lanes;
  const bool hasSquares =
      source.rowStride.isStatic() && source.rowStride.constant == 1 && depth >= lanes && fullGroups > 0 && lanes > 1;
  emitShare(builder, loc, index.constant(groups), ids, [&](OpBuilder &, Location, Value group) {
    Value column = index.mul(group, index.constant(lanes));
    if (!hasSquares)
      return packer.packOneByOne(column, 0);
    if (fullGroups == groups)
      return packer.packColumns(column);
    auto choice = scf::IfOp::create(builder, loc, index.less(group, index.constant(fullGroups)),
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(choice.thenYield());
    packer.packColumns(column);
    builder.setInsertionPoint(choice.elseYield());
    packer.packOneByOne(column, 0);
  });
}

void mlir::rnn::emitShare(OpBuilder &builder, Location loc, Value count, const ThreadIds &ids,
                          function_ref<void(OpBuilder &, Location, Value)> body) {
  IndexMath index{builder, loc};
  Value one = index.constant(1);
  Value begin = index.div(index.mul(count, ids.thread), ids.threads);
  Value end = index.div(index.mul(count, index.add(ids.thread, one)), ids.threads);
  auto loop = scf::ForOp::create(builder, loc, begin, end, one);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(builder, loc, loop.getInductionVar());
}
