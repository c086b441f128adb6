//===- RNNToCPU.cpp - Schedules as functions for the CPU --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every `rnn.schedule` becomes one function that all threads enter once
// (docs/Artifact.md, "Compiled functions"). The loops come from RNNToLoops; here
// is how threads find memory, share work, meet and multiply.
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/Passes.h"
#include "rnn/Conversion/RNNToCPU/Product.h"
#include "rnn/Conversion/RNNToLoops/ScheduleEmitter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

namespace mlir::rnn {
#define GEN_PASS_DEF_CONVERTRNNTOCPU
#include "rnn/Conversion/Passes.h.inc"
} // namespace mlir::rnn

namespace {

/// Bytes of the fields of RnnContext (docs/Artifact.md).
enum ContextField { kFrames = 0, kTensors = 8, kWorkspace = 16, kBarrier = 24 };

/// Emits one function `symbol(context, thread, threads)`.
class CpuEmitter : public FunctionEmitter {
public:
  using FunctionEmitter::FunctionEmitter;

  void begin(StringRef symbol) override;
  void end() override;
  void share(int64_t points, Value frames, function_ref<void(Value item)> body) override;
  bool emitProduct(const MatrixProduct &product) override;

protected:
  StringRef getTargetName() const override { return "cpu"; }
  void emitBarrier() override;
  Value loadTensorPointer(unsigned position) override;

private:
  /// A copy of a weight in panels (0: in rows), and how it was made.
  struct Packed {
    View memory;
    int64_t panel, depthStride;
    bool isRounded;
    bool isLike(const Packed &other) const {
      return panel == other.panel && depthStride == other.depthStride && isRounded == other.isRounded;
    }
  };
  /// A dimension of a matrix, which may be for every frame of the domain besides.
  struct Span {
    int64_t size;
    bool overFrames;
  };

  Value contextField(int64_t bytes, Type type);
  MatrixView at(const MatrixProduct::Matrix &matrix);
  Extent extentOf(Span span, bool inWindow);
  /// A copy of `count` elements that is made once per region, before its loop if it has one.
  View copyWeight(const MatrixProduct &product, int64_t panel, int64_t count, function_ref<void(View)> emit);
  /// The panels of the right side, rounded if the product's operands are.
  View pack(const MatrixProduct &product, const ProductTiling &tiling);
  /// Memory for a copy of a matrix, `inner` elements in a row.
  View allocateCopy(const MatrixProduct &product, Span outer, int64_t inner);
  /// The right side in rows, rounded; its columns lie side by side.
  MatrixProduct::Matrix roundRight(const MatrixProduct &product);
  /// The left side, rounded, in its order.
  MatrixProduct::Matrix roundLeft(const MatrixProduct &product);
  /// Copies a matrix, rounded, with `inner` elements in a row.
  void emitRounded(const MatrixProduct::Matrix &from, View to, Extent outer, int64_t outerStride, int64_t inner,
                   int64_t innerStride);

  func::FuncOp function;
  Value context, thread, tensors;
  llvm::DenseMap<Value, Packed> packed;
};

} // namespace

Value CpuEmitter::contextField(int64_t bytes, Type type) {
  Value at = LLVM::GEPOp::create(b, loc, context.getType(), b.getI8Type(), context, ArrayRef<LLVM::GEPArg>{bytes});
  return LLVM::LoadOp::create(b, loc, type, at);
}

void CpuEmitter::begin(StringRef symbol) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i64 = b.getI64Type();
  function = func::FuncOp::create(b, loc, symbol, b.getFunctionType({pointer, i64, i64}, {}));
  function->setAttr("rnn.name", schedule.getSymNameAttr());
  symbols = function->getParentOp();
  b.setInsertionPointToStart(function.addEntryBlock());
  context = function.getArgument(0);
  thread = function.getArgument(1);
  auto toIndex = [&](Value value) -> Value { return arith::IndexCastOp::create(b, loc, b.getIndexType(), value); };
  ids = {toIndex(thread), toIndex(function.getArgument(2))};
  frames = toIndex(contextField(kFrames, i64));
  windowFrames = index.add(frames, index.constant(history));
  tensors = contextField(kTensors, pointer);
  Value workspace = contextField(kWorkspace, pointer);
  b.setInsertionPoint(func::ReturnOp::create(b, loc));
  // Addresses stand before the marker, everything else after it.
  Value marker = index.constant(0);
  enter(marker.getDefiningOp(), workspace);
  beginWorkspace();
}

