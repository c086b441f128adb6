//===- GraphOps.cpp - Verifiers and syntax of level 1 -----------*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace mlir::rnn;

#define GET_OP_CLASSES
#include "rnn/Dialect/RNN/IR/RNNOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Uses of parameters and networks
//===----------------------------------------------------------------------===//

/// param_c1, assign_c1: the parameter that `op` names, or null after an error with the closest name as a note.
static ParameterOp lookupParameter(Operation *op, FlatSymbolRefAttr name, SymbolTableCollection &symbols) {
  if (auto parameter = symbols.lookupNearestSymbolFrom<ParameterOp>(op, name))
    return parameter;
  InFlightDiagnostic diag = op->emitOpError() << "refers to unknown parameter '@" << name.getValue() << "'";
  ParameterOp closest;
  unsigned best = 3;
  if (auto module = op->getParentOfType<ModuleOp>())
    for (ParameterOp candidate : module.getOps<ParameterOp>())
      if (unsigned distance = candidate.getSymName().edit_distance(name.getValue(), true, best); distance < best) {
        best = distance;
        closest = candidate;
      }
  if (closest)
    diag.attachNote(closest.getLoc()) << "did you mean '@" << closest.getSymName() << "'?";
  return {};
}

LogicalResult ParamOp::verifySymbolUses(SymbolTableCollection &symbols) {
  ParameterOp parameter = lookupParameter(*this, getParameterAttr(), symbols);
  if (!parameter)
    return failure();
  // param_c2
  if (parameter.getType() != getType())
    return emitOpError() << "result is " << debugString(getType()) << ", but '@" << getParameter() << "' is "
                         << debugString(parameter.getType());
  return success();
}

LogicalResult AssignOp::verifySymbolUses(SymbolTableCollection &symbols) {
  ParameterOp parameter = lookupParameter(*this, getParameterAttr(), symbols);
  if (!parameter)
    return failure();
  // assign_c2
  if (parameter.getType() != getValue().getType())
    return emitOpError() << "value is " << debugString(getValue().getType()) << ", but '@" << getParameter() << "' is "
                         << debugString(parameter.getType());
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto callee = symbols.lookupNearestSymbolFrom<NetworkOp>(*this, getCalleeAttr());
  if (!callee)
    return emitOpError() << "refers to unknown network '@" << getCallee() << "'";
  // call_c2
  FunctionType type = callee.getFunctionType();
  if (TypeRange(getArguments()) != TypeRange(type.getInputs()) ||
      TypeRange(getResultTypes()) != TypeRange(type.getResults()))
    return emitOpError() << "has type "
                         << debugString(FunctionType::get(getContext(), TypeRange(getArguments()), getResultTypes()))
                         << ", but '@" << getCallee() << "' is " << debugString(type);
  return success();
}

//===----------------------------------------------------------------------===//
// DelayOp: `%h by 1 [init(%i)] [local] [name "h"] [state "h"] : type`
//===----------------------------------------------------------------------===//

void DelayOp::build(OpBuilder &builder, OperationState &state, Value source, int64_t by, StringRef name, Value init,
                    bool local) {
  build(builder, state, source.getType(), source, builder.getI64IntegerAttr(by), init,
        local ? builder.getUnitAttr() : UnitAttr(), name.empty() ? StringAttr() : builder.getStringAttr(name),
        StringAttr());
}

/// Parses `keyword "text"` into the attribute of that name, if the keyword is there.
static ParseResult parseOptionalText(OpAsmParser &parser, StringRef keyword, OperationState &state) {
  std::string text;
  if (failed(parser.parseOptionalKeyword(keyword)))
    return success();
  if (parser.parseString(&text))
    return failure();
  state.addAttribute(keyword, parser.getBuilder().getStringAttr(text));
  return success();
}

ParseResult DelayOp::parse(OpAsmParser &parser, OperationState &state) {
  Builder &b = parser.getBuilder();
  OpAsmParser::UnresolvedOperand source, init;
  int64_t by;
  if (parser.parseOperand(source) || parser.parseKeyword("by") || parser.parseInteger(by))
    return failure();
  state.addAttribute("by", b.getI64IntegerAttr(by));
  bool hasInit = succeeded(parser.parseOptionalKeyword("init"));
  if (hasInit && (parser.parseLParen() || parser.parseOperand(init) || parser.parseRParen()))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("local")))
    state.addAttribute("local", b.getUnitAttr());
  else if (SMLoc loc = parser.getCurrentLocation(); succeeded(parser.parseOptionalKeyword("carried")) && by < 0)
    return parser.emitError(loc, "a negative delay cannot be carried"); // T1
  if (parseOptionalText(parser, "name", state) || parseOptionalText(parser, "state", state))
    return failure();
  // The operand's spelling is the name of the signal, unless it is only a number.
  StringRef spelling = source.name.drop_front();
  if (!state.attributes.get("name") && !spelling.empty() && !llvm::isDigit(spelling.front()) && source.number == 0)
    state.addAttribute("name", b.getStringAttr(spelling));
  Type type;
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(type) ||
      parser.resolveOperand(source, type, state.operands) ||
      (hasInit && parser.resolveOperand(init, type, state.operands)))
    return failure();
  state.addTypes(type);
  return success();
}

