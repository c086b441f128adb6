//===- CompositeOps.cpp - Cells and losses, written out -------*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "rnn/Dialect/RNN/IR/BackedgeBuilder.h"

using namespace mlir;
using namespace mlir::rnn;

//===----------------------------------------------------------------------===//
// LSTMOp: "name" %x wx(@) wh(@) b(@) [peephole(@, @, @)] [projection(@)] : in -> h [, c]
//===----------------------------------------------------------------------===//

static ParseResult parseSymbol(OpAsmParser &parser, StringRef keyword, OperationState &state, StringRef attr) {
  FlatSymbolRefAttr symbol;
  return failure(parser.parseLParen() || parser.parseAttribute(symbol, attr, state.attributes) || parser.parseRParen());
}

ParseResult LSTMOp::parse(OpAsmParser &parser, OperationState &state) {
  std::string name;
  OpAsmParser::UnresolvedOperand input;
  if (parser.parseString(&name) || parser.parseOperand(input))
    return failure();
  state.addAttribute("name", parser.getBuilder().getStringAttr(name));
  for (StringRef keyword : {"wx", "wh", "b"})
    if (parser.parseKeyword(keyword) || parseSymbol(parser, keyword, state, keyword))
      return failure();
  if (succeeded(parser.parseOptionalKeyword("peephole"))) {
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
    state.addAttribute("peephole", parser.getBuilder().getArrayAttr(symbols));
  }
  if (succeeded(parser.parseOptionalKeyword("projection")) && parseSymbol(parser, "projection", state, "projection"))
    return failure();
  Type inputType, h, c;
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(inputType) || parser.parseArrow() ||
      parser.parseType(h))
    return failure();
  c = h;
  if (succeeded(parser.parseOptionalComma()) && parser.parseType(c))
    return failure();
  state.addTypes({h, c});
  return parser.resolveOperand(input, inputType, state.operands);
}

void LSTMOp::print(OpAsmPrinter &p) {
  p << " " << getNameAttr() << " " << getInput() << " wx(" << getWxAttr() << ") wh(" << getWhAttr() << ") b("
    << getBAttr() << ")";
  if (getPeephole()) {
    p << " peephole(";
    llvm::interleaveComma(*getPeephole(), p);
    p << ")";
  }
  if (getProjectionAttr())
    p << " projection(" << getProjectionAttr() << ")";
  p.printOptionalAttrDict((*this)->getAttrs(), {"name", "wx", "wh", "b", "peephole", "projection"});
  p << " : " << getInput().getType() << " -> " << getH().getType();
  if (getH().getType() != getC().getType())
    p << ", " << getC().getType();
}

LogicalResult LSTMOp::verify() {
  auto h = cast<RankedTensorType>(getH().getType()), c = cast<RankedTensorType>(getC().getType());
  auto input = cast<RankedTensorType>(getInput().getType());
  if (h.getRank() != 1 || c.getRank() != 1 || !isa<FloatType>(c.getElementType()) ||
      h.getElementType() != c.getElementType())
    return emitOpError() << "expected vectors h and c of one float type, but got " << debugString(h) << " and "
                         << debugString(c);
  if (!getProjectionAttr() && h != c)
    return emitOpError() << "expected h and c of one type without projection, but got " << debugString(h) << " and "
                         << debugString(c);
  bool isIndex = input.getElementType().isSignlessInteger() && input.getRank() == 0;
  if (!isIndex && (input.getRank() != 1 || input.getElementType() != c.getElementType()))
    return emitOpError() << "expected a vector of " << debugString(c.getElementType())
                         << " or a scalar integer as input, but got " << debugString(input);
  if (getPeephole() && getPeephole()->size() != 3)
    return emitOpError() << "expected 3 peephole parameters (input, forget, output), but got " << getPeephole()->size();
  return success();
}

LogicalResult LSTMOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto input = cast<RankedTensorType>(getInput().getType());
  int64_t units = cast<RankedTensorType>(getC().getType()).getDimSize(0);
  int64_t outputs = cast<RankedTensorType>(getH().getType()).getDimSize(0);
  Type element = cast<RankedTensorType>(getC().getType()).getElementType();
  auto check = [&](StringRef role, FlatSymbolRefAttr symbol, ArrayRef<int64_t> shape) -> LogicalResult {
    auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(*this, symbol);
    if (!parameter)
      return emitOpError() << "refers to unknown parameter '@" << symbol.getValue() << "'";
    // A negative size stands for any.
    auto type = cast<RankedTensorType>(parameter.getType());
    bool fits = type.getElementType() == element && type.getRank() == static_cast<int64_t>(shape.size());
    for (size_t i = 0; fits && i < shape.size(); ++i)
      fits = shape[i] < 0 || type.getDimSize(i) == shape[i];
    if (fits)
      return success();
    InFlightDiagnostic diag = emitOpError()
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
  };
  LogicalResult wx = input.getRank() == 0 ? check("wx", getWxAttr(), {-1, 4 * units})
                                          : check("wx", getWxAttr(), {4 * units, input.getDimSize(0)});
  if (failed(wx) || failed(check("wh", getWhAttr(), {4 * units, outputs})) ||
      failed(check("b", getBAttr(), {4 * units})))
    return failure();
  if (getPeephole())
    for (auto symbol : getPeephole()->getAsRange<FlatSymbolRefAttr>())
      if (failed(check("peephole", symbol, {units})))
        return failure();
  if (getProjectionAttr() && failed(check("projection", getProjectionAttr(), {outputs, units})))
    return failure();
  return success();
}

