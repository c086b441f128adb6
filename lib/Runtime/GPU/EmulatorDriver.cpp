//===- EmulatorDriver.cpp - The emulator as a GPU -------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory that nobody has written holds NaNs, the workspace at every call: a
// kernel that relies on what was there gives results that nobody overlooks.
// Launches that need not wait for one another run in an order of the seed's own.
//
//===----------------------------------------------------------------------===//

#include "../FloatState.h"

#include "rnn/Runtime/CpuFeatures.h"
#include "rnn/Runtime/Emulator.h"
#include "rnn/Runtime/GpuDriver.h"
#include "rnn/Runtime/Memory.h"
#include "rnn/Runtime/SharedObject.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <random>

namespace mlir::rnn::runtime {
namespace {

/// A NaN in f32 and in f64, and no value that kernels write on purpose.
constexpr uint32_t kPoison = 0x7FC5C5C5;

/// Every allocation is one of the host's, so that AddressSanitizer sees its end.
void *hostPointer(GpuAddress address) { return reinterpret_cast<void *>(uintptr_t(address)); }

class EmulatorDriver final : public GpuDriver {
public:
  explicit EmulatorDriver(uint64_t order) : emulator(order), order(order) {}
  ~EmulatorDriver() override {
    for (auto &[address, bytes] : allocations)
      std::free(hostPointer(address));
  }

  Status load(const Artifact &artifact);

  std::string name() const override { return "emulator"; }
  const Section &launches() const override { return *launchSection; }
  GpuAddress allocate(uint64_t bytes) override;
  void free(GpuAddress address) override;
  uint64_t freeMemory() override { return availableMemory(); }
  Status copyIn(GpuAddress to, const void *from, uint64_t bytes) override;
  Status copyOut(void *to, GpuAddress from, uint64_t bytes) override;
  Status copyWithin(GpuAddress to, GpuAddress from, uint64_t bytes) override {
    return copyIn(to, hostPointer(from), bytes);
  }
  Status copyOutLater(void *to, GpuAddress from, uint64_t bytes) override { return copyOut(to, from, bytes); }
  void *allocateHost(uint64_t bytes) override { return std::malloc(bytes); }
  void freeHost(void *memory) override { std::free(memory); }
  Status findKernel(const std::string &kernel, size_t &number) override;
  uint64_t multiprocessors() override { return UINT32_MAX; }
  Status countResident(const Launch &launch, size_t kernel, uint64_t &blocks) override;
  Status run(size_t list, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments) override;
  Status synchronize(double) override { return Status::success(); }

private:
  void poison(GpuAddress address);
  Status launch(const GpuLaunch &launch, const GpuArguments &arguments);

