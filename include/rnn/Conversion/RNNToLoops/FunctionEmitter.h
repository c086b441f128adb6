//===- FunctionEmitter.h - State while a function is emitted ------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What all parts of the lowering to loops share: where values lie in memory,
// the workspace, the threads and the order between them. A target derives from
// `FunctionEmitter` and says how its threads divide work, meet and multiply.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_CONVERSION_RNNTOLOOPS_FUNCTIONEMITTER_H
#define RNN_CONVERSION_RNNTOLOOPS_FUNCTIONEMITTER_H

#include "rnn/Conversion/RNNToLoops/IndexMath.h"
#include "rnn/Dialect/RNN/IR/RNN.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/SmallSet.h"

namespace mlir::rnn::loops {

/// A signal in memory: element [i…] of stream b at frame t lies at
/// shift + t * frameStride + b * streamStride + sum of i * strides of a buffer.
/// A stride of 0 repeats a value, so that a value of lower rate needs no copy.
/// Booleans are bytes.
struct View {
  unsigned buffer = 0; ///< which memory it is; 0: none
  int64_t shift = 0;
  int64_t frameStride = 0;
  int64_t streamStride = 0;
  SmallVector<int64_t> strides;
  RankedTensorType type;

  explicit operator bool() const { return buffer != 0; }
  /// True if the elements of a signal lie one after another.
  bool isContiguous() const;
  /// True if all elements of a signal are one.
  bool isSplat() const;
};

/// A point of an iteration space: frame and stream where it has them, and the
/// element. In a vector the last coordinate is that of the first lane.
struct Point {
  Value frame, stream;
  SmallVector<Value> element;
};

/// The points that work is done for.
struct Space {
  Rate rate;
  SmallVector<int64_t> shape;
  bool operator==(const Space &other) const { return rate == other.rate && shape == other.shape; }
};

/// Which frames a space of frame rate has: all `count` of a domain, or, in a
/// loop over frames, the current one.
struct Frames {
  Value count;   ///< index
  Value current; ///< index, null outside of such a loop
};

/// Strides of a row-major array.
SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape);

/// The type of an element in memory: booleans are bytes.
Type memoryType(Type element);

/// An amount of memory: constant + perFrame * T bytes.
struct Size {
  int64_t constant = 0, perFrame = 0;
};

/// C[i, j] = sum over k of A[i, k] * B[k, j] for matrices in signals' memory,
/// each result one sum in ascending k.
struct MatrixProduct {
  /// Element (row, column) lies `row * rowStride + column * columnStride` behind
  /// the first element of the view at `frame` (null: at its beginning).
  struct Matrix {
    View view;
    Value frame;
    int64_t rowStride, columnStride;
  };
  Type element;
  int64_t rows, columns, depth;
  /// Which of them are for every frame of the domain besides.
  bool rowsOverFrames = false, depthOverFrames = false;
  bool inWindow = false; ///< the domain
  Matrix lhs, rhs, result;
  bool roundsToBf16 = false;       ///< both factors, before they are multiplied
  Value weight;                    ///< rhs if it is static: what a packed copy is found by
  Operation *beforeLoop = nullptr; ///< where to do once what a loop needs; null outside of loops
};

/// For every point of a space, elements combined in an order of the target's own.
struct Reduction {
  Space space;                 ///< of the results
  TypedAttr neutral;           ///< the result of no elements
  int64_t count;               ///< elements of a result
  bool overFrames = false;     ///< so many for every frame of the domain
  bool inWindow = false;       ///< the domain
  Value frame;                 ///< the current one in a loop over frames; else null
  bool isAlong = false;        ///< a result's elements lie side by side, rather than those of neighbouring results
  SmallVector<unsigned> reads; ///< buffers
  View target;
  /// Element i of a result, and two of them combined.
  std::function<Value(const Point &result, Value i)> load;
  std::function<Value(Value, Value)> combine;
};

class RegionEmitter;

class FunctionEmitter {
public:
  FunctionEmitter(OpBuilder &builder, ScheduleOp schedule, unsigned vectorBits);
  virtual ~FunctionEmitter() = default;

