//===- ScheduleRunner.cpp - Schedules as machine code in a test -------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScheduleRunner.h"

#include "rnn/Conversion/Passes.h"
#include "rnn/Pipelines/Pipelines.h"
#include "rnn/Runtime/CallAbi.h"
#include "rnn/Runtime/Emulator.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

/// What comes before a call of the first by any thread comes before what follows the second. Where only generated code
/// is compiled for ThreadSanitizer, it must be told.
#ifdef RNN_FINDS_RACES
extern "C" void __tsan_release(void *address);
extern "C" void __tsan_acquire(void *address);
void release(void *address) { __tsan_release(address); }
void acquire(void *address) { __tsan_acquire(address); }
#else
void release(void *) {}
void acquire(void *) {}
#endif

/// A context with a barrier that orders nothing but what is before it and behind it; a mutex would.
struct TestContext : RnnContext {
  std::atomic<int64_t> waiting{0}, generation{0};
  char orders[2]; ///< of even and of odd barriers

  static void meet(RnnContext *base, int64_t) {
    auto *self = static_cast<TestContext *>(base);
    const int64_t mine = self->generation;
    void *order = &self->orders[mine % 2];
    release(order);
    if (++self->waiting == self->threads) {
      self->waiting = 0;
      ++self->generation;
    }
    while (self->generation == mine)
      std::this_thread::yield();
    acquire(order);
  }
};

/// A context whose threads run one at a time, from barrier to barrier.
struct TurnsContext : RnnContext {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t turn = 0; ///< modulo the number of threads: whose it is
  bool isDescending;

  void waitForTurn(std::unique_lock<std::mutex> &lock, int64_t thread) {
    const int64_t place = isDescending ? threads - 1 - thread : thread;
    changed.wait(lock, [&] { return turn % threads == place; });
  }
  void begin(int64_t thread) {
    std::unique_lock<std::mutex> lock(mutex);
    waitForTurn(lock, thread);
  }
  void end() {
    std::unique_lock<std::mutex> lock(mutex);
    ++turn;
    changed.notify_all();
  }
  static void meet(RnnContext *base, int64_t thread) {
    auto *self = static_cast<TurnsContext *>(base);
    std::unique_lock<std::mutex> lock(self->mutex);
    ++self->turn;
    self->changed.notify_all();
    self->waitForTurn(lock, thread);
  }
};

/// Bytes behind every tensor and the workspace that must not change.
constexpr int64_t kGuard = 256;
constexpr char kGuardByte = char(0xff);

bool isGuardWhole(const char *guard) {
  return std::all_of(guard, guard + kGuard, [](char byte) { return byte == kGuardByte; });
}

std::vector<int64_t> shapeOf(const AbiTensor &tensor, int64_t frames, int64_t streams) {
  std::vector<int64_t> shape;
  if (tensor.rate == Rate::Frame)
    shape.push_back(frames);
  if (tensor.rate != Rate::Static)
    shape.push_back(streams);
  llvm::append_range(shape, tensor.type.getShape());
  return shape;
}

template <typename T, typename From>
void write(std::vector<char> &bytes, const From &values) {
  bytes.assign(values.size() * sizeof(T) + kGuard, kGuardByte);
  for (auto [i, value] : llvm::enumerate(values)) {
    T converted = static_cast<T>(value);
    std::memcpy(bytes.data() + i * sizeof(T), &converted, sizeof(T));
  }
}

template <typename T, typename To>
void read(const std::vector<char> &bytes, To &values) {
  for (auto [i, value] : llvm::enumerate(values)) {
    T stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(T), sizeof(T));
    value = stored;
  }
}

template <typename Action>
void dispatch(Type element, Action action) {
  if (element.isF32())
    action(float());
  else if (element.isF64())
    action(double());
  else if (element.isInteger(64))
    action(int64_t());
  else if (element.isInteger(32))
    action(int32_t());
  else
    action(int8_t());
}

} // namespace

CpuRunner::CpuRunner(ModuleOp module, const HostTarget &target) : target(target) {
  OwningOpRef<ModuleOp> clone = module.clone();
  FailureOr<HostMachine> machine = describeHost(target, module.getLoc());
  if (failed(machine))
    return;
  PassManager manager(module.getContext());
  ConvertRNNToCPUOptions options;
  options.vectorBits = machine->vectorBits;
  manager.addPass(createConvertRNNToCPU(options));
  if (failed(manager.run(*clone)))
    return;
  lowered = std::move(clone);
  setMemory(*lowered);
  change(*lowered);
}

