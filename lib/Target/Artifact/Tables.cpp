//===- Tables.cpp - The tensor tables of an artifact ----------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Target/Tables.h"
#include "rnn/Analysis/Abi.h"

using namespace mlir;
using namespace mlir::rnn;
using llvm::json::Array;
using llvm::json::Object;

SmallVector<RNNFunctionInterface> rnn::getFunctions(ModuleOp module) {
  SmallVector<RNNFunctionInterface> functions;
  for (auto schedule : module.getOps<ScheduleOp>())
    functions.push_back(schedule);
  if (!functions.empty())
    return functions;
  for (Operation &op : *module.getBody())
    if (isa<NetworkOp, StepOp>(op) && SymbolTable::getSymbolVisibility(&op) != SymbolTable::Visibility::Private)
      functions.push_back(cast<RNNFunctionInterface>(op));
  return functions;
}

std::string rnn::getFunctionSymbol(unsigned index) { return "rnn_fn_" + std::to_string(index); }

static std::string dtypeOf(RankedTensorType type) {
  std::string text;
  llvm::raw_string_ostream(text) << type.getElementType();
  return text;
}

/// A number that prints as an integer where it is one.
static llvm::json::Value numberOf(double value) {
  auto integer = static_cast<int64_t>(value);
  return static_cast<double>(integer) == value ? llvm::json::Value(integer) : llvm::json::Value(value);
}

static Object describeTensor(const AbiTensor &tensor, std::optional<int64_t> streams) {
  Object object{{"name", tensor.name},
                {"role", stringifyAbiRole(tensor.role)},
                {"dtype", dtypeOf(tensor.type)},
                {"shape", describeShape(tensor, -1, streams.value_or(ShapedType::kDynamic))}};
  bool isState = tensor.role == AbiRole::State || tensor.role == AbiRole::Ring;
  if (!isState)
    object["rate"] = stringifyRate(tensor.rate);
  if (tensor.fill)
    object[isState ? "fill" : "default"] = numberOf(*tensor.fill);
  return object;
}

static Array describeLosses(ArrayAttr losses) {
  Array array;
  for (auto loss : losses.getAsRange<LossAttr>())
    array.push_back(Object{{"name", loss.getResult().getValue()},
                           {"reduction", stringifyLossReduction(loss.getReduction())},
                           {"weight", loss.getWeight().value}});
  return array;
}

/// The fields that steps have beyond networks, read from a StepOp or a ScheduleOp.
template <typename OpT>
static void describeStep(OpT step, Object &object) {
  object["network"] = step.getNetwork();
  object["window"] = step.getBptt() ? step.getBptt()->getWindow() : 0;
  object["advance"] = step.getBptt() ? step.getBptt()->getAdvance() : 0;
  object["losses"] = describeLosses(step.getLosses());
  object["metrics"] = describeLosses(step.getMetrics());
}

static Object describeFunction(RNNFunctionInterface function, unsigned index, std::optional<int64_t> streams) {
  StringRef name = SymbolTable::getSymbolName(function).getValue();
  Object object{{"name", name},
                {"kind", stringifyFunctionKind(function.getFunctionKind())},
                {"symbol", getFunctionSymbol(index)},
                {"network", name},
                {"window", 0},
                {"advance", 0}};
  if (auto step = dyn_cast<StepOp>(function.getOperation()))
    describeStep(step, object);
  if (auto schedule = dyn_cast<ScheduleOp>(function.getOperation())) {
    describeStep(schedule, object);
    if (auto memory = schedule->getAttrOfType<DictionaryAttr>("rnn.memory")) {
      Object sizes;
      for (NamedAttribute entry : memory)
        sizes[entry.getName().getValue()] = cast<IntegerAttr>(entry.getValue()).getInt();
      object["memory"] = std::move(sizes);
    }
  }
  Array tensors;
  std::optional<unsigned> reset = function.getResetIndex();
  for (const AbiTensor &tensor : getAbi(function, streams.value_or(ShapedType::kDynamic))) {
    if (tensor.name == "lr" && tensor.fill)
      object["lr"] = *tensor.fill;
    Object described = describeTensor(tensor, streams);
    if (reset && tensor.role == AbiRole::Argument && tensor.name == function.getArgName(*reset))
      described["reset"] = true;
    tensors.push_back(std::move(described));
  }
  object["tensors"] = std::move(tensors);
  return object;
}

static Array describeVariables(ModuleOp module) {
  Array variables;
  for (auto parameter : module.getOps<ParameterOp>()) {
    auto type = cast<RankedTensorType>(parameter.getType());
    variables.push_back(Object{{"name", parameter.getSymName()},
                               {"kind", parameter.getSlot() ? "optimizer" : "parameter"},
                               {"dtype", dtypeOf(type)},
                               {"shape", Array(type.getShape())},
                               {"trainable", !parameter.getFrozen() && !parameter.getSlot()},
                               {"init", parameter.getInit().toJSON()}});
  }
  return variables;
}

/// One list if there is one section, else a list per section.
static llvm::json::Value describeRequirements(const TablesOptions &options) {
  if (options.requirements.size() == 1)
    return Array(options.requirements.front().second);
  if (options.requirements.empty())
    return Array();
  Object lists;
  for (auto &[target, features] : options.requirements)
    lists[target] = Array(features);
  return lists;
}

Object rnn::buildTables(ModuleOp module, const TablesOptions &options) {
  Array functions;
  for (auto [index, function] : llvm::enumerate(getFunctions(module)))
    functions.push_back(describeFunction(function, index, options.streams));
  Object tables{{"network_hash", options.networkHash},
                {"requires", describeRequirements(options)},
                {"variables", describeVariables(module)},
                {"functions", std::move(functions)}};
  if (options.streams)
    tables["streams"] = *options.streams;
  else
    tables["streams"] = nullptr;
  return tables;
}