  OpBuilder &b;
  Location loc;
  ScheduleOp schedule;
  IndexMath index;
  unsigned vectorBits;
  int64_t streams;
  int64_t history;    ///< H, older frames of the window
  ThreadIds ids;      ///< of the function or kernel being emitted
  Value frames;       ///< T
  Value windowFrames; ///< H + T
  /// The first of the domain's frames that are to be computed, and how many; null: all of them.
  Value pieceBegin, pieceFrames;
  View ages; ///< of the chunk; base is null if nothing asks
  View windowAges;
  View flags; ///< one i32: flag 2 while the step runs

  /// Creates the function `symbol` and enters it. The schedule has a memory plan.
  /// The function gets the attributes `rnn.name` and `rnn.memory`.
  virtual void begin(StringRef symbol) = 0;
  virtual void end() = 0;

  /// Before and after the regions of a wavefront, whose number of loops is `loops`; `older` frames are in its domain
  /// besides those of the chunk. A target that cuts them into pieces sets `pieceBegin` and `pieceFrames` meanwhile.
  virtual void beginWavefront(int64_t older, unsigned loops) {}
  virtual void endWavefront() {}
  /// Before each region of a schedule.
  virtual void beginRegion(Operation *region) {}

  /// Error 11: the target has no code for an op.
  LogicalResult unsupported(Operation *op);

  /// Between these calls a loop over frames is emitted, in which threads meet.
  virtual void beginLoop() {}
  virtual void endLoop() {}
  /// Emits the frames of a recurrent region in a way of the target's own. `ops`
  /// are those that a frame computes, in order; what outlives a frame has its
  /// memory. Returns false, with nothing emitted, to have them emitted one by one;
  /// fails, with an error, if the schedule asks for a way that is none.
  virtual FailureOr<bool> emitFrames(RegionEmitter &region, ArrayRef<Operation *> ops) { return false; }
  /// Emits a loop over this thread's share of `points` items, or, if `frames` is
  /// not null, of so many for each of those frames.
  virtual void share(int64_t points, Value frames, function_ref<void(Value item)> body) = 0;
  /// Emits this thread's share of a product, in order behind earlier accesses.
  /// Returns false, with nothing emitted, if the target has no way for it.
  virtual bool emitProduct(const MatrixProduct &product) = 0;
  /// Emits this thread's share of a reduction, in order behind earlier accesses.
  /// Returns false, with nothing emitted, to have every result computed by one
  /// thread.
  virtual bool emitReduction(const Reduction &reduction) { return false; }
  /// True if `emitReduction` divides the sums of a loop over frames that have so
  /// many elements among threads, best where these are neighbours in memory.
  virtual bool dividesSums(Type element, int64_t count) const { return false; }

  /// The session's tensor number `position` of the table.
  View tensor(unsigned position, Rate rate, RankedTensorType type);
  /// The planned memory of a signal (rnn-plan-memory).
  View planned(SlotAttr slot, RankedTensorType type, Rate rate);
  /// New memory for a signal in the workspace, behind the planned: for every
  /// frame of the chunk (`extraRows` = 0) or window, every stream, or once.
  View allocate(RankedTensorType type, Rate rate, int64_t extraRows = 0);
  /// New memory for `count` elements.
  View allocateFlat(Type element, int64_t count);
  /// Frees what is allocated from here to the end of its life. All threads
  /// must be past that memory then.
  class Scratch {
  public:
    explicit Scratch(FunctionEmitter &emitter) : e(emitter), before(e.used) {}
    ~Scratch() { e.used = before; }

  private:
    FunctionEmitter &e;
    Size before;
  };

  /// The order between threads: a group of work says what it reads and writes
  /// before it is emitted; where that conflicts, a barrier is put before it.
  void access(ArrayRef<unsigned> reads, ArrayRef<unsigned> writes);
  /// A barrier, if anything was accessed since the last one.
  void synchronize();
  /// A barrier.
  void barrier();
  /// The elements of a constant, as private memory of the module.
  View constant(DenseElementsAttr elements, RankedTensorType type);
  /// Emits at `place`, which comes before a loop, what is done once, and a barrier
  /// behind it.
  void emitBefore(Operation *place, function_ref<void()> body);
  /// Emits what only the first thread does.
  void onFirstThread(function_ref<void()> body);

