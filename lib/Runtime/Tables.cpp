//===- Tables.cpp - Tensor tables of an artifact --------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Tables.h"

#include "JsonReader.h"

#include <algorithm>
#include <set>

namespace mlir::rnn::runtime {

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

namespace {
struct DTypeInfo {
  const char *name;
  size_t size;
};
constexpr DTypeInfo kDTypes[] = {{"f32", 4}, {"f64", 8}, {"i1", 1},  {"i8", 1},  {"i32", 4}, {"i64", 8},  {"u8", 1},
                                 {"i16", 2}, {"u16", 2}, {"u32", 4}, {"u64", 8}, {"f16", 2}, {"bf16", 2}, {"?", 0}};
constexpr int kFunctionDTypes = 6;
} // namespace

DType parseDType(std::string_view name) {
  for (int i = 0; i < int(DType::Invalid); ++i)
    if (name == kDTypes[i].name)
      return DType(i);
  return DType::Invalid;
}

const char *dtypeName(DType dtype) { return kDTypes[int(dtype)].name; }
size_t dtypeSize(DType dtype) { return kDTypes[int(dtype)].size; }

TensorRef refTo(const HostTensor &tensor) {
  std::optional<int64_t> count = numElements(tensor.shape);
  size_t size = count ? size_t(*count) * dtypeSize(tensor.dtype) : 0;
  const std::byte *data = tensor.data.data();
  return {parseDType(tensor.dtype), int32_t(tensor.shape.size()), tensor.shape.data(),
          tensor.data.size() == size ? const_cast<std::byte *>(data) : nullptr};
}

//===----------------------------------------------------------------------===//
// Look-up
//===----------------------------------------------------------------------===//

std::optional<uint64_t> TensorDesc::bytes(int64_t frames) const {
  uint64_t count = dtypeSize(dtype);
  for (int64_t dim : shape)
    if (__builtin_mul_overflow(count, uint64_t(dim < 0 ? frames : dim), &count))
      return std::nullopt;
  return count;
}

int64_t Function::find(std::string_view name) const {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == name)
      return int64_t(i);
  return -1;
}

const Function *Tables::findFunction(std::string_view name) const {
  for (const Function &function : functions)
    if (function.name == name)
      return &function;
  return nullptr;
}

