//===- NVVMToEmulator.cpp - GPU kernels as functions for the host -----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels' code stays as it is. What only a GPU has becomes calls through
// the table `rnn_emulator_2` (rnn/Runtime/EmulatorAbi.h), and all memory is one
// address space.
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/InlinePtx.h"
#include "rnn/Conversion/Passes.h"
#include "rnn/Runtime/EmulatorAbi.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cstddef>

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_CONVERTNVVMTOEMULATOR
#include "rnn/Conversion/Passes.h.inc"
} // namespace mlir::rnn

namespace {

constexpr StringLiteral kTable = RNN_EMULATOR_VARIABLE;
/// The address space of a block's shared memory.
constexpr unsigned kSharedMemory = 3;

/// Converts the kernels of one GPU module into functions of the module around it.
class KernelConverter {
public:
  explicit KernelConverter(gpu::GPUModuleOp kernels)
      : kernels(kernels), module(kernels->getParentOfType<ModuleOp>()), b(kernels), loc(kernels.getLoc()),
        pointer(LLVM::LLVMPointerType::get(b.getContext())), i32(b.getI32Type()), i64(b.getI64Type()) {}

  LogicalResult convert();

private:
  void placeSharedMemory();
  LogicalResult rewrite(Operation *op);
  LogicalResult rewriteShuffle(NVVM::ShflOp op);
  LogicalResult rewriteMma(NVVM::MmaOp op);
  LogicalResult rewriteConversion(NVVM::ConvertF32x2ToBF16x2Op op);
  LogicalResult rewritePtx(NVVM::InlinePtxOp op);
  LogicalResult rewriteTest(Operation *op, Value mbarrier, Value parity);
  LogicalResult rewriteAtomic(Operation *op, bool writes);
  void flattenMemory();
  void addEntry(LLVM::LLVMFuncOp kernel);
  /// Calls a function of the table; `field` is its offset there.
  Value call(size_t field, ValueRange arguments, Type result = {});
  /// Replaces an op without results by such a call.
  LogicalResult replace(Operation *op, size_t field, ValueRange arguments);
  Value constant(int32_t value) { return LLVM::ConstantOp::create(b, loc, i32, value); }
  /// The place of the next operation of whole warps.
  Value nextPlace() { return constant(places++); }

  gpu::GPUModuleOp kernels;
  ModuleOp module;
  OpBuilder b;
  Location loc;
  Type pointer, i32, i64;
  llvm::DenseMap<Operation *, int64_t> sharedOffsets; ///< of addresses of globals in shared memory
  int32_t places = 0;
};

} // namespace

Value KernelConverter::call(size_t field, ValueRange arguments, Type result) {
  Value table = LLVM::AddressOfOp::create(b, loc, pointer, kTable);
  table = LLVM::LoadOp::create(b, loc, pointer, table);
  Value slot = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), table, ArrayRef<LLVM::GEPArg>{int32_t(field)});
  Value callee = LLVM::LoadOp::create(b, loc, pointer, slot);
  SmallVector<Value> operands{callee};
  llvm::append_range(operands, arguments);
  auto type = LLVM::LLVMFunctionType::get(result ? result : LLVM::LLVMVoidType::get(b.getContext()),
                                          llvm::to_vector(arguments.getTypes()));
  auto op = LLVM::CallOp::create(b, loc, type, operands);
  return result ? op.getResult() : Value();
}

LogicalResult KernelConverter::replace(Operation *op, size_t field, ValueRange arguments) {
  call(field, arguments);
  op->erase();
  return success();
}

