//===- Safetensors.cpp - The safetensors format ---------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// u64 length of the header, the header as JSON, the data. The header maps each
// name to {dtype, shape, data_offsets}, the offsets counted from the end of the
// header; "__metadata__" maps strings to strings.
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/AtomicFile.h"
#include "rnn/Runtime/TensorFile.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

using nlohmann::json;

namespace mlir::rnn::runtime {
namespace {

constexpr uint64_t maxHeaderBytes = 100'000'000;

struct DtypeName {
  const char *file;
  const char *ours;
};
constexpr std::array<DtypeName, 13> dtypeNames = {{{"F64", "f64"},
                                                   {"F32", "f32"},
                                                   {"F16", "f16"},
                                                   {"BF16", "bf16"},
                                                   {"I64", "i64"},
                                                   {"I32", "i32"},
                                                   {"I16", "i16"},
                                                   {"I8", "i8"},
                                                   {"U64", "u64"},
                                                   {"U32", "u32"},
                                                   {"U16", "u16"},
                                                   {"U8", "u8"},
                                                   {"BOOL", "i1"}}};

/// Header and the span of data that one tensor takes.
struct Entry {
  std::string name;
  HostTensor tensor;
  uint64_t begin = 0;
  uint64_t end = 0;
};

Status notSafetensors(const std::string &path, const std::string &reason) {
  return fileError("'" + path + "' is not a safetensors file: " + reason);
}

Status truncated(const std::string &path, const std::string &what, uint64_t end, uint64_t size) {
  return fileError("'" + path + "' is truncated: " + what + " ends at byte " + std::to_string(end) + ", the file has " +
                   std::to_string(size));
}

/// Parses JSON that is at most three levels deep and names no key twice.
bool parseHeader(std::string_view text, json &header, std::string &reason) {
  std::vector<std::set<std::string>> keys(4);
  auto check = [&](int depth, json::parse_event_t event, json &value) {
    if (depth > 3 && reason.empty())
      reason = "the header is nested too deeply";
    if (depth > 3)
      return false;
    if (event == json::parse_event_t::object_start)
      keys[depth].clear();
    if (event == json::parse_event_t::key && !keys[depth - 1].insert(value.get<std::string>()).second && reason.empty())
      reason = "'" + value.get<std::string>() + "' appears twice";
    return true;
  };
  header = json::parse(text.begin(), text.end(), check, /*allow_exceptions=*/false);
  if (reason.empty() && (header.is_discarded() || !header.is_object()))
    reason = "the header is not a JSON object";
  return reason.empty();
}

/// Reads one entry of the header; `reason` says what is wrong with it.
bool parseEntry(const std::string &name, const json &value, Entry &entry, std::string &reason) {
  entry.name = name;
  auto fail = [&](const std::string &why) {
    reason = "'" + name + "' " + why;
    return false;
  };
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets") ||
      value.size() != 3)
    return fail("lacks dtype, shape or data_offsets");
  const json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  if (!dtype.is_string())
    return fail("has a dtype that is not a string");
  auto known = std::find_if(dtypeNames.begin(), dtypeNames.end(),
                            [&](const DtypeName &d) { return dtype.get_ref<const std::string &>() == d.file; });
  if (known == dtypeNames.end())
    return fail("has unknown dtype '" + dtype.get<std::string>() + "'");
  entry.tensor.dtype = known->ours;

  if (!shape.is_array() || shape.size() > 16)
    return fail("has a shape that is not a list of at most 16 numbers");
  for (const json &dim : shape) {
    if (!dim.is_number_unsigned() || dim.get<uint64_t>() > (uint64_t(1) << 40))
      return fail("has a dimension that is not a number from 0 to 2^40");
    entry.tensor.shape.push_back(dim.get<int64_t>());
  }
  std::optional<int64_t> count = numElements(entry.tensor.shape);
  if (!count)
    return fail("has too many elements (limit 2^40)");

  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    return fail("has data_offsets that are not two numbers");
  entry.begin = offsets[0].get<uint64_t>();
  entry.end = offsets[1].get<uint64_t>();
  uint64_t bytes = uint64_t(*count) * dtypeSize(entry.tensor.dtype);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes)
    return fail("needs " + std::to_string(bytes) + " bytes, but its data_offsets are " + std::to_string(entry.begin) +
                " and " + std::to_string(entry.end));
  return true;
}

} // namespace

Status parseSafetensors(const std::string &path, const std::string &bytes, TensorFile &file) {
  if (bytes.size() < 8)
    return truncated(path, "the header length", 8, bytes.size());
  uint64_t headerBytes;
  std::memcpy(&headerBytes, bytes.data(), 8);
  if (headerBytes > maxHeaderBytes)
    return notSafetensors(path, "a header of " + std::to_string(headerBytes) + " bytes is too long");
  if (8 + headerBytes > bytes.size())
    return truncated(path, "the header", 8 + headerBytes, bytes.size());

  json header;
  std::string reason;
  if (!parseHeader(std::string_view(bytes).substr(8, headerBytes), header, reason))
    return notSafetensors(path, reason);

  std::vector<Entry> entries;
  for (const auto &[name, value] : header.items()) {
    if (name == "__metadata__") {
      if (!value.is_object())
        return notSafetensors(path, "__metadata__ is not an object");
      for (const auto &[key, text] : value.items()) {
        if (!text.is_string())
          return notSafetensors(path, "metadata '" + key + "' is not a string");
        file.metadata[key] = text.get<std::string>();
      }
      continue;
    }
    Entry entry;
    if (!parseEntry(name, value, entry, reason))
      return notSafetensors(path, reason);
    entries.push_back(std::move(entry));
  }

  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  uint64_t data = 8 + headerBytes, room = bytes.size() - data, position = 0;
  for (const Entry &entry : entries) {
    if (entry.begin < position)
      return notSafetensors(path, "'" + entry.name + "' overlaps another tensor");
    if (entry.begin > position)
      return notSafetensors(path, "there is a hole before '" + entry.name + "'");
    if (entry.end > room)
      return truncated(path, "'" + entry.name + "'", data + entry.end, bytes.size());
    position = entry.end;
  }
  if (position != room)
    return notSafetensors(path, std::to_string(room - position) + " bytes after the last tensor");

  for (Entry &entry : entries) {
    entry.tensor.data.resize(entry.end - entry.begin);
    if (!entry.tensor.data.empty())
      std::memcpy(entry.tensor.data.data(), bytes.data() + data + entry.begin, entry.tensor.data.size());
    file.tensors[entry.name] = std::move(entry.tensor);
  }
  return Status::success();
}

Status writeSafetensors(const std::string &path, const TensorFile &file) {
  json header = json::object();
  if (!file.metadata.empty())
    header["__metadata__"] = file.metadata;
  uint64_t offset = 0;
  for (const auto &[name, tensor] : file.tensors) {
    auto known = std::find_if(dtypeNames.begin(), dtypeNames.end(),
                              [&dtype = tensor.dtype](const DtypeName &d) { return dtype == d.ours; });
    if (known == dtypeNames.end())
      return internalError("'" + name + "' has dtype '" + tensor.dtype + "', unknown to .safetensors");
    header[name] = {
        {"dtype", known->file}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.data.size()}}};
    offset += tensor.data.size();
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  uint64_t length = text.size();
  std::vector<std::string_view> pieces = {{reinterpret_cast<const char *>(&length), 8}, text};
  for (const auto &[name, tensor] : file.tensors)
    pieces.emplace_back(reinterpret_cast<const char *>(tensor.data.data()), tensor.data.size());
  return writeFileAtomically(path, pieces);
}

} // namespace mlir::rnn::runtime
