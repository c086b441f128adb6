//===- Operations.cpp - What an op computes within one frame --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Operations.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::rnn;

using Operands = ArrayRef<const Tensor *>;

//===----------------------------------------------------------------------===//
// Perturbation
//===----------------------------------------------------------------------===//

double Perturbation::apply(double value, double terms) {
  if (!isActive())
    return value;
  // splitmix64, its upper bits as a number in [-1, 1).
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  const double moved =
      value + scale * (terms == 0 ? 0 : std::max(terms, least)) * (static_cast<double>(z >> 11) * 0x1p-52 - 1);
  // What is too small becomes zero, but never passes it.
  return terms < least && moved * value <= 0 ? 0 : moved;
}

void Perturbation::apply(Tensor &value, const Tensor &terms) {
  if (isActive())
    for (auto [x, magnitude] : llvm::zip(value.floats(), terms.floats()))
      x = apply(x, magnitude);
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

static RankedTensorType getResultType(Operation *op) { return cast<RankedTensorType>(op->getResult(0).getType()); }

static unsigned getWidth(Type type) { return cast<RankedTensorType>(type).getElementType().getIntOrFloatBitWidth(); }

/// Wraps every element around at the width of `type`; nothing to do for floats.
static void wrap(Tensor &tensor, RankedTensorType type) {
  if (!tensor.isFloat())
    for (int64_t &x : tensor.integers())
      x = wrapInteger(x, getWidth(type));
}

/// The distance of neighbours along each dimension.
static SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t d = static_cast<int64_t>(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

/// Calls `visit(index)` for every index below `sizes`, the last dimension fastest.
static void forEachIndex(ArrayRef<int64_t> sizes, llvm::function_ref<void(ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(sizes, 0))
    return;
  SmallVector<int64_t> index(sizes.size(), 0);
  while (true) {
    visit(index);
    int64_t d = static_cast<int64_t>(sizes.size()) - 1;
    while (d >= 0 && ++index[d] == sizes[d])
      index[d--] = 0;
    if (d < 0)
      return;
  }
}

/// The position of `index` along the given strides.
static int64_t locate(ArrayRef<int64_t> index, ArrayRef<int64_t> strides) {
  int64_t position = 0;
  for (auto [i, stride] : llvm::zip(index, strides))
    position += i * stride;
  return position;
}

/// Copies element `from` of one tensor to element `to` of another of the same kind.
static void copyElement(const Tensor &source, int64_t from, Tensor &target, int64_t to) {
  if (source.isFloat())
    target.floats()[to] = source.floats()[from];
  else
    target.integers()[to] = source.integers()[from];
}

static Tensor reshape(const Tensor &source, RankedTensorType type) {
  Tensor result = source;
  result.shape = type.getShape().vec();
  return result;
}

//===----------------------------------------------------------------------===//
// Elementwise: one row per op
//===----------------------------------------------------------------------===//

namespace {
struct UnaryRule {
  StringLiteral name;
  double (*apply)(double);
  bool rounds; ///< Whether f32 would round the result.
};
struct BinaryRule {
  StringLiteral name;
  double (*apply)(double, double);
  /// The magnitude of the terms that are rounded; null where the result is exact.
  double (*terms)(double, double);
};
struct IntegerRule {
  StringLiteral name;
  uint64_t (*apply)(uint64_t, uint64_t);
};
} // namespace

static double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
static double softplus(double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))); }
static double maximum(double x, double y) { return std::isnan(x) || x > y ? x : y; }
static double minimum(double x, double y) { return std::isnan(x) || x < y ? x : y; }
static double product(double x, double y) { return std::abs(x * y); }
static double quotient(double x, double y) { return std::abs(x / y); }
static double power(double x, double y) { return std::abs(std::pow(x, y)); }
static double magnitudes(double x, double y) { return std::abs(x) + std::abs(y); }

