//===- Regions.cpp - What passes on region ops share -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Regions.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"
#include "llvm/ADT/StringExtras.h"
#include "rnn/Analysis/Recurrence.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;

Domain rnn::getRegionDomain(Operation *region) {
  return llvm::TypeSwitch<Operation *, Domain>(region).Case<ParallelOp, RecurrentOp, ReductionOp>(
      [](auto op) { return op.getDomain(); });
}

Rate rnn::getOperandRate(Operation *region, unsigned i) {
  return getSequenceRate(region->getOperand(i).getType(), region->getRegion(0).getArgument(i).getType());
}

bool rnn::isFrameSequence(Type sequence, int64_t streams) {
  // T is always open; B, which follows it or stands alone, only where `streams` is.
  ArrayRef<int64_t> shape = cast<RankedTensorType>(sequence).getShape();
  return llvm::count_if(shape, ShapedType::isDynamic) == (ShapedType::isDynamic(streams) ? 2 : 1);
}

uint64_t rnn::getRowBytes(Type sequence) {
  // What is open, T and perhaps B, comes first.
  auto type = cast<RankedTensorType>(sequence);
  ArrayRef<int64_t> shape = type.getShape().drop_while([](int64_t size) { return ShapedType::isDynamic(size); });
  return getByteSize(RankedTensorType::get(shape, type.getElementType()));
}

bool rnn::readsOtherFrames(Operation *region, unsigned i) {
  return llvm::any_of(region->getRegion(0).getArgument(i).getUses(), [](OpOperand &use) {
    return isa<DelayOp, SaveOp>(use.getOwner()) && use.getOperandNumber() == 0;
  });
}

std::string rnn::getResultNames(Operation *region) {
  SmallVector<std::string> names;
  for (Value value : region->getRegion(0).front().getTerminator()->getOperands())
    if (std::string name = getLocatedName(value); !name.empty())
      names.push_back(name);
  return llvm::join(names, ", ");
}

unsigned rnn::countOps(Operation *region) {
  return llvm::count_if(region->getRegion(0).front().without_terminator(),
                        [](Operation &op) { return !op.hasTrait<OpTrait::ConstantLike>(); });
}

void rnn::inlineInto(ParallelOp producer, Operation *consumer, Operation *point) {
  Block &body = consumer->getRegion(0).front();
  IRMapping mapping;
  for (auto [operand, argument] : llvm::zip(producer.getIns(), producer.getBody().getArguments())) {
    auto known = llvm::find(consumer->getOperands(), operand);
    if (known != consumer->operand_end()) {
      mapping.map(argument, body.getArgument(std::distance(consumer->operand_begin(), known)));
      continue;
    }
    consumer->insertOperands(consumer->getNumOperands(), operand);
    mapping.map(argument, body.addArgument(argument.getType(), argument.getLoc()));
  }
  OpBuilder builder(point);
  for (Operation &op : producer.getBody().front().without_terminator())
    builder.clone(op, mapping);
  Operation *yield = producer.getBody().front().getTerminator();
  for (auto [result, value] : llvm::zip(producer.getResults(), yield->getOperands()))
    for (auto [operand, argument] : llvm::zip(consumer->getOperands(), body.getArguments()))
      if (operand == result)
        argument.replaceAllUsesWith(mapping.lookup(value));
}

void rnn::dropUnusedOperands(Operation *region) {
  Block &body = region->getRegion(0).front();
  llvm::BitVector unread(region->getNumOperands());
  for (BlockArgument argument : body.getArguments())
    unread[argument.getArgNumber()] = argument.use_empty();
  region->eraseOperands(unread);
  body.eraseArguments(unread);
}

void rnn::dropUnusedResults(Operation *region) {
  Operation *yield = region->getRegion(0).front().getTerminator();
  llvm::BitVector unused(region->getNumResults());
  for (OpResult result : region->getResults())
    unused[result.getResultNumber()] = result.use_empty();
  if (unused.none())
    return;
  yield->eraseOperands(unused);
  SmallVector<Type> types;
  for (OpResult result : region->getResults())
    if (!result.use_empty())
      types.push_back(result.getType());
  OpBuilder builder(region);
  OperationState state(region->getLoc(), region->getName(), region->getOperands(), types);
  state.addRegion()->takeBody(region->getRegion(0));
  state.propertiesAttr = region->getPropertiesAsAttribute();
  state.addAttributes(llvm::to_vector(region->getDiscardableAttrs()));
  Operation *replacement = builder.create(state);
  unsigned next = 0;
  for (OpResult result : region->getResults())
    if (!result.use_empty())
      result.replaceAllUsesWith(replacement->getResult(next++));
  region->erase();
}
