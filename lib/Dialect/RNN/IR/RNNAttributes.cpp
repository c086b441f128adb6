//===- RNNAttributes.cpp - Initializers and optimizers ------------*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;

#include "rnn/Dialect/RNN/IR/RNNAttrInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "rnn/Dialect/RNN/IR/RNNAttributes.cpp.inc"

void RNNDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "rnn/Dialect/RNN/IR/RNNAttributes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Syntax: `<>`, or `<key = value, …>` with every key optional
//===----------------------------------------------------------------------===//

namespace {
/// One field of an attribute in the form `key = value`; `flag` is set for `true` and `false`, else `value`.
struct Field {
  StringRef key;
  Real *value;
  bool *flag = nullptr;
};
} // namespace

static ParseResult parseFields(AsmParser &parser, ArrayRef<Field> fields) {
  if (failed(parser.parseOptionalLess()))
    return success();
  if (succeeded(parser.parseOptionalGreater()))
    return success();
  llvm::SmallDenseSet<StringRef> seen;
  auto parseField = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    StringRef key;
    if (parser.parseKeyword(&key))
      return failure();
    const Field *field = llvm::find_if(fields, [&](const Field &f) { return f.key == key; });
    if (field == fields.end()) {
      InFlightDiagnostic diag = parser.emitError(loc) << "unknown field '" << key << "'; expected one of";
      llvm::interleave(fields, [&](const Field &f) { diag << " '" << f.key << "'"; }, [&] { diag << ","; });
      return diag;
    }
    if (!seen.insert(field->key).second)
      return parser.emitError(loc) << "field '" << key << "' is given twice";
    if (parser.parseEqual())
      return failure();
    if (!field->flag)
      return parseReal(parser, *field->value);
    loc = parser.getCurrentLocation();
    StringRef word;
    if (parser.parseOptionalKeyword(&word, {"true", "false"}))
      return parser.emitError(loc) << "expected 'true' or 'false' for '" << key << "'";
    *field->flag = word == "true";
    return success();
  };
  return failure(parser.parseCommaSeparatedList(parseField) || parser.parseGreater());
}

//===----------------------------------------------------------------------===//
// Initializers
//===----------------------------------------------------------------------===//

llvm::json::Object ZerosAttr::toJSON() const { return llvm::json::Object{{"kind", "zeros"}}; }

llvm::json::Object ConstantAttr::toJSON() const {
  return llvm::json::Object{{"kind", "constant"}, {"value", getValue().value}};
}

llvm::json::Object NormalAttr::toJSON() const {
  return llvm::json::Object{{"kind", "normal"}, {"mean", getMean().value}, {"std", getStd().value}};
}

llvm::json::Object OrthogonalAttr::toJSON() const {
  return llvm::json::Object{{"kind", "orthogonal"}, {"gain", getGain().value}, {"blocks", getBlocks()}};
}

llvm::json::Object UniformAttr::toJSON() const {
  llvm::json::Object object{{"kind", "uniform"}};
  if (getLow()) {
    object["low"] = getLow()->value;
    object["high"] = getHigh()->value;
  }
  return object;
}

Attribute UniformAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  if (succeeded(parser.parseOptionalGreater()))
    return get(parser.getContext(), std::nullopt, std::nullopt);
  Real low, high;
  if (parseReal(parser, low) || parser.parseComma() || parseReal(parser, high) || parser.parseGreater())
    return {};
  return get(parser.getContext(), low, high);
}

void UniformAttr::print(AsmPrinter &printer) const {
  printer << "<";
  if (getLow()) {
    printer << *getLow() << ", " << *getHigh();
  }
  printer << ">";
}

Attribute OrthogonalAttr::parse(AsmParser &parser, Type) {
  Real gain = 1.0, blocks = 1.0;
  if (parseFields(parser, {{"gain", &gain}, {"blocks", &blocks}}))
    return {};
  if (!(blocks >= 1 && blocks <= 1 << 20) || blocks != static_cast<double>(static_cast<int64_t>(blocks.value)))
    return parser.emitError(parser.getCurrentLocation(), "expected a positive number of blocks"), Attribute();
  return get(parser.getContext(), gain, static_cast<int64_t>(blocks.value));
}

