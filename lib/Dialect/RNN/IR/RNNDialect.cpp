//===- RNNDialect.cpp - Registration and shared helpers -----------*- C++ -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::rnn;

#include "rnn/Dialect/RNN/IR/RNNDialect.cpp.inc"
#include "rnn/Dialect/RNN/IR/RNNEnums.cpp.inc"
#include "rnn/Dialect/RNN/IR/RNNOpInterfaces.cpp.inc"

void RNNDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "rnn/Dialect/RNN/IR/RNNOps.cpp.inc"
      >();
}

bool rnn::isSignalType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape();
}

bool rnn::isSignalElementType(Type type) {
  return type.isF32() || type.isF64() || type.isSignlessInteger(1) || type.isSignlessInteger(8) ||
         type.isSignlessInteger(32) || type.isSignlessInteger(64);
}

LogicalResult rnn::verifySignalType(Operation *op, Type type, const Twine &what) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return op->emitOpError() << what << " has type " << debugString(type)
                             << "; expected a ranked tensor of static shape";
  if (tensor.getEncoding())
    return op->emitOpError() << what << " has type " << debugString(type) << "; expected a tensor without encoding";
  if (!isSignalElementType(tensor.getElementType()))
    return op->emitOpError() << "element type '" << debugString(tensor.getElementType()) << "' of " << what
                             << " is not supported; expected f32, f64, or an integer";
  if (tensor.getRank() > kMaxRank)
    return op->emitOpError() << what << " has rank " << tensor.getRank() << "; at most " << kMaxRank << " is supported";
  int64_t elements = 1;
  for (int64_t size : tensor.getShape()) {
    if (size < 1)
      return op->emitOpError() << what << " has type " << debugString(type) << "; every dimension must be at least 1";
    if (__builtin_mul_overflow(elements, size, &elements) || elements > kMaxElements)
      return op->emitError() << debugString(type) << " has too many elements (limit 2^40)";
  }
  return success();
}

RankedTensorType rnn::getSequenceType(RankedTensorType signal, Rate rate, int64_t streams) {
  SmallVector<int64_t> shape;
  if (rate == Rate::Frame)
    shape.push_back(ShapedType::kDynamic);
  if (rate != Rate::Static)
    shape.push_back(streams);
  llvm::append_range(shape, signal.getShape());
  return RankedTensorType::get(shape, signal.getElementType());
}

Rate rnn::getSequenceRate(Type sequence, Type signal) {
  return static_cast<Rate>(cast<RankedTensorType>(sequence).getRank() - cast<RankedTensorType>(signal).getRank());
}

Value rnn::createSplat(OpBuilder &builder, Location loc, Type type, double number) {
  auto tensor = cast<RankedTensorType>(type);
  Type element = tensor.getElementType();
  Attribute splat = isa<FloatType>(element) ? Attribute(builder.getFloatAttr(element, number))
                                            : builder.getIntegerAttr(element, static_cast<int64_t>(number));
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(tensor, splat));
}

Attribute rnn::detail::getDictAttr(ArrayAttr dicts, unsigned i, StringRef name) {
  if (!dicts || i >= dicts.size())
    return {};
  return cast<DictionaryAttr>(dicts[i]).get(name);
}

Rate rnn::detail::getRate(Attribute attr) {
  auto rate = dyn_cast_or_null<StringAttr>(attr);
  return rate ? symbolizeRate(rate.getValue()).value_or(Rate::Frame) : Rate::Frame;
}

std::optional<unsigned> rnn::detail::findName(ArrayAttr names, StringRef name) {
  for (auto [i, attr] : llvm::enumerate(names))
    if (cast<StringAttr>(attr).getValue() == name)
      return i;
  return std::nullopt;
}
