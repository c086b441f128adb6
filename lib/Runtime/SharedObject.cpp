//===- SharedObject.cpp - A shared object from memory ---------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/SharedObject.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mlir::rnn::runtime {
namespace {

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

void *openObject(const std::string &path, std::string &problem) {
  void *handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *reason = ::dlerror();
    problem = reason ? reason : "unknown reason";
  }
  return handle;
}

/// A shared object for this kind of machine.
bool isSharedObject(std::string_view bytes) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header)
    return false;
  std::memcpy(&header, bytes.data(), sizeof header);
#if defined(__x86_64__)
  constexpr int machine = EM_X86_64;
#elif defined(__aarch64__)
  constexpr int machine = EM_AARCH64;
#else
  constexpr int machine = EM_NONE;
#endif
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_type == ET_DYN && header.e_machine == machine;
}

} // namespace

std::string cacheFolder() {
  std::string folder;
  if (const char *given = std::getenv("RNN_CACHE_DIR"); given && *given)
    folder = given;
  else if (const char *home = std::getenv("HOME"); home && *home)
    folder = std::string(home) + "/.cache/rnn-mlir";
  else
    return "";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? "" : folder;
}

SharedObject::~SharedObject() {
  if (handle)
    ::dlclose(handle);
  if (fd >= 0)
    ::close(fd);
}

bool SharedObject::loadFromMemory(std::string_view bytes, std::string &problem) {
  fd = ::memfd_create("rnn-code", MFD_CLOEXEC);
  if (fd < 0 || !writeAll(fd, bytes)) {
    problem = std::strerror(errno);
    return false;
  }
  handle = openObject("/proc/self/fd/" + std::to_string(fd), problem);
  return handle != nullptr;
}

bool SharedObject::loadFromCache(std::string_view bytes, std::string &problem) {
  std::string folder = cacheFolder();
  if (folder.empty()) {
    problem = "there is no cache folder";
    return false;
  }
  std::string path = folder + "/code-XXXXXX";
  int file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) {
    problem = "'" + folder + "': " + std::strerror(errno);
    return false;
  }
  bool written = writeAll(file, bytes) && ::fchmod(file, 0700) == 0;
  if (!written)
    problem = "'" + folder + "': " + std::strerror(errno);
  ::close(file);
  if (written)
    handle = openObject(path, problem);
  ::unlink(path.c_str());
  return handle != nullptr;
}

Status SharedObject::load(std::string_view bytes, const std::string &name) {
  if (!isSharedObject(bytes))
    return fileError("'" + name +
                     "' is damaged: its host code is not a shared object for "
                     "this machine");
  std::string problem;
  if (loadFromMemory(bytes, problem) || loadFromCache(bytes, problem))
    return Status::success();
  return deviceError("cannot load the host code of '" + name + "'",
                     {problem, "set RNN_CACHE_DIR to a folder whose files may "
                               "be executed"});
}

void *SharedObject::find(const std::string &symbol) const {
  return symbol.empty() ? nullptr : ::dlsym(handle, symbol.c_str());
}

} // namespace mlir::rnn::runtime