void OrthogonalAttr::print(AsmPrinter &printer) const {
  printer << "<";
  if (getGain() != 1.0) {
    printer << "gain = " << getGain() << (getBlocks() != 1 ? ", " : "");
  }
  if (getBlocks() != 1)
    printer << "blocks = " << getBlocks();
  printer << ">";
}

//===----------------------------------------------------------------------===//
// Optimizers (PyTorch 2's formulas)
//===----------------------------------------------------------------------===//

namespace {
/// Static elementwise arithmetic on values of one shape, written as formulas.
struct Arithmetic {
  OpBuilder &b;
  Location loc;
  RankedTensorType type;

  Value constant(double value) { return createSplat(b, loc, type, value); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value mul(double x, Value y) { return mul(constant(x), y); }
  Value max(Value x, Value y) { return arith::MaximumFOp::create(b, loc, x, y); }
  Value sqrt(Value x) { return math::SqrtOp::create(b, loc, x); }
  /// The gradient of the loss with `decay / 2` times the squared norm of the parameter added to it.
  Value decayed(Value grad, double decay, Value param) { return decay == 0 ? grad : add(grad, mul(decay, param)); }
  /// Arithmetic on scalars of f64.
  Arithmetic scalarF64() { return {b, loc, RankedTensorType::get({}, b.getF64Type())}; }
  /// A scalar repeated to the shape.
  Value spread(Value scalar) {
    if (type.getRank() == 0)
      return scalar;
    return BroadcastOp::create(b, loc, type, scalar, llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
  }
  /// Between scalars of the element type and of f64.
  Value toF64(Value scalar) {
    auto f64 = scalarF64().type;
    return scalar.getType() == f64 ? scalar : arith::ExtFOp::create(b, loc, f64, scalar).getResult();
  }
  Value fromF64(Value scalar) {
    auto narrow = RankedTensorType::get({}, type.getElementType());
    return scalar.getType() == narrow ? scalar : arith::TruncFOp::create(b, loc, narrow, scalar).getResult();
  }
};
} // namespace

double SGDAttr::getLearningRate() const { return getLr(); }

SmallVector<StringRef> SGDAttr::getSlots() const {
  return getMomentum() != 0 ? SmallVector<StringRef>{"momentum"} : SmallVector<StringRef>{};
}

SmallVector<Value> SGDAttr::buildUpdate(OpBuilder &builder, Location loc, Value param, Value grad, ValueRange slots,
                                        Value lr, Value step) const {
  Arithmetic a{builder, loc, cast<RankedTensorType>(param.getType())};
  grad = a.decayed(grad, getWeightDecay(), param);
  SmallVector<Value> newSlots;
  // PyTorch starts the buffer with the first gradient; from zeros that is the same recurrence.
  if (!slots.empty()) {
    newSlots.push_back(a.add(a.mul(getMomentum(), slots[0]), grad));
    grad = getNesterov() ? a.add(grad, a.mul(getMomentum(), newSlots[0])) : newSlots[0];
  }
  SmallVector<Value> results{a.sub(param, a.mul(a.spread(lr), grad))};
  llvm::append_range(results, newSlots);
  return results;
}

/// Adam's step from `param`, with the gradient's moments `slots` = {m, v}, and for AMSGrad the largest v so far.
static SmallVector<Value> buildAdam(Arithmetic a, Value param, Value grad, ValueRange slots, Value lr, Value step,
                                    double beta1, double beta2, double eps) {
  Arithmetic s = a.scalarF64();
  Value m = a.add(a.mul(beta1, slots[0]), a.mul(1 - beta1, grad));
  Value v = a.add(a.mul(beta2, slots[1]), a.mul(1 - beta2, a.mul(grad, grad)));
  // The corrections 1 - beta^step, through exp(step * log(beta)); in f64, because they cancel.
  Value t = arith::SIToFPOp::create(a.b, a.loc, s.type, step);
  auto correction = [&](double beta) {
    return s.sub(s.constant(1), math::ExpOp::create(a.b, a.loc, s.mul(std::log(beta), t)));
  };
  Value stepSize = a.fromF64(s.div(a.toF64(lr), correction(beta1)));
  Value rootCorrection = a.fromF64(s.sqrt(correction(beta2)));
  SmallVector<Value> newSlots{m, v};
  if (slots.size() > 2)
    newSlots.push_back(a.max(slots[2], v));
  Value denominator = a.add(a.div(a.sqrt(newSlots.back()), a.spread(rootCorrection)), a.constant(eps));
  SmallVector<Value> results{a.sub(param, a.mul(a.spread(stepSize), a.div(m, denominator)))};
  llvm::append_range(results, newSlots);
  return results;
}

/// The slots of Adam; `vmax` is the largest `v` so far.
static SmallVector<StringRef> getAdamSlots(bool amsgrad) {
  return amsgrad ? SmallVector<StringRef>{"m", "v", "vmax"} : SmallVector<StringRef>{"m", "v"};
}

double AdamAttr::getLearningRate() const { return getLr(); }

SmallVector<StringRef> AdamAttr::getSlots() const { return getAdamSlots(getAmsgrad()); }

SmallVector<Value> AdamAttr::buildUpdate(OpBuilder &builder, Location loc, Value param, Value grad, ValueRange slots,
                                         Value lr, Value step) const {
  Arithmetic a{builder, loc, cast<RankedTensorType>(param.getType())};
  grad = a.decayed(grad, getWeightDecay(), param);
  return buildAdam(a, param, grad, slots, lr, step, getBeta1(), getBeta2(), getEps());
}

double AdamWAttr::getLearningRate() const { return getLr(); }

SmallVector<StringRef> AdamWAttr::getSlots() const { return getAdamSlots(getAmsgrad()); }

SmallVector<Value> AdamWAttr::buildUpdate(OpBuilder &builder, Location loc, Value param, Value grad, ValueRange slots,
                                          Value lr, Value step) const {
  Arithmetic a{builder, loc, cast<RankedTensorType>(param.getType())};
  Arithmetic s = a.scalarF64();
  // The decay acts on the parameter and not on the gradient; its factor is near 1, so it is computed in f64.
  if (getWeightDecay() != 0) {
    Value kept = s.sub(s.constant(1), s.mul(getWeightDecay(), a.toF64(lr)));
    param = a.mul(param, a.spread(a.fromF64(kept)));
  }
  return buildAdam(a, param, grad, slots, lr, step, getBeta1(), getBeta2(), getEps());
}

double RMSpropAttr::getLearningRate() const { return getLr(); }

SmallVector<StringRef> RMSpropAttr::getSlots() const {
  SmallVector<StringRef> slots{"v"};
  if (getCentered())
    slots.push_back("mean");
  if (getMomentum() != 0)
    slots.push_back("momentum");
  return slots;
}

SmallVector<Value> RMSpropAttr::buildUpdate(OpBuilder &builder, Location loc, Value param, Value grad, ValueRange slots,
                                            Value lr, Value step) const {
  Arithmetic a{builder, loc, cast<RankedTensorType>(param.getType())};
  grad = a.decayed(grad, getWeightDecay(), param);
  Value v = a.add(a.mul(getAlpha(), slots[0]), a.mul(1 - getAlpha(), a.mul(grad, grad)));
  SmallVector<Value> newSlots{v};
  Value power = v;
  if (getCentered()) {
    newSlots.push_back(a.add(a.mul(getAlpha(), slots[1]), a.mul(1 - getAlpha(), grad)));
    // A variance; what rounding leaves below 0 has no root.
    power = a.max(a.constant(0), a.sub(v, a.mul(newSlots[1], newSlots[1])));
  }
  Value change = a.div(grad, a.add(a.sqrt(power), a.constant(getEps())));
  if (getMomentum() != 0)
    newSlots.push_back(change = a.add(a.mul(getMomentum(), slots.back()), change));
  SmallVector<Value> results{a.sub(param, a.mul(a.spread(lr), change))};
  llvm::append_range(results, newSlots);
  return results;
}

double AdagradAttr::getLearningRate() const { return getLr(); }

SmallVector<StringRef> AdagradAttr::getSlots() const { return {"v"}; }

SmallVector<Value> AdagradAttr::buildUpdate(OpBuilder &builder, Location loc, Value param, Value grad, ValueRange slots,
                                            Value lr, Value step) const {
  Arithmetic a{builder, loc, cast<RankedTensorType>(param.getType())};
  Arithmetic s = a.scalarF64();
  grad = a.decayed(grad, getWeightDecay(), param);
  if (getLrDecay() != 0) {
    Value before = s.sub(arith::SIToFPOp::create(builder, loc, s.type, step), s.constant(1));
    lr = a.fromF64(s.div(a.toF64(lr), s.add(s.constant(1), s.mul(getLrDecay(), before))));
  }
  Value v = a.add(slots[0], a.mul(grad, grad));
  Value change = a.div(grad, a.add(a.sqrt(v), a.constant(getEps())));
  return {a.sub(param, a.mul(a.spread(lr), change)), v};
}

double AdadeltaAttr::getLearningRate() const { return getLr(); }

SmallVector<StringRef> AdadeltaAttr::getSlots() const { return {"v", "u"}; }

SmallVector<Value> AdadeltaAttr::buildUpdate(OpBuilder &builder, Location loc, Value param, Value grad,
                                             ValueRange slots, Value lr, Value step) const {
  Arithmetic a{builder, loc, cast<RankedTensorType>(param.getType())};
  grad = a.decayed(grad, getWeightDecay(), param);
  auto average = [&](Value old, Value x) { return a.add(a.mul(getRho(), old), a.mul(1 - getRho(), a.mul(x, x))); };
  auto root = [&](Value x) { return a.sqrt(a.add(x, a.constant(getEps()))); };
  Value v = average(slots[0], grad);
  Value change = a.mul(a.div(root(slots[1]), root(v)), grad);
  return {a.sub(param, a.mul(a.spread(lr), change)), v, average(slots[1], change)};
}

//===----------------------------------------------------------------------===//
// Syntax of optimizers
//===----------------------------------------------------------------------===//

/// Prints `<lr = …, key = …>`, leaving out fields that have their default value.
static void printFields(AsmPrinter &printer, double lr, ArrayRef<std::tuple<StringRef, double, double>> fields,
                        StringRef flag = "") {
  printer << "<lr = " << Real(lr);
  for (auto [key, value, byDefault] : fields)
    if (value != byDefault)
      printer << ", " << key << " = " << Real(value);
  if (!flag.empty())
    printer << ", " << flag << " = true";
  printer << ">";
}

Attribute SGDAttr::parse(AsmParser &parser, Type) {
  Real lr = 0.01, momentum = 0, decay = 0;
  bool nesterov = false;
  SMLoc loc = parser.getCurrentLocation();
  if (parseFields(parser,
                  {{"lr", &lr}, {"momentum", &momentum}, {"weight_decay", &decay}, {"nesterov", nullptr, &nesterov}}))
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(), lr, momentum, decay, nesterov);
}

LogicalResult SGDAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Real lr, Real momentum, Real decay,
                              bool nesterov) {
  if (nesterov && momentum == 0.0)
    return emitError() << "'nesterov' needs a momentum";
  return success();
}

