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

/// The rate that an op has whatever its operands are, if there is one.
static std::optional<Rate> getFixedRate(Operation *op) {
  auto sum = [](std::optional<Rate> to, bool always) -> std::optional<Rate> {
    if (to)
      return *to;
    return always ? std::optional<Rate>(Rate::Static) : std::nullopt;
  };
  return llvm::TypeSwitch<Operation *, std::optional<Rate>>(op)
      .Case<SaveOp, SeedOp>([](auto) { return Rate::Frame; })
      // A delay of a static or stream signal is one of frame rate all the same: it has an init before the first frame.
      .Case([](DelayOp) { return Rate::Frame; })
      .Case([](ParamOp) { return Rate::Static; })
      .Case([](RandomOp random) { return random.getRate(); })
      .Case([&](SumFramesOp op) { return sum(op.getSumTo(), /*always=*/true); })
      .Case([&](ContractOp op) { return sum(op.getSumTo(), /*always=*/false); })
      .Case([&](ScatterAddOp op) { return sum(op.getSumTo(), /*always=*/false); })
      .Default([](Operation *) { return std::nullopt; });
}

/// True for the ops that lead from the chunk into the window.
static bool entersWindow(Operation *op) { return isa<SaveOp, SeedOp>(op); }

RateAnalysis::RateAnalysis(Block &block, llvm::function_ref<Rate(unsigned)> argumentRate,
                           llvm::function_ref<bool(unsigned)> argumentInWindow) {
  // Rates and domains only grow, so a worklist of ops ends; each op is visited once per growth of an operand.
  SmallVector<Operation *> worklist;
  for (BlockArgument argument : block.getArguments()) {
    rates[argument] = argumentRate(argument.getArgNumber());
    if (argumentInWindow && argumentInWindow(argument.getArgNumber()))
      window.insert(argument);
  }
  for (Operation &op : llvm::reverse(block))
    worklist.push_back(&op);

  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    Rate rate = Rate::Static;
    bool inWindow = entersWindow(op);
    for (Value operand : op->getOperands()) {
      rate = std::max(rate, getRate(operand));
      inWindow |= getRate(operand) == Rate::Frame && isInWindow(operand);
    }
    rate = getFixedRate(op).value_or(rate);
    // A gradient has the rate of what it is with respect to.
    auto gradient = dyn_cast<GradientOp>(op);
    for (auto [i, result] : llvm::enumerate(op->getResults())) {
      Rate resultRate = gradient ? getRate(gradient.getWrt()[i]) : rate;
      auto [it, isNew] = rates.try_emplace(result, resultRate);
      bool changed = !isNew && it->second != resultRate;
      it->second = resultRate;
      if (inWindow && resultRate == Rate::Frame)
        changed |= window.insert(result).second;
      if (changed || isNew)
        for (Operation *user : result.getUsers())
          if (user->getBlock() == &block && rates.contains(user->getNumResults() ? user->getResult(0) : Value()))
            worklist.push_back(user);
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
