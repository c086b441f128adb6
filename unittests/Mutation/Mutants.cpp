//===- Mutants.cpp - Kernels with one fault each --------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

#include "rnn/Conversion/InlinePtx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringMap.h"

#include <optional>
#include <set>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

constexpr unsigned kSharedMemory = 3;

std::optional<int64_t> constantOf(Value value) {
  APInt found;
  if (matchPattern(value, m_ConstantInt(&found)))
    return found.getSExtValue();
  return std::nullopt;
}

Value makeConstant(Operation *before, Type type, int64_t value) {
  OpBuilder b(before);
  return LLVM::ConstantOp::create(b, before->getLoc(), type, b.getIntegerAttr(type, value));
}

/// An operand that is a constant becomes another.
void setConstant(Operation *op, unsigned operand, int64_t value) {
  op->setOperand(operand, makeConstant(op, op->getOperand(operand).getType(), value));
}

bool isBarrier(Operation *op) {
  StringRef name = op->getName().getStringRef();
  return name == "nvvm.barrier0" || name == "nvvm.barrier" || isa<NVVM::SyncWarpOp>(op);
}

/// A test of an mbarrier's phase.
bool isPhaseTest(Operation *op) {
  auto ptx = dyn_cast_or_null<NVVM::InlinePtxOp>(op);
  return ptx && ptx.getPtxCode() == kPtxTryWait;
}

/// A number below two becomes the other one, for one operand.
void flipOperand(Operation *op, unsigned operand) {
  OpBuilder b(op);
  Value old = op->getOperand(operand);
  op->setOperand(operand, LLVM::XOrOp::create(b, op->getLoc(), old, makeConstant(op, old.getType(), 1)));
}

bool isAtomicLoad(Value value) {
  auto load = value.getDefiningOp<LLVM::LoadOp>();
  return load && load.getOrdering() != LLVM::AtomicOrdering::not_atomic;
}

/// A word that others may be writing, or the largest of several.
bool isPolled(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<LLVM::UMaxOp>(op))
    return isPolled(op->getOperand(0)) && isPolled(op->getOperand(1));
  return isAtomicLoad(value) || isa_and_nonnull<NVVM::InlinePtxOp>(op);
}

bool isOfSharedMemory(Value value) {
  auto load = value.getDefiningOp<LLVM::LoadOp>();
  return load && cast<LLVM::LLVMPointerType>(load.getAddr().getType()).getAddressSpace() == kSharedMemory;
}

class Lister {
public:
  SmallVector<Mutant> list(LLVM::LLVMFuncOp kernel) {
    kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
      visit(op);
      ++position;
    });
    return std::move(mutants);
  }

