//===- WriteAttribute.cpp - Attributes as JSON ----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "WriteAttribute.h"
#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace mlir::rnn;
using llvm::json::OStream;

/// The deepest nesting of arrays and dictionaries. Attributes of level-1 ops have two levels.
static constexpr unsigned kMaxDepth = 16;

void rnn::writeReal(OStream &json, double value) {
  if (std::isnan(value))
    return json.value("nan");
  if (std::isinf(value))
    return json.value(value > 0 ? "inf" : "-inf");
  char text[40];
  for (int digits : {15, 16, 17}) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value)
      break;
  }
  StringRef number = text;
  json.rawValue(number.find_first_of(".e") == StringRef::npos ? (number + ".0").str() : number.str());
}

std::string rnn::getDtype(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << cast<RankedTensorType>(type).getElementType();
  return text;
}

void rnn::writeShape(OStream &json, Type type) {
  json.attributeArray("shape", [&] {
    for (int64_t size : cast<RankedTensorType>(type).getShape())
      json.value(size);
  });
  json.attribute("dtype", getDtype(type));
}

/// Keeps the text well-formed where an attribute has no rule.
static LogicalResult writeNothing(OStream &json) {
  json.value(nullptr);
  return failure();
}

static void writeInteger(OStream &json, const APInt &value, Type type) {
  if (type.isInteger(1))
    json.value(value.getBoolValue());
  else
    json.value(value.getSExtValue());
}

static LogicalResult writeElements(OStream &json, DenseElementsAttr elements) {
  Type type = elements.getElementType();
  if (!isa<FloatType, IntegerType>(type))
    return writeNothing(json);
  json.objectBegin();
  json.attribute("dtype", getDtype(elements.getType()));
  json.attributeArray("shape", [&] {
    for (int64_t size : elements.getType().getShape())
      json.value(size);
  });
  json.attributeArray("values", [&] {
    int64_t count = elements.isSplat() ? 1 : elements.getNumElements();
    if (isa<IntegerType>(type)) {
      auto values = elements.value_begin<APInt>();
      for (int64_t i = 0; i < count; ++i, ++values)
        writeInteger(json, *values, type);
    } else {
      auto values = elements.value_begin<APFloat>();
      for (int64_t i = 0; i < count; ++i, ++values)
        writeReal(json, (*values).convertToDouble());
    }
  });
  json.objectEnd();
  return success();
}

namespace {
/// One parameter of an attribute of the dialect.
struct Parameter {
  StringRef name;
  double value;
};
struct Flag {
  StringRef name;
  bool value;
};
} // namespace

static LogicalResult writeKind(OStream &json, StringRef kind, ArrayRef<Parameter> parameters = {},
                               ArrayRef<Flag> flags = {}) {
  json.object([&] {
    json.attribute("kind", kind);
    for (const Parameter &parameter : parameters) {
      json.attributeBegin(parameter.name);
      writeReal(json, parameter.value);
      json.attributeEnd();
    }
    for (const Flag &flag : flags)
      json.attribute(flag.name, flag.value);
  });
  return success();
}

