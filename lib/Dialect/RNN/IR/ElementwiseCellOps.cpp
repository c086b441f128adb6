//===- ElementwiseCellOps.cpp - Cells without a recurrent product -*- C++ -*-===//
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
// IndRNNOp
//===----------------------------------------------------------------------===//

ParseResult IndRNNOp::parse(OpAsmParser &parser, OperationState &state) {
  CellOperands operands;
  auto parseActivation = [&] { return parseWord<ActivationAttr>(parser, state, "activation", {"tanh", "relu"}); };
  return failure(parseHead(parser, state, operands, {"wx", "u", "b"}) ||
                 parseOption(parser, "activation", parseActivation) || parseInit(parser, operands) ||
                 parseTail(parser, state, operands, /*hasFlags=*/false));
}

void IndRNNOp::print(OpAsmPrinter &p) {
  printHead(p, *this, {"wx", "u", "b"});
  if (getActivation() != Activation::Relu)
    p << " activation(" << stringifyActivation(getActivation()) << ")";
  printOption(p, "init", getInit());
  printTail(p, *this, {"wx", "u", "b", "activation"});
}

LogicalResult IndRNNOp::verify() {
  return failure(failed(verifyVectorResult(*this)) || failed(verifyInit(*this, getInit(), {{"h", getH()}})));
}

LogicalResult IndRNNOp::verifySymbolUses(SymbolTableCollection &symbols) {
  RankedTensorType unit = getTensor(getH());
  int64_t units = unit.getDimSize(0);
  ParameterVerifier verifier{*this, symbols, unit.getElementType()};
  return failure(failed(verifier.checkInputWeight(getInput(), getWxAttr(), units)) ||
                 failed(verifier.check("u", getUAttr(), {units})) || failed(verifier.check("b", getBAttr(), {units})));
}

FailureOr<SmallVector<Value>> IndRNNOp::expand(OpBuilder &builder) {
  return expandOneState(builder, *this, getInit(), [&](CellWriter &w, Value last) -> Value {
    Value sum = w.sum({w.fromInput(getInput(), getWxAttr(), 1), w.param(getBAttr()), w.mul(w.param(getUAttr()), last)});
    return w.activation(getActivation(), sum);
  });
}

//===----------------------------------------------------------------------===//
// MinGRUOp
//===----------------------------------------------------------------------===//

ParseResult MinGRUOp::parse(OpAsmParser &parser, OperationState &state) {
  CellOperands operands;
  return failure(parseHead(parser, state, operands, {"wx", "b"}) || parseInit(parser, operands) ||
                 parseTail(parser, state, operands, /*hasFlags=*/false));
}

void MinGRUOp::print(OpAsmPrinter &p) {
  printHead(p, *this, {"wx", "b"});
  printOption(p, "init", getInit());
  printTail(p, *this, {"wx", "b"});
}

LogicalResult MinGRUOp::verify() {
  return failure(failed(verifyVectorResult(*this)) || failed(verifyInit(*this, getInit(), {{"h", getH()}})));
}

LogicalResult MinGRUOp::verifySymbolUses(SymbolTableCollection &symbols) {
  RankedTensorType unit = getTensor(getH());
  int64_t units = unit.getDimSize(0);
  ParameterVerifier verifier{*this, symbols, unit.getElementType()};
  return failure(failed(verifier.checkInputWeight(getInput(), getWxAttr(), 2 * units)) ||
                 failed(verifier.check("b", getBAttr(), {2 * units})));
}

FailureOr<SmallVector<Value>> MinGRUOp::expand(OpBuilder &builder) {
  return expandOneState(builder, *this, getInit(), [&](CellWriter &w, Value last) -> Value {
    Value sum = w.sum({w.fromInput(getInput(), getWxAttr(), 2), w.param(getBAttr())});
    Value z = w.sigmoid(w.gate(sum, 0)), n = w.gate(sum, 1);
    // Affine in h[t-1], with coefficients that the loop does not compute.
    return w.add(w.mul(w.sub(w.constant(1), z), last), w.mul(z, n));
  });
}

//===----------------------------------------------------------------------===//
// SRUOp
//===----------------------------------------------------------------------===//

ParseResult SRUOp::parse(OpAsmParser &parser, OperationState &state) {
  CellOperands operands;
  return failure(parseHead(parser, state, operands, {"wx", "b"}) ||
                 parseOption(parser, "peephole", [&] { return parseSymbols(parser, state, "peephole"); }) ||
                 parseInit(parser, operands) || parseTail(parser, state, operands, /*hasFlags=*/false, /*results=*/2));
}

void SRUOp::print(OpAsmPrinter &p) {
  printHead(p, *this, {"wx", "b"});
  printOption(p, "peephole", getPeepholeAttr());
  printOption(p, "init", getInit());
  printTail(p, *this, {"wx", "b", "peephole"});
}

/// Whether the highway is the input itself.
static bool isPlainHighway(SRUOp op) { return op.getInput().getType() == op.getH().getType(); }

LogicalResult SRUOp::verify() {
  if (failed(verifyVectorResult(*this)))
    return failure();
  if (getC().getType() != getH().getType())
    return emitOpError() << "expected h and c of one type, but got " << debugString(getH().getType()) << " and "
                         << debugString(getC().getType());
  if (getPeephole() && getPeephole()->size() != 2)
    return emitOpError() << "expected 2 peephole parameters (forget, reset), but got " << getPeephole()->size();
  return verifyInit(*this, getInit(), {{"c", getC()}});
}

LogicalResult SRUOp::verifySymbolUses(SymbolTableCollection &symbols) {
  RankedTensorType unit = getTensor(getH());
  int64_t units = unit.getDimSize(0);
  ParameterVerifier verifier{*this, symbols, unit.getElementType()};
  if (failed(verifier.checkInputWeight(getInput(), getWxAttr(), (isPlainHighway(*this) ? 3 : 4) * units)) ||
      failed(verifier.check("b", getBAttr(), {2 * units})))
    return failure();
  if (getPeephole())
    for (auto symbol : getPeephole()->getAsRange<FlatSymbolRefAttr>())
      if (failed(verifier.check("peephole", symbol, {units})))
        return failure();
  return success();
}

FailureOr<SmallVector<Value>> SRUOp::expand(OpBuilder &builder) {
  CellWriter w(builder, *this, getTensor(getH()), getInit());
  BackedgeBuilder edges(builder, getLoc());
  Backedge c = edges.get(w.unit);
  Value c1 = w.before(c, getName() + ".c"), bias = w.param(getBAttr());
  bool isPlain = isPlainHighway(*this);
  Value rows = w.fromInput(getInput(), getWxAttr(), isPlain ? 3 : 4);
  // Gate number `k` of forget and reset.
  auto gate = [&](int64_t k) {
    Value sum = w.add(w.gate(rows, k + 1), w.gate(bias, k));
    if (getPeephole())
      sum = w.add(sum, w.mul(w.param((*getPeephole())[k]), c1));
    return w.sigmoid(sum);
  };
  Value f = gate(0), r = gate(1), one = w.constant(1);
  Value cell = w.add(w.mul(f, c1), w.mul(w.sub(one, f), w.gate(rows, 0)));
  Value highway = isPlain ? getInput() : w.gate(rows, 3);
  Value out = w.add(w.mul(r, cell), w.mul(w.sub(one, r), highway));
  c.setValue(cell);
  if (failed(edges.close()))
    return failure();
  return SmallVector<Value>{out, cell};
}
