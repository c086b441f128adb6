//===- Partition.cpp - From one graph to regions over sequences -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The components of the graph come in topological order; each becomes one region op of the schedule. A value of the
// graph becomes a sequence where something outside its region reads it, or the next call does.
//
//===----------------------------------------------------------------------===//
#include "Partition.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::rnn;

namespace mlir::rnn {
#define GEN_PASS_DEF_PARTITION
#include "rnn/Dialect/RNN/Schedule/Passes.h.inc"
} // namespace mlir::rnn

#define DEBUG_TYPE "rnn-partition"

namespace {
/// Ops that will share a region, in the order of one frame.
struct RegionPlan {
  ComponentKind kind;
  Domain domain;
  Direction direction = Direction::Causal;
  SmallVector<Operation *> ops;
};

/// Builds the schedule of one network or step.
class Partitioner {
public:
  Partitioner(RNNFunctionInterface function, int64_t streams)
      : function(function), states(getCarriedStates(function)), recurrence(function), streams(streams),
        builder(function.getContext()) {}

  const RecurrenceAnalysis &getRecurrence() const { return recurrence; }

  /// Creates the schedule before the function. `sequential` puts neighbours into common loops.
  ScheduleOp run(bool sequential);

private:
  ScheduleOp createSchedule();
  SmallVector<RegionPlan> planRegions(bool sequential);
  void buildRegion(const RegionPlan &plan);
  void buildTopLevelOp(Operation *op);
  void buildKeeps();
  void buildReturn();
  void eraseDeadRegions(ScheduleOp schedule);

  /// The sequence of a value of the graph; of a constant a region of its own.
  Value getSequence(Value value);
  /// The sequence of `value` spread to `rate` (rule R3).
  Value getSequence(Value value, Rate rate);
  /// A region over `domain` that yields what `body` returns; `operand` may be null.
  Value buildParallel(Domain domain, Location loc, Value operand, Type signal, llvm::function_ref<Value(Block &)> body);
  Operation *createRegionOp(const RegionPlan &plan, Location loc, TypeRange results, ValueRange operands);

  RankedTensorType getSequenceType(Value value, Rate rate) {
    return rnn::getSequenceType(cast<RankedTensorType>(value.getType()), rate, streams);
  }

  RNNFunctionInterface function;
  llvm::MapVector<Value, CarriedState> states;
  RecurrenceAnalysis recurrence;
  int64_t streams; ///< B, or kDynamic
  OpBuilder builder;
  llvm::DenseMap<Value, Value> sequences;
};
} // namespace

static bool isConstant(Operation *op) { return op && op->hasTrait<OpTrait::ConstantLike>(); }

/// The domain whose points a value of `rate` in the primal graph has.
static Domain getPrimalDomain(Rate rate) {
  return rate == Rate::Frame ? Domain::Chunk : rate == Rate::Stream ? Domain::Stream : Domain::Static;
}

//===----------------------------------------------------------------------===//
// Which ops share a region
//===----------------------------------------------------------------------===//

namespace {
/// Collects neighbours into a common loop, for the sequential baseline.
class LoopCollector {
public:
  /// Adds a component, and to `plans` what is complete with it.
  void add(const Component &component, SmallVectorImpl<RegionPlan> &plans) {
    if (std::optional<Direction> direction; canJoin(component, direction)) {
      open.domain = component.domain;
      hasDirection |= direction.has_value();
      open.direction = direction.value_or(open.direction);
      llvm::append_range(open.ops, component.ops);
      members.insert(component.ops.begin(), component.ops.end());
      return;
    }
    if (llvm::any_of(component.ops, [&](Operation *op) { return readsMember(op, 0); }))
      close(plans);
    plans.push_back({component.kind, component.domain, component.direction, component.ops});
    // It could have begun a loop of its own but for what was open.
    if (members.empty() && isFrameWork(component) && !isa<DelayOp, SaveOp, SeedOp>(component.ops.front())) {
      plans.pop_back();
      add(component, plans);
    }
  }