private:
  void add(Fault fault, StringRef name, std::function<void(Operation *)> change) {
    mutants.push_back({fault, (name + " " + Twine(counts[name]++)).str(), std::move(change), position});
  }

  void visit(Operation *op) {
    if (isBarrier(op))
      add(isa<NVVM::SyncWarpOp>(op) ? Fault::Warp : Fault::Barrier, "barrier", [](Operation *op) { op->erase(); });
    visitCluster(op);
    if (auto compare = dyn_cast<LLVM::ICmpOp>(op))
      visitCompare(compare);
    if (auto load = dyn_cast<LLVM::LoadOp>(op); load && isAtomicLoad(load))
      add(Fault::Relaxed, "ordinary load", [](Operation *op) { makeOrdinary(cast<LLVM::LoadOp>(op)); });
    if (auto load = dyn_cast<LLVM::LoadOp>(op); load && load.getOrdering() == LLVM::AtomicOrdering::acquire)
      add(Fault::Relaxed, "relaxed load",
          [](Operation *op) { cast<LLVM::LoadOp>(op).setOrdering(LLVM::AtomicOrdering::monotonic); });
    // Blocks count themselves in.
    if (auto ptx = dyn_cast<NVVM::InlinePtxOp>(op); ptx && ptx.getPtxCode() == kPtxCount) {
      add(Fault::Relaxed, "relaxed count", [](Operation *op) { count(op, 1, LLVM::AtomicOrdering::monotonic); });
      add(Fault::Expect, "count", [](Operation *op) { count(op, 2, LLVM::AtomicOrdering::acq_rel); });
    }
    if (auto store = dyn_cast<LLVM::StoreOp>(op); store && store.getOrdering() != LLVM::AtomicOrdering::not_atomic)
      add(Fault::Relaxed, "ordinary store", [](Operation *op) { makeOrdinary(cast<LLVM::StoreOp>(op)); });
    if (auto clamp = dyn_cast<LLVM::UMinOp>(op))
      if (auto bound = constantOf(clamp.getB()); bound && *bound > 0 && isFirst(op, "clamp", *bound))
        add(Fault::Clamp, "clamp", [bound = *bound](Operation *op) { setConstant(op, 1, bound - 1); });
    if (auto rest = dyn_cast<LLVM::URemOp>(op);
        rest && constantOf(rest.getRhs()) == 2 && isa<BlockArgument>(rest.getLhs()))
      for (unsigned use = 0, uses = std::distance(op->getUses().begin(), op->getUses().end()); use < uses; ++use)
        add(Fault::Parity, "parity", [use](Operation *op) { swapSlot(op, use); });
    if (auto shuffle = dyn_cast<NVVM::ShflOp>(op))
      if (auto offset = constantOf(shuffle.getOffset()); offset && shuffle.getKind() == NVVM::ShflKind::bfly)
        add(Fault::Shuffle, "shuffle",
            [offset = *offset](Operation *op) { setConstant(op, 2, offset == 16 ? 1 : 2 * offset); });
    // The two halves of a lane's part of a tile.
    if (auto multiply = dyn_cast<NVVM::MmaOp>(op); multiply && isFirst(op, "tile", 0))
      add(Fault::Fragment, "tile", [](Operation *op) {
        Value low = op->getOperand(0);
        op->setOperand(0, op->getOperand(2));
        op->setOperand(2, low);
      });
    if (auto extract = dyn_cast<LLVM::ExtractElementOp>(op); extract && isOfSharedMemory(extract.getVector()))
      if (auto place = constantOf(extract.getPosition()); place && isFirst(op, "fragment", 0))
        add(Fault::Fragment, "fragment", [place = *place](Operation *op) { setConstant(op, 1, place ^ 1); });
  }

  /// What orders the blocks of a cluster.
  void visitCluster(Operation *op) {
    if (isa<NVVM::ClusterArriveOp>(op))
      for (bool isLeft : {false, true})
        add(Fault::Barrier, isLeft ? "narrow barrier" : "cluster barrier", [isLeft](Operation *op) {
          OpBuilder b(op);
          if (isLeft)
            NVVM::BarrierOp::create(b, op->getLoc());
          cast<NVVM::ClusterWaitOp>(op->getNextNode()).erase();
          op->erase();
        });
    if (isa<NVVM::MBarrierArriveOp>(op))
      add(Fault::Expect, "arrival", [](Operation *op) { op->erase(); });
    if (isa<NVVM::MBarrierArriveExpectTxOp>(op)) {
      add(Fault::Expect, "expect", [](Operation *op) { op->erase(); });
      for (int64_t bytes : {-4, 4})
        add(Fault::Expect, bytes < 0 ? "fewer bytes" : "more bytes",
            [bytes](Operation *op) { setConstant(op, 1, *constantOf(op->getOperand(1)) + bytes); });
    }
    if (isPhaseTest(op))
      add(Fault::Parity, "phase", [](Operation *op) { flipOperand(op, 1); });
    if (auto map = dyn_cast<NVVM::MapaOp>(op)) {
      add(Fault::Block, "map", [](Operation *op) { flipOperand(op, 1); });
      if (ranks.insert(map.getB()).second)
        add(Fault::Block, "rank", [](Operation *op) {
          op->getOperand(1).replaceAllUsesWith(makeConstant(op, op->getOperand(1).getType(), 0));
        });
    }
  }

  void visitCompare(LLVM::ICmpOp compare) {
    // Nothing is ever missing.
    auto wait = [&] {
      add(Fault::Wait, "wait",
          [](Operation *op) { op->getResult(0).replaceAllUsesWith(makeConstant(op, op->getResult(0).getType(), 0)); });
    };
    std::optional<int64_t> bound = constantOf(compare.getRhs());
    if (compare.getPredicate() == LLVM::ICmpPredicate::ult && isAtomicLoad(compare.getLhs()))
      return wait();
    if (!bound)
      return;
    if (compare.getPredicate() == LLVM::ICmpPredicate::eq && *bound == 0 &&
        isPhaseTest(compare.getLhs().getDefiningOp()))
      return wait();
    if (compare.getPredicate() == LLVM::ICmpPredicate::eq && *bound == -1) {
      if (isPolled(compare.getLhs()))
        return wait();
      return add(Fault::Sentinel, "sentinel", [](Operation *op) {
        op->getResult(0).replaceAllUsesWith(makeConstant(op, op->getResult(0).getType(), 0));
      });
    }
    // Masks of lanes and elements; not the limit of polls, and not whether there was a frame before.
    if (compare.getPredicate() == LLVM::ICmpPredicate::ult && *bound >= 2 && *bound <= 1024 &&
        isFirst(compare, "mask", *bound))
      add(Fault::Mask, "mask", [bound = *bound](Operation *op) { setConstant(op, 1, bound - 1); });
  }

  /// Counts otherwise than it should.
  static void count(Operation *op, int64_t addend, LLVM::AtomicOrdering ordering) {
    OpBuilder b(op);
    Value one = makeConstant(op, op->getResult(0).getType(), addend);
    op->replaceAllUsesWith(
        LLVM::AtomicRMWOp::create(b, op->getLoc(), LLVM::AtomicBinOp::add, op->getOperand(0), one, ordering));
    op->erase();
  }

  template <typename Access>
  static void makeOrdinary(Access access) {
    access.setOrdering(LLVM::AtomicOrdering::not_atomic);
    access.removeSyncscopeAttr();
  }

  static void swapSlot(Operation *op, unsigned use) {
    OpBuilder b(op);
    b.setInsertionPointAfter(op);
    Value slot = op->getResult(0);
    SmallVector<OpOperand *> uses;
    for (OpOperand &operand : slot.getUses())
      uses.push_back(&operand);
    Value one = makeConstant(op, slot.getType(), 1);
    uses[use]->set(LLVM::XOrOp::create(b, op->getLoc(), slot, one));
  }

  bool isFirst(Operation *op, StringRef what, int64_t constant) {
    return seen.insert({op->getBlock(), what.str(), constant}).second;
  }

  SmallVector<Mutant> mutants;
  llvm::StringMap<unsigned> counts;
  std::set<std::tuple<Block *, std::string, int64_t>> seen;
  llvm::SmallPtrSet<Value, 4> ranks;
  unsigned position = 0;
};

} // namespace

SmallVector<Mutant> test::listMutants(LLVM::LLVMFuncOp kernel) { return Lister().list(kernel); }

LLVM::LLVMFuncOp test::findKernel(ModuleOp kernels, StringRef name) {
  for (auto module : kernels.getOps<gpu::GPUModuleOp>())
    if (auto kernel = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
      return kernel;
  return nullptr;
}

OwningOpRef<ModuleOp> test::makeMutant(ModuleOp kernels, StringRef kernel, const Mutant *mutant) {
  OwningOpRef<ModuleOp> clone = kernels.clone();
  for (auto function : llvm::make_early_inc_range(clone->getOps<func::FuncOp>()))
    function.erase();
  for (auto module : clone->getOps<gpu::GPUModuleOp>())
    for (auto function : llvm::make_early_inc_range(module.getOps<LLVM::LLVMFuncOp>()))
      if (function.getName() != kernel)
        function.erase();
  if (!mutant)
    return clone;
  unsigned position = 0;
  Operation *found = nullptr;
  findKernel(*clone, kernel).walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (position++ == mutant->operation)
      found = op;
  });
  mutant->change(found);
  return clone;
}
