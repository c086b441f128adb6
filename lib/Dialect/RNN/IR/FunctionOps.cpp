//===- FunctionOps.cpp - Networks, steps and schedules ----------*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Syntax and verification of the module-level ops. The three function-like ops share their signature:
//   @name … (%x: type {attrs}, …) -> (y: type {attrs}, …) { … }
//
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::rnn;

//===----------------------------------------------------------------------===//
// ParameterOp
//===----------------------------------------------------------------------===//

void ParameterOp::build(OpBuilder &builder, OperationState &state, StringRef name, RankedTensorType type,
                        Attribute init) {
  build(builder, state, builder.getStringAttr(name), TypeAttr::get(type), cast<InitializerAttrInterface>(init),
        UnitAttr(), UnitAttr());
}

LogicalResult ParameterOp::verify() {
  // F2, R4.
  if (failed(rnn::detail::verifyParameterName(*this)) ||
      failed(verifySignalType(*this, getType(), "'" + getSymName() + "'")))
    return failure();
  // parameter_c1: what is drawn is a real number.
  auto type = cast<RankedTensorType>(getType());
  if (!isa<FloatType>(type.getElementType()) && isa<UniformAttr, NormalAttr, OrthogonalAttr>(getInit()))
    return emitOpError() << "expected a floating-point type for " << getInit() << ", but got " << debugString(type);
  // parameter_c2: blocks are equal. The tensor is a matrix of its last dimension.
  if (auto orthogonal = dyn_cast<OrthogonalAttr>(getInit())) {
    int64_t rows = type.getRank() == 0 ? 1 : type.getNumElements() / type.getShape().back();
    if (rows % orthogonal.getBlocks() != 0)
      return emitOpError() << "expected the number of blocks to divide " << rows << " rows, but got "
                           << orthogonal.getBlocks();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Signatures
//===----------------------------------------------------------------------===//

/// Parses `(%x: type {attrs}, …) -> (y: type {attrs}, …)` and the region.
static ParseResult parseSignatureAndBody(OpAsmParser &parser, OperationState &state) {
  Builder &b = parser.getBuilder();
  SmallVector<OpAsmParser::Argument> arguments;
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true, /*allowAttrs=*/true))
    return failure();

  SmallVector<Attribute> argNames, argAttrs, resultNames, resAttrs;
  SmallVector<Type> argTypes, resultTypes;
  for (OpAsmParser::Argument &argument : arguments) {
    argNames.push_back(b.getStringAttr(argument.ssaName.name.drop_front()));
    argTypes.push_back(argument.type);
    argAttrs.push_back(argument.attrs ? argument.attrs : b.getDictionaryAttr({}));
  }

  auto parseResult = [&]() -> ParseResult {
    std::string name;
    Type type;
    NamedAttrList attrs;
    if (parser.parseKeywordOrString(&name) || parser.parseColonType(type) || parser.parseOptionalAttrDict(attrs))
      return failure();
    resultNames.push_back(b.getStringAttr(name));
    resultTypes.push_back(type);
    resAttrs.push_back(attrs.getDictionary(parser.getContext()));
    return success();
  };
  if (parser.parseArrow() || parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseResult) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes))
    return failure();

  auto hasAttrs = [](ArrayRef<Attribute> dicts) {
    return llvm::any_of(dicts, [](Attribute dict) { return !cast<DictionaryAttr>(dict).empty(); });
  };
  state.addAttribute("function_type", TypeAttr::get(b.getFunctionType(argTypes, resultTypes)));
  state.addAttribute("arg_names", b.getArrayAttr(argNames));
  state.addAttribute("result_names", b.getArrayAttr(resultNames));
  if (hasAttrs(argAttrs))
    state.addAttribute("arg_attrs", b.getArrayAttr(argAttrs));
  if (hasAttrs(resAttrs))
    state.addAttribute("res_attrs", b.getArrayAttr(resAttrs));
  return parser.parseRegion(*state.addRegion(), arguments);
}

