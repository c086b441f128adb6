//===- LoopMutants.cpp - Functions for the CPU with one fault each --------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Faults make addresses smaller and loops shorter, never the other way round: a
// mutant should give wrong results, not end in a page that is not there.
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <optional>
#include <set>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

std::optional<int64_t> constantOf(Value value) {
  APInt found;
  if (matchPattern(value, m_ConstantInt(&found)))
    return found.getSExtValue();
  return std::nullopt;
}

Value makeConstant(Operation *before, TypedAttr value) {
  OpBuilder b(before);
  return arith::ConstantOp::create(b, before->getLoc(), value);
}

void setConstant(Operation *op, unsigned operand, int64_t value) {
  Type type = op->getOperand(operand).getType();
  op->setOperand(operand, makeConstant(op, Builder(op).getIntegerAttr(type, value)));
}

/// One less than an operand.
void lowerOperand(Operation *op, unsigned operand) {
  OpBuilder b(op);
  Value old = op->getOperand(operand);
  Value one = makeConstant(op, b.getIntegerAttr(old.getType(), 1));
  op->setOperand(operand, arith::SubIOp::create(b, op->getLoc(), old, one));
}

/// A barrier of all threads, and the question whether there are several.
bool isBarrier(scf::IfOp branch) {
  return llvm::any_of(branch.thenBlock()->without_terminator(), [](Operation &op) { return isa<LLVM::CallOp>(op); });
}

bool isOfBarrier(Value condition) {
  return llvm::any_of(condition.getUsers(), [](Operation *user) {
    auto branch = dyn_cast<scf::IfOp>(user);
    return branch && isBarrier(branch);
  });
}

/// The number of a thread.
bool isThread(Value value) {
  auto cast = value.getDefiningOp<arith::IndexCastOp>();
  return cast && isa<BlockArgument>(cast.getIn());
}

/// The lanes of a mask that is not full.
std::optional<SmallVector<bool>> lanesOf(Value mask) {
  DenseElementsAttr bits;
  if (!matchPattern(mask, m_Constant(&bits)) || bits.isSplat())
    return std::nullopt;
  return llvm::to_vector(bits.getValues<bool>());
}

void setLanes(Operation *op, unsigned operand, ArrayRef<bool> lanes) {
  auto type = cast<VectorType>(op->getOperand(operand).getType());
  op->setOperand(operand, makeConstant(op, DenseElementsAttr::get(type, lanes)));
}

class Lister {
public:
  SmallVector<Mutant> list(func::FuncOp function) {
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
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
    if (auto branch = dyn_cast<scf::IfOp>(op); branch && isBarrier(branch))
      return add(Fault::Barrier, "barrier", [](Operation *op) { op->erase(); });
    if (auto loop = dyn_cast<scf::ForOp>(op))
      visitLoop(loop);
    if (auto compare = dyn_cast<arith::CmpIOp>(op))
      visitCompare(compare);
    if (isa<vector::MaskedLoadOp>(op))
      visitMask(op, 2, "load's mask");
    if (isa<vector::MaskedStoreOp>(op))
      visitMask(op, 2, "store's mask");
    // Vectors end at a constant, which the loop's step would hide.
    if (isa<arith::MinUIOp>(op) && !constantOf(op->getOperand(1)))
      add(Fault::Clamp, "clamp", [](Operation *op) { lowerOperand(op, 1); });
    if (isa<arith::MulIOp, arith::AddIOp, arith::SubIOp, arith::RemUIOp>(op) && op->getResult(0).getType().isIndex())
      visitAddress(op);
    if (auto shuffle = dyn_cast<vector::ShuffleOp>(op); shuffle && isFirst(op, "shuffle", shuffle.getMask()[1]))
      add(Fault::Shuffle, "shuffle", [](Operation *op) {
        auto shuffle = cast<vector::ShuffleOp>(op);
        SmallVector<int64_t> lanes(shuffle.getMask());
        std::swap(lanes[0], lanes[1]);
        shuffle.setMask(lanes);
      });
    if (auto spread = dyn_cast<vector::BroadcastOp>(op))
      visitBroadcast(spread);
    if (auto choice = dyn_cast<arith::SelectOp>(op))
      visitChoice(choice);
  }

  void visitLoop(scf::ForOp loop) {
    add(Fault::Bound, "late begin", [](Operation *op) {
      auto loop = cast<scf::ForOp>(op);
      OpBuilder b(op);
      loop.setLowerBound(arith::AddIOp::create(b, op->getLoc(), loop.getLowerBound(), loop.getStep()));
    });
    add(Fault::Bound, "early end", [](Operation *op) {
      auto loop = cast<scf::ForOp>(op);
      OpBuilder b(op);
      loop.setUpperBound(arith::SubIOp::create(b, op->getLoc(), loop.getUpperBound(), loop.getStep()));
    });
    // The last accumulator, and the first two.
    unsigned sums = loop.getInitArgs().size();
    if (!sums)
      return;
    if (matchPattern(loop.getInitArgs().back(), m_AnyZeroFloat()))
      add(Fault::Sum, "first sum", [](Operation *op) {
        Value old = op->getOperands().back();
        TypedAttr one = Builder(op).getFloatAttr(getElementTypeOrSelf(old), 1);
        if (auto type = dyn_cast<VectorType>(old.getType()))
          one = DenseElementsAttr::get(type, Attribute(one));
        op->setOperand(op->getNumOperands() - 1, makeConstant(op, one));
      });
    if (sums > 1 && loop.getResult(0).getType() == loop.getResult(1).getType())
      add(Fault::Sum, "swapped sums", [](Operation *op) {
        Operation *yield = cast<scf::ForOp>(op).getBody()->getTerminator();
        Value first = yield->getOperand(0);
        yield->setOperand(0, yield->getOperand(1));
        yield->setOperand(1, first);
      });
  }