void DelayOp::print(OpAsmPrinter &p) {
  p << " " << getSource() << " by " << getBy();
  if (getInit())
    p << " init(" << getInit() << ")";
  if (getLocal())
    p << " local";
  if (getName())
    p << " name " << getNameAttr();
  if (getState())
    p << " state " << getStateAttr();
  p.printOptionalAttrDict((*this)->getAttrs(), {"by", "local", "name", "state"});
  p << " : " << getType();
}

LogicalResult DelayOp::verify() {
  // T1: d is not 0 and has a limit.
  if (getBy() == 0)
    return emitOpError("delay must not be 0");
  int64_t by = getBy();
  if (by > kMaxDelay || by < -kMaxDelay)
    return emitError() << "delay " << getBy() << " is out of range, |d| <= " << kMaxDelay;
  // delay_c1
  if (getSource().getType() != getType())
    return emitOpError() << "result is " << debugString(getType()) << ", but the delayed signal is "
                         << debugString(getSource().getType());
  // T1, delay_c2
  if (getInit() && getInit().getType() != getType())
    return emitOpError() << "init is " << debugString(getInit().getType()) << ", but the delayed signal is "
                         << debugString(getType());
  // T1, T3: only what is carried has a state.
  if (getState() && !isCarried())
    return emitOpError() << "has state '" << *getState() << "', but is not carried";
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void LinearOp::build(OpBuilder &builder, OperationState &state, Value input, Value weight, Value bias) {
  auto weightType = cast<RankedTensorType>(weight.getType());
  auto type = RankedTensorType::get(weightType.getShape().take_front(1), weightType.getElementType());
  build(builder, state, type, input, weight, bias);
}

/// Adds a note that shows the weight, where it is made.
static LogicalResult noteWeight(InFlightDiagnostic diag, Value weight) {
  diag.attachNote(weight.getLoc()) << "weight is " << debugString(weight.getType());
  return diag;
}

LogicalResult LinearOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType());
  auto weight = cast<RankedTensorType>(getWeight().getType());
  auto result = cast<RankedTensorType>(getType());
  // linear_c1
  if (weight.getRank() != 2)
    return noteWeight(emitOpError("expected a weight of rank 2"), getWeight());
  // linear_c2
  if (input.getRank() != 1 || input.getDimSize(0) != weight.getDimSize(1)) {
    InFlightDiagnostic diag = emitOpError() << "expected input of " << weight.getDimSize(1) << " elements, but got ";
    if (input.getRank() == 1)
      diag << input.getDimSize(0);
    else
      diag << debugString(input);
    return noteWeight(std::move(diag), getWeight());
  }
  // linear_c3
  if (input.getElementType() != weight.getElementType())
    return noteWeight(emitOpError() << "expected input of " << debugString(weight.getElementType()) << ", but got "
                                    << debugString(input),
                      getWeight());
  auto expected = RankedTensorType::get({weight.getDimSize(0)}, weight.getElementType());
  // linear_c4
  if (result != expected)
    return noteWeight(emitOpError() << "expected result " << debugString(expected) << ", but got "
                                    << debugString(result),
                      getWeight());
  // linear_c5
  if (getBias() && getBias().getType() != expected)
    return noteWeight(emitOpError() << "expected bias " << debugString(expected) << ", but got "
                                    << debugString(getBias().getType()),
                      getWeight());
  return success();
}

