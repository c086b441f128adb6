//===- ArtifactFormat.cpp - The container of an artifact ------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/ArtifactFormat.h"

#include "rnn/Runtime/Sha256.h"

#include <algorithm>
#include <cstring>

namespace mlir::rnn::runtime {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kVersionAt = 4;
constexpr size_t kSizeAt = 8;
constexpr size_t kHashAt = 16;
constexpr size_t kCountAt = 48;
constexpr size_t kEntriesAt = 52;
constexpr size_t kEntrySize = 52;
constexpr size_t kTargetSize = 32;
constexpr size_t kMaxSections = 1024;

size_t roundToPage(size_t n) { return (n + kPage - 1) / kPage * kPage; }

template <typename T>
void store(std::string &file, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    file[at + i] = char(value >> (8 * i));
}

template <typename T>
T load(std::string_view file, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= T(uint8_t(file[at + i])) << (8 * i);
  return value;
}

Sha256Digest hashOf(std::string_view file) { return sha256(file.data() + kCountAt, file.size() - kCountAt); }

Status damaged(const std::string &name, const std::string &reason) {
  return fileError("'" + name + "' is damaged: " + reason);
}

/// Reads entry `index` of the table of sections and checks its own bounds.
Status readEntry(std::string_view file, const std::string &name, size_t index, Section &section) {
  size_t at = kEntriesAt + index * kEntrySize;
  auto offset = load<uint64_t>(file, at + 4);
  auto size = load<uint64_t>(file, at + 12);
  std::string number = std::to_string(index);
  if (offset % kPage != 0)
    return damaged(name, "section " + number + " is not at a multiple of 4096");
  if (offset > file.size() || size > file.size() - offset)
    return damaged(name, "section " + number + " ends outside the file");
  if (size == 0)
    return damaged(name, "section " + number + " is empty");
  std::string_view target = file.substr(at + 20, kTargetSize);
  size_t length = std::min(target.find('\0'), target.size());
  if (length == kTargetSize || target.find_first_not_of('\0', length) != target.npos)
    return damaged(name, "section " + number + " has a malformed target");
  section.kind = SectionKind(load<uint32_t>(file, at));
  section.target = std::string(target.substr(0, length));
  section.bytes = file.substr(offset, size);
  return Status::success();
}

/// Every byte of the file belongs to the header, to one section, or is zero.
Status checkLayout(std::string_view file, const std::string &name, const std::vector<Section> &sections) {
  std::vector<std::string_view> order;
  for (const Section &section : sections)
    order.push_back(section.bytes);
  std::sort(order.begin(), order.end(), [](auto a, auto b) { return a.data() < b.data(); });
  size_t end = kEntriesAt + sections.size() * kEntrySize;
  for (std::string_view bytes : order) {
    size_t begin = size_t(bytes.data() - file.data());
    if (begin < end)
      return damaged(name, "sections overlap");
    if (file.substr(end, begin - end).find_first_not_of('\0') != file.npos)
      return damaged(name, "a gap between sections is not zero");
    end = begin + bytes.size();
  }
  if (end != file.size())
    return damaged(name, "bytes after the last section");
  return Status::success();
}

} // namespace

Status writeArtifact(const std::vector<Section> &sections, std::string &file) {
  if (sections.empty() || sections.size() > kMaxSections)
    return internalError("an artifact has 1 to 1024 sections, got " + std::to_string(sections.size()));
  size_t headerSize = kEntriesAt + sections.size() * kEntrySize;
  size_t end = headerSize;
  for (const Section &section : sections) {
    if (section.target.size() >= kTargetSize)
      return internalError("target '" + section.target + "' is longer than 31 bytes");
    if (section.bytes.empty())
      return internalError("section of kind " + std::to_string(uint32_t(section.kind)) + " is empty");
    end = roundToPage(end) + section.bytes.size();
  }

  file.assign(end, '\0');
  file.replace(0, 4, "RNNC");
  store<uint32_t>(file, kVersionAt, kArtifactVersion);
  store<uint64_t>(file, kSizeAt, end);
  store<uint32_t>(file, kCountAt, uint32_t(sections.size()));
  size_t entry = kEntriesAt, offset = headerSize;
  for (const Section &section : sections) {
    offset = roundToPage(offset);
    store<uint32_t>(file, entry, uint32_t(section.kind));
    store<uint64_t>(file, entry + 4, offset);
    store<uint64_t>(file, entry + 12, section.bytes.size());
    file.replace(entry + 20, section.target.size(), section.target);
    file.replace(offset, section.bytes.size(), section.bytes);
    entry += kEntrySize;
    offset += section.bytes.size();
  }
  Sha256Digest hash = hashOf(file);
  std::memcpy(&file[kHashAt], hash.data(), hash.size());
  return Status::success();
}

Status readArtifact(std::string_view file, const std::string &name, std::vector<Section> &sections) {
  sections.clear();
  if (file.size() < 4 || file.substr(0, 4) != "RNNC")
    return fileError("'" + name + "' is not an artifact: magic RNNC is missing");
  if (file.size() < kEntriesAt)
    return damaged(name, "the header is cut off");
  auto version = load<uint32_t>(file, kVersionAt);
  if (version < 1 || version > kArtifactVersion)
    return fileError("'" + name + "' has artifact version " + std::to_string(version) + ", this runtime reads 1 to " +
                     std::to_string(kArtifactVersion));
  auto size = load<uint64_t>(file, kSizeAt);
  if (size != file.size())
    return damaged(name,
                   "it should have " + std::to_string(size) + " bytes, the file has " + std::to_string(file.size()));
  Sha256Digest hash = hashOf(file);
  if (std::memcmp(file.data() + kHashAt, hash.data(), hash.size()) != 0)
    return damaged(name, "hash does not match");

  auto count = load<uint32_t>(file, kCountAt);
  if (count == 0 || count > kMaxSections || kEntriesAt + count * kEntrySize > file.size())
    return damaged(name, std::to_string(count) + " sections do not fit");
  sections.resize(count);
  for (size_t i = 0; i < count; ++i)
    if (Status status = readEntry(file, name, i, sections[i]); status.failed())
      return status;
  return checkLayout(file, name, sections);
}

} // namespace mlir::rnn::runtime
