//===- CudaCode.cpp - Which code of an artifact suits a GPU ---------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaCode.h"

#include <charconv>
#include <optional>

namespace mlir::rnn::runtime::cuda {
namespace {

/// `cuda:sm_90a`: the chip, and whether the code is for it alone.
struct Chip {
  int number = 0;
  bool isExact = false;
};

std::optional<Chip> parseChip(std::string_view target) {
  constexpr std::string_view prefix = "cuda:sm_";
  if (target.substr(0, prefix.size()) != prefix)
    return std::nullopt;
  Chip chip;
  const char *end = target.data() + target.size();
  auto [rest, error] = std::from_chars(target.data() + prefix.size(), end, chip.number);
  if (error != std::errc())
    return std::nullopt;
  chip.isExact = rest != end && *rest == 'a';
  return rest + chip.isExact == end ? std::optional<Chip>(chip) : std::nullopt;
}

/// Machine code runs on its own and later chips of one generation, PTX on all later chips.
bool runs(const Chip &code, SectionKind kind, int chip) {
  if (code.isExact)
    return code.number == chip;
  return code.number <= chip && (kind == SectionKind::Ptx || code.number / 10 == chip / 10);
}

} // namespace

Status chooseCode(const Artifact &artifact, int chip, Code &code) {
  code = {};
  Chip best;
  for (const Section &part : artifact.sections()) {
    if (part.kind != SectionKind::Ptx && part.kind != SectionKind::Cubin)
      continue;
    std::optional<Chip> found = parseChip(part.target);
    const Section *launches = artifact.find(SectionKind::Launches, part.target);
    if (!found || !launches || !runs(*found, part.kind, chip))
      continue;
    auto rank = [](const Chip &chip) { return 2 * chip.number + chip.isExact; };
    if (code.launches && rank(*found) < rank(best))
      continue;
    if (!code.launches || rank(*found) > rank(best))
      code = {};
    best = *found;
    code.launches = launches;
    (part.kind == SectionKind::Ptx ? code.ptx : code.cubin) = &part;
  }
  if (code.launches)
    return Status::success();
  return deviceError("'" + artifact.name() + "' has no code for 'cuda' on sm_" + std::to_string(chip),
                     {"it has: " + artifact.targets()});
}

std::string targetOf(int chip) {
  int best = 80;
  for (int known : {86, 89, 90, 100})
    if (known <= chip)
      best = known;
  return "cuda:sm_" + std::to_string(best);
}

int ptxVersionOf(std::string_view ptx) {
  constexpr std::string_view directive = ".version ";
  size_t at = ptx.find(directive);
  if (at == std::string_view::npos)
    return 0;
  int major = 0, minor = 0;
  const char *end = ptx.data() + ptx.size();
  auto [dot, error] = std::from_chars(ptx.data() + at + directive.size(), end, major);
  if (error != std::errc() || dot == end || *dot != '.' || std::from_chars(dot + 1, end, minor).ec != std::errc() ||
      major < 8 || major > 99 || minor < 0 || minor > 9)
    return 0;
  return 10 * major + minor;
}

} // namespace mlir::rnn::runtime::cuda