  /// Completes the open loop.
  void close(SmallVectorImpl<RegionPlan> &plans) {
    if (!members.empty()) {
      // Delays first, but one whose init the frame computes stays behind it.
      std::stable_partition(open.ops.begin(), open.ops.end(),
                            [&](Operation *op) { return isa<DelayOp>(op) && !readsMember(op, 1); });
      plans.push_back(open);
    }
    open = {ComponentKind::Recurrent, Domain::Chunk, Direction::Causal, {}};
    members.clear();
    hasDirection = false;
  }

private:
  static bool isFrameWork(const Component &component) {
    return component.kind == ComponentKind::Parallel || component.kind == ComponentKind::Recurrent;
  }
  bool readsMember(Operation *op, unsigned firstOperand) const {
    return llvm::any_of(op->getOperands().drop_front(std::min(firstOperand, op->getNumOperands())), [&](Value operand) {
      return operand.getDefiningOp() && members.contains(operand.getDefiningOp());
    });
  }
  /// Whether the open loop may take a component, and the direction that this asks for.
  bool canJoin(const Component &component, std::optional<Direction> &direction) const {
    Operation *op = component.ops.front();
    if (!isFrameWork(component) || isa<SaveOp, SeedOp>(op) || (!members.empty() && component.domain != open.domain))
      return false;
    if (component.isRecurrent())
      direction = component.direction;
    else if (auto delay = dyn_cast<DelayOp>(op)) {
      // A loop delays what it computes; other delays read finished sequences.
      if (!delay.getSource().getDefiningOp() || !members.contains(delay.getSource().getDefiningOp()))
        return false;
      direction = delay.getBy() > 0 ? Direction::Causal : Direction::Anticausal;
    }
    return !direction || !hasDirection || *direction == open.direction;
  }

  RegionPlan open{ComponentKind::Recurrent, Domain::Chunk, Direction::Causal, {}};
  llvm::DenseSet<Operation *> members;
  bool hasDirection = false;
};
} // namespace

SmallVector<RegionPlan> Partitioner::planRegions(bool sequential) {
  SmallVector<RegionPlan> plans;
  LoopCollector collector;
  for (const Component &component : recurrence.getComponents()) {
    if (isConstant(component.ops.front()))
      continue;
    if (sequential)
      collector.add(component, plans);
    else
      plans.push_back({component.kind, component.domain, component.direction, component.ops});
  }
  collector.close(plans);
  return plans;
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

Operation *Partitioner::createRegionOp(const RegionPlan &plan, Location loc, TypeRange results, ValueRange operands) {
  if (plan.kind == ComponentKind::Recurrent)
    return RecurrentOp::create(builder, loc, results, plan.direction, plan.domain, operands, /*slots=*/nullptr,
                               /*loop=*/nullptr);
  if (plan.kind == ComponentKind::Reduction)
    return ReductionOp::create(builder, loc, results, plan.domain, operands, /*slots=*/nullptr);
  return ParallelOp::create(builder, loc, results, plan.domain, operands, /*slots=*/nullptr);
}

void Partitioner::buildRegion(const RegionPlan &plan) {
  llvm::SmallDenseSet<Operation *> members(plan.ops.begin(), plan.ops.end());
  llvm::SetVector<Value> inputs, constants, results;
  for (Operation *op : plan.ops) {
    for (OpOperand &use : op->getOpOperands()) {
      Value operand = use.get();
      Operation *source = operand.getDefiningOp();
      // Outside loops what is delayed is a sequence, even if all its frames are the same.
      bool isDelayed = isa<DelayOp>(op) && use.getOperandNumber() == 0 && plan.kind != ComponentKind::Recurrent;
      if (isConstant(source) && !isDelayed)
        constants.insert(operand);
      else if (!source || !members.contains(source))
        inputs.insert(operand);
    }
    for (Value result : op->getResults())
      if (states.contains(result) ||
          llvm::any_of(result.getUsers(), [&](Operation *user) { return !members.contains(user); }))
        results.insert(result);
  }

  SmallVector<Value> operands;
  SmallVector<Type> types;
  for (Value input : inputs)
    operands.push_back(getSequence(input));
  for (Value result : results)
    types.push_back(getSequenceType(result, recurrence.getRates().getRate(result)));
  Location loc = plan.ops.front()->getLoc();
  Operation *region = createRegionOp(plan, loc, types, operands);

  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&region->getRegion(0));
  IRMapping mapping;
  for (Value input : inputs)
    mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
  for (Value constant : constants)
    if (!inputs.contains(constant))
      builder.clone(*constant.getDefiningOp(), mapping);
  for (Operation *op : plan.ops) {
    Operation *copy = builder.clone(*op, mapping);
    // What is the same in all frames by now needs no state (R4).
    if (auto delay = dyn_cast<DelayOp>(op); delay && !states.contains(delay.getSource()))
      cast<DelayOp>(copy).removeStateAttr();
  }
  // Delays of a loop were cloned before their sources.
  for (Operation &op : *body)
    for (OpOperand &operand : op.getOpOperands())
      operand.set(mapping.lookupOrDefault(operand.get()));
  SmallVector<Value> yielded;
  for (auto [value, sequence] : llvm::zip(results, region->getResults())) {
    yielded.push_back(mapping.lookup(value));
    sequences[value] = sequence;
  }
  YieldOp::create(builder, loc, yielded);
}