ParseResult ContractOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand lhs, rhs;
  SmallVector<Attribute> maps;
  auto parseMap = [&]() -> ParseResult {
    AffineMap map;
    if (parser.parseAffineMap(map))
      return failure();
    maps.push_back(AffineMapAttr::get(map));
    return success();
  };
  if (parser.parseOperand(lhs) || parser.parseComma() || parser.parseOperand(rhs) ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parseMap))
    return failure();
  state.addAttribute("indexing_maps", parser.getBuilder().getArrayAttr(maps));
  if (succeeded(parser.parseOptionalKeyword("sum_to"))) {
    FailureOr<Rate> rate = FieldParser<Rate>::parse(parser);
    if (failed(rate))
      return failure();
    state.addAttribute("sum_to", RateAttr::get(parser.getContext(), *rate));
  }
  if (succeeded(parser.parseOptionalKeyword("round_to"))) {
    Type rounded;
    if (parser.parseType(rounded))
      return failure();
    state.addAttribute("round_to", TypeAttr::get(rounded));
  }
  FunctionType type;
  SMLoc loc;
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColon() || parser.getCurrentLocation(&loc) ||
      parser.parseType(type) || parser.resolveOperands({lhs, rhs}, type.getInputs(), loc, state.operands))
    return failure();
  state.addTypes(type.getResults());
  return success();
}

void ContractOp::print(OpAsmPrinter &p) {
  p << " " << getLhs() << ", " << getRhs() << " [";
  llvm::interleaveComma(getIndexingMaps().getAsValueRange<AffineMapAttr>(), p, [&](AffineMap map) { p << map; });
  p << "]";
  if (getSumTo())
    p << " sum_to " << stringifyRate(*getSumTo());
  if (getRoundTo())
    p << " round_to " << *getRoundTo();
  p.printOptionalAttrDict((*this)->getAttrs(), {"indexing_maps", "sum_to", "round_to"});
  p << " : ";
  p.printFunctionalType(getOperation());
}

SmallVector<int64_t> ContractOp::getLoopSizes() {
  SmallVector<int64_t> sizes(getMap(0).getNumDims(), 0);
  for (auto [i, value] : llvm::enumerate(ValueRange{getLhs(), getRhs()}))
    for (auto [expr, size] : llvm::zip(getMap(i).getResults(), cast<RankedTensorType>(value.getType()).getShape()))
      sizes[cast<AffineDimExpr>(expr).getPosition()] = size;
  return sizes;
}

/// R2: checks `sum_to`: frames can be summed away, not into.
static LogicalResult verifySumTo(Operation *op, std::optional<Rate> rate) {
  if (rate == Rate::Frame)
    return op->emitOpError("expected sum_to 'static' or 'stream', but got 'frame'");
  return success();
}

LogicalResult ContractOp::verify() {
  // contract_c1
  if (getIndexingMaps().size() != 3)
    return emitOpError() << "expected 3 indexing maps, but got " << getIndexingMaps().size();
  unsigned dims = getMap(0).getNumDims();
  // contract_c2
  if (dims > 2 * kMaxRank)
    return emitOpError() << "expected at most " << 2 * kMaxRank << " dimensions, but got " << dims;
  SmallVector<int64_t> sizes(dims, 0);
  llvm::SmallBitVector inOperands(dims);
  Value values[] = {getLhs(), getRhs(), getResult()};
  for (auto [i, value] : llvm::enumerate(values)) {
    AffineMap map = getMap(i);
    auto type = cast<RankedTensorType>(value.getType());
    // contract_c3
    if (map.getNumDims() != dims || map.getNumSymbols() != 0 || !map.isProjectedPermutation())
      return emitOpError() << "expected indexing map " << i << " to be a projected permutation of " << dims
                           << " dimensions";
    // contract_c4
    if (map.getNumResults() != type.getRank())
      return emitOpError() << "indexing map " << i << " has " << map.getNumResults() << " results, but the tensor is "
                           << debugString(type);
    // contract_c5
    if (type.getElementType() != cast<RankedTensorType>(getType()).getElementType())
      return emitOpError("expected operands and result of one element type");
    for (auto [expr, size] : llvm::zip(map.getResults(), type.getShape())) {
      unsigned dim = cast<AffineDimExpr>(expr).getPosition();
      // contract_c6
      if (sizes[dim] != 0 && sizes[dim] != size)
        return emitOpError() << "dimension d" << dim << " is both " << sizes[dim] << " and " << size;
      sizes[dim] = size;
      if (i < 2)
        inOperands.set(dim);
    }
  }
  // contract_c7
  if (!inOperands.all())
    return emitOpError() << "dimension d" << inOperands.find_first_unset() << " is in no operand";
  // contract_c8
  Type element = cast<RankedTensorType>(getType()).getElementType();
  if (getRoundTo() && (!getRoundTo()->isBF16() || !isa<FloatType>(element)))
    return emitOpError() << "expected round_to bf16 of f32 or f64 operands, but got " << debugString(*getRoundTo())
                         << " of " << debugString(element);
  return verifySumTo(*this, getSumTo());
}

