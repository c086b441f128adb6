//===- CellOps.cpp - Cells, written out --------------------------*- C++ -*-===//
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
// LSTMOp
//===----------------------------------------------------------------------===//

ParseResult LSTMOp::parse(OpAsmParser &parser, OperationState &state) {
  CellOperands operands;
  auto parseForget = [&] { return parseWord<ForgetKindAttr>(parser, state, "forget", {"gate", "coupled", "none"}); };
  return failure(parseHead(parser, state, operands) || parseOption(parser, "forget", parseForget) ||
                 parseOption(parser, "peephole", [&] { return parseSymbols(parser, state, "peephole"); }) ||
                 parseOption(parser, "projection", [&] { return parseSymbol(parser, state, "projection"); }) ||
                 parseOption(parser, "layer_norm", [&] { return parseSymbols(parser, state, "layer_norm"); }) ||
                 parseOption(parser, "clip", [&] { return parseNumber(parser, state, "clip"); }) ||
                 parseOption(parser, "zoneout", [&] { return parseNumbers(parser, state, "zoneout"); }) ||
                 parseInit(parser, operands) || parseFlags(parser, operands) ||
                 parseTail(parser, state, operands, /*hasFlags=*/true, /*results=*/2));
}

void LSTMOp::print(OpAsmPrinter &p) {
  printHead(p, *this);
  if (getForget() != ForgetKind::Gate)
    p << " forget(" << stringifyForgetKind(getForget()) << ")";
  printOption(p, "peephole", getPeepholeAttr());
  printOption(p, "projection", getProjectionAttr());
  printOption(p, "layer_norm", getLayerNormAttr());
  printOption(p, "clip", getClipAttr());
  if (getZoneout()) {
    p << " zoneout(";
    llvm::interleaveComma(*getZoneout(), p, [&](double probability) { p << Real(probability); });
    p << ")";
  }
  printOption(p, "init", getInit());
  printOption(p, "clock", getClock());
  printOption(p, "restart", getRestart());
  printTail(p, *this, {"wx", "wh", "b", "forget", "peephole", "projection", "layer_norm", "clip", "zoneout"});
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
  if (std::optional<ArrayRef<double>> zoneout = getZoneout()) {
    if (zoneout->size() != 2)
      return emitOpError() << "expected 2 probabilities of zoneout (of h, of c), but got " << zoneout->size();
    for (double probability : *zoneout)
      if (failed(verifyProbability(*this, "zoneout", probability)))
        return failure();
  }
  return failure(failed(verifyInit(*this, getInit(), {{"h", getH()}, {"c", getC()}})) ||
                 failed(verifyFlag(*this, "clock", getClock())) || failed(verifyFlag(*this, "restart", getRestart())));
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
  CellWriter w(builder, *this, getTensor(getC()), getInit());
  BackedgeBuilder edges(builder, getLoc());
  Backedge h = edges.get(getH().getType()), c = edges.get(w.unit);
  Value lastH = w.before(h, getName() + ".h", 0), lastC = w.before(c, getName() + ".c", 1);
  Value h1 = w.read(lastH, getRestart(), 0), c1 = w.read(lastC, getRestart(), 1);

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
  // What is shown is the new cell, whatever is kept of it.
  if (std::optional<ArrayRef<double>> zoneout = getZoneout()) {
    out = w.zoneout(out, h1, (*zoneout)[0]);
    cell = w.zoneout(cell, c1, (*zoneout)[1]);
  }
  out = w.hold(out, lastH, getClock());
  cell = w.hold(cell, lastC, getClock());
  h.setValue(out);
  c.setValue(cell);
  if (failed(edges.close()))
    return failure();
  return SmallVector<Value>{out, cell};
}

//===----------------------------------------------------------------------===//
// What GRU and Elman cell share
//===----------------------------------------------------------------------===//

/// The result, the input, and the options that both may have.
template <typename CellT>
static LogicalResult verifyClockedCell(CellT cell) {
  if (failed(verifyVectorResult(cell)) || failed(verifyInit(cell, cell.getInit(), {{"h", cell.getH()}})) ||
      failed(verifyFlag(cell, "clock", cell.getClock())) || failed(verifyFlag(cell, "restart", cell.getRestart())))
    return failure();
  FloatAttr zoneout = cell.getZoneoutAttr();
  return zoneout ? verifyProbability(cell, "zoneout", zoneout.getValueAsDouble()) : success();
}

