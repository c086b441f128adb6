# ===- inputs.py - Inputs for one call of an example ---------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   inputs.py <examples folder> <file.npz> <name>=<type>:<shape>…
#
# A type is i32:<n> (from 0 to n - 1), f32 or i1 (true once in eight), a shape is 20x2.
#
# ===-------------------------------------------------------------------------===#

import math
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from data import save_npz  # noqa: E402

rng = random.Random(1)
arrays = {}
for argument in sys.argv[3:]:
    name, rest = argument.split("=")
    kind, *limit, dims = rest.split(":")
    shape = tuple(int(n) for n in dims.split("x"))
    form, draw = {"i32": (("<i4", "i"), lambda: rng.randrange(int(limit[0]))),
                  "f32": (("<f4", "f"), lambda: rng.gauss(0, 1)),
                  "i1": (("|b1", "?"), lambda: rng.random() < 0.125)}[kind]
    arrays[name] = (*form, shape, [draw() for _ in range(math.prod(shape))])
save_npz(sys.argv[2], **arrays)
