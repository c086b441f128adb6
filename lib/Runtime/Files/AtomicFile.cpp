//===- AtomicFile.cpp - Files that are read and written whole -------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/AtomicFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mlir::rnn::runtime {
namespace {

/// A file descriptor that is closed with its scope.
class Descriptor {
public:
  explicit Descriptor(int fd) : fd(fd) {}
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  ~Descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
  int get() const { return fd; }
  bool valid() const { return fd >= 0; }

private:
  int fd;
};

Status systemError(const char *verb, const std::string &path, int code) {
  return fileError(std::string("cannot ") + verb + " '" + path + "': " + std::strerror(code));
}

bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(size_t(written));
  }
  return true;
}

std::string folderOf(const std::string &path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

} // namespace

Status readFile(const std::string &path, std::string &bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid())
    return systemError("read", path, errno);
  struct stat info;
  if (::fstat(file.get(), &info) != 0)
    return systemError("read", path, errno);
  if (!S_ISREG(info.st_mode))
    return fileError("cannot read '" + path + "': not a regular file");
  bytes.resize(size_t(info.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t got = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return systemError("read", path, errno);
    if (got == 0)
      break;
    done += size_t(got);
  }
  bytes.resize(done);
  return Status::success();
}

namespace {

/// Where a write to the path would go: the end of a chain of symbolic links, whether or not there is a file.
std::string followLinks(std::string path) {
  constexpr int most = 40;
  for (int i = 0; i < most; ++i) {
    char buffer[4096];
    ssize_t size = ::readlink(path.c_str(), buffer, sizeof(buffer));
    if (size <= 0 || size_t(size) == sizeof(buffer))
      break;
    std::string link(buffer, size_t(size));
    path = link[0] == '/' ? link : folderOf(path) + "/" + link;
  }
  return path;
}

/// Writes to what is no regular file: a device or a pipe has no name to replace.
Status writeInPlace(const std::string &path, const std::vector<std::string_view> &pieces) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid())
    return systemError("write", path, errno);
  for (std::string_view piece : pieces)
    if (!writeAll(file.get(), piece))
      return systemError("write", path, errno);
  return Status::success();
}

} // namespace

Status writeFileAtomically(const std::string &given, const std::vector<std::string_view> &pieces) {
  struct stat info;
  bool exists = ::stat(given.c_str(), &info) == 0;
  if (!exists && errno == ELOOP)
    return systemError("write", given, errno);
  if (exists && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
    return writeInPlace(given, pieces);
  // A link stays one: what it leads to is replaced.
  std::string path = followLinks(given);
  std::string temporary = path + ".tmp." + std::to_string(::getpid());
  Descriptor folder(::open(folderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid())
    return systemError("write", given, errno);

  auto fail = [&](int code) {
    ::unlink(temporary.c_str());
    return systemError("write", given, code);
  };
  {
    Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!file.valid())
      return systemError("write", given, errno);
    for (std::string_view piece : pieces)
      if (!writeAll(file.get(), piece))
        return fail(errno);
    if (::fsync(file.get()) != 0)
      return fail(errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return fail(errno);
  if (::fsync(folder.get()) != 0)
    return systemError("write", given, errno);
  return Status::success();
}

} // namespace mlir::rnn::runtime
