//===- ReduceNetworks.cpp - Smaller networks that still fail --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every change is tried on a copy of the module, which takes the module's place if it is legal and the test finds it
// interesting. Nothing else changes the module: upstream's reduction tree drops ops that nothing uses without asking.
//
// A change may not make a cycle without a delay: an op is replaced by its own operand, which shortens cycles and makes
// none, or by a constant, and a delay stays where it is.
//
//===----------------------------------------------------------------------===//
#include "rnn/Reduce/ReduceNetworks.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Reducer/Tester.h"
#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::rnn;

//===----------------------------------------------------------------------===//
// Simplifications of one op
//===----------------------------------------------------------------------===//

/// The first operand that has the type of the op's result.
static Value getShortcut(Operation *op) {
  if (op->getNumResults() != 1 || isa<DelayOp>(op))
    return {};
  for (Value operand : op->getOperands())
    if (operand.getType() == op->getResult(0).getType() && operand.getDefiningOp() != op)
      return operand;
  return {};
}

/// An op becomes its first operand that has its type.
static bool dropLayer(Operation *op) {
  Value shortcut = getShortcut(op);
  if (!shortcut)
    return false;
  op->getResult(0).replaceAllUsesWith(shortcut);
  op->erase();
  return true;
}

/// A sum loses its last term.
static bool dropEdge(Operation *op) {
  if (!isa<SumOp>(op) || op->getNumOperands() < 2)
    return false;
  op->eraseOperand(op->getNumOperands() - 1);
  return true;
}

/// A delay by some frames becomes a delay by one, in the same direction and without init.
static bool simplifyDelay(Operation *op) {
  auto delay = dyn_cast<DelayOp>(op);
  if (!delay || (std::abs(delay.getBy()) == 1 && !delay.getInit()))
    return false;
  delay.setBy(delay.getBy() > 0 ? 1 : -1);
  delay.getInitMutable().clear();
  return true;
}

/// An op of which no operand has the type of its result becomes zeros.
static bool becomeZero(Operation *op) {
  if (op->getNumOperands() == 0 || op->getNumResults() != 1 || op->use_empty() || isa<DelayOp>(op) || getShortcut(op))
    return false;
  OpBuilder b(op);
  TypedAttr zero = b.getZeroAttr(op->getResult(0).getType());
  if (!zero)
    return false;
  op->getResult(0).replaceAllUsesWith(arith::ConstantOp::create(b, op->getLoc(), zero));
  op->erase();
  return true;
}

//===----------------------------------------------------------------------===//
// The reduction
//===----------------------------------------------------------------------===//

namespace {
struct ReduceNetworks : PassWrapper<ReduceNetworks, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ReduceNetworks)

  ReduceNetworks() = default;
  ReduceNetworks(const ReduceNetworks &other) : PassWrapper(other) {}

  StringRef getArgument() const override { return "rnn-reduce"; }
  StringRef getDescription() const override { return "Shrink networks as long as a test finds them interesting"; }

  void runOnOperation() override;

  Option<std::string> script{*this, "test",
                             llvm::cl::desc("Program that gets a file's name and ends with 1 where the file is "
                                            "interesting, else with 0")};

private:
  /// Ops that may go: all but the ends of blocks, in the order of the text.
  SmallVector<Operation *> getOps(ModuleOp module);
  /// Applies a change, which returns whether there is anything to change, to a copy that may become the module.
  bool attempt(function_ref<bool(ModuleOp)> change);
  /// Drops ops with all that needs them, first many at once.
  bool dropOps();
  /// Simplifies one op after another.
  bool simplifyOps();

  Tester tester;
};
} // namespace

SmallVector<Operation *> ReduceNetworks::getOps(ModuleOp module) {
  SmallVector<Operation *> ops;
  module->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op != module && !op->hasTrait<OpTrait::IsTerminator>())
      ops.push_back(op);
  });
  return ops;
}

bool ReduceNetworks::attempt(function_ref<bool(ModuleOp)> change) {
  ModuleOp module = getOperation();
  OwningOpRef<ModuleOp> copy = module.clone();
  if (!change(*copy))
    return false;
  // A copy that is not legal is not interesting; what the verifier says of it is of no interest either.
  ScopedDiagnosticHandler quiet(&getContext(), [](Diagnostic &) { return success(); });
  if (tester.isInteresting(*copy).first != Tester::Interestingness::True)
    return false;
  module.getBodyRegion().takeBody(copy->getBodyRegion());
  return true;
}

/// Erases ops, what is in them and what needs their results; false if the end of a block is among it.
static bool eraseWithUsers(ArrayRef<Operation *> ops) {
  llvm::SetVector<Operation *> doomed(ops.begin(), ops.end());
  for (size_t i = 0; i < doomed.size(); ++i) {
    if (i >= ops.size() && doomed[i]->hasTrait<OpTrait::IsTerminator>())
      return false;
    for (Operation *user : doomed[i]->getUsers())
      doomed.insert(user);
  }
  SmallVector<Operation *> outermost = llvm::to_vector(llvm::make_filter_range(doomed, [&](Operation *op) {
    for (Operation *parent = op->getParentOp(); parent; parent = parent->getParentOp())
      if (doomed.contains(parent))
        return false;
    return true;
  }));
  for (Operation *op : outermost)
    op->dropAllReferences();
  for (Operation *op : outermost)
    op->erase();
  return true;
}

bool ReduceNetworks::dropOps() {
  bool changed = false;
  for (size_t size = getOps(getOperation()).size(); size > 0; size /= 2)
    for (size_t end = getOps(getOperation()).size(); end > 0; end -= std::min(end, size)) {
      changed |= attempt([&](ModuleOp copy) {
        SmallVector<Operation *> ops = getOps(copy);
        // What went with others before may have been behind.
        const size_t last = std::min(end, ops.size()), first = last - std::min(last, size);
        return last > first && eraseWithUsers(ArrayRef(ops).slice(first, last - first));
      });
    }
  return changed;
}

bool ReduceNetworks::simplifyOps() {
  bool changed = false;
  for (size_t i = 0; i < getOps(getOperation()).size(); ++i)
    for (auto simplify : {dropLayer, dropEdge, simplifyDelay, becomeZero})
      while (attempt([&](ModuleOp copy) {
        SmallVector<Operation *> ops = getOps(copy);
        return i < ops.size() && isa<NetworkOp, StepOp>(ops[i]->getParentOp()) && simplify(ops[i]);
      }))
        changed = true;
  return changed;
}

void ReduceNetworks::runOnOperation() {
  tester.setTestScript(script);
  if (tester.isInteresting(getOperation()).first != Tester::Interestingness::True) {
    getOperation().emitError() << "'" << script << "' ends with 0 for the whole module: there is nothing to reduce";
    return signalPassFailure();
  }
  for (bool changed = true; changed;) {
    changed = dropOps();
    changed |= simplifyOps();
  }
}

void rnn::registerReducePass() { PassRegistration<ReduceNetworks>(); }
