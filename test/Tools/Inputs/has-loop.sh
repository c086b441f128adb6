#!/bin/sh
# has-loop.sh - 1 (interesting) for a network with a loop of one exchange per frame, else 0
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
if rnn-opt "$1" -rnn-print-recurrence -o /dev/null 2>&1 | grep -q "recurrent causal, stages 1"; then
  exit 1
fi
exit 0
