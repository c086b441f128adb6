//===- Memory.cpp - Aligned memory with huge pages ------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Memory.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sys/mman.h>

namespace mlir::rnn::runtime {
namespace {

constexpr size_t kHugePage = size_t(2) << 20;
constexpr size_t kAlignment = 64;

size_t roundTo(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

} // namespace

bool Buffer::allocate(size_t bytes) {
  release();
  if (bytes > SIZE_MAX / 2)
    return false;
  bool huge = bytes >= kHugePage;
  size_t alignment = huge ? kHugePage : kAlignment;
  size_t rounded = roundTo(std::max<size_t>(bytes, 1), kAlignment);
  if (posix_memalign(&base, alignment, rounded) != 0) {
    base = nullptr;
    return false;
  }
  if (huge)
    ::madvise(base, rounded / kHugePage * kHugePage, MADV_HUGEPAGE);
  std::memset(base, 0, rounded);
  length = bytes;
  return true;
}

void Buffer::release() {
  std::free(base);
  base = nullptr;
  length = 0;
}

namespace {

/// The number at the head of a file of the kernel; UINT64_MAX if it has none.
uint64_t readNumber(const char *path) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : UINT64_MAX;
}

/// MemAvailable of the machine.
uint64_t machineMemory() {
  std::ifstream file("/proc/meminfo");
  std::string line;
  while (std::getline(file, line)) {
    unsigned long long kib = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %llu kB", &kib) == 1)
      return uint64_t(kib) * 1024;
  }
  return UINT64_MAX;
}

/// Bytes of files that a memory group can drop at once.
uint64_t reclaimable(const char *statFile) {
  std::ifstream file(statFile);
  std::string key;
  uint64_t value = 0, sum = 0;
  while (file >> key >> value)
    if (key == "inactive_file" || key == "active_file")
      sum += value;
  return sum;
}

/// What is left of a memory group's limit; UINT64_MAX without a limit.
uint64_t groupMemory(const char *limitFile, const char *usedFile, const char *statFile) {
  uint64_t limit = readNumber(limitFile), used = readNumber(usedFile);
  if (limit == UINT64_MAX || used == UINT64_MAX)
    return UINT64_MAX;
  used -= std::min(used, reclaimable(statFile));
  return limit > used ? limit - used : 0;
}

} // namespace

uint64_t availableMemory() {
  uint64_t group2 =
      groupMemory("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat");
  uint64_t group1 = groupMemory("/sys/fs/cgroup/memory/memory.limit_in_bytes",
                                "/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/memory/memory.stat");
  return std::min({machineMemory(), group2, group1});
}

std::string formatBytes(uint64_t bytes) {
  static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024)
    return std::to_string(bytes) + " bytes";
  double value = double(bytes) / 1024;
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit)
    value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

} // namespace mlir::rnn::runtime
