//===- Races.cpp - What ThreadSanitizer reports -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Races.h"

#include <fcntl.h>
#include <unistd.h>

using namespace mlir::rnn::test;

static Races reported;

const Races &mlir::rnn::test::getRaces() { return reported; }

#ifdef RNN_FINDS_RACES
extern "C" int __tsan_get_report_mop(void *report, unsigned long index, int *thread, void **address, int *size,
                                     int *writes, int *atomic, void **trace, unsigned long traceSize);

/// ThreadSanitizer calls this at every report. Of an access long ago the
/// instruction may be unknown.
extern "C" void __tsan_on_report(void *report) {
  void *instruction[2] = {};
  bool write = true;
  for (unsigned long access = 0; access < 2; ++access) {
    int thread, size, writes = 0, atomic;
    void *address;
    __tsan_get_report_mop(report, access, &thread, &address, &size, &writes, &atomic, &instruction[access], 1);
    write &= writes != 0;
  }
  const bool isSameStore = write && (!instruction[1] || instruction[0] == instruction[1]);
  ++(isSameStore ? reported.sameStores : reported.races);
}
#endif

/// The same memory is used again for every mutant.
extern "C" const char *__tsan_default_options() { return "suppress_equal_addresses=0:symbolize=0:exitcode=0"; }

Quiet::Quiet() : old(dup(2)) {
  int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, 2);
  close(nowhere);
}

Quiet::~Quiet() {
  dup2(old, 2);
  close(old);
}