static const UnaryRule unaryRules[] = {
    {"arith.negf", [](double x) { return -x; }, false},
    {"arith.extf", [](double x) { return x; }, false},
    {"arith.truncf", [](double x) { return x; }, true},
    {"math.exp", [](double x) { return std::exp(x); }, true},
    {"math.log", [](double x) { return std::log(x); }, true},
    {"math.log1p", [](double x) { return std::log1p(x); }, true},
    {"math.sqrt", [](double x) { return std::sqrt(x); }, true},
    {"math.rsqrt", [](double x) { return 1 / std::sqrt(x); }, true},
    {"math.tanh", [](double x) { return std::tanh(x); }, true},
    {"math.erf", [](double x) { return std::erf(x); }, true},
    {"math.absf", [](double x) { return std::abs(x); }, false},
    {"math.sin", [](double x) { return std::sin(x); }, true},
    {"math.cos", [](double x) { return std::cos(x); }, true},
    {"rnn.sigmoid", sigmoid, true},
    {"rnn.softplus", softplus, true},
};

static const BinaryRule binaryRules[] = {
    {"arith.addf", [](double x, double y) { return x + y; }, magnitudes},
    {"arith.subf", [](double x, double y) { return x - y; }, magnitudes},
    {"arith.mulf", [](double x, double y) { return x * y; }, product},
    {"arith.divf", [](double x, double y) { return x / y; }, quotient},
    {"arith.maximumf", maximum, nullptr},
    {"arith.minimumf", minimum, nullptr},
    {"math.powf", [](double x, double y) { return std::pow(x, y); }, power},
};

static const IntegerRule integerRules[] = {
    {"arith.addi", [](uint64_t x, uint64_t y) { return x + y; }},
    {"arith.subi", [](uint64_t x, uint64_t y) { return x - y; }},
    {"arith.muli", [](uint64_t x, uint64_t y) { return x * y; }},
    {"arith.andi", [](uint64_t x, uint64_t y) { return x & y; }},
    {"arith.ori", [](uint64_t x, uint64_t y) { return x | y; }},
    {"arith.xori", [](uint64_t x, uint64_t y) { return x ^ y; }},
};

/// The row of a table for an op, or null.
template <typename Rule, size_t n>
static const Rule *findRule(const Rule (&rules)[n], Operation *op) {
  StringRef name = op->getName().getStringRef();
  const Rule *rule = llvm::find_if(rules, [&](const Rule &rule) { return rule.name == name; });
  return rule == std::end(rules) ? nullptr : rule;
}

