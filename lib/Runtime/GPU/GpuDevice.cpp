//===- GpuDevice.cpp - Launch lists on a GPU ------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Session tensors stay in the GPU's memory. Arguments are copied in at each
// call, results copied out; what a call leaves in session tensors comes back
// when somebody asks for it.
//
//===----------------------------------------------------------------------===//

#include "GpuDevice.h"

#include "rnn/Runtime/Memory.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace mlir::rnn::runtime {
namespace {

/// Memory of a GPU; its driver must outlive it.
class GpuBuffer {
public:
  GpuBuffer() = default;
  GpuBuffer(const GpuBuffer &) = delete;
  ~GpuBuffer() { release(); }

  /// Replaces the memory; false if there is not enough, then there is none.
  bool allocate(GpuDriver &from, uint64_t bytes) {
    release();
    driver = &from;
    base = driver->allocate(std::max<uint64_t>(bytes, 1));
    length = base ? bytes : 0;
    return base != 0;
  }
  void release() {
    if (base)
      driver->free(base);
    base = 0;
    length = 0;
  }
  GpuAddress address() const { return base; }
  uint64_t size() const { return length; }
  bool holds(uint64_t bytes) const { return base && length >= bytes; }

private:
  GpuDriver *driver = nullptr;
  GpuAddress base = 0;
  uint64_t length = 0;
};

/// A session tensor in both memories; at most one of them is newer.
struct Resident {
  std::string name;
  void *data = nullptr;
  uint64_t bytes = 0;
  GpuBuffer buffer;
  bool hostIsNewer = true, gpuIsNewer = false;
};

/// A launch of a list, with what does not depend on T.
struct PreparedLaunch {
  const Launch *launch = nullptr;
  size_t kernel = 0;
  uint64_t resident = 0; ///< the most blocks at one time
};

/// What the calls of one function need.
struct Plan {
  std::vector<PreparedLaunch> launches;
  /// Per tensor of the function: the session's, or null for arguments and
  /// results, which have a buffer here.
  std::vector<Resident *> residents;
  std::vector<std::unique_ptr<GpuBuffer>> buffers;
  GpuBuffer addresses; ///< of the tensors, for the kernels
  bool addressesAreSet = false;
  MemoryPlan workspace;
  /// Memory of a call: workspace, arguments, results.
  MemoryPlan memory;
  std::vector<GpuLaunch> sized; ///< kept, so that calls do not allocate
};

class GpuDevice final : public Device {
public:
  explicit GpuDevice(std::unique_ptr<GpuDriver> driver) : driver(std::move(driver)) {}

  Status load(const Artifact &artifact);
  Status attach(size_t number, const std::string &name, void *data, uint64_t bytes) override;
  Status fetch(size_t number) override;
  void update(size_t number) override;
  Status reserve(const Function &function, size_t position, int64_t frames) override;
  Status run(const Function &function, size_t position, int64_t frames, void *const *addresses) override;

private:
  /// A buffer that a call has outgrown, and the bytes it needs.
  struct Growth {
    GpuBuffer *buffer;
    uint64_t before, bytes;
  };

  Status prepare(const Function &function, const LaunchList &list, Plan &plan);
  void placeTensors(const Function &function, Plan &plan);
  std::vector<Growth> findGrowth(const Function &function, Plan &plan, int64_t frames);
  Status copyIn(const Function &function, Plan &plan, int64_t frames, void *const *addresses);
  Status copyOut(const Function &function, Plan &plan, int64_t frames, void *const *addresses);
  Status sizeLaunches(const Function &function, Plan &plan, int64_t frames) const;
  Status call(const Function &function, size_t position, int64_t frames, void *const *addresses);

  std::unique_ptr<GpuDriver> driver; ///< the last to go: buffers are its memory
  LaunchTable table;
  std::vector<std::unique_ptr<Resident>> residents;
  std::vector<std::unique_ptr<Plan>> plans; ///< by the function's position
  GpuBuffer workspace;
  Status lost; ///< why the GPU can no longer be used
};

} // namespace

Status GpuDevice::load(const Artifact &artifact) {
  const Tables &tables = artifact.tables();
  if (Status status = parseLaunchTable(driver->launches().bytes, tables, artifact.name(), table); status.failed())
    return status;
  for (size_t i = 0; i < tables.functions.size(); ++i) {
    plans.push_back(std::make_unique<Plan>());
    if (Status status = prepare(tables.functions[i], table.lists[i], *plans[i]); status.failed())
      return status;
  }
  return Status::success();
}

Status GpuDevice::prepare(const Function &function, const LaunchList &list, Plan &plan) {
  for (const Launch &launch : list.launches) {
    PreparedLaunch &prepared = plan.launches.emplace_back();
    prepared.launch = &launch;
    if (Status status = driver->findKernel(launch.kernel, prepared.kernel); status.failed())
      return status;
    if (Status status = driver->countResident(launch, prepared.kernel, prepared.resident); status.failed())
      return status;
    prepared.resident -= prepared.resident % launch.cluster;
    if (prepared.resident == 0)
      return deviceError("'" + driver->name() + "' cannot hold one block of kernel '" + launch.kernel + "' of '" +
                         function.name + "'");
  }
  plan.workspace = plan.memory = list.memory;
  for (const TensorDesc &tensor : function.tensors) {
    if (livesInSession(tensor.role))
      continue;
    // Tables have no tensor whose bytes for one frame cannot be counted.
    (tensor.hasFrames() ? plan.memory.perFrame : plan.memory.constant) += *tensor.bytes(1);
  }
  return Status::success();
}