/// The number of a special register, or -1.
static int32_t registerNumber(StringRef name) {
  if (!name.consume_front("nvvm.read.ptx.sreg."))
    return -1;
  int32_t single = llvm::StringSwitch<int32_t>(name)
                       .Case("laneid", RNN_EMULATOR_LANEID)
                       .Case("warpsize", RNN_EMULATOR_WARPSIZE)
                       .Case("cluster.ctarank", RNN_EMULATOR_CLUSTER_CTARANK)
                       .Case("cluster.nctarank", RNN_EMULATOR_CLUSTER_NCTARANK)
                       .Default(-1);
  if (single >= 0)
    return single;
  auto [base, axis] = name.rsplit('.');
  int32_t first = llvm::StringSwitch<int32_t>(base)
                      .Case("tid", RNN_EMULATOR_TID)
                      .Case("ntid", RNN_EMULATOR_NTID)
                      .Case("ctaid", RNN_EMULATOR_CTAID)
                      .Case("nctaid", RNN_EMULATOR_NCTAID)
                      .Case("clusterid", RNN_EMULATOR_CLUSTERID)
                      .Case("nclusterid", RNN_EMULATOR_NCLUSTERID)
                      .Case("cluster.ctaid", RNN_EMULATOR_CLUSTER_CTAID)
                      .Case("cluster.nctaid", RNN_EMULATOR_CLUSTER_NCTAID)
                      .Default(-1);
  int32_t digit = llvm::StringSwitch<int32_t>(axis).Case("x", 0).Case("y", 1).Case("z", 2).Default(-1);
  return first < 0 || digit < 0 ? -1 : first + digit;
}

/// Shuffles move 32 bits.
LogicalResult KernelConverter::rewriteShuffle(NVVM::ShflOp op) {
  if (op.getReturnValueAndIsValid())
    return op.emitOpError("that tells whether the lane is valid is not known to the emulator");
  int32_t how = llvm::StringSwitch<int32_t>(NVVM::stringifyShflKind(op.getKind()))
                    .Case("bfly", RNN_EMULATOR_SHUFFLE_BUTTERFLY)
                    .Case("up", RNN_EMULATOR_SHUFFLE_UP)
                    .Case("down", RNN_EMULATOR_SHUFFLE_DOWN)
                    .Default(RNN_EMULATOR_SHUFFLE_INDEX);
  Value value = op.getVal();
  Type type = value.getType();
  if (type != i32)
    value = LLVM::BitcastOp::create(b, loc, i32, value);
  Value result = call(offsetof(RnnEmulator, shuffle),
                      {op.getThreadMask(), constant(how), value, op.getOffset(), op.getMaskAndClamp()}, i32);
  if (type != i32)
    result = LLVM::BitcastOp::create(b, loc, type, result);
  op.replaceAllUsesWith(result);
  op.erase();
  return success();
}

/// Fragments of bf16 are words: four of A, two of B; C and D are four f32.
LogicalResult KernelConverter::rewriteMma(NVVM::MmaOp op) {
  NVVM::MMAShapeAttr shape = op.getShape();
  if (op.getMultiplicandAPtxType() != NVVM::MMATypes::bf16 || op.getMultiplicandBPtxType() != NVVM::MMATypes::bf16 ||
      shape.getM() != 16 || shape.getN() != 8 || shape.getK() != 16 || op.getLayoutA() != NVVM::MMALayout::row ||
      op.getLayoutB() != NVVM::MMALayout::col)
    return op.emitOpError("is known to the emulator for bf16, m = 16, n = 8, k = 16, row and col only");
  constexpr int32_t kWords = 10, kFirstOfC = 6;
  Value words;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&op->getParentOfType<LLVM::LLVMFuncOp>().front());
    words = LLVM::AllocaOp::create(b, loc, pointer, i32, constant(kWords));
  }
  auto place = [&](int32_t word) -> Value {
    return LLVM::GEPOp::create(b, loc, pointer, i32, words, ArrayRef<LLVM::GEPArg>{word});
  };
  for (auto [word, operand] : llvm::enumerate(op->getOperands()))
    LLVM::StoreOp::create(b, loc, operand, place(int32_t(word)));
  call(offsetof(RnnEmulator, mma_bf16), {words, nextPlace()});
  Value result = LLVM::PoisonOp::create(b, loc, op.getType());
  for (int64_t i = 0; i < 4; ++i) {
    Value word = LLVM::LoadOp::create(b, loc, b.getF32Type(), place(kFirstOfC + int32_t(i)));
    result = LLVM::InsertValueOp::create(b, loc, result, word, i);
  }
  op.replaceAllUsesWith(result);
  op.erase();
  return success();
}