  void visitCompare(arith::CmpIOp compare) {
    if (isOfBarrier(compare))
      return;
    std::optional<int64_t> bound = constantOf(compare.getRhs());
    if (bound && !isFirst(compare, "compare", *bound))
      return;
    add(Fault::Bound, "compare", [bound](Operation *op) {
      if (bound && *bound < 1)
        setConstant(op, 1, *bound + 1);
      else
        lowerOperand(op, 1);
    });
  }

  void visitMask(Operation *op, unsigned operand, StringRef what) {
    std::optional<SmallVector<bool>> lanes = lanesOf(op->getOperand(operand));
    if (!lanes || !isFirst(op, what, 0))
      return;
    SmallVector<bool> fewer = *lanes;
    fewer[llvm::count(*lanes, true) - 1] = false;
    add(Fault::Mask, ("short " + what).str(), [operand, fewer](Operation *op) { setLanes(op, operand, fewer); });
    // What a load reads beyond the mask no store takes.
    if (isa<vector::MaskedStoreOp>(op))
      add(Fault::Mask, ("lost " + what).str(),
          [operand, count = lanes->size()](Operation *op) { setLanes(op, operand, SmallVector<bool>(count, true)); });
  }

  /// Of a block the last of each kind, since the first often add or multiply nothing.
  void visitAddress(Operation *op) {
    unsigned operand = constantOf(op->getOperand(1)) ? 1 : 0;
    std::optional<int64_t> number = constantOf(op->getOperand(operand));
    if (!number || constantOf(op->getOperand(1 - operand)) || *number < 1)
      return;
    const bool isPlace = isa<arith::AddIOp, arith::SubIOp>(op);
    // Where a share begins too early two threads do the same. Ends of loops have faults of their own.
    if ((!isPlace && *number < 2) || isThread(op->getOperand(1 - operand)) || isEnd(op->getResult(0)))
      return;
    StringRef name = isPlace ? "place" : isa<arith::MulIOp>(op) ? "factor" : "remainder";
    auto [entry, isNew] = last.try_emplace({op->getBlock(), name.str()}, mutants.size());
    if (isNew)
      add(isPlace ? Fault::Place : Fault::Stride, name, {});
    Mutant &mutant = mutants[entry->second];
    mutant.operation = position;
    mutant.change = [operand, number = *number](Operation *op) { setConstant(op, operand, number - 1); };
  }

  /// Where a loop ends, or would without its clamp.
  static bool isEnd(Value value) {
    return llvm::all_of(value.getUses(), [](OpOperand &use) {
      auto loop = dyn_cast<scf::ForOp>(use.getOwner());
      return isa<arith::MinUIOp>(use.getOwner()) || (loop && use.get() == loop.getUpperBound());
    });
  }

  /// A row of a tile gets the factor of the next one.
  void visitBroadcast(vector::BroadcastOp spread) {
    for (Operation *next = spread->getNextNode(); next; next = next->getNextNode())
      if (auto other = dyn_cast<vector::BroadcastOp>(next);
          other && other.getSource().getType() == spread.getSource().getType() && isFirst(spread, "row", 0))
        return add(Fault::Fragment, "row", [](Operation *op) {
          Operation *next = op->getNextNode();
          while (!isa<vector::BroadcastOp>(next) || next->getOperand(0).getType() != op->getOperand(0).getType())
            next = next->getNextNode();
          op->setOperand(0, next->getOperand(0));
        });
  }

  /// Not of addresses: what they keep out lies outside.
  void visitChoice(arith::SelectOp choice) {
    Type type = choice.getType();
    if (type.isIndex() || isa<MemRefType>(type))
      return;
    add(Fault::Choice, "choice", [](Operation *op) { op->getResult(0).replaceAllUsesWith(op->getOperand(1)); });
  }

  bool isFirst(Operation *op, StringRef what, int64_t constant) {
    return seen.insert({op->getBlock(), what.str(), constant}).second;
  }

  SmallVector<Mutant> mutants;
  llvm::StringMap<unsigned> counts;
  std::set<std::tuple<Block *, std::string, int64_t>> seen;
  std::map<std::pair<Block *, std::string>, size_t> last;
  unsigned position = 0;
};

} // namespace

SmallVector<Mutant> test::listMutants(func::FuncOp function) { return Lister().list(function); }

OwningOpRef<ModuleOp> test::makeMutant(ModuleOp module, const Mutant &mutant) {
  OwningOpRef<ModuleOp> clone = module.clone();
  unsigned position = 0;
  Operation *found = nullptr;
  (*clone->getOps<func::FuncOp>().begin()).walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (position++ == mutant.operation)
      found = op;
  });
  mutant.change(found);
  return clone;
}