static void printSignatureAndBody(OpAsmPrinter &p, RNNFunctionInterface function, ArrayRef<StringRef> elided) {
  Block *body = function.getBodyBlock();
  FunctionType type = function.getFunctionType();
  auto printAttrs = [&](ArrayAttr dicts, unsigned i) {
    if (dicts)
      p.printOptionalAttrDict(cast<DictionaryAttr>(dicts[i]).getValue());
  };
  p << "(";
  llvm::interleaveComma(body->getArguments(), p, [&](BlockArgument arg) {
    p << arg << ": " << arg.getType();
    printAttrs(function.getArgAttrsAttr(), arg.getArgNumber());
  });
  p << ") -> (";
  llvm::interleaveComma(llvm::enumerate(type.getResults()), p, [&](auto result) {
    p.printKeywordOrString(function.getResultName(result.index()));
    p << ": " << result.value();
    printAttrs(function.getResAttrsAttr(), result.index());
  });
  p << ")";
  SmallVector<StringRef> hidden{"sym_name", "function_type", "arg_names", "result_names", "arg_attrs", "res_attrs"};
  llvm::append_range(hidden, elided);
  p.printOptionalAttrDictWithKeyword(function->getAttrs(), hidden);
  p << " ";
  p.printRegion(function->getRegion(0), /*printEntryBlockArgs=*/false);
}

/// Proposes the recorded names as SSA names, so that text keeps them through every pass.
static void nameArguments(RNNFunctionInterface function, Region &region, OpAsmSetValueNameFn setName) {
  for (BlockArgument arg : region.getArguments())
    if (arg.getArgNumber() < function.getArgNames().size())
      setName(arg, function.getArgName(arg.getArgNumber()));
}

/// F1: checks that signature, names, attributes and block agree.
static LogicalResult verifySignature(RNNFunctionInterface function) {
  FunctionType type = function.getFunctionType();
  auto checkCount = [&](StringRef what, ArrayAttr attr, size_t expected) -> LogicalResult {
    if (attr && attr.size() != expected)
      return function->emitOpError() << "expected " << expected << " " << what << ", but got " << attr.size();
    return success();
  };
  if (failed(checkCount("argument names", function.getArgNames(), type.getNumInputs())) ||
      failed(checkCount("result names", function.getResultNames(), type.getNumResults())) ||
      failed(checkCount("argument dictionaries", function.getArgAttrsAttr(), type.getNumInputs())) ||
      failed(checkCount("result dictionaries", function.getResAttrsAttr(), type.getNumResults())))
    return failure();
  if (TypeRange(function.getBodyBlock()->getArgumentTypes()) != TypeRange(type.getInputs()))
    return function->emitOpError("block arguments do not match the signature");
  return rnn::detail::verifyMarks(function);
}

/// F3: checks that the terminator has the operands that the results ask for.
template <typename TerminatorT>
static LogicalResult verifyResults(RNNFunctionInterface function) {
  auto terminator = dyn_cast<TerminatorT>(function.getBodyBlock()->back());
  if (!terminator)
    return function->emitOpError() << "expected '" << TerminatorT::getOperationName() << "' as its last op";
  FunctionType type = function.getFunctionType();
  if (terminator->getNumOperands() != type.getNumResults())
    return terminator->emitOpError() << "expected " << type.getNumResults() << " operands, but got "
                                     << terminator->getNumOperands();
  for (auto [i, operand, expected] : llvm::enumerate(terminator->getOperands(), type.getResults()))
    if (operand.getType() != expected)
      return terminator->emitOpError() << "result '" << function.getResultName(i) << "' is " << debugString(expected)
                                       << ", but the operand is " << debugString(operand.getType());
  return success();
}