const Variable *Tables::findVariable(std::string_view name) const {
  for (const Variable &variable : variables)
    if (variable.name == name)
      return &variable;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace {

constexpr int64_t kMaxDrawn = int64_t(1) << 32;
constexpr size_t kMaxRank = 8;

/// Reads what is written of tensors.
class Reader : public JsonReader {
public:
  std::vector<int64_t> shape(const Json &object, bool mayHaveFrames, const std::string &where) {
    std::vector<int64_t> dims;
    int64_t count = 1;
    for (const Json &value : array(object, "shape", true, where)) {
      int64_t dim = toInteger(value).value_or(0);
      bool isFrames = dim == -1 && dims.empty() && mayHaveFrames;
      if ((dim < 1 && !isFrames) || dims.size() == kMaxRank || dim > kMaxElements / count) {
        fail(where, "has an impossible shape");
        return {};
      }
      count *= isFrames ? 1 : dim;
      dims.push_back(dim);
    }
    return dims;
  }

  DType dtype(const Json &object, const std::string &where) {
    std::string name = string(object, "dtype", nullptr, where);
    DType dtype = parseDType(name);
    if (int(dtype) >= kFunctionDTypes) {
      fail(where, "has unknown dtype '" + name + "'");
      return DType::F32;
    }
    return dtype;
  }

  /// A name of INTERFACE.md 0.2.
  std::string name(const Json &object, const char *key, const char *what) {
    std::string name = string(object, key, nullptr, what);
    auto isLetter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    auto isLegal = [&](char c) { return isLetter(c) || (c >= '0' && c <= '9') || c == '.'; };
    if (name.empty() || name.size() > 4096 || !isLetter(name[0]) || !std::all_of(name.begin(), name.end(), isLegal))
      fail(what, "has a malformed name");
    return name;
  }
};

/// True if `value` can be stored in an element of `dtype` without undefined
/// behaviour.
bool fits(double value, DType dtype) {
  switch (dtype) {
  case DType::F32:
    return std::abs(value) <= 3.4028234663852886e38;
  case DType::I1:
    return value == 0 || value == 1;
  case DType::I8:
    return value >= -128 && value <= 127;
  case DType::I32:
    return value >= -2147483648.0 && value <= 2147483647.0;
  case DType::I64:
    return std::abs(value) <= 9007199254740992.0;
  default:
    return true;
  }
}

Initializer parseInit(const Json &object, const Variable &variable, Reader &in, const std::string &where) {
  Initializer init;
  auto it = object.find("init");
  if (it == object.end())
    return init;
  std::string kind = in.string(*it, "kind", nullptr, where);
  if (kind == "zeros") {
    init.kind = Initializer::Kind::Zeros;
  } else if (kind == "constant") {
    init.kind = Initializer::Kind::Constant;
    init.value = in.number(*it, "value", std::nullopt, where);
    if (!fits(init.value, variable.dtype))
      in.fail(where, "has a constant that its dtype cannot hold");
  } else if (kind == "uniform") {
    init.kind = Initializer::Kind::Uniform;
    init.low = in.optionalNumber(*it, "low", where);
    init.high = in.optionalNumber(*it, "high", where);
  } else if (kind == "normal") {
    init.kind = Initializer::Kind::Normal;
    init.mean = in.number(*it, "mean", 0.0, where);
    init.deviation = in.number(*it, "std", 1.0, where);
  } else if (kind == "orthogonal") {
    init.kind = Initializer::Kind::Orthogonal;
    init.gain = in.number(*it, "gain", 1.0, where);
    init.blocks = in.integer(*it, "blocks", 1, 1, kMaxElements, where);
  } else {
    in.fail(where, "has unknown initializer '" + kind + "'");
  }
  std::string precision = in.string(*it, "precision", "", where);
  if (!precision.empty() && precision != "f32")
    in.fail(where, "has an initializer of unknown precision");
  init.roundToF32 = precision == "f32";

  bool isDrawn = init.kind != Initializer::Kind::Zeros && init.kind != Initializer::Kind::Constant;
  std::optional<int64_t> count = numElements(variable.shape);
  if (isDrawn && (!isFloat(variable.dtype) || !count || *count > kMaxDrawn))
    in.fail(where, "cannot be drawn at random");
  if (init.kind == Initializer::Kind::Orthogonal && count &&
      (variable.shape.size() < 2 || *count / variable.shape.back() % init.blocks != 0))
    in.fail(where, "cannot be orthogonal in these blocks");
  return init;
}

Variable parseVariable(const Json &object, Reader &in) {
  Variable variable;
  variable.name = in.name(object, "name", "a variable");
  std::string where = "variable '" + variable.name + "'";
  std::string kind = in.string(object, "kind", nullptr, where);
  if (kind != "parameter" && kind != "optimizer")
    in.fail(where, "has unknown kind '" + kind + "'");
  variable.isParameter = kind == "parameter";
  variable.dtype = in.dtype(object, where);
  variable.shape = in.shape(object, /*mayHaveFrames=*/false, where);
  variable.trainable = in.number(object, "trainable", 0.0, where) != 0;
  if (!in.failed())
    variable.init = parseInit(object, variable, in, where);
  return variable;
}

template <typename Enum>
Enum choose(const std::string &text, std::initializer_list<std::pair<const char *, Enum>> choices, const char *key,
            Reader &in, const std::string &where) {
  for (auto &[name, value] : choices)
    if (text == name)
      return value;
  in.fail(where, std::string("has unknown ") + key + " '" + text + "'");
  return choices.begin()->second;
}

TensorDesc parseTensor(const Json &object, const std::string &function, Reader &in) {
  TensorDesc tensor;
  tensor.name = in.name(object, "name", "a tensor");
  std::string where = "tensor '" + tensor.name + "' of '" + function + "'";
  tensor.role = choose<Role>(in.string(object, "role", nullptr, where),
                             {{"argument", Role::Argument},
                              {"parameter", Role::Parameter},
                              {"optimizer", Role::Optimizer},
                              {"state", Role::State},
                              {"ring", Role::Ring},
                              {"result", Role::Result}},
                             "role", in, where);
  tensor.rate =
      choose<Rate>(in.string(object, "rate", "static", where),
                   {{"static", Rate::Static}, {"stream", Rate::Stream}, {"frame", Rate::Frame}}, "rate", in, where);
  tensor.dtype = in.dtype(object, where);
  tensor.shape = in.shape(object, !livesInSession(tensor.role), where);
  tensor.fill = in.number(object, "fill", 0.0, where);
  tensor.defaultValue = in.optionalNumber(object, "default", where);
  tensor.isReset = in.number(object, "reset", 0.0, where) != 0;
  if (tensor.isReset && (tensor.role != Role::Argument || tensor.rate != Rate::Frame || tensor.dtype != DType::I1))
    in.fail(where, "is a reset, but no argument of bools at frame rate");
  if (!fits(tensor.fill, tensor.dtype) || !fits(tensor.defaultValue.value_or(0), tensor.dtype))
    in.fail(where, "has a value that its dtype cannot hold");
  return tensor;
}

std::vector<Loss> parseLosses(const Json &object, const char *key, Reader &in, const std::string &where) {
  std::vector<Loss> losses;
  for (const Json &entry : in.array(object, key, false, where)) {
    Loss loss;
    loss.name = in.name(entry, "name", "a loss");
    loss.reduction = in.string(entry, "reduction", "mean", where);
    loss.weight = in.number(entry, "weight", 1.0, where);
    losses.push_back(std::move(loss));
  }
  return losses;
}

Function parseFunction(const Json &object, Reader &in) {
  Function function;
  function.name = in.name(object, "name", "a function");
  std::string where = "function '" + function.name + "'";
  function.kind = choose<Function::Kind>(
      in.string(object, "kind", nullptr, where),
      {{"train", Function::Kind::Train}, {"eval", Function::Kind::Eval}, {"infer", Function::Kind::Infer}}, "kind", in,
      where);
  function.network = in.string(object, "network", "", where);
  // A module for the interpreter alone has no host code, hence no symbols.
  function.symbol = in.string(object, "symbol", "", where);
  function.window = in.integer(object, "window", 0, 0, kMaxElements, where);
  function.advance = in.integer(object, "advance", 0, 0, kMaxElements, where);
  function.learningRate = in.number(object, "lr", 0.0, where);
  function.losses = parseLosses(object, "losses", in, where);
  function.metrics = parseLosses(object, "metrics", in, where);
  if (auto it = object.find("memory"); it != object.end()) {
    auto bytes = [&](const char *key) { return uint64_t(in.integer(*it, key, 0, 0, kMaxBytes, where)); };
    function.memory = {bytes("constant"), bytes("per_thread"), bytes("per_frame")};
  }
  std::set<std::string> names;
  for (const Json &entry : in.array(object, "tensors", true, where)) {
    function.tensors.push_back(parseTensor(entry, function.name, in));
    if (!names.insert(function.tensors.back().name).second)
      in.fail(where, "lists '" + function.tensors.back().name + "' twice");
    if (in.failed())
      break;
  }
  return function;
}

void parseNeeds(const Json &root, Tables &tables, Reader &in) {
  auto it = root.find("requires");
  if (it == root.end())
    return;
  auto add = [&](const std::string &target, const Json &features) {
    if (!features.is_array())
      return in.fail("'requires'", "is not a list of features");
    for (const Json &feature : features) {
      if (!feature.is_string())
        return in.fail("'requires'", "is not a list of features");
      tables.needs[target].push_back(feature.get<std::string>());
    }
  };
  if (!it->is_object())
    return add("", *it);
  for (auto &[target, features] : it->items())
    add(target, features);
}

/// Names mean one thing: session tensors agree between functions and with the
/// variables.
void checkAgreement(const Tables &tables, Reader &in) {
  std::map<std::string_view, const TensorDesc *> seen;
  std::set<std::string_view> names;
  for (const Variable &variable : tables.variables)
    if (!names.insert(variable.name).second)
      in.fail("variable '" + variable.name + "'", "is listed twice");
  names.clear();
  for (const Function &function : tables.functions) {
    if (!names.insert(function.name).second)
      in.fail("function '" + function.name + "'", "is listed twice");
    for (const TensorDesc &tensor : function.tensors) {
      if (!livesInSession(tensor.role))
        continue;
      std::string where = "tensor '" + tensor.name + "' of '" + function.name + "'";
      const TensorDesc *first = seen.emplace(tensor.name, &tensor).first->second;
      if (first->dtype != tensor.dtype || first->shape != tensor.shape || first->role != tensor.role)
        in.fail(where, "differs from that of another function");
      if (tensor.role == Role::State || tensor.role == Role::Ring)
        continue;
      const Variable *variable = tables.findVariable(tensor.name);
      if (!variable || variable->dtype != tensor.dtype || variable->shape != tensor.shape ||
          variable->isParameter != (tensor.role == Role::Parameter))
        in.fail(where, "has no matching variable");
    }
  }
}

} // namespace

Status parseTables(std::string_view json, const std::string &artifact, Tables &tables) {
  tables = {};
  Reader in;
  Json root = parseJsonObject(json);
  if (root.is_discarded()) {
    in.fail("the tables", "are not a JSON object");
  } else {
    tables.networkHash = in.string(root, "network_hash", "", "the table");
    tables.streams = in.integer(root, "streams", 1, 1, int64_t(1) << 31, "the table");
    parseNeeds(root, tables, in);
    for (const Json &entry : in.array(root, "variables", false, "the table"))
      tables.variables.push_back(parseVariable(entry, in));
    for (const Json &entry : in.array(root, "functions", true, "the table"))
      tables.functions.push_back(parseFunction(entry, in));
    if (!in.failed())
      checkAgreement(tables, in);
  }
  if (in.failed())
    return fileError("'" + artifact + "' is damaged: " + in.problem);
  return Status::success();
}

} // namespace mlir::rnn::runtime
