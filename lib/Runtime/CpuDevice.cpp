//===- CpuDevice.cpp - Host code in a pool of threads ---------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatState.h"

#include "rnn/Runtime/CallAbi.h"
#include "rnn/Runtime/CpuFeatures.h"
#include "rnn/Runtime/Device.h"
#include "rnn/Runtime/Memory.h"
#include "rnn/Runtime/SharedObject.h"
#include "rnn/Runtime/ThreadChoice.h"
#include "rnn/Runtime/ThreadPool.h"

#include <chrono>
#include <cstdlib>
#include <sched.h>

namespace mlir::rnn::runtime {

Status resolveThreads(int requested, int &threads, bool *isGiven) {
  constexpr long limit = 1024;
  const char *text = std::getenv("RNN_NUM_THREADS");
  long number = requested;
  if (requested == 0 && text && *text) {
    char *end = nullptr;
    number = std::strtol(text, &end, 10);
    if (*end || number < 1 || number > limit)
      return usageError("RNN_NUM_THREADS must be in [1, 1024], got '" + std::string(text) + "'");
  }
  if (number < 0 || number > limit)
    return usageError("threads must be in [0, 1024], got " + std::to_string(number));
  if (isGiven)
    *isGiven = number != 0;
  if (number == 0) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    number = 1;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0)
      number = std::min(limit, std::max<long>(CPU_COUNT(&allowed), 1));
  }
  threads = int(number);
  return Status::success();
}

uint64_t workspaceBytes(const MemoryPlan &plan, int threads, int64_t frames) {
  uint64_t perFrame, total;
  if (__builtin_mul_overflow(plan.perFrame, uint64_t(frames), &perFrame) ||
      __builtin_add_overflow(plan.constant + plan.perThread * uint64_t(threads), perFrame, &total))
    return UINT64_MAX;
  return total;
}

Status notEnoughMemory(const MemoryPlan &plan, int threads, int64_t frames, const std::string &device,
                       uint64_t available) {
  uint64_t bytes = workspaceBytes(plan, threads, frames);
  uint64_t fixed = workspaceBytes(plan, threads, 0), activations = bytes - fixed;
  std::string note = activations > fixed ? "largest: activations " + formatBytes(activations)
                                         : "largest: workspace " + formatBytes(fixed);
  if (plan.perFrame > 0 && available >= fixed + plan.perFrame)
    note += "; T=" + std::to_string((available - fixed) / plan.perFrame) + " fits";
  return memoryError("needs " + formatBytes(bytes) + " for T=" + std::to_string(frames) + ", '" + device + "' has " +
                         formatBytes(available) + " free",
                     {note});
}

namespace {

/// One call: the context that compiled code sees, and its barrier.
struct Call : RnnContext {
  RnnCompiledFunction function;
  Barrier *meeting;

  static void barrierEntry(RnnContext *context, int64_t thread) { static_cast<Call *>(context)->meeting->wait(thread); }
  static void threadEntry(void *data, int thread) {
    DefaultFloatState state;
    auto *call = static_cast<Call *>(data);
    call->function(call, thread, call->threads);
  }
};

class CpuDevice final : public Device {
public:
  CpuDevice(int threads, bool adapt) : barrier(threads), adapt(adapt) {}

  Status load(const Artifact &artifact, const Section &code, int threads);
  Status reserve(const Function &function, size_t position, int64_t frames, const Place *places) override;
  Status run(const Function &function, size_t position, int64_t frames, const CallTensors &tensors,
             void *stream) override;

private:
  SharedObject object;
  std::vector<RnnCompiledFunction> functions;
  Buffer workspace;
  Barrier barrier;
  ThreadPool pool;
  bool adapt;
  std::vector<ThreadChoice> choices; ///< by the function's position
};

Status CpuDevice::load(const Artifact &artifact, const Section &code, int threads) {
  if (Status status = object.load(code.bytes, artifact.name()); status.failed())
    return status;
  for (const Function &function : artifact.tables().functions) {
    void *symbol = object.find(function.symbol);
    if (!symbol)
      return fileError("'" + artifact.name() + "' is damaged: '" + function.name + "' has no symbol '" +
                       function.symbol + "' in the code for '" + code.target + "'");
    functions.push_back(reinterpret_cast<RnnCompiledFunction>(symbol));
  }
  choices.resize(functions.size());
  return pool.start(threads);
}

Status CpuDevice::reserve(const Function &function, size_t, int64_t frames, const Place *) {
  uint64_t bytes = workspaceBytes(function.memory, pool.size(), frames);
  if (bytes <= workspace.size() && workspace.data())
    return Status::success();
  uint64_t held = workspace.size();
  workspace.release();
  uint64_t available = availableMemory();
  if (bytes <= available && workspace.allocate(bytes))
    return Status::success();

  // Leave the device as it was: earlier calls must still run.
  if (held && !workspace.allocate(held))
    return memoryError("cannot allocate " + formatBytes(held));
  return notEnoughMemory(function.memory, pool.size(), frames, "cpu", available);
}

Status CpuDevice::run(const Function &, size_t position, int64_t frames, const CallTensors &tensors, void *) {
  Call call;
  call.frames = frames;
  call.tensors = tensors.addresses;
  call.workspace = workspace.data();
  call.barrier = Call::barrierEntry;
  call.threads = pool.size();
  call.reserved = 0;
  call.function = functions[position];
  call.meeting = &barrier;
  if (!adapt) {
    pool.run(Call::threadEntry, &call);
    return Status::success();
  }
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  if (choices[position].useOne()) {
    call.threads = 1;
    Call::threadEntry(&call, 0);
  } else {
    pool.run(Call::threadEntry, &call);
  }
  choices[position].record(std::chrono::duration<double>(Clock::now() - begin).count() / double(frames));
  return Status::success();
}

} // namespace

Status createCpuDevice(const Artifact &artifact, int threads, bool adapt, std::unique_ptr<Device> &device) {
  const Section *code = nullptr;
  if (Status status = chooseHostCode(artifact, CpuFeatures(), code); status.failed())
    return status;
  auto cpu = std::make_unique<CpuDevice>(threads, adapt);
  if (Status status = cpu->load(artifact, *code, threads); status.failed())
    return status;
  device = std::move(cpu);
  return Status::success();
}

} // namespace mlir::rnn::runtime