/// To the nearest bf16, ties to even; NaN to the one that a GPU has.
LogicalResult KernelConverter::rewriteConversion(NVVM::ConvertF32x2ToBF16x2Op op) {
  if (op.getRnd() != NVVM::FPRoundingMode::RN || op.getRelu() || op.getSat() != NVVM::SaturationMode::NONE)
    return op.emitOpError("is known to the emulator with rounding to the nearest only");
  auto convert = [&](Value value) -> Value {
    Value bits = LLVM::BitcastOp::create(b, loc, i32, value);
    Value isOdd = LLVM::AndOp::create(b, loc, LLVM::LShrOp::create(b, loc, bits, constant(16)), constant(1));
    Value rounded = LLVM::AddOp::create(b, loc, bits, LLVM::AddOp::create(b, loc, isOdd, constant(0x7fff)));
    Value isNan = LLVM::FCmpOp::create(b, loc, LLVM::FCmpPredicate::uno, value, value);
    return LLVM::SelectOp::create(b, loc, isNan, constant(0x7fff0000), rounded);
  };
  Value low = LLVM::LShrOp::create(b, loc, convert(op.getSrcLo()), constant(16));
  Value high = LLVM::AndOp::create(b, loc, convert(op.getSrcHi()), constant(int32_t(0xffff0000)));
  Value word = LLVM::OrOp::create(b, loc, low, high);
  op.replaceAllUsesWith(LLVM::BitcastOp::create(b, loc, op.getType(), word).getResult());
  op.erase();
  return success();
}

/// A test of an mbarrier's phase; its result is an i1, or an i32 of inline PTX.
LogicalResult KernelConverter::rewriteTest(Operation *op, Value mbarrier, Value parity) {
  if (parity.getType() != i32)
    return op->emitOpError("on a state is not known to the emulator; expected a parity");
  Value done = call(offsetof(RnnEmulator, mbarrier_try_wait), {mbarrier, parity}, i32);
  Type type = op->getResult(0).getType();
  if (type != i32)
    done = LLVM::TruncOp::create(b, loc, type, done);
  op->replaceAllUsesWith(ValueRange{done});
  op->erase();
  return success();
}

/// The text is a name, nothing to be parsed.
LogicalResult KernelConverter::rewritePtx(NVVM::InlinePtxOp op) {
  StringRef text = op.getPtxCode();
  OperandRange in = op.getReadOnlyArgs();
  if (op.getPredicate() || !op.getReadWriteArgs().empty())
    return op.emitOpError("with a predicate or operands to be changed is not known to the emulator");
  if (text == kPtxMove && in.size() == 1 && op->getNumResults() == 1) {
    op->replaceAllUsesWith(in);
    op->erase();
    return success();
  }
  if (text == kPtxCount && in.size() == 1 && op->getNumResults() == 1) {
    call(offsetof(RnnEmulator, yield), constant(1));
    Value before =
        LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::add, in[0], constant(1), LLVM::AtomicOrdering::acq_rel);
    op->replaceAllUsesWith(ValueRange{before});
    op->erase();
    return success();
  }
  bool loads = text == kPtxLoad16;
  if ((loads && in.size() == 1 && op->getNumResults() == 4) || (text == kPtxStore16 && in.size() == 5)) {
    // No other thread runs in between: there is one thread of the host.
    call(offsetof(RnnEmulator, yield), constant(!loads));
    for (int32_t i = 0; i < 4; ++i) {
      Value address = LLVM::GEPOp::create(b, loc, pointer, i32, in[0], ArrayRef<LLVM::GEPArg>{i});
      if (!loads) {
        auto store = LLVM::StoreOp::create(b, loc, in[i + 1], address, /*alignment=*/4);
        store.setOrdering(LLVM::AtomicOrdering::monotonic);
        continue;
      }
      auto load = LLVM::LoadOp::create(b, loc, op->getResult(i).getType(), address, /*alignment=*/4);
      load.setOrdering(LLVM::AtomicOrdering::monotonic);
      op->getResult(i).replaceAllUsesWith(load);
    }
    op->erase();
    return success();
  }
  if (text == kPtxStoreAsync && in.size() == 3 && in[1].getType() == i32)
    return replace(op, offsetof(RnnEmulator, store_async), in);
  if (text == kPtxStoreAsync16 && in.size() == 6 &&
      llvm::all_of(in.slice(1, 4).getTypes(), [&](Type type) { return type == i32; })) {
    for (int32_t i = 0; i < 4; ++i) {
      Value address = LLVM::GEPOp::create(b, loc, pointer, i32, in[0], ArrayRef<LLVM::GEPArg>{i});
      call(offsetof(RnnEmulator, store_async), {address, in[i + 1], in[5]});
    }
    op->erase();
    return success();
  }
  if (text == kPtxTryWait && in.size() == 2 && op->getNumResults() == 1 && op->getResult(0).getType() == i32)
    return rewriteTest(op, in[0], in[1]);
  return op.emitOpError("is not known to the emulator: \"") << text << "\"";
}