  using Entry = void (*)(void **arguments);
  std::string artifactName;
  SharedObject object;
  Emulator emulator;
  uint64_t order;
  const Section *launchSection = nullptr;
  uint32_t staticSharedBytes = 0;
  std::vector<Entry> kernels;
  std::map<GpuAddress, uint64_t> allocations;
};

} // namespace

Status EmulatorDriver::load(const Artifact &artifact) {
  artifactName = artifact.name();
  const Section *code = artifact.find(SectionKind::EmulatorCode, "emulator");
  launchSection = artifact.find(SectionKind::Launches, "emulator");
  if (!code || !launchSection)
    return deviceError("'" + artifactName + "' has no code for 'emulator'", {"it has: " + artifact.targets()});
  if (Status status = checkFeatures(artifact, CpuFeatures(), *code); status.failed())
    return status;
  if (Status status = object.load(code->bytes, artifactName); status.failed())
    return status;
  LaunchTable table;
  if (Status status = parseLaunchTable(launchSection->bytes, artifact.tables(), artifactName, table); status.failed())
    return status;
  staticSharedBytes = table.staticSharedBytes;
  auto **functions = static_cast<const RnnEmulator **>(object.find(RNN_EMULATOR_VARIABLE));
  if (!functions)
    return fileError("'" + artifactName + "' has emulator code of another version, without the symbol '" +
                         RNN_EMULATOR_VARIABLE "'",
                     {"compile it again"});
  *functions = Emulator::table();
  return Status::success();
}

GpuAddress EmulatorDriver::allocate(uint64_t bytes) {
  void *memory = nullptr;
  if (::posix_memalign(&memory, 256, bytes) != 0)
    return 0;
  auto address = GpuAddress(reinterpret_cast<uintptr_t>(memory));
  allocations[address] = bytes;
  poison(address);
  return address;
}

void EmulatorDriver::poison(GpuAddress address) {
  auto *memory = static_cast<unsigned char *>(hostPointer(address));
  uint64_t bytes = allocations.at(address);
  for (uint64_t i = 0; i < bytes; i += sizeof kPoison)
    std::memcpy(memory + i, &kPoison, std::min<uint64_t>(sizeof kPoison, bytes - i));
}

void EmulatorDriver::free(GpuAddress address) {
  allocations.erase(address);
  std::free(hostPointer(address));
}

Status EmulatorDriver::copyIn(GpuAddress to, const void *from, uint64_t bytes) {
  std::memcpy(hostPointer(to), from, bytes);
  return Status::success();
}

Status EmulatorDriver::copyOut(void *to, GpuAddress from, uint64_t bytes) {
  std::memcpy(to, hostPointer(from), bytes);
  return Status::success();
}

Status EmulatorDriver::findKernel(const std::string &kernel, size_t &number) {
  void *entry = object.find(kernel);
  if (!entry)
    return fileError("'" + artifactName + "' is damaged: its code for 'emulator' has no kernel '" + kernel + "'");
  number = kernels.size();
  kernels.push_back(reinterpret_cast<Entry>(entry));
  return Status::success();
}

/// A GPU of a few processors: fibers are dear, and results do not depend on the
/// number of blocks, which is a little different for every order.
Status EmulatorDriver::countResident(const Launch &launch, size_t, uint64_t &blocks) {
  blocks = launch.cooperative ? UINT32_MAX : (2 + order % 3) * launch.cluster;
  return Status::success();
}

Status EmulatorDriver::launch(const GpuLaunch &launch, const GpuArguments &arguments) {
  void *workspace = hostPointer(arguments.workspace), *tensors = hostPointer(arguments.tensors);
  int64_t frames = arguments.frames, first = launch.firstFrame, count = launch.pieceFrames;
  void *places[] = {&workspace, &tensors, &frames, &first, &count};
  EmulatorLaunch request;
  request.kernel = launch.launch->kernel;
  request.entry = kernels[launch.kernel];
  request.arguments = places;
  request.grid = {launch.blocks, 1, 1};
  request.block = {launch.launch->block, 1, 1};
  request.cluster = launch.launch->cluster;
  request.sharedBytes = uint64_t(staticSharedBytes) + launch.launch->sharedBytes;
  request.cooperative = launch.launch->cooperative;
  return emulator.launch(request);
}

Status EmulatorDriver::run(size_t, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments) {
  DefaultFloatState state;
  poison(arguments.workspace);
  std::vector<uint32_t> missing(launches.size()); // launches that each still waits for
  std::vector<std::vector<uint32_t>> readers(launches.size());
  std::vector<uint32_t> ready;
  for (uint32_t i = 0; i < launches.size(); ++i) {
    missing[i] = uint32_t(launches[i].after.size());
    for (uint32_t earlier : launches[i].after)
      readers[earlier].push_back(i);
    if (!missing[i])
      ready.push_back(i);
  }
  std::minstd_rand random(uint32_t(order) + 1);
  while (!ready.empty()) {
    std::swap(ready[random() % ready.size()], ready.back());
    const uint32_t next = ready.back();
    ready.pop_back();
    if (Status status = launch(launches[next], arguments); status.failed())
      return status;
    for (uint32_t reader : readers[next])
      if (--missing[reader] == 0)
        ready.push_back(reader);
  }
  return Status::success();
}

Status createEmulatorDriver(const Artifact &artifact, uint64_t order, std::unique_ptr<GpuDriver> &driver) {
  auto emulator = std::make_unique<EmulatorDriver>(order);
  if (Status status = emulator->load(artifact); status.failed())
    return status;
  driver = std::move(emulator);
  return Status::success();
}

} // namespace mlir::rnn::runtime