/// The result of an elementwise op of the tables above, or nothing.
static std::optional<Tensor> evaluateElementwise(Operation *op, Operands operands, Perturbation &noise) {
  Tensor result = Tensor::zeros(getResultType(op));
  if (const UnaryRule *rule = findRule(unaryRules, op)) {
    for (auto [x, r] : llvm::zip(operands[0]->floats(), result.floats())) {
      double value = rule->apply(x);
      r = rule->rounds ? noise.apply(value, std::abs(value)) : value;
    }
    return result;
  }
  if (const BinaryRule *rule = findRule(binaryRules, op)) {
    for (auto [x, y, r] : llvm::zip(operands[0]->floats(), operands[1]->floats(), result.floats())) {
      double value = rule->apply(x, y);
      r = rule->terms ? noise.apply(value, rule->terms(x, y)) : value;
    }
    return result;
  }
  if (const IntegerRule *rule = findRule(integerRules, op)) {
    for (auto [x, y, r] : llvm::zip(operands[0]->integers(), operands[1]->integers(), result.integers()))
      r = static_cast<int64_t>(rule->apply(x, y));
    wrap(result, getResultType(op));
    return result;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Constants, comparisons, conversions
//===----------------------------------------------------------------------===//

static FailureOr<Tensor> evaluateConstant(arith::ConstantOp op) {
  auto values = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!values)
    return op.emitOpError("expected a dense tensor");
  Tensor result = Tensor::zeros(getResultType(op));
  if (result.isFloat()) {
    for (auto [r, value] : llvm::zip(result.floats(), values.getValues<APFloat>())) {
      bool losesInfo;
      APFloat wide = value;
      wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
      r = wide.convertToDouble();
    }
  } else {
    for (auto [r, value] : llvm::zip(result.integers(), values.getValues<APInt>()))
      r = wrapInteger(value.getZExtValue(), value.getBitWidth());
  }
  return result;
}

static Tensor evaluateCompare(arith::CmpFOp op, Operands operands) {
  Tensor result = Tensor::zeros(getResultType(op));
  for (auto [x, y, r] : llvm::zip(operands[0]->floats(), operands[1]->floats(), result.integers()))
    r = arith::applyCmpPredicate(op.getPredicate(), APFloat(x), APFloat(y));
  return result;
}

static Tensor evaluateCompare(arith::CmpIOp op, Operands operands) {
  Tensor result = Tensor::zeros(getResultType(op));
  unsigned width = getWidth(op.getLhs().getType());
  auto exact = [&](int64_t x) { return APInt(width, static_cast<uint64_t>(x), false, /*implicitTrunc=*/true); };
  for (auto [x, y, r] : llvm::zip(operands[0]->integers(), operands[1]->integers(), result.integers()))
    r = arith::applyCmpPredicate(op.getPredicate(), exact(x), exact(y));
  return result;
}

static Tensor evaluateSelect(arith::SelectOp op, Operands operands) {
  Tensor result = *operands[2];
  for (auto [i, condition] : llvm::enumerate(operands[0]->integers()))
    if (condition)
      copyElement(*operands[1], i, result, i);
  return result;
}

/// Integers to floats and to wider or narrower integers.
static Tensor evaluateConversion(Operation *op, const Tensor &source, Perturbation &noise) {
  Tensor result = Tensor::zeros(getResultType(op));
  unsigned from = getWidth(op->getOperand(0).getType());
  bool isSigned = isa<arith::SIToFPOp, arith::ExtSIOp>(op);
  for (auto [i, value] : llvm::enumerate(source.integers())) {
    uint64_t bits = static_cast<uint64_t>(value) & llvm::maskTrailingOnes<uint64_t>(from);
    int64_t extended = llvm::SignExtend64(bits, from);
    if (result.isFloat()) {
      double number = isSigned ? static_cast<double>(extended) : static_cast<double>(bits);
      result.floats()[i] = noise.apply(number, std::abs(number));
    } else {
      result.integers()[i] = isSigned ? extended : static_cast<int64_t>(bits);
    }
  }
  wrap(result, getResultType(op));
  return result;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// The nearest bf16, ties to even; of a value that is within its error of a tie as `direction` says.
static double roundToBf16(double value, int direction) {
  float single = static_cast<float>(value);
  if (std::isnan(single))
    return value;
  uint32_t bits;
  std::memcpy(&bits, &single, sizeof bits);
  constexpr int32_t kTie = 0x8000, kError = 32; // units in the last place of f32
  if (direction != 0 && std::abs(int32_t(bits & 0xffff) - kTie) <= kError)
    bits = (bits & 0xffff0000) | (direction > 0 ? 0xffff : 0);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  std::memcpy(&single, &bits, sizeof bits);
  return single;
}

/// result[…] += lhs[…] * rhs[…] over the iteration space, the last dimension fastest.
template <typename T>
static void accumulateProducts(ContractOp op, const T *lhs, const T *rhs, T *result, double *terms) {
  SmallVector<int64_t> sizes = op.getLoopSizes();
  // The distance that each loop moves in each of the three tensors.
  SmallVector<int64_t> steps[3];
  Value values[3] = {op.getLhs(), op.getRhs(), op.getResult()};
  for (unsigned i = 0; i < 3; ++i) {
    steps[i].assign(sizes.size(), 0);
    SmallVector<int64_t> strides = getStrides(cast<RankedTensorType>(values[i].getType()).getShape());
    for (auto [expr, stride] : llvm::zip(op.getMap(i).getResults(), strides))
      steps[i][cast<AffineDimExpr>(expr).getPosition()] = stride;
  }
  // The innermost loop apart, to keep the reference usable.
  int64_t inner = sizes.empty() ? 1 : sizes.pop_back_val();
  int64_t step[3];
  for (unsigned i = 0; i < 3; ++i)
    step[i] = steps[i].empty() ? 0 : steps[i].pop_back_val();
  forEachIndex(sizes, [&](ArrayRef<int64_t> index) {
    const T *x = lhs + locate(index, steps[0]), *y = rhs + locate(index, steps[1]);
    int64_t r = locate(index, steps[2]);
    for (int64_t k = 0; k < inner; ++k) {
      T term = x[k * step[0]] * y[k * step[1]];
      result[r + k * step[2]] += term;
      if (terms)
        terms[r + k * step[2]] += std::abs(static_cast<double>(term));
    }
  });
}

/// Integers as the unsigned numbers that wrap around.
static const uint64_t *wrapping(const Tensor &x) { return reinterpret_cast<const uint64_t *>(x.integers().data()); }
static uint64_t *wrapping(Tensor &x) { return reinterpret_cast<uint64_t *>(x.integers().data()); }

/// Adds `count` elements of `source` from `from` to those of `sum` from `to`.
static void addElements(const Tensor &source, int64_t from, Tensor &sum, int64_t to, int64_t count, Tensor *terms) {
  for (int64_t k = 0; k < count; ++k) {
    if (!sum.isFloat()) {
      wrapping(sum)[to + k] += wrapping(source)[from + k];
      continue;
    }
    double term = source.floats()[from + k];
    sum.floats()[to + k] += term;
    if (terms)
      terms->floats()[to + k] += std::abs(term);
  }
}

/// sum[index[i…], r…] += update[i…, r…]; indices out of range are left out.
static void scatter(const Tensor &update, const Tensor &index, Tensor &sum, Tensor *terms) {
  int64_t rows = sum.shape[0], rowSize = sum.size() / rows;
  for (auto [i, row] : llvm::enumerate(index.integers()))
    if (row >= 0 && row < rows)
      addElements(update, i * rowSize, sum, row * rowSize, rowSize, terms);
}

/// True if a value has no error: it was given.
static bool isExact(Value value) { return !value.getDefiningOp() || isa<ParamOp>(value.getDefiningOp()); }

void rnn::accumulate(Operation *op, Operands operands, Tensor &sum, Tensor *terms, const Perturbation &noise) {
  if (auto contract = dyn_cast<ContractOp>(op)) {
    if (sum.isFloat()) {
      std::vector<double> rounded[2];
      const double *factors[2];
      for (unsigned i : {0u, 1u}) {
        const auto &values = operands[i]->floats();
        factors[i] = values.data();
        if (!contract.getRoundTo())
          continue;
        const int direction = isExact(contract->getOperand(i)) ? 0 : noise.getTieDirection();
        for (double value : values)
          rounded[i].push_back(roundToBf16(value, direction));
        factors[i] = rounded[i].data();
      }
      accumulateProducts<double>(contract, factors[0], factors[1], sum.floats().data(),
                                 terms ? terms->floats().data() : nullptr);
    } else {
      accumulateProducts<uint64_t>(contract, wrapping(*operands[0]), wrapping(*operands[1]), wrapping(sum), nullptr);
    }
  } else if (isa<ScatterAddOp>(op)) {
    scatter(*operands[0], *operands[1], sum, terms);
  } else {
    addElements(*operands[0], 0, sum, 0, sum.size(), terms);
  }
  wrap(sum, getResultType(op));
}

/// Any op that adds: `add(sum, terms)` does it.
static Tensor evaluateSum(RankedTensorType type, Perturbation &noise,
                          llvm::function_ref<void(Tensor &, Tensor *)> add) {
  Tensor sum = Tensor::zeros(type);
  Tensor terms = noise.isActive() ? Tensor::zeros(type) : Tensor();
  add(sum, noise.isActive() ? &terms : nullptr);
  wrap(sum, type);
  noise.apply(sum, terms);
  return sum;
}

/// result[m] += sum over k of weight[m, k] * input[k].
template <typename T>
static void accumulateRows(const T *input, const T *weight, int64_t rows, int64_t columns, T *result, double *terms) {
  for (int64_t m = 0; m < rows; ++m)
    for (int64_t k = 0; k < columns; ++k) {
      T term = weight[m * columns + k] * input[k];
      result[m] += term;
      if (terms)
        terms[m] += std::abs(static_cast<double>(term));
    }
}

static Tensor evaluateLinear(LinearOp op, Operands operands, Perturbation &noise) {
  return evaluateSum(getResultType(op), noise, [&](Tensor &sum, Tensor *terms) {
    const Tensor &x = *operands[0], &w = *operands[1];
    if (sum.isFloat())
      accumulateRows<double>(x.floats().data(), w.floats().data(), sum.size(), x.size(), sum.floats().data(),
                             terms ? terms->floats().data() : nullptr);
    else
      accumulateRows<uint64_t>(wrapping(x), wrapping(w), sum.size(), x.size(), wrapping(sum), nullptr);
    if (op.getBias())
      addElements(*operands[2], 0, sum, 0, sum.size(), terms);
  });
}

//===----------------------------------------------------------------------===//
// Reductions, broadcasts, tables, slices
//===----------------------------------------------------------------------===//

/// The strides of `small` seen as a tensor with the dimensions `dims` added: 0 along those.
static SmallVector<int64_t> getSpreadStrides(ArrayRef<int64_t> small, ArrayRef<int64_t> dims, int64_t rank) {
  SmallVector<int64_t> strides = getStrides(small), spread(rank, 0);
  unsigned next = 0;
  for (int64_t d = 0; d < rank; ++d)
    if (!llvm::is_contained(dims, d))
      spread[d] = strides[next++];
  return spread;
}

static Tensor evaluateReduce(ReduceOp op, const Tensor &source, Perturbation &noise) {
  RankedTensorType type = getResultType(op);
  SmallVector<int64_t> from = getStrides(source.shape);
  SmallVector<int64_t> to = getSpreadStrides(type.getShape(), op.getDims(), source.shape.size());
  if (op.getKind() == ReduceKind::Sum)
    return evaluateSum(type, noise, [&](Tensor &sum, Tensor *terms) {
      forEachIndex(source.shape, [&](ArrayRef<int64_t> index) {
        addElements(source, locate(index, from), sum, locate(index, to), 1, terms);
      });
    });
  Tensor result = Tensor::zeros(type);
  std::vector<bool> seen(result.size(), false);
  forEachIndex(source.shape, [&](ArrayRef<int64_t> index) {
    int64_t i = locate(index, from), r = locate(index, to);
    if (!seen[r])
      copyElement(source, i, result, r);
    else if (result.isFloat())
      result.floats()[r] = maximum(result.floats()[r], source.floats()[i]);
    else
      result.integers()[r] = std::max(result.integers()[r], source.integers()[i]);
    seen[r] = true;
  });
  return result;
}

static Tensor evaluateBroadcast(BroadcastOp op, const Tensor &source) {
  Tensor result = Tensor::zeros(getResultType(op));
  SmallVector<int64_t> from = getSpreadStrides(source.shape, op.getDims(), result.shape.size());
  SmallVector<int64_t> to = getStrides(result.shape);
  forEachIndex(result.shape,
               [&](ArrayRef<int64_t> index) { copyElement(source, locate(index, from), result, locate(index, to)); });
  return result;
}

/// result[i…, r…] = table[index[i…], r…]; zeros where the index is out of range.
static Tensor evaluateGather(GatherOp op, const Tensor &table, const Tensor &index, bool &outOfRange) {
  Tensor result = Tensor::zeros(getResultType(op));
  int64_t rows = table.shape[0], rowSize = table.size() / rows;
  for (auto [i, row] : llvm::enumerate(index.integers())) {
    if (row < 0 || row >= rows) {
      outOfRange = true;
      continue;
    }
    for (int64_t k = 0; k < rowSize; ++k)
      copyElement(table, row * rowSize + k, result, i * rowSize + k);
  }
  return result;
}

/// Visits the elements of a slice: `visit(position in the slice, position in the whole)`.
static void forEachInSlice(OffsetSizeAndStrideOpInterface slice, ArrayRef<int64_t> whole,
                           llvm::function_ref<void(int64_t, int64_t)> visit) {
  SmallVector<int64_t> strides = getStrides(whole);
  int64_t offset = locate(slice.getStaticOffsets(), strides);
  for (auto [stride, step] : llvm::zip(strides, slice.getStaticStrides()))
    stride *= step;
  int64_t next = 0;
  forEachIndex(slice.getStaticSizes(),
               [&](ArrayRef<int64_t> index) { visit(next++, offset + locate(index, strides)); });
}

static FailureOr<Tensor> evaluateExtract(tensor::ExtractSliceOp op, const Tensor &source) {
  if (op->getNumOperands() != 1)
    return op.emitOpError("expected static offsets, sizes and strides");
  Tensor result = Tensor::zeros(getResultType(op));
  forEachInSlice(op, source.shape, [&](int64_t i, int64_t position) { copyElement(source, position, result, i); });
  return result;
}

static FailureOr<Tensor> evaluateInsert(tensor::InsertSliceOp op, Operands operands) {
  if (op->getNumOperands() != 2)
    return op.emitOpError("expected static offsets, sizes and strides");
  Tensor result = *operands[1];
  forEachInSlice(op, result.shape,
                 [&](int64_t i, int64_t position) { copyElement(*operands[0], i, result, position); });
  return result;
}

static Tensor evaluateConcat(tensor::ConcatOp op, Operands operands) {
  Tensor result = Tensor::zeros(getResultType(op));
  SmallVector<int64_t> strides = getStrides(result.shape);
  int64_t offset = 0, dim = static_cast<int64_t>(op.getDim());
  for (const Tensor *part : operands) {
    int64_t next = 0;
    forEachIndex(part->shape, [&](ArrayRef<int64_t> index) {
      copyElement(*part, next++, result, locate(index, strides) + offset * strides[dim]);
    });
    offset += part->shape[dim];
  }
  return result;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

FailureOr<Tensor> rnn::evaluate(Operation *op, Operands operands, Perturbation &noise, bool &outOfRange) {
  if (op->getNumResults() != 1 || !isSignalType(op->getResult(0).getType()))
    return op->emitOpError("cannot be interpreted");
  if (std::optional<Tensor> result = evaluateElementwise(op, operands, noise))
    return std::move(*result);
  using Result = FailureOr<Tensor>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](arith::ConstantOp op) { return evaluateConstant(op); })
      .Case<arith::CmpFOp, arith::CmpIOp>([&](auto op) -> Result { return evaluateCompare(op, operands); })
      .Case([&](arith::SelectOp op) -> Result { return evaluateSelect(op, operands); })
      .Case<arith::SIToFPOp, arith::UIToFPOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(
          [&](auto op) -> Result { return evaluateConversion(op, *operands[0], noise); })
      .Case([&](StopGradientOp) -> Result { return *operands[0]; })
      .Case([&](LinearOp op) -> Result { return evaluateLinear(op, operands, noise); })
      .Case([&](SumOp op) -> Result {
        return evaluateSum(getResultType(op), noise, [&](Tensor &sum, Tensor *terms) {
          for (const Tensor *term : operands)
            addElements(*term, 0, sum, 0, sum.size(), terms);
        });
      })
      .Case<ContractOp, ScatterAddOp>([&](auto op) -> Result {
        return evaluateSum(getResultType(op), noise,
                           [&](Tensor &sum, Tensor *terms) { accumulate(op, operands, sum, terms, noise); });
      })
      .Case([&](ReduceOp op) -> Result { return evaluateReduce(op, *operands[0], noise); })
      .Case([&](BroadcastOp op) -> Result { return evaluateBroadcast(op, *operands[0]); })
      .Case([&](GatherOp op) -> Result { return evaluateGather(op, *operands[0], *operands[1], outOfRange); })
      .Case([&](tensor::ExtractSliceOp op) { return evaluateExtract(op, *operands[0]); })
      .Case([&](tensor::InsertSliceOp op) { return evaluateInsert(op, operands); })
      .Case([&](tensor::ConcatOp op) -> Result { return evaluateConcat(op, operands); })
      .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
          [&](auto op) -> Result { return reshape(*operands[0], getResultType(op)); })
      .Default([](Operation *op) -> Result { return op->emitOpError("cannot be interpreted"); });
}