/// Another thread may run before an atomic access; the access itself is one on
/// the host, too.
LogicalResult KernelConverter::rewriteAtomic(Operation *op, bool writes) {
  op->removeAttr("syncscope");
  call(offsetof(RnnEmulator, yield), constant(writes));
  return success();
}

/// The table: what a GPU has and the host does not.
LogicalResult KernelConverter::rewrite(Operation *op) {
  b.setInsertionPoint(op);
  loc = op->getLoc();
  int32_t number = registerNumber(op->getName().getStringRef());
  if (number >= 0) {
    op->replaceAllUsesWith(ValueRange{call(offsetof(RnnEmulator, special), constant(number), i32)});
    op->erase();
    return success();
  }
  auto meet = [&](Operation *op, size_t field, Value id, Value threads) {
    id = id ? id : constant(0);
    threads = threads ? threads : constant(0);
    return replace(op, field, {id, threads, nextPlace()});
  };
  auto fence = [&](Operation *op, LLVM::AtomicOrdering ordering) {
    LLVM::FenceOp::create(b, loc, ordering);
    op->erase();
    return success();
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](NVVM::Barrier0Op op) { return meet(op, offsetof(RnnEmulator, barrier), {}, {}); })
      .Case([&](NVVM::BarrierOp op) -> LogicalResult {
        if (op->getNumResults())
          return op->emitOpError("with a reduction is not known to the emulator");
        return meet(op, offsetof(RnnEmulator, barrier), op.getBarrierId(), op.getNumberOfThreads());
      })
      .Case([&](NVVM::BarrierArriveOp op) {
        return meet(op, offsetof(RnnEmulator, arrive), op.getBarrierId(), op.getNumberOfThreads());
      })
      .Case([&](NVVM::SyncWarpOp op) { return replace(op, offsetof(RnnEmulator, warp_barrier), op.getMask()); })
      .Case([&](NVVM::ShflOp op) { return rewriteShuffle(op); })
      .Case([&](NVVM::MmaOp op) { return rewriteMma(op); })
      .Case([&](NVVM::ConvertF32x2ToBF16x2Op op) { return rewriteConversion(op); })
      .Case([&](NVVM::InlinePtxOp op) { return rewritePtx(op); })
      .Case<NVVM::ClusterArriveOp, NVVM::ClusterArriveRelaxedOp>([&](Operation *op) {
        bool relaxed = isa<NVVM::ClusterArriveRelaxedOp>(op);
        return replace(op, offsetof(RnnEmulator, cluster_arrive), {constant(relaxed), nextPlace()});
      })
      .Case([&](NVVM::ClusterWaitOp op) { return replace(op, offsetof(RnnEmulator, cluster_wait), nextPlace()); })
      .Case([&](NVVM::MapaOp op) {
        op.replaceAllUsesWith(call(offsetof(RnnEmulator, mapa), {op.getA(), op.getB()}, pointer));
        op.erase();
        return success();
      })
      .Case([&](NVVM::RcpApproxFtzF32Op op) {
        Value one = LLVM::ConstantOp::create(b, loc, b.getF32FloatAttr(1));
        op.replaceAllUsesWith(LLVM::FDivOp::create(b, loc, one, op.getArg()).getResult());
        op.erase();
        return success();
      })
      .Case([&](NVVM::MBarrierInitOp op) -> LogicalResult {
        if (op.getPredicate())
          return op.emitOpError("with a predicate is not known to the emulator");
        return replace(op, offsetof(RnnEmulator, mbarrier_init), {op.getAddr(), op.getCount()});
      })
      .Case([&](NVVM::MBarrierArriveOp op) -> LogicalResult {
        if (!op->use_empty() || op.getCount() || op.getRelaxed())
          return op.emitOpError("with a count, a used state or relaxed is not known to the emulator");
        return replace(op, offsetof(RnnEmulator, mbarrier_arrive), {op.getAddr(), constant(0)});
      })
      .Case([&](NVVM::MBarrierArriveExpectTxOp op) -> LogicalResult {
        if (!op->use_empty() || op.getPredicate() || op.getRelaxed())
          return op.emitOpError("with a predicate, a used state or relaxed is not known to the emulator");
        return replace(op, offsetof(RnnEmulator, mbarrier_arrive), {op.getAddr(), op.getTxcount()});
      })
      .Case<NVVM::MBarrierTestWaitOp, NVVM::MBarrierTryWaitOp>([&](auto op) -> LogicalResult {
        if (op.getRelaxed())
          return op.emitOpError("that is relaxed is not known to the emulator");
        return rewriteTest(op, op.getAddr(), op.getStateOrPhase());
      })
      .Case<NVVM::MembarOp, NVVM::FenceScClusterOp>(
          [&](Operation *op) { return fence(op, LLVM::AtomicOrdering::seq_cst); })
      .Case([&](NVVM::FenceMbarrierInitOp op) { return fence(op, LLVM::AtomicOrdering::release); })
      .Case([&](LLVM::AddressOfOp op) {
        auto found = sharedOffsets.find(op);
        if (found == sharedOffsets.end())
          return success();
        Value offset = LLVM::ConstantOp::create(b, loc, i64, found->second);
        op.replaceAllUsesWith(call(offsetof(RnnEmulator, shared), offset, pointer));
        op.erase();
        return success();
      })
      .Case([&](LLVM::LoadOp op) {
        return op.getOrdering() == LLVM::AtomicOrdering::not_atomic ? success() : rewriteAtomic(op, false);
      })
      .Case([&](LLVM::StoreOp op) {
        return op.getOrdering() == LLVM::AtomicOrdering::not_atomic ? success() : rewriteAtomic(op, true);
      })
      .Case([&](LLVM::AtomicRMWOp op) { return rewriteAtomic(op, true); })
      // Threads spin on a lock that nobody gives back.
      .Case([&](LLVM::AtomicCmpXchgOp op) { return rewriteAtomic(op, false); })
      .Case([&](LLVM::FenceOp op) {
        op->removeAttr("syncscope");
        return success();
      })
      .Case<LLVM::InlineAsmOp, LLVM::CallIntrinsicOp>(
          [&](auto op) { return op.emitOpError("is not known to the emulator"); })
      .Default([&](Operation *op) -> LogicalResult {
        if (isa<LLVM::LLVMDialect>(op->getDialect()))
          return success();
        return op->emitError() << "'" << op->getName() << "' op is not known to the emulator";
      });
}