/// Checks the signature and op list of a network or step, before the ops are verified.
static LogicalResult verifyFunction(RNNFunctionInterface function) {
  return failure(failed(verifySignature(function)) || failed(rnn::detail::verifySignatureTypes(function)) ||
                 (isa<NetworkOp>(function) && failed(rnn::detail::verifyNames(function))) ||
                 failed(rnn::detail::verifyOpList(function)));
}

/// Checks the body of a network or step, whose ops have been verified.
static LogicalResult verifyBody(RNNFunctionInterface function) {
  return failure(failed(verifyResults<OutputOp>(function)) || failed(rnn::detail::verifyOps(function)) ||
                 failed(rnn::detail::verifyCycles(function)) || failed(rnn::detail::verifyRates(function)) ||
                 failed(rnn::detail::verifyUnique(function)));
}

//===----------------------------------------------------------------------===//
// NetworkOp
//===----------------------------------------------------------------------===//

void NetworkOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                      ArrayRef<std::pair<StringRef, Type>> arguments, ArrayRef<std::pair<StringRef, Type>> results) {
  auto names = [&](ArrayRef<std::pair<StringRef, Type>> list) {
    return builder.getStrArrayAttr(llvm::map_to_vector(list, [](auto &entry) { return entry.first; }));
  };
  auto types = [](ArrayRef<std::pair<StringRef, Type>> list) {
    return llvm::map_to_vector(list, [](auto &entry) { return entry.second; });
  };
  SmallVector<Type> argTypes = types(arguments);
  build(builder, state, name, builder.getFunctionType(argTypes, types(results)), names(arguments), names(results),
        ArrayAttr(), ArrayAttr());
  Block &body = state.regions.front()->emplaceBlock();
  body.addArguments(argTypes, SmallVector<Location>(argTypes.size(), state.location));
}

RegionKind NetworkOp::getRegionKind(unsigned) { return RegionKind::Graph; }
FunctionKind NetworkOp::getFunctionKind() { return FunctionKind::Infer; }

void NetworkOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  nameArguments(*this, region, setName);
}

ParseResult NetworkOp::parse(OpAsmParser &parser, OperationState &state) {
  StringAttr name;
  return failure(parser.parseSymbolName(name, "sym_name", state.attributes) || parseSignatureAndBody(parser, state));
}

void NetworkOp::print(OpAsmPrinter &p) {
  p << " ";
  p.printSymbolName(getSymName());
  printSignatureAndBody(p, *this, {});
}

LogicalResult NetworkOp::verify() { return verifyFunction(*this); }
LogicalResult NetworkOp::verifyRegions() { return verifyBody(*this); }

//===----------------------------------------------------------------------===//
// TrainStepOp
//===----------------------------------------------------------------------===//

/// Parses `loss("nll" mean weight 1.0 mask "m")`; the keyword has been read.
static FailureOr<LossAttr> parseLoss(OpAsmParser &parser) {
  std::string result, mask;
  StringRef reduction;
  Real weight = 1.0;
  SMLoc loc;
  if (parser.parseLParen() || parser.parseString(&result) || parser.getCurrentLocation(&loc) ||
      parser.parseKeyword(&reduction))
    return failure();
  std::optional<LossReduction> kind = symbolizeLossReduction(reduction);
  if (!kind)
    return parser.emitError(loc) << "expected 'mean' or 'sum', but got '" << reduction << "'", failure();
  if (succeeded(parser.parseOptionalKeyword("weight")) && parseReal(parser, weight))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("mask")) && parser.parseString(&mask))
    return failure();
  if (parser.parseRParen())
    return failure();
  Builder &b = parser.getBuilder();
  return LossAttr::get(parser.getContext(), b.getStringAttr(result), *kind, weight, b.getStringAttr(mask));
}

static void printLoss(OpAsmPrinter &p, StringRef keyword, LossAttr loss) {
  p << " " << keyword << "(" << loss.getResult() << " " << stringifyLossReduction(loss.getReduction());
  if (loss.getWeight() != 1.0) {
    p << " weight " << loss.getWeight();
  }
  if (!loss.getMask().empty())
    p << " mask " << loss.getMask();
  p << ")";
}

