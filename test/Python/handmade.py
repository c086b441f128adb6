# ===- handmade.py - Artifacts without the compiler -----------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Writes artifacts by the letter of docs/Artifact.md, around the hand-written C of unittests/Runtime/Functions.c.

Nothing here shares code with the runtime: it is a second reading of that page.
"""

import hashlib
import json
import pathlib
import shutil
import struct
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HASH = "00112233445566778899aabbccddeeff" * 2


def tensor(name, role, dtype, shape, **more):
    return {"name": name, "role": role, "dtype": dtype, "shape": shape, **more}


def variable(name, shape, init, dtype="f32", kind="parameter"):
    return {"name": name, "kind": kind, "dtype": dtype, "shape": shape, "init": init}


def tables():
    """The tables of Functions.c."""
    return {
        "network_hash": HASH,
        "streams": 3,
        "requires": ["sse2"],
        "variables": [variable("w", [4], {"kind": "uniform"}),
                      variable("opt.step", [], {"kind": "zeros"}, "i64", "optimizer")],
        "functions": [
            {"name": "acc", "kind": "infer", "network": "acc", "symbol": "rnn_test_run",
             "memory": {"constant": 0, "per_thread": 0, "per_frame": 16},
             "tensors": [
                 tensor("x", "argument", "f32", [-1, 3, 4], rate="frame"),
                 tensor("mask", "argument", "i1", [-1, 3], rate="frame", default=1),
                 tensor("gain", "argument", "f32", [], rate="static", default=2.0),
                 tensor("w", "parameter", "f32", [4]),
                 tensor("state.h", "state", "f32", [1, 3, 4], fill=0),
                 tensor("state.age", "state", "i64", [3], fill=-1),
                 tensor("y", "result", "f32", [-1, 3, 4], rate="frame"),
                 tensor("total", "result", "f64", [])]},
            {"name": "step", "kind": "train", "network": "acc", "symbol": "rnn_test_step", "window": 4, "advance": 4,
             "memory": {"constant": 0, "per_thread": 8, "per_frame": 0},
             "tensors": [
                 tensor("x", "argument", "i32", [-1, 3], rate="frame"),
                 tensor("lr", "argument", "f32", [], default=0.25),
                 tensor("w", "parameter", "f32", [4]),
                 tensor("opt.step", "optimizer", "i64", []),
                 tensor("seed", "state", "i64", [], fill=0),
                 tensor("loss", "result", "f32", []),
                 tensor("used", "result", "i64", [2])]},
        ],
    }


def compile_functions(folder):
    """The shared object of Functions.c; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    path = folder / "functions.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-nostdlib", "-ffp-contract=off", "-fno-stack-protector",
                    f"-I{ROOT / 'include'}", str(ROOT / "unittests/Runtime/Functions.c"), "-o", str(path)], check=True)
    return path.read_bytes()


def pack(code, the_tables):
    """The bytes of an artifact for the CPU."""
    return pack_sections([(1, "", json.dumps(the_tables).encode()), (2, "cpu:sse2", code)])


def pack_sections(sections):
    """The bytes of an artifact of (kind, target, content)."""
    end = 52 + 52 * len(sections)
    entries, body = b"", b""
    for kind, target, content in sections:
        offset = (end + 4095) // 4096 * 4096
        entries += struct.pack("<IQQ32s", kind, offset, len(content), target.encode())
        body += bytes(offset - end) + content
        end = offset + len(content)
    hashed = struct.pack("<I", len(sections)) + entries + body
    return struct.pack("<4sIQ", b"RNNC", 1, end) + hashlib.sha256(hashed).digest() + hashed
