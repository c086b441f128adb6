//===- FunctionEmitter.cpp - State while a function is emitted --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionEmitter.h"

#include "rnn/Conversion/RNNToCPU/Memory.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::cpu;

/// Bytes of the fields of RnnContext (docs/Artifact.md).
enum ContextField { kFrames = 0, kTensors = 8, kWorkspace = 16, kBarrier = 24 };

/// Buffers begin at cache lines, for any number of frames.
static constexpr int64_t kAlignment = 64;

SmallVector<int64_t> cpu::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

Type cpu::memoryType(Type element) {
  return element.isInteger(1) ? IntegerType::get(element.getContext(), 8) : element;
}

bool View::isContiguous() const {
  SmallVector<int64_t> expected = rowMajorStrides(type.getShape());
  for (auto [size, stride, wanted] : llvm::zip(type.getShape(), strides, expected))
    if (size != 1 && stride != wanted)
      return false;
  return true;
}

bool View::isSplat() const {
  return llvm::all_of(llvm::zip(type.getShape(), strides),
                      [](auto dim) { return std::get<0>(dim) == 1 || std::get<1>(dim) == 0; });
}

FunctionEmitter::FunctionEmitter(OpBuilder &builder, ScheduleOp schedule, unsigned vectorBits)
    : b(builder), loc(schedule.getLoc()), schedule(schedule), index{builder, schedule.getLoc()}, vectorBits(vectorBits),
      streams(schedule.getStreams()), history(schedule.getHistory()) {}

Value FunctionEmitter::contextField(int64_t bytes, Type type) {
  Value at = LLVM::GEPOp::create(b, loc, context.getType(), b.getI8Type(), context, ArrayRef<LLVM::GEPArg>{bytes});
  return LLVM::LoadOp::create(b, loc, type, at);
}

void FunctionEmitter::begin(StringRef symbol) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i64 = b.getI64Type();
  function = func::FuncOp::create(b, loc, symbol, b.getFunctionType({pointer, i64, i64}, {}));
  b.setInsertionPointToStart(function.addEntryBlock());
  context = function.getArgument(0);
  thread = function.getArgument(1);
  auto toIndex = [&](Value value) -> Value { return arith::IndexCastOp::create(b, loc, b.getIndexType(), value); };
  ids = {toIndex(thread), toIndex(function.getArgument(2))};
  frames = toIndex(contextField(kFrames, i64));
  windowFrames = index.add(frames, index.constant(history));
  tensors = contextField(kTensors, pointer);
  workspace = contextField(kWorkspace, pointer);
  entryMarker = func::ReturnOp::create(b, loc);
  b.setInsertionPoint(entryMarker);
  // Allocations stand before the marker, everything else after it.
  Value marker = index.constant(0);
  entryMarker = marker.getDefiningOp();
  auto plan = schedule->getAttrOfType<DictionaryAttr>("rnn.memory");
  used.constant = plan.getAs<IntegerAttr>("constant").getInt();
  used.perFrame = plan.getAs<IntegerAttr>("per_frame").getInt();
  needed = used;
  flagsCell = allocateFlat(b.getI32Type(), 1).base;
}

void FunctionEmitter::end() {
  auto bytes = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
  function->setAttr("rnn.memory", b.getDictionaryAttr({bytes("constant", needed.constant),
                                                       bytes("per_frame", needed.perFrame), bytes("per_thread", 0)}));
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

View FunctionEmitter::tensor(unsigned position, Rate rate, RankedTensorType type) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(entryMarker);
  Type pointer = tensors.getType();
  Value slot = LLVM::GEPOp::create(b, loc, pointer, pointer, tensors, ArrayRef<LLVM::GEPArg>{int32_t(position)});
  Value address = LLVM::LoadOp::create(b, loc, pointer, slot);
  View view;
  view.base = buildMemRefFromPointer(b, loc, address, memoryType(type.getElementType()));
  view.type = type;
  view.strides = rowMajorStrides(type.getShape());
  view.streamStride = rate >= Rate::Stream ? type.getNumElements() : 0;
  view.frameStride = rate == Rate::Frame ? streams * view.streamStride : 0;
  view.buffer = nextBuffer++;
  return view;
}