ParseResult TrainStepOp::parse(OpAsmParser &parser, OperationState &state) {
  Builder &b = parser.getBuilder();
  StringAttr name;
  FlatSymbolRefAttr network;
  SmallVector<Attribute> losses, metrics;
  if (parser.parseSymbolName(name, "sym_name", state.attributes) || parser.parseKeyword("of") ||
      parser.parseAttribute(network, "network", state.attributes))
    return failure();
  while (true) {
    bool isLoss = succeeded(parser.parseOptionalKeyword("loss"));
    if (!isLoss && failed(parser.parseOptionalKeyword("metric")))
      break;
    FailureOr<LossAttr> loss = parseLoss(parser);
    if (failed(loss))
      return failure();
    (isLoss ? losses : metrics).push_back(*loss);
  }
  state.addAttribute("losses", b.getArrayAttr(losses));
  state.addAttribute("metrics", b.getArrayAttr(metrics));
  Attribute optimizer;
  if (parser.parseKeyword("optimizer") || parser.parseLParen() || parser.parseAttribute(optimizer) ||
      parser.parseRParen())
    return failure();
  state.addAttribute("optimizer", optimizer);
  if (succeeded(parser.parseOptionalKeyword("clip"))) {
    SMLoc loc;
    StringRef what;
    Real limit;
    if (parser.parseLess() || parser.getCurrentLocation(&loc) || parser.parseKeyword(&what))
      return failure();
    if (what != "norm" && what != "value")
      return parser.emitError(loc) << "expected 'norm' or 'value', but got '" << what << "'";
    if (parser.parseEqual() || parseReal(parser, limit) || parser.parseGreater())
      return failure();
    state.addAttribute(what == "norm" ? "clip_norm" : "clip_value", b.getF64FloatAttr(limit));
  }
  if (succeeded(parser.parseOptionalKeyword("bptt"))) {
    Attribute bptt = BPTTAttr::parse(parser, Type());
    if (!bptt)
      return failure();
    state.addAttribute("bptt", bptt);
  }
  return parser.parseOptionalAttrDict(state.attributes);
}

void TrainStepOp::print(OpAsmPrinter &p) {
  p << " ";
  p.printSymbolName(getSymName());
  p << " of " << getNetworkAttr();
  for (LossAttr loss : getLosses().getAsRange<LossAttr>())
    printLoss(p, "loss", loss);
  for (LossAttr metric : getMetrics().getAsRange<LossAttr>())
    printLoss(p, "metric", metric);
  p << " optimizer(" << getOptimizer() << ")";
  for (auto [what, limit] : {std::pair("norm", getClipNormAttr()), std::pair("value", getClipValueAttr())})
    if (limit)
      p << " clip<" << what << " = " << Real(limit.getValueAsDouble()) << ">";
  if (getBpttAttr()) {
    p << " bptt";
    getBpttAttr().print(p);
  }
  p.printOptionalAttrDict((*this)->getAttrs(),
                          {"sym_name", "network", "losses", "metrics", "optimizer", "clip_norm", "clip_value", "bptt"});
}

