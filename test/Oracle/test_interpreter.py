# ===- test_interpreter.py - The interpreter judged by the oracle -------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Networks as written, and training steps after differentiation, on the made-up inputs of rnn/Interpreter/Probe.h.

Nothing is compiled, so that hundreds of networks fit. Three chunks; stream 0 starts afresh before the third.
"""

import shutil
import subprocess

import numpy as np
import pytest

import generate
import oracle

CHUNKS, FRAMES, STREAMS = 3, 4, 2
TOLERANCE = 1e-10


def mix(z):
    """One step of splitmix64 on an array of uint64."""
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def probe_array(name, chunk, shape, kind):
    """Elements follow from (name, chunk, index) alone; see getProbeInputs."""
    with np.errstate(over="ignore"):
        key = np.zeros(1, np.uint64)
        for c in name.encode():
            key = mix(key ^ np.uint64(c))
        key = mix(key ^ np.uint64(0 if kind.startswith("parameter") else chunk))
        bits = mix(key ^ np.arange(int(np.prod(shape, dtype=int)), dtype=np.uint64))
    u = ((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)
    return {"parameter": u - 0.5, "float": 2 * u - 1, "reset": u < 0.2, "i1": u < 0.75,
            "integer": (3 * u).astype(np.int64), "parameter integer": (3 * u).astype(np.int64)}[kind]


def probe_inputs(dump, advance, with_mask, count=CHUNKS):
    chunks = []
    for chunk in range(count):
        frames = max(1, min(FRAMES, advance or FRAMES) - chunk % 2)
        given = {}
        for a in dump["networks"][0]["arguments"]:
            lead = {"frame": (frames, STREAMS), "stream": (STREAMS,), "static": ()}[a["rate"]]
            kind = "reset" if a["reset"] else "i1" if a["dtype"] == "i1" else "float" if a["dtype"][0] == "f" else "integer"
            given[a["name"]] = probe_array(a["name"], chunk, (*lead, *a["shape"]), kind)
        if with_mask:
            given["mask"] = probe_array("mask", chunk, (frames, STREAMS), "i1")
        for p in dump["parameters"] if chunk == 0 else []:
            kind = "parameter" if p["dtype"][0] == "f" else "parameter integer"
            given[p["name"]] = probe_array(p["name"], 0, p["shape"], kind)
        chunks.append(given)
    return chunks


def host_reset(chunks, network):
    """Adds what the host says before the third chunk: stream 0 starts afresh."""
    reset = next((a["name"] for a in network["arguments"] if a["reset"]), None)
    age = np.full(STREAMS, -1)
    for given in chunks[:2]:
        frames = next((v.shape[0] for n, v in given.items() if n in [a["name"] for a in network["arguments"]
                                                                    if a["rate"] == "frame"]))
        for t in range(frames):
            age = np.where(given[reset][t], 0, age + 1) if reset else age + 1
    chunks[2]["state.age"] = np.where(np.arange(STREAMS) == 0, -1, age)
    return chunks


def read_chunks(text):
    """Outputs per chunk, from what test-rnn-interpret prints."""
    chunks = []
    for line in text.splitlines():
        if line.startswith("@"):
            chunks.append({})
        else:
            name, rest = line.strip().split(" ", 1)
            shape, _, values = rest.partition("]")
            numbers = np.array([float(v) for v in values.split()])
            chunks[-1][name] = numbers.reshape([int(n) for n in shape.strip("[").split(",") if n])
    return chunks


def interpret(path, pipeline, function):
    """Outputs per chunk."""
    done = subprocess.run(["rnn-opt", path, "-o", "/dev/null",
                           f"--pass-pipeline=builtin.module({pipeline}test-rnn-interpret{{function={function}}})"],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    return read_chunks(done.stdout)


def check(want, got):
    assert len(want) == len(got)
    for i, (expected, found) in enumerate(zip(want, got)):
        for name in expected:
            if name in found and not name.startswith("state."):
                scale = max(1.0, float(np.max(np.abs(expected[name]), initial=0.0)))
                np.testing.assert_allclose(found[name], np.asarray(expected[name], np.float64), rtol=0,
                                           atol=TOLERANCE * scale, err_msg=f"{name}, chunk {i}")
        assert any(not n.startswith("state.") for n in expected if n in found)


def write(g, folder):
    path = folder / "net.mlir"
    path.write_text(g.mlir())
    return path


@pytest.fixture(scope="module")
def known():
    if shutil.which("rnn-opt") is None:
        pytest.skip("rnn-opt is not built")
    return subprocess.run(["rnn-opt", "--help"], capture_output=True, text=True).stdout


@pytest.mark.parametrize("seed", range(200, 240))
@pytest.mark.parametrize("mode", ["float", "cells", "integer"])
def test_network(known, tmp_path, mode, seed):
    g = generate.Generator(seed, mode)
    dump = g.dump()
    chunks = host_reset(probe_inputs(dump, 0, False), dump["networks"][0])
    check(oracle.deep(oracle.Oracle(dump).run, "net", chunks), interpret(write(g, tmp_path), "", "net"))


@pytest.mark.parametrize("seed", range(300, 340))
@pytest.mark.parametrize("mode", ["float", "cells", "window"])
def test_gradients(known, tmp_path, mode, seed):
    if "--rnn-to-gradient " not in known:
        pytest.skip("rnn-opt has no rnn-to-gradient")
    g = generate.Generator(seed, mode)
    dump = g.dump()
    chunks = host_reset(probe_inputs(dump, g.bptt and g.bptt[1], True), dump["networks"][0])
    # In f64, since the derivative of erf has a constant that f32 rounds.
    got = interpret(write(g, tmp_path), "rnn-to-gradient{keep=gradients,results type=f64},", "step")
    want = oracle.deep(oracle.Oracle(dump).train, "step", chunks)
    for expected, found in zip(want, got):
        missing = [n for n in expected if n not in found and not n.startswith("state.")]
        assert not missing, f"not in the output: {missing}"
    check(want, got)
