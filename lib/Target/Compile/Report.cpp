//===- Report.cpp - What became of the network ----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Report.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Analysis/Recurrence.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"
#include "rnn/Dialect/RNN/Schedule/Remarks.h"
#include "rnn/Target/Tables.h"
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

static Object describeRegion(Operation *region, Domain domain, int64_t id) {
  Block &body = region->getRegion(0).front();
  int64_t flops = 0, bytes = 0;
  for (Operation &op : body.without_terminator())
    flops += getFlops(&op);
  for (BlockArgument argument : body.getArguments())
    bytes += bytesOf(argument.getType());
  for (Value value : body.getTerminator()->getOperands())
    bytes += bytesOf(value.getType());

  Array signals, carried;
  for (auto delay : body.getOps<DelayOp>()) {
    std::string name = delay.getName() ? ("%" + *delay.getName()).str() : getLocatedName(delay.getSource());
    signals.push_back(name);
    carried.push_back(name + "[" + std::to_string(delay.getBy()) + "]");
  }
  for (Value value : body.getTerminator()->getOperands())
    if (std::string name = getLocatedName(value);
        !name.empty() && !llvm::is_contained(signals, llvm::json::Value(name)))
      signals.push_back(name);
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
                {"stages", 0},
                {"carried", std::move(carried)},
                {"schedule", loop ? "frame by frame, units over threads" : "all frames at once, rows over threads"},
                {"reason", loop ? "on a cycle" : "on no cycle"},
                {"flops_per_frame", flops},
                {"bytes_per_frame", bytes}};
  if (!loop)
    return object;
  // The rank of a sequence tells how often it changes.
  auto rateOf = [&](unsigned i) { return getSequenceRate(loop.getIns()[i].getType(), body.getArgument(i).getType()); };
  RecurrenceAnalysis recurrence(body, RateAnalysis(body, rateOf));
  int64_t stages = 0;
  for (const Component &component : recurrence.getComponents())
    stages = std::max<int64_t>(stages, component.stages);
  object["stages"] = stages;
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

/// The keys of the report in the order of its text, and those of the objects in its lists.
static constexpr StringRef kScalars[] = {"network",           "target", "streams", "parameters", "launches_per_step",
                                         "launches_per_frame"};
static constexpr StringRef kLists[] = {"components",  "hoisted", "fused", "kept_in_loop", "refused",
                                       "device_code", "kernels", "loops", "wavefronts"};
static constexpr StringRef kFields[] = {"id",
                                        "phase",
                                        "kind",
                                        "direction",
                                        "signals",
                                        "signal",
                                        "m",
                                        "n",
                                        "k",
                                        "from",
                                        "stages",
                                        "carried",
                                        "schedule",
                                        "kernel",
                                        "wavefront",
                                        "overlaps",
                                        "launches",
                                        "regime",
                                        "blocks",
                                        "multiprocessors",
                                        "threads",
                                        "units_per_block",
                                        "streams_per_block",
                                        "weights",
                                        "products",
                                        "exchanges",
                                        "exchanged_bytes",
                                        "streamed_bytes",
                                        "reason",
                                        "suggestion",
                                        "flops_per_frame",
                                        "bytes_per_frame",
                                        "function",
                                        "target",
                                        "ptx",
                                        "cubin",
                                        "name",
                                        "registers",
                                        "shared_bytes",
                                        "spills"};
static constexpr StringRef kMemory[] = {"parameters", "optimizer", "state",      "ring",     "activations_per_frame",
                                        "workspace",  "constant",  "per_thread", "per_frame"};

static void printValue(const llvm::json::Value &value, llvm::raw_ostream &os) {
  if (std::optional<StringRef> text = value.getAsString())
    os << *text;
  else if (const Array *array = value.getAsArray())
    llvm::interleave(*array, os, [&](const llvm::json::Value &entry) { printValue(entry, os); }, " ");
  else
    os << value;
}

