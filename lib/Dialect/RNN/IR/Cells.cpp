//===- Cells.cpp - What the ops of cells share ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Cells.h"
#include "rnn/Dialect/RNN/IR/BackedgeBuilder.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::detail;

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

LogicalResult rnn::detail::verifyInput(Operation *op, Value input, Type element) {
  RankedTensorType type = getTensor(input);
  if (isIndex(input) || (type.getRank() == 1 && type.getElementType() == element))
    return success();
  return op->emitOpError() << "expected a vector of " << debugString(element)
                           << " or a scalar integer as input, but got " << debugString(type);
}

LogicalResult rnn::detail::verifyVectorResult(Operation *op) {
  RankedTensorType h = getTensor(op->getResult(0));
  if (h.getRank() == 1 && isa<FloatType>(h.getElementType()))
    return verifyInput(op, op->getOperand(0), h.getElementType());
  return op->emitOpError() << "expected a float vector h, but got " << debugString(h);
}

LogicalResult rnn::detail::verifyInit(Operation *op, ValueRange init, ArrayRef<std::pair<StringRef, Value>> states) {
  if (init.empty())
    return success();
  if (init.size() != states.size()) {
    InFlightDiagnostic diag = op->emitOpError() << "expected " << states.size()
                                                << (states.size() == 1 ? " first state (" : " first states (");
    llvm::interleaveComma(states, diag, [&](auto &state) { diag << state.first; });
    return diag << "), but got " << init.size();
  }
  for (auto [first, state] : llvm::zip_equal(init, states))
    if (first.getType() != state.second.getType())
      return op->emitOpError() << "init is " << debugString(first.getType()) << ", but " << state.first << " is "
                               << debugString(state.second.getType());
  return success();
}

LogicalResult rnn::detail::verifyFlag(Operation *op, StringRef role, Value flag) {
  if (!flag || (getTensor(flag).getRank() == 0 && getTensor(flag).getElementType().isSignlessInteger(1)))
    return success();
  return op->emitOpError() << "expected tensor<i1> as " << role << ", but got " << debugString(flag.getType());
}

LogicalResult rnn::detail::verifyProbability(Operation *op, StringRef role, double p) {
  if (p >= 0 && p < 1)
    return success();
  return op->emitOpError() << "expected " << role << " to be a probability less than 1, but got " << p;
}

LogicalResult ParameterVerifier::check(StringRef role, FlatSymbolRefAttr symbol, ArrayRef<int64_t> shape) {
  auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(op, symbol);
  if (!parameter)
    return op->emitOpError() << "refers to unknown parameter '@" << symbol.getValue() << "'";
  auto type = cast<RankedTensorType>(parameter.getType());
  bool fits = type.getElementType() == element && type.getRank() == static_cast<int64_t>(shape.size());
  for (size_t i = 0; fits && i < shape.size(); ++i)
    fits = shape[i] < 0 || type.getDimSize(i) == shape[i];
  if (fits)
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << role << " '@" << symbol.getValue() << "' is " << debugString(type) << "; expected [";
  llvm::interleaveComma(shape, diag, [&](int64_t size) {
    if (size < 0)
      diag << "any";
    else
      diag << size;
  });
  diag << "] of " << debugString(element);
  diag.attachNote(parameter.getLoc()) << "'@" << symbol.getValue() << "' is declared here";
  return diag;
}

//===----------------------------------------------------------------------===//
// CellWriter
//===----------------------------------------------------------------------===//

Value CellWriter::layerNorm(Value x, Value gain) {
  RankedTensorType type = getTensor(x);
  auto scalar = RankedTensorType::get({}, type.getElementType());
  auto mean = [&](Value y) -> Value {
    Value total = ReduceOp::create(b, loc, scalar, ReduceKind::Sum, y, ArrayRef<int64_t>{0});
    return arith::DivFOp::create(b, loc, total, createSplat(b, loc, scalar, type.getDimSize(0)));
  };
  auto spread = [&](Value y) -> Value { return BroadcastOp::create(b, loc, type, y, ArrayRef<int64_t>{0}); };
  Value centered = sub(x, spread(mean(x)));
  Value shifted = add(mean(mul(centered, centered)), createSplat(b, loc, scalar, 1e-5));
  return mul(mul(centered, spread(math::RsqrtOp::create(b, loc, shifted))), gain);
}

