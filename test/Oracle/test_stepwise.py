# ===- test_stepwise.py - One frame at a time ------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""A chunk at once, in parts and frame by frame: results and states have the same bits on a CPU and in a GPU's kernels.

The interpreter computes in f64 and keeps states of f32 from call to call, so there they may be rounded otherwise. Networks look back only, and sum over no frames: what a frame has does not depend on the chunk in which it lies."""

import numpy as np
import pytest

import generate
import test_cells
import test_cpu

FRAMES, STREAMS = 9, 3
PARTS = {"frames": [1] * FRAMES, "parts": [4, 1, 3, 1]}
TOLERANCES = {"cpu": 0, "emulator": 0, "interpreter": 1e-5}


def network(name):
    """The text of a network @net, and the arguments of all frames with the parameters."""
    kind, which = name.split(":")
    if kind == "window":
        generator = generate.Generator(int(which), "window")
        generator.step = None
        return generator.mlir(), generator.inputs(FRAMES, STREAMS, int(which))
    op, options, parameters, _, _ = test_cells.CELLS[which]
    text, is_table, outputs = test_cells.text(op, options, parameters)
    rng = np.random.default_rng(3)
    size = (FRAMES, STREAMS)
    given = {n: test_cells.draw(n, s, rng).astype(np.float32) for n, s in parameters.items()}
    given["x"] = rng.integers(0, test_cells.K, size, np.int32) if is_table else \
        rng.normal(size=(*size, parameters["wx"][1])).astype(np.float32)
    given["target"] = rng.normal(size=(*size, outputs)).astype(np.float32)
    given.update({n: rng.random(size) < 0.5 for n in ("on", "new") if f"(%{n})" in options})
    lines = text.replace("@n(", "@net(").splitlines()
    return "\n".join(line for line in lines if not line.startswith("rnn.train_step")) + "\n", given


NAMES = [f"window:{seed}" for seed in range(700, 712)]
NAMES += [f"cell:{n}" for n, (_, options, *_) in test_cells.CELLS.items() if not options.startswith("reverse")]


@pytest.mark.parametrize("name", NAMES)
def test_stepwise(tool, tmp_path, name):
    import rnn_mlir
    text, given = network(name)
    (tmp_path / "net.mlir").write_text(text)
    test_cells.run(tool("rnn-compile"), tmp_path / "net.mlir", "-o", tmp_path / "net.rnnc", f"--streams={STREAMS}",
                   *(f"--target={target}" for target in TOLERANCES))
    for target, tolerance in TOLERANCES.items():
        outcomes = {}
        for how, parts in {"chunk": [FRAMES], **PARTS}.items():
            program = rnn_mlir.load(tmp_path / "net.rnnc", target=target, threads=2)
            tensors = {tensor.name: tensor for tensor in program.functions["net"]}
            arguments = {n: v for n, v in given.items() if n in tensors}
            results, at = [], 0
            for count in parts:
                chunk = {n: v[at : at + count] if tensors[n].shape[:1] == (-1,) else v for n, v in arguments.items()}
                results.append({n: v.numpy().copy() for n, v in program.run("net", **chunk).items()})
                at += count
            outcomes[how] = {n: np.concatenate([r[n] for r in results]) for n in results[0]}
            outcomes[how].update({n: np.array(v) for n, v in program.tensors.items() if n.startswith("state.")})
        for how in PARTS:
            test_cpu.same([outcomes["chunk"]], [outcomes[how]], tolerance, f"{how} on {target}")
