//===- ScheduleOps.cpp - Verifiers and syntax of level 2 --------*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The three region ops share their syntax:
//   [causal|anticausal] domain ins(%sequence as %signal, …) : (types) -> types { … rnn.yield … }
//
//===----------------------------------------------------------------------===//
#include "Verify.h"

using namespace mlir;
using namespace mlir::rnn;

/// Drops the leading dimensions of a sequence: `[T, B, …]` at frame rate, `[B, …]` at stream rate.
static Type getSignalType(RankedTensorType sequence, int64_t rate) {
  return RankedTensorType::get(sequence.getShape().drop_front(rate), sequence.getElementType());
}

/// Parses `ins(%a as %x rate, …) : (…) -> (…) { … }`.
static ParseResult parseRegionOp(OpAsmParser &parser, OperationState &state) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<int64_t> rates;
  auto parseIn = [&]() -> ParseResult {
    FailureOr<Rate> rate = failure();
    if (parser.parseOperand(operands.emplace_back()) || parser.parseKeyword("as") ||
        parser.parseArgument(arguments.emplace_back()) || failed(rate = FieldParser<Rate>::parse(parser)))
      return failure();
    rates.push_back(static_cast<int64_t>(*rate));
    return success();
  };
  FunctionType type;
  SMLoc loc;
  if (parser.parseKeyword("ins") || parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseIn) ||
      parser.parseOptionalAttrDict(state.attributes) || parser.parseColon() || parser.getCurrentLocation(&loc) ||
      parser.parseType(type) || parser.resolveOperands(operands, type.getInputs(), loc, state.operands))
    return failure();
  for (auto [argument, rate, input] : llvm::zip(arguments, rates, type.getInputs())) {
    auto sequence = dyn_cast<RankedTensorType>(input);
    if (!sequence || sequence.getRank() < rate)
      return parser.emitError(loc) << debugString(input) << " is no sequence of rate "
                                   << stringifyRate(static_cast<Rate>(rate));
    argument.type = getSignalType(sequence, rate);
  }
  state.addTypes(type.getResults());
  return parser.parseRegion(*state.addRegion(), arguments);
}

static void printRegionOp(OpAsmPrinter &p, Operation *op) {
  p << " ins(";
  llvm::interleaveComma(llvm::zip(op->getOperands(), op->getRegion(0).getArguments()), p, [&](auto in) {
    auto [operand, argument] = in;
    p << operand << " as " << argument << " " << stringifyRate(getSequenceRate(operand.getType(), argument.getType()));
  });
  p << ")";
  p.printOptionalAttrDict(op->getAttrs(), {"domain", "direction"});
  p << " : ";
  p.printFunctionalType(op);
  p << " ";
  p.printRegion(op->getRegion(0), /*printEntryBlockArgs=*/false);
}

/// The rate of what a region over `domain` yields.
static Rate getResultRate(Domain domain) {
  switch (domain) {
  case Domain::Static:
    return Rate::Static;
  case Domain::Stream:
    return Rate::Stream;
  default:
    return Rate::Frame;
  }
}

