//===- ExportJSON.cpp - A level-1 module for tools without MLIR -----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format is that of docs/JSON.md. Keys come in the order of that page, so objects are streamed, not built.
//
//===----------------------------------------------------------------------===//
#include "WriteAttribute.h"
#include "mlir/Pass/PassManager.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Target/JSON.h"

using namespace mlir;
using namespace mlir::rnn;

namespace {
/// Writes a module that holds no calls and no composites.
class Exporter {
public:
  explicit Exporter(raw_ostream &os) : json(os) {}

  LogicalResult write(ModuleOp module);

private:
  void writeParameter(ParameterOp parameter);
  void writeNetwork(NetworkOp network);
  void writeOp(Operation &op);
  void writeLosses(StringRef key, ArrayAttr losses);
  void writeStep(TrainStepOp step);
  /// Writes an attribute of `op`; an error if it has no rule in docs/JSON.md.
  void write(Operation *op, StringRef key, Attribute attribute);

  llvm::json::OStream json;
  LogicalResult status = success();
  llvm::DenseMap<Value, int64_t> ids; ///< of the network at hand
};
} // namespace

void Exporter::write(Operation *op, StringRef key, Attribute attribute) {
  json.attributeBegin(key);
  if (failed(writeAttribute(json, attribute)) && succeeded(status))
    status = op->emitOpError() << "attribute '" << key << "' cannot be written as JSON: " << attribute;
  json.attributeEnd();
}

void Exporter::writeParameter(ParameterOp parameter) {
  json.object([&] {
    json.attribute("name", parameter.getSymName());
    writeShape(json, parameter.getType());
    write(parameter, "init", parameter.getInit());
    json.attribute("trainable", !parameter.getFrozen());
  });
}

/// The attributes of an op that its definition names, in alphabetical order.
static SmallVector<std::pair<StringRef, Attribute>> getInherentAttributes(Operation &op) {
  SmallVector<std::pair<StringRef, Attribute>> attributes;
  for (StringAttr name : op.getRegisteredInfo()->getAttributeNames()) {
    // How the operands are grouped is part of the list of operands.
    if (name == "operandSegmentSizes" || name == "resultSegmentSizes")
      continue;
    if (std::optional<Attribute> attribute = op.getInherentAttr(name); attribute && *attribute)
      attributes.emplace_back(name.getValue(), *attribute);
  }
  llvm::sort(attributes, llvm::less_first());
  return attributes;
}

/// The keyword of the predicate of a comparison; other attributes of enums know their keywords themselves.
static std::optional<StringRef> getPredicate(Operation &op, StringRef name) {
  if (name != "predicate")
    return std::nullopt;
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return arith::stringifyCmpFPredicate(compare.getPredicate());
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return arith::stringifyCmpIPredicate(compare.getPredicate());
  return std::nullopt;
}

void Exporter::writeOp(Operation &op) {
  json.attribute("op", op.getName().getStringRef());
  json.attributeArray("operands", [&] {
    for (Value operand : op.getOperands())
      json.value(ids.lookup(operand));
  });
  json.attributeArray("results", [&] {
    for (Value result : op.getResults())
      json.object([&] {
        json.attribute("id", ids.lookup(result));
        writeShape(json, result.getType());
      });
  });
  json.attributeObject("attrs", [&] {
    for (auto [name, attribute] : getInherentAttributes(op)) {
      if (std::optional<StringRef> predicate = getPredicate(op, name))
        json.attribute(name, *predicate);
      else
        write(&op, name, attribute);
    }
  });
}

void Exporter::writeNetwork(NetworkOp network) {
  RNNFunctionInterface function = network;
  Block &body = *network.getBodyBlock();
  ids.clear();
  for (Value argument : body.getArguments())
    ids.try_emplace(argument, ids.size());
  for (Operation &op : body.without_terminator())
    for (Value result : op.getResults())
      ids.try_emplace(result, ids.size());

  json.attribute("name", network.getSymName());
  json.attributeArray("arguments", [&] {
    std::optional<unsigned> reset = function.getResetIndex();
    for (BlockArgument argument : body.getArguments())
      json.object([&] {
        unsigned i = argument.getArgNumber();
        json.attribute("name", function.getArgName(i));
        json.attribute("id", ids.lookup(argument));
        writeShape(json, argument.getType());
        json.attribute("rate", stringifyRate(function.getArgRate(i)));
        json.attribute("reset", reset == i);
      });
  });
  json.attributeArray("results", [&] {
    for (OpOperand &operand : body.getTerminator()->getOpOperands())
      json.object([&] {
        unsigned i = operand.getOperandNumber();
        json.attribute("name", function.getResultName(i));
        json.attribute("id", ids.lookup(operand.get()));
        json.attribute("rate", stringifyRate(function.getResRate(i)));
      });
  });
  json.attributeArray("ops", [&] {
    for (Operation &op : body.without_terminator())
      json.object([&] { writeOp(op); });
  });
}

void Exporter::writeLosses(StringRef key, ArrayAttr losses) {
  json.attributeArray(key, [&] {
    for (auto loss : losses.getAsRange<LossAttr>())
      json.object([&] {
        json.attribute("result", loss.getResult().getValue());
        json.attribute("reduction", stringifyLossReduction(loss.getReduction()));
        json.attributeBegin("weight");
        writeReal(json, loss.getWeight());
        json.attributeEnd();
        if (loss.getMask().empty())
          json.attribute("mask", nullptr);
        else
          json.attribute("mask", loss.getMask().getValue());
      });
  });
}

void Exporter::writeStep(TrainStepOp step) {
  json.attribute("name", step.getSymName());
  json.attribute("network", step.getNetwork());
  writeLosses("losses", step.getLosses());
  writeLosses("metrics", step.getMetrics());
  write(step, "optimizer", step.getOptimizer());
  for (auto [key, limit] :
       {std::pair("clip_norm", step.getClipNormAttr()), std::pair("clip_value", step.getClipValueAttr())}) {
    json.attributeBegin(key);
    if (limit)
      writeReal(json, limit.getValueAsDouble());
    else
      json.value(nullptr);
    json.attributeEnd();
  }
  json.attribute("window", step.getBptt() ? step.getBptt()->getWindow() : 0);
  json.attribute("advance", step.getBptt() ? step.getBptt()->getAdvance() : 0);
}

LogicalResult Exporter::write(ModuleOp module) {
  json.object([&] {
    json.attribute("format", 1);
    json.attributeArray("parameters", [&] {
      for (auto parameter : module.getOps<ParameterOp>())
        if (!parameter.getSlot())
          writeParameter(parameter);
    });
    json.attributeArray("networks", [&] {
      for (auto network : module.getOps<NetworkOp>())
        json.object([&] { writeNetwork(network); });
    });
    json.attributeArray("train_steps", [&] {
      for (auto step : module.getOps<TrainStepOp>())
        json.object([&] { writeStep(step); });
    });
  });
  return status;
}

LogicalResult rnn::exportToJSON(ModuleOp module, raw_ostream &os) {
  OwningOpRef<ModuleOp> copy = module.clone();
  for (Operation &op : llvm::make_early_inc_range(*copy->getBody()))
    if (isa<StepOp, ScheduleOp>(op))
      op.erase();
  PassManager manager(module.getContext());
  manager.addPass(createInline());
  manager.addPass(createExpandCells());
  if (failed(manager.run(*copy)))
    return failure();

  std::string text;
  llvm::raw_string_ostream stream(text);
  if (failed(Exporter(stream).write(*copy)))
    return failure();
  os << text << "\n";
  return success();
}