/// The state after a frame: `next`, which a cell has computed from `read`, under zoneout and clock.
template <typename CellT>
static Value settle(CellWriter &w, CellT cell, Value next, Value read, Value last) {
  if (FloatAttr zoneout = cell.getZoneoutAttr())
    next = w.zoneout(next, read, zoneout.getValueAsDouble());
  return w.hold(next, last, cell.getClock());
}

//===----------------------------------------------------------------------===//
// GRUOp
//===----------------------------------------------------------------------===//

ParseResult GRUOp::parse(OpAsmParser &parser, OperationState &state) {
  CellOperands operands;
  auto parseReset = [&] { return parseWord<ResetKindAttr>(parser, state, "reset", {"after", "before"}); };
  return failure(parseHead(parser, state, operands) ||
                 parseOption(parser, "bn", [&] { return parseSymbol(parser, state, "bn"); }) ||
                 parseOption(parser, "reset", parseReset) ||
                 parseOption(parser, "zoneout", [&] { return parseNumber(parser, state, "zoneout"); }) ||
                 parseInit(parser, operands) || parseFlags(parser, operands) ||
                 parseTail(parser, state, operands, /*hasFlags=*/true));
}

void GRUOp::print(OpAsmPrinter &p) {
  printHead(p, *this);
  printOption(p, "bn", getBnAttr());
  if (getReset() != ResetKind::After)
    p << " reset(" << stringifyResetKind(getReset()) << ")";
  printOption(p, "zoneout", getZoneoutAttr());
  printOption(p, "init", getInit());
  printOption(p, "clock", getClock());
  printOption(p, "restart", getRestart());
  printTail(p, *this, {"wx", "wh", "b", "bn", "reset", "zoneout"});
}

LogicalResult GRUOp::verify() {
  if (failed(verifyClockedCell(*this)))
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
  return expandOneState(builder, *this, getInit(), [&](CellWriter &w, Value last) -> Value {
    Value h1 = w.read(last, getRestart());
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
    return settle(w, *this, w.add(n, w.mul(z, w.sub(h1, n))), h1, last);
  });
}

//===----------------------------------------------------------------------===//
// ElmanOp
//===----------------------------------------------------------------------===//

ParseResult ElmanOp::parse(OpAsmParser &parser, OperationState &state) {
  CellOperands operands;
  auto parseActivation = [&] { return parseWord<ActivationAttr>(parser, state, "activation", {"tanh", "relu"}); };
  return failure(parseHead(parser, state, operands) || parseOption(parser, "activation", parseActivation) ||
                 parseOption(parser, "zoneout", [&] { return parseNumber(parser, state, "zoneout"); }) ||
                 parseInit(parser, operands) || parseFlags(parser, operands) ||
                 parseTail(parser, state, operands, /*hasFlags=*/true));
}

void ElmanOp::print(OpAsmPrinter &p) {
  printHead(p, *this);
  if (getActivation() != Activation::Tanh)
    p << " activation(" << stringifyActivation(getActivation()) << ")";
  printOption(p, "zoneout", getZoneoutAttr());
  printOption(p, "init", getInit());
  printOption(p, "clock", getClock());
  printOption(p, "restart", getRestart());
  printTail(p, *this, {"wx", "wh", "b", "activation", "zoneout"});
}

LogicalResult ElmanOp::verify() { return verifyClockedCell(*this); }

LogicalResult ElmanOp::verifySymbolUses(SymbolTableCollection &symbols) {
  RankedTensorType unit = getTensor(getH());
  int64_t units = unit.getDimSize(0);
  return ParameterVerifier{*this, symbols, unit.getElementType()}.checkWeights(getInput(), getWxAttr(), getWhAttr(),
                                                                               getBAttr(), units, units);
}

FailureOr<SmallVector<Value>> ElmanOp::expand(OpBuilder &builder) {
  return expandOneState(builder, *this, getInit(), [&](CellWriter &w, Value last) -> Value {
    Value h1 = w.read(last, getRestart());
    Value fromInput = w.fromInput(getInput(), getWxAttr(), 1);
    Value sum = w.sum({fromInput, w.param(getBAttr()), w.linear(h1, w.param(getWhAttr()))});
    return settle(w, *this, w.activation(getActivation(), sum), h1, last);
  });
}
