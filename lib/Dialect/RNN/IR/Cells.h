//===- Cells.h - What the ops of cells share --------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_DIALECT_RNN_IR_CELLS_H
#define RNN_LIB_DIALECT_RNN_IR_CELLS_H

#include "Verify.h"

namespace mlir::rnn::detail {

inline RankedTensorType getTensor(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Whether a cell looks its input up in a table.
inline bool isIndex(Value input) {
  return getTensor(input).getElementType().isSignlessInteger() && getTensor(input).getRank() == 0;
}

/// The input is a vector of `element`, or an index.
LogicalResult verifyInput(Operation *op, Value input, Type element);

/// The first result of a cell is a vector of floating-point numbers, its input fits.
LogicalResult verifyVectorResult(Operation *op);

/// First states, where given, are one for each of `states`, the cell's results that it reads in the next frame.
LogicalResult verifyInit(Operation *op, ValueRange init, ArrayRef<std::pair<StringRef, Value>> states);

/// A flag that a cell may have is `tensor<i1>`.
LogicalResult verifyFlag(Operation *op, StringRef role, Value flag);

/// A probability of a zoneout is at least 0 and less than 1.
LogicalResult verifyProbability(Operation *op, StringRef role, double p);

/// Checks the parameters of a cell, whose numbers are of type `element`.
struct ParameterVerifier {
  Operation *op;
  SymbolTableCollection &symbols;
  Type element;

  /// `symbol` is a parameter of this shape; a negative size stands for any.
  LogicalResult check(StringRef role, FlatSymbolRefAttr symbol, ArrayRef<int64_t> shape);

  /// `wx`, `wh` and `b` of a cell with so many rows of gates, which reads a state of `outputs` elements.
  LogicalResult checkWeights(Value input, FlatSymbolRefAttr wx, FlatSymbolRefAttr wh, FlatSymbolRefAttr b, int64_t rows,
                             int64_t outputs) {
    return failure(failed(checkInputWeight(input, wx, rows)) || failed(check("wh", wh, {rows, outputs})) ||
                   failed(check("b", b, {rows})));
  }
  /// `wx` gives so many rows of gates; it is a table where the input is an index.
  LogicalResult checkInputWeight(Value input, FlatSymbolRefAttr wx, int64_t rows) {
    return isIndex(input) ? check("wx", wx, {-1, rows}) : check("wx", wx, {rows, getTensor(input).getDimSize(0)});
  }
};

/// Writes a cell as arithmetic on vectors of type `unit`.
struct CellWriter {
  OpBuilder &b;
  Location loc;
  ModuleOp module;
  RankedTensorType unit;
  ValueRange init; // one for each state, or none for zeros
  int64_t lag;     // of a state: 1, or -1 where the cell reads its frames from the last to the first

  CellWriter(OpBuilder &builder, Operation *cell, RankedTensorType unit, ValueRange init)
      : b(builder), loc(cell->getLoc()), module(cell->getParentOfType<ModuleOp>()), unit(unit), init(init),
        lag(cell->hasAttr("reverse") ? -1 : 1) {}

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
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }
  /// The larger of 0 and x; the zero comes first, so that the derivative at 0 is 0 (rule A2).
  Value relu(Value x) { return arith::MaximumFOp::create(b, loc, createSplat(b, loc, getTensor(x), 0), x); }
  Value activation(Activation kind, Value x) { return kind == Activation::Tanh ? tanh(x) : relu(x); }
  /// The state of the frame that the cell has read last: the one before, or, in reverse, the one after.
  /// Where a stream begins it is the first state number `k`.
  Value before(Value state, const Twine &name, size_t k = 0) {
    return DelayOp::create(b, loc, state, lag, name.str(), init.empty() ? Value() : init[k]);
  }
  /// A flag for every element of a vector like `x`.
  Value flags(Value flag, Value x) {
    auto type = RankedTensorType::get(getTensor(x).getShape(), b.getI1Type());
    return BroadcastOp::create(b, loc, type, flag, ArrayRef<int64_t>{0});
  }
  /// What a cell reads of its last state: the first state number `k` where `restart`, which may be null, is set.
  Value read(Value last, Value restart, size_t k = 0) {
    if (!restart)
      return last;
    return select(flags(restart, last), init.empty() ? createSplat(b, loc, getTensor(last), 0) : init[k], last);
  }
  /// `next`, but while training each element with probability `p` as it was `read`, and on average otherwise.
  Value zoneout(Value next, Value read, double p);
  /// `next`, but where `clock`, which may be null, is not set the `last` state.
  Value hold(Value next, Value last, Value clock) { return clock ? select(flags(clock, next), next, last) : next; }

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
  Value layerNorm(Value x, Value gain);
};

/// Expands a cell whose result and only state is `h`, which `write` gives from that of the frame before.
FailureOr<SmallVector<Value>> expandOneState(OpBuilder &builder, Operation *cell, ValueRange init,
                                             llvm::function_ref<Value(CellWriter &w, Value last)> write);

//===----------------------------------------------------------------------===//
// Syntax: "name" %x wx(@) wh(@) b(@) [reverse] option(…)… : in -> h [, c]
//===----------------------------------------------------------------------===//

/// The operands of a cell: the input, and flags and first states where they are given.
struct CellOperands {
  OpAsmParser::UnresolvedOperand input;
  std::optional<OpAsmParser::UnresolvedOperand> clock, restart;
  SmallVector<OpAsmParser::UnresolvedOperand, 2> init;
};

/// `(@symbol)`.
ParseResult parseSymbol(OpAsmParser &parser, OperationState &state, StringRef attr);

/// `(@symbol, …)`.
ParseResult parseSymbols(OpAsmParser &parser, OperationState &state, StringRef attr);

/// `(number)`.
ParseResult parseNumber(OpAsmParser &parser, OperationState &state, StringRef attr);

/// `(number, …)`.
ParseResult parseNumbers(OpAsmParser &parser, OperationState &state, StringRef attr);

/// One word of an enum, `AttrT`'s values.
template <typename AttrT>
ParseResult parseWord(OpAsmParser &parser, OperationState &state, StringRef attr, ArrayRef<StringRef> words) {
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

/// What all cells begin with, up to their own options: name, input, the parameters of these keywords, and `reverse`.
ParseResult parseHead(OpAsmParser &parser, OperationState &state, CellOperands &operands,
                      ArrayRef<StringRef> parameters = {"wx", "wh", "b"});

/// An option in parentheses, if its keyword comes next.
inline ParseResult parseOption(OpAsmParser &parser, StringRef keyword, llvm::function_ref<ParseResult()> parse) {
  return succeeded(parser.parseOptionalKeyword(keyword)) ? parse() : success();
}

/// `init(%state, …)`, if it comes next.
ParseResult parseInit(OpAsmParser &parser, CellOperands &operands);

/// `clock(%flag)` and `restart(%flag)`, if they come next.
ParseResult parseFlags(OpAsmParser &parser, CellOperands &operands);

/// What follows the options; `hasFlags` says that the op is one that may have them.
/// A second of `results` has the type of the first unless its own is given.
ParseResult parseTail(OpAsmParser &parser, OperationState &state, const CellOperands &operands, bool hasFlags,
                      unsigned results = 1);

/// Prints what `parseHead` reads.
void printHead(OpAsmPrinter &p, Operation *cell, ArrayRef<StringRef> parameters = {"wx", "wh", "b"});

void printOption(OpAsmPrinter &p, StringRef keyword, FlatSymbolRefAttr symbol);
void printOption(OpAsmPrinter &p, StringRef keyword, ArrayAttr symbols);
void printOption(OpAsmPrinter &p, StringRef keyword, FloatAttr number);
void printOption(OpAsmPrinter &p, StringRef keyword, Value flag);
void printOption(OpAsmPrinter &p, StringRef keyword, ValueRange states);

/// Prints all attributes but those of the head, of the options and the sizes of operands, then the types of input and
/// results, as `parseTail` reads them.
void printTail(OpAsmPrinter &p, Operation *cell, ArrayRef<StringRef> printed);

} // namespace mlir::rnn::detail

#endif // RNN_LIB_DIALECT_RNN_IR_CELLS_H
