//===- Views.cpp - Values in memory, and other views of them ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Conversion/RNNToLoops/RegionEmitter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

View RegionEmitter::materialize(Value value) {
  if (Operation *op = value.getDefiningOp()) {
    auto found = groupOf.find(op);
    if (found != groupOf.end())
      emitGroup(*found->second);
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      return constantView(constant);
  }
  return views.lookup(value);
}

View RegionEmitter::allocateResult(Value value) {
  View &view = views[value];
  if (view)
    return view;
  if (auto place = places.find(value); place != places.end())
    return view = place->second;
  auto type = cast<RankedTensorType>(value.getType());
  Rate rate = rateOf(value);
  // One frame's worth is enough for what no other frame reads.
  bool isScratch = inLoop() && !outliving.contains(value);
  if (rate != Rate::Frame || isScratch)
    view = e.allocate(type, std::min(rate, Rate::Stream));
  else
    view = e.allocate(type, rate, inWindow ? e.history : 0);
  return view;
}

View RegionEmitter::sliceView(const View &source, ArrayRef<int64_t> offsets, ArrayRef<int64_t> strides,
                              RankedTensorType type) {
  View view = source;
  int64_t shift = 0;
  for (auto [i, stride] : llvm::enumerate(source.strides)) {
    shift += offsets[i] * stride;
    view.strides[i] = stride * strides[i];
  }
  view.shift += shift;
  view.type = type;
  return view;
}

std::optional<View> RegionEmitter::reshapeView(const View &source, RankedTensorType type) {
  if (!source.isContiguous() && !source.isSplat())
    return std::nullopt;
  View view = source;
  view.type = type;
  view.strides = rowMajorStrides(type.getShape());
  if (source.isSplat())
    view.strides.assign(type.getRank(), 0);
  return view;
}

LogicalResult RegionEmitter::emitView(Operation *op) {
  View source = materialize(op->getOperand(0));
  Value result = op->getResult(0);
  auto type = cast<RankedTensorType>(result.getType());
  View view = llvm::TypeSwitch<Operation *, View>(op)
                  .Case([&](StopGradientOp) { return source; })
                  .Case([&](BroadcastOp broadcast) {
                    View view = source;
                    for (int64_t dim : broadcast.getDims())
                      view.strides.insert(view.strides.begin() + dim, 0);
                    view.type = type;
                    return view;
                  })
                  .Case([&](tensor::ExtractSliceOp slice) {
                    View view = sliceView(source, slice.getStaticOffsets(), slice.getStaticStrides(), type);
                    // Dimensions of size one may be dropped.
                    llvm::SmallBitVector dropped = slice.getDroppedDims();
                    view.strides.clear();
                    for (auto [i, stride] : llvm::enumerate(source.strides))
                      if (!dropped.test(i))
                        view.strides.push_back(stride * slice.getStaticStrides()[i]);
                    return view;
                  })
                  .Default([&](Operation *op) {
                    if (std::optional<View> view = reshapeView(source, type))
                      return *view;
                    // Rows of a slice lie apart: a copy puts them together.
                    View copy =
                        e.allocate(source.type, inLoop() ? std::min(rateOf(result), Rate::Stream) : rateOf(result),
                                   inWindow ? e.history : 0);
                    e.access({source.buffer}, {copy.buffer});
                    emitCopy(source, copy, rateOf(result));
                    return *reshapeView(copy, type);
                  });
  if (inLoop() && outliving.contains(result)) {
    // Its source is overwritten by the next frame.
    View copy = allocateResult(result);
    e.access({view.buffer}, {copy.buffer});
    emitCopy(view, copy, rateOf(result));
    view = copy;
  }
  views[result] = view;
  return success();
}

LogicalResult RegionEmitter::emitConcat(tensor::ConcatOp op) {
  SmallVector<View> sources;
  for (Value input : op.getInputs())
    sources.push_back(materialize(input));
  View target = allocateResult(op.getResult());
  Rate rate = rateOf(op.getResult());
  SmallVector<int64_t> offsets(target.strides.size(), 0), ones(target.strides.size(), 1);
  e.access(llvm::map_to_vector(sources, [](const View &v) { return v.buffer; }), {target.buffer});
  for (const View &source : sources) {
    emitCopy(source, sliceView(target, offsets, ones, source.type), rate);
    offsets[op.getDim()] += source.type.getDimSize(op.getDim());
  }
  return success();
}

LogicalResult RegionEmitter::emitInsertSlice(tensor::InsertSliceOp op) {
  View source = materialize(op.getSource());
  View destination = materialize(op.getDest());
  View target = allocateResult(op.getResult());
  Rate rate = rateOf(op.getResult());
  e.access({destination.buffer}, {target.buffer});
  emitCopy(destination, target, rate);
  View part = sliceView(target, op.getStaticOffsets(), op.getStaticStrides(), source.type);
  llvm::SmallBitVector dropped = op.getDroppedDims();
  SmallVector<int64_t> kept;
  for (auto [i, stride] : llvm::enumerate(part.strides))
    if (!dropped.test(i))
      kept.push_back(stride);
  part.strides = kept;
  e.access({source.buffer}, {target.buffer});
  emitCopy(source, part, rate);
  return success();
}

View RegionEmitter::constantView(arith::ConstantOp op) {
  View &view = views[op.getResult()];
  if (!view)
    view = e.constant(cast<DenseElementsAttr>(op.getValue()), cast<RankedTensorType>(op.getType()));
  return view;
}