bool CpuRunner::change(ModuleOp module) {
  OwningOpRef<ModuleOp> clone = module.clone();
  used.push_back(std::move(code));
  code = std::make_unique<NativeCode>(*clone, target);
  return code->isLoaded();
}

std::string CpuRunner::call(unsigned number, int64_t frames, int64_t threads, const CallMemory &memory) {
  auto *function = code->symbol<void(RnnContext *, int64_t, int64_t)>("rnn_fn_" + std::to_string(number));
  auto start = [&](RnnContext &context, function_ref<void(int64_t)> thread) {
    context.frames = frames;
    context.tensors = memory.tensors;
    context.workspace = memory.workspace;
    context.threads = threads;
    std::vector<std::thread> workers;
    for (int64_t number = 0; number < threads; ++number)
      workers.emplace_back(thread, number);
    for (std::thread &worker : workers)
      worker.join();
  };
  if (order == Order::Together) {
    TestContext context;
    context.barrier = TestContext::meet;
    start(context, [&](int64_t thread) { function(&context, thread, threads); });
    return "";
  }
  TurnsContext context;
  context.barrier = TurnsContext::meet;
  context.isDescending = order == Order::Descending;
  start(context, [&](int64_t thread) {
    context.begin(thread);
    function(&context, thread, threads);
    context.end();
  });
  return "";
}

EmulatorRunner::EmulatorRunner(ModuleOp module, const ConvertRNNToGPUOptions &options, const HostTarget &target)
    : target(target) {
  OwningOpRef<ModuleOp> clone = module.clone();
  PassManager manager(module.getContext());
  manager.addPass(createConvertRNNToGPU(options));
  manager.addPass(createExpandMath());
  if (failed(manager.run(*clone)))
    return;
  setMemory(*clone);
  for (auto function : clone->getOps<func::FuncOp>()) {
    SmallVector<Launch> &list = launches.emplace_back();
    function.walk([&](gpu::LaunchFuncOp op) {
      auto constant = [&](Value value) { return cast<arith::ConstantIndexOp>(value.getDefiningOp()).value(); };
      Value blocks = op.getGridSizeX();
      auto apply = blocks.getDefiningOp<affine::AffineApplyOp>();
      AffineMap map = apply ? apply.getAffineMap() : AffineMap::getConstantMap(constant(blocks), module.getContext());
      const int64_t cluster = op.hasClusterSize() ? constant(op.getClusterSizeX()) : 1;
      APInt sharedBytes(64, 0);
      if (Value bytes = op.getDynamicSharedMemorySize())
        matchPattern(bytes, m_ConstantInt(&sharedBytes));
      list.push_back({op.getKernelName().str(), map, constant(op.getBlockSizeX()), cluster,
                      int64_t(sharedBytes.getZExtValue()), op->hasAttr("rnn.cooperative")});
    });
  }
  PassManager toNVVM(module.getContext());
  buildKernelsToNVVMPipeline(toNVVM);
  if (failed(toNVVM.run(*clone)))
    return;
  kernels = std::move(clone);
  Code all = makeCode(*kernels);
  code = std::move(all.code);
  sharedBytes = all.sharedBytes;
}

EmulatorRunner::Code EmulatorRunner::makeCode(ModuleOp module) {
  OwningOpRef<ModuleOp> clone = module.clone();
  PassManager manager(module.getContext());
  manager.addPass(createConvertNVVMToEmulator());
  if (failed(manager.run(*clone)))
    return {};
  Code made{std::make_unique<NativeCode>(*clone, target),
            (*clone)->getAttrOfType<IntegerAttr>("rnn.shared_bytes").getInt()};
  if (auto **table = made.code->symbol<const RnnEmulator *>(RNN_EMULATOR_VARIABLE))
    *table = runtime::Emulator::table();
  return made;
}

SmallVector<std::string> EmulatorRunner::getLaunches(unsigned number) const {
  return llvm::map_to_vector(launches[number], [](const Launch &launch) { return launch.kernel; });
}

