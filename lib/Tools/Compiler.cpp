//===- Compiler.cpp - rnn-compile as a child ------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Compiler.h"
#include "rnn/Tools/Interrupt.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace mlir::rnn::tools {
namespace {

using namespace runtime;

/// The path of rnn-compile; empty if there is none.
std::string findCompiler() {
  std::error_code error;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string beside = (self.parent_path() / "rnn-compile").string();
  if (!error && ::access(beside.c_str(), X_OK) == 0)
    return beside;
  const char *path = std::getenv("PATH");
  std::string folders = path ? path : "";
  for (size_t begin = 0; begin <= folders.size();) {
    size_t end = std::min(folders.find(':', begin), folders.size());
    std::string candidate = folders.substr(begin, end - begin) + "/rnn-compile";
    if (end > begin && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
    begin = end + 1;
  }
  return "";
}

/// Reads until the other end is closed; false if an interrupt came.
bool drain(int fd, std::string &text) {
  char buffer[4096];
  while (true) {
    ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got > 0)
      text.append(buffer, size_t(got));
    else if (got == 0)
      return true;
    else if (errno != EINTR || interruptSignal())
      return false;
  }
}

} // namespace

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path.empty() && !kept)
    std::filesystem::remove_all(path, ignored);
}

Status TemporaryFolder::create() {
  std::error_code error;
  std::filesystem::path base = std::filesystem::temp_directory_path(error);
  std::string pattern = (error ? std::filesystem::path("/tmp") : base) / "rnn-XXXXXX";
  if (!::mkdtemp(pattern.data()))
    return fileError("cannot create a folder in '" + base.string() + "': " + std::strerror(errno));
  path = pattern;
  return Status::success();
}

Status runCompiler(const std::vector<std::string> &arguments, std::string *output) {
  std::string compiler = findCompiler();
  if (compiler.empty())
    return deviceError("rnn-compile not found; only .rnnc files run here");
  std::vector<char *> argv = {compiler.data()};
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);

  int ends[2] = {-1, -1};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (output) {
    if (::pipe(ends) != 0)
      return internalError(std::string("cannot create a pipe: ") + std::strerror(errno));
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    ::posix_spawn_file_actions_addclose(&actions, ends[0]);
    ::posix_spawn_file_actions_addclose(&actions, ends[1]);
  }
  pid_t child = 0;
  int failure = ::posix_spawn(&child, compiler.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (output)
    ::close(ends[1]);
  if (failure) {
    if (output)
      ::close(ends[0]);
    return deviceError("cannot start '" + compiler + "': " + std::strerror(failure));
  }

  bool interrupted = output && !drain(ends[0], *output);
  if (output)
    ::close(ends[0]);
  int state = 0;
  while (!interrupted && ::waitpid(child, &state, 0) < 0)
    interrupted = errno != EINTR || interruptSignal();
  if (interrupted) {
    ::kill(child, SIGTERM);
    ::waitpid(child, &state, 0);
    return interruptedStatus();
  }
  if (WIFSIGNALED(state))
    return interruptSignal() ? interruptedStatus()
                             : internalError("rnn-compile was ended by signal " + std::to_string(WTERMSIG(state)));
  if (WEXITSTATUS(state) != 0)
    return Status::error(Code(WEXITSTATUS(state)), Kind::Compile, "");
  return Status::success();
}

Status needsCompiler(const std::string &model, bool &compile) {
  std::string extension = std::filesystem::path(model).extension().string();
  compile = extension == ".mlir" || extension == ".mlirbc";
  if (!compile && extension != ".rnnc")
    return fileError("'" + model + "' has unknown extension; expected .mlir, .mlirbc or .rnnc");
  return Status::success();
}

} // namespace mlir::rnn::tools
