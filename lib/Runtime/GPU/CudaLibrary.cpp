//===- CudaLibrary.cpp - libcuda, if it is there --------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaLibrary.h"

#include "rnn/Runtime/PtxVersion.h"

#include <dlfcn.h>

namespace mlir::rnn::runtime::cuda {
namespace {

/// The oldest PTX that the compiler writes, and the oldest chip.
constexpr int kOldestPtx = 80, kOldestChip = 80;

/// `12.2` of 12020.
std::string releaseName(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

} // namespace

Status driverTooOld(int driverVersion, int ptx) {
  return deviceError("driver supports CUDA " + releaseName(driverVersion) + ", PTX " + std::to_string(ptx / 10) + "." +
                     std::to_string(ptx % 10) + " needs " + releaseName(cudaReleaseOf(ptx)) + " or newer");
}

Status Library::load() {
  // It stays: what it has started cannot be undone by unloading it.
  void *library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library)
    return deviceError("no CUDA driver: libcuda.so.1 not found");
  auto getVersion = reinterpret_cast<CUresult (*)(int *)>(::dlsym(library, "cuDriverGetVersion"));
  if (!getVersion || getVersion(&driverVersion) != CUDA_SUCCESS)
    return deviceError("no CUDA driver: libcuda.so.1 does not tell its version");
  if (driverVersion < cudaReleaseOf(kOldestPtx))
    return driverTooOld(driverVersion, kOldestPtx);
  // It hands out the form of each function that belongs to the version we are written for.
  using GetProcAddress = CUresult (*)(const char *, void **, int, unsigned long long, void *);
  auto get = reinterpret_cast<GetProcAddress>(::dlsym(library, "cuGetProcAddress_v2"));
#define RNN_CUDA(name, parameters)                                                                                     \
  if (!get || get(#name, reinterpret_cast<void **>(&name), kCudaVersion, 0, nullptr) != CUDA_SUCCESS || !name)         \
    return deviceError("the CUDA driver lacks " #name);
#include "CudaFunctions.inc"
#undef RNN_CUDA
  return Status::success();
}

Status Library::check(CUresult result, const char *function) const {
  if (result == CUDA_SUCCESS)
    return Status::success();
  const char *name = nullptr;
  std::string text = cuGetErrorName(result, &name) == CUDA_SUCCESS && name ? name : std::to_string(result);
  return deviceError(std::string(function) + " failed: " + text);
}

Status Library::describe(int number, DeviceInfo &device) {
  int count = 0;
  CUresult result = cuInit(0);
  if (result != CUDA_ERROR_NO_DEVICE) {
    if (Status status = check(result, "cuInit"); status.failed())
      return status;
    if (Status status = check(cuDeviceGetCount(&count), "cuDeviceGetCount"); status.failed())
      return status;
  }
  if (number >= count)
    return deviceError("no CUDA device " + std::to_string(number) + ", " + std::to_string(count) + " found");
  if (Status status = check(cuDeviceGet(&device.handle, number), "cuDeviceGet"); status.failed())
    return status;
  char name[256] = "";
  if (Status status = check(cuDeviceGetName(name, sizeof name, device.handle), "cuDeviceGetName"); status.failed())
    return status;
  device.name = name;
  int major = 0, minor = 0;
  for (auto [attribute, value] : {std::pair{CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &major},
                                  {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &minor},
                                  {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, &device.multiprocessors}})
    if (Status status = check(cuDeviceGetAttribute(value, attribute, device.handle), "cuDeviceGetAttribute");
        status.failed())
      return status;
  device.chip = 10 * major + minor;
  if (device.chip < kOldestChip)
    return deviceError("'" + device.name + "' is sm_" + std::to_string(device.chip) + "; sm_" +
                       std::to_string(kOldestChip) + " or newer is required");
  return Status::success();
}

} // namespace mlir::rnn::runtime::cuda