/// The same words and numbers as aligned text: `key value` lines, an object of a list as one line of its own.
static void printText(const Object &report, llvm::raw_ostream &os) {
  for (StringRef key : kScalars) {
    os << llvm::formatv("{0,-20} ", key);
    printValue(*report.get(key), os);
    os << "\n";
  }
  for (StringRef key : kLists) {
    const Array *entries = report.getArray(key);
    if (!entries || entries->empty())
      continue;
    os << key << "\n";
    for (const llvm::json::Value &entry : *entries) {
      os << " ";
      for (StringRef field : kFields)
        if (const llvm::json::Value *value = entry.getAsObject()->get(field)) {
          os << " " << field << "=";
          printValue(*value, os);
        }
      os << "\n";
    }
  }
  os << "memory\n";
  for (StringRef key : kMemory)
    if (const llvm::json::Value *value = report.getObject("memory")->get(key))
      os << llvm::formatv("  {0,-22} {1}\n", key, *value);
}

//===----------------------------------------------------------------------===//
// Remarks
//===----------------------------------------------------------------------===//

namespace {
/// Hands remarks to the log.
class LogStreamer : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit LogStreamer(RemarkLog &log) : log(log) {}
  void streamOptimizationRemark(const remark::detail::Remark &remark) override { log.add(remark); }

private:
  RemarkLog &log;
};
} // namespace

std::unique_ptr<remark::detail::RemarkEngine> RemarkLog::createEngine() {
  remark::RemarkCategories categories;
  categories.passed = categories.missed = categories.analysis = "rnn-.*";
  auto engine = std::make_unique<remark::detail::RemarkEngine>(/*printAsEmitRemarks=*/false, categories);
  std::string ignored;
  (void)engine->initialize(std::make_unique<LogStreamer>(*this), std::make_unique<remark::RemarkEmittingPolicyAll>(),
                           &ignored);
  return engine;
}

void RemarkLog::add(const remark::detail::Remark &remark) {
  Entry &entry = entries.emplace_back();
  entry.category = remark.getCategoryName().str();
  entry.name = remark.getRemarkName().str();
  entry.function = remark.getFunction().str();
  for (const remark::detail::Remark::Arg &argument : remark.getArgs())
    entry.arguments[argument.key] = argument.val;
}

/// Keys of the report and the arguments of a remark that they stand for.
using RemarkFields = ArrayRef<std::pair<StringRef, StringRef>>;

/// A remark with those of its arguments that the report names.
static Object describeRemark(const RemarkLog::Entry &entry, RemarkFields fields) {
  Object object;
  for (auto [key, argument] : fields) {
    auto found = entry.arguments.find(argument);
    if (found == entry.arguments.end())
      continue;
    int64_t number;
    if (StringRef(found->second).getAsInteger(10, number))
      object[key] = found->second;
    else
      object[key] = number;
  }
  return object;
}

/// The remarks of one kind about one function.
static Array listRemarks(const RemarkLog &remarks, StringRef function, ArrayRef<StringRef> names, RemarkFields fields) {
  Array list;
  for (const RemarkLog::Entry &entry : remarks.getEntries())
    if (entry.function == function && llvm::is_contained(names, entry.name))
      list.push_back(describeRemark(entry, fields));
  return list;
}

void DeviceReport::add(StringRef target, const DeviceCode &device) {
  Object entry{{"target", target}};
  if (!device.ptx.empty()) {
    entry["ptx"] = device.ptx;
    entry["cubin"] = device.cubin;
  }
  code.push_back(std::move(entry));
  for (const KernelUsage &kernel : device.kernels)
    kernels.push_back(Object{{"target", target},
                             {"name", kernel.name},
                             {"registers", kernel.registers},
                             {"shared_bytes", kernel.sharedBytes},
                             {"spills", kernel.spillBytes}});
  for (const llvm::json::Value &function : *device.launches.getArray("functions")) {
    const Object &list = *function.getAsObject();
    launches.try_emplace(*list.getString("symbol"), list.getArray("launches")->size());
  }
}

