# ===- test_cpu.py - The CPU judged by the interpreter --------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Random networks in inference: both modes of the schedule, several numbers of streams, frames and threads.

In f64 the cpu agrees with the interpreter to 1e-10, integers exactly; with one thread and with two the bits are the same.
State goes from call to call inside the sessions, and is compared after the last.
"""

import subprocess

import numpy as np
import pytest

import generate

FRAMES = [4, 1, 7]
SEEDS = {"float": range(200, 240), "integer": range(200, 215), "cells": range(200, 215)}


def inference(mode, seed):
    """A random network without its training step, and the generator."""
    generator = generate.Generator(seed, mode)
    generator.step = None
    return generator


def compile_for_cpu(tool, folder, generator, streams, *options):
    model, out = folder / "net.mlir", folder / ("-".join(("net", *options)).replace("=", "-").replace(":", "-") + ".rnnc")
    model.write_text(generator.mlir())
    done = subprocess.run([tool("rnn-compile"), model, "-o", out, f"--streams={streams}", *options],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return out


def outputs(artifact, chunks, **options):
    """Results of all calls, and the state after the last."""
    import rnn_mlir
    program = rnn_mlir.load(artifact, **options)
    known = {tensor.name for tensor in program.functions["net"]}  # a parameter may be used by nothing
    calls = []
    for chunk in chunks:
        given = {name: value for name, value in chunk.items() if name in known}
        calls.append({name: value.numpy().copy() for name, value in program.run("net", **given).items()})
    calls.append({name: np.array(value) for name, value in program.tensors.items() if name.startswith("state.")})
    return calls


def same(a, b, tolerance, what):
    for i, (want, got) in enumerate(zip(a, b)):
        for name in want:
            if tolerance and want[name].dtype.kind == "f":
                np.testing.assert_allclose(got[name], want[name], rtol=tolerance, atol=tolerance,
                                           err_msg=f"{what}: {name} in call {i}")
            else:
                np.testing.assert_array_equal(got[name], want[name], err_msg=f"{what}: {name} in call {i}")


@pytest.mark.parametrize("mode,seed", [(mode, seed) for mode, seeds in SEEDS.items() for seed in seeds])
def test_inference(tool, tmp_path, mode, seed):
    generator = inference(mode, seed)
    streams = 1 + seed % 3
    chunks = [generator.inputs(frames, streams, 10 * seed + i, parameters=i == 0) for i, frames in enumerate(FRAMES)]
    wide = [{k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in chunk.items()} for chunk in chunks]
    target = ["cpu", "cpu:x86-64-v3", "cpu:x86-64-v4"][seed % 3]
    precision = [] if mode == "integer" else ["--dtype=f64"]
    want = None
    for schedule in ("split", "sequential"):
        artifact = compile_for_cpu(tool, tmp_path, generator, streams, f"--target={target}", "--target=interpreter",
                                   f"--mode={schedule}", *precision)
        if want is None:
            want = outputs(artifact, wide, target="interpreter")
        one, two = (outputs(artifact, wide, target="cpu", threads=n) for n in (1, 2))
        same(want, one, 1e-10, f"{schedule}, one thread")
        same(one, two, 0, f"{schedule}, two threads")


@pytest.mark.parametrize("seed", range(240, 255))
def test_budget(tool, tmp_path, seed):
    """As written, within the budget of rnn-run."""
    generator = inference("float", seed)
    artifact = compile_for_cpu(tool, tmp_path, generator, 3, "--target=cpu", "--target=interpreter")
    np.savez(tmp_path / "in.npz", **generator.inputs(9, 3, seed))
    done = subprocess.run([tool("rnn-run"), artifact, f"--input={tmp_path / 'in.npz'}", "--compare=interpreter"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