Value CellWriter::zoneout(Value next, Value read, double p) {
  RankedTensorType type = getTensor(next);
  auto flag = RankedTensorType::get(type.getShape(), b.getI1Type());
  Value drawn = RandomOp::create(b, loc, type, RandomKind::Uniform, Rate::Frame, IntegerAttr());
  Value share = createSplat(b, loc, type, p);
  Value keeps = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, drawn, share);
  Value average = add(next, mul(share, sub(read, next)));
  return select(TrainingOp::create(b, loc, flag), select(keeps, read, next), average);
}

FailureOr<SmallVector<Value>> rnn::detail::expandOneState(OpBuilder &builder, Operation *cell, ValueRange init,
                                                          llvm::function_ref<Value(CellWriter &, Value)> write) {
  CellWriter w(builder, cell, getTensor(cell->getResult(0)), init);
  BackedgeBuilder edges(builder, cell->getLoc());
  Backedge h = edges.get(w.unit);
  Value out = write(w, w.before(h, cell->getAttrOfType<StringAttr>("name").getValue() + ".h"));
  h.setValue(out);
  if (failed(edges.close()))
    return failure();
  return SmallVector<Value>{out};
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

ParseResult rnn::detail::parseSymbol(OpAsmParser &parser, OperationState &state, StringRef attr) {
  FlatSymbolRefAttr symbol;
  return failure(parser.parseLParen() || parser.parseAttribute(symbol, attr, state.attributes) || parser.parseRParen());
}

ParseResult rnn::detail::parseSymbols(OpAsmParser &parser, OperationState &state, StringRef attr) {
  SmallVector<Attribute> symbols;
  auto parseOne = [&]() -> ParseResult {
    FlatSymbolRefAttr symbol;
    if (parser.parseAttribute(symbol))
      return failure();
    symbols.push_back(symbol);
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne))
    return failure();
  state.addAttribute(attr, parser.getBuilder().getArrayAttr(symbols));
  return success();
}

ParseResult rnn::detail::parseNumber(OpAsmParser &parser, OperationState &state, StringRef attr) {
  Real number;
  if (parser.parseLParen() || parseReal(parser, number))
    return failure();
  state.addAttribute(attr, parser.getBuilder().getF64FloatAttr(number));
  return parser.parseRParen();
}

ParseResult rnn::detail::parseNumbers(OpAsmParser &parser, OperationState &state, StringRef attr) {
  SmallVector<double> numbers;
  auto parseOne = [&]() -> ParseResult {
    Real number;
    if (parseReal(parser, number))
      return failure();
    numbers.push_back(number);
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne))
    return failure();
  state.addAttribute(attr, parser.getBuilder().getDenseF64ArrayAttr(numbers));
  return success();
}

ParseResult rnn::detail::parseHead(OpAsmParser &parser, OperationState &state, CellOperands &operands,
                                   ArrayRef<StringRef> parameters) {
  std::string name;
  if (parser.parseString(&name) || parser.parseOperand(operands.input))
    return failure();
  state.addAttribute("name", parser.getBuilder().getStringAttr(name));
  for (StringRef keyword : parameters)
    if (parser.parseKeyword(keyword) || parseSymbol(parser, state, keyword))
      return failure();
  if (succeeded(parser.parseOptionalKeyword("reverse")))
    state.addAttribute("reverse", parser.getBuilder().getUnitAttr());
  return success();
}