LogicalResult TrainStepOp::verify() {
  if (failed(verifyTensorName(*this, getSymName()))) // F2
    return failure();
  if (getLosses().empty()) // train_step_c1
    return emitOpError("expected at least one loss");
  llvm::DenseMap<StringAttr, StringAttr> maskOf;
  for (ArrayAttr list : {getLosses(), getMetrics()})
    for (LossAttr loss : list.getAsRange<LossAttr>())
      if (auto [it, isNew] = maskOf.try_emplace(loss.getResult(), loss.getMask());
          !isNew && it->second != loss.getMask()) // train_step_c6
        return emitOpError() << "names result '" << loss.getResult().getValue() << "' with two masks; 'sum."
                             << loss.getResult().getValue() << "' can be the sum over one";
  for (FloatAttr limit : {getClipNormAttr(), getClipValueAttr()}) // train_step_c7
    if (limit && !(limit.getValue().isFinite() && limit.getValueAsDouble() > 0))
      return emitOpError() << "expected a positive number to clip at, but got " << limit.getValueAsDouble();
  if (getClipNormAttr() && getClipValueAttr()) // train_step_c8
    return emitOpError("clips by norm or by value, not both");
  return rnn::detail::verifyBPTT(*this, getBpttAttr());
}

LogicalResult TrainStepOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto network = symbols.lookupNearestSymbolFrom<NetworkOp>(*this, getNetworkAttr());
  if (!network) // train_step_c2
    return emitOpError() << "refers to unknown network '@" << getNetwork() << "'";
  RNNFunctionInterface function = network;
  // S1, train_step_c3, train_step_c4.
  auto check = [&](LossAttr loss, StringRef what) -> LogicalResult {
    std::optional<unsigned> index = function.findResult(loss.getResult().getValue());
    if (!index)
      return emitOpError() << what << " refers to unknown result '" << loss.getResult().getValue() << "' of '@"
                           << getNetwork() << "'";
    auto type = cast<RankedTensorType>(network.getFunctionType().getResult(*index));
    if (type.getRank() != 0 || !isa<FloatType>(type.getElementType()))
      return emitOpError() << what << " '" << loss.getResult().getValue() << "' is " << debugString(type)
                           << "; expected tensor<f32> or tensor<f64>";
    if (loss.getMask().empty())
      return success();
    index = function.findResult(loss.getMask().getValue());
    if (!index)
      return emitOpError() << "mask refers to unknown result '" << loss.getMask().getValue() << "' of '@"
                           << getNetwork() << "'";
    Type mask = network.getFunctionType().getResult(*index);
    if (mask != RankedTensorType::get({}, IntegerType::get(getContext(), 1)))
      return emitOpError() << "mask '" << loss.getMask().getValue() << "' is " << debugString(mask)
                           << "; expected tensor<i1>";
    return success();
  };
  for (LossAttr loss : getLosses().getAsRange<LossAttr>())
    if (failed(check(loss, "loss")))
      return failure();
  for (LossAttr metric : getMetrics().getAsRange<LossAttr>())
    if (failed(check(metric, "metric")))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// StepOp and ScheduleOp: `@name kind of @network [streams n|?] [bptt<…>] signature`
//===----------------------------------------------------------------------===//

static ParseResult parseKindAndNetwork(OpAsmParser &parser, OperationState &state, bool hasStreams) {
  StringAttr name;
  StringRef keyword;
  SMLoc loc;
  if (parser.parseSymbolName(name, "sym_name", state.attributes) || parser.getCurrentLocation(&loc) ||
      parser.parseKeyword(&keyword))
    return failure();
  std::optional<FunctionKind> kind = symbolizeFunctionKind(keyword);
  if (!kind)
    return parser.emitError(loc) << "expected 'train', 'eval' or 'infer', but got '" << keyword << "'";
  state.addAttribute("kind", FunctionKindAttr::get(parser.getContext(), *kind));
  FlatSymbolRefAttr network;
  if (parser.parseKeyword("of") || parser.parseAttribute(network, "network", state.attributes))
    return failure();
  if (hasStreams) {
    int64_t streams = ShapedType::kDynamic;
    if (parser.parseKeyword("streams") || (failed(parser.parseOptionalQuestion()) && parser.parseInteger(streams)))
      return failure();
    state.addAttribute("streams", parser.getBuilder().getI64IntegerAttr(streams));
  }
  if (succeeded(parser.parseOptionalKeyword("bptt"))) {
    Attribute bptt = BPTTAttr::parse(parser, Type());
    if (!bptt)
      return failure();
    state.addAttribute("bptt", bptt);
  }
  for (StringRef list : {"losses", "metrics"}) {
    ArrayAttr entries = parser.getBuilder().getArrayAttr({});
    if (succeeded(parser.parseOptionalKeyword(list)) && parser.parseAttribute(entries))
      return failure();
    state.addAttribute(list, entries);
  }
  return parseSignatureAndBody(parser, state);
}