Value Partitioner::buildParallel(Domain domain, Location loc, Value operand, Type signal,
                                 llvm::function_ref<Value(Block &)> body) {
  Rate rate = domain == Domain::Static ? Rate::Static : domain == Domain::Stream ? Rate::Stream : Rate::Frame;
  Type type = rnn::getSequenceType(cast<RankedTensorType>(signal), rate, streams);
  auto region = ParallelOp::create(builder, loc, type, domain, operand ? ValueRange(operand) : ValueRange(), nullptr);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&region.getBody());
  if (operand)
    block->addArgument(signal, loc);
  YieldOp::create(builder, loc, body(*block));
  return region.getResult(0);
}

Value Partitioner::getSequence(Value value) {
  if (Value sequence = sequences.lookup(value))
    return sequence;
  assert(isConstant(value.getDefiningOp()) && "regions are built in topological order");
  return sequences[value] = buildParallel(Domain::Static, value.getLoc(), nullptr, value.getType(),
                                          [&](Block &) { return builder.clone(*value.getDefiningOp())->getResult(0); });
}

Value Partitioner::getSequence(Value value, Rate rate) {
  Value sequence = getSequence(value);
  if (recurrence.getRates().getRate(value) >= rate)
    return sequence;
  return buildParallel(getPrimalDomain(rate), value.getLoc(), sequence, value.getType(),
                       [](Block &block) { return block.getArgument(0); });
}

//===----------------------------------------------------------------------===//
// The schedule around them
//===----------------------------------------------------------------------===//

ScheduleOp Partitioner::createSchedule() {
  FunctionType type = function.getFunctionType();
  SmallVector<Type> inputs, results;
  for (auto [i, input] : llvm::enumerate(type.getInputs()))
    inputs.push_back(rnn::getSequenceType(cast<RankedTensorType>(input), function.getArgRate(i), streams));
  for (auto [i, result] : llvm::enumerate(type.getResults()))
    results.push_back(rnn::getSequenceType(cast<RankedTensorType>(result), function.getResRate(i), streams));

  auto name = function->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
  auto network = FlatSymbolRefAttr::get(name);
  BPTTAttr bptt;
  ArrayAttr losses = builder.getArrayAttr({}), metrics = losses;
  if (auto step = dyn_cast<StepOp>(function.getOperation())) {
    network = step.getNetworkAttr();
    bptt = step.getBpttAttr();
    losses = step.getLosses();
    metrics = step.getMetrics();
  }
  auto schedule = ScheduleOp::create(builder, function.getLoc(), name,
                                     TypeAttr::get(builder.getFunctionType(inputs, results)), function.getArgNames(),
                                     function.getResultNames(), function.getArgAttrsAttr(), function.getResAttrsAttr(),
                                     FunctionKindAttr::get(builder.getContext(), function.getFunctionKind()), network,
                                     builder.getI64IntegerAttr(streams), bptt, losses, metrics);
  schedule->setDiscardableAttrs(function->getDiscardableAttrDictionary());
  Block *body = builder.createBlock(&schedule.getBody());
  for (auto [argument, sequence] : llvm::zip(function.getBodyBlock()->getArguments(), inputs))
    sequences[argument] = body->addArgument(sequence, argument.getLoc());
  return schedule;
}

/// Parameters, assigns and the guard stay what they are, over sequences.
void Partitioner::buildTopLevelOp(Operation *op) {
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, getSequence(operand));
  Operation *copy = builder.clone(*op, mapping);
  if (auto param = dyn_cast<ParamOp>(copy))
    sequences[op->getResult(0)] = param;
}

