//===- Trace.cpp - When what ran --------------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Trace.h"
#include "rnn/Runtime/AtomicFile.h"

#include <nlohmann/json.hpp>

namespace mlir::rnn::tools {

Status Trace::write(const std::string &path) const {
  auto microseconds = [](Clock::duration duration) {
    return std::chrono::duration<double, std::micro>(duration).count();
  };
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (const Record &span : spans)
    events.push_back({{"name", span.name},
                      {"ph", "X"},
                      {"ts", microseconds(span.begin - start)},
                      {"dur", microseconds(span.end - span.begin)},
                      {"pid", 1},
                      {"tid", 1}});
  return runtime::writeFileAtomically(path, nlohmann::ordered_json{{"traceEvents", events}}.dump(1) + "\n");
}

namespace {

class TracedSession : public Session {
public:
  TracedSession(std::unique_ptr<Session> session, Trace &trace) : session(std::move(session)), trace(trace) {}

  Status run(const std::string &function, const std::vector<Binding> &bindings) override {
    Trace::Span span(trace, function);
    return session->run(function, bindings);
  }
  Status get(const std::string &name, HostTensor &tensor) override { return session->get(name, tensor); }
  Status set(const std::string &name, const HostTensor &tensor) override { return session->set(name, tensor); }
  Status reset(const std::vector<uint8_t> &streams) override { return session->reset(streams); }
  const Tables &tables() const override { return session->tables(); }

private:
  std::unique_ptr<Session> session;
  Trace &trace;
};

} // namespace

std::unique_ptr<Session> traceCalls(std::unique_ptr<Session> session, Trace &trace) {
  return std::make_unique<TracedSession>(std::move(session), trace);
}

} // namespace mlir::rnn::tools