  /// The memory of a view: memref<?xelement>, and, but for constants, !llvm.ptr.
  Value base(const View &view);
  Value pointer(const View &view);
  /// True for the memory of a constant, which may begin at any element's alignment.
  bool isConstant(const View &view) const { return bool(buffers[view.buffer - 1].constant); }
  Value loadElement(const View &view, const Point &point);
  /// Loads `lanes` elements (a scalar for one) along the last dimension, whose
  /// stride must be 0 or 1 if there are several. `mask` may be null.
  Value load(const View &view, const Point &point, unsigned lanes, Value mask);
  void store(Value value, const View &view, const Point &point, unsigned lanes, Value mask);
  Value address(const View &view, const Point &point);
  /// Loads at an address of a view's memory.
  Value loadAt(Value base, Value at, Type element, int64_t lastStride, unsigned lanes, Value mask);
  /// The age (i64) of a point's frame, which counts from the window's first
  /// frame if `inWindow`.
  Value loadAge(Value frame, Value stream, bool inWindow);

  using RowBody = function_ref<void(const Point &point, unsigned lanes, Value mask)>;
  /// A loop nest over this thread's share of a space, in vectors of `lanes`
  /// along the last dimension; `row` is called once before each run of vectors
  /// with equal other coordinates.
  void forEachVector(const Space &space, unsigned lanes, const Frames &when, function_ref<void(const Point &)> row,
                     RowBody body);
  /// Copies a signal at every point. The caller has declared the access.
  void copy(const View &source, const View &target, Rate rate, const Frames &when);
  /// Lanes of a vector for elements of these types, `inner` of them in a row.
  unsigned lanesFor(ArrayRef<Type> elements, int64_t inner) const;

  Type lanesType(Type element, unsigned lanes) { return lanes == 1 ? element : VectorType::get(lanes, element); }
  /// A constant of `lanes` equal elements.
  Value splat(Type element, unsigned lanes, double value);
  Value splat(TypedAttr element, unsigned lanes);
  Value add(Value x, Value y);
  Value multiply(Value x, Value y);
  /// x * y + sum, of floats with one rounding.
  Value multiplyAdd(Value x, Value y, Value sum);
  /// The nearest bf16 of values, ties to even, in their own type; f64 by way of f32.
  Value roundToBf16(Value value);
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(this->b, loc, predicate, a, b);
  }

protected:
  /// As users name the target: `cpu`.
  virtual StringRef getTargetName() const = 0;
  /// All threads of the function meet.
  virtual void emitBarrier() = 0;
  /// The pointer number `position` of the session's tensors, as !llvm.ptr.
  virtual Value loadTensorPointer(unsigned position) = 0;

  /// Takes the memory of the plan; the rest of the workspace lies behind it.
  void beginWorkspace();
  DictionaryAttr describeWorkspace();
  /// Where `flags` are in it: `constant + per_frame * T` bytes from its beginning.
  DictionaryAttr describeFlags();
  /// Code goes to another function or kernel from here on: `before` is where
  /// addresses are computed in it, `workspace` an !llvm.ptr.
  void enter(Operation *before, Value workspace);

  Operation *symbols = nullptr; ///< whose symbol table takes constants
  Attribute memorySpace;        ///< of all memory
  int64_t vectorsPerItem = 4;   ///< that one item of work covers at least

private:
  /// Where a buffer lies.
  struct Buffer {
    Type element;
    std::optional<unsigned> tensor; ///< the session's tensor with this number
    memref::GlobalOp constant;      ///< or a constant
    Size offset;                    ///< or a place in the workspace
  };
  View makeView(Buffer buffer, RankedTensorType type, Rate rate);
  /// A row-major signal at an offset of the workspace.
  View workspaceView(Size offset, RankedTensorType type, Rate rate);

  Operation *entryMarker = nullptr; ///< addresses are computed before it
  Value workspace;
  SmallVector<Buffer> buffers;           ///< number i + 1
  llvm::DenseMap<unsigned, Value> bases; ///< of buffers, where code goes now
  llvm::DenseMap<unsigned, Value> pointers;
  Size used;   ///< of the workspace, from its beginning
  Size needed; ///< the most that was used, in both terms
  llvm::SmallSet<unsigned, 16> readSince, writtenSince;
};

} // namespace mlir::rnn::loops

#endif // RNN_CONVERSION_RNNTOLOOPS_FUNCTIONEMITTER_H
