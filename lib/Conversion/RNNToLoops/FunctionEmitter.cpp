//===- FunctionEmitter.cpp - State while a function is emitted --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/FunctionEmitter.h"

#include "rnn/Conversion/RNNToLoops/Memory.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// Buffers begin at cache lines, for any number of frames.
static constexpr int64_t kAlignment = 64;

SmallVector<int64_t> loops::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

Type loops::memoryType(Type element) {
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

LogicalResult FunctionEmitter::unsupported(Operation *op) {
  InFlightDiagnostic diag = op->emitError()
                            << "'" << op->getName() << "' op is not supported on target '" << getTargetName() << "'";
  diag.attachNote() << "supported on: interpreter";
  return diag;
}

void FunctionEmitter::beginWorkspace() {
  auto plan = schedule->getAttrOfType<DictionaryAttr>("rnn.memory");
  used.constant = plan.getAs<IntegerAttr>("constant").getInt();
  used.perFrame = plan.getAs<IntegerAttr>("per_frame").getInt();
  needed = used;
}

DictionaryAttr FunctionEmitter::describeWorkspace() {
  auto bytes = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
  return b.getDictionaryAttr(
      {bytes("constant", needed.constant), bytes("per_frame", needed.perFrame), bytes("per_thread", 0)});
}

DictionaryAttr FunctionEmitter::describeFlags() {
  Size offset = buffers[flags.buffer - 1].offset;
  return b.getDictionaryAttr({b.getNamedAttr("constant", b.getI64IntegerAttr(offset.constant)),
                              b.getNamedAttr("per_frame", b.getI64IntegerAttr(offset.perFrame))});
}

void FunctionEmitter::enter(Operation *before, Value workspace) {
  entryMarker = before;
  this->workspace = workspace;
  bases.clear();
  pointers.clear();
  readSince.clear();
  writtenSince.clear();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

View FunctionEmitter::makeView(Buffer buffer, RankedTensorType type, Rate rate) {
  buffer.element = memoryType(type.getElementType());
  buffers.push_back(buffer);
  View view;
  view.buffer = buffers.size();
  view.type = type;
  view.strides = rowMajorStrides(type.getShape());
  view.streamStride = rate >= Rate::Stream ? type.getNumElements() : 0;
  view.frameStride = rate == Rate::Frame ? streams * view.streamStride : 0;
  return view;
}

View FunctionEmitter::tensor(unsigned position, Rate rate, RankedTensorType type) {
  Buffer buffer;
  buffer.tensor = position;
  return makeView(buffer, type, rate);
}

View FunctionEmitter::workspaceView(Size offset, RankedTensorType type, Rate rate) {
  Buffer buffer;
  buffer.offset = offset;
  return makeView(buffer, type, rate);
}

Value FunctionEmitter::pointer(const View &view) {
  Value &pointer = pointers[view.buffer];
  if (pointer)
    return pointer;
  const Buffer &buffer = buffers[view.buffer - 1];
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(entryMarker);
  if (buffer.tensor)
    return pointer = loadTensorPointer(*buffer.tensor);
  Type i64 = b.getI64Type();
  Value bytes = LLVM::ConstantOp::create(b, loc, i64, buffer.offset.constant);
  if (buffer.offset.perFrame) {
    Value frameCount = arith::IndexCastOp::create(b, loc, i64, frames);
    Value perFrame = LLVM::ConstantOp::create(b, loc, i64, buffer.offset.perFrame);
    bytes = LLVM::AddOp::create(b, loc, LLVM::MulOp::create(b, loc, frameCount, perFrame), bytes);
  }
  return pointer =
             LLVM::GEPOp::create(b, loc, workspace.getType(), b.getI8Type(), workspace, ArrayRef<LLVM::GEPArg>{bytes});
}

Value FunctionEmitter::base(const View &view) {
  Value &base = bases[view.buffer];
  if (base)
    return base;
  const Buffer &buffer = buffers[view.buffer - 1];
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(entryMarker);
  memref::GlobalOp global = buffer.constant;
  if (!global)
    return base = buildMemRefFromPointer(b, loc, pointer(view), buffer.element, memorySpace);
  Value memory = memref::GetGlobalOp::create(b, loc, global.getType(), global.getSymName());
  auto flat = MemRefType::get({ShapedType::kDynamic}, buffer.element, MemRefLayoutAttrInterface(), memorySpace);
  return base = memref::CastOp::create(b, loc, flat, memory);
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
  const bool isSplat = elements.isSplat();
  int64_t count = isSplat ? 1 : type.getNumElements();
  if (isSplat)
    elements = elements.resizeSplat(RankedTensorType::get({1}, stored));
  else
    elements = elements.reshape(RankedTensorType::get({count}, stored));
  auto flat = MemRefType::get({count}, stored, MemRefLayoutAttrInterface(), memorySpace);
  OpBuilder detached(b.getContext());
  Buffer buffer;
  buffer.constant = memref::GlobalOp::create(detached, loc, "rnn_constant", b.getStringAttr("private"), flat, elements,
                                             /*constant=*/true, IntegerAttr());
  SymbolTable(symbols).insert(buffer.constant, symbols->getRegion(0).front().begin());
  View view = makeView(buffer, type, Rate::Static);
  if (isSplat)
    view.strides.assign(type.getRank(), 0);
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
  return loadAt(base(view), address(view, point), view.type.getElementType(), lastStride(view), lanes, mask);
}

Value FunctionEmitter::loadElement(const View &view, const Point &point) { return load(view, point, 1, {}); }

void FunctionEmitter::store(Value value, const View &view, const Point &point, unsigned lanes, Value mask) {
  Type element = view.type.getElementType();
  if (element.isInteger(1))
    value = arith::ExtUIOp::create(b, loc, lanesType(memoryType(element), lanes), value);
  Value at = address(view, point), memory = base(view);
  if (lanes == 1)
    memref::StoreOp::create(b, loc, value, memory, at);
  else if (mask)
    vector::MaskedStoreOp::create(b, loc, memory, at, mask, value);
  else
    vector::StoreOp::create(b, loc, value, memory, at);
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

static bool isFloat(Value value) { return isa<FloatType>(getElementTypeOrSelf(value)); }

Value FunctionEmitter::add(Value x, Value y) {
  return isFloat(x) ? Value(arith::AddFOp::create(b, loc, x, y)) : Value(arith::AddIOp::create(b, loc, x, y));
}

Value FunctionEmitter::multiply(Value x, Value y) {
  return isFloat(x) ? Value(arith::MulFOp::create(b, loc, x, y)) : Value(arith::MulIOp::create(b, loc, x, y));
}

Value FunctionEmitter::multiplyAdd(Value x, Value y, Value sum) {
  if (isFloat(x))
    return math::FmaOp::create(b, loc, x, y, sum);
  return add(sum, arith::MulIOp::create(b, loc, x, y));
}

/// In integers: not every target converts, and none of them calls a library.
Value FunctionEmitter::roundToBf16(Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  if (getElementTypeOrSelf(value).isF64()) {
    Type single = vector ? Type(vector.clone(b.getF32Type())) : b.getF32Type();
    Value rounded = roundToBf16(arith::TruncFOp::create(b, loc, single, value));
    return arith::ExtFOp::create(b, loc, value.getType(), rounded);
  }
  auto constant = [&](int64_t bits) { return splat(b.getI32Type(), vector ? vector.getNumElements() : 1, bits); };
  Type word = vector ? Type(vector.clone(b.getI32Type())) : b.getI32Type();
  Value bits = arith::BitcastOp::create(b, loc, word, value);
  Value last = arith::ShRUIOp::create(b, loc, bits, constant(16));
  last = arith::AndIOp::create(b, loc, last, constant(1));
  Value half = arith::AddIOp::create(b, loc, last, constant(0x7fff));
  Value rounded = arith::AndIOp::create(b, loc, arith::AddIOp::create(b, loc, bits, half), constant(-0x10000));
  rounded = arith::BitcastOp::create(b, loc, value.getType(), rounded);
  Value isNan = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, value, value);
  return arith::SelectOp::create(b, loc, isNan, value, rounded);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

void FunctionEmitter::barrier() {
  readSince.clear();
  writtenSince.clear();
  emitBarrier();
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

void FunctionEmitter::emitBefore(Operation *place, function_ref<void()> body) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(place);
  body();
  emitBarrier();
}

void FunctionEmitter::onFirstThread(function_ref<void()> body) {
  Value first = compare(arith::CmpIPredicate::eq, ids.thread, index.constant(0));
  auto branch = scf::IfOp::create(b, loc, first, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}
