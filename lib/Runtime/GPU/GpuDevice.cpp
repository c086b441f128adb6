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
  /// Number of frames for which a buffer holds the argument's default.
  std::vector<int64_t> defaults;
  GpuBuffer addresses;             ///< of the tensors, for the kernels
  std::vector<GpuAddress> written; ///< what stands there; empty: nothing yet
  std::vector<GpuAddress> wanted;  ///< what this call needs there; kept, so that calls do not allocate
  MemoryPlan workspace;
  /// Memory of a call: workspace, arguments, results.
  MemoryPlan memory;
  std::vector<GpuLaunch> sized; ///< for `sizedFrames`; kept, so that calls do not allocate
  int64_t sizedFrames = 0;
};

/// How long the GPU may take for a call or a copy, beside the time of its frames.
constexpr double kCallSeconds = 60;
/// Calls that may run at one time before the host waits for them.
constexpr size_t kMaxRunning = 64;

class GpuDevice final : public Device {
public:
  explicit GpuDevice(std::unique_ptr<GpuDriver> driver) : driver(std::move(driver)) {}
  ~GpuDevice() override {
    settle(); // whatever it finds, nobody can be told
    if (flags)
      driver->freeHost(flags);
  }

  Status load(const Artifact &artifact);
  Status attach(size_t number, const std::string &name, void *data, uint64_t bytes) override;
  Status fetch(size_t number) override;
  void update(size_t number) override;
  int gpu() const override { return driver->number(); }
  Status copyFromGpu(size_t number, const void *from, void *stream) override;
  Status copyToGpu(size_t number, void *to, void *stream) override;
  Status reserve(const Function &function, size_t position, int64_t frames, const Place *places) override;
  Status run(const Function &function, size_t position, int64_t frames, const CallTensors &tensors,
             void *stream) override;

private:
  /// A buffer that a call has outgrown, and the bytes it needs.
  struct Growth {
    GpuBuffer *buffer;
    uint64_t before, bytes;
  };

  Status prepare(const Function &function, const LaunchList &list, Plan &plan);
  void placeTensors(const Function &function, Plan &plan);
  std::vector<Growth> findGrowth(const Function &function, Plan &plan, int64_t frames, const Place *places);
  Status upload(Resident &resident);
  Status copyIn(const Function &function, Plan &plan, int64_t frames, const CallTensors &tensors);
  Status copyOut(const Function &function, Plan &plan, int64_t frames, const CallTensors &tensors);
  Status sizeLaunches(const Function &function, size_t position, int64_t frames) const;
  Status checkResident(const Function &function, const PreparedLaunch &prepared, uint64_t blocks) const;
  bool mayOverlap(const LaunchList &list, const Wavefront &wavefront) const;
  Status start(const Function &function, size_t position, int64_t frames, const CallTensors &tensors);
  Status call(const Function &function, size_t position, int64_t frames, const CallTensors &tensors, void *stream);
  Status settle();
  std::vector<std::string> describeStall(const Function &function, uint32_t flags) const;
  /// The status, which is why the GPU can no longer be used if it is an error.
  Status keep(Status status);

  std::unique_ptr<GpuDriver> driver; ///< the last to go: buffers are its memory
  LaunchTable table;
  std::vector<std::unique_ptr<Resident>> residents;
  std::vector<std::unique_ptr<Plan>> plans; ///< by the function's position
  GpuBuffer workspace;
  std::vector<const Function *> running; ///< calls that nobody has waited for
  double patience = 0;                   ///< seconds that they may take together
  uint32_t *flags = nullptr;             ///< of each of them, in memory of the host
  Status lost;                           ///< why the GPU can no longer be used
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
  running.reserve(kMaxRunning);
  flags = static_cast<uint32_t *>(driver->allocateHost(kMaxRunning * sizeof(uint32_t)));
  return flags ? Status::success() : memoryError("not enough memory");
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
  if (Status status = settle(); status.failed())
    return status;
  if (Status status = driver->copyOut(resident.data, resident.buffer.address(), resident.bytes); status.failed())
    return status;
  resident.gpuIsNewer = false;
  return Status::success();
}

