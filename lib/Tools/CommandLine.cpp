//===- CommandLine.cpp - Options and messages of tools --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/CommandLine.h"
#include "rnn-c/Runtime.h"
#include "rnn/Runtime/ArtifactFormat.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <new>
#include <stdexcept>
#include <unistd.h>

namespace mlir::rnn::tools {
namespace {

using runtime::usageError;

std::string formatBound(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", value);
  return text;
}

Status unknownOption(const std::string &given, const std::vector<Option> &options) {
  std::vector<std::string> names;
  std::optional<std::string> meant;
  for (const Option &option : options) {
    names.push_back(option.name);
    if (option.instead && given == std::string("--") + option.instead)
      meant = option.name;
  }
  if (!meant)
    meant = nearestName(given.substr(given.find_first_not_of('-')), names);
  Status status = usageError("unknown option '" + given + "'");
  if (meant)
    status.notes.push_back("did you mean '--" + *meant + "'?");
  return status;
}

} // namespace

size_t editDistance(const std::string &a, const std::string &b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::optional<std::string> nearestName(const std::string &name, const std::vector<std::string> &words) {
  std::optional<std::string> best;
  size_t least = std::max<size_t>(name.size() / 2, 1) + 1;
  for (const std::string &word : words) {
    size_t distance = editDistance(name, word);
    if (distance < least && distance < word.size()) {
      least = distance;
      best = word;
    }
  }
  return best;
}

Status CommandLine::parse(int argc, const char *const *argv, const std::vector<Option> &options, size_t maxPositional,
                          CommandLine &line) {
  for (int i = 1; i < argc; ++i) {
    std::string text = argv[i];
    if (text.size() < 2 || text[0] != '-') {
      if (line.arguments.size() == maxPositional)
        return usageError("unexpected argument '" + text + "'");
      line.arguments.push_back(text);
      continue;
    }
    size_t equals = text.find('=');
    std::string spelled = text.substr(0, equals);
    auto option = std::find_if(options.begin(), options.end(),
                               [&](const Option &o) { return spelled == std::string("--") + o.name; });
    if (option == options.end())
      return unknownOption(spelled, options);
    if (!option->value) {
      if (equals != std::string::npos)
        return usageError("option '" + spelled + "' takes no value");
      line.values[option->name] = {""};
      continue;
    }
    if (equals == std::string::npos && i + 1 == argc)
      return usageError("option '" + spelled + "' needs a value");
    line.values[option->name].push_back(equals == std::string::npos ? argv[++i] : text.substr(equals + 1));
  }
  return Status::success();
}

std::string CommandLine::get(const std::string &name, const std::string &otherwise) const {
  auto found = values.find(name);
  return found == values.end() ? otherwise : found->second.back();
}

std::vector<std::string> CommandLine::all(const std::string &name) const {
  auto found = values.find(name);
  return found == values.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> CommandLine::list(const std::string &name) const {
  std::vector<std::string> items;
  for (const std::string &text : all(name)) {
    size_t begin = 0;
    while (begin <= text.size()) {
      size_t end = std::min(text.find(',', begin), text.size());
      if (end > begin)
        items.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return items;
}

Status CommandLine::integer(const std::string &name, int64_t low, int64_t high, int64_t &value) const {
  if (!has(name))
    return Status::success();
  std::string text = get(name);
  int64_t read = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error == std::errc::invalid_argument || end != text.data() + text.size())
    return usageError("--" + name + " must be a whole number, got '" + text + "'");
  if (error != std::errc() || read < low || read > high)
    return usageError("--" + name + " must be in [" + std::to_string(low) + ", " + std::to_string(high) + "], got " +
                      text);
  value = read;
  return Status::success();
}

Status CommandLine::number(const std::string &name, double low, double high, double &value, bool openLow,
                           bool openHigh) const {
  if (!has(name))
    return Status::success();
  std::string text = get(name);
  double read = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error == std::errc::invalid_argument || end != text.data() + text.size())
    return usageError("--" + name + " must be a number, got '" + text + "'");
  bool inside = error == std::errc() && (openLow ? read > low : read >= low) && (openHigh ? read < high : read <= high);
  if (!inside)
    return usageError("--" + name + " must be in " + (openLow ? "(" : "[") + formatBound(low) + ", " +
                      formatBound(high) + (openHigh ? ")" : "]") + ", got " + text);
  value = read;
  return Status::success();
}

Status CommandLine::choice(const std::string &name, const std::vector<std::string> &words, std::string &value) const {
  if (!has(name))
    return Status::success();
  value = get(name);
  if (std::find(words.begin(), words.end(), value) != words.end())
    return Status::success();
  std::string known;
  for (const std::string &word : words)
    known += (known.empty() ? "" : ", ") + word;
  return usageError("unknown --" + name + " '" + value + "'", {"known: " + known});
}

std::string helpText(const std::string &usage, const std::vector<Option> &options) {
  std::string text = "usage: " + usage + "\n\n";
  for (const Option &option : options) {
    std::string left = std::string("  --") + option.name + (option.value ? std::string("=") + option.value : "");
    left.resize(std::max<size_t>(left.size() + 2, 34), ' ');
    text += left + option.help + "\n";
  }
  return text;
}

std::string versionText() {
  uint32_t abi = rnnAbiVersion();
  return "rnn-mlir " RNN_VERSION_STRING "\nLLVM none\nartifact " + std::to_string(runtime::kArtifactVersion) +
         "\nabi " + std::to_string(abi >> 16) + "." + std::to_string(abi & 0xffff) + "\n";
}

void openStandardStreams() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      ::open("/dev/null", O_RDONLY); // takes the lowest number that is free: this one
}

Status flushOutput() {
  bool lost = std::ferror(stdout) != 0;
  if (std::fflush(stdout) != 0 || lost)
    return runtime::fileError("cannot write to stdout");
  return Status::success();
}

Status guarded(const std::function<Status()> &work) {
  try {
    return work();
  } catch (const std::bad_alloc &) {
    return runtime::memoryError("not enough memory");
  } catch (const std::length_error &) {
    return runtime::memoryError("not enough memory");
  } catch (const std::exception &error) {
    return runtime::internalError(error.what());
  }
}

int report(const std::string &tool, const Status &status) {
  if (!status.message.empty()) {
    const char *kind = status.code == runtime::Code::Internal ? ": internal error: " : ": error: ";
    std::fprintf(stderr, "%s%s%s\n", tool.c_str(), kind, status.message.c_str());
    for (const std::string &note : status.notes)
      std::fprintf(stderr, "note: %s\n", note.c_str());
  }
  return int(status.code);
}

void warn(const std::string &tool, const std::string &message) {
  std::fprintf(stderr, "%s: warning: %s\n", tool.c_str(), message.c_str());
}

Status notImplemented(const std::string &option) {
  return usageError("option '" + option + "' is not implemented yet");
}

} // namespace mlir::rnn::tools
