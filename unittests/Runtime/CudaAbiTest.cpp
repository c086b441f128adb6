//===- CudaAbiTest.cpp - Our declarations of libcuda and cuda.h -----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled where a CUDA toolkit is installed. Types have other names on the two
// sides, so parameters are compared by kind and size.
//
//===----------------------------------------------------------------------===//

#include <cuda.h>

#include "CudaAbi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>

namespace mlir::rnn::runtime::cuda {
/// What we declare, with our types.
struct Declared {
#define RNN_CUDA(name, parameters) CUresult(*name) parameters;
#include "CudaFunctions.inc"
#undef RNN_CUDA
};
} // namespace mlir::rnn::runtime::cuda

namespace {

namespace ours = mlir::rnn::runtime::cuda;

/// Whether two types are passed alike.
template <typename A, typename B>
constexpr bool isAlike() {
  return sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>;
}

template <typename A, typename B>
struct Signatures;
template <typename RA, typename... As, typename RB, typename... Bs>
struct Signatures<RA (*)(As...), RB (*)(Bs...)> {
  static constexpr bool areAlike() {
    if constexpr (sizeof...(As) == sizeof...(Bs))
      return isAlike<RA, RB>() && (isAlike<As, Bs>() && ...);
    return false;
  }
};

// Some names are macros of cuda.h, which name the newest form of a function.
#define RNN_CUDA(name, parameters)                                                                                     \
  static_assert(Signatures<decltype(ours::Declared::name), decltype(&::name)>::areAlike(), #name);
#include "CudaFunctions.inc"
#undef RNN_CUDA

static_assert(sizeof(ours::CUlaunchAttribute) == sizeof(::CUlaunchAttribute));
static_assert(offsetof(ours::CUlaunchAttribute, value) == offsetof(::CUlaunchAttribute, value));
static_assert(sizeof(ours::CUlaunchConfig) == sizeof(::CUlaunchConfig));
static_assert(offsetof(ours::CUlaunchConfig, blockDimX) == offsetof(::CUlaunchConfig, blockDimX));
static_assert(offsetof(ours::CUlaunchConfig, sharedMemBytes) == offsetof(::CUlaunchConfig, sharedMemBytes));
static_assert(offsetof(ours::CUlaunchConfig, hStream) == offsetof(::CUlaunchConfig, hStream));
static_assert(offsetof(ours::CUlaunchConfig, attrs) == offsetof(::CUlaunchConfig, attrs));
static_assert(offsetof(ours::CUlaunchConfig, numAttrs) == offsetof(::CUlaunchConfig, numAttrs));

static_assert(sizeof(ours::CUDA_KERNEL_NODE_PARAMS) == sizeof(::CUDA_KERNEL_NODE_PARAMS));
static_assert(offsetof(ours::CUDA_KERNEL_NODE_PARAMS, blockDimX) == offsetof(::CUDA_KERNEL_NODE_PARAMS, blockDimX));
static_assert(offsetof(ours::CUDA_KERNEL_NODE_PARAMS, sharedMemBytes) ==
              offsetof(::CUDA_KERNEL_NODE_PARAMS, sharedMemBytes));
static_assert(offsetof(ours::CUDA_KERNEL_NODE_PARAMS, kernelParams) ==
              offsetof(::CUDA_KERNEL_NODE_PARAMS, kernelParams));
static_assert(offsetof(ours::CUDA_KERNEL_NODE_PARAMS, extra) == offsetof(::CUDA_KERNEL_NODE_PARAMS, extra));
static_assert(offsetof(ours::CUDA_KERNEL_NODE_PARAMS, ctx) == offsetof(::CUDA_KERNEL_NODE_PARAMS, ctx));

#define RNN_SAME(name) static_assert(int(ours::name) == int(::name), #name)
RNN_SAME(CUDA_SUCCESS);
RNN_SAME(CUDA_ERROR_OUT_OF_MEMORY);
RNN_SAME(CUDA_ERROR_NO_DEVICE);
RNN_SAME(CUDA_ERROR_NO_BINARY_FOR_GPU);
RNN_SAME(CUDA_ERROR_NOT_FOUND);
RNN_SAME(CUDA_ERROR_NOT_READY);
RNN_SAME(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
RNN_SAME(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
RNN_SAME(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
RNN_SAME(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
RNN_SAME(CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED);
RNN_SAME(CU_LAUNCH_ATTRIBUTE_COOPERATIVE);
RNN_SAME(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
RNN_SAME(CU_JIT_ERROR_LOG_BUFFER);
RNN_SAME(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
RNN_SAME(CU_STREAM_NON_BLOCKING);
RNN_SAME(CU_EVENT_DISABLE_TIMING);
#undef RNN_SAME

// cuGetProcAddress looks for the name itself: where cuda.h says another name instead, which is more than a newer form
// of the function, it would hand out something else.
TEST(CudaAbi, FunctionsHaveTheNamesOfTheDriver) {
#define RNN_TEXT(name) #name
#define RNN_CUDA(name, parameters)                                                                                     \
  {                                                                                                                    \
    std::string known = RNN_TEXT(name), form = known.substr(std::min(known.size(), sizeof(#name) - 1));                \
    EXPECT_TRUE(form.empty() || form.rfind("_v", 0) == 0) << #name << " is " << known;                                 \
  }
#include "CudaFunctions.inc"
#undef RNN_CUDA
#undef RNN_TEXT
}

TEST(CudaAbi, AttributesLieAtTheSamePlace) {
  ours::CUlaunchAttribute attribute = {};
  attribute.value.clusterDim = {7, 8, 9};
  const auto &theirs = reinterpret_cast<const ::CUlaunchAttribute &>(attribute);
  EXPECT_EQ(theirs.value.clusterDim.x, 7u);
  EXPECT_EQ(theirs.value.clusterDim.z, 9u);
  EXPECT_EQ(theirs.value.cooperative, 7);
}

} // namespace