/// Brings the GPU's copy up to date.
Status GpuDevice::upload(Resident &resident) {
  if (!resident.hostIsNewer)
    return Status::success();
  Status status = driver->copyIn(resident.buffer.address(), resident.data, resident.bytes);
  resident.hostIsNewer &= status.failed();
  return status;
}

Status GpuDevice::copyFromGpu(size_t number, const void *from, void *stream) {
  Resident &resident = *residents[number];
  if (Status status = settle(); status.failed())
    return status;
  if (Status status = driver->follow(stream); status.failed())
    return status;
  auto address = GpuAddress(reinterpret_cast<uintptr_t>(from));
  if (Status status = driver->copyWithin(resident.buffer.address(), address, resident.bytes); status.failed())
    return status;
  resident.hostIsNewer = false;
  resident.gpuIsNewer = true;
  return driver->synchronize(kCallSeconds);
}

Status GpuDevice::copyToGpu(size_t number, void *to, void *stream) {
  Resident &resident = *residents[number];
  if (Status status = settle(); status.failed())
    return status;
  if (Status status = upload(resident); status.failed())
    return status;
  if (Status status = driver->follow(stream); status.failed())
    return status;
  auto address = GpuAddress(reinterpret_cast<uintptr_t>(to));
  if (Status status = driver->copyWithin(address, resident.buffer.address(), resident.bytes); status.failed())
    return status;
  return driver->synchronize(kCallSeconds);
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
  plan.defaults.resize(function.tensors.size());
}

std::vector<GpuDevice::Growth> GpuDevice::findGrowth(const Function &function, Plan &plan, int64_t frames,
                                                     const Place *places) {
  std::vector<Growth> growth;
  auto need = [&](GpuBuffer &buffer, uint64_t bytes) {
    if (!buffer.holds(bytes))
      growth.push_back({&buffer, buffer.size(), bytes});
  };
  need(workspace, workspaceBytes(plan.workspace, 0, frames));
  need(plan.addresses, function.tensors.size() * sizeof(GpuAddress));
  for (size_t i = 0; i < function.tensors.size(); ++i)
    if (!plan.residents[i] && !(places && places[i] == Place::Gpu))
      need(*plan.buffers[i], function.tensors[i].bytes(frames).value_or(UINT64_MAX));
  return growth;
}

