//===- RNNToGPU.cpp - Schedules as kernels and a launch list ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every `rnn.schedule` becomes a list of launches, one after another on one
// stream. The loops come from RNNToLoops. Where all threads would have to meet,
// a kernel ends and the next begins. A loop over frames is one kernel: by units
// (UnitLoop.h) where its body allows that, else op by op (OpByOp.cpp).
//
//===----------------------------------------------------------------------===//

#include "GpuEmitter.h"
#include "Product.h"
#include "UnitLoop.h"
#include "rnn/Conversion/Passes.h"
#include "rnn/Runtime/LaunchTable.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

namespace mlir::rnn {
#define GEN_PASS_DEF_CONVERTRNNTOGPU
#include "rnn/Conversion/Passes.h.inc"
} // namespace mlir::rnn

namespace {

/// Threads of a block whose threads never meet.
constexpr int64_t kBlockThreads = 256;

struct ConvertRNNToGPU : rnn::impl::ConvertRNNToGPUBase<ConvertRNNToGPU> {
  using ConvertRNNToGPUBase::ConvertRNNToGPUBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (regime != "auto" && regime != "block" && regime != "cluster" && regime != "grid") {
      module.emitError() << "unknown regime '" << regime << "'; expected auto, block, cluster or grid";
      return signalPassFailure();
    }
    if (failed(convertToKernels(module, {regime, multiprocessors, clusterBlocks, sharedBytes, pieceFrames})))
      signalPassFailure();
  }
};

} // namespace

LogicalResult loops::convertToKernels(ModuleOp module, const ConvertRNNToGPUOptions &options,
                                      GpuEmitter::Recorder recorder) {
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), UnitAttr::get(module.getContext()));
  auto builder = OpBuilder::atBlockBegin(module.getBody());
  auto kernels = gpu::GPUModuleOp::create(builder, module.getLoc(), "rnn_kernels");
  return convertSchedules(module, [&](OpBuilder &builder, ScheduleOp schedule) {
    return std::make_unique<GpuEmitter>(builder, schedule, kernels, options, recorder);
  });
}

GpuEmitter::GpuEmitter(OpBuilder &builder, ScheduleOp schedule, gpu::GPUModuleOp kernels,
                       const ConvertRNNToGPUOptions &options, Recorder recorder)
    : FunctionEmitter(builder, schedule, /*vectorBits=*/32), kernels(kernels), options(options),
      recorder(std::move(recorder)), loopMultiprocessors(options.multiprocessors) {
  symbols = kernels;
  memorySpace = builder.getI64IntegerAttr(kGlobalMemory);
  vectorsPerItem = 1;
}

void GpuEmitter::begin(StringRef symbol) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext(), kGlobalMemory);
  function = func::FuncOp::create(b, loc, symbol, b.getFunctionType({pointer, pointer, b.getIndexType()}, {}));
  function->setAttr("rnn.name", schedule.getSymNameAttr());
  b.setInsertionPointToStart(function.addEntryBlock());
  func::ReturnOp::create(b, loc);
  beginWorkspace();
  beginKernel();
}

void GpuEmitter::end() {
  endKernel();
  function->setAttr("rnn.memory", describeWorkspace());
  if (waitsForBlocks)
    function->setAttr("rnn.flags", describeFlags());
}

