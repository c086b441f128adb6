//===- Reduction.cpp - Many elements to one, by many threads ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where results are many, and neighbouring ones have neighbouring elements, a
// thread computes a result, as on a CPU. Where a result's elements lie side by
// side, a warp computes it: lanes take elements in turn and combine what they
// have by a tree. Where results are few, warps or threads compute parts of them
// first, and a second kernel combines the parts. In a loop over frames a warp
// computes every result of some length.
//
// The number of parts follows from the shapes alone, so that every result has
// one order on every machine.
//
//===----------------------------------------------------------------------===//

#include "GpuEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

/// So many threads keep a GPU busy.
static constexpr int64_t kManyThreads = 1 << 15;
/// Elements that a thread, or a warp, combines in reasonable time.
static constexpr int64_t kThreadElements = 64, kWarpElements = 4096;
/// Elements of a part that a warp computes, at least.
static constexpr int64_t kPartElements = 512;
/// Parts of a result: a warp combines them.
static constexpr int64_t kMinParts = kWarpThreads, kMaxParts = 2048, kMaxThreadParts = 1024;
/// Elements that a thread has in flight.
static constexpr unsigned kInFlight = 4;

static Point withoutLast(const Point &point, unsigned count) {
  Point rest = point;
  rest.element.resize(point.element.size() - count);
  return rest;
}

/// True for what lanes can give to one another.
static bool isShuffled(Type element) { return element.isIntOrFloat() && element.getIntOrFloatBitWidth() % 32 == 0; }

bool GpuEmitter::dividesSums(Type element, int64_t count) const {
  return isLoop && isShuffled(element) && count >= kWarpThreads;
}

bool GpuEmitter::emitReduction(const Reduction &reduction) {
  Type element = reduction.neutral.getType();
  if (reduction.frame && reduction.isAlong && dividesSums(element, reduction.count)) {
    reduceByWarps(reduction);
    return true;
  }
  if (isLoop || !isShuffled(element))
    return false;
  const bool hasFewElements = !reduction.overFrames && reduction.count < kWarpThreads;
  if (hasFewElements)
    return false;
  int64_t results = reduction.space.rate == Rate::Static ? 1 : streams;
  for (int64_t size : reduction.space.shape)
    results *= size;
  const bool areMany = reduction.space.rate == Rate::Frame || results >= kManyThreads;
  if (reduction.isAlong) {
    if (areMany || reduction.count <= kWarpElements)
      reduceByWarps(reduction);
    else
      reduceInParts(reduction, std::min(reduction.count / kPartElements, kMaxParts), /*byWarps=*/true);
    return true;
  }
  if (areMany || (!reduction.overFrames && reduction.count <= kThreadElements))
    return false;
  reduceInParts(reduction, std::clamp(kManyThreads / results, kMinParts, kMaxThreadParts), /*byWarps=*/false);
  return true;
}

void GpuEmitter::reduceByWarps(const Reduction &reduction) {
  access(reduction.reads, {reduction.target.buffer});
  Space space = reduction.space;
  space.shape.push_back(kWarpThreads);
  // A warp has one item: lanes are the last dimension.
  forEachVector(
      space, 1, {reduction.inWindow ? windowFrames : frames, reduction.frame}, [](const Point &) {},
      [&](const Point &point, unsigned, Value) {
        Point result = withoutLast(point, 1);
        Value lane = point.element.back();
        Value value =
            accumulate(reduction, result, lane, index.constant(reduction.count), index.constant(kWarpThreads));
        storeCombined(reduction, lane, value, reduction.target, result);
      });
}

void GpuEmitter::reduceInParts(const Reduction &reduction, int64_t parts, bool byWarps) {
  Space space = reduction.space;
  View partial;
  auto allocateParts = [&](ArrayRef<int64_t> shape) {
    partial = allocate(RankedTensorType::get(shape, reduction.neutral.getType()), space.rate);
    access(reduction.reads, {partial.buffer});
  };
  auto count = [&] {
    Value count = index.constant(reduction.count);
    return reduction.overFrames ? index.mul(reduction.inWindow ? windowFrames : frames, count) : count;
  };
  if (byWarps) {
    // Part p has the elements from p * length on.
    const int64_t length = llvm::alignTo(llvm::divideCeil(reduction.count, parts), kInFlight * kWarpThreads);
    parts = llvm::divideCeil(reduction.count, length);
    space.shape.push_back(parts);
    allocateParts(space.shape);
    space.shape.push_back(kWarpThreads);
    forEachVector(
        space, 1, {}, [](const Point &) {},
        [&](const Point &point, unsigned, Value) {
          Value lane = point.element.back();
          Value begin = index.mul(point.element.end()[-2], index.constant(length));
          Value end = index.min(index.add(begin, index.constant(length)), count());
          Value value =
              accumulate(reduction, withoutLast(point, 2), index.add(begin, lane), end, index.constant(kWarpThreads));
          storeCombined(reduction, lane, value, partial, withoutLast(point, 1));
        });
  } else {
    // Part p has the elements p, p + parts, …: neighbouring threads have
    // neighbouring results, or else elements.
    space.shape.insert(space.shape.begin(), parts);
    allocateParts(space.shape);
    forEachVector(
        space, 1, {}, [](const Point &) {},
        [&](const Point &point, unsigned, Value) {
          Point result = point;
          result.element.erase(result.element.begin());
          store(accumulate(reduction, result, point.element.front(), count(), index.constant(parts)), partial, point, 1,
                {});
        });
  }

  Reduction last = reduction;
  last.count = parts;
  last.overFrames = false;
  last.reads = {partial.buffer};
  last.load = [&](const Point &result, Value part) {
    Point at = result;
    at.element.insert(byWarps ? at.element.end() : at.element.begin(), part);
    return loadElement(partial, at);
  };
  reduceByWarps(last);
}

Value GpuEmitter::accumulate(const Reduction &reduction, const Point &result, Value begin, Value end, Value step) {
  // Several sums side by side, so that loads need not wait for each other.
  SmallVector<Value> carried(kInFlight, splat(reduction.neutral, 1));
  carried.push_back(begin);
  Value ahead = index.mul(step, index.constant(kInFlight - 1)), stride = index.mul(step, index.constant(kInFlight));
  auto loop = scf::ForOp::create(b, loc, begin, index.sub(end, ahead), stride, carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next;
    Value at = loop.getInductionVar();
    for (unsigned i = 0; i < kInFlight; ++i) {
      Value element = reduction.load(result, index.add(at, index.mul(step, index.constant(i))));
      next.push_back(reduction.combine(loop.getRegionIterArg(i), element));
    }
    next.push_back(index.add(at, stride));
    scf::YieldOp::create(b, loc, next);
  }
  auto rest = scf::ForOp::create(b, loc, loop.getResult(kInFlight), end, step, ValueRange{loop.getResult(0)});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(rest.getBody());
    Value element = reduction.load(result, rest.getInductionVar());
    scf::YieldOp::create(b, loc, reduction.combine(rest.getRegionIterArg(0), element));
  }
  Value left = reduction.combine(rest.getResult(0), loop.getResult(1));
  return reduction.combine(left, reduction.combine(loop.getResult(2), loop.getResult(3)));
}

void GpuEmitter::storeCombined(const Reduction &reduction, Value lane, Value value, const View &view,
                               const Point &point) {
  value = combineLanes(value, kWarpThreads, reduction.combine);
  Value isFirst = compare(arith::CmpIPredicate::eq, lane, index.constant(0));
  auto branch = scf::IfOp::create(b, loc, isFirst, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  store(value, view, point, 1, {});
}