/// Checks operands against block arguments and, if `rate` is given, yielded values against results.
static LogicalResult verifyRegionOp(Operation *op, std::optional<Rate> rate) {
  Block &body = op->getRegion(0).front();
  int64_t streams = op->getParentOfType<ScheduleOp>().getStreams();
  if (body.getNumArguments() != op->getNumOperands())
    return op->emitOpError() << "expected " << op->getNumOperands() << " block arguments, but got "
                             << body.getNumArguments();
  for (auto [operand, argument] : llvm::zip(op->getOperands(), body.getArguments())) {
    auto signal = dyn_cast<RankedTensorType>(argument.getType());
    int64_t rank = signal ? cast<RankedTensorType>(operand.getType()).getRank() - signal.getRank() : -1;
    if (rank < 0 || rank > 2 || getSequenceType(signal, static_cast<Rate>(rank), streams) != operand.getType())
      return op->emitOpError() << "operand " << debugString(operand.getType()) << " is no sequence of "
                               << debugString(argument.getType());
  }
  auto yield = dyn_cast<YieldOp>(body.back());
  if (!yield || yield.getNumOperands() != op->getNumResults())
    return op->emitOpError() << "expected a rnn.yield of " << op->getNumResults() << " values";
  for (auto [value, result] : llvm::zip(yield.getOperands(), op->getResults())) {
    // The yield itself has not been verified yet.
    auto signal = dyn_cast<RankedTensorType>(value.getType());
    if (!signal)
      return op->emitOpError() << "result " << debugString(result.getType()) << " is no sequence of "
                               << debugString(value.getType());
    bool matches = rate ? getSequenceType(signal, *rate, streams) == result.getType()
                        : getSequenceType(signal, Rate::Static, streams) == result.getType() ||
                              getSequenceType(signal, Rate::Stream, streams) == result.getType();
    if (!matches)
      return op->emitOpError() << "result " << debugString(result.getType()) << " is no sequence of "
                               << debugString(signal);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// ParallelOp
//===----------------------------------------------------------------------===//

RegionKind ParallelOp::getRegionKind(unsigned) { return RegionKind::Graph; }

/// Parses one enum keyword into attribute `name`.
template <typename EnumT, typename AttrT>
static ParseResult parseEnum(OpAsmParser &parser, OperationState &state, StringRef name) {
  FailureOr<EnumT> value = FieldParser<EnumT>::parse(parser);
  if (failed(value))
    return failure();
  state.addAttribute(name, AttrT::get(parser.getContext(), *value));
  return success();
}

ParseResult ParallelOp::parse(OpAsmParser &parser, OperationState &state) {
  return failure(parseEnum<Domain, DomainAttr>(parser, state, "domain") || parseRegionOp(parser, state));
}
void ParallelOp::print(OpAsmPrinter &p) {
  p << " " << stringifyDomain(getDomain());
  printRegionOp(p, *this);
}
LogicalResult ParallelOp::verify() { return verifyRegionOp(*this, getResultRate(getDomain())); }

//===----------------------------------------------------------------------===//
// RecurrentOp
//===----------------------------------------------------------------------===//

RegionKind RecurrentOp::getRegionKind(unsigned) { return RegionKind::Graph; }
ParseResult RecurrentOp::parse(OpAsmParser &parser, OperationState &state) {
  return failure(parseEnum<Direction, DirectionAttr>(parser, state, "direction") ||
                 parseEnum<Domain, DomainAttr>(parser, state, "domain") || parseRegionOp(parser, state));
}
void RecurrentOp::print(OpAsmPrinter &p) {
  p << " " << stringifyDirection(getDirection()) << " " << stringifyDomain(getDomain());
  printRegionOp(p, *this);
}
LogicalResult RecurrentOp::verify() {
  if (getResultRate(getDomain()) != Rate::Frame)
    return emitOpError() << "expected domain 'chunk' or 'window', but got '" << stringifyDomain(getDomain()) << "'";
  return verifyRegionOp(*this, Rate::Frame);
}

//===----------------------------------------------------------------------===//
// ReductionOp
//===----------------------------------------------------------------------===//

RegionKind ReductionOp::getRegionKind(unsigned) { return RegionKind::Graph; }
ParseResult ReductionOp::parse(OpAsmParser &parser, OperationState &state) {
  return failure(parseEnum<Domain, DomainAttr>(parser, state, "domain") || parseRegionOp(parser, state));
}
void ReductionOp::print(OpAsmPrinter &p) {
  p << " " << stringifyDomain(getDomain());
  printRegionOp(p, *this);
}
LogicalResult ReductionOp::verify() {
  if (getResultRate(getDomain()) != Rate::Frame)
    return emitOpError() << "expected domain 'chunk' or 'window', but got '" << stringifyDomain(getDomain()) << "'";
  return verifyRegionOp(*this, std::nullopt);
}