void Partitioner::buildKeeps() {
  for (auto &[source, state] : states)
    KeepOp::create(builder, source.getLoc(), getSequence(source), "state." + state.name, state.depth);
  auto step = dyn_cast<StepOp>(function.getOperation());
  if (!step || step.getHistory() == 0)
    return;
  for (SaveOp save : step.getBodyBlock()->getOps<SaveOp>())
    KeepOp::create(builder, save.getLoc(), getSequence(save.getSource(), Rate::Frame), "ring." + save.getRing().str(),
                   step.getHistory());
}

void Partitioner::buildReturn() {
  SmallVector<Value> results;
  for (auto [i, value] : llvm::enumerate(function.getBodyBlock()->getTerminator()->getOperands()))
    results.push_back(getSequence(value, function.getResRate(i)));
  ReturnOp::create(builder, function.getLoc(), results);
}

/// Drops regions that nothing reads, from the last to the first.
void Partitioner::eraseDeadRegions(ScheduleOp schedule) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*schedule.getBodyBlock())))
    if (isa<ParallelOp, RecurrentOp, ReductionOp, ParamOp>(op) && op.use_empty())
      op.erase();
}

ScheduleOp Partitioner::run(bool sequential) {
  // The name of a state stands on every delay that reads it.
  for (DelayOp delay : function.getBodyBlock()->getOps<DelayOp>())
    if (auto state = states.find(delay.getSource()); delay.isCarried() && state != states.end())
      delay.setState(state->second.name);

  builder.setInsertionPoint(function);
  ScheduleOp schedule = createSchedule();
  for (const RegionPlan &plan : planRegions(sequential)) {
    if (isa<ParamOp, AssignOp, GuardOp>(plan.ops.front()))
      buildTopLevelOp(plan.ops.front());
    else
      buildRegion(plan);
  }
  buildKeeps();
  buildReturn();
  eraseDeadRegions(schedule);
  return schedule;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// What must not be there any more when a function is partitioned.
static LogicalResult checkLevel(RNNFunctionInterface function) {
  for (Operation &op : *function.getBodyBlock()) {
    if (isa<GradientOp>(op))
      return op.emitOpError("must be replaced by rnn-differentiate before rnn-partition");
    if (isa<CallOp>(op))
      return op.emitOpError("must be written out by rnn-inline before rnn-partition");
    if (isa<LinearOp, CompositeOpInterface>(op))
      return op.emitOpError("must be written out by rnn-expand-cells before rnn-partition");
  }
  return success();
}

namespace {
struct Partition : mlir::rnn::impl::PartitionBase<Partition> {
  using PartitionBase::PartitionBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (mode != "split" && mode != "sequential") {
      module.emitError() << "unknown mode '" << mode << "'; expected split or sequential";
      return signalPassFailure();
    }
    if (streams < 0) {
      module.emitError() << "streams must be at least 1, or 0 for any number, got " << int64_t(streams);
      return signalPassFailure();
    }
    // Train steps that were not built are not wanted.
    for (auto step : llvm::make_early_inc_range(module.getOps<TrainStepOp>()))
      step.erase();
    SmallVector<RNNFunctionInterface> functions;
    for (auto function : module.getOps<RNNFunctionInterface>())
      if (!isa<ScheduleOp>(function))
        functions.push_back(function);
    for (RNNFunctionInterface function : functions) {
      // Private networks serve steps alone, which hold copies of them.
      bool isPrivate = SymbolTable::getSymbolVisibility(function) == SymbolTable::Visibility::Private;
      if (!isPrivate && failed(partition(function)))
        return signalPassFailure();
      function.erase();
    }
  }

private:
  LogicalResult partition(RNNFunctionInterface function) {
    if (failed(checkLevel(function)))
      return failure();
    bool sequential = mode == "sequential";
    if (!sequential)
      splitSums(function);
    Partitioner partitioner(function, streams == 0 ? ShapedType::kDynamic : int64_t(streams));
    const RecurrenceAnalysis &recurrence = partitioner.getRecurrence();
    emitPartitionRemarks(function, recurrence, sequential);
    hoistedCount += sequential ? 0 : llvm::count_if(recurrence.getGraph().getOps(), [&](Operation *op) {
      return findHoistedFrom(op, recurrence) != nullptr;
    });
    ScheduleOp schedule = partitioner.run(sequential);
    parallelCount += llvm::range_size(schedule.getBodyBlock()->getOps<ParallelOp>());
    recurrentCount += llvm::range_size(schedule.getBodyBlock()->getOps<RecurrentOp>());
    return success();
  }
};
} // namespace
