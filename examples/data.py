# ===- data.py - Data for the examples ---------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   data.py tagger tagger.npz    400 sequences of 4 to 20 symbols; the tag: is the right neighbour the larger one
#   data.py series series.csv    4,000 rows of a load with two periods, and of a temperature that leads it
#
# Only the standard library, and the same numbers every time. With NumPy it is `numpy.savez(path, x=…, target=…)`.
#
# ===-------------------------------------------------------------------------===#

import math
import random
import struct
import sys
import zipfile


def save_npz(path, **arrays):
    """Writes arrays, each a (NumPy's name of the type, struct's letter, shape, flat values)."""
    with zipfile.ZipFile(path, "w") as file:
        for name, (dtype, letter, shape, values) in arrays.items():
            header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
            header += " " * (-(len(header) + 11) % 64) + "\n"
            file.writestr(name + ".npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                          struct.pack(f"<{len(values)}{letter}", *values))


def tagger(path):
    rng = random.Random(0)
    count, longest = 400, 20
    lengths = [rng.randint(4, longest) for _ in range(count)]
    shape = (longest, count)
    x = [[rng.randrange(8) for _ in range(count)] for _ in range(longest)]

    def tag(t, n):
        left = x[t - 1][n] if t > 0 else 0
        right = x[t + 1][n] if t + 1 < lengths[n] else 0
        return int(right > left)

    flat = lambda value: [value(t, n) for t in range(longest) for n in range(count)]
    save_npz(path, x=("<i4", "i", shape, flat(lambda t, n: x[t][n])), target=("<i4", "i", shape, flat(tag)),
             lengths=("<i8", "q", (count,), lengths), mask=("|b1", "?", shape, flat(lambda t, n: rng.random() < 0.9)))


def series(path):
    rng = random.Random(0)
    with open(path, "w") as file:
        file.write("load,temperature\n")
        for t in range(4000):
            load = math.sin(t / 4) + 0.5 * math.sin(t / 11) + rng.gauss(0, 0.05)
            file.write(f"{load:.4f},{math.cos((t + 3) / 11):.4f}\n")


if __name__ == "__main__":
    makers = {"tagger": tagger, "series": series}
    if len(sys.argv) != 3 or sys.argv[1] not in makers:
        sys.exit("usage: data.py tagger|series <file>")
    makers[sys.argv[1]](sys.argv[2])
