//===- Differentiate.cpp - Gradients written out as graphs ----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reverse-mode differentiation of a graph with cycles, in the same region (rules A0 to A7). The adjoint graph is a
// recurrent graph of its own: where the primal reads h[t-1], the error of h reads an error at t+1. It reads the primal
// graph and is read by nothing of it, so no cycle holds both.
//
// The error of a static value is static; that of a stream- or frame-rate value has frame rate and lives in the window.
// Errors of stream rate are thus left unsummed, which is the same by linearity, until something static or the gradient
// itself asks for the sum.
//
//===----------------------------------------------------------------------===//
#include "mlir/IR/TypeUtilities.h"
#include "rnn/Dialect/RNN/IR/Rates.h"
#include "rnn/Dialect/RNN/Transforms/Adjoint.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "rnn/Dialect/RNN/Transforms/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-differentiate"

static bool isFloat(Value value) { return isa<FloatType>(getElementTypeOrSelf(value.getType())); }

/// Where a value is computed, without its name: the error of a signal is another signal.
static Location getPlace(Value value) {
  Location loc = value.getLoc();
  while (auto named = dyn_cast<NameLoc>(loc))
    loc = named.getChildLoc();
  return loc;
}

/// Whether errors may flow from the result of `operand`'s op to the operand.
static bool carriesGradient(OpOperand &operand) {
  Operation *op = operand.getOwner();
  return isFloat(operand.get()) && op->getNumResults() == 1 && isFloat(op->getResult(0)) && !isa<StopGradientOp>(op);
}

namespace {
/// Differentiates one step.
class Differentiator {
public:
  explicit Differentiator(StepOp step) : step(step), builder(step.getContext()) {}

  LogicalResult run();

private:
  /// A contribution to the error of a value, by the use that it comes from.
  struct Term {
    unsigned op, operand;
    Value value;
  };

  GradientOp findInnermost(ArrayRef<GradientOp> gradients);
  LogicalResult checkWindow();
  LogicalResult differentiate(GradientOp gradient);
  /// The values that depend on one of `gradient.wrt` and on which its loss depends.
  llvm::DenseSet<Value> findActive(GradientOp gradient);
  LogicalResult addTerms(Operation *op, GradientOp gradient);
  /// The error of a value: a placeholder until all its terms are known.
  Value getError(Value value);
  /// The error that the operands of `op` see: at frame rate where `op` works on frames.
  Value getOutgoingError(Operation *op);
  Value sumOverFrames(Value term);
  void findTilings(ArrayRef<Operation *> ops);
  /// One term for all slices of a value that tile it.
  void addTilings();
  void closeErrors();
  Value getGradient(Value value);
  Value use(Value primal);
  void numberRings();

  StepOp step;
  OpBuilder builder;
  /// Of all gradients of the step: one save per primal value.
  llvm::MapVector<Value, SaveOp> saves;

  // Of the gradient at hand.
  std::unique_ptr<RateAnalysis> rates;
  llvm::DenseMap<Operation *, unsigned> order; ///< in the text
  llvm::DenseSet<Value> active;
  llvm::MapVector<Value, UnrealizedConversionCastOp> placeholders;
  llvm::DenseMap<Value, Value> errors;
  llvm::DenseMap<Value, SmallVector<Term>> terms;
  SmallVector<Tiling> tilings;
  llvm::DenseSet<Operation *> tiles; ///< the slices of the tilings
};
} // namespace

//===----------------------------------------------------------------------===//
// What has an error
//===----------------------------------------------------------------------===//