View FunctionEmitter::workspaceView(Size offset, RankedTensorType type, Rate rate) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(entryMarker);
  Type i64 = b.getI64Type();
  Value bytes = LLVM::ConstantOp::create(b, loc, i64, offset.constant);
  if (offset.perFrame) {
    Value frameCount = arith::IndexCastOp::create(b, loc, i64, frames);
    Value perFrame = LLVM::ConstantOp::create(b, loc, i64, offset.perFrame);
    bytes = LLVM::AddOp::create(b, loc, LLVM::MulOp::create(b, loc, frameCount, perFrame), bytes);
  }
  Value address =
      LLVM::GEPOp::create(b, loc, workspace.getType(), b.getI8Type(), workspace, ArrayRef<LLVM::GEPArg>{bytes});
  View view;
  view.base = buildMemRefFromPointer(b, loc, address, memoryType(type.getElementType()));
  view.type = type;
  view.strides = rowMajorStrides(type.getShape());
  view.streamStride = rate >= Rate::Stream ? type.getNumElements() : 0;
  view.frameStride = rate == Rate::Frame ? streams * view.streamStride : 0;
  view.buffer = nextBuffer++;
  return view;
}

View FunctionEmitter::planned(SlotAttr slot, RankedTensorType type, Rate rate) {
  return workspaceView({slot.getOffset(), slot.getPerFrame()}, type, rate);
}

View FunctionEmitter::allocate(RankedTensorType type, Rate rate, int64_t extraRows) {
  int64_t signal =
      type.getNumElements() * llvm::divideCeil(memoryType(type.getElementType()).getIntOrFloatBitWidth(), 8);
  int64_t row = llvm::alignTo(rate >= Rate::Stream ? signal * streams : signal, kAlignment);
  View view = workspaceView(used, type, rate);
  used.constant += rate == Rate::Frame ? row * extraRows : row;
  used.perFrame += rate == Rate::Frame ? row : 0;
  needed = {std::max(needed.constant, used.constant), std::max(needed.perFrame, used.perFrame)};
  return view;
}

View FunctionEmitter::constant(DenseElementsAttr elements, RankedTensorType type) {
  Type stored = memoryType(type.getElementType());
  if (type.getElementType().isInteger(1))
    elements = elements.mapValues(stored, [](const APInt &value) { return value.zext(8); });
  // Of a splat one element is enough.
  View view;
  view.type = type;
  view.strides = rowMajorStrides(type.getShape());
  int64_t count = type.getNumElements();
  if (elements.isSplat()) {
    view.strides.assign(type.getRank(), 0);
    count = 1;
    elements = elements.resizeSplat(RankedTensorType::get({1}, stored));
  } else {
    elements = elements.reshape(RankedTensorType::get({count}, stored));
  }
  auto flat = MemRefType::get({count}, stored);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(function);
  auto global = memref::GlobalOp::create(b, loc, "rnn_constant", b.getStringAttr("private"), flat, elements,
                                         /*constant=*/true, IntegerAttr());
  SymbolTable(function->getParentOfType<ModuleOp>()).insert(global);
  b.setInsertionPoint(entryMarker);
  Value memory = memref::GetGlobalOp::create(b, loc, flat, global.getSymName());
  view.base = memref::CastOp::create(b, loc, MemRefType::get({ShapedType::kDynamic}, stored), memory);
  view.buffer = nextBuffer++;
  return view;
}

View FunctionEmitter::allocateFlat(Type element, int64_t count) {
  return allocate(RankedTensorType::get({count}, element), Rate::Static);
}

Value FunctionEmitter::address(const View &view, const Point &point) {
  Value at = view.shift ? index.constant(view.shift) : Value();
  at = index.addScaled(at, point.frame, view.frameStride);
  at = index.addScaled(at, point.stream, view.streamStride);
  for (auto [coordinate, stride] : llvm::zip(point.element, view.strides))
    at = index.addScaled(at, coordinate, stride);
  return at ? at : index.constant(0);
}