/// Initializers, optimizers, and the enums of this dialect and of arith.
static LogicalResult writeDialectAttribute(OStream &json, Attribute attribute) {
  auto word = [&](StringRef keyword) {
    json.value(keyword);
    return success();
  };
  return llvm::TypeSwitch<Attribute, LogicalResult>(attribute)
      .Case([&](RateAttr a) { return word(stringifyRate(a.getValue())); })
      .Case([&](ReduceKindAttr a) { return word(stringifyReduceKind(a.getValue())); })
      .Case([&](RandomKindAttr a) { return word(stringifyRandomKind(a.getValue())); })
      .Case([&](ForgetKindAttr a) { return word(stringifyForgetKind(a.getValue())); })
      .Case([&](ResetKindAttr a) { return word(stringifyResetKind(a.getValue())); })
      .Case([&](ActivationAttr a) { return word(stringifyActivation(a.getValue())); })
      .Case([&](arith::FastMathFlagsAttr a) { return word(arith::stringifyFastMathFlags(a.getValue())); })
      .Case([&](arith::IntegerOverflowFlagsAttr a) { return word(arith::stringifyIntegerOverflowFlags(a.getValue())); })
      .Case([&](ZerosAttr) { return writeKind(json, "zeros"); })
      .Case([&](ConstantAttr a) { return writeKind(json, "constant", {{"value", a.getValue()}}); })
      .Case([&](UniformAttr a) {
        if (!a.getLow())
          return writeKind(json, "uniform");
        return writeKind(json, "uniform", {{"low", *a.getLow()}, {"high", *a.getHigh()}});
      })
      .Case([&](NormalAttr a) { return writeKind(json, "normal", {{"mean", a.getMean()}, {"std", a.getStd()}}); })
      .Case([&](OrthogonalAttr a) {
        json.object([&] {
          json.attribute("kind", "orthogonal");
          json.attributeBegin("gain");
          writeReal(json, a.getGain());
          json.attributeEnd();
          json.attribute("blocks", a.getBlocks());
        });
        return success();
      })
      .Case([&](SGDAttr a) {
        return writeKind(json, "sgd",
                         {{"lr", a.getLr()}, {"momentum", a.getMomentum()}, {"weight_decay", a.getWeightDecay()}},
                         {{"nesterov", a.getNesterov()}});
      })
      .Case<AdamAttr, AdamWAttr>([&](auto a) {
        return writeKind(json, a.getMnemonic(),
                         {{"lr", a.getLr()},
                          {"beta1", a.getBeta1()},
                          {"beta2", a.getBeta2()},
                          {"eps", a.getEps()},
                          {"weight_decay", a.getWeightDecay()}},
                         {{"amsgrad", a.getAmsgrad()}});
      })
      .Case([&](RMSpropAttr a) {
        return writeKind(json, "rmsprop",
                         {{"lr", a.getLr()},
                          {"alpha", a.getAlpha()},
                          {"eps", a.getEps()},
                          {"momentum", a.getMomentum()},
                          {"weight_decay", a.getWeightDecay()}},
                         {{"centered", a.getCentered()}});
      })
      .Case([&](AdagradAttr a) {
        return writeKind(json, "adagrad",
                         {{"lr", a.getLr()},
                          {"lr_decay", a.getLrDecay()},
                          {"eps", a.getEps()},
                          {"weight_decay", a.getWeightDecay()}});
      })
      .Case([&](AdadeltaAttr a) {
        return writeKind(
            json, "adadelta",
            {{"lr", a.getLr()}, {"rho", a.getRho()}, {"eps", a.getEps()}, {"weight_decay", a.getWeightDecay()}});
      })
      .Default([&](Attribute) { return writeNothing(json); });
}

template <typename RangeT>
static LogicalResult writeIntegers(OStream &json, RangeT values) {
  json.array([&] {
    for (auto value : values)
      json.value(value);
  });
  return success();
}

static LogicalResult write(OStream &json, Attribute attribute, unsigned depth) {
  if (depth > kMaxDepth)
    return writeNothing(json);
  auto writeMap = [&](AffineMapAttr a) -> LogicalResult {
    if (!llvm::all_of(a.getValue().getResults(), [](AffineExpr e) { return isa<AffineDimExpr>(e); }))
      return writeNothing(json);
    return writeIntegers(json, llvm::map_range(a.getValue().getResults(), [](AffineExpr e) -> int64_t {
                           return cast<AffineDimExpr>(e).getPosition();
                         }));
  };
  auto writeArray = [&](ArrayAttr a) {
    LogicalResult result = success();
    json.array([&] {
      for (Attribute element : a)
        if (failed(write(json, element, depth + 1)))
          result = failure();
    });
    return result;
  };
  auto writeDictionary = [&](DictionaryAttr a) { // sorted by name
    LogicalResult result = success();
    json.object([&] {
      for (NamedAttribute entry : a) {
        json.attributeBegin(entry.getName());
        if (failed(write(json, entry.getValue(), depth + 1)))
          result = failure();
        json.attributeEnd();
      }
    });
    return result;
  };
  return llvm::TypeSwitch<Attribute, LogicalResult>(attribute)
      .Case([&](IntegerAttr a) { return writeInteger(json, a.getValue(), a.getType()), success(); })
      .Case([&](FloatAttr a) { return writeReal(json, a.getValueAsDouble()), success(); })
      .Case([&](StringAttr a) { return json.value(a.getValue()), success(); })
      .Case([&](FlatSymbolRefAttr a) { return json.value(a.getValue()), success(); })
      .Case([&](UnitAttr) { return json.value(true), success(); })
      .Case([&](TypeAttr a) {
        std::string text;
        llvm::raw_string_ostream(text) << a.getValue();
        return json.value(text), success();
      })
      .Case([&](ArrayAttr a) { return writeArray(a); })
      .Case([&](DictionaryAttr a) { return writeDictionary(a); })
      .Case([&](DenseI64ArrayAttr a) { return writeIntegers(json, a.asArrayRef()); })
      .Case([&](DenseI32ArrayAttr a) { return writeIntegers(json, a.asArrayRef()); })
      .Case([&](DenseF64ArrayAttr a) {
        json.array([&] {
          for (double value : a.asArrayRef())
            writeReal(json, value);
        });
        return success();
      })
      .Case([&](DenseElementsAttr a) { return writeElements(json, a); })
      .Case([&](AffineMapAttr a) { return writeMap(a); })
      .Default([&](Attribute a) { return writeDialectAttribute(json, a); });
}

LogicalResult rnn::writeAttribute(OStream &json, Attribute attribute) { return write(json, attribute, 0); }
