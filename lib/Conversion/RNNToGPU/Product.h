//===- Product.h - Matrix products as kernels ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product outside of loops over frames is a kernel of its own. A block
// computes a tile of the result: it goes along the depth in slices, of which two
// are in shared memory. While all threads multiply one, they load the next into
// registers and store it when they are done, so that there is one barrier a
// slice. A thread owns several rows and columns of the tile, whose sums stay in
// registers; per step of the depth it reads them as vectors of 16 bytes, spread
// over the tile so that the threads of a warp read from different banks. Where
// the operands are rounded to bf16, a warp owns a part of the tile and multiplies
// on tensor cores; slices in shared memory are rounded, pairs of neighbours along
// the depth in a word.
//
// Blocks take tiles with the stride of the grid. A result is one sum in
// ascending k, unless there are few tiles and the depth runs over frames: then
// blocks divide the depth, in a number of shares that is known when compiling,
// and a second kernel adds the shares' sums in order.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_CONVERSION_RNNTOGPU_PRODUCT_H
#define RNN_LIB_CONVERSION_RNNTOGPU_PRODUCT_H

#include "GpuEmitter.h"

namespace mlir::rnn::loops {

class ProductKernel {
public:
  ProductKernel(GpuEmitter &emitter, const MatrixProduct &product);

  /// True for elements of 32 and 64 bits.
  static bool isSupported(Type element);
  /// Emits the kernels.
  void emit();

private:
  /// A tile of the result, and what a thread has of it.
  struct Tiling {
    int64_t rows, columns;
    int64_t slice; ///< of the depth
    int64_t threadRows, threadColumns;
    int64_t residentBlocks; ///< of a multiprocessor
    int64_t threads() const { return rows / threadRows * (columns / threadColumns); }
  };

  /// One of the two matrices that are multiplied: [depth, across].
  struct Factor {
    const MatrixProduct::Matrix &matrix;
    int64_t stride, depthStride; ///< of elements in memory
    int64_t size;                ///< of a tile, across the depth
    bool isAlongDepth = false;   ///< a thread's vectors lie along the depth
    int64_t width = 1;           ///< elements of these vectors
    Value shared, extent;
    Value left;           ///< rows or columns of this tile, i32
    bool isRagged = true; ///< the last tile may be smaller than the others
    /// The vectors of a slice that a thread loads: where they lie in the slice and
    /// in memory, and the slices or depth below which they are in the matrix.
    SmallVector<Value> places, depths, addresses, limits;
    int64_t pitch; ///< elements of a row of the slice in shared memory
  };

  /// A tile, and which of its elements are a thread's.
  struct Place {
    Value share; ///< of the depth; null if there is one
    Value firstRow, firstColumn;
    Value thread, threadRow, threadColumn; ///< i32, in the tile
    Value depthLane;                       ///< i32, on tensor cores: which of the depth's elements are the lane's
  };

  Tiling chooseTiling() const;
  int64_t countTiles(const Tiling &tiling) const;
  void chooseVectors(Factor &factor, int64_t extent);
  void emitTiles();
  void emitTile(Value item);
  Place findPlace(Value item);
  Value recompute(Value value);
  /// Rows or columns of the matrix in the tile that begins at `first`, i32.
  Value countInside(const Factor &factor, Value first);
  /// Which vectors of a slice are the thread's, in the tile that begins at `first`.
  void findVectors(Factor &factor, Value first, Value thread, Value limit);
  /// The thread's vectors of slice `number` (i32), which begins at `depth`; zeros
  /// beyond the matrix.
  SmallVector<Value> loadSlice(const Factor &factor, Value number, Value depth);
  void storeSlice(const Factor &factor, ArrayRef<Value> vectors, Value buffer);
  void storePairs(const Factor &factor, ArrayRef<Value> vectors, Value buffer);
  /// True if every two of a thread's vectors are neighbours along the depth.
  bool isPaired(const Factor &factor) const;
  /// Elements, or pairs, of a slice in shared memory.
  int64_t countShared(const Factor &factor) const;
  /// One of the depth's elements of a slice: the thread's rows or columns.
  SmallVector<Value> readShared(const Factor &factor, Value buffer, Value place, int64_t k, int64_t count);
  /// A slice's products, added to the thread's sums.
  void multiplySlice(const Place &place, Value buffer, SmallVectorImpl<Value> &sums);
  void multiplySliceOnTensorCores(const Place &place, Value buffer, SmallVectorImpl<Value> &sums);
  /// Words of a lane: of every 8 rows or columns of the warp's part, from the
  /// lane's first on, two.
  SmallVector<Value> readTiles(const Factor &factor, Value buffer, Value place, Value depthLane, int64_t k,
                               int64_t tiles);
  /// A warp's part of a tile: rows and columns.
  std::pair<int64_t, int64_t> getWarpPart() const;
  void storeResults(ArrayRef<Value> sums, const Place &tile);
  void addShares();
  Value narrow(Value value);
  Value widen(Value value);
  Value constantI32(int64_t value);
  Value domainExtent(int64_t size, bool overFrames);

  GpuEmitter &e;
  OpBuilder &b;
  Location loc;
  IndexMath &index;
  const MatrixProduct &product;
  bool onTensorCores;
  int64_t chunk; ///< elements of 16 bytes
  Tiling tiling;
  int64_t columnTiles, shares = 1;
  Factor lhs, rhs;
  bool isWhole = false; ///< the depth is whole slices
  View partial;         ///< [shares, rows, columns], if there are several

  Value thread, rowTiles; ///< i32
  Value rows, depth;      ///< of the product, or of the piece that is computed
  Value rowsBefore;       ///< that piece; null: all rows are computed
};

} // namespace mlir::rnn::loops

#endif // RNN_LIB_CONVERSION_RNNTOGPU_PRODUCT_H