Status GpuDevice::reserve(const Function &function, size_t position, int64_t frames, const Place *places) {
  Plan &plan = *plans[position];
  if (plan.residents.empty())
    placeTensors(function, plan);
  std::vector<Growth> growth = findGrowth(function, plan, frames, places);
  if (growth.empty())
    return Status::success();
  // Nothing that still runs may lose its memory.
  if (Status status = settle(); status.failed())
    return status;
  plan.written.clear();
  std::fill(plan.defaults.begin(), plan.defaults.end(), 0);
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

Status GpuDevice::copyIn(const Function &function, Plan &plan, int64_t frames, const CallTensors &tensors) {
  plan.wanted.resize(function.tensors.size());
  for (size_t i = 0; i < function.tensors.size(); ++i) {
    const TensorDesc &desc = function.tensors[i];
    Resident *resident = plan.residents[i];
    Place where = tensors.places[i];
    auto given = GpuAddress(reinterpret_cast<uintptr_t>(tensors.addresses[i]));
    GpuAddress &place = plan.wanted[i];
    Status status;
    if (resident) {
      place = resident->buffer.address();
      if (where != Place::Gpu) {
        status = upload(*resident);
      } else {
        status = driver->copyWithin(place, given, resident->bytes);
        resident->hostIsNewer = false;
      }
    } else if (where == Place::Gpu) {
      place = given;
    } else {
      place = plan.buffers[i]->address();
      bool isThere = where == Place::Default && plan.defaults[i] >= frames;
      if (desc.role == Role::Argument && !isThere) {
        status = driver->copyIn(place, tensors.addresses[i], *desc.bytes(frames));
        plan.defaults[i] = where == Place::Default ? frames : 0;
      }
    }
    if (status.failed())
      return status;
  }
  if (plan.written == plan.wanted)
    return Status::success();
  plan.written = plan.wanted;
  return driver->copyIn(plan.addresses.address(), plan.written.data(), plan.written.size() * sizeof(GpuAddress));
}

Status GpuDevice::copyOut(const Function &function, Plan &plan, int64_t frames, const CallTensors &tensors) {
  for (size_t i = 0; i < function.tensors.size(); ++i)
    if (function.tensors[i].role == Role::Result && tensors.places[i] == Place::Host) {
      uint64_t bytes = *function.tensors[i].bytes(frames);
      if (Status status = driver->copyOut(tensors.addresses[i], plan.buffers[i]->address(), bytes); status.failed())
        return status;
    }
  return Status::success();
}

Status GpuDevice::checkResident(const Function &function, const PreparedLaunch &prepared, uint64_t blocks) const {
  if (!prepared.launch->cooperative || blocks <= prepared.resident)
    return Status::success();
  return deviceError("'" + function.name + "' needs " + std::to_string(blocks) + " blocks of kernel '" +
                     prepared.launch->kernel + "' at one time, '" + driver->name() + "' holds " +
                     std::to_string(prepared.resident));
}

/// True if all blocks of the wavefront that wait for one another have a multiprocessor of their own, so that none of
/// them keeps another from running. All other launches come to their ends.
bool GpuDevice::mayOverlap(const LaunchList &list, const Wavefront &wavefront) const {
  uint64_t blocks = 0;
  for (size_t i = wavefront.first; i < wavefront.first + wavefront.count; ++i)
    if (list.launches[i].cooperative)
      blocks += list.launches[i].grid.at(1);
  return blocks <= driver->multiprocessors();
}

/// As many blocks as there is work for, but no more than the GPU holds: a
/// thread of a smaller grid does more of the work.
Status GpuDevice::sizeLaunches(const Function &function, size_t position, int64_t frames) const {
  Plan &plan = *plans[position];
  if (plan.sizedFrames == frames)
    return Status::success();
  const LaunchList &list = table.lists[position];
  plan.sized.clear();
  plan.sizedFrames = 0;
  std::vector<uint32_t> last; // which all that comes needs
  auto add = [&](const PreparedLaunch &prepared, int64_t workFrames) -> GpuLaunch & {
    const Launch &launch = *prepared.launch;
    uint64_t blocks = launch.grid.at(workFrames);
    if (!launch.cooperative && !launch.exact)
      blocks = std::min((blocks + launch.cluster - 1) / launch.cluster * launch.cluster, prepared.resident);
    plan.sized.push_back({&launch, prepared.kernel, uint32_t(blocks), 0, 0, false, {}});
    return plan.sized.back();
  };
  for (size_t i = 0; i < list.launches.size();) {
    const Launch &launch = list.launches[i];
    if (launch.wavefront == Launch::kNoWavefront) {
      GpuLaunch &added = add(plan.launches[i++], frames);
      added.after = std::move(last);
      last = {uint32_t(plan.sized.size() - 1)};
      continue;
    }
    const Wavefront &wavefront = list.wavefronts[launch.wavefront];
    const bool overlaps = mayOverlap(list, wavefront);
    const auto all = int64_t(frames + wavefront.older);
    const int64_t most = overlaps ? wavefront.mostPieces : 1;
    const int64_t pieces = std::clamp<int64_t>(all / int64_t(wavefront.pieceFrames), 1, most);
    const size_t begin = plan.sized.size();
    auto numberOf = [&](int64_t piece, size_t of) { return uint32_t(begin + size_t(piece) * wavefront.count + of); };
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const int64_t first = all * piece / pieces, end = all * (piece + 1) / pieces;
      for (size_t k = 0; k < wavefront.count; ++k) {
        const PreparedLaunch &prepared = plan.launches[wavefront.first + k];
        GpuLaunch &added = add(prepared, end - first);
        added.firstFrame = prepared.launch->reversed ? all - end : first;
        added.pieceFrames = end - first;
        added.overlaps = overlaps;
        if (overlaps) {
          for (uint32_t earlier : prepared.launch->after)
            added.after.push_back(numberOf(piece, earlier));
          if (piece > 0)
            for (uint32_t earlier : prepared.launch->behind)
              added.after.push_back(numberOf(piece - 1, earlier));
        } else if (k > 0) { // one piece, its launches one after another
          added.after = {numberOf(piece, k - 1)};
        }
        if (added.after.empty())
          added.after = last;
      }
    }
    last.clear();
    for (size_t k = 0; k < wavefront.count; ++k)
      last.push_back(numberOf(pieces - 1, k));
    i += wavefront.count;
  }
  for (size_t i = 0; i < list.launches.size(); ++i) {
    // Grids that must be resident do not depend on the piece.
    const Launch &launch = list.launches[i];
    const bool isPiece = launch.wavefront != Launch::kNoWavefront;
    if (Status status = checkResident(function, plan.launches[i], launch.grid.at(isPiece ? 1 : frames));
        status.failed())
      return status;
  }
  plan.sizedFrames = frames;
  return Status::success();
}

