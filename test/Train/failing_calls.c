/*===- failing_calls.c - Makes one system call fail ---------------*- C -*-===*\
|*                                                                            *|
|* Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.      *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|* Loaded by LD_PRELOAD. Counts the calls that write files; call number       *|
|* $FAIL_AT fails with ENOSPC, or kills the process if $FAIL_BY is "kill".    *|
|* At 0 none fails and their number is printed at the end.                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static int count = 0;

static int fails(void) {
  const char *at = getenv("FAIL_AT"), *by = getenv("FAIL_BY");
  if (!at || ++count != atoi(at))
    return 0;
  if (by && strcmp(by, "kill") == 0)
    raise(SIGKILL);
  errno = ENOSPC;
  return 1;
}

ssize_t write(int fd, const void *data, size_t size) {
  ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  return fails() ? -1 : real(fd, data, size);
}

int fsync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  return fails() ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  return fails() ? -1 : real(from, to);
}

__attribute__((destructor)) static void tell(void) {
  const char *at = getenv("FAIL_AT");
  if (at && atoi(at) == 0)
    fprintf(stderr, "calls: %d\n", count);
}
