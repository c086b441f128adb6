//===- Interrupt.cpp - Ctrl-C and SIGTERM ---------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Interrupt.h"

#include <csignal>
#include <unistd.h>

namespace mlir::rnn::tools {
namespace {

/// A signal handler can reach nothing but a variable of the process.
volatile std::sig_atomic_t notedSignal = 0;

extern "C" void noteSignal(int signal) {
  if (notedSignal)
    ::_exit(128 + signal);
  notedSignal = signal;
}

} // namespace

void catchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = noteSignal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

int interruptSignal() { return notedSignal; }

runtime::Status interruptedStatus() {
  auto code = interruptSignal() == SIGTERM ? runtime::Code::Terminated : runtime::Code::Interrupted;
  return runtime::Status::error(code, runtime::Kind::Other, "");
}

} // namespace mlir::rnn::tools
