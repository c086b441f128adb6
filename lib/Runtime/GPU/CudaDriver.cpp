//===- CudaDriver.cpp - A CUDA device -------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One stream in the primary context, which others in the process may share. A
// launch list that is called again for the same T becomes a graph: one launch
// for the host then, whatever the length of the list, and launches that do not
// need one another may run at the same time.
//
//===----------------------------------------------------------------------===//

#include "CudaCode.h"
#include "CudaLibrary.h"

#include "rnn/Runtime/GpuDriver.h"
#include "rnn/Runtime/PtxVersion.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

namespace mlir::rnn::runtime {
namespace cuda {
namespace {

/// Dynamic shared memory that a kernel may have without asking, and the largest
/// cluster.
constexpr uint32_t kPlainSharedBytes = 48 << 10, kPlainCluster = 8;
/// Recorded lists that are kept.
constexpr size_t kMaxGraphs = 64;

struct Kernel {
  CUfunction function = nullptr;
  uint32_t sharedBytes = 0; ///< the most that was asked for
};

/// A launch list for one T.
struct Recording {
  uint64_t calls = 0;
  GpuArguments arguments = {};
  CUgraphExec graph = nullptr;
};

class CudaDriver final : public GpuDriver {
public:
  ~CudaDriver() override;

  Status open(const Artifact &artifact, int number);

  std::string name() const override { return "cuda:" + std::to_string(ordinal); }
  int number() const override { return ordinal; }
  const Section &launches() const override { return *code.launches; }
  GpuAddress allocate(uint64_t bytes) override;
  void free(GpuAddress address) override;
  uint64_t freeMemory() override;
  Status copyIn(GpuAddress to, const void *from, uint64_t bytes) override;
  Status copyOut(void *to, GpuAddress from, uint64_t bytes) override;
  Status copyWithin(GpuAddress to, GpuAddress from, uint64_t bytes) override;
  Status copyOutLater(void *to, GpuAddress from, uint64_t bytes) override;
  void *allocateHost(uint64_t bytes) override;
  void freeHost(void *memory) override;
  Status follow(void *other) override { return order(static_cast<CUstream>(other), stream); }
  Status precede(void *other) override { return order(stream, static_cast<CUstream>(other)); }
  Status findKernel(const std::string &kernel, size_t &number) override;
  uint64_t multiprocessors() override { return uint64_t(device.multiprocessors); }
  Status countResident(const Launch &launch, size_t kernel, uint64_t &blocks) override;
  Status run(size_t list, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments) override;
  Status synchronize(double seconds) override;

private:
  /// Makes the context current for a while; the caller's own comes back.
  class Entered {
  public:
    explicit Entered(const CudaDriver &driver) : cuda(driver.cuda) { cuda.cuCtxPushCurrent(driver.context); }
    Entered(const Entered &) = delete;
    ~Entered() {
      CUcontext popped;
      cuda.cuCtxPopCurrent(&popped);
    }

  private:
    const Library &cuda;
  };

  Status order(CUstream first, CUstream then);
  Status loadCode(const Artifact &artifact);
  Status compilePtx(const Artifact &artifact);
  Status allow(const Launch &launch, Kernel &kernel);
  Status launchAll(const std::vector<GpuLaunch> &launches, const GpuArguments &arguments);
  bool record(Recording &recording, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments);
  bool addNodes(CUgraph graph, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments);
  void dropGraphs();

  Library cuda;
  DeviceInfo device;
  int ordinal = 0;
  Code code;
  std::string artifactName;
  CUcontext context = nullptr;
  CUstream stream = nullptr;
  CUevent event = nullptr; ///< for the order of two streams
  CUmodule module = nullptr;
  std::vector<Kernel> kernels;
  std::map<std::pair<size_t, int64_t>, Recording> recordings; ///< by list and T
  bool canRecord = true;
  bool hangs = false; ///< nothing that waits for the GPU may be called
};

/// A launch as libcuda wants it; it points into itself.
struct Config {
  CUlaunchAttribute attributes[2] = {};
  CUlaunchConfig config = {};

  /// `inCompany`: others run at the same time, and there is room for all.
  Config(const Launch &launch, uint32_t blocks, CUstream stream, bool inCompany = false) {
    config = {blocks, 1, 1, launch.block, 1, 1, launch.sharedBytes, stream, attributes, 0};
    // The driver may let nothing run beside a cooperative launch.
    if (launch.cooperative && !inCompany) {
      CUlaunchAttribute &attribute = attributes[config.numAttrs++];
      attribute.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
      attribute.value.cooperative = 1;
    }
    if (launch.cluster > 1) {
      CUlaunchAttribute &attribute = attributes[config.numAttrs++];
      attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
      attribute.value.clusterDim = {launch.cluster, 1, 1};
    }
  }
  Config(const Config &) = delete;
};

/// What a kernel takes; it points into itself.
struct Parameters {
  GpuArguments values;
  int64_t first, count; ///< of a piece's frames
  void *places[5] = {&values.workspace, &values.tensors, &values.frames, &first, &count};

