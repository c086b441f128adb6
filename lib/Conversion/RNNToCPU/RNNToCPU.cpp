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
  /// A copy of a weight in panels, and how it was packed.
  struct Packed {
    View memory;
    int64_t panel, depthStride;
  };

  Value contextField(int64_t bytes, Type type);
  MatrixView at(const MatrixProduct::Matrix &matrix);
  /// The panels of the right side, packed once per region.
  View pack(const MatrixProduct &product, const ProductTiling &tiling);

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

View CpuEmitter::pack(const MatrixProduct &product, const ProductTiling &tiling) {
  auto found = packed.find(product.weight);
  if (found != packed.end() && found->second.panel == tiling.panel() &&
      found->second.depthStride == product.rhs.rowStride)
    return found->second.memory;
  View memory = allocateFlat(product.element, packedSize(product.depth, product.columns, tiling));
  auto emit = [&] {
    emitPack(b, loc, product.element, at(product.rhs), product.depth, product.columns, base(memory), index.constant(0),
             tiling, ids);
  };
  if (product.beforeLoop) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(product.beforeLoop);
    emit();
    emitBarrier();
  } else {
    access({product.rhs.view.buffer}, {memory.buffer});
    emit();
  }
  packed[product.weight] = {memory, tiling.panel(), product.rhs.rowStride};
  return memory;
}

bool CpuEmitter::emitProduct(const MatrixProduct &request) {
  if (request.roundsToBf16) // plain loops round their operands
    return false;
  Product product;
  product.element = request.element;
  product.columns = request.columns;
  product.tiling =
      ProductTiling::choose(vectorBits, request.element, request.rowsOverFrames ? 0 : request.rows, request.columns);
  // Columns that do not lie side by side are packed.
  product.rhsPacked = request.rhs.columnStride != 1;
  View rhs = product.rhsPacked ? pack(request, product.tiling) : request.rhs.view;
  access({request.lhs.view.buffer, rhs.buffer}, {request.result.view.buffer});
  Value domainFrames = request.inWindow ? windowFrames : frames;
  auto extent = [&](int64_t size, bool overFrames) -> Extent {
    if (!overFrames)
      return size;
    return size == 1 ? domainFrames : index.mul(domainFrames, index.constant(size));
  };
  product.rows = extent(request.rows, request.rowsOverFrames);
  product.depth = extent(request.depth, request.depthOverFrames);
  product.lhs = at(request.lhs);
  product.result = at(request.result);
  product.rhs = product.rhsPacked ? MatrixView{base(rhs), index.constant(0), 0, 1} : at(request.rhs);
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
