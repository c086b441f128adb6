//===- Npz.cpp - The .npz format: a zip file of .npy arrays ---------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The central directory at the end of a zip file is the truth; the local header
// before each member must agree with it. Sizes of 2^32 - 1 stand for 64-bit
// ones in an extra field (zip64). Members are stored or deflated.
//
//===----------------------------------------------------------------------===//

#include "NpyArray.h"
#include "rnn/Runtime/AtomicFile.h"
#include "rnn/Runtime/TensorFile.h"

#include <algorithm>
#include <cstring>
#include <zlib.h>

namespace mlir::rnn::runtime {
namespace {

constexpr uint32_t localMagic = 0x04034b50, centralMagic = 0x02014b50, endMagic = 0x06054b50;
constexpr uint32_t end64Magic = 0x06064b50, locator64Magic = 0x07064b50;
constexpr uint16_t stored = 0, deflated = 8;
/// Deflate cannot shrink by more than this factor.
constexpr uint64_t maxDeflateRatio = 1032;

Status notNpz(const std::string &path, const std::string &reason) {
  return fileError("'" + path + "' is not an npz file: " + reason);
}

template <typename T>
T load(const std::string &bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// One member as the central directory describes it.
struct Member {
  std::string name;
  uint16_t flags = 0, method = 0;
  uint32_t crc = 0;
  uint64_t packed = 0, size = 0, header = 0;
  uint64_t begin = 0; // of the packed bytes
};

/// Replaces the fields of 2^32 - 1 by those of the zip64 extra field.
bool readZip64(const std::string &bytes, uint64_t extra, uint64_t length, std::vector<uint64_t *> fields) {
  uint64_t end = extra + length;
  while (extra + 4 <= end) {
    uint16_t id = load<uint16_t>(bytes, extra), size = load<uint16_t>(bytes, extra + 2);
    extra += 4;
    if (extra + size > end)
      return false;
    if (id == 1) {
      uint64_t next = extra;
      for (uint64_t *field : fields) {
        if (*field != 0xffffffff)
          continue;
        if (next + 8 > extra + size)
          return false;
        *field = load<uint64_t>(bytes, next);
        next += 8;
      }
      return true;
    }
    extra += size;
  }
  return std::none_of(fields.begin(), fields.end(), [](uint64_t *field) { return *field == 0xffffffff; });
}

struct Directory {
  uint64_t offset = 0, size = 0, count = 0;
};

/// Finds the central directory through the record at the end of the file.
bool findDirectory(const std::string &bytes, Directory &directory) {
  if (bytes.size() < 22)
    return false;
  uint64_t lowest = bytes.size() > 22 + 65535 ? bytes.size() - 22 - 65535 : 0;
  for (uint64_t at = bytes.size() - 22;; --at) {
    if (load<uint32_t>(bytes, at) == endMagic && at + 22 + load<uint16_t>(bytes, at + 20) == bytes.size()) {
      directory = {load<uint32_t>(bytes, at + 16), load<uint32_t>(bytes, at + 12), load<uint16_t>(bytes, at + 10)};
      uint64_t end = at;
      if (at >= 20 && load<uint32_t>(bytes, at - 20) == locator64Magic) {
        uint64_t record = load<uint64_t>(bytes, at - 12);
        if (record > bytes.size() || bytes.size() - record < 56 || load<uint32_t>(bytes, record) != end64Magic)
          return false;
        directory = {load<uint64_t>(bytes, record + 48), load<uint64_t>(bytes, record + 40),
                     load<uint64_t>(bytes, record + 32)};
        end = record;
      }
      return directory.offset <= end && directory.size <= end - directory.offset &&
             directory.count <= directory.size / 46;
    }
    if (at == lowest)
      return false;
  }
}

/// Reads the central directory and the local headers; members do not overlap.
bool readMembers(const std::string &bytes, std::vector<Member> &members, std::string &reason) {
  Directory directory;
  if (!findDirectory(bytes, directory)) {
    reason = "no central directory at its end";
    return false;
  }
  uint64_t at = directory.offset, end = directory.offset + directory.size;
  for (uint64_t i = 0; i < directory.count; ++i) {
    reason = "entry " + std::to_string(i) + " of the central directory is wrong";
    if (end - at < 46 || load<uint32_t>(bytes, at) != centralMagic)
      return false;
    Member member;
    member.flags = load<uint16_t>(bytes, at + 8);
    member.method = load<uint16_t>(bytes, at + 10);
    member.crc = load<uint32_t>(bytes, at + 16);
    member.packed = load<uint32_t>(bytes, at + 20);
    member.size = load<uint32_t>(bytes, at + 24);
    member.header = load<uint32_t>(bytes, at + 42);
    uint64_t nameBytes = load<uint16_t>(bytes, at + 28), extraBytes = load<uint16_t>(bytes, at + 30);
    uint64_t commentBytes = load<uint16_t>(bytes, at + 32);
    if (end - at - 46 < nameBytes + extraBytes + commentBytes)
      return false;
    member.name = bytes.substr(at + 46, nameBytes);
    if (!readZip64(bytes, at + 46 + nameBytes, extraBytes, {&member.size, &member.packed, &member.header}))
      return false;
    at += 46 + nameBytes + extraBytes + commentBytes;

    reason = "member '" + member.name + "' has a wrong header";
    if (member.header > directory.offset || directory.offset - member.header < 30 ||
        load<uint32_t>(bytes, member.header) != localMagic)
      return false;
    member.begin =
        member.header + 30 + load<uint16_t>(bytes, member.header + 26) + load<uint16_t>(bytes, member.header + 28);
    if (member.begin > directory.offset || directory.offset - member.begin < member.packed)
      return false;
    if (load<uint16_t>(bytes, member.header + 26) != nameBytes ||
        bytes.compare(member.header + 30, nameBytes, member.name) != 0 ||
        load<uint16_t>(bytes, member.header + 8) != member.method)
      return false;
    members.push_back(std::move(member));
  }
  std::vector<const Member *> order;
  for (const Member &member : members)
    order.push_back(&member);
  std::sort(order.begin(), order.end(), [](auto *a, auto *b) { return a->header < b->header; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i]->header < order[i - 1]->begin + order[i - 1]->packed) {
      reason = "member '" + order[i]->name + "' overlaps another one";
      return false;
    }
  return true;
}

bool inflateMember(const std::string &bytes, const Member &member, std::string &content) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return false;
  content.resize(member.size);
  uint64_t in = 0, out = 0;
  int code = Z_OK;
  constexpr uint64_t step = 1 << 30;
  while (code == Z_OK) {
    uint64_t give = std::min(step, member.packed - in), take = std::min(step, member.size - out);
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data() + member.begin + in));
    stream.avail_in = uInt(give);
    stream.next_out = reinterpret_cast<Bytef *>(content.data() + out);
    stream.avail_out = uInt(take);
    code = inflate(&stream, Z_NO_FLUSH);
    in += give - stream.avail_in;
    out += take - stream.avail_out;
  }
  inflateEnd(&stream);
  return code == Z_STREAM_END && in == member.packed && out == member.size;
}

