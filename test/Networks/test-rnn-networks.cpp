//===- test-rnn-networks.cpp - Checks many networks in one process --------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   test-rnn-networks [--stages=passes,cpu,emulator] [--seed=<n>] <file>
//
// The networks of a file are separated by lines `// -----`. A line `// network <name> <seed> <stages>` before one gives
// it what the options give to all. For each, a line of JSON goes to stdout when it begins and another when it has
// ended; what the compiler says goes to stderr. Exit 3 if a network is wrong.
//
//===----------------------------------------------------------------------===//
#include "Check.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <tuple>

using namespace mlir::rnn::test;
using llvm::StringRef;

static llvm::json::Object toJson(const std::map<std::string, int64_t> &counts) {
  llvm::json::Object object;
  for (const auto &[name, count] : counts)
    object[name] = count;
  return object;
}

static std::vector<std::string> splitStages(StringRef text) {
  std::vector<std::string> stages;
  for (StringRef stage : llvm::split(text, ','))
    stages.push_back(stage.str());
  return stages;
}

static CheckResult check(const std::string &text, const CheckOptions &options) {
  CheckResult result;
  using Clock = std::chrono::steady_clock;
  auto began = Clock::now();
  if (llvm::is_contained(options.stages, "passes"))
    checkPasses(text, options, result);
  result.seconds["passes"] = std::chrono::duration<double>(Clock::now() - began).count();
  if (result.stage.empty())
    checkTargets(text, options, result);
  return result;
}

/// What a line `// network <name> <seed> <stages>` says; the options where there is none. False if it says it wrong.
static bool readHeading(StringRef text, std::string &name, CheckOptions &options) {
  size_t at = text.find("// network ");
  if (at == StringRef::npos)
    return true;
  llvm::SmallVector<StringRef> words;
  text.drop_front(at).take_until([](char c) { return c == '\n'; }).split(words, ' ');
  if (words.size() != 5 || words[3].getAsInteger(10, options.seed))
    return false;
  name = words[2].str();
  options.stages = splitStages(words[4]);
  return true;
}

static bool readOptions(int argc, char **argv, std::string &path, CheckOptions &options) {
  options.stages = splitStages("passes,cpu,emulator");
  for (int i = 1; i < argc; ++i) {
    StringRef word = argv[i];
    if (word.consume_front("--stages="))
      options.stages = splitStages(word);
    else if (word.consume_front("--seed=") ? word.getAsInteger(10, options.seed) : word.starts_with("--"))
      return false;
    else if (word.data() == argv[i])
      path = word.str();
  }
  return !path.empty();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  CheckOptions given;
  std::string path;
  if (!readOptions(argc, argv, path, given)) {
    llvm::errs() << "usage: test-rnn-networks [--stages=passes,cpu,emulator] [--seed=<n>] <file>\n";
    return 2;
  }
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer) {
    llvm::errs() << "test-rnn-networks: error: cannot read '" << path << "': " << buffer.getError().message() << "\n";
    return 1;
  }
  bool isWrong = false;
  for (StringRef rest = (*buffer)->getBuffer(); !rest.empty();) {
    StringRef text;
    std::tie(text, rest) = rest.split("// -----\n");
    CheckOptions options = given;
    std::string name = path;
    if (!readHeading(text, name, options)) {
      llvm::errs() << "test-rnn-networks: error: expected '// network <name> <seed> <stages>'\n";
      return 1;
    }
    llvm::outs() << llvm::json::Value(llvm::json::Object{{"begins", name}}) << "\n";
    llvm::outs().flush();
    CheckResult result = check(text.str(), options);
    isWrong |= !result.stage.empty();
    llvm::json::Object seconds;
    for (const auto &[what, value] : result.seconds)
      seconds[what] = value;
    llvm::outs() << llvm::json::Value(llvm::json::Object{{"network", name},
                                                         {"stage", result.stage},
                                                         {"message", result.message},
                                                         {"passes", toJson(result.passes)},
                                                         {"ops", toJson(result.ops)},
                                                         {"calls", toJson(result.calls)},
                                                         {"elements", toJson(result.elements)},
                                                         {"undecided", result.undecided},
                                                         {"seconds", std::move(seconds)}})
                 << "\n";
    llvm::outs().flush();
  }
  return isWrong ? 3 : 0;
}
