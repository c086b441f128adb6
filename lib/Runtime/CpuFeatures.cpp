//===- CpuFeatures.cpp - What this CPU can run ----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/CpuFeatures.h"

#include <fstream>
#include <sstream>

namespace mlir::rnn::runtime {
namespace {

/// The kernel and the compiler differ in punctuation only, mostly.
std::string normalize(std::string_view name) {
  std::string text;
  for (char c : name)
    if (c != '_' && c != '-' && c != '.')
      text += c;
  return text;
}

/// Names of the compiler, and what the kernel calls them.
constexpr std::pair<std::string_view, std::string_view> kKernelNames[] = {{"bmi", "bmi1"},
                                                                          {"crc32", "sse4_2"},
                                                                          {"lzcnt", "abm"},
                                                                          {"pclmul", "pclmulqdq"},
                                                                          {"prfchw", "3dnowprefetch"},
                                                                          {"rdrnd", "rdrand"},
                                                                          {"sahf", "lahf_lm"},
                                                                          {"sha", "sha_ni"},
                                                                          {"sse3", "pni"},
                                                                          {"x87", "fpu"},
                                                                          {"64bit", "lm"},
                                                                          {"shstk", "user_shstk"}};

std::string kernelFlags() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line))
    if (line.rfind("flags", 0) == 0 || line.rfind("Features", 0) == 0)
      return line.substr(std::min(line.find(':') + 1, line.size()));
  return "";
}

} // namespace

CpuFeatures::CpuFeatures() : CpuFeatures(kernelFlags()) {}

CpuFeatures::CpuFeatures(std::string_view flags) {
  std::istringstream words{std::string(flags)};
  for (std::string word; words >> word;)
    names.insert(normalize(word));
}

bool CpuFeatures::has(std::string_view feature) const {
  for (auto [compilerName, kernelName] : kKernelNames)
    if (feature == compilerName)
      feature = kernelName;
  return names.count(normalize(feature)) != 0;
}

namespace {

const char *const kLevel3[] = {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"};
const char *const kLevel4[] = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};

/// The first feature of a list that is missing; empty if all are there.
template <typename List>
std::string findMissing(const CpuFeatures &cpu, const List &features) {
  for (const auto &feature : features)
    if (!cpu.has(feature))
      return feature;
  return "";
}

/// The first feature that a section needs and the CPU lacks.
std::string findMissing(const Artifact &artifact, const CpuFeatures &cpu, const Section &code) {
  std::string missing;
  bool isLevel4 = code.target == "cpu:x86-64-v4";
  if (isLevel4 || code.target == "cpu:x86-64-v3")
    missing = findMissing(cpu, kLevel3);
  if (missing.empty() && isLevel4)
    missing = findMissing(cpu, kLevel4);
  for (const std::string &key : {std::string(), code.target}) {
    auto it = artifact.tables().needs.find(key);
    if (missing.empty() && it != artifact.tables().needs.end())
      missing = findMissing(cpu, it->second);
  }
  return missing;
}

int rank(const Section &code) {
  if (code.target == "cpu:x86-64-v3")
    return 1;
  return code.target == "cpu:x86-64-v4" ? 2 : 3;
}

} // namespace

Status checkFeatures(const Artifact &artifact, const CpuFeatures &cpu, const Section &code) {
  std::string missing = findMissing(artifact, cpu, code);
  return missing.empty() ? Status::success()
                         : deviceError("'" + artifact.name() + "' needs " + missing + ", which this CPU lacks");
}

Status chooseHostCode(const Artifact &artifact, const CpuFeatures &cpu, const Section *&code) {
  code = nullptr;
  std::string lack;
  for (const Section &part : artifact.sections()) {
    if (part.kind != SectionKind::HostCode)
      continue;
    std::string missing = findMissing(artifact, cpu, part);
    if (!missing.empty())
      lack = missing;
    else if (!code || rank(part) > rank(*code))
      code = &part;
  }
  if (code)
    return Status::success();
  if (lack.empty())
    return deviceError("'" + artifact.name() + "' has no code for 'cpu'", {"it has: " + artifact.targets()});
  bool canLevel3 = findMissing(cpu, kLevel3).empty();
  return deviceError("'" + artifact.name() + "' needs " + lack + ", which this CPU lacks",
                     {std::string("recompile with --target=cpu") + (canLevel3 ? ":x86-64-v3" : "")});
}

} // namespace mlir::rnn::runtime