/// A0: a gradient whose loss no other gradient feeds.
GradientOp Differentiator::findInnermost(ArrayRef<GradientOp> gradients) {
  for (GradientOp gradient : gradients) {
    llvm::DenseSet<Operation *> seen;
    SmallVector<Operation *> worklist;
    auto visit = [&](Value value) {
      if (Operation *op = value.getDefiningOp(); op && seen.insert(op).second)
        worklist.push_back(op);
    };
    visit(gradient.getLoss());
    bool isInnermost = true;
    while (!worklist.empty() && isInnermost) {
      Operation *op = worklist.pop_back_val();
      isInnermost = !isa<GradientOp>(op);
      llvm::for_each(op->getOperands(), visit);
    }
    if (isInnermost)
      return gradient;
  }
  return {};
}

/// A5: what cannot reach back over older frames.
LogicalResult Differentiator::checkWindow() {
  if (step.getHistory() == 0)
    return success();
  auto explain = [&](Operation *op, StringRef what) -> LogicalResult {
    return op->emitOpError() << what << " needs a bptt window equal to the advance, but '@" << step.getSymName()
                             << "' has window " << step.getBptt()->getWindow() << " and advance "
                             << step.getBptt()->getAdvance();
  };
  RateAnalysis domains(step);
  SmallVector<GradientOp> gradients(step.getBodyBlock()->getOps<GradientOp>());
  for (DelayOp delay : step.getBodyBlock()->getOps<DelayOp>())
    if (!delay.isCarried() && !domains.isInWindow(delay))
      return explain(delay, "with a local delay, back-propagation");
  for (GradientOp gradient : gradients)
    if (findInnermost(gradient) != gradient)
      return explain(gradient, "a second derivative");
  return success();
}

llvm::DenseSet<Value> Differentiator::findActive(GradientOp gradient) {
  llvm::DenseSet<Value> varied, found;
  SmallVector<Value> worklist(gradient.getWrt());
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (!varied.insert(value).second)
      continue;
    for (OpOperand &use : value.getUses())
      if (carriesGradient(use))
        worklist.push_back(use.getOwner()->getResult(0));
  }
  worklist.push_back(gradient.getLoss());
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (!varied.contains(value) || !found.insert(value).second)
      continue;
    if (Operation *op = value.getDefiningOp())
      for (OpOperand &operand : op->getOpOperands())
        if (carriesGradient(operand))
          worklist.push_back(operand.get());
  }
  return found;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

Value Differentiator::getError(Value value) {
  auto [it, isNew] = placeholders.try_emplace(value);
  if (isNew)
    it->second = UnrealizedConversionCastOp::create(builder, value.getLoc(), value.getType(), ValueRange());
  return it->second.getResult(0);
}

/// A3: frame-rate values of the chunk are read through a save.
Value Differentiator::use(Value primal) {
  if (rates->getRate(primal) != Rate::Frame || rates->isInWindow(primal))
    return primal;
  SaveOp &save = saves[primal];
  if (!save)
    save = SaveOp::create(builder, primal.getLoc(), primal, builder.getStringAttr(""));
  return save;
}

Value Differentiator::getOutgoingError(Operation *op) {
  Value error = getError(op->getResult(0));
  if (!sumsFrames(op))
    return error;
  // Every new frame has the error of the sum, of a stream's sum that of the stream.
  if (rates->getRate(op->getResult(0)) == Rate::Stream)
    error = SumFramesOp::create(builder, getPlace(op->getResult(0)), error.getType(), error,
                                RateAttr::get(builder.getContext(), Rate::Stream));
  return SeedOp::create(builder, getPlace(op->getResult(0)), error.getType(), error);
}

/// Rule R3. The sum over frames is part of the product that computes the term, if there is one.
Value Differentiator::sumOverFrames(Value term) {
  auto toStatic = RateAttr::get(builder.getContext(), Rate::Static);
  if (auto contract = term.getDefiningOp<ContractOp>(); contract && term.use_empty() && !contract.getSumTo())
    return contract.setSumToAttr(toStatic), term;
  if (auto scatter = term.getDefiningOp<ScatterAddOp>(); scatter && term.use_empty() && !scatter.getSumTo())
    return scatter.setSumToAttr(toStatic), term;
  return SumFramesOp::create(builder, term.getLoc(), term.getType(), term, RateAttr());
}