/// Shared memory of a block is one array, in which each global of a kernel gets
/// its place. It is as large as the kernel with the most needs; what a launch
/// adds begins behind that.
void KernelConverter::placeSharedMemory() {
  DataLayout layout(module);
  constexpr int64_t kAlignment = 16;
  int64_t needed = 0;
  SmallVector<Operation *> dynamic;
  for (auto kernel : kernels.getOps<LLVM::LLVMFuncOp>()) {
    llvm::StringMap<int64_t> offsets;
    int64_t size = 0;
    kernel.walk([&](LLVM::AddressOfOp op) {
      auto global = kernels.lookupSymbol<LLVM::GlobalOp>(op.getGlobalName());
      if (!global || global.getAddrSpace() != kSharedMemory)
        return;
      const int64_t bytes = layout.getTypeSize(global.getGlobalType());
      if (bytes == 0) {
        dynamic.push_back(op);
        return;
      }
      auto [offset, isNew] = offsets.try_emplace(op.getGlobalName(), 0);
      if (isNew) {
        offset->second = llvm::alignTo(size, std::max<int64_t>(global.getAlignment().value_or(0), kAlignment));
        size = offset->second + bytes;
      }
      sharedOffsets[op] = offset->second;
    });
    needed = std::max(needed, size);
  }
  if (!dynamic.empty())
    needed = llvm::alignTo(needed, kAlignment);
  for (Operation *op : dynamic)
    sharedOffsets[op] = needed;
  for (auto global : llvm::make_early_inc_range(kernels.getOps<LLVM::GlobalOp>()))
    if (global.getAddrSpace() == kSharedMemory)
      global.erase();
  module->setAttr("rnn.shared_bytes", b.getI64IntegerAttr(needed));
}