template <typename OpT>
static void printKindAndNetwork(OpAsmPrinter &p, OpT op, std::optional<int64_t> streams) {
  p << " ";
  p.printSymbolName(op.getSymName());
  p << " " << stringifyFunctionKind(op.getKind()) << " of " << op.getNetworkAttr();
  if (streams)
    p << " streams " << (ShapedType::isDynamic(*streams) ? "?" : std::to_string(*streams));
  if (op.getBpttAttr()) {
    p << " bptt";
    op.getBpttAttr().print(p);
  }
  if (!op.getLosses().empty())
    p << " losses " << op.getLosses();
  if (!op.getMetrics().empty())
    p << " metrics " << op.getMetrics();
  p << " ";
  printSignatureAndBody(p, op, {"kind", "network", "streams", "bptt", "losses", "metrics"});
}

RegionKind StepOp::getRegionKind(unsigned) { return RegionKind::Graph; }
FunctionKind StepOp::getFunctionKind() { return getKind(); }
void StepOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  nameArguments(*this, region, setName);
}
ParseResult StepOp::parse(OpAsmParser &parser, OperationState &state) {
  return parseKindAndNetwork(parser, state, /*hasStreams=*/false);
}
void StepOp::print(OpAsmPrinter &p) { printKindAndNetwork(p, *this, std::nullopt); }
LogicalResult StepOp::verify() {
  return failure(failed(rnn::detail::verifyBPTT(*this, getBpttAttr())) || failed(verifyFunction(*this)));
}
LogicalResult StepOp::verifyRegions() { return verifyBody(*this); }

FunctionKind ScheduleOp::getFunctionKind() { return getKind(); }
void ScheduleOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  nameArguments(*this, region, setName);
}
ParseResult ScheduleOp::parse(OpAsmParser &parser, OperationState &state) {
  return parseKindAndNetwork(parser, state, /*hasStreams=*/true);
}
void ScheduleOp::print(OpAsmPrinter &p) { printKindAndNetwork(p, *this, getStreams()); }
LogicalResult ScheduleOp::verify() {
  if (int64_t streams = getStreams(); streams < 1 && !ShapedType::isDynamic(streams))
    return emitOpError() << "expected at least 1 stream, but got " << streams;
  return failure(failed(rnn::detail::verifyBPTT(*this, getBpttAttr())) || failed(verifySignature(*this)));
}
LogicalResult ScheduleOp::verifyRegions() { return verifyResults<ReturnOp>(*this); }

LogicalResult ScheduleOp::checkFixedStreams() {
  if (!hasAnyStreams())
    return success();
  InFlightDiagnostic diag = emitError() << "'" << getSymName() << "' is for any number of streams (streams=0)";
  diag.attachNote() << "'rnn-to-linalg' takes streams=0; a memory plan, and all other code, is for a fixed number";
  return diag;
}

LogicalResult ScheduleOp::checkMemoryPlan() {
  if (failed(checkFixedStreams()))
    return failure();
  bool isPlanned =
      getOperation()->hasAttr("rnn.memory") && llvm::all_of(*getBodyBlock(), [](Operation &op) {
        auto slots = op.getAttrOfType<ArrayAttr>("slots");
        return !isa<ParallelOp, RecurrentOp, ReductionOp>(op) || (slots && slots.size() == op.getNumResults());
      });
  return isPlanned ? success() : emitOpError("has no memory plan; run rnn-plan-memory first");
}