//===----------------------------------------------------------------------===//
// Session tensors
//===----------------------------------------------------------------------===//

Status GpuDevice::attach(size_t number, const std::string &name, void *data, uint64_t bytes) {
  residents.resize(std::max(residents.size(), number + 1));
  residents[number] = std::make_unique<Resident>();
  Resident &resident = *residents[number];
  resident.name = name;
  resident.data = data;
  resident.bytes = bytes;
  uint64_t available = driver->freeMemory();
  if (bytes <= available && resident.buffer.allocate(*driver, bytes))
    return Status::success();
  return memoryError("needs " + formatBytes(bytes) + " for '" + name + "', '" + driver->name() + "' has " +
                     formatBytes(available) + " free");
}

Status GpuDevice::fetch(size_t number) {
  Resident &resident = *residents[number];
  if (!resident.gpuIsNewer)
    return Status::success();
  if (lost.failed())
    return lost;
  if (Status status = driver->copyOut(resident.data, resident.buffer.address(), resident.bytes); status.failed())
    return status;
  resident.gpuIsNewer = false;
  return Status::success();
}

void GpuDevice::update(size_t number) {
  residents[number]->hostIsNewer = true;
  residents[number]->gpuIsNewer = false;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void GpuDevice::placeTensors(const Function &function, Plan &plan) {
  std::unordered_map<std::string_view, Resident *> byName;
  for (auto &resident : residents)
    byName.emplace(resident->name, resident.get());
  for (const TensorDesc &tensor : function.tensors) {
    plan.residents.push_back(livesInSession(tensor.role) ? byName.at(tensor.name) : nullptr);
    plan.buffers.push_back(std::make_unique<GpuBuffer>());
  }
}

std::vector<GpuDevice::Growth> GpuDevice::findGrowth(const Function &function, Plan &plan, int64_t frames) {
  std::vector<Growth> growth;
  auto need = [&](GpuBuffer &buffer, uint64_t bytes) {
    if (!buffer.holds(bytes))
      growth.push_back({&buffer, buffer.size(), bytes});
  };
  need(workspace, workspaceBytes(plan.workspace, 0, frames));
  need(plan.addresses, function.tensors.size() * sizeof(GpuAddress));
  for (size_t i = 0; i < function.tensors.size(); ++i)
    if (!plan.residents[i])
      need(*plan.buffers[i], function.tensors[i].bytes(frames).value_or(UINT64_MAX));
  return growth;
}

Status GpuDevice::reserve(const Function &function, size_t position, int64_t frames) {
  Plan &plan = *plans[position];
  if (plan.residents.empty())
    placeTensors(function, plan);
  std::vector<Growth> growth = findGrowth(function, plan, frames);
  if (growth.empty())
    return Status::success();
  plan.addressesAreSet = false;
  uint64_t sum = 0;
  bool fits = true;
  for (const Growth &grown : growth) {
    grown.buffer->release();
    fits &= !__builtin_add_overflow(sum, grown.bytes, &sum);
  }
  uint64_t available = driver->freeMemory();
  fits &= sum <= available;
  for (const Growth &grown : growth)
    fits = fits && grown.buffer->allocate(*driver, grown.bytes);
  if (fits)
    return Status::success();

  // Leave the device as it was: earlier calls must still run.
  for (const Growth &grown : growth)
    grown.buffer->release();
  for (const Growth &grown : growth)
    if (grown.before && !grown.buffer->allocate(*driver, grown.before))
      return memoryError("cannot allocate " + formatBytes(grown.before));
  return notEnoughMemory(plan.memory, 0, frames, driver->name(), available);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

Status GpuDevice::copyIn(const Function &function, Plan &plan, int64_t frames, void *const *addresses) {
  std::vector<GpuAddress> places;
  for (size_t i = 0; i < function.tensors.size(); ++i) {
    Resident *resident = plan.residents[i];
    GpuAddress place = resident ? resident->buffer.address() : plan.buffers[i]->address();
    if (!plan.addressesAreSet)
      places.push_back(place);
    if (resident ? !resident->hostIsNewer : function.tensors[i].role == Role::Result)
      continue;
    uint64_t bytes = resident ? resident->bytes : *function.tensors[i].bytes(frames);
    if (Status status = driver->copyIn(place, addresses[i], bytes); status.failed())
      return status;
    if (resident)
      resident->hostIsNewer = false;
  }
  if (plan.addressesAreSet)
    return Status::success();
  Status status = driver->copyIn(plan.addresses.address(), places.data(), places.size() * sizeof(GpuAddress));
  plan.addressesAreSet = status.ok();
  return status;
}

Status GpuDevice::copyOut(const Function &function, Plan &plan, int64_t frames, void *const *addresses) {
  for (size_t i = 0; i < function.tensors.size(); ++i)
    if (function.tensors[i].role == Role::Result) {
      uint64_t bytes = *function.tensors[i].bytes(frames);
      if (Status status = driver->copyOut(addresses[i], plan.buffers[i]->address(), bytes); status.failed())
        return status;
    }
  return Status::success();
}

/// As many blocks as there is work for, but no more than the GPU holds: a
/// thread of a smaller grid does more of the work.
Status GpuDevice::sizeLaunches(const Function &function, Plan &plan, int64_t frames) const {
  plan.sized.clear();
  for (const PreparedLaunch &prepared : plan.launches) {
    const Launch &launch = *prepared.launch;
    uint64_t blocks = launch.grid.at(frames);
    if (launch.cooperative && blocks > prepared.resident)
      return deviceError("'" + function.name + "' needs " + std::to_string(blocks) + " blocks of kernel '" +
                         launch.kernel + "' at one time, '" + driver->name() + "' holds " +
                         std::to_string(prepared.resident));
    if (!launch.cooperative)
      blocks = std::min((blocks + launch.cluster - 1) / launch.cluster * launch.cluster, prepared.resident);
    plan.sized.push_back({&launch, prepared.kernel, uint32_t(blocks)});
  }
  return Status::success();
}

Status GpuDevice::call(const Function &function, size_t position, int64_t frames, void *const *addresses) {
  Plan &plan = *plans[position];
  if (Status status = copyIn(function, plan, frames, addresses); status.failed())
    return status;
  GpuArguments arguments = {workspace.address(), plan.addresses.address(), frames};
  if (Status status = driver->run(position, plan.sized, arguments); status.failed())
    return status;
  for (Resident *resident : plan.residents)
    if (resident)
      resident->gpuIsNewer = true;
  // Long enough for any call that makes progress; kernels have bounds of their own.
  if (Status status = driver->synchronize(60 + 0.01 * double(frames)); status.failed())
    return status;
  return copyOut(function, plan, frames, addresses);
}

Status GpuDevice::run(const Function &function, size_t position, int64_t frames, void *const *addresses) {
  if (lost.failed())
    return lost;
  if (Status status = sizeLaunches(function, *plans[position], frames); status.failed())
    return status;
  Status status = call(function, position, frames, addresses);
  // What the call has left behind cannot be trusted.
  if (status.failed())
    lost = status;
  return status;
}

Status createGpuDevice(const Artifact &artifact, std::unique_ptr<GpuDriver> driver, std::unique_ptr<Device> &device) {
  auto gpu = std::make_unique<GpuDevice>(std::move(driver));
  if (Status status = gpu->load(artifact); status.failed())
    return status;
  device = std::move(gpu);
  return Status::success();
}

Status gpuWorkspaceBytes(const Artifact &artifact, const Function &function, const std::string &target, int64_t frames,
                         uint64_t &bytes) {
  const Tables &tables = artifact.tables();
  std::string kind = target.substr(0, target.find(':'));
  bool isThere = false;
  bytes = 0;
  for (const Section &section : artifact.sections()) {
    if (section.kind != SectionKind::Launches || section.target.substr(0, section.target.find(':')) != kind)
      continue;
    isThere = true;
    LaunchTable table;
    if (Status status = parseLaunchTable(section.bytes, tables, artifact.name(), table); status.failed())
      return status;
    const LaunchList &list = table.lists[size_t(&function - tables.functions.data())];
    bytes = std::max(bytes, workspaceBytes(list.memory, 0, frames));
  }
  return isThere ? Status::success()
                 : deviceError("'" + artifact.name() + "' has no code for '" + kind + "'",
                               {"it has: " + artifact.targets()});
}

Status createEmulatorDevice(const Artifact &artifact, uint64_t order, std::unique_ptr<Device> &device) {
  std::unique_ptr<GpuDriver> driver;
  if (Status status = createEmulatorDriver(artifact, order, driver); status.failed())
    return status;
  return createGpuDevice(artifact, std::move(driver), device);
}

std::optional<int> parseCudaTarget(std::string_view target) {
  if (target == "cuda")
    return 0;
  constexpr std::string_view prefix = "cuda:";
  int number = 0;
  const char *end = target.data() + target.size();
  if (target.substr(0, prefix.size()) != prefix)
    return std::nullopt;
  auto [rest, error] = std::from_chars(target.data() + prefix.size(), end, number);
  return error == std::errc() && rest == end && number >= 0 ? std::optional<int>(number) : std::nullopt;
}

Status createCudaDevice(const Artifact &artifact, int number, std::unique_ptr<Device> &device) {
  std::unique_ptr<GpuDriver> driver;
  if (Status status = createCudaDriver(artifact, number, driver); status.failed())
    return status;
  return createGpuDevice(artifact, std::move(driver), device);
}

} // namespace mlir::rnn::runtime
