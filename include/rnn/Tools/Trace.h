//===- Trace.h - When what ran ------------------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_TRACE_H
#define RNN_TOOLS_TRACE_H

#include "rnn/Tools/Program.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace mlir::rnn::tools {

/// A timeline of spans, written as a Chrome trace (chrome://tracing, Perfetto).
class Trace {
public:
  using Clock = std::chrono::steady_clock;

  /// Lasts from its construction to its destruction.
  class Span {
  public:
    Span(Trace &trace, std::string name) : trace(trace), name(std::move(name)) {}
    Span(const Span &) = delete;
    Span &operator=(const Span &) = delete;
    ~Span() { trace.spans.push_back({name, begin, Clock::now()}); }

  private:
    Trace &trace;
    std::string name;
    Clock::time_point begin = Clock::now();
  };

  /// Replaces the file, or leaves it as it was.
  Status write(const std::string &path) const;

private:
  struct Record {
    std::string name;
    Clock::time_point begin, end;
  };
  Clock::time_point start = Clock::now();
  std::vector<Record> spans;
};

/// A session whose calls are spans of `trace`, named as the functions that run.
/// `trace` must outlive it.
std::unique_ptr<Session> traceCalls(std::unique_ptr<Session> session, Trace &trace);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_TRACE_H
