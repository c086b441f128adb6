# ===- test_examples.py - Every network that we ship, on every target -----------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""The training steps of all networks of `examples` and `test/Oracle/networks`, on the CPU and as GPU kernels on the
emulator: within the interpreter's budget, and with the same bits for two orders of the emulator's threads.

A new file is tested without being named here. Windows are made short, so that three calls fill and pass them, and byte
models small: an eighth of their units, and of the bytes that they know.
"""

import json
import pathlib
import re
import subprocess

import numpy as np
import pytest

import generate

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NETWORKS = sorted([*ROOT.glob("examples/*.mlir"), *ROOT.glob("test/Oracle/networks/*.mlir")])
FRAMES, STREAMS = 7, 2
# One above the largest index, where it is not that of byte models; a length of labels is an index here.
INDICES = {"tagger": {"x": 8, "target": 2}, "speller": {"labels": 3, "length": 6}, "window": {"x": 5, "target": 5},
           "hierarchical": {"x": 6}}  # words of several lengths


def inputs(described, name):
    """Random arguments and parameters, by the tensor table of an artifact."""
    rng, arrays = np.random.default_rng(len(name)), {}
    limits = INDICES.get(name.split("-")[0], {})
    for tensor in described["tensors"]:
        if tensor["role"] not in ("argument", "parameter"):
            continue
        shape = [FRAMES if size == -1 else size for size in tensor["shape"]]
        kind = generate.NUMPY[tensor["dtype"]]
        if tensor["dtype"] == "i1":
            value = rng.random(shape) < (0.2 if tensor.get("reset") else 0.7)
            value[-1] |= not tensor.get("reset")  # the last call has a loss
        elif tensor["dtype"].startswith("i"):
            value = rng.integers(0, limits.get(tensor["name"], 32), shape)
        else:
            value = rng.normal(size=shape) * (0.5 * shape[-1]**-0.5 if tensor["role"] == "parameter" else 1)
        arrays[tensor["name"]] = value.astype(kind)
    return arrays


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_network(tool, tmp_path, path):
    def run(*command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    text = re.sub(r"bptt<window = (\d+), advance = (\d+)>",
                  lambda m: f"bptt<window = {3 if m[1] == m[2] else 6}, advance = 3>", path.read_text())
    if "tensor<256x" in text:
        text = re.sub(r"(?<!\d)(64|128|256|384|512)(?!\d)", lambda m: str(int(m[0]) // 8), text)
        text = text.replace("dense<32>", "dense<4>")  # the space between words
    (tmp_path / "net.mlir").write_text(text)
    artifact, given = tmp_path / "net.rnnc", tmp_path / "in.npz"
    run(tool("rnn-compile"), tmp_path / "net.mlir", "-o", artifact, f"--streams={STREAMS}", "--functions=step",
        "--target=emulator", "--target=cpu", "--target=interpreter", "--keep=gradients,results")
    described = json.loads(run(tool("rnn-run"), artifact, "--describe"))
    (step,) = (function for function in described["functions"] if function["name"] == "step")
    np.savez(given, **inputs(step, path.stem))

    def outputs(target, *options):
        run(tool("rnn-run"), artifact, "--function=step", f"--input={given}", f"--target={target}",
            f"--output={tmp_path / 'out.npz'}", "--keep=gradients,results", *options)
        with np.load(tmp_path / "out.npz") as arrays:
            return dict(arrays)

    outputs("cpu", "--compare=interpreter")
    first = outputs("emulator", "--compare=interpreter")
    other = outputs("emulator", "--emulator-order=7")
    assert not np.any(first["flags"]), "an index is out of range, or a number not finite"
    assert any(key.startswith("grad.") and np.any(value) for key, value in first.items())
    assert [key for key in first if first[key].tobytes() != other[key].tobytes()] == []
