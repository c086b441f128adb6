# ===- test_passes.py - Random networks through the passes --------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""After every pass of a pipeline the interpreter must say what it said before the first.

The interpreter itself is judged by the oracle in test_networks.py.
"""

import shutil
import subprocess

import pytest

import generate

MODES = {"float": range(100, 140), "integer": range(100, 120), "window": range(100, 140),
         "cells": range(100, 120)}
PER_FILE = 10
PIPELINES = {
    "graph": "rnn-to-graph",
    "gradient": "rnn-to-gradient",
    "schedule": "rnn-to-schedule{streams=2}",
    "sequential": "rnn-to-schedule{streams=2 mode=sequential}",
}


@pytest.fixture(scope="module")
def known():
    """The help text of rnn-opt, which lists the pipelines."""
    if shutil.which("rnn-opt") is None:
        pytest.skip("rnn-opt is not built")
    return subprocess.run(["rnn-opt", "--help"], capture_output=True, text=True).stdout


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("mode,first", [(m, s[0] + i) for m, s in MODES.items() for i in range(0, len(s), PER_FILE)])
def test_passes(known, tmp_path, pipeline, mode, first):
    name = PIPELINES[pipeline].split("{")[0]
    if f"--{name} " not in known:
        pytest.skip(f"rnn-opt has no {name}")
    seeds = range(first, first + PER_FILE)
    path = tmp_path / "nets.mlir"
    path.write_text("\n// -----\n".join(f"// seed {s}\n" + generate.Generator(s, mode).mlir() for s in seeds))
    done = subprocess.run(["rnn-opt", path, f"--pass-pipeline=builtin.module({PIPELINES[pipeline]})", "-split-input-file",
                           "--test-rnn-interpret-each", "-o", tmp_path / "out.mlir"],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
