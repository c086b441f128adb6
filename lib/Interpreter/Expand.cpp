//===- Expand.cpp - Calls and composites written out ----------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The interpreter knows no composite and no call: it runs a copy of the module without them. It does not use the
// compiler's own passes, since it judges them.
//
//===----------------------------------------------------------------------===//
#include "rnn/Interpreter/Interpreter.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::rnn;

/// Calls within calls beyond this number mean a network that calls itself.
static constexpr unsigned kMaxRounds = 256;

/// Copies the body of the called network in place of the call; its signals are named `<name>.<signal>`.
static LogicalResult inlineCall(CallOp call) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<NetworkOp>(call, call.getCalleeAttr());
  if (!callee)
    return call.emitOpError() << "refers to unknown network '@" << call.getCallee() << "'";
  IRMapping mapping;
  mapping.map(callee.getBodyBlock()->getArguments(), call.getArguments());
  OpBuilder builder(call);
  SmallVector<Operation *> copies;
  for (Operation &op : callee.getBodyBlock()->without_terminator())
    copies.push_back(builder.clone(op, mapping));
  // In a graph region an operand may be defined below: set all of them again.
  for (Operation *copy : copies) {
    for (OpOperand &operand : copy->getOpOperands())
      operand.set(mapping.lookupOrDefault(operand.get()));
    if (auto name = copy->getAttrOfType<StringAttr>("name"))
      copy->setAttr("name", builder.getStringAttr(call.getName() + "." + name.getValue()));
  }
  for (auto [result, value] : llvm::zip(call.getResults(), callee.getBodyBlock()->back().getOperands()))
    result.replaceAllUsesWith(mapping.lookupOrDefault(value));
  call.erase();
  return success();
}

static LogicalResult expandComposite(CompositeOpInterface composite) {
  OpBuilder builder(composite);
  FailureOr<SmallVector<Value>> values = composite.expand(builder);
  if (failed(values))
    return failure();
  composite->replaceAllUsesWith(*values);
  composite->erase();
  return success();
}

FailureOr<OwningOpRef<ModuleOp>> rnn::cloneExpanded(ModuleOp module) {
  OwningOpRef<ModuleOp> clone = module.clone();
  // One round writes out what is there; what that brings is left to the next round.
  for (unsigned round = 0; round < kMaxRounds; ++round) {
    SmallVector<Operation *> found;
    clone->walk([&](Operation *op) {
      if (isa<CallOp, CompositeOpInterface>(op))
        found.push_back(op);
    });
    if (found.empty())
      return clone;
    for (Operation *op : found) {
      auto call = dyn_cast<CallOp>(op);
      if (failed(call ? inlineCall(call) : expandComposite(cast<CompositeOpInterface>(op))))
        return failure();
    }
  }
  return module.emitError() << "networks call each other deeper than " << kMaxRounds;
}
