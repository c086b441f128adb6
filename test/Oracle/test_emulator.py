# ===- test_emulator.py - GPU kernels judged by the interpreter -----------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Random networks and training steps as GPU kernels on the emulator.

In f64 they agree with the interpreter to 1e-10, integers exactly; every order of the threads gives the same bits.
Memory that no kernel has written holds NaNs, so that a kernel that reads it is found out.
"""

import csv
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
    test_cpu.same(want, first, 1e-10, "emulator")
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


@pytest.fixture
def train(tool, tmp_path):
    """train(out, *options): rnn-train on a small text; the rows of its log but for times, losses as numbers."""
    (tmp_path / "text.txt").write_text("abcdefgh" * 200)
    options = ["--data=text.txt", "--hidden-size=8", "--num-layers=1", "--streams=2", "--bptt-window=8",
               "--bptt-advance=8", "--val-split=0.2", "--quiet"]

    def run(out, *more):
        done = subprocess.run([tool("rnn-train"), *options, f"--out={out}", *more], cwd=tmp_path, capture_output=True,
                              text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        with open(tmp_path / out / "log.csv") as file:
            rows = list(csv.DictReader(file))
        return [{key: value for key, value in row.items() if key != "frames_per_s"} for row in rows]

    return run


def losses(rows):
    return [float(row[key]) for row in rows for key in ("loss", "val_loss", "grad_norm") if row[key]]


def test_training(train):
    """Sessions on the emulator learn, and go on from their checkpoints byte for byte."""
    whole = train("whole", "--target=emulator", "--max-steps=12", "--emulator-order=3")
    train("parts", "--target=emulator", "--max-steps=5")
    assert train("parts", "--target=emulator", "--max-steps=12", "--resume") == whole
    assert float(whole[-1]["loss"]) < float(whole[0]["loss"])


def test_training_orders(train, tmp_path):
    """Whatever the order of threads, the same log and the same checkpoint; the losses are those of the CPU."""
    cpu = train("cpu", "--target=cpu", "--max-steps=6")
    first = train("0", "--target=emulator", "--max-steps=6")
    np.testing.assert_allclose(losses(first), losses(cpu), rtol=2e-6)
    for order in ("1", "3", "7"):
        assert train(order, "--target=emulator", "--max-steps=6", f"--emulator-order={order}") == first
        assert ((tmp_path / order / "last.safetensors").read_bytes() ==
                (tmp_path / "0" / "last.safetensors").read_bytes())


@pytest.mark.parametrize("targets", [("cpu", "emulator"), ("emulator", "cpu")], ids="-".join)
def test_training_moves(train, targets):
    """A checkpoint of one target is resumed on the other: what was trained stays, and the curve goes on."""
    whole = train("whole", f"--target={targets[0]}", "--max-steps=12")
    parts = train("parts", f"--target={targets[0]}", "--max-steps=5")
    rows = train("parts", f"--target={targets[1]}", "--max-steps=12", "--resume")
    assert rows[:4] == parts[:4] == whole[:4] and [row["frames"] for row in rows] == [row["frames"] for row in whole]
    np.testing.assert_allclose(losses(rows[5:]), losses(whole[5:]), rtol=2e-6)
