# ===- artifact.py - What is in an artifact ------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Reads the sections of a .rnnc or .rnnc.gz file by the letter of docs/Artifact.md; needs nothing but Python."""

import gzip
import hashlib
import json
import pathlib
import struct

TABLES, PTX, CUBIN, LAUNCHES = 1, 5, 6, 7


class Artifact:
    """Sections by kind and target. Raises ValueError for a file that is no artifact or is damaged."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        if len(data) < 52 or data[:4] != b"RNNC":
            raise ValueError(f"'{path}' is not an artifact")
        _, size, digest, count = struct.unpack_from("<IQ32sI", data, 4)
        if size != len(data) or hashlib.sha256(data[48:]).digest() != digest:
            raise ValueError(f"'{path}' is damaged")
        self.sections = {}
        for index in range(count):
            kind, offset, length, target = struct.unpack_from("<IQQ32s", data, 52 + 52 * index)
            self.sections[kind, target.rstrip(b"\0").decode()] = data[offset:offset + length]

    def targets(self, kind):
        return sorted(target for found, target in self.sections if found == kind)

    def functions(self):
        """The functions of the tables, by name."""
        return {function["name"]: function for function in json.loads(self.sections[TABLES, ""])["functions"]}

    def launches(self, function, target):
        """The launches of a function, and its workspace, as the launch table of the target has them."""
        symbol = self.functions()[function]["symbol"]
        table = json.loads(self.sections[LAUNCHES, target])
        entry = next(entry for entry in table["functions"] if entry["symbol"] == symbol)
        return entry["launches"], entry["memory"]


def blocks(launch, frames):
    """Blocks of a launch for so many frames."""
    grid = launch["grid"]
    return -(-(grid.get("per_frame", 0) * frames + grid.get("constant", 0)) // grid.get("divisor", 1))