bool EmulatorRunner::change(unsigned launch, OwningOpRef<ModuleOp> module) {
  if (changed != launch)
    before.clear();
  changed = launch;
  used.push_back(std::move(changedCode.code));
  changedCode = module ? makeCode(*module) : Code();
  return !module || (changedCode.code && changedCode.code->isLoaded());
}

std::string EmulatorRunner::call(unsigned number, int64_t frames, int64_t seed, const CallMemory &memory) {
  runtime::Emulator emulator(seed);
  void *workspace = memory.workspace;
  void **tensors = memory.tensors;
  void *arguments[] = {&workspace, &tensors, &frames};
  for (auto [index, launch] : llvm::enumerate(launches[number])) {
    const bool isChanged = changed && *changed == index;
    if (changed && index < *changed && !before.empty())
      continue;
    if (isChanged && before.empty())
      before = copyOf(memory);
    else if (isChanged)
      for (auto [bytes, kept] : llvm::zip_equal(memory.bytes, before))
        llvm::copy(kept, bytes.begin());
    if (isChanged && !changedCode.code)
      continue;
    NativeCode &used = isChanged ? *changedCode.code : *code;
    runtime::EmulatorLaunch request;
    request.kernel = launch.kernel;
    request.entry = used.symbol<void(void **)>(launch.kernel);
    request.arguments = arguments;
    Builder builder(launch.blocks.getContext());
    SmallVector<Attribute> results;
    SmallVector<Attribute> operands(launch.blocks.getNumSymbols(), builder.getIndexAttr(frames));
    if (failed(launch.blocks.constantFold(operands, results)))
      return "the number of blocks of " + launch.kernel + " is not a number";
    request.grid = {uint32_t(cast<IntegerAttr>(results.front()).getInt()), 1, 1};
    request.block = {uint32_t(launch.threads), 1, 1};
    request.sharedBytes = std::max(sharedBytes, changedCode.sharedBytes) + launch.sharedBytes;
    request.cluster = uint32_t(launch.cluster);
    request.cooperative = launch.isCooperative;
    if (runtime::Status status = emulator.launch(request); status.failed())
      return status.str();
    if (isChanged)
      break;
  }
  if (changed)
    after = copyOf(memory);
  return "";
}

EmulatorRunner::Memory EmulatorRunner::copyOf(const CallMemory &memory) {
  Memory copy;
  for (ArrayRef<char> bytes : memory.bytes)
    copy.emplace_back(bytes.begin(), bytes.end());
  return copy;
}

void ScheduleRunner::setMemory(ModuleOp lowered) {
  for (auto function : lowered.getOps<func::FuncOp>()) {
    auto bytes = function->getAttrOfType<DictionaryAttr>("rnn.memory");
    auto get = [&](StringRef name) { return cast<IntegerAttr>(bytes.get(name)).getInt(); };
    sizes.push_back({get("constant"), get("per_frame"), get("per_thread")});
  }
}

std::string ScheduleRunner::run(unsigned number, ScheduleOp schedule, const TensorMap &inputs, int64_t frames,
                                int64_t variant, TensorMap &outputs) {
  const int64_t streams = schedule.getStreams();
  SmallVector<AbiTensor> abi = getAbi(cast<RNNFunctionInterface>(schedule.getOperation()), streams);
  std::vector<std::vector<char>> storage(abi.size());
  std::vector<void *> addresses;
  for (auto [tensor, bytes] : llvm::zip(abi, storage)) {
    Type element = tensor.type.getElementType();
    bool isFloat = isa<FloatType>(element);
    Tensor value = Tensor::filled(shapeOf(tensor, frames, streams), isFloat, tensor.fill.value_or(isFloat ? NAN : 77));
    auto given = inputs.find(tensor.name);
    if (given != inputs.end() && tensor.role != AbiRole::Result)
      value = given->second;
    dispatch(element, [&, &bytes = bytes](auto zero) {
      if (isFloat)
        write<decltype(zero)>(bytes, value.floats());
      else
        write<decltype(zero)>(bytes, value.integers());
    });
    addresses.push_back(bytes.data());
  }

  const Sizes &size = sizes[number];
  int64_t total = size.constant + size.perThread * variant + size.perFrame * frames;
  std::unique_ptr<char, decltype(&free)> workspace(
      static_cast<char *>(aligned_alloc(64, llvm::alignTo(total + kGuard, 64))), free);
  std::memset(workspace.get(), fill, total);
  std::memset(workspace.get() + total, kGuardByte, kGuard);

  CallMemory memory{addresses.data(), workspace.get(), {}};
  for (std::vector<char> &bytes : storage)
    memory.bytes.push_back(bytes);
  memory.bytes.emplace_back(workspace.get(), total);
  if (std::string problem = call(number, frames, variant, memory); !problem.empty())
    return problem;
  if (!isGuardWhole(workspace.get() + total))
    outputs["(memory beyond the workspace was written)"] = Tensor::scalar(int64_t(0));

  for (auto [tensor, bytes] : llvm::zip(abi, storage)) {
    if (!isGuardWhole(bytes.data() + bytes.size() - kGuard))
      outputs["(memory beyond '" + tensor.name + "' was written)"] = Tensor::scalar(int64_t(0));
    if (tensor.role == AbiRole::Argument)
      continue;
    Type element = tensor.type.getElementType();
    Tensor value = Tensor::zeros(shapeOf(tensor, frames, streams), isa<FloatType>(element));
    dispatch(element, [&, &bytes = bytes](auto zero) {
      if (value.isFloat())
        read<decltype(zero)>(bytes, value.floats());
      else
        read<decltype(zero)>(bytes, value.integers());
    });
    outputs[tensor.name] = value;
  }
  return "";
}