void CpuEmitter::end() { function->setAttr("rnn.memory", describeWorkspace()); }

Value CpuEmitter::loadTensorPointer(unsigned position) {
  Type pointer = tensors.getType();
  Value slot = LLVM::GEPOp::create(b, loc, pointer, pointer, tensors, ArrayRef<LLVM::GEPArg>{int32_t(position)});
  return LLVM::LoadOp::create(b, loc, pointer, slot);
}

void CpuEmitter::emitBarrier() {
  Value several = compare(arith::CmpIPredicate::ugt, ids.threads, index.constant(1));
  auto branch = scf::IfOp::create(b, loc, several, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value callee = contextField(kBarrier, context.getType());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {context.getType(), b.getI64Type()});
  LLVM::CallOp::create(b, loc, type, ValueRange{callee, context, thread});
}

void CpuEmitter::share(int64_t points, Value frames, function_ref<void(Value)> body) {
  Value count = index.constant(points);
  if (frames)
    count = index.mul(count, frames);
  emitShare(b, loc, count, ids, [&](OpBuilder &, Location, Value item) { body(item); });
}

MatrixView CpuEmitter::at(const MatrixProduct::Matrix &matrix) {
  Value offset = index.addScaled(index.constant(matrix.view.shift), matrix.frame, matrix.view.frameStride);
  return {base(matrix.view), offset, matrix.rowStride, matrix.columnStride};
}

Extent CpuEmitter::extentOf(Span span, bool inWindow) {
  if (!span.overFrames)
    return span.size;
  Value domainFrames = inWindow ? windowFrames : frames;
  return span.size == 1 ? domainFrames : index.mul(domainFrames, index.constant(span.size));
}

View CpuEmitter::copyWeight(const MatrixProduct &product, int64_t panel, int64_t count, function_ref<void(View)> emit) {
  Packed copy{{}, panel, product.rhs.rowStride, product.roundsToBf16};
  auto found = packed.find(product.weight);
  if (found != packed.end() && found->second.isLike(copy))
    return found->second.memory;
  View memory = copy.memory = allocateFlat(product.element, count);
  if (product.beforeLoop) {
    emitBefore(product.beforeLoop, [&] { emit(memory); });
  } else {
    access({product.rhs.view.buffer}, {memory.buffer});
    emit(memory);
  }
  packed[product.weight] = copy;
  return memory;
}

View CpuEmitter::pack(const MatrixProduct &product, const ProductTiling &tiling) {
  auto round = [&](Value value) { return product.roundsToBf16 ? roundToBf16(value) : value; };
  return copyWeight(product, tiling.panel(), packedSize(product.depth, product.columns, tiling), [&](View memory) {
    emitPack(b, loc, product.element, at(product.rhs), product.depth, product.columns, base(memory), index.constant(0),
             tiling, ids, round);
  });
}

void CpuEmitter::emitRounded(const MatrixProduct::Matrix &from, View to, Extent outer, int64_t outerStride,
                             int64_t inner, int64_t innerStride) {
  const unsigned lanes = innerStride == 1 ? lanesFor(to.type.getElementType(), inner) : 1;
  const int64_t even = inner / lanes * lanes;
  const MatrixView source = at(from);
  emitShare(b, loc, outer.materialize(b, loc), ids, [&](OpBuilder &, Location, Value item) {
    Value begin = index.addScaled(source.offset, item, outerStride);
    Value target = index.mul(item, index.constant(inner));
    auto copy = [&](int64_t first, int64_t end, unsigned width) {
      auto loop = scf::ForOp::create(b, loc, index.constant(first), index.constant(end), index.constant(width));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Value i = loop.getInductionVar();
      Value value = loadAt(source.base, index.addScaled(begin, i, innerStride), to.type.getElementType(), innerStride,
                           width, /*mask=*/{});
      store(roundToBf16(value), to, {{}, {}, {index.add(target, i)}}, width, /*mask=*/{});
    };
    if (even)
      copy(0, even, lanes);
    if (even < inner)
      copy(even, inner, 1);
  });
}

