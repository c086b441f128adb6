//===- Artifact.cpp - A loaded artifact -----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Artifact.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace mlir::rnn::runtime {

Status readFile(const std::string &path, std::string &bytes, uint64_t limit) {
  auto problem = [&](const char *text) { return fileError("cannot read '" + path + "': " + text); };
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return problem(std::strerror(errno));
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};

  struct stat info;
  if (::fstat(fd, &info) != 0)
    return problem(std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return problem("not a regular file");
  if (uint64_t(info.st_size) > limit)
    return problem("the file is too large");
  bytes.resize(size_t(info.st_size));
  for (size_t at = 0; at < bytes.size();) {
    ssize_t got = ::read(fd, &bytes[at], bytes.size() - at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return problem(std::strerror(errno));
    if (got == 0)
      return problem("the file shrank while it was read");
    at += size_t(got);
  }
  return Status::success();
}

Status Artifact::open(const std::string &path, std::shared_ptr<const Artifact> &artifact) {
  std::string bytes;
  if (Status status = readFile(path, bytes); status.failed())
    return status;
  return fromMemory(std::move(bytes), path, artifact);
}

Status Artifact::fromMemory(std::string bytes, std::string name, std::shared_ptr<const Artifact> &artifact) {
  std::shared_ptr<Artifact> loaded(new Artifact);
  loaded->fileName = std::move(name);
  loaded->bytes = std::move(bytes);
  if (Status status = readArtifact(loaded->bytes, loaded->fileName, loaded->parts); status.failed())
    return status;
  std::string_view json = loaded->section(SectionKind::Tables);
  if (Status status = parseTables(json, loaded->fileName, loaded->parsed); status.failed())
    return status;
  artifact = std::move(loaded);
  return Status::success();
}

std::string_view Artifact::section(SectionKind kind) const {
  for (const Section &part : parts)
    if (part.kind == kind)
      return part.bytes;
  return {};
}

const Section *Artifact::find(SectionKind kind, std::string_view target) const {
  for (const Section &part : parts)
    if (part.kind == kind && part.target == target)
      return &part;
  return nullptr;
}

std::string Artifact::targets() const {
  std::string text;
  std::set<std::string> named; // a target may have several sections
  for (const Section &part : parts)
    if (!part.target.empty() && named.insert(part.target).second)
      text += (text.empty() ? "" : ", ") + part.target;
  if (!section(SectionKind::Module).empty())
    text += text.empty() ? "interpreter" : ", interpreter";
  return text;
}

} // namespace mlir::rnn::runtime
