# ===- test_emulator.py - GPU kernels judged by the interpreter -----------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Random networks and training steps as GPU kernels on the emulator.

In f64 they agree with the interpreter to 1e-9, integers exactly; every order of the threads gives the same bits.
Memory that no kernel has written holds NaNs, so that a kernel that reads it is found out.
"""

import os
import pathlib
import subprocess

import numpy as np
import pytest

import test_cpu

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FRAMES = [4, 1, 7]
SEEDS = {"float": range(300, 320), "integer": range(300, 308), "cells": range(300, 310)}


@pytest.mark.parametrize("mode,seed", [(mode, seed) for mode, seeds in SEEDS.items() for seed in seeds])
def test_inference(tool, tmp_path, mode, seed):
    generator = test_cpu.inference(mode, seed)
    streams = 1 + seed % 3
    chunks = [generator.inputs(frames, streams, 10 * seed + i, parameters=i == 0) for i, frames in enumerate(FRAMES)]
    wide = [{k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in chunk.items()} for chunk in chunks]
    precision = [] if mode == "integer" else ["--dtype=f64"]
    artifact = test_cpu.compile_for_cpu(tool, tmp_path, generator, streams, "--target=emulator", "--target=interpreter",
                                        *precision)
    want = test_cpu.outputs(artifact, wide, target="interpreter")
    first, other = (test_cpu.outputs(artifact, wide, target="emulator", emulator_order=n) for n in (0, seed))
    test_cpu.same(want, first, 1e-9, "emulator")
    test_cpu.same(first, other, 0, f"order {seed}")


@pytest.mark.skipif(not os.path.exists("/dev/nvidia0"), reason="no CUDA device")
@pytest.mark.parametrize("seed", range(300, 310))
def test_cuda(tool, tmp_path, seed):
    """The same kernels on a GPU; any chip that we know compiles PTX for the oldest."""
    generator = test_cpu.inference("float", seed)
    chunks = [generator.inputs(frames, 2, 10 * seed + i, parameters=i == 0) for i, frames in enumerate(FRAMES)]
    artifact = test_cpu.compile_for_cpu(tool, tmp_path, generator, 2, "--target=cuda:sm_80", "--target=emulator")
    emulated, run = (test_cpu.outputs(artifact, chunks, target=target) for target in ("emulator", "cuda:0"))
    test_cpu.same(emulated, run, 1e-5, "cuda")


@pytest.mark.parametrize("order", [0, 7])
def test_step(tool, tmp_path, order):
    """A training step as written, within the budget of rnn-run."""
    rng = np.random.default_rng(order)
    np.savez(tmp_path / "in.npz", x=rng.integers(0, 8, (20, 3), np.int32), target=rng.integers(0, 2, (20, 3), np.int32),
             first=rng.integers(0, 2, (20, 3)).astype(bool), mask=rng.integers(0, 2, (20, 3)).astype(bool))
    done = subprocess.run([tool("rnn-run"), ROOT / "examples" / "tagger.mlir", f"--input={tmp_path / 'in.npz'}",
                           "--target=emulator", f"--emulator-order={order}", "--compare=interpreter"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_training(tool, tmp_path):
    """Sessions on the emulator learn, and go on from their checkpoints byte for byte."""
    (tmp_path / "text.txt").write_text("abcdefgh" * 200)
    options = ["--data=text.txt", "--target=emulator", "--hidden-size=8", "--num-layers=1", "--streams=2",
               "--bptt-window=8", "--bptt-advance=8", "--val-split=0.2", "--quiet"]

    def train(out, *more):
        done = subprocess.run([tool("rnn-train"), *options, f"--out={out}", *more], cwd=tmp_path, capture_output=True,
                              text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return [line.rsplit(",", 2)[0] for line in (tmp_path / out / "log.csv").read_text().splitlines()]

    whole = train("whole", "--max-steps=12", "--emulator-order=3")
    train("parts", "--max-steps=5")
    assert train("parts", "--max-steps=12", "--resume") == whole
    losses = [float(line.split(",")[4]) for line in whole[1:]]
    assert losses[-1] < losses[0]