/// Every pointer is one of the host's.
void KernelConverter::flattenMemory() {
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](LLVM::LLVMPointerType type) { return pointer; });
  replacer.recursivelyReplaceElementsIn(kernels, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
  kernels.walk([&](LLVM::AddrSpaceCastOp op) {
    op.replaceAllUsesWith(op.getArg());
    op.erase();
  });
  for (auto global : kernels.getOps<LLVM::GlobalOp>())
    global.setAddrSpace(0);
}

/// `void <kernel>(void **arguments)`.
void KernelConverter::addEntry(LLVM::LLVMFuncOp kernel) {
  loc = kernel.getLoc();
  std::string name = kernel.getSymName().str();
  kernel.setSymName(name + "_body");
  SymbolTable::setSymbolVisibility(kernel, SymbolTable::Visibility::Private);
  kernel.setLinkage(LLVM::Linkage::Internal);
  SmallVector<StringAttr> ofDevice;
  for (NamedAttribute attribute : kernel->getAttrs())
    if (isa_and_nonnull<NVVM::NVVMDialect>(attribute.getNameDialect()))
      ofDevice.push_back(attribute.getName());
  for (StringAttr attribute : ofDevice)
    kernel->removeAttr(attribute);

  b.setInsertionPointToEnd(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {pointer});
  auto entry = LLVM::LLVMFuncOp::create(b, loc, name, type);
  b.setInsertionPointToStart(entry.addEntryBlock(b));
  SmallVector<Value> arguments;
  for (auto [i, argument] : llvm::enumerate(kernel.getArgumentTypes())) {
    Value slot =
        LLVM::GEPOp::create(b, loc, pointer, pointer, entry.getArgument(0), ArrayRef<LLVM::GEPArg>{int32_t(i)});
    Value address = LLVM::LoadOp::create(b, loc, pointer, slot);
    arguments.push_back(LLVM::LoadOp::create(b, loc, argument, address));
  }
  LLVM::CallOp::create(b, loc, kernel, arguments);
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

LogicalResult KernelConverter::convert() {
  placeSharedMemory();
  flattenMemory();
  SmallVector<Operation *> ops;
  for (auto function : kernels.getOps<LLVM::LLVMFuncOp>())
    function.walk([&](Operation *op) {
      if (op != function)
        ops.push_back(op);
    });
  for (Operation *op : ops)
    if (failed(rewrite(op)))
      return failure();

  b.setInsertionPointToStart(module.getBody());
  loc = kernels.getLoc();
  auto table =
      LLVM::GlobalOp::create(b, loc, pointer, /*isConstant=*/false, LLVM::Linkage::External, kTable, Attribute());
  b.createBlock(&table.getInitializerRegion());
  LLVM::ReturnOp::create(b, loc, ValueRange{LLVM::ZeroOp::create(b, loc, pointer)});
  SmallVector<LLVM::LLVMFuncOp> entries;
  for (Operation &op : llvm::make_early_inc_range(*kernels.getBody())) {
    op.moveBefore(module.getBody(), module.getBody()->end());
    if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op); function && function->hasAttr("nvvm.kernel"))
      entries.push_back(function);
  }
  for (LLVM::LLVMFuncOp kernel : entries)
    addEntry(kernel);
  kernels.erase();
  return success();
}

namespace {

struct ConvertNVVMToEmulator : rnn::impl::ConvertNVVMToEmulatorBase<ConvertNVVMToEmulator> {
  using ConvertNVVMToEmulatorBase::ConvertNVVMToEmulatorBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto kernels = llvm::to_vector(module.getOps<gpu::GPUModuleOp>());
    if (kernels.size() != 1) {
      module.emitError() << "the emulator expects one gpu.module, found " << kernels.size();
      return signalPassFailure();
    }
    if (failed(KernelConverter(kernels.front()).convert()))
      return signalPassFailure();
    // What launches the kernels is not for the host's compiler.
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (!isa<LLVM::LLVMDialect>(op.getDialect()))
        op.erase();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }
};

} // namespace