void GpuEmitter::beginKernel() {
  b.setInsertionPointToEnd(&kernels.getBodyRegion().front());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext(), kGlobalMemory);
  std::string name = (function.getSymName() + "_k" + Twine(kernelNumber)).str();
  SmallVector<Type> arguments{pointer, pointer, b.getI64Type()};
  if (inPieces())
    arguments.append(2, b.getI64Type());
  kernel = gpu::GPUFuncOp::create(b, loc, name, b.getFunctionType(arguments, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  items = {1, 0};
  sharedBytes = 0;

  b.setInsertionPointToStart(&kernel.getBody().front());
  auto x = gpu::Dimension::x;
  Value thread = gpu::ThreadIdOp::create(b, loc, x), threads = gpu::BlockDimOp::create(b, loc, x);
  if (!isLoop || shape.blocks > 1) {
    thread = index.add(index.mul(gpu::BlockIdOp::create(b, loc, x), threads), thread);
    threads = index.mul(threads, gpu::GridDimOp::create(b, loc, x));
  }
  ids = {thread, threads};
  frames = arith::IndexCastOp::create(b, loc, b.getIndexType(), kernel.getArgument(2));
  windowFrames = index.add(frames, index.constant(history));
  pieceBegin = pieceFrames = {};
  if (inPieces()) {
    pieceBegin = arith::IndexCastOp::create(b, loc, b.getIndexType(), kernel.getArgument(3));
    pieceFrames = arith::IndexCastOp::create(b, loc, b.getIndexType(), kernel.getArgument(4));
  }
  b.setInsertionPoint(gpu::ReturnOp::create(b, loc));
  // Addresses stand before the marker, everything else after it.
  Value marker = index.constant(0);
  enter(marker.getDefiningOp(), kernel.getArgument(0));
}

void GpuEmitter::endKernel() {
  auto isStore = [](Operation *op) {
    return isa<memref::StoreOp, vector::StoreOp>(op) ? WalkResult::interrupt() : WalkResult::advance();
  };
  if (!kernel.walk(isStore).wasInterrupted())
    return kernel.erase();
  launch();
  ++kernelNumber;
}

void GpuEmitter::launch() {
  int64_t threads = shape.threads ? shape.threads : kBlockThreads;
  if (isLoop && !shape.threads)
    threads = std::min<int64_t>(llvm::alignTo(items.constant, kWarpThreads), kMaxBlockThreads);
  auto blockSize = b.getDenseI32ArrayAttr({int32_t(threads), 1, 1});
  kernel->setAttr("known_block_size", blockSize);
  if (isLoop)
    emitLoopRemark(std::max<int64_t>(shape.blocks, 1), threads);
  // One block of a loop a multiprocessor: its threads may have all registers.
  if (const int64_t resident = isLoop ? 1 : shape.residentBlocks) {
    kernel->setAttr("nvvm.reqntid", blockSize);
    kernel->setAttr("nvvm.minctasm", b.getI32IntegerAttr(resident));
  }
  const int64_t perBlock = shape.itemsPerBlock ? shape.itemsPerBlock : threads;

  OpBuilder host(function.getBody().front().getTerminator());
  if (beforeWavefront && !wavefront->launches.empty())
    host.setInsertionPoint(wavefront->launches.front().op);
  IndexMath hostIndex{host, loc};
  Value one = hostIndex.constant(1), blocks = one;
  AffineExpr frame = host.getAffineSymbolExpr(0);
  // In pieces the work is that of the domain's frames.
  if (inPieces())
    frame = frame + wavefront->older;
  if (shape.blocks) {
    blocks = hostIndex.constant(shape.blocks);
  } else if (!isLoop && items.perFrame) {
    // As many threads as items, for this T.
    AffineExpr count = frame * items.perFrame + items.constant;
    blocks = affine::AffineApplyOp::create(host, loc, AffineMap::get(0, 1, count.ceilDiv(perBlock)),
                                           ValueRange{function.getArgument(2)});
  } else if (!isLoop) {
    blocks = hostIndex.constant(llvm::divideCeil(items.constant, perBlock));
  }
  auto widen = [&](Value count) -> Value { return arith::IndexCastOp::create(host, loc, host.getI64Type(), count); };
  SmallVector<Value> operands{function.getArgument(0), function.getArgument(1), widen(function.getArgument(2))};
  if (inPieces()) {
    // As it stands here, one piece of all frames.
    operands.push_back(arith::ConstantOp::create(host, loc, host.getI64IntegerAttr(0)));
    operands.push_back(widen(
        affine::AffineApplyOp::create(host, loc, AffineMap::get(0, 1, frame), ValueRange{function.getArgument(2)})));
  }
  Value dynamicBytes;
  if (sharedBytes)
    dynamicBytes = arith::ConstantOp::create(host, loc, host.getI32IntegerAttr(sharedBytes));
  std::optional<gpu::KernelDim3> cluster;
  if (shape.clusterBlocks > 1)
    cluster = gpu::KernelDim3{hostIndex.constant(shape.clusterBlocks), one, one};
  auto launch = gpu::LaunchFuncOp::create(host, loc, kernel, {blocks, one, one},
                                          {hostIndex.constant(threads), one, one}, dynamicBytes, operands,
                                          /*asyncTokenType=*/nullptr, /*asyncDependencies=*/{}, cluster);
  if (shape.isCooperative)
    launch->setAttr("rnn.cooperative", host.getUnitAttr());
  if (shape.isExact)
    launch->setAttr("rnn.exact", host.getUnitAttr());
  if (inPieces())
    addToWavefront(launch, threads);
  waitsForBlocks |= shape.isCooperative || shape.clusterBlocks > 1;
}

void GpuEmitter::beginLoop(KernelShape wanted) {
  endKernel();
  isLoop = true;
  shape = wanted;
  beginKernel();
}

void GpuEmitter::endLoop() {
  if (isLost)
    endOpByOp();
  endKernel();
  isLoop = false;
  shape = {};
  beginKernel();
}

void GpuEmitter::emitKernel(const KernelShape &wanted, Size work, function_ref<void()> body) {
  endKernel();
  shape = wanted;
  beginKernel();
  items = work;
  body();
  endKernel();
  shape = {};
  beginKernel();
}

bool GpuEmitter::emitProduct(const MatrixProduct &product) {
  // Within a loop over frames all threads are at work on one frame.
  const bool rounds = product.roundsToBf16 && !product.element.isF32();
  if (product.beforeLoop || !ProductKernel::isSupported(product.element) || rounds)
    return false;
  ProductKernel(*this, product).emit();
  return true;
}

FailureOr<bool> GpuEmitter::emitFrames(RegionEmitter &frames, ArrayRef<Operation *> ops) {
  const bool isByUnits = emitByUnits(frames, ops);
  if (recorder)
    recorder(region, description);
  auto loop = cast<RecurrentOp>(region).getLoopAttr();
  if (!isByUnits && loop && loop.getRegime() != LoopRegime::OpByOp)
    return region->emitError() << "cannot deal out the loop as '" << loop << "': " << description.reason;
  if (!isByUnits)
    opByOp = spreadOpByOp(ops, /*others=*/1);
  return isByUnits;
}

bool GpuEmitter::emitByUnits(RegionEmitter &region, ArrayRef<Operation *> ops) {
  auto emit = [&](bool onlyInRegisters) {
    UnitLoop loop(*this, region, ops);
    const bool isByUnits = loop.plan();
    description = loop.describe();
    if (!isByUnits || (onlyInRegisters && !description.inRegisters))
      return false;
    loop.emit();
    return true;
  };
  if (!wavefront)
    return emit(false);
  // Weights in registers are worth more than loops that overlap.
  if (emit(true))
    return true;
  const int64_t shared = loopMultiprocessors;
  loopMultiprocessors = options.multiprocessors;
  bool isByUnits = emit(true);
  loopMultiprocessors = shared;
  return isByUnits || emit(false);
}

void GpuEmitter::emitBarrier() {
  if (isLost)
    return meetAcrossBlocks();
  if (isLoop) {
    gpu::BarrierOp::create(b, loc);
    return;
  }
  endKernel();
  beginKernel();
}

SmallVector<Value> GpuEmitter::await(int64_t count, Value isDead, function_ref<Value(SmallVectorImpl<Value> &)> poll) {
  Type i32 = b.getI32Type();
  Value patient = arith::XOrIOp::create(b, loc, isDead, arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
  // The words, whether something is missing, and the number of polls.
  SmallVector<Type> results(count, i32);
  results.append({b.getI1Type(), i32});
  auto loop = scf::WhileOp::create(
      b, loc, results, ValueRange{constantI32(0)},
      [&](OpBuilder &, Location, ValueRange arguments) {
        SmallVector<Value> words;
        Value isMissing = poll(words);
        isMissing = arith::AndIOp::create(b, loc, isMissing, patient);
        Value mayGoOn = compare(arith::CmpIPredicate::ult, arguments[0], constantI32(kMaxPolls));
        words.append({isMissing, arguments[0]});
        scf::ConditionOp::create(b, loc, arith::AndIOp::create(b, loc, isMissing, mayGoOn), words);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        scf::YieldOp::create(b, loc, ValueRange{arith::AddIOp::create(b, loc, arguments.back(), constantI32(1))});
      });
  return SmallVector<Value>(loop.getResults().drop_back());
}

void GpuEmitter::reportLoss(Value isLost) {
  auto branch = scf::IfOp::create(b, loc, isLost, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  store(constantI32(runtime::kStalled | (kernelNumber + 1) << runtime::kStalledKernelShift), flags, {}, 1, {});
}

Value GpuEmitter::allocateShared(Type element, int64_t count) {
  auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get({count}, element, MemRefLayoutAttrInterface(), space);
  if (shape.sharedBytes > kStaticSharedBytes) {
    auto bytes = MemRefType::get({ShapedType::kDynamic}, b.getI8Type(), MemRefLayoutAttrInterface(), space);
    Value all = gpu::DynamicSharedMemoryOp::create(b, loc, bytes);
    Value begin = index.constant(sharedBytes);
    sharedBytes = llvm::alignTo(sharedBytes + count * (element.getIntOrFloatBitWidth() / 8), kAccessBytes);
    return memref::ViewOp::create(b, loc, type, all, begin, ValueRange());
  }
  Value memory = kernel.addWorkgroupAttribution(type, loc);
  kernel.setWorkgroupAttributionAttr(kernel.getNumWorkgroupAttributions() - 1, LLVM::LLVMDialect::getAlignAttrName(),
                                     b.getI64IntegerAttr(kAccessBytes));
  return memory;
}

/// Of an access that is as wide as a thread's may be.
static llvm::MaybeAlign findAlignment(VectorType type) {
  const int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  return bytes <= kAccessBytes ? llvm::MaybeAlign(bytes) : llvm::MaybeAlign();
}

void GpuEmitter::storeNeighbours(ArrayRef<Value> elements, Value memory, Value at) {
  if (elements.size() == 1) {
    memref::StoreOp::create(b, loc, elements.front(), memory, at);
    return;
  }
  auto type = VectorType::get(elements.size(), elements.front().getType());
  Value vector = vector::FromElementsOp::create(b, loc, type, elements);
  vector::StoreOp::create(b, loc, vector, memory, at, /*nontemporal=*/false, findAlignment(type));
}

SmallVector<Value> GpuEmitter::loadNeighbours(Value memory, Value at, int64_t count) {
  if (count == 1)
    return {memref::LoadOp::create(b, loc, memory, at)};
  auto type = VectorType::get(count, cast<MemRefType>(memory.getType()).getElementType());
  Value vector = vector::LoadOp::create(b, loc, type, memory, at, /*nontemporal=*/false, findAlignment(type));
  SmallVector<Value> elements;
  for (int64_t i = 0; i < count; ++i)
    elements.push_back(vector::ExtractOp::create(b, loc, vector, i));
  return elements;
}

Value GpuEmitter::packBf16(Value low, Value high) {
  Value pair = NVVM::ConvertF32x2ToBF16x2Op::create(b, loc, VectorType::get(2, b.getBF16Type()), high, low, Value(),
                                                    NVVM::FPRoundingMode::RN);
  return LLVM::BitcastOp::create(b, loc, b.getI32Type(), pair);
}

SmallVector<Value> GpuEmitter::multiplyTiles(ArrayRef<Value> left, ArrayRef<Value> right, ArrayRef<Value> sums) {
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  constexpr int64_t shape[] = {kTileRows, kTileColumns, kTileDepth};
  Value product = NVVM::MmaOp::create(
      b, loc, type, left, right, sums, shape, /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16}, std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  SmallVector<Value> results;
  for (int64_t i = 0; i < 4; ++i)
    results.push_back(LLVM::ExtractValueOp::create(b, loc, product, i));
  return results;
}

Value GpuEmitter::combineLanes(Value value, int64_t lanes, function_ref<Value(Value, Value)> combine, int64_t stride) {
  for (int64_t distance = lanes / 2; distance >= stride; distance /= 2) {
    auto shuffle =
        gpu::ShuffleOp::create(b, loc, value, constantI32(distance), constantI32(kWarpThreads), gpu::ShuffleMode::XOR);
    value = combine(value, shuffle.getShuffleResult());
  }
  return value;
}

Value GpuEmitter::loadTensorPointer(unsigned position) {
  Value tensors = kernel.getArgument(1);
  Value slot = LLVM::GEPOp::create(b, loc, tensors.getType(), tensors.getType(), tensors,
                                   ArrayRef<LLVM::GEPArg>{int32_t(position)});
  return LLVM::LoadOp::create(b, loc, tensors.getType(), slot);
}

/// Neighbouring threads take neighbouring items.
void GpuEmitter::share(int64_t points, Value perFrame, function_ref<void(Value)> body) {
  Value count = index.constant(points);
  Size size{points, 0};
  Value before;
  if (perFrame && pieceFrames) {
    before = index.mul(count, pieceBegin);
    count = index.mul(count, pieceFrames);
    size = {0, points};
  } else if (perFrame) {
    count = index.mul(count, perFrame);
    size = {perFrame == windowFrames ? points * history : 0, points};
  }
  items = {std::max(items.constant, size.constant), std::max(items.perFrame, size.perFrame)};
  auto loop = scf::ForOp::create(b, loc, ids.thread, count, ids.threads);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value item = loop.getInductionVar();
  body(before ? index.add(before, item) : item);
}
