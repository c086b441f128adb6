//===- Product.h - Generated matrix products ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits C[i, j] (+)= sum over k of A[i, k] * B[k, j] as loops around a tile of
// accumulators that stay in vector registers (scf, vector, memref, arith).
//
// A result is one sum in ascending k, whatever the tile and the number of
// threads: threads divide the tiles, never the sum.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_RNNTOCPU_PRODUCT_H
#define RNN_CONVERSION_RNNTOCPU_PRODUCT_H

#include "rnn/Conversion/RNNToLoops/IndexMath.h"

#include <functional>

namespace mlir::rnn {

/// The shape of the register tile.
struct ProductTiling {
  unsigned lanes = 8;   ///< elements per vector register
  unsigned vectors = 2; ///< registers per tile row
  unsigned rows = 6;    ///< tile rows

  /// Columns of a tile, and of a panel of a packed matrix.
  int64_t panel() const { return int64_t(lanes) * vectors; }

  /// The tile for a machine with registers of `vectorBits`, for `rows` rows
  /// (0: not known when compiling).
  static ProductTiling choose(unsigned vectorBits, Type element, int64_t rows, int64_t columns);
};

/// What happens to a finished vector of results before it is stored: gets the
/// row, the first column (indices) and the vector, returns the vector to store,
/// or null if it has stored the results itself. `mask` (vector<lanes x i1>) is
/// null where all lanes are columns of the result.
using ProductEpilogue = std::function<Value(OpBuilder &, Location, Value row, Value column, Value result, Value mask)>;

/// One product. Element types f32 and f64 use fused multiply-adds, i32 and i64
/// wrap around.
struct Product {
  Type element;
  Extent rows = 0;
  int64_t columns = 0;
  Extent depth = 0;
  MatrixView lhs;         ///< [rows, depth]
  MatrixView rhs;         ///< [depth, columns], unit column stride
  MatrixView result;      ///< [rows, columns], unit column stride
  bool rhsPacked = false; ///< rhs was written by `emitPack` with this tiling
  bool accumulate = false;
  ProductTiling tiling;
  ProductEpilogue epilogue; ///< may be empty
};

/// Emits this thread's share of the product. The caller puts barriers before
/// and after it.
void emitProduct(OpBuilder &builder, Location loc, const Product &product, const ThreadIds &ids);

/// Number of elements of a packed matrix.
int64_t packedSize(int64_t depth, int64_t columns, const ProductTiling &tiling);

/// Emits this thread's share of packing `source` [depth, columns], any strides,
/// into panels [columns / panel][depth][panel] at `target`, padded with zeros.
/// `convert` says what is stored in place of a scalar or vector of the matrix.
void emitPack(OpBuilder &builder, Location loc, Type element, const MatrixView &source, int64_t depth, int64_t columns,
              Value target, Value targetOffset, const ProductTiling &tiling, const ThreadIds &ids,
              function_ref<Value(Value)> convert = nullptr);

/// Emits a loop over this thread's contiguous share of `count` items.
void emitShare(OpBuilder &builder, Location loc, Value count, const ThreadIds &ids,
               function_ref<void(OpBuilder &, Location, Value item)> body);

} // namespace mlir::rnn

#endif // RNN_CONVERSION_RNNTOCPU_PRODUCT_H
