#!/bin/sh
# has-exp.sh - 1 (interesting) for a network with the exponentials of two elements, else 0
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
if rnn-opt "$1" | grep -q "math.exp .*<2xf32>"; then
  exit 1
fi
exit 0