Status GpuDevice::start(const Function &function, size_t position, int64_t frames, const CallTensors &tensors) {
  Plan &plan = *plans[position];
  if (Status status = copyIn(function, plan, frames, tensors); status.failed())
    return status;
  GpuArguments arguments = {workspace.address(), plan.addresses.address(), frames};
  if (Status status = driver->run(position, plan.sized, arguments); status.failed())
    return status;
  for (Resident *resident : plan.residents)
    if (resident)
      resident->gpuIsNewer = true;
  uint32_t &own = flags[running.size()];
  running.push_back(&function);
  // Long enough for any call that makes progress; kernels have bounds of their own.
  patience += kCallSeconds + 0.01 * double(frames);
  own = 0;
  const std::optional<MemoryPlan> &place = table.lists[position].flags;
  if (!place)
    return Status::success();
  return driver->copyOutLater(&own, workspace.address() + workspaceBytes(*place, 0, frames), sizeof own);
}

/// Notes on a call in which a block never ran: which kernel waited for it, and with how many blocks.
std::vector<std::string> GpuDevice::describeStall(const Function &function, uint32_t flags) const {
  std::vector<std::string> notes;
  const std::string end = "_k" + std::to_string(int64_t(flags >> kStalledKernelShift) - 1);
  for (const LaunchList &list : table.lists)
    for (const Launch &launch : list.launches)
      if (launch.kernel == function.symbol + end)
        notes = {"kernel '" + launch.kernel + "' needs all of its " + std::to_string(launch.grid.constant) +
                 " blocks at once; another process may hold a part of the GPU"};
  notes.push_back("nothing of the session can be trusted; create another one");
  return notes;
}

/// Waits for all calls, and looks whether they came to their ends.
Status GpuDevice::settle() {
  if (lost.failed() || running.empty())
    return lost;
  Status status = driver->synchronize(patience);
  for (size_t i = 0; i < running.size() && status.ok(); ++i)
    if (flags[i] & kStalled)
      status =
          deviceError("'" + running[i]->name + "' stalled on '" + driver->name() + "': one of its blocks never ran",
                      describeStall(*running[i], flags[i]));
  running.clear();
  patience = 0;
  return keep(status);
}

Status GpuDevice::keep(Status status) {
  if (status.failed())
    lost = status;
  return status;
}

Status GpuDevice::call(const Function &function, size_t position, int64_t frames, const CallTensors &tensors,
                       void *stream) {
  const Place *begin = tensors.places, *end = begin + function.tensors.size();
  // Pinned memory would still be read, other memory of the host is copied before the call returns.
  bool waits = !stream || std::find(begin, end, Place::Host) != end;
  bool joins = stream || std::find(begin, end, Place::Gpu) != end;
  if (joins)
    if (Status status = driver->follow(stream); status.failed())
      return status;
  if (Status status = start(function, position, frames, tensors); status.failed())
    return status;
  if (stream)
    if (Status status = driver->precede(stream); status.failed())
      return status;
  if (!waits && running.size() < kMaxRunning)
    return Status::success();
  if (Status status = settle(); status.failed())
    return status;
  return copyOut(function, *plans[position], frames, tensors);
}

Status GpuDevice::run(const Function &function, size_t position, int64_t frames, const CallTensors &tensors,
                      void *stream) {
  if (lost.failed())
    return lost;
  if (Status status = sizeLaunches(function, position, frames); status.failed())
    return status;
  // What a call that failed has left behind cannot be trusted.
  return keep(call(function, position, frames, tensors, stream));
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