void SGDAttr::print(AsmPrinter &printer) const {
  printFields(printer, getLr(), {{"momentum", getMomentum(), 0.0}, {"weight_decay", getWeightDecay(), 0.0}},
              getNesterov() ? "nesterov" : "");
}

template <typename AdamLike>
static Attribute parseAdam(AsmParser &parser, double defaultDecay) {
  Real lr = 0.001, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = defaultDecay;
  bool amsgrad = false;
  if (parseFields(parser, {{"lr", &lr},
                           {"beta1", &beta1},
                           {"beta2", &beta2},
                           {"eps", &eps},
                           {"weight_decay", &decay},
                           {"amsgrad", nullptr, &amsgrad}}))
    return {};
  return AdamLike::get(parser.getContext(), lr, beta1, beta2, eps, decay, amsgrad);
}

template <typename AdamLike>
static void printAdam(AsmPrinter &printer, AdamLike attribute, double defaultDecay) {
  printFields(printer, attribute.getLr(),
              {{"beta1", attribute.getBeta1(), 0.9},
               {"beta2", attribute.getBeta2(), 0.999},
               {"eps", attribute.getEps(), 1e-8},
               {"weight_decay", attribute.getWeightDecay(), defaultDecay}},
              attribute.getAmsgrad() ? "amsgrad" : "");
}

