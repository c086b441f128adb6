//===- DropoutOp.cpp - Dropout, written out ---------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Cells.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::detail;

ParseResult DropoutOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand source;
  RateAttr rate;
  Type type;
  if (parser.parseOperand(source) || parser.parseCustomAttributeWithFallback(rate, Type(), "rate", state.attributes) ||
      parser.parseKeyword("p") || parseNumber(parser, state, "p") || parser.parseOptionalAttrDict(state.attributes) ||
      parser.parseColonType(type) || parser.resolveOperand(source, type, state.operands))
    return failure();
  state.addTypes(type);
  return success();
}

void DropoutOp::print(OpAsmPrinter &p) {
  p << " " << getSource() << " ";
  p.printStrippedAttrOrType(getRateAttr());
  printOption(p, "p", getPAttr());
  p.printOptionalAttrDict((*this)->getAttrs(), {"rate", "p"});
  p << " : " << getType();
}

LogicalResult DropoutOp::verify() {
  if (!isa<FloatType>(getTensor(getSource()).getElementType()))
    return emitOpError() << "expected a float signal, but got " << debugString(getSource().getType());
  return verifyProbability(*this, "p", getP().convertToDouble());
}

FailureOr<SmallVector<Value>> DropoutOp::expand(OpBuilder &builder) {
  Location loc = getLoc();
  RankedTensorType type = getTensor(getSource());
  double p = getP().convertToDouble();
  auto flag = RankedTensorType::get(type.getShape(), builder.getI1Type());
  Value drawn = RandomOp::create(builder, loc, type, RandomKind::Uniform, getRate(), IntegerAttr());
  Value isKept =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGE, drawn, createSplat(builder, loc, type, p));
  Value scaled = arith::DivFOp::create(builder, loc, getSource(), createSplat(builder, loc, type, 1 - p));
  Value noisy = arith::SelectOp::create(builder, loc, isKept, scaled, createSplat(builder, loc, type, 0));
  Value trains = TrainingOp::create(builder, loc, flag);
  return SmallVector<Value>{arith::SelectOp::create(builder, loc, trains, noisy, getSource())};
}
