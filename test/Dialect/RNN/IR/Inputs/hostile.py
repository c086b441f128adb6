# ===- hostile.py - Networks that make a careless verifier slow ---------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   hostile.py cycle <n>   a cycle of n ops without a delay
#   hostile.py mixed <n>   a component of n delays of either sign, all of which lie on common cycles
#   hostile.py loop <n>    a legal loop of n ops, written against the order of its data
#   hostile.py wide <n>    a sum of n terms, each defined below it
#
# ===-------------------------------------------------------------------------===#

import sys

kind, n = sys.argv[1], int(sys.argv[2])
t = "tensor<f32>"
print(f"rnn.network @n(%x: {t}) -> (y: {t}) {{")
if kind == "cycle":
    for i in range(n):
        print(f"  %{i} = math.tanh %{(i - 1) % n} : {t}")
elif kind == "mixed":
    for i in range(n):
        print(f"  %d{i} = rnn.delay %s by {i % 7 + 1 if i % 2 else -(i % 7 + 1)} : {t}")
    print(f"  %s = rnn.sum {', '.join(f'%d{i}' for i in range(n))} : {t}")
elif kind == "loop":
    for i in range(n):
        source = f"rnn.delay %{i + 1} by 1" if i == n - 1 else f"math.tanh %{i + 1}"
        print(f"  %{i} = {source} : {t}")
    print(f"  %{n} = arith.addf %0, %x : {t}")
else:
    print(f"  %s = rnn.sum {', '.join(f'%t{i}' for i in range(n))} : {t}")
    for i in range(n):
        print(f"  %t{i} = math.tanh %x : {t}")
print(f"  rnn.output %x : {t}")
print("}")
