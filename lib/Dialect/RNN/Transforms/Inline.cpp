//===- Inline.cpp - Calls of networks, written out -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_INLINE
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-inline"

/// The most ops that a network may have after inlining. Calls of calls grow exponentially.
static constexpr size_t kMaxOps = 1 << 20;

/// Puts `prefix` before the names that an op records: of a delayed signal, a cell, a call.
static void prefixName(Operation *op, StringRef prefix) {
  if (auto name = op->getAttrOfType<StringAttr>("name"))
    op->setAttr("name", StringAttr::get(op->getContext(), prefix + "." + name.getValue()));
}

/// Replaces a call by a copy of the body of its callee, which holds no calls.
static void inlineCall(CallOp call, NetworkOp callee) {
  OpBuilder builder(call);
  IRMapping map;
  Block &body = *callee.getBodyBlock();
  map.map(body.getArguments(), call.getArguments());
  // Operands are mapped at the end, when all results exist: a graph region refers forwards too.
  SmallVector<std::pair<Operation *, Operation *>> copies;
  for (Operation &op : body.without_terminator()) {
    Operation *copy = builder.clone(op);
    prefixName(copy, call.getName());
    map.map(op.getResults(), copy->getResults());
    copies.emplace_back(&op, copy);
  }
  for (auto [original, copy] : copies)
    for (OpOperand &operand : copy->getOpOperands())
      operand.set(map.lookup(original->getOperand(operand.getOperandNumber())));
  SmallVector<Value> results;
  for (Value result : body.getTerminator()->getOperands())
    results.push_back(map.lookup(result));
  // A result may be an argument that is the call's own result: replace in order, looking again each time.
  for (auto [i, result] : llvm::enumerate(call.getResults())) {
    Value value = results[i];
    result.replaceAllUsesWith(value);
    for (Value &later : results)
      if (later == result)
        later = value;
  }
  call.erase();
}

namespace {
struct Inline : mlir::rnn::impl::InlineBase<Inline> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    // Callees first: a network is inlined when its own calls are gone.
    llvm::SmallMapVector<Operation *, SmallVector<CallOp>, 8> calls;
    for (NetworkOp network : getOperation().getOps<NetworkOp>())
      calls[network] = llvm::to_vector(network.getBodyBlock()->getOps<CallOp>());

    llvm::DenseSet<Operation *> done;
    for (auto &[root, unused] : calls) {
      SmallVector<std::pair<Operation *, size_t>> path{{root, 0}};
      if (!done.insert(root).second)
        continue;
      while (!path.empty()) {
        auto &[network, next] = path.back();
        if (next == calls[network].size()) {
          if (failed(inlineAll(cast<NetworkOp>(network), calls[network], symbols)))
            return signalPassFailure();
          path.pop_back();
          continue;
        }
        CallOp call = calls[network][next++];
        auto callee = symbols.lookup<NetworkOp>(call.getCallee());
        if (llvm::is_contained(llvm::make_first_range(path), callee.getOperation()))
          return reportRecursion(call, callee, path), signalPassFailure();
        if (done.insert(callee).second)
          path.push_back({callee, 0});
      }
    }
  }

  LogicalResult inlineAll(NetworkOp network, ArrayRef<CallOp> calls, SymbolTable &symbols) {
    for (CallOp call : calls) {
      auto callee = symbols.lookup<NetworkOp>(call.getCallee());
      RNNFunctionInterface function = callee;
      if (auto reset = function.getResetIndex())
        return call.emitOpError() << "cannot call '@" << call.getCallee() << "', whose argument '"
                                  << function.getArgName(*reset) << "' is a reset: ages belong to the caller";
      if (network.getBodyBlock()->getOperations().size() + callee.getBodyBlock()->getOperations().size() > kMaxOps)
        return call.emitError() << "network @" << network.getSymName() << " has more than " << kMaxOps
                                << " ops after inlining";
      inlineCall(call, callee);
      ++callsInlined;
    }
    // Calls hide cycles and rates from the verifier: what it finds now is wrong in the input.
    return calls.empty() ? success() : verify(network);
  }

  static void reportRecursion(CallOp call, NetworkOp callee, ArrayRef<std::pair<Operation *, size_t>> path) {
    InFlightDiagnostic diag = call.emitError() << "network @" << callee.getSymName() << " calls itself: ";
    bool inside = false;
    for (auto [network, next] : path)
      if (inside |= network == callee)
        diag << "@" << cast<NetworkOp>(network).getSymName() << " -> ";
    diag << "@" << callee.getSymName();
  }
};
} // namespace