LogicalResult Differentiator::addTerms(Operation *op, GradientOp gradient) {
  auto differentiable = dyn_cast<AdjointOpInterface>(op);
  if (!differentiable) {
    InFlightDiagnostic diag = op->emitError() << "'" << op->getName() << "' op has no derivative rule";
    for (Value value : gradient.getWrt())
      if (auto param = value.getDefiningOp<ParamOp>(); param && active.contains(value)) {
        diag.attachNote(param.getLoc()) << "needed for the gradient of '@" << param.getParameter() << "'";
        break;
      }
    return diag;
  }
  bool onFrames = sumsFrames(op) || rates->getRate(op->getResult(0)) != Rate::Static;
  auto toUse = [&](Value primal) { return use(primal); };
  auto isFrameRate = [&](Value primal) { return rates->getRate(primal) == Rate::Frame; };
  AdjointBuilder adjoint(builder, getPlace(op->getResult(0)), getOutgoingError(op), toUse, isFrameRate);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!carriesGradient(operand) || !active.contains(operand.get()))
      continue;
    Value term = differentiable.buildAdjoint(adjoint, operand.getOperandNumber());
    if (!term)
      continue;
    if (onFrames && rates->getRate(operand.get()) == Rate::Static)
      term = sumOverFrames(term);
    terms[operand.get()].push_back({order.lookup(op), operand.getOperandNumber(), term});
  }
  return success();
}

void Differentiator::findTilings(ArrayRef<Operation *> ops) {
  llvm::MapVector<Value, SmallVector<tensor::ExtractSliceOp>> slices;
  for (Operation *op : ops)
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      slices[slice.getSource()].push_back(slice);
  for (auto &[source, found] : slices)
    if (std::optional<Tiling> tiling = findTiling(found)) {
      tiles.insert_range(found);
      tilings.push_back(std::move(*tiling));
    }
}

void Differentiator::addTilings() {
  for (Tiling &tiling : tilings) {
    Value source = tiling.slices.front().getSource();
    unsigned first = UINT_MAX;
    SmallVector<Value> pieces;
    for (tensor::ExtractSliceOp slice : tiling.slices) {
      first = std::min(first, order.lookup(slice));
      pieces.push_back(getError(slice));
    }
    Value term = tensor::ConcatOp::create(builder, getPlace(source), source.getType(), tiling.dim, pieces);
    terms[source].push_back({first, 0, term});
  }
}

/// A2: puts the sum of its terms, in the order of the uses, in the place of every error.
void Differentiator::closeErrors() {
  for (auto &[value, placeholder] : placeholders) {
    SmallVector<Term> &parts = terms[value];
    llvm::stable_sort(
        parts, [](const Term &a, const Term &b) { return std::pair(a.op, a.operand) < std::pair(b.op, b.operand); });
    SmallVector<Value> values = llvm::map_to_vector(parts, [](const Term &term) { return term.value; });
    if (values.empty())
      values.push_back(createSplat(builder, getPlace(value), value.getType(), 0));
    errors[value] = values.size() == 1 ? values.front()
                                       : SumOp::create(builder, getPlace(value), value.getType(), values).getResult();
  }
  // An error may be that of another value, unchanged. Every cycle holds a delay, so that such chains end.
  llvm::DenseMap<Operation *, Value> valueOf;
  for (auto &[value, placeholder] : placeholders)
    valueOf[placeholder] = value;
  for (auto &[value, placeholder] : placeholders)
    for (Value &error = errors[value]; Value other = valueOf.lookup(error.getDefiningOp());)
      error = errors.lookup(other);
  for (auto &[value, placeholder] : placeholders)
    placeholder.getResult(0).replaceAllUsesWith(errors[value]);
  for (auto &[value, placeholder] : placeholders)
    placeholder.erase();
}

