/*===- failing_saves.c - Makes one call of a save fail -------------*- C -*-===*\
|*                                                                            *|
|* Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.      *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|* Loaded by LD_PRELOAD. Counts the system calls of saves, which begin when a *|
|* folder is opened and end when it is closed. Call number $SAVE_FAILS_AT     *|
|* fails with EIO, or is where the process dies if $SAVE_FAILS_BY is "kill":  *|
|* before the call, or after half of a write. $SAVE_COPIES is a folder that   *|
|* gets a copy of every file that a save has put in its place.                *|
|* If $SAVE_FAILS_AT is 0 the calls are told at the end.                      *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int count = 0, copies = 0, folder = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int isAt(void) {
  const char *at = getenv("SAVE_FAILS_AT");
  return folder >= 0 && at && ++count == atoi(at);
}

static int kills(void) {
  const char *by = getenv("SAVE_FAILS_BY");
  return by && strcmp(by, "kill") == 0;
}

/* True if the call must fail; does not return if it is where the process dies. */
static int fails(void) {
  if (!isAt())
    return 0;
  if (kills())
    raise(SIGKILL);
  errno = EIO;
  return 1;
}

static int openAny(const char *name, const char *path, int flags, int mode) {
  int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
  if (flags & O_DIRECTORY && getenv("SAVE_FAILS_AT")) {
    folder = 1 << 20; /* a save begins with this call */
    if (fails()) {
      folder = -1;
      return -1;
    }
    return folder = real(path, flags, mode);
  }
  return fails() ? -1 : real(path, flags, mode);
}

#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    va_list list;                                                                                                      \
    va_start(list, flags);                                                                                             \
    int mode = flags & O_CREAT ? va_arg(list, int) : 0;                                                                \
    va_end(list);                                                                                                      \
    return openAny(#name, path, flags, mode);                                                                          \
  }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *data, size_t size) {
  if (isAt()) {
    if (!kills()) {
      errno = EIO;
      return -1;
    }
    if (REAL(write)(fd, data, size / 2) >= 0)
      raise(SIGKILL);
  }
  return REAL(write)(fd, data, size);
}

int fsync(int fd) { return fails() ? -1 : REAL(fsync)(fd); }
int unlink(const char *path) { return fails() ? -1 : REAL(unlink)(path); }

int close(int fd) {
  int failed = fails();
  if (fd == folder)
    folder = -1;
  int status = REAL(close)(fd);
  if (failed)
    errno = EIO;
  return failed ? -1 : status;
}

static void copy(const char *path) {
  const char *to = getenv("SAVE_COPIES"), *name = strrchr(path, '/');
  char target[4096], bytes[65536];
  if (!to)
    return;
  snprintf(target, sizeof target, "%s/%04d.%s", to, copies++, name ? name + 1 : path);
  int in = REAL(open)(path, O_RDONLY), out = REAL(open)(target, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  for (ssize_t got; (got = read(in, bytes, sizeof bytes)) > 0;)
    if (REAL(write)(out, bytes, (size_t)got) != got)
      abort();
  REAL(close)(in);
  REAL(close)(out);
}

int rename(const char *from, const char *to) {
  if (fails())
    return -1;
  int status = REAL(rename)(from, to);
  if (status == 0)
    copy(to);
  return status;
}

__attribute__((destructor)) static void tell(void) {
  const char *at = getenv("SAVE_FAILS_AT");
  if (at && atoi(at) == 0)
    fprintf(stderr, "calls: %d\n", count);
}
