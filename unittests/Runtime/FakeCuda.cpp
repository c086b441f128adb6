//===- FakeCuda.cpp - A CUDA driver without a GPU -------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"

#include "CudaAbi.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>

namespace {

using namespace mlir::rnn::runtime::cuda;
using namespace mlir::rnn::runtime::test;

FakeCuda state;
constexpr int kRefused = 720; ///< a cooperative launch that is too large

// What handles point to.
struct FakeFunction {
  std::string name;
};
struct FakeModule {
  std::map<std::string, FakeFunction> functions;
};
/// Alive at the end of the process too, where a hung kernel forbids to unload them.
std::set<FakeModule *> &modules = *new std::set<FakeModule *>;

/// A node of a graph: a launch, the values of its arguments, and the numbers of those that come before.
struct Node {
  FakeLaunch launch;
  uint64_t arguments[5];
  std::vector<size_t> before;
};
using Graph = std::vector<std::unique_ptr<Node>>;

template <typename Handle, typename Object>
Handle toHandle(Object *object) {
  return reinterpret_cast<Handle>(object);
}
template <typename Object, typename Handle>
Object *fromHandle(Handle handle) {
  return reinterpret_cast<Object *>(handle);
}

int numberFrom(const char *variable, int otherwise) {
  const char *text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

void setAttribute(FakeLaunch &launch, int id, const CUlaunchAttributeValue &value) {
  if (id == CU_LAUNCH_ATTRIBUTE_COOPERATIVE)
    launch.isCooperative = value.cooperative;
  else if (id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
    launch.cluster = value.clusterDim.x;
}

void execute(const FakeLaunch &launch, void **arguments) {
  state.launches.push_back(launch);
  auto kernel = state.kernels.find(launch.kernel);
  if (kernel != state.kernels.end())
    kernel->second(arguments);
}

namespace fake {

CUresult cuInit(unsigned) {
  state.version = numberFrom("RNN_FAKE_CUDA_VERSION", state.version);
  state.devices = numberFrom("RNN_FAKE_CUDA_DEVICES", state.devices);
  state.chip = numberFrom("RNN_FAKE_CUDA_CHIP", state.chip);
  return state.devices ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}
CUresult cuDeviceGetCount(int *count) {
  *count = state.devices;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice *device, int number) {
  *device = number;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetName(char *name, int size, CUdevice) {
  std::strncpy(name, "Fake GPU", size_t(size));
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice) {
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    *value = state.chip / 10;
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    *value = state.chip % 10;
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    *value = state.processors;
    return CUDA_SUCCESS;
  }
  return 1;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  ++state.retained;
  *context = toHandle<CUcontext>(&state);
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease(CUdevice) {
  --state.retained;
  return CUDA_SUCCESS;
}
CUresult cuCtxPushCurrent(CUcontext) {
  ++state.current;
  return CUDA_SUCCESS;
}
CUresult cuCtxPopCurrent(CUcontext *) {
  --state.current;
  return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult result, const char **name) {
  *name = result == CUDA_ERROR_NO_BINARY_FOR_GPU ? "CUDA_ERROR_NO_BINARY_FOR_GPU" : "CUDA_ERROR_FAKE";
  return CUDA_SUCCESS;
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned options, int *names, void **values) {
  bool isPtx = std::memcmp(image, "\177ELF", 4) != 0;
  if (isPtx ? state.refusesPtx : state.refusesCubins) {
    for (unsigned i = 0; i < options; ++i)
      if (names[i] == CU_JIT_ERROR_LOG_BUFFER)
        std::strcpy(static_cast<char *>(values[i]), "ptxas fatal : bad\nmore");
    return isPtx ? 218 : CUDA_ERROR_NO_BINARY_FOR_GPU;
  }
  state.images.push_back(isPtx ? "ptx" : "cubin");
  ++state.modules;
  *module = toHandle<CUmodule>(*modules.insert(new FakeModule).first);
  return CUDA_SUCCESS;
}
CUresult cuModuleUnload(CUmodule module) {
  --state.modules;
  modules.erase(fromHandle<FakeModule>(module));
  delete fromHandle<FakeModule>(module);
  return CUDA_SUCCESS;
}
CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  if (name == state.missingKernel)
    return CUDA_ERROR_NOT_FOUND;
  FakeFunction &found = fromHandle<FakeModule>(module)->functions[name];
  found.name = name;
  *function = toHandle<CUfunction>(&found);
  return CUDA_SUCCESS;
}
CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  state.attributes[fromHandle<FakeFunction>(function)->name].push_back({attribute, value});
  bool isTooMuch = attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES && value > 227 * 1024;
  return isTooMuch ? 1 : CUDA_SUCCESS;
}
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *count, CUfunction, int, size_t) {
  *count = int(state.blocksPerProcessor);
  return CUDA_SUCCESS;
}
CUresult cuOccupancyMaxActiveClusters(int *count, CUfunction, const CUlaunchConfig *config) {
  *count = int(state.blocksPerProcessor * unsigned(state.processors) /
               config->attrs[config->numAttrs - 1].value.clusterDim.x);
  return CUDA_SUCCESS;
}
CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **arguments, void **) {
  if (fromHandle<FakeFunction>(function)->name == state.refusedKernel)
    return kRefused;
  FakeLaunch launch = {fromHandle<FakeFunction>(function)->name,
                       config->gridDimX,
                       config->blockDimX,
                       config->sharedMemBytes,
                       1,
                       false,
                       false};
  for (unsigned i = 0; i < config->numAttrs; ++i)
    setAttribute(launch, config->attrs[i].id, config->attrs[i].value);
  execute(launch, arguments);
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc(CUdeviceptr *address, size_t bytes) {
  if (bytes > state.freeBytes)
    return CUDA_ERROR_OUT_OF_MEMORY;
  // The size stands before the memory.
  auto *memory = static_cast<char *>(std::aligned_alloc(256, (bytes + 511) / 256 * 256));
  std::memset(memory, 0xAB, bytes + 256);
  std::memcpy(memory, &bytes, sizeof bytes);
  state.freeBytes -= bytes;
  ++state.allocations;
  *address = CUdeviceptr(reinterpret_cast<uintptr_t>(memory + 256));
  return CUDA_SUCCESS;
}
CUresult cuMemFree(CUdeviceptr address) {
  char *memory = reinterpret_cast<char *>(uintptr_t(address)) - 256;
  size_t bytes;
  std::memcpy(&bytes, memory, sizeof bytes);
  state.freeBytes += bytes;
  --state.allocations;
  std::free(memory);
  return CUDA_SUCCESS;
}
CUresult cuMemGetInfo(size_t *available, size_t *total) {
  *available = *total = state.freeBytes;
  return CUDA_SUCCESS;
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream) {
  ++state.copiesIn;
  std::memcpy(reinterpret_cast<void *>(uintptr_t(to)), from, bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream) {
  ++state.copiesOut;
  std::memcpy(to, reinterpret_cast<void *>(uintptr_t(from)), bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream) {
  ++state.copiesWithin;
  std::memcpy(reinterpret_cast<void *>(uintptr_t(to)), reinterpret_cast<void *>(uintptr_t(from)), bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  ++state.allocations;
  *memory = std::malloc(bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemFreeHost(void *memory) {
  --state.allocations;
  std::free(memory);
  return CUDA_SUCCESS;
}

CUresult cuStreamCreate(CUstream *stream, unsigned) {
  ++state.streams;
  *stream = toHandle<CUstream>(&state.version);
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy(CUstream) {
  --state.streams;
  return CUDA_SUCCESS;
}
CUresult cuStreamQuery(CUstream) {
  ++state.waits;
  return state.hangs ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}
CUresult cuStreamSynchronize(CUstream) {
  if (state.hangs)
    std::abort(); // it would never return
  return CUDA_SUCCESS;
}
CUresult cuEventCreate(CUevent *event, unsigned) {
  ++state.events;
  *event = toHandle<CUevent>(new void *());
  return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
  *fromHandle<void *>(event) = stream;
  return CUDA_SUCCESS;
}
CUresult cuEventDestroy(CUevent event) {
  --state.events;
  delete fromHandle<void *>(event);
  return CUDA_SUCCESS;
}
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  state.orders.push_back({*fromHandle<void *>(event), stream});
  return CUDA_SUCCESS;
}
CUresult cuGraphCreate(CUgraph *graph, unsigned) {
  if (state.refusesGraphs)
    return 900;
  ++state.graphs;
  *graph = toHandle<CUgraph>(new Graph);
  return CUDA_SUCCESS;
}
CUresult cuGraphAddKernelNode(CUgraphNode *node, CUgraph handle, const CUgraphNode *before, size_t count,
                              const CUDA_KERNEL_NODE_PARAMS *parameters) {
  Graph &graph = *fromHandle<Graph>(handle);
  Node &added = *graph.emplace_back(new Node);
  added.launch = {fromHandle<FakeFunction>(parameters->func)->name,
                  parameters->gridDimX,
                  parameters->blockDimX,
                  parameters->sharedMemBytes,
                  1,
                  false,
                  true};
  for (int i = 0; i < 5; ++i)
    std::memcpy(&added.arguments[i], parameters->kernelParams[i], 8);
  for (size_t i = 0; i < count; ++i)
    for (size_t number = 0; number < graph.size(); ++number)
      if (graph[number].get() == fromHandle<Node>(before[i]))
        added.before.push_back(number);
  *node = toHandle<CUgraphNode>(&added);
  return added.before.size() == count ? CUDA_SUCCESS : 1;
}
CUresult cuGraphKernelNodeSetAttribute(CUgraphNode node, int id, const CUlaunchAttributeValue *value) {
  setAttribute(fromHandle<Node>(node)->launch, id, *value);
  return CUDA_SUCCESS;
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long) {
  ++state.graphs;
  ++state.graphsMade;
  auto *copy = new Graph;
  for (const std::unique_ptr<Node> &node : *fromHandle<Graph>(graph))
    copy->emplace_back(new Node(*node));
  *exec = toHandle<CUgraphExec>(copy);
  return CUDA_SUCCESS;
}
/// Runs, of the nodes that need not wait, always the last one: what a graph does not say is not so.
CUresult cuGraphLaunch(CUgraphExec exec, CUstream) {
  ++state.graphLaunches;
  Graph &graph = *fromHandle<Graph>(exec);
  for (const auto &node : graph)
    if (node->launch.kernel == state.refusedKernel)
      return kRefused;
  std::vector<bool> isDone(graph.size());
  auto isReady = [&](size_t number) {
    const std::vector<size_t> &before = graph[number]->before;
    return !isDone[number] && std::all_of(before.begin(), before.end(), [&](size_t other) { return isDone[other]; });
  };
  for (size_t done = 0; done < graph.size(); ++done) {
    size_t next = graph.size() - 1;
    while (!isReady(next))
      --next;
    uint64_t *values = graph[next]->arguments;
    void *arguments[] = {values, values + 1, values + 2, values + 3, values + 4};
    execute(graph[next]->launch, arguments);
    isDone[next] = true;
  }
  return CUDA_SUCCESS;
}
CUresult cuGraphDestroy(CUgraph graph) {
  --state.graphs;
  delete fromHandle<Graph>(graph);
  return CUDA_SUCCESS;
}
CUresult cuGraphExecDestroy(CUgraphExec exec) {
  --state.graphs;
  delete fromHandle<Graph>(exec);
  return CUDA_SUCCESS;
}

} // namespace fake

/// All of them, with the types that the runtime calls them by.
const std::map<std::string, void *> &functions() {
  static const std::map<std::string, void *> table = {
#define RNN_CUDA(name, parameters) {#name, reinterpret_cast<void *>(static_cast<CUresult(*) parameters>(&fake::name))},
#include "CudaFunctions.inc"
#undef RNN_CUDA
  };
  return table;
}

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT FakeCuda *fakeCuda() { return &state; }

EXPORT CUresult cuDriverGetVersion(int *version) {
  *version = numberFrom("RNN_FAKE_CUDA_VERSION", state.version);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long long, void *) {
  auto found = functions().find(name);
  *function = found == functions().end() || name == state.missing || version != kCudaVersion ? nullptr : found->second;
  return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}