Attribute AdamAttr::parse(AsmParser &parser, Type) { return parseAdam<AdamAttr>(parser, 0); }

void AdamAttr::print(AsmPrinter &printer) const { printAdam(printer, *this, 0); }

Attribute AdamWAttr::parse(AsmParser &parser, Type) { return parseAdam<AdamWAttr>(parser, 0.01); }

void AdamWAttr::print(AsmPrinter &printer) const { printAdam(printer, *this, 0.01); }

Attribute RMSpropAttr::parse(AsmParser &parser, Type) {
  Real lr = 0.01, alpha = 0.99, eps = 1e-8, momentum = 0, decay = 0;
  bool centered = false;
  if (parseFields(parser, {{"lr", &lr},
                           {"alpha", &alpha},
                           {"eps", &eps},
                           {"momentum", &momentum},
                           {"weight_decay", &decay},
                           {"centered", nullptr, &centered}}))
    return {};
  return get(parser.getContext(), lr, alpha, eps, momentum, decay, centered);
}

void RMSpropAttr::print(AsmPrinter &printer) const {
  printFields(printer, getLr(),
              {{"alpha", getAlpha(), 0.99},
               {"eps", getEps(), 1e-8},
               {"momentum", getMomentum(), 0.0},
               {"weight_decay", getWeightDecay(), 0.0}},
              getCentered() ? "centered" : "");
}