FailureOr<SmallVector<Value>> LSTMOp::expand(OpBuilder &builder) {
  Location loc = getLoc();
  auto unit = cast<RankedTensorType>(getC().getType());
  auto output = cast<RankedTensorType>(getH().getType());
  Type element = unit.getElementType();
  int64_t units = unit.getDimSize(0);
  auto gates = RankedTensorType::get({4 * units}, element);
  auto module = (*this)->getParentOfType<ModuleOp>();
  auto param = [&](FlatSymbolRefAttr symbol) -> Value {
    auto parameter = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(module, symbol);
    return ParamOp::create(builder, loc, parameter.getType(), symbol);
  };
  auto add = [&](Value x, Value y) -> Value { return arith::AddFOp::create(builder, loc, x, y); };
  auto mul = [&](Value x, Value y) -> Value { return arith::MulFOp::create(builder, loc, x, y); };
  auto sigmoid = [&](Value x) -> Value { return SigmoidOp::create(builder, loc, unit, x); };
  auto tanh = [&](Value x) -> Value { return math::TanhOp::create(builder, loc, x); };

  BackedgeBuilder edges(builder, loc);
  Backedge h = edges.get(output), c = edges.get(unit);
  std::string name = getName().str();
  Value h1 = DelayOp::create(builder, loc, h, 1, name + ".h");
  Value c1 = DelayOp::create(builder, loc, c, 1, name + ".c");

  Value wx = param(getWxAttr());
  bool isIndex = cast<RankedTensorType>(getInput().getType()).getRank() == 0;
  Value fromInput = isIndex ? GatherOp::create(builder, loc, gates, wx, getInput()).getResult()
                            : LinearOp::create(builder, loc, getInput(), wx).getResult();
  Value fromState = LinearOp::create(builder, loc, h1, param(getWhAttr()));
  Value sum = SumOp::create(builder, loc, gates, ValueRange{fromInput, param(getBAttr()), fromState});
  auto gate = [&](int64_t k) -> Value {
    return tensor::ExtractSliceOp::create(builder, loc, unit, sum, ValueRange(), ValueRange(), ValueRange(),
                                          ArrayRef<int64_t>{k * units}, ArrayRef<int64_t>{units}, ArrayRef<int64_t>{1});
  };
  auto peep = [&](Value x, unsigned k, Value cell) {
    return getPeephole() ? add(x, mul(param(cast<FlatSymbolRefAttr>((*getPeephole())[k])), cell)) : x;
  };
  Value i = sigmoid(peep(gate(0), 0, c1));
  Value f = sigmoid(peep(gate(1), 1, c1));
  Value g = tanh(gate(2));
  Value cell = add(mul(f, c1), mul(i, g));
  Value o = sigmoid(peep(gate(3), 2, cell));
  Value out = mul(o, tanh(cell));
  if (getProjectionAttr())
    out = LinearOp::create(builder, loc, out, param(getProjectionAttr()));
  h.setValue(out);
  c.setValue(cell);
  if (failed(edges.close()))
    return failure();
  return SmallVector<Value>{out, cell};
}

//===----------------------------------------------------------------------===//
// SoftmaxCrossEntropyOp
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxCrossEntropyOp::verify() {
  auto logits = cast<RankedTensorType>(getLogits().getType());
  auto target = cast<RankedTensorType>(getTarget().getType());
  if (logits.getRank() != 1 || !isa<FloatType>(logits.getElementType()))
    return emitOpError() << "expected a float vector of logits, but got " << debugString(logits);
  if (target.getRank() != 0 || !target.getElementType().isSignlessInteger() ||
      target.getElementType().isSignlessInteger(1))
    return emitOpError() << "expected a scalar integer target, but got " << debugString(target);
  if (getType() != RankedTensorType::get({}, logits.getElementType()))
    return emitOpError() << "expected a scalar " << debugString(logits.getElementType()) << " result, but got "
                         << debugString(getType());
  return success();
}

FailureOr<SmallVector<Value>> SoftmaxCrossEntropyOp::expand(OpBuilder &builder) {
  Location loc = getLoc();
  Type scalar = getType(), vector = getLogits().getType();
  auto reduce = [&](ReduceKind kind, Value x) -> Value {
    return ReduceOp::create(builder, loc, scalar, kind, x, ArrayRef<int64_t>{0});
  };
  // The shift by the maximum changes neither value nor gradient.
  Value max = reduce(ReduceKind::Max, StopGradientOp::create(builder, loc, vector, getLogits()));
  Value spread = BroadcastOp::create(builder, loc, vector, max, ArrayRef<int64_t>{0});
  Value shifted = arith::SubFOp::create(builder, loc, getLogits(), spread);
  Value sum = reduce(ReduceKind::Sum, math::ExpOp::create(builder, loc, shifted));
  Value logSum = math::LogOp::create(builder, loc, sum);
  Value atTarget = GatherOp::create(builder, loc, scalar, shifted, getTarget());
  return SmallVector<Value>{arith::SubFOp::create(builder, loc, logSum, atTarget)};
}
