//===- NVVMToEmulator.cpp - GPU kernels as functions for the host -----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels' code stays as it is. What only a GPU has becomes calls through
// the table `rnn_emulator` (rnn/Runtime/EmulatorAbi.h), and all memory is one
// address space.
//
//===----------------------------------------------------------------------===//

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

constexpr StringLiteral kTable = "rnn_emulator";
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
  LogicalResult placeSharedMemory();
  LogicalResult rewrite(Operation *op);
  void rewriteShuffle(NVVM::ShflOp op);
  LogicalResult replaceAtomic(Operation *op, bool writes);
  void flattenMemory();
  void addEntry(LLVM::LLVMFuncOp kernel);
  /// Calls a function of the table; `field` is its offset there.
  Value call(size_t field, ValueRange arguments, Type result = {});
  Value constant(int32_t value) { return LLVM::ConstantOp::create(b, loc, i32, value); }

  gpu::GPUModuleOp kernels;
  ModuleOp module;
  OpBuilder b;
  Location loc;
  Type pointer, i32, i64;
  llvm::DenseMap<Operation *, int64_t> sharedOffsets; ///< of addresses of globals in shared memory
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

/// The number of a special register, or -1.
static int32_t registerNumber(StringRef name) {
  if (!name.consume_front("nvvm.read.ptx.sreg."))
    return -1;
  if (name == "laneid")
    return RNN_EMULATOR_LANEID;
  auto [base, axis] = name.split('.');
  int32_t first = llvm::StringSwitch<int32_t>(base)
                      .Case("tid", RNN_EMULATOR_TID)
                      .Case("ntid", RNN_EMULATOR_NTID)
                      .Case("ctaid", RNN_EMULATOR_CTAID)
                      .Case("nctaid", RNN_EMULATOR_NCTAID)
                      .Default(-1);
  int32_t digit = llvm::StringSwitch<int32_t>(axis).Case("x", 0).Case("y", 1).Case("z", 2).Default(-1);
  return first < 0 || digit < 0 ? -1 : first + digit;
}

/// Shuffles move 32 bits.
void KernelConverter::rewriteShuffle(NVVM::ShflOp op) {
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
}

/// Another thread may run before an atomic access; the access itself is one on
/// the host, too.
LogicalResult KernelConverter::replaceAtomic(Operation *op, bool writes) {
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
  auto meet = [&](size_t field, Value id, Value threads) {
    call(field, {id ? id : constant(0), threads ? threads : constant(0)});
    op->erase();
    return success();
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](NVVM::Barrier0Op) { return meet(offsetof(RnnEmulator, barrier), {}, {}); })
      .Case([&](NVVM::BarrierOp op) -> LogicalResult {
        if (op->getNumResults())
          return op->emitOpError("with a reduction is not known to the emulator");
        return meet(offsetof(RnnEmulator, barrier), op.getBarrierId(), op.getNumberOfThreads());
      })
      .Case([&](NVVM::BarrierArriveOp op) {
        return meet(offsetof(RnnEmulator, arrive), op.getBarrierId(), op.getNumberOfThreads());
      })
      .Case([&](NVVM::SyncWarpOp op) {
        call(offsetof(RnnEmulator, warp_barrier), op.getMask());
        op.erase();
        return success();
      })
      .Case([&](NVVM::ShflOp op) -> LogicalResult {
        if (op.getReturnValueAndIsValid())
          return op.emitOpError("that tells whether the lane is valid is not known to the emulator");
        rewriteShuffle(op);
        return success();
      })
      .Case([&](NVVM::InlinePtxOp op) -> LogicalResult {
        if (op.getPtxCode() != "mov.b32 $0, $1;")
          return op.emitError() << "the emulator does not know the PTX '" << op.getPtxCode() << "'";
        op->replaceAllUsesWith(op.getReadOnlyArgs());
        op.erase();
        return success();
      })
      .Case([&](LLVM::AddressOfOp op) {
        auto found = sharedOffsets.find(op);
        if (found == sharedOffsets.end())
          return success();
        Value offset = LLVM::ConstantOp::create(b, loc, i64, found->second);
        Value address = call(offsetof(RnnEmulator, shared), offset, pointer);
        op->replaceAllUsesWith(ValueRange{address});
        op.erase();
        return success();
      })
      .Case([&](LLVM::LoadOp op) {
        return op.getOrdering() == LLVM::AtomicOrdering::not_atomic ? success() : replaceAtomic(op, false);
      })
      .Case([&](LLVM::StoreOp op) {
        return op.getOrdering() == LLVM::AtomicOrdering::not_atomic ? success() : replaceAtomic(op, true);
      })
      .Case<LLVM::AtomicRMWOp, LLVM::AtomicCmpXchgOp>([&](Operation *op) { return replaceAtomic(op, true); })
      .Case([&](LLVM::FenceOp op) {
        op->removeAttr("syncscope");
        return success();
      })
      .Default([&](Operation *op) -> LogicalResult {
        if (isa<LLVM::LLVMDialect>(op->getDialect()))
          return success();
        return op->emitError() << "'" << op->getName() << "' op is not known to the emulator";
      });
}

/// Shared memory of a block is one array, in which each global of a kernel gets
/// its place; it is as large as the kernel with the most needs.
LogicalResult KernelConverter::placeSharedMemory() {
  DataLayout layout(module);
  int64_t needed = 0;
  for (auto kernel : kernels.getOps<LLVM::LLVMFuncOp>()) {
    llvm::StringMap<int64_t> places;
    int64_t size = 0;
    kernel.walk([&](LLVM::AddressOfOp op) {
      auto global = kernels.lookupSymbol<LLVM::GlobalOp>(op.getGlobalName());
      if (!global || global.getAddrSpace() != kSharedMemory)
        return;
      auto [place, isNew] = places.try_emplace(op.getGlobalName(), 0);
      if (isNew) {
        uint64_t alignment = std::max<uint64_t>(global.getAlignment().value_or(16), 16);
        place->second = llvm::alignTo(size, alignment);
        size = place->second + layout.getTypeSize(global.getGlobalType());
      }
      sharedOffsets[op] = place->second;
    });
    needed = std::max(needed, size);
  }
  for (auto global : llvm::make_early_inc_range(kernels.getOps<LLVM::GlobalOp>()))
    if (global.getAddrSpace() == kSharedMemory)
      global.erase();
  module->setAttr("rnn.shared_bytes", b.getI64IntegerAttr(needed));
  return success();
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
  if (failed(placeSharedMemory()))
    return failure();
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
