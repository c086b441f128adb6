//===- Report.cpp - What became of the network ----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Report.h"
#include "rnn/Analysis/Abi.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::rnn;
using llvm::json::Array;
using llvm::json::Object;

static int64_t elementsOf(Type type) { return cast<RankedTensorType>(type).getNumElements(); }

static int64_t bytesOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.getNumElements() * llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
}

/// Operations per frame and stream: two per term of a product, one per element otherwise.
static int64_t flopsOf(Operation &op) {
  if (auto contract = dyn_cast<ContractOp>(op)) {
    int64_t product = 2;
    for (int64_t size : contract.getLoopSizes())
      product *= size;
    return product;
  }
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return elementsOf(reduce.getSource().getType());
  if (auto sum = dyn_cast<SumOp>(op))
    return (sum.getTerms().size() - 1) * elementsOf(sum.getType());
  bool isArithmetic = isa<SigmoidOp, SoftplusOp, SumFramesOp>(op) ||
                      (isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) && !isa<arith::ConstantOp>(op));
  return isArithmetic ? elementsOf(op.getResult(0).getType()) : 0;
}

static Object describeRegion(Operation *region, Domain domain, int64_t id) {
  Block &body = region->getRegion(0).front();
  int64_t flops = 0, bytes = 0;
  for (Operation &op : body.without_terminator())
    flops += flopsOf(op);
  for (BlockArgument argument : body.getArguments())
    bytes += bytesOf(argument.getType());
  for (Value value : body.getTerminator()->getOperands())
    bytes += bytesOf(value.getType());

  Array signals, carried;
  for (auto delay : body.getOps<DelayOp>()) {
    std::string name = delay.getName() ? ("%" + *delay.getName()).str() : "%" + std::to_string(carried.size());
    signals.push_back(name);
    carried.push_back(name + "[" + std::to_string(delay.getBy()) + "]");
  }
  StringRef kind = llvm::TypeSwitch<Operation *, StringRef>(region)
                       .Case([](RecurrentOp) { return "recurrent"; })
                       .Case([](ReductionOp) { return "reduction"; })
                       .Default([&](Operation *) { return domain == Domain::Static ? "static" : "parallel"; });
  StringRef phase = domain == Domain::Window || isa<ReductionOp>(region) ? "backward"
                    : domain == Domain::Static                           ? "update"
                                                                         : "forward";
  auto loop = dyn_cast<RecurrentOp>(region);
  Object object{{"id", id},
                {"phase", phase},
                {"kind", kind},
                {"direction", loop ? stringifyDirection(loop.getDirection()) : StringRef("none")},
                {"signals", std::move(signals)},
                {"carried", std::move(carried)},
                {"flops_per_frame", flops},
                {"bytes_per_frame", bytes}};
  for (StringRef name : {"stages", "schedule", "reason"})
    if (Attribute attr = region->getAttr(("rnn." + name).str())) {
      if (auto integer = dyn_cast<IntegerAttr>(attr))
        object[name] = integer.getInt();
      else if (auto text = dyn_cast<StringAttr>(attr))
        object[name] = text.getValue();
    }
  return object;
}

/// The schedule that the report is about.
static ScheduleOp selectSchedule(ModuleOp module) {
  ScheduleOp first;
  for (auto schedule : module.getOps<ScheduleOp>()) {
    if (schedule.getKind() == FunctionKind::Train)
      return schedule;
    first = first ? first : schedule;
  }
  return first;
}

/// Bytes of the session's tensors of one role.
static int64_t bytesOfRole(ArrayRef<AbiTensor> abi, AbiRole role) {
  int64_t bytes = 0;
  for (const AbiTensor &tensor : abi)
    if (tensor.role == role)
      bytes += bytesOf(tensor.type);
  return bytes;
}

/// `key: value` lines; an array of objects as one line each.
static void printText(const Object &report, llvm::raw_ostream &os) {
  for (StringRef key : {"network", "target", "streams", "parameters", "launches_per_step", "launches_per_frame"})
    if (const llvm::json::Value *value = report.get(key))
      os << llvm::formatv("{0,-20} {1}\n", key, *value);
  for (StringRef key : {"components", "hoisted", "fused", "kept_in_loop", "refused", "kernels"}) {
    const Array *entries = report.getArray(key);
    if (!entries)
      continue;
    os << key << "\n";
    for (const llvm::json::Value &entry : *entries)
      os << "  " << entry << "\n";
  }
  if (const Object *memory = report.getObject("memory"))
    for (auto &[key, value] : *memory)
      os << llvm::formatv("memory.{0,-13} {1}\n", StringRef(key), value);
}

void rnn::buildReport(ModuleOp module, const CompileOptions &options, CompileResult &result) {
  ScheduleOp schedule = selectSchedule(module);
  if (!schedule)
    return;
  SmallVector<AbiTensor> abi = getAbi(cast<RNNFunctionInterface>(schedule.getOperation()), options.streams);
  int64_t parameters = 0;
  for (const AbiTensor &tensor : abi)
    if (tensor.role == AbiRole::Parameter)
      parameters += elementsOf(tensor.type);

  Array components;
  for (Operation &op : *schedule.getBodyBlock())
    llvm::TypeSwitch<Operation *>(&op).Case<ParallelOp, RecurrentOp, ReductionOp>([&](auto region) {
      components.push_back(describeRegion(region, region.getDomain(), components.size()));
    });
  Object memory{{"parameters", bytesOfRole(abi, AbiRole::Parameter)},
                {"optimizer", bytesOfRole(abi, AbiRole::Optimizer)},
                {"state", bytesOfRole(abi, AbiRole::State)},
                {"ring", bytesOfRole(abi, AbiRole::Ring)}};
  if (auto plan = schedule->getAttrOfType<DictionaryAttr>("rnn.memory"))
    for (NamedAttribute entry : plan)
      memory[entry.getName().getValue()] = cast<IntegerAttr>(entry.getValue()).getInt();

  // On a CPU a step is one call: the threads enter it once.
  Object report{{"network", schedule.getNetwork()},
                {"target", llvm::join(options.targets, ",")},
                {"streams", options.streams},
                {"parameters", parameters},
                {"launches_per_step", 1},
                {"launches_per_frame", 0},
                {"components", std::move(components)},
                {"memory", std::move(memory)}};
  llvm::raw_string_ostream text(result.reportText);
  printText(report, text);
  result.reportJson = llvm::formatv("{0:2}\n", llvm::json::Value(std::move(report)));
}