void DeviceReport::addLoops(StringRef target, ArrayRef<RemarkLog::Entry> remarks) {
  for (const RemarkLog::Entry &entry : remarks) {
    if (entry.category != stringifyRemarkCategory(RemarkCategory::Launch))
      continue;
    if (entry.name == "WavefrontOverlaps" || entry.name == "WavefrontInOrder" || entry.name == "NoWavefront") {
      Object object = describeRemark(entry, {{"wavefront", "Wavefront"},
                                             {"launches", "Launches"},
                                             {"blocks", "Blocks"},
                                             {"multiprocessors", "Multiprocessors"},
                                             {"reason", "Reason"}});
      object["overlaps"] = entry.name == "WavefrontOverlaps";
      object["function"] = entry.function;
      object["target"] = target;
      wavefronts.push_back(std::move(object));
      continue;
    }
    if (entry.name != "LoopByUnits" && entry.name != "LoopOpByOp")
      continue;
    Object object = describeRemark(entry, {{"kernel", "Kernel"},
                                           {"wavefront", "Wavefront"},
                                           {"regime", "Regime"},
                                           {"blocks", "Blocks"},
                                           {"threads", "Threads"},
                                           {"units_per_block", "Units"},
                                           {"streams_per_block", "Streams"},
                                           {"weights", "Weights"},
                                           {"products", "Products"},
                                           {"exchanges", "Exchanges"},
                                           {"exchanged_bytes", "ExchangedBytes"},
                                           {"streamed_bytes", "StreamedBytes"},
                                           {"reason", "Reason"},
                                           {"suggestion", "Suggestion"}});
    object["target"] = target;
    loops.push_back(std::move(object));
  }
}

int64_t DeviceReport::getLaunches(StringRef symbol) const {
  auto found = launches.find(symbol);
  return found == launches.end() ? 1 : found->second;
}

void rnn::buildReport(ModuleOp module, const CompileOptions &options, const RemarkLog &remarks,
                      const DeviceReport &device, CompileResult &result) {
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
    llvm::TypeSwitch<Operation *>(&op).Case<ParallelOp, RecurrentOp, ReductionOp>(
        [&](auto region) { components.push_back(describeRegion(region, region.getDomain(), components.size())); });
  Object memory{{"parameters", bytesOfRole(abi, AbiRole::Parameter)},
                {"optimizer", bytesOfRole(abi, AbiRole::Optimizer)},
                {"state", bytesOfRole(abi, AbiRole::State)},
                {"ring", bytesOfRole(abi, AbiRole::Ring)}};
  if (auto plan = schedule->getAttrOfType<DictionaryAttr>("rnn.memory")) {
    for (NamedAttribute entry : plan)
      memory[entry.getName().getValue()] = cast<IntegerAttr>(entry.getValue()).getInt();
    memory["activations_per_frame"] = memory.getInteger("per_frame");
    memory["workspace"] = memory.getInteger("constant");
  }

  StringRef name = schedule.getSymName();
  Array hoisted =
      listRemarks(remarks, name, {"Hoisted"},
                  {{"signal", "Signal"}, {"m", "M"}, {"n", "N"}, {"k", "K"}, {"from", "From"}, {"reason", "Reason"}});
  auto listReasons = [&](ArrayRef<StringRef> names) {
    return listRemarks(remarks, name, names, {{"signal", "Signal"}, {"reason", "Reason"}});
  };
  auto schedules = module.getOps<ScheduleOp>();
  unsigned position = std::distance(schedules.begin(), llvm::find(schedules, schedule));
  Object report{{"network", schedule.getNetwork()},
                {"target", llvm::join(options.targets, ",")},
                {"streams", options.streams},
                {"parameters", parameters},
                {"launches_per_step", device.getLaunches(getFunctionSymbol(position))},
                {"launches_per_frame", 0},
                {"components", std::move(components)},
                {"hoisted", std::move(hoisted)},
                {"fused", listReasons({"Fused", "Sunk"})},
                {"kept_in_loop", listReasons({"KeptInLoop"})},
                {"refused", listReasons({"Refused"})},
                {"memory", std::move(memory)}};
  if (!device.code.empty())
    report["device_code"] = Array(device.code);
  if (!device.kernels.empty())
    report["kernels"] = Array(device.kernels);
  if (!device.loops.empty())
    report["loops"] = Array(device.loops);
  if (!device.wavefronts.empty())
    report["wavefronts"] = Array(device.wavefronts);
  llvm::raw_string_ostream text(result.reportText);
  printText(report, text);
  result.reportJson = llvm::formatv("{0:2}\n", llvm::json::Value(std::move(report)));
}