Value Differentiator::getGradient(Value value) {
  Value error = errors.lookup(value);
  if (!error)
    return createSplat(builder, getPlace(value), value.getType(), 0);
  if (rates->getRate(value) == Rate::Stream)
    return SumFramesOp::create(builder, getPlace(value), error.getType(), error,
                               RateAttr::get(builder.getContext(), Rate::Stream));
  return error;
}

LogicalResult Differentiator::differentiate(GradientOp gradient) {
  rates = std::make_unique<RateAnalysis>(step);
  if (rates->getRate(gradient.getLoss()) != Rate::Static)
    return gradient.emitOpError("expected a loss of static rate (rule A0)");
  order.clear();
  for (auto [i, op] : llvm::enumerate(*step.getBodyBlock()))
    order[&op] = i + 1;
  placeholders.clear();
  errors.clear();
  terms.clear();
  tilings.clear();
  tiles.clear();
  active = findActive(gradient);
  builder.setInsertionPoint(gradient);

  SmallVector<Operation *> ops;
  auto hasActiveOperand = [&](Operation &op) {
    return llvm::any_of(op.getOpOperands(),
                        [&](OpOperand &operand) { return carriesGradient(operand) && active.contains(operand.get()); });
  };
  for (Operation &op : *step.getBodyBlock())
    if (op.getNumResults() == 1 && active.contains(op.getResult(0)) && hasActiveOperand(op))
      ops.push_back(&op);
  if (Value loss = gradient.getLoss(); active.contains(loss)) {
    getError(loss);
    terms[loss].push_back({0, 0, createSplat(builder, gradient.getLoc(), loss.getType(), 1)});
  }
  for (Value value : gradient.getWrt())
    if (active.contains(value))
      getError(value);
  findTilings(ops);
  for (Operation *op : llvm::reverse(ops))
    if (!tiles.contains(op) && failed(addTerms(op, gradient)))
      return failure();
  addTilings();
  closeErrors();
  for (auto [value, result] : llvm::zip(gradient.getWrt(), gradient.getGrads()))
    result.replaceAllUsesWith(getGradient(value));
  gradient.erase();
  return success();
}

/// Rings are numbered in the order in which the text computes what they keep.
void Differentiator::numberRings() {
  llvm::DenseMap<Operation *, unsigned> position;
  for (auto [i, op] : llvm::enumerate(*step.getBodyBlock()))
    position[&op] = i;
  SmallVector<SaveOp> sorted = llvm::map_to_vector(saves, [](auto &entry) { return entry.second; });
  auto key = [&](SaveOp save) {
    if (auto argument = dyn_cast<BlockArgument>(save.getSource()))
      return std::pair(0u, argument.getArgNumber());
    return std::pair(1u, position.lookup(save.getSource().getDefiningOp()));
  };
  llvm::stable_sort(sorted, [&](SaveOp a, SaveOp b) { return key(a) < key(b); });
  for (auto [i, save] : llvm::enumerate(sorted))
    save.setRing(std::to_string(i));
}

LogicalResult Differentiator::run() {
  SmallVector<GradientOp> gradients(step.getBodyBlock()->getOps<GradientOp>());
  if (gradients.empty())
    return success();
  if (failed(checkWindow()))
    return failure();
  while (!gradients.empty()) {
    GradientOp gradient = findInnermost(gradients);
    if (!gradient)
      return gradients.front().emitOpError("depends on itself");
    llvm::erase(gradients, gradient);
    if (failed(differentiate(gradient)))
      return failure();
  }
  numberRings();
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct Differentiate : mlir::rnn::impl::DifferentiateBase<Differentiate> {
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<RNNDialect, arith::ArithDialect, math::MathDialect, tensor::TensorDialect>();
    registerAdjointModels(registry);
  }

  void runOnOperation() override {
    for (StepOp step : getOperation().getOps<StepOp>())
      if (failed(Differentiator(step).run()))
        return signalPassFailure();
  }
};
} // namespace
