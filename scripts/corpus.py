# ===- corpus.py - The demo's text, and what simple models need for it -------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   corpus.py headers <folder> <out>        joins all *.h below the folder, sorted bytewise by path
#   corpus.py summary <text> <log.csv>      prints: first bpc, validation bpc, order-2 counts, xz
#
# Only the standard library. Every model learns from the first nine tenths of the text and is judged on the last tenth.
#
# ===-------------------------------------------------------------------------===#

import collections
import csv
import lzma
import math
import os
import sys

ORDER = 2
SMOOTHING = 0.1


def join_headers(folder, out):
    """Writes the text; a text that is there already and equal is left alone."""
    paths = []
    for directory, _, files in os.walk(folder):
        paths += [os.path.join(directory, f) for f in files if f.endswith(".h")]
    if not paths:
        sys.exit(f"corpus.py: error: no headers below '{folder}'")
    parts = []
    for path in sorted(paths, key=os.fsencode):
        with open(path, "rb") as f:
            parts.append(f.read())
    text = b"".join(parts)
    if os.path.exists(out):
        with open(out, "rb") as f:
            if f.read() == text:
                return
    with open(out, "wb") as f:
        f.write(text)


def count_bpc(text, split):
    """Bits per byte of the text from `split` on, by counts of each byte after the ORDER bytes before it."""
    pairs, contexts = collections.Counter(), collections.Counter()
    for i in range(ORDER, split):
        pairs[text[i - ORDER : i + 1]] += 1
        contexts[text[i - ORDER : i]] += 1
    bits = 0.0
    for i in range(split, len(text)):
        seen = pairs[text[i - ORDER : i + 1]] + SMOOTHING
        bits -= math.log2(seen / (contexts[text[i - ORDER : i]] + 256 * SMOOTHING))
    return bits / (len(text) - split)


def xz_bpc(text, split):
    """Bits per byte that `xz -9` adds for the text from `split` on when it has seen the rest."""
    size = lambda data: len(lzma.compress(data, preset=9))
    return 8 * (size(text) - size(text[:split])) / (len(text) - split)


def read_log(path):
    """(bpc of the first logged step, last validation bpc) of a run's log.csv."""
    first = last = None
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            if first is None and row.get("bpc"):
                # A log that begins later says nothing of the untrained model, whose guess is uniform.
                first = float(row["bpc"]) if int(row["step"]) <= 1 else math.log2(256)
            if row.get("val_bpc"):
                last = float(row["val_bpc"])
    if first is None or last is None:
        sys.exit(f"corpus.py: error: '{path}' has no bpc or no val_bpc")
    return first, last


def summary(text_path, log_path):
    with open(text_path, "rb") as f:
        text = f.read()
    split = len(text) - len(text) // 10
    first, last = read_log(log_path)
    print(f"{first:.2f} {last:.2f} {count_bpc(text, split):.2f} {xz_bpc(text, split):.2f}")


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    {"headers": join_headers, "summary": summary}[command](*arguments)