bool test::isSame(const TensorMap &a, const TensorMap &b) {
  for (auto &[name, tensor] : a) {
    auto it = b.find(name);
    if (it == b.end() || tensor.isFloat() != it->second.isFloat())
      return false;
    if (tensor.isFloat() ? std::memcmp(tensor.floats().data(), it->second.floats().data(), 8 * tensor.size())
                         : tensor.integers() != it->second.integers())
      return false;
  }
  return a.size() == b.size();
}

std::optional<std::string> test::findDifferenceOfRun(const TensorMap &expected, const TensorMap &found,
                                                     double tolerance) {
  if (auto difference = findDifference(expected, found, tolerance))
    return difference;
  for (auto &[name, tensor] : found)
    if (name[0] == '(')
      return name;
  // States, by name: the same schedule has the same ones.
  TensorMap expectedStates, foundStates;
  for (auto &[name, tensor] : expected)
    if (StringRef(name).starts_with("state.") || StringRef(name).starts_with("ring.")) {
      expectedStates["session " + name] = tensor;
      foundStates["session " + name] = found.at(name);
    }
  return findDifference(expectedStates, foundStates, tolerance);
}

std::string test::compareSchedules(ModuleOp module, ScheduleRunner &runner, const ProbeOptions &options,
                                   double tolerance) {
  if (!runner.isValid())
    return "does not compile";
  for (auto [number, schedule] : llvm::enumerate(module.getOps<ScheduleOp>())) {
    auto function = cast<RNNFunctionInterface>(schedule.getOperation());
    FailureOr<SmallVector<TensorMap>> expected = probe(function, options);
    if (failed(expected))
      return "is not interpretable";
    for (int64_t chunk = 0; chunk < options.chunks; ++chunk) {
      std::string where = ("@" + schedule.getSymName() + " chunk " + Twine(chunk) + ": ").str();
      // Every chunk goes on from what the interpreter had, so that a
      // difference shows where it arises.
      TensorMap inputs = getProbeInputs(function, options, chunk);
      if (chunk > 0)
        for (auto &[name, tensor] : (*expected)[chunk - 1])
          inputs[name] = tensor;
      if (chunk == 2)
        for (const char *name : {"state.age", "ring.age"}) {
          auto it = inputs.find(name);
          if (it != inputs.end())
            for (int64_t i = 0; i < it->second.size(); i += it->second.shape.back())
              it->second.integers()[i] = -1;
        }
      int64_t frames = getProbeFrames(function, options, chunk);
      TensorMap one, three;
      for (auto [variant, outputs] : {std::pair(1, &one), std::pair(3, &three)})
        if (std::string problem = runner.run(number, schedule, inputs, frames, variant, *outputs); !problem.empty())
          return where + problem;
      if (auto difference = findDifferenceOfRun((*expected)[chunk], one, tolerance))
        return where + *difference;
      if (!isSame(one, three))
        return where + "results depend on the number or order of threads";
    }
  }
  return "";
}