Attribute AdagradAttr::parse(AsmParser &parser, Type) {
  Real lr = 0.01, lrDecay = 0, eps = 1e-10, decay = 0;
  if (parseFields(parser, {{"lr", &lr}, {"lr_decay", &lrDecay}, {"eps", &eps}, {"weight_decay", &decay}}))
    return {};
  return get(parser.getContext(), lr, lrDecay, eps, decay);
}

void AdagradAttr::print(AsmPrinter &printer) const {
  printFields(printer, getLr(),
              {{"lr_decay", getLrDecay(), 0.0}, {"eps", getEps(), 1e-10}, {"weight_decay", getWeightDecay(), 0.0}});
}

Attribute AdadeltaAttr::parse(AsmParser &parser, Type) {
  Real lr = 1, rho = 0.9, eps = 1e-6, decay = 0;
  if (parseFields(parser, {{"lr", &lr}, {"rho", &rho}, {"eps", &eps}, {"weight_decay", &decay}}))
    return {};
  return get(parser.getContext(), lr, rho, eps, decay);
}

void AdadeltaAttr::print(AsmPrinter &printer) const {
  printFields(printer, getLr(),
              {{"rho", getRho(), 0.9}, {"eps", getEps(), 1e-6}, {"weight_decay", getWeightDecay(), 0.0}});
}

LogicalResult LoopAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, LoopRegime regime, int64_t units,
                               int64_t streams) {
  if (units < 0 || streams < 0)
    return emitError() << "a block has " << std::min(units, streams) << " units or streams; expected at least 0";
  return success();
}