/// Reads the bytes of a member; `reason` says what is wrong with it.
bool unpack(const std::string &bytes, const Member &member, std::string &content, std::string &reason) {
  if (member.flags & 1) {
    reason = "member '" + member.name + "' is encrypted";
    return false;
  }
  if (member.method != stored && member.method != deflated) {
    reason =
        "member '" + member.name + "' has compression method " + std::to_string(member.method) + "; expected 0 or 8";
    return false;
  }
  reason = "member '" + member.name + "' is damaged";
  if (member.method == stored) {
    if (member.size != member.packed)
      return false;
    content = bytes.substr(member.begin, member.size);
  } else if (member.size / maxDeflateRatio > member.packed || !inflateMember(bytes, member, content)) {
    return false;
  }
  return crc32_z(0, reinterpret_cast<const Bytef *>(content.data()), content.size()) == member.crc;
}

template <typename T>
void append(std::string &text, T value) {
  text.append(reinterpret_cast<const char *>(&value), sizeof(T));
}

/// The fields that local header and central directory share.
void appendFields(std::string &text, uint32_t crc, uint32_t size32, size_t nameBytes, size_t extraBytes) {
  append(text, uint16_t(45)); // version needed
  append(text, uint16_t(0));  // flags
  append(text, stored);
  append(text, uint16_t(0));    // time
  append(text, uint16_t(0x21)); // date: 1980-01-01, so that equal arrays give equal files
  append(text, crc);
  append(text, size32);
  append(text, size32);
  append(text, uint16_t(nameBytes));
  append(text, uint16_t(extraBytes));
}

} // namespace