Value FunctionEmitter::loadAt(Value base, Value at, Type element, int64_t lastStride, unsigned lanes, Value mask) {
  Value value;
  Type stored = memoryType(element);
  if (lanes == 1 || lastStride == 0) {
    value = memref::LoadOp::create(b, loc, base, at);
    if (lanes > 1)
      value = vector::BroadcastOp::create(b, loc, lanesType(stored, lanes), value);
  } else {
    auto type = VectorType::get(lanes, stored);
    if (mask) {
      Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
      value = vector::MaskedLoadOp::create(b, loc, type, base, at, mask, zero);
    } else {
      value = vector::LoadOp::create(b, loc, type, base, at);
    }
  }
  if (!element.isInteger(1))
    return value;
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(value.getType()));
  return compare(arith::CmpIPredicate::ne, value, zero);
}

static int64_t lastStride(const View &view) { return view.strides.empty() ? 0 : view.strides.back(); }

Value FunctionEmitter::load(const View &view, const Point &point, unsigned lanes, Value mask) {
  return loadAt(view.base, address(view, point), view.type.getElementType(), lastStride(view), lanes, mask);
}

Value FunctionEmitter::loadElement(const View &view, const Point &point) { return load(view, point, 1, {}); }

void FunctionEmitter::store(Value value, const View &view, const Point &point, unsigned lanes, Value mask) {
  Type element = view.type.getElementType();
  if (element.isInteger(1))
    value = arith::ExtUIOp::create(b, loc, lanesType(memoryType(element), lanes), value);
  Value at = address(view, point);
  if (lanes == 1)
    memref::StoreOp::create(b, loc, value, view.base, at);
  else if (mask)
    vector::MaskedStoreOp::create(b, loc, view.base, at, mask, value);
  else
    vector::StoreOp::create(b, loc, value, view.base, at);
}

Value FunctionEmitter::loadAge(Value frame, Value stream, bool inWindow) {
  return loadElement(inWindow ? windowAges : ages, {frame, stream, {}});
}

Value FunctionEmitter::splat(Type element, unsigned lanes, double value) {
  TypedAttr attribute;
  if (isa<FloatType>(element))
    attribute = b.getFloatAttr(element, value);
  else
    attribute = b.getIntegerAttr(element, int64_t(value));
  return splat(attribute, lanes);
}

Value FunctionEmitter::splat(TypedAttr element, unsigned lanes) {
  if (lanes > 1)
    element = DenseElementsAttr::get(VectorType::get(lanes, element.getType()), Attribute(element));
  return arith::ConstantOp::create(b, loc, element);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

void FunctionEmitter::barrier() {
  readSince.clear();
  writtenSince.clear();
  emitBarrier();
}

void FunctionEmitter::emitBarrier() {
  Value several = compare(arith::CmpIPredicate::ugt, ids.threads, index.constant(1));
  auto branch = scf::IfOp::create(b, loc, several, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value callee = contextField(kBarrier, context.getType());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {context.getType(), b.getI64Type()});
  LLVM::CallOp::create(b, loc, type, ValueRange{callee, context, thread});
}

void FunctionEmitter::synchronize() {
  if (!readSince.empty() || !writtenSince.empty())
    barrier();
}

void FunctionEmitter::access(ArrayRef<unsigned> reads, ArrayRef<unsigned> writes) {
  auto written = [&](unsigned buffer) { return writtenSince.contains(buffer); };
  auto touched = [&](unsigned buffer) { return written(buffer) || readSince.contains(buffer); };
  if (llvm::any_of(reads, written) || llvm::any_of(writes, touched))
    barrier();
  readSince.insert_range(reads);
  writtenSince.insert_range(writes);
}

void FunctionEmitter::onFirstThread(function_ref<void()> body) {
  Value first = compare(arith::CmpIPredicate::eq, ids.thread, index.constant(0));
  auto branch = scf::IfOp::create(b, loc, first, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}
