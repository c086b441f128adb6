//===- CellOps.cpp - Cells, written out --------------------------*- C++ -*-===//
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
// What cells share
//===----------------------------------------------------------------------===//

static RankedTensorType getTensor(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Whether a cell looks its input up in a table.
static bool isIndex(Value input) {
  return getTensor(input).getElementType().isSignlessInteger() && getTensor(input).getRank() == 0;
}

/// The input is a vector of `element`, or an index.
static LogicalResult verifyInput(Operation *op, Value input, Type element) {
  RankedTensorType type = getTensor(input);
  if (isIndex(input) || (type.getRank() == 1 && type.getElementType() == element))
    return success();
  return op->emitOpError() << "expected a vector of " << debugString(element)
                           << " or a scalar integer as input, but got " << debugString(type);
}

/// The only result of a cell is a vector of floating-point numbers.
static LogicalResult verifyVectorResult(Operation *op) {
  RankedTensorType h = getTensor(op->getResult(0));
  if (h.getRank() == 1 && isa<FloatType>(h.getElementType()))
    return verifyInput(op, op->getOperand(0), h.getElementType());
  return op->emitOpError() << "expected a float vector h, but got " << debugString(h);
}

namespace {
/// Checks the parameters of a cell, whose numbers are of type `element`.
struct ParameterVerifier {
  Operation *op;
  SymbolTableCollection &symbols;
  Type element;

  /// `symbol` is a parameter of this shape; a negative size stands for any.
  LogicalResult check(StringRef role, FlatSymbolRefAttr symbol, ArrayRef<int64_t> shape) {
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

  /// `wx`, `wh` and `b` of a cell with so many rows of gates, which reads a state of `outputs` elements.
  LogicalResult checkWeights(Value input, FlatSymbolRefAttr wx, FlatSymbolRefAttr wh, FlatSymbolRefAttr b, int64_t rows,
                             int64_t outputs) {
    LogicalResult fits =
        isIndex(input) ? check("wx", wx, {-1, rows}) : check("wx", wx, {rows, getTensor(input).getDimSize(0)});
    return failure(failed(fits) || failed(check("wh", wh, {rows, outputs})) || failed(check("b", b, {rows})));
  }
};

/// Writes a cell as arithmetic on vectors of type `unit`.
struct CellWriter {
  OpBuilder &b;
  Location loc;
  ModuleOp module;
  RankedTensorType unit;

  CellWriter(OpBuilder &builder, Operation *cell, RankedTensorType unit)
      : b(builder), loc(cell->getLoc()), module(cell->getParentOfType<ModuleOp>()), unit(unit) {}

  Value param(FlatSymbolRefAttr symbol) {
    auto parameter = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(module, symbol);
    return ParamOp::create(b, loc, parameter.getType(), symbol);
  }
  Value param(Attribute symbol) { return param(cast<FlatSymbolRefAttr>(symbol)); }
  Value constant(double value) { return createSplat(b, loc, unit, value); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value sigmoid(Value x) { return SigmoidOp::create(b, loc, x.getType(), x); }
  Value tanh(Value x) { return math::TanhOp::create(b, loc, x); }
  Value linear(Value x, Value weight) { return LinearOp::create(b, loc, x, weight); }
  Value sum(ValueRange terms) { return SumOp::create(b, loc, terms.front().getType(), terms); }
  /// The state of the frame before.
  Value before(Value state, const Twine &name) { return DelayOp::create(b, loc, state, 1, name.str()); }

  /// What the input gives to `gates` gates of every unit: a product, or a row of the table.
  Value fromInput(Value input, FlatSymbolRefAttr wx, int64_t gates) {
    Value weight = param(wx);
    if (!isIndex(input))
      return linear(input, weight);
    auto rows = RankedTensorType::get({gates * unit.getDimSize(0)}, unit.getElementType());
    return GatherOp::create(b, loc, rows, weight, input);
  }
  /// Rows `[first * H, (first + count) * H)` of a vector or matrix of gates.
  Value gates(Value all, int64_t first, int64_t count) {
    int64_t units = unit.getDimSize(0);
    RankedTensorType whole = getTensor(all);
    SmallVector<int64_t> offsets(whole.getRank(), 0), sizes(whole.getShape()), strides(whole.getRank(), 1);
    offsets[0] = first * units;
    sizes[0] = count * units;
    return tensor::ExtractSliceOp::create(b, loc, whole.clone(sizes), all, ValueRange(), ValueRange(), ValueRange(),
                                          offsets, sizes, strides);
  }
  Value gate(Value all, int64_t k) { return gates(all, k, 1); }

  /// `gain ∘ (x - mean) / sqrt(variance + 1e-5)` over the elements of a vector.
  Value layerNorm(Value x, Value gain) {
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
};
} // namespace

//===----------------------------------------------------------------------===//
// Syntax: "name" %x wx(@) wh(@) b(@) option(…)… : in -> h [, c]
//===----------------------------------------------------------------------===//

static ParseResult parseSymbol(OpAsmParser &parser, OperationState &state, StringRef attr) {
  FlatSymbolRefAttr symbol;
  return failure(parser.parseLParen() || parser.parseAttribute(symbol, attr, state.attributes) || parser.parseRParen());
}

static ParseResult parseSymbols(OpAsmParser &parser, OperationState &state, StringRef attr) {
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

static ParseResult parseNumber(OpAsmParser &parser, OperationState &state, StringRef attr) {
  Real number;
  if (parser.parseLParen() || parseReal(parser, number))
    return failure();
  state.addAttribute(attr, parser.getBuilder().getF64FloatAttr(number));
  return parser.parseRParen();
}

/// One word of an enum, `AttrT`'s values.
template <typename AttrT>
static ParseResult parseWord(OpAsmParser &parser, OperationState &state, StringRef attr, ArrayRef<StringRef> words) {
  SMLoc loc;
  StringRef word;
  if (parser.parseLParen() || parser.getCurrentLocation(&loc) || parser.parseKeyword(&word))
    return failure();
  auto found = llvm::find(words, word);
  if (found == words.end()) {
    InFlightDiagnostic diag = parser.emitError(loc) << "expected one of";
    llvm::interleave(words, [&](StringRef known) { diag << " '" << known << "'"; }, [&] { diag << ","; });
    return diag << ", but got '" << word << "'";
  }
  // The words stand in the order of their values.
  auto value = static_cast<decltype(AttrT().getValue())>(found - words.begin());
  state.addAttribute(attr, AttrT::get(parser.getContext(), value));
  return parser.parseRParen();
}

/// What all cells begin with, up to their options.
static ParseResult parseHead(OpAsmParser &parser, OperationState &state, OpAsmParser::UnresolvedOperand &input) {
  std::string name;
  if (parser.parseString(&name) || parser.parseOperand(input))
    return failure();
  state.addAttribute("name", parser.getBuilder().getStringAttr(name));
  for (StringRef keyword : {"wx", "wh", "b"})
    if (parser.parseKeyword(keyword) || parseSymbol(parser, state, keyword))
      return failure();
  return success();
}

/// An option in parentheses, if its keyword comes next.
static ParseResult parseOption(OpAsmParser &parser, StringRef keyword, llvm::function_ref<ParseResult()> parse) {
  return succeeded(parser.parseOptionalKeyword(keyword)) ? parse() : success();
}

/// What follows the options, up to the type of `h`.
static ParseResult parseTail(OpAsmParser &parser, OperationState &state, OpAsmParser::UnresolvedOperand input) {
  Type inputType, h;
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(inputType) || parser.parseArrow() ||
      parser.parseType(h) || parser.resolveOperand(input, inputType, state.operands))
    return failure();
  state.addTypes(h);
  return success();
}

template <typename CellT>
static void printHead(OpAsmPrinter &p, CellT cell) {
  p << " " << cell.getNameAttr() << " " << cell.getInput() << " wx(" << cell.getWxAttr() << ") wh(" << cell.getWhAttr()
    << ") b(" << cell.getBAttr() << ")";
}

static void printOption(OpAsmPrinter &p, StringRef keyword, FlatSymbolRefAttr symbol) {
  if (symbol)
    p << " " << keyword << "(" << symbol << ")";
}

static void printOption(OpAsmPrinter &p, StringRef keyword, ArrayAttr symbols) {
  if (!symbols)
    return;
  p << " " << keyword << "(";
  llvm::interleaveComma(symbols, p);
  p << ")";
}

/// Prints all attributes but those of `wx`, `wh`, `b` and the options, then the types of input and `h`.
static void printTail(OpAsmPrinter &p, Operation *cell, ArrayRef<StringRef> options) {
  SmallVector<StringRef> printed{"name", "wx", "wh", "b"};
  llvm::append_range(printed, options);
  p.printOptionalAttrDict(cell->getAttrs(), printed);
  p << " : " << cell->getOperand(0).getType() << " -> " << cell->getResult(0).getType();
}

//===----------------------------------------------------------------------===//
// LSTMOp
//===----------------------------------------------------------------------===//

ParseResult LSTMOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand input;
  auto parseForget = [&] { return parseWord<ForgetKindAttr>(parser, state, "forget", {"gate", "coupled", "none"}); };
  if (parseHead(parser, state, input) || parseOption(parser, "forget", parseForget) ||
      parseOption(parser, "peephole", [&] { return parseSymbols(parser, state, "peephole"); }) ||
      parseOption(parser, "projection", [&] { return parseSymbol(parser, state, "projection"); }) ||
      parseOption(parser, "layer_norm", [&] { return parseSymbols(parser, state, "layer_norm"); }) ||
      parseOption(parser, "clip", [&] { return parseNumber(parser, state, "clip"); }) ||
      parseTail(parser, state, input))
    return failure();
  Type c = state.types.front();
  if (succeeded(parser.parseOptionalComma()) && parser.parseType(c))
    return failure();
  state.addTypes(c);
  return success();
}

void LSTMOp::print(OpAsmPrinter &p) {
  printHead(p, *this);
  if (getForget() != ForgetKind::Gate)
    p << " forget(" << stringifyForgetKind(getForget()) << ")";
  printOption(p, "peephole", getPeepholeAttr());
  printOption(p, "projection", getProjectionAttr());
  printOption(p, "layer_norm", getLayerNormAttr());
  if (getClipAttr())
    p << " clip(" << Real(getClipAttr().getValueAsDouble()) << ")";
  printTail(p, *this, {"forget", "peephole", "projection", "layer_norm", "clip"});
  if (getH().getType() != getC().getType())
    p << ", " << getC().getType();
}

LogicalResult LSTMOp::verify() {
  RankedTensorType h = getTensor(getH()), c = getTensor(getC());
  if (h.getRank() != 1 || c.getRank() != 1 || !isa<FloatType>(c.getElementType()) ||
      h.getElementType() != c.getElementType())
    return emitOpError() << "expected vectors h and c of one float type, but got " << debugString(h) << " and "
                         << debugString(c);
  if (!getProjectionAttr() && h != c)
    return emitOpError() << "expected h and c of one type without projection, but got " << debugString(h) << " and "
                         << debugString(c);
  if (failed(verifyInput(*this, getInput(), c.getElementType())))
    return failure();
  size_t peepholes = getForget() == ForgetKind::Gate ? 3 : 2;
  if (getPeephole() && getPeephole()->size() != peepholes)
    return emitOpError() << "expected " << peepholes << " peephole parameters ("
                         << (peepholes == 3 ? "input, forget, output" : "input, output") << "), but got "
                         << getPeephole()->size();
  if (getLayerNorm() && getLayerNorm()->size() != 4)
    return emitOpError() << "expected 4 parameters of the layer norm (gains of input, state and cell, shift of the "
                            "cell), but got "
                         << getLayerNorm()->size();
  if (getClipAttr() && !(getClipAttr().getValue().isFinite() && getClipAttr().getValueAsDouble() > 0))
    return emitOpError() << "expected a positive number as clip, but got " << getClipAttr().getValueAsDouble();
  return success();
}

LogicalResult LSTMOp::verifySymbolUses(SymbolTableCollection &symbols) {
  RankedTensorType cell = getTensor(getC());
  int64_t units = cell.getDimSize(0), outputs = getTensor(getH()).getDimSize(0);
  int64_t rows = (getForget() == ForgetKind::Gate ? 4 : 3) * units;
  ParameterVerifier verifier{*this, symbols, cell.getElementType()};
  if (failed(verifier.checkWeights(getInput(), getWxAttr(), getWhAttr(), getBAttr(), rows, outputs)))
    return failure();
  if (getPeephole())
    for (auto symbol : getPeephole()->getAsRange<FlatSymbolRefAttr>())
      if (failed(verifier.check("peephole", symbol, {units})))
        return failure();
  if (getProjectionAttr() && failed(verifier.check("projection", getProjectionAttr(), {outputs, units})))
    return failure();
  if (getLayerNorm())
    for (auto [i, symbol] : llvm::enumerate(getLayerNorm()->getAsRange<FlatSymbolRefAttr>()))
      if (failed(verifier.check("layer_norm", symbol, {i < 2 ? rows : units})))
        return failure();
  return success();
}

FailureOr<SmallVector<Value>> LSTMOp::expand(OpBuilder &builder) {
  CellWriter w(builder, *this, getTensor(getC()));
  BackedgeBuilder edges(builder, getLoc());
  Backedge h = edges.get(getH().getType()), c = edges.get(w.unit);
  Value h1 = w.before(h, getName() + ".h"), c1 = w.before(c, getName() + ".c");

  bool hasForget = getForget() == ForgetKind::Gate;
  Value fromInput = w.fromInput(getInput(), getWxAttr(), hasForget ? 4 : 3);
  Value fromState = w.linear(h1, w.param(getWhAttr()));
  if (getLayerNorm()) {
    fromInput = w.layerNorm(fromInput, w.param((*getLayerNorm())[0]));
    fromState = w.layerNorm(fromState, w.param((*getLayerNorm())[1]));
  }
  Value sum = w.sum({fromInput, w.param(getBAttr()), fromState});
  // Gate number `k`, which looks at the cell `seen`.
  auto peep = [&](int64_t k, unsigned peephole, Value seen) -> Value {
    Value x = w.gate(sum, k);
    return getPeephole() ? w.add(x, w.mul(w.param((*getPeephole())[peephole]), seen)) : x;
  };
  int64_t last = hasForget ? 3 : 2;
  Value i = w.sigmoid(peep(0, 0, c1)), cell;
  if (hasForget) {
    Value f = w.sigmoid(peep(1, 1, c1));
    Value g = w.tanh(w.gate(sum, 2));
    cell = w.add(w.mul(f, c1), w.mul(i, g));
  } else {
    Value g = w.tanh(w.gate(sum, 1));
    // Coupled, c[t-1] + i∘(g - c[t-1]) is (1 - i)∘c[t-1] + i∘g.
    cell = w.add(c1, w.mul(i, getForget() == ForgetKind::Coupled ? w.sub(g, c1) : g));
  }
  if (getClipAttr()) {
    double clip = getClipAttr().getValueAsDouble();
    Value below = arith::MinimumFOp::create(builder, getLoc(), cell, w.constant(clip));
    cell = arith::MaximumFOp::create(builder, getLoc(), below, w.constant(-clip));
  }
  Value o = w.sigmoid(peep(last, last == 3 ? 2 : 1, cell));
  Value shown = cell;
  if (getLayerNorm())
    shown = w.add(w.layerNorm(cell, w.param((*getLayerNorm())[2])), w.param((*getLayerNorm())[3]));
  Value out = w.mul(o, w.tanh(shown));
  if (getProjectionAttr())
    out = w.linear(out, w.param(getProjectionAttr()));
  h.setValue(out);
  c.setValue(cell);
  if (failed(edges.close()))
    return failure();
  return SmallVector<Value>{out, cell};
}

//===----------------------------------------------------------------------===//
// GRUOp
//===----------------------------------------------------------------------===//

ParseResult GRUOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand input;
  auto parseReset = [&] { return parseWord<ResetKindAttr>(parser, state, "reset", {"after", "before"}); };
  return failure(parseHead(parser, state, input) ||
                 parseOption(parser, "bn", [&] { return parseSymbol(parser, state, "bn"); }) ||
                 parseOption(parser, "reset", parseReset) || parseTail(parser, state, input));
}

void GRUOp::print(OpAsmPrinter &p) {
  printHead(p, *this);
  printOption(p, "bn", getBnAttr());
  if (getReset() != ResetKind::After)
    p << " reset(" << stringifyResetKind(getReset()) << ")";
  printTail(p, *this, {"bn", "reset"});
}

LogicalResult GRUOp::verify() {
  if (failed(verifyVectorResult(*this)))
    return failure();
  if (getBnAttr() && getReset() == ResetKind::Before)
    return emitOpError() << "expected no bn with the reset before the product, where it is a part of b";
  return success();
}

LogicalResult GRUOp::verifySymbolUses(SymbolTableCollection &symbols) {
  RankedTensorType unit = getTensor(getH());
  int64_t units = unit.getDimSize(0);
  ParameterVerifier verifier{*this, symbols, unit.getElementType()};
  if (failed(verifier.checkWeights(getInput(), getWxAttr(), getWhAttr(), getBAttr(), 3 * units, units)))
    return failure();
  return getBnAttr() ? verifier.check("bn", getBnAttr(), {units}) : success();
}

FailureOr<SmallVector<Value>> GRUOp::expand(OpBuilder &builder) {
  CellWriter w(builder, *this, getTensor(getH()));
  BackedgeBuilder edges(builder, getLoc());
  Backedge h = edges.get(w.unit);
  Value h1 = w.before(h, getName() + ".h");
  Value fromInput = w.fromInput(getInput(), getWxAttr(), 3);
  Value biased = w.sum({fromInput, w.param(getBAttr())});
  Value wh = w.param(getWhAttr()), r, z, fromState;
  if (getReset() == ResetKind::After) {
    Value all = w.linear(h1, wh);
    r = w.sigmoid(w.sum({w.gate(biased, 0), w.gate(all, 0)}));
    z = w.sigmoid(w.sum({w.gate(biased, 1), w.gate(all, 1)}));
    fromState = w.gate(all, 2);
    if (getBnAttr())
      fromState = w.add(fromState, w.param(getBnAttr()));
    fromState = w.mul(r, fromState);
  } else {
    Value both = w.linear(h1, w.gates(wh, 0, 2));
    r = w.sigmoid(w.sum({w.gate(biased, 0), w.gate(both, 0)}));
    z = w.sigmoid(w.sum({w.gate(biased, 1), w.gate(both, 1)}));
    fromState = w.linear(w.mul(r, h1), w.gates(wh, 2, 1));
  }
  Value n = w.tanh(w.sum({w.gate(biased, 2), fromState}));
  // n + z∘(h[t-1] - n) is (1 - z)∘n + z∘h[t-1].
  Value out = w.add(n, w.mul(z, w.sub(h1, n)));
  h.setValue(out);
  if (failed(edges.close()))
    return failure();
  return SmallVector<Value>{out};
}

//===----------------------------------------------------------------------===//
// ElmanOp
//===----------------------------------------------------------------------===//

ParseResult ElmanOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand input;
  auto parseActivation = [&] { return parseWord<ActivationAttr>(parser, state, "activation", {"tanh", "relu"}); };
  return failure(parseHead(parser, state, input) || parseOption(parser, "activation", parseActivation) ||
                 parseTail(parser, state, input));
}

void ElmanOp::print(OpAsmPrinter &p) {
  printHead(p, *this);
  if (getActivation() != Activation::Tanh)
    p << " activation(" << stringifyActivation(getActivation()) << ")";
  printTail(p, *this, {"activation"});
}

LogicalResult ElmanOp::verify() { return verifyVectorResult(*this); }

LogicalResult ElmanOp::verifySymbolUses(SymbolTableCollection &symbols) {
  RankedTensorType unit = getTensor(getH());
  int64_t units = unit.getDimSize(0);
  return ParameterVerifier{*this, symbols, unit.getElementType()}.checkWeights(getInput(), getWxAttr(), getWhAttr(),
                                                                               getBAttr(), units, units);
}

FailureOr<SmallVector<Value>> ElmanOp::expand(OpBuilder &builder) {
  CellWriter w(builder, *this, getTensor(getH()));
  BackedgeBuilder edges(builder, getLoc());
  Backedge h = edges.get(w.unit);
  Value h1 = w.before(h, getName() + ".h");
  Value fromInput = w.fromInput(getInput(), getWxAttr(), 1);
  Value sum = w.sum({fromInput, w.param(getBAttr()), w.linear(h1, w.param(getWhAttr()))});
  // The zero comes first, so that the derivative at 0 is 0 (rule A2).
  Value out = getActivation() == Activation::Tanh
                  ? w.tanh(sum)
                  : arith::MaximumFOp::create(builder, getLoc(), w.constant(0), sum).getResult();
  h.setValue(out);
  if (failed(edges.close()))
    return failure();
  return SmallVector<Value>{out};
}
