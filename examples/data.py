# ===- data.py - Data for the examples ---------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   data.py tagger tagger.npz    400 sequences of 4 to 20 symbols; the tag: is the right neighbour the larger one
#   data.py speller speller.npz  600 words of 2 to 5 letters of 4, each letter in 1 to 3 frames of noise, pauses between
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


def speller(path):
    rng = random.Random(0)
    count, longest, most = 600, 30, 5
    words, frames = [], []
    for _ in range(count):
        words.append([rng.randint(1, 4) for _ in range(rng.randint(2, most))])
        shown = []
        for letter in words[-1]:
            shown += [0] * rng.randint(1, 2) + [letter] * rng.randint(1, 3)
        frames.append(shown + [0])
    lengths = [len(shown) for shown in frames]
    each = [(t, n) for t in range(longest) for n in range(count)]
    x = [rng.gauss(float(t < lengths[n] and frames[n][t] == k), 0.15) for t, n in each for k in range(1, 5)]
    labels = [words[n][i] if i < len(words[n]) else 0 for t, n in each for i in range(most)]
    save_npz(path, x=("<f4", "f", (longest, count, 4), x), labels=("<i4", "i", (longest, count, most), labels),
             length=("<i4", "i", (longest, count), [len(words[n]) for t, n in each]),
             last=("|b1", "?", (longest, count), [t == lengths[n] - 1 for t, n in each]),
             lengths=("<i8", "q", (count,), lengths))


def series(path):
    rng = random.Random(0)
    with open(path, "w") as file:
        file.write("load,temperature\n")
        for t in range(4000):
            load = math.sin(t / 4) + 0.5 * math.sin(t / 11) + rng.gauss(0, 0.05)
            file.write(f"{load:.4f},{math.cos((t + 3) / 11):.4f}\n")


if __name__ == "__main__":
    makers = {"tagger": tagger, "speller": speller, "series": series}
    if len(sys.argv) != 3 or sys.argv[1] not in makers:
        sys.exit("usage: data.py tagger|speller|series <file>")
    makers[sys.argv[1]](sys.argv[2])