Status parseNpz(const std::string &path, const std::string &bytes, TensorFile &file) {
  std::vector<Member> members;
  std::string reason;
  if (!readMembers(bytes, members, reason))
    return notNpz(path, reason);
  for (const Member &member : members) {
    std::string name = member.name, content;
    if (name.size() < 5 || name.compare(name.size() - 4, 4, ".npy") != 0)
      return notNpz(path, "member '" + name + "' is not a .npy array");
    name.resize(name.size() - 4);
    if (!unpack(bytes, member, content, reason))
      return notNpz(path, reason);
    HostTensor tensor;
    if (!parseNpy(content, tensor, reason))
      return notNpz(path, "'" + name + "' " + reason);
    if (!file.tensors.emplace(name, std::move(tensor)).second)
      return notNpz(path, "'" + name + "' appears twice");
  }
  return Status::success();
}

Status writeNpz(const std::string &path, const TensorFile &file) {
  constexpr uint16_t extraBytes = 20; // zip64: id, length, two sizes
  std::vector<std::string> headers;
  headers.reserve(file.tensors.size());
  std::vector<std::string_view> pieces;
  std::string directory;
  uint64_t offset = 0;
  for (const auto &[name, tensor] : file.tensors) {
    std::string npy;
    if (!npyHeader(tensor, npy))
      return dtypeError("'" + name + "' is " + tensor.dtype + ", which .npz cannot hold; use .safetensors");
    std::string member = name + ".npy";
    uint64_t size = npy.size() + tensor.data.size();
    uLong crc = crc32_z(0, reinterpret_cast<const Bytef *>(npy.data()), npy.size());
    if (!tensor.data.empty()) // zlib takes a null pointer for a new start
      crc = crc32_z(crc, reinterpret_cast<const Bytef *>(tensor.data.data()), tensor.data.size());

    std::string local;
    append(local, localMagic);
    appendFields(local, uint32_t(crc), 0xffffffff, member.size(), extraBytes);
    local += member;
    append(local, uint16_t(1));
    append(local, uint16_t(16));
    append(local, size);
    append(local, size);

    append(directory, centralMagic);
    append(directory, uint16_t(45)); // version made by
    appendFields(directory, uint32_t(crc), 0xffffffff, member.size(), extraBytes + 8);
    append(directory, uint16_t(0)); // comment
    append(directory, uint16_t(0)); // disk
    append(directory, uint16_t(0)); // internal attributes
    append(directory, uint32_t(0)); // external attributes
    append(directory, uint32_t(0xffffffff));
    directory += member;
    append(directory, uint16_t(1));
    append(directory, uint16_t(24));
    append(directory, size);
    append(directory, size);
    append(directory, offset);

    headers.push_back(local + npy);
    pieces.emplace_back(headers.back());
    pieces.emplace_back(reinterpret_cast<const char *>(tensor.data.data()), tensor.data.size());
    offset += local.size() + size;
  }

  uint64_t count = file.tensors.size(), record = offset + directory.size();
  std::string end;
  append(end, end64Magic);
  append(end, uint64_t(44)); // bytes that follow
  append(end, uint16_t(45));
  append(end, uint16_t(45));
  append(end, uint32_t(0));
  append(end, uint32_t(0));
  append(end, count);
  append(end, count);
  append(end, uint64_t(directory.size()));
  append(end, offset);
  append(end, locator64Magic);
  append(end, uint32_t(0));
  append(end, record);
  append(end, uint32_t(1));
  append(end, endMagic);
  append(end, uint16_t(0));
  append(end, uint16_t(0));
  append(end, uint16_t(std::min<uint64_t>(count, 0xffff)));
  append(end, uint16_t(std::min<uint64_t>(count, 0xffff)));
  append(end, uint32_t(std::min<uint64_t>(directory.size(), 0xffffffff)));
  append(end, uint32_t(std::min<uint64_t>(offset, 0xffffffff)));
  append(end, uint16_t(0));
  pieces.emplace_back(directory);
  pieces.emplace_back(end);
  return writeFileAtomically(path, pieces);
}

} // namespace mlir::rnn::runtime