View CpuEmitter::allocateCopy(const MatrixProduct &product, Span outer, int64_t inner) {
  const int64_t count = outer.size * inner;
  if (!outer.overFrames)
    return allocateFlat(product.element, count);
  // What is for every frame is for every stream, too.
  return allocate(RankedTensorType::get({count / streams}, product.element), Rate::Frame,
                  product.inWindow ? history : 0);
}

MatrixProduct::Matrix CpuEmitter::roundRight(const MatrixProduct &product) {
  const Span depth{product.depth, product.depthOverFrames};
  auto emit = [&](View memory) {
    emitRounded(product.rhs, memory, extentOf(depth, product.inWindow), product.rhs.rowStride, product.columns, 1);
  };
  if (product.weight)
    return {copyWeight(product, /*panel=*/0, product.depth * product.columns, emit), {}, product.columns, 1};
  View memory = allocateCopy(product, depth, product.columns);
  access({product.rhs.view.buffer}, {memory.buffer});
  emit(memory);
  return {memory, {}, product.columns, 1};
}

MatrixProduct::Matrix CpuEmitter::roundLeft(const MatrixProduct &product) {
  const MatrixProduct::Matrix &lhs = product.lhs;
  const Span rows{product.rows, product.rowsOverFrames}, depth{product.depth, product.depthOverFrames};
  // The copy's inner dimension is static, and should be the one along which elements lie side by side.
  const bool isByColumns = depth.overFrames || (lhs.rowStride == 1 && lhs.columnStride != 1 && !rows.overFrames);
  const Span outer = isByColumns ? depth : rows, inner = isByColumns ? rows : depth;
  View memory = allocateCopy(product, outer, inner.size);
  access({lhs.view.buffer}, {memory.buffer});
  emitRounded(lhs, memory, extentOf(outer, product.inWindow), isByColumns ? lhs.columnStride : lhs.rowStride,
              inner.size, isByColumns ? lhs.rowStride : lhs.columnStride);
  return {memory, {}, isByColumns ? 1 : inner.size, isByColumns ? inner.size : 1};
}

bool CpuEmitter::emitProduct(const MatrixProduct &request) {
  Product product;
  product.element = request.element;
  product.columns = request.columns;
  product.tiling =
      ProductTiling::choose(vectorBits, request.element, request.rowsOverFrames ? 0 : request.rows, request.columns);
  // Columns that do not lie side by side are packed.
  product.rhsPacked = request.rhs.columnStride != 1;
  MatrixProduct::Matrix lhs = request.lhs, rhs = request.rhs;
  if (product.rhsPacked)
    rhs = {pack(request, product.tiling), {}, 0, 1};
  else if (request.roundsToBf16)
    rhs = roundRight(request);
  if (request.roundsToBf16)
    lhs = roundLeft(request);
  access({lhs.view.buffer, rhs.view.buffer}, {request.result.view.buffer});
  product.rows = extentOf({request.rows, request.rowsOverFrames}, request.inWindow);
  product.depth = extentOf({request.depth, request.depthOverFrames}, request.inWindow);
  product.lhs = at(lhs);
  product.rhs = at(rhs);
  product.result = at(request.result);
  rnn::emitProduct(b, loc, product, ids);
  return true;
}

namespace {

struct ConvertRNNToCPU : rnn::impl::ConvertRNNToCPUBase<ConvertRNNToCPU> {
  using ConvertRNNToCPUBase::ConvertRNNToCPUBase;

  void runOnOperation() override {
    auto makeEmitter = [&](OpBuilder &builder, ScheduleOp schedule) {
      return std::make_unique<CpuEmitter>(builder, schedule, vectorBits);
    };
    if (failed(convertSchedules(getOperation(), makeEmitter)))
      signalPassFailure();
  }
};

} // namespace
