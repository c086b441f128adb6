//===- CommandLine.h - Options and messages of tools ------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_COMMANDLINE_H
#define RNN_TOOLS_COMMANDLINE_H

#include "rnn/Runtime/Status.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mlir::rnn::tools {

using runtime::Status;

/// What `--optimizer` may be: the optimizers of the dialect, which rnn-train does not link.
inline const std::vector<std::string> kOptimizers = {"adam", "adamw", "sgd", "rmsprop", "adagrad", "adadelta"};

/// One option of a tool. `value` is what the help shows after `=`; null: a flag.
/// `instead` is a word that people try for it.
struct Option {
  const char *name;
  const char *value;
  const char *help;
  const char *instead = nullptr;
};

/// The edit distance of two words, for "did you mean".
size_t editDistance(const std::string &a, const std::string &b);

/// The word nearest to `name`, if one is near enough.
std::optional<std::string> nearestName(const std::string &name, const std::vector<std::string> &words);

/// The command line of a tool: `--name=value` or `--name value`; everything else
/// is positional.
class CommandLine {
public:
  /// Usage errors: unknown option, missing or superfluous value, too many
  /// positional arguments.
  static Status parse(int argc, const char *const *argv, const std::vector<Option> &options, size_t maxPositional,
                      CommandLine &line);

  bool has(const std::string &name) const { return values.count(name) != 0; }
  /// The last value given, or `otherwise`.
  std::string get(const std::string &name, const std::string &otherwise = "") const;
  /// All values given.
  std::vector<std::string> all(const std::string &name) const;
  /// The values of a list, split at commas.
  std::vector<std::string> list(const std::string &name) const;
  const std::vector<std::string> &positional() const { return arguments; }

  /// Reads an integer of [low, high] into `value`, if it was given.
  Status integer(const std::string &name, int64_t low, int64_t high, int64_t &value) const;

  /// Reads a number between low and high into `value`, if it was given.
  /// `openLow`, `openHigh`: the bound itself is not allowed.
  Status number(const std::string &name, double low, double high, double &value, bool openLow = false,
                bool openHigh = false) const;

  /// Reads one of `words` into `value`, if it was given.
  Status choice(const std::string &name, const std::vector<std::string> &words, std::string &value) const;

  /// Sets an option as if it had been given.
  void set(const std::string &name, const std::string &value) { values[name] = {value}; }

private:
  std::map<std::string, std::vector<std::string>> values;
  std::vector<std::string> arguments;
};

/// The help text: usage, then a line per option.
std::string helpText(const std::string &usage, const std::vector<Option> &options);

/// The four lines of --version.
std::string versionText();

/// Gives closed standard streams a file of their own, so that none that is opened later takes their numbers. Writing to
/// it fails.
void openStandardStreams();

/// Runs the work of a tool; an exception of the standard library is an error: 5 where memory ran out, else 70.
Status guarded(const std::function<Status()> &work);

/// Writes out what stdout holds; an error if any of it was lost.
Status flushOutput();

/// Prints `<tool>: error: …` and the notes to stderr, if there is a message, and
/// returns the exit code.
int report(const std::string &tool, const Status &status);

/// Prints `<tool>: warning: …`.
void warn(const std::string &tool, const std::string &message);

/// Message 31: an option that is part of the interface but not built yet.
Status notImplemented(const std::string &option);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_COMMANDLINE_H