//===----------------------------------------------------------------------===//
// Reductions, broadcasts, tables
//===----------------------------------------------------------------------===//

/// reduce_c1, reduce_c2, broadcast_c1, broadcast_c2: checks that `small` is `large` without the dimensions `dims`.
static LogicalResult verifyDims(Operation *op, RankedTensorType large, RankedTensorType small, ArrayRef<int64_t> dims) {
  SmallVector<int64_t> expected;
  unsigned next = 0;
  for (auto [i, size] : llvm::enumerate(large.getShape())) {
    if (next < dims.size() && dims[next] == static_cast<int64_t>(i))
      ++next;
    else
      expected.push_back(size);
  }
  if (next != dims.size())
    return op->emitOpError() << "expected strictly increasing dimensions below " << large.getRank();
  if (small.getElementType() != large.getElementType() || ArrayRef<int64_t>(expected) != small.getShape())
    return op->emitOpError() << "expected " << debugString(RankedTensorType::get(expected, large.getElementType()))
                             << " beside " << debugString(large) << ", but got " << debugString(small);
  return success();
}

LogicalResult ReduceOp::verify() {
  return verifyDims(*this, cast<RankedTensorType>(getSource().getType()), cast<RankedTensorType>(getType()), getDims());
}

LogicalResult BroadcastOp::verify() {
  return verifyDims(*this, cast<RankedTensorType>(getType()), cast<RankedTensorType>(getSource().getType()), getDims());
}

/// gather_c3, scatter_add_c3: checks that `rows` is what an index of type `index` selects from `table`.
static LogicalResult verifyRows(Operation *op, RankedTensorType table, RankedTensorType index, RankedTensorType rows) {
  // gather_c1, scatter_add_c1
  if (!index.getElementType().isSignlessInteger() || index.getElementType().isSignlessInteger(1))
    return op->emitOpError() << "expected an integer index, but got " << debugString(index);
  // gather_c2, scatter_add_c2
  if (table.getRank() < 1)
    return op->emitOpError("expected a table of rank 1 or more");
  SmallVector<int64_t> shape(index.getShape());
  llvm::append_range(shape, table.getShape().drop_front());
  auto expected = RankedTensorType::get(shape, table.getElementType());
  if (rows != expected)
    return op->emitOpError() << "expected rows of " << debugString(expected) << ", but got " << debugString(rows);
  return success();
}

LogicalResult GatherOp::verify() {
  return verifyRows(*this, cast<RankedTensorType>(getTable().getType()), cast<RankedTensorType>(getIndex().getType()),
                    cast<RankedTensorType>(getType()));
}

LogicalResult ScatterAddOp::verify() {
  if (failed(verifySumTo(*this, getSumTo())))
    return failure();
  return verifyRows(*this, cast<RankedTensorType>(getType()), cast<RankedTensorType>(getIndex().getType()),
                    cast<RankedTensorType>(getUpdate().getType()));
}

LogicalResult SumFramesOp::verify() { return verifySumTo(*this, getSumTo()); }

/// The result of an op is one of floating-point numbers.
static LogicalResult verifyFloatingPoint(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!isa<FloatType>(type.getElementType()))
    return op->emitOpError() << "expected a floating-point result, but got " << debugString(type);
  return success();
}

LogicalResult RandomOp::verify() { return verifyFloatingPoint(*this); }

LogicalResult SigmoidOp::verify() { return verifyFloatingPoint(*this); }

LogicalResult SoftplusOp::verify() { return verifyFloatingPoint(*this); }

LogicalResult TrainingOp::verify() {
  if (!cast<RankedTensorType>(getType()).getElementType().isSignlessInteger(1))
    return emitOpError() << "expected a result of i1, but got " << debugString(getType());
  return success();
}

LogicalResult GradientOp::verify() {
  auto loss = cast<RankedTensorType>(getLoss().getType());
  // gradient_c1
  if (loss.getRank() != 0 || !isa<FloatType>(loss.getElementType()))
    return emitOpError() << "expected a scalar loss, but got " << debugString(loss);
  // gradient_c2
  if (TypeRange(getWrt()) != TypeRange(getGrads()))
    return emitOpError("expected one gradient per value, of the same type");
  return success();
}

LogicalResult GuardOp::verify() {
  if (getCondition().getType() != RankedTensorType::get({}, IntegerType::get(getContext(), 1)))
    return emitOpError() << "expected tensor<i1>, but got " << debugString(getCondition().getType());
  return success();
}