ParseResult rnn::detail::parseInit(OpAsmParser &parser, CellOperands &operands) {
  return parseOption(parser, "init", [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseOperandList(operands.init, OpAsmParser::Delimiter::Paren))
      return failure();
    return operands.init.empty() ? parser.emitError(loc) << "expected a first state" : ParseResult(success());
  });
}

ParseResult rnn::detail::parseFlags(OpAsmParser &parser, CellOperands &operands) {
  auto parse = [&](StringRef keyword, std::optional<OpAsmParser::UnresolvedOperand> &flag) {
    return parseOption(parser, keyword, [&] {
      return failure(parser.parseLParen() || parser.parseOperand(flag.emplace()) || parser.parseRParen());
    });
  };
  return failure(parse("clock", operands.clock) || parse("restart", operands.restart));
}

ParseResult rnn::detail::parseTail(OpAsmParser &parser, OperationState &state, const CellOperands &operands,
                                   bool hasFlags, unsigned results) {
  Type input, h, flag = RankedTensorType::get({}, parser.getBuilder().getI1Type());
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(input) || parser.parseArrow() ||
      parser.parseType(h) || parser.resolveOperand(operands.input, input, state.operands))
    return failure();
  for (const auto &given : {operands.clock, operands.restart})
    if (given && parser.resolveOperand(*given, flag, state.operands))
      return failure();
  if (hasFlags)
    state.addAttribute("operandSegmentSizes",
                       parser.getBuilder().getDenseI32ArrayAttr({1, operands.clock ? 1 : 0, operands.restart ? 1 : 0,
                                                                 static_cast<int32_t>(operands.init.size())}));
  state.addTypes(SmallVector<Type>(results, h));
  if (results > 1 && succeeded(parser.parseOptionalComma()) && parser.parseType(state.types[1]))
    return failure();
  // One first state for each result; the verifier counts them.
  for (auto [k, first] : llvm::enumerate(operands.init))
    if (parser.resolveOperand(first, state.types[std::min<size_t>(k, results - 1)], state.operands))
      return failure();
  return success();
}

void rnn::detail::printHead(OpAsmPrinter &p, Operation *cell, ArrayRef<StringRef> parameters) {
  p << " " << cell->getAttr("name") << " " << cell->getOperand(0);
  for (StringRef parameter : parameters)
    p << " " << parameter << "(" << cell->getAttr(parameter) << ")";
  if (cell->hasAttr("reverse"))
    p << " reverse";
}

void rnn::detail::printOption(OpAsmPrinter &p, StringRef keyword, FlatSymbolRefAttr symbol) {
  if (symbol)
    p << " " << keyword << "(" << symbol << ")";
}

void rnn::detail::printOption(OpAsmPrinter &p, StringRef keyword, ArrayAttr symbols) {
  if (!symbols)
    return;
  p << " " << keyword << "(";
  llvm::interleaveComma(symbols, p);
  p << ")";
}

void rnn::detail::printOption(OpAsmPrinter &p, StringRef keyword, FloatAttr number) {
  if (number)
    p << " " << keyword << "(" << Real(number.getValueAsDouble()) << ")";
}

void rnn::detail::printOption(OpAsmPrinter &p, StringRef keyword, Value flag) {
  if (flag)
    p << " " << keyword << "(" << flag << ")";
}

void rnn::detail::printOption(OpAsmPrinter &p, StringRef keyword, ValueRange states) {
  if (!states.empty())
    p << " " << keyword << "(" << states << ")";
}

void rnn::detail::printTail(OpAsmPrinter &p, Operation *cell, ArrayRef<StringRef> printed) {
  SmallVector<StringRef> elided{"name", "operandSegmentSizes", "reverse"};
  llvm::append_range(elided, printed);
  p.printOptionalAttrDict(cell->getAttrs(), elided);
  p << " : " << cell->getOperand(0).getType() << " -> " << cell->getResult(0).getType();
  if (cell->getNumResults() > 1 && cell->getResult(1).getType() != cell->getResult(0).getType())
    p << ", " << cell->getResult(1).getType();
}