  Parameters(const GpuLaunch &launch, const GpuArguments &arguments)
      : values(arguments), first(launch.firstFrame), count(launch.pieceFrames) {}
  Parameters(const Parameters &) = delete;
};

} // namespace

//===----------------------------------------------------------------------===//
// Device and code
//===----------------------------------------------------------------------===//

Status CudaDriver::open(const Artifact &artifact, int wanted) {
  ordinal = wanted;
  artifactName = artifact.name();
  if (Status status = cuda.load(); status.failed())
    return status;
  if (Status status = cuda.describe(ordinal, device); status.failed())
    return status;
  if (Status status = chooseCode(artifact, device.chip, code); status.failed())
    return status;
  if (Status status = cuda.check(cuda.cuDevicePrimaryCtxRetain(&context, device.handle), "cuDevicePrimaryCtxRetain");
      status.failed()) {
    context = nullptr;
    return status;
  }
  Entered entered(*this);
  if (Status status = cuda.check(cuda.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
      status.failed())
    return status;
  if (Status status = cuda.check(cuda.cuEventCreate(&event, CU_EVENT_DISABLE_TIMING), "cuEventCreate"); status.failed())
    return status;
  return loadCode(artifact);
}

CudaDriver::~CudaDriver() {
  if (!context || hangs)
    return;
  {
    Entered entered(*this);
    if (stream)
      cuda.cuStreamSynchronize(stream);
    dropGraphs();
    if (module)
      cuda.cuModuleUnload(module);
    if (event)
      cuda.cuEventDestroy(event);
    if (stream)
      cuda.cuStreamDestroy(stream);
  }
  cuda.cuDevicePrimaryCtxRelease(device.handle);
}

/// Machine code where the driver takes it, else PTX.
Status CudaDriver::loadCode(const Artifact &artifact) {
  Status refused;
  if (code.cubin) {
    CUresult result = cuda.cuModuleLoadDataEx(&module, code.cubin->bytes.data(), 0, nullptr, nullptr);
    refused = cuda.check(result, "cuModuleLoadDataEx");
    if (refused.ok())
      return refused;
    module = nullptr;
  }
  return code.ptx ? compilePtx(artifact) : refused;
}

Status CudaDriver::compilePtx(const Artifact &artifact) {
  int version = ptxVersionOf(code.ptx->bytes);
  if (version == 0)
    return fileError("'" + artifactName + "' is damaged: its code for '" + code.ptx->target + "' is no PTX");
  if (cuda.version() < cudaReleaseOf(version))
    return driverTooOld(cuda.version(), version);
  std::string text(code.ptx->bytes); // ends with a zero
  char log[4096] = "";
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(uintptr_t(sizeof log))};
  CUresult result = cuda.cuModuleLoadDataEx(&module, text.c_str(), 2, options, values);
  if (result == CUDA_SUCCESS)
    return Status::success();
  module = nullptr;
  Status status = cuda.check(result, "cuModuleLoadDataEx");
  log[sizeof log - 1] = 0;
  std::string reason(log);
  status.notes.push_back("the driver cannot compile the kernels of '" + artifactName + "'" +
                         (reason.empty() ? "" : ": " + reason.substr(0, reason.find('\n'))));
  return status;
}

Status CudaDriver::findKernel(const std::string &kernel, size_t &found) {
  Entered entered(*this);
  Kernel &added = kernels.emplace_back();
  found = kernels.size() - 1;
  CUresult result = cuda.cuModuleGetFunction(&added.function, module, kernel.c_str());
  if (result == CUDA_ERROR_NOT_FOUND)
    return fileError("'" + artifactName + "' is damaged: its code for '" + code.launches->target + "' has no kernel '" +
                     kernel + "'");
  return cuda.check(result, "cuModuleGetFunction");
}

/// Asks for what a kernel may not have otherwise.
Status CudaDriver::allow(const Launch &launch, Kernel &kernel) {
  if (launch.sharedBytes > std::max(kPlainSharedBytes, kernel.sharedBytes)) {
    CUresult result = cuda.cuFuncSetAttribute(kernel.function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                              int(launch.sharedBytes));
    if (result != CUDA_SUCCESS)
      return deviceError("kernel '" + launch.kernel + "' needs " + std::to_string(launch.sharedBytes) +
                         " bytes of shared memory, which '" + device.name + "' does not have");
    kernel.sharedBytes = launch.sharedBytes;
  }
  if (launch.cluster > kPlainCluster)
    return cuda.check(cuda.cuFuncSetAttribute(kernel.function, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1),
                      "cuFuncSetAttribute");
  return Status::success();
}

Status CudaDriver::countResident(const Launch &launch, size_t index, uint64_t &blocks) {
  Entered entered(*this);
  Kernel &kernel = kernels[index];
  if (Status status = allow(launch, kernel); status.failed())
    return status;
  int count = 0;
  if (launch.cluster > 1) {
    Config config(launch, launch.cluster, stream);
    CUresult result = cuda.cuOccupancyMaxActiveClusters(&count, kernel.function, &config.config);
    blocks = uint64_t(count) * launch.cluster;
    return cuda.check(result, "cuOccupancyMaxActiveClusters");
  }
  CUresult result =
      cuda.cuOccupancyMaxActiveBlocksPerMultiprocessor(&count, kernel.function, int(launch.block), launch.sharedBytes);
  blocks = uint64_t(count) * uint64_t(device.multiprocessors);
  return cuda.check(result, "cuOccupancyMaxActiveBlocksPerMultiprocessor");
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

GpuAddress CudaDriver::allocate(uint64_t bytes) {
  Entered entered(*this);
  CUdeviceptr address = 0;
  return cuda.cuMemAlloc(&address, bytes) == CUDA_SUCCESS ? address : 0;
}

void CudaDriver::free(GpuAddress address) {
  if (hangs)
    return;
  Entered entered(*this);
  cuda.cuMemFree(address);
}

uint64_t CudaDriver::freeMemory() {
  Entered entered(*this);
  size_t available = 0, total = 0;
  return cuda.cuMemGetInfo(&available, &total) == CUDA_SUCCESS ? available : 0;
}

Status CudaDriver::copyIn(GpuAddress to, const void *from, uint64_t bytes) {
  Entered entered(*this);
  return cuda.check(cuda.cuMemcpyHtoDAsync(to, from, bytes, stream), "cuMemcpyHtoDAsync");
}

Status CudaDriver::copyOut(void *to, GpuAddress from, uint64_t bytes) {
  Entered entered(*this);
  if (Status status = cuda.check(cuda.cuMemcpyDtoHAsync(to, from, bytes, stream), "cuMemcpyDtoHAsync"); status.failed())
    return status;
  return cuda.check(cuda.cuStreamSynchronize(stream), "cuStreamSynchronize");
}

Status CudaDriver::copyWithin(GpuAddress to, GpuAddress from, uint64_t bytes) {
  Entered entered(*this);
  return cuda.check(cuda.cuMemcpyDtoDAsync(to, from, bytes, stream), "cuMemcpyDtoDAsync");
}

Status CudaDriver::copyOutLater(void *to, GpuAddress from, uint64_t bytes) {
  Entered entered(*this);
  return cuda.check(cuda.cuMemcpyDtoHAsync(to, from, bytes, stream), "cuMemcpyDtoHAsync");
}

void *CudaDriver::allocateHost(uint64_t bytes) {
  Entered entered(*this);
  void *memory = nullptr;
  return cuda.cuMemHostAlloc(&memory, bytes, 0) == CUDA_SUCCESS ? memory : nullptr;
}

void CudaDriver::freeHost(void *memory) {
  if (hangs)
    return;
  Entered entered(*this);
  cuda.cuMemFreeHost(memory);
}

/// `then` waits for what `first` has got so far. An event may be recorded anew
/// as soon as somebody waits for it.
Status CudaDriver::order(CUstream first, CUstream then) {
  Entered entered(*this);
  if (Status status = cuda.check(cuda.cuEventRecord(event, first), "cuEventRecord"); status.failed())
    return status;
  return cuda.check(cuda.cuStreamWaitEvent(then, event, 0), "cuStreamWaitEvent");
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

Status CudaDriver::launchAll(const std::vector<GpuLaunch> &launches, const GpuArguments &arguments) {
  for (const GpuLaunch &launch : launches) {
    Parameters parameters(launch, arguments);
    Config config(*launch.launch, launch.blocks, stream);
    CUresult result =
        cuda.cuLaunchKernelEx(&config.config, kernels[launch.kernel].function, parameters.places, nullptr);
    if (result == CUDA_SUCCESS)
      continue;
    Status status = cuda.check(result, "cuLaunchKernelEx");
    status.notes.push_back("kernel '" + launch.launch->kernel + "', " + std::to_string(launch.blocks) + " blocks of " +
                           std::to_string(launch.launch->block) + " threads");
    return status;
  }
  return Status::success();
}

/// Adds each launch behind those that it names; false if the driver cannot.
bool CudaDriver::addNodes(CUgraph graph, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments) {
  std::vector<CUgraphNode> nodes, before;
  for (const GpuLaunch &launch : launches) {
    Parameters parameters(launch, arguments);
    before.clear();
    for (uint32_t earlier : launch.after)
      before.push_back(nodes[earlier]);
    Config config(*launch.launch, launch.blocks, stream, launch.overlaps);
    const CUlaunchConfig &shape = config.config;
    CUDA_KERNEL_NODE_PARAMS kernel = {};
    kernel.func = kernels[launch.kernel].function;
    kernel.gridDimX = shape.gridDimX;
    kernel.blockDimX = shape.blockDimX;
    kernel.gridDimY = kernel.gridDimZ = kernel.blockDimY = kernel.blockDimZ = 1;
    kernel.sharedMemBytes = shape.sharedMemBytes;
    kernel.kernelParams = parameters.places;
    CUgraphNode &node = nodes.emplace_back();
    if (cuda.cuGraphAddKernelNode(&node, graph, before.data(), before.size(), &kernel) != CUDA_SUCCESS)
      return false;
    for (unsigned i = 0; i < shape.numAttrs; ++i)
      if (cuda.cuGraphKernelNodeSetAttribute(node, shape.attrs[i].id, &shape.attrs[i].value) != CUDA_SUCCESS)
        return false;
  }
  return true;
}

/// Makes a graph of a list; false if the driver cannot.
bool CudaDriver::record(Recording &recording, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments) {
  if (recording.graph)
    cuda.cuGraphExecDestroy(recording.graph);
  recording.graph = nullptr;
  CUgraph graph = nullptr;
  if (cuda.cuGraphCreate(&graph, 0) != CUDA_SUCCESS)
    return false;
  bool made = addNodes(graph, launches, arguments) &&
              cuda.cuGraphInstantiateWithFlags(&recording.graph, graph, 0) == CUDA_SUCCESS;
  if (!made)
    recording.graph = nullptr;
  cuda.cuGraphDestroy(graph);
  recording.arguments = arguments;
  return made;
}

void CudaDriver::dropGraphs() {
  for (auto &[key, recording] : recordings)
    if (recording.graph)
      cuda.cuGraphExecDestroy(recording.graph);
  recordings.clear();
}

Status CudaDriver::run(size_t list, const std::vector<GpuLaunch> &launches, const GpuArguments &arguments) {
  Entered entered(*this);
  if (launches.size() < 2 || !canRecord)
    return launchAll(launches, arguments);
  std::pair<size_t, int64_t> key(list, arguments.frames);
  if (recordings.size() >= kMaxGraphs && !recordings.count(key))
    dropGraphs();
  Recording &recording = recordings[key];
  // A T that comes once is not worth a graph.
  if (++recording.calls < 2)
    return launchAll(launches, arguments);
  if (!recording.graph || !(recording.arguments == arguments))
    canRecord = record(recording, launches, arguments);
  if (!canRecord)
    return launchAll(launches, arguments);
  Status status = cuda.check(cuda.cuGraphLaunch(recording.graph, stream), "cuGraphLaunch");
  if (status.failed())
    status.notes.push_back("a graph of " + std::to_string(launches.size()) +
                           " kernels, T=" + std::to_string(arguments.frames));
  return status;
}

Status CudaDriver::synchronize(double seconds) {
  Entered entered(*this);
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  for (CUresult result; (result = cuda.cuStreamQuery(stream)) != CUDA_SUCCESS;) {
    if (result != CUDA_ERROR_NOT_READY)
      return cuda.check(result, "cuStreamQuery");
    double waited = std::chrono::duration<double>(Clock::now() - begin).count();
    if (waited > seconds) {
      hangs = true;
      return deviceError("'" + name() + "' has not finished after " + std::to_string(int64_t(seconds)) + " s",
                         {"its kernels cannot be stopped; end this process"});
    }
    // A short call is waited for awake.
    if (waited > 0.001)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return Status::success();
}

} // namespace cuda

Status createCudaDriver(const Artifact &artifact, int number, std::unique_ptr<GpuDriver> &driver) {
  auto created = std::make_unique<cuda::CudaDriver>();
  if (Status status = created->open(artifact, number); status.failed())
    return status;
  driver = std::move(created);
  return Status::success();
}

Status detectCudaTarget(int number, std::string &target) {
  cuda::Library library;
  if (Status status = library.load(); status.failed())
    return status;
  cuda::DeviceInfo device;
  if (Status status = library.describe(number, device); status.failed())
    return status;
  target = cuda::targetOf(device.chip);
  return Status::success();
}

} // namespace mlir::rnn::runtime
