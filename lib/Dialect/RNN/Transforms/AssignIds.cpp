//===- AssignIds.cpp - Names of states and random ops -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Analysis/Abi.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_ASSIGNIDS
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-assign-ids"

namespace {
struct AssignIds : mlir::rnn::impl::AssignIdsBase<AssignIds> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<RNNFunctionInterface>())
      if (isa<NetworkOp, StepOp>(function))
        nameStates(function);
    if (failed(numberRandomOps()))
      signalPassFailure();
  }

  static void nameStates(RNNFunctionInterface function) {
    auto states = getCarriedStates(function);
    for (DelayOp delay : function.getBodyBlock()->getOps<DelayOp>())
      if (auto it = states.find(delay.getSource()); it != states.end() && delay.isCarried())
        delay.setState(it->second.name);
  }

  LogicalResult numberRandomOps() {
    // A step is a copy of its network and draws what the network draws, so only networks are numbered.
    llvm::DenseMap<int32_t, RandomOp> owners;
    SmallVector<RandomOp> unnamed;
    for (NetworkOp network : getOperation().getOps<NetworkOp>())
      for (RandomOp random : network.getBodyBlock()->getOps<RandomOp>()) {
        if (!random.getId()) {
          unnamed.push_back(random);
          continue;
        }
        auto [it, isNew] = owners.try_emplace(*random.getId(), random);
        if (!isNew) {
          InFlightDiagnostic diag = random.emitOpError() << "id " << *random.getId() << " is used twice";
          diag.attachNote(it->second.getLoc()) << "first used here";
          return diag;
        }
      }
    int32_t next = 0;
    for (RandomOp random : unnamed) {
      while (owners.contains(next))
        ++next;
      random.setId(next++);
    }
    return success();
  }
};
} // namespace
