/*===- version.c - The runtime from C99 --------------------------------------===*\
|* Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.        *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                      *|
\*===-------------------------------------------------------------------------===*/

#include "rnn-c/Runtime.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  RnnArtifact *artifact = NULL;
  RnnStatus status = rnnArtifactOpen("no-such-file.rnnc", &artifact);
  printf("abi %u.%u: %s\n", (unsigned)(rnnAbiVersion() >> 16), (unsigned)(rnnAbiVersion() & 0xffff), rnnLastError());
  return status == RNN_ERROR_DATA && artifact == NULL && strstr(rnnLastError(), "no-such-file.rnnc") ? 0 : 1;
}
