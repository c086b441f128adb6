//===- Rates.cpp - How often each value of a function changes --*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/IR/Rates.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;

std::optional<Rate> rnn::getSumRate(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Rate>>(op)
      .Case([](SumFramesOp sum) { return sum.getSumTo().value_or(Rate::Static); })
      .Case<ContractOp, ScatterAddOp>([](auto sum) { return sum.getSumTo(); })
      .Default([](Operation *) { return std::nullopt; });
}

/// The rate that an op has whatever its operands are, if there is one.
static std::optional<Rate> getFixedRate(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Rate>>(op)
      .Case<SaveOp, SeedOp>([](auto) { return Rate::Frame; })
      // A delay of a static or stream signal is one of frame rate all the same: it has an init before the first frame.
      .Case([](DelayOp) { return Rate::Frame; })
      .Case([](ParamOp) { return Rate::Static; })
      .Case([](RandomOp random) { return random.getRate(); })
      .Default([](Operation *other) { return getSumRate(other); });
}

/// True for the ops that lead from the chunk into the window.
static bool entersWindow(Operation *op) { return isa<SaveOp, SeedOp>(op); }

RateAnalysis::RateAnalysis(Block &block, llvm::function_ref<Rate(unsigned)> argumentRate,
                           llvm::function_ref<bool(unsigned)> argumentInWindow) {
  // What is known of the operands of an op. Rates and domains only grow, so a value is looked at a few times and the
  // whole is linear in the number of operands.
  struct Operands {
    Rate rate = Rate::Static;
    bool inWindow = false;
  };
  llvm::DenseMap<Operation *, Operands> known;
  SmallVector<Value> worklist;
  auto raise = [&](Value value, Rate rate, bool inWindow) {
    auto [it, grows] = rates.try_emplace(value, rate);
    if (rate > it->second) {
      it->second = rate;
      grows = true;
    }
    if (inWindow && it->second == Rate::Frame)
      grows |= window.insert(value).second;
    if (grows)
      worklist.push_back(value);
  };
  auto raiseResults = [&](Operation *op, Operands operands) {
    Rate rate = getFixedRate(op).value_or(operands.rate);
    for (Value result : op->getResults())
      raise(result, rate, operands.inWindow || entersWindow(op));
  };

  for (BlockArgument argument : block.getArguments())
    raise(argument, argumentRate(argument.getArgNumber()),
          argumentInWindow && argumentInWindow(argument.getArgNumber()));
  for (Operation &op : block)
    raiseResults(&op, Operands());

  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    Rate rate = getRate(value);
    bool inWindow = rate == Rate::Frame && isInWindow(value);
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (user->getBlock() != &block)
        continue;
      // A gradient has the rate of what it is with respect to.
      if (auto gradient = dyn_cast<GradientOp>(user)) {
        if (use.getOperandNumber() > 0)
          raise(gradient.getGrads()[use.getOperandNumber() - 1], rate, inWindow);
        continue;
      }
      Operands &operands = known[user];
      if (rate <= operands.rate && inWindow <= operands.inWindow)
        continue;
      operands.rate = std::max(operands.rate, rate);
      operands.inWindow |= inWindow;
      raiseResults(user, operands);
    }
  }
}

RateAnalysis::RateAnalysis(RNNFunctionInterface function)
    : RateAnalysis(*function.getBodyBlock(), [&](unsigned i) { return function.getArgRate(i); }) {}

Domain RateAnalysis::getDomain(Value value) const {
  switch (getRate(value)) {
  case Rate::Static:
    return Domain::Static;
  case Rate::Stream:
    return Domain::Stream;
  case Rate::Frame:
    return isInWindow(value) ? Domain::Window : Domain::Chunk;
  }
  llvm_unreachable("all rates are covered");
}
