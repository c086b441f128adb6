# ===- test_loops.py - Loops of any form, by units, on the emulator -------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Training steps of loops that reduce over all units, multiply by block-diagonal matrices, keep weights in memory, have
an odd number of units per block, exchange nothing, exchange two vectors one after the other, hold their state in some
frames, or have no units at all: in every regime within the interpreter's budget, with the same bits for every order of
the emulator's threads, and as the report says."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
import models  # noqa: E402

FRAMES = 5
HEAD = """!V = tensor<{n}xf32>
!W = tensor<{n}x{n}xf32>
rnn.parameter @w : !W init(#rnn.zeros)
rnn.parameter @v : !W init(#rnn.zeros)
rnn.parameter @b : !V init(#rnn.zeros)
rnn.network @net(%x: !V, %target: !V) -> (e: tensor<f32>) {{
  %w = rnn.param @w : !W
  %v = rnn.param @v : !W
  %b = rnn.param @b : !V
  %h1 = rnn.delay %h by 1 : !V
"""
TAIL = """  %d = arith.subf %h, %target : !V
  %dd = arith.mulf %d, %d : !V
  %e = rnn.reduce sum %dd over [0] : !V to tensor<f32>
  rnn.output %e : tensor<f32>
}}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>)
"""
# The next state is a softmax over units, a maximum and then a sum, multiplied once more in the same frame.
SOFTMAX = HEAD + """
  %u = rnn.linear %h1, %w : (!V, !W) -> !V
  %s = rnn.sum %x, %u : !V
  %most = rnn.reduce max %s over [0] : !V to tensor<f32>
  %all = rnn.broadcast %most along [0] : tensor<f32> to !V
  %less = arith.subf %s, %all : !V
  %exp = math.exp %less : !V
  %sum = rnn.reduce sum %exp over [0] : !V to tensor<f32>
  %sums = rnn.broadcast %sum along [0] : tensor<f32> to !V
  %p = arith.divf %exp, %sums : !V
  %h = rnn.linear %p, %v : (!V, !W) -> !V
""" + TAIL
# Two reductions that are known at the same time, one of a state that no product reads, and one of the last frame.
TOGETHER = HEAD + """
  %c1 = rnn.delay %c by 1 : !V
  %r1 = rnn.delay %r by 1 : tensor<f32>
  %u = rnn.linear %h1, %w : (!V, !W) -> !V
  %c = arith.addf %u, %c1 : !V
  %uu = arith.mulf %u, %x : !V
  %q = rnn.reduce sum %uu over [0] : !V to tensor<f32>
  %r = rnn.reduce max %c over [0] : !V to tensor<f32>
  %qr = arith.addf %q, %r1 : tensor<f32>
  %all = rnn.broadcast %qr along [0] : tensor<f32> to !V
  %s = rnn.sum %x, %c, %all : !V
  %h = math.tanh %s : !V
""" + TAIL
# Nothing but a reduction is exchanged.
CROWD = HEAD + """
  %most = rnn.reduce sum %h1 over [0] : !V to tensor<f32>
  %all = rnn.broadcast %most along [0] : tensor<f32> to !V
  %s = rnn.sum %x, %b, %all : !V
  %h = math.tanh %s : !V
""" + TAIL
# Sizes without a common divisor: matrices that are read along their rows forward and along their columns backward.
TWO = """!V = tensor<{n}xf32>
!U = tensor<{m}xf32>
rnn.parameter @w : tensor<{m}x{n}xf32> init(#rnn.zeros)
rnn.parameter @v : tensor<{n}x{m}xf32> init(#rnn.zeros)
rnn.network @net(%x: !V, %target: !V) -> (e: tensor<f32>) {{
  %w = rnn.param @w : tensor<{m}x{n}xf32>
  %v = rnn.param @v : tensor<{n}x{m}xf32>
  %h1 = rnn.delay %h by 1 : !V
  %u = rnn.linear %h1, %w : (!V, tensor<{m}x{n}xf32>) -> !U
  %t = math.tanh %u : !U
  %y = rnn.linear %t, %v : (!U, tensor<{n}x{m}xf32>) -> !V
  %s = rnn.sum %x, %y : !V
  %h = math.tanh %s : !V
""" + TAIL
# An LSTM that moves in some frames only, and holds its h and c in the others.
CLOCKED = """!V = tensor<{n}xf32>
!W = tensor<{g}x{n}xf32>
rnn.parameter @wx : !W init(#rnn.zeros)
rnn.parameter @wh : !W init(#rnn.zeros)
rnn.parameter @b : tensor<{g}xf32> init(#rnn.zeros)
rnn.network @net(%x: !V, %on: tensor<i1>, %target: !V) -> (e: tensor<f32>) {{
  %h, %c = rnn.lstm "l" %x wx(@wx) wh(@wh) b(@b) clock(%on) : !V -> !V
""" + TAIL
# The same with first states, which the product reads through its delay.
FIRST = CLOCKED.replace("rnn.network", """rnn.parameter @h0 : !V init(#rnn.zeros)
rnn.parameter @c0 : !V init(#rnn.zeros)
rnn.network""")
FIRST = FIRST.replace("  %h, %c =", "  %h0 = rnn.param @h0 : !V\n  %c0 = rnn.param @c0 : !V\n  %h, %c =")
FIRST = FIRST.replace("clock(%on)", "init(%h0, %c0) clock(%on)")


def point(cell, units):
    return models.mlir(models.Point(cell, units))


# name: (network, the regimes of its loops by the wish for a regime, streams)
CASES = {
    "layernorm": (point("layernorm", 12), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 3),
    "softmax": (SOFTMAX.format(n=16), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 2),
    "together": (TOGETHER.format(n=20), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 2),
    "crowd": (CROWD.format(n=16), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 1),
    "slstm": (point("slstm", 16), {"auto": "block", "cluster": "cluster", "grid": "grid"}, 2),
    "slstm-odd": (point("slstm", 24), {"grid": "grid"}, 5),
    "indrnn": (point("indrnn", 70), {"auto": "independent", "block": "block", "grid": "independent"}, 3),
    "memory": (point("lstm", 128), {"block": "block"}, 2),
    "shared memory": (point("lstm", 104), {"block": "block"}, 2),
    "thirds": (point("gru", 48), {"grid": "grid"}, 6),
    "content": ((ROOT / "test" / "Oracle" / "networks" / "content.mlir").read_text(), {"auto": "op-by-op", "grid": "op-by-op"}, 2),
    "peephole": (point("peephole", 12), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 3),
    "projection": (point("projection", 32), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 2),
    "clocked": (CLOCKED.format(n=16, g=64), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 2),
    "first states": (FIRST.format(n=16, g=64), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 2),
    "reset before": (point("gru-before", 16), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 3),
    "sixty-four streams": (point("lstm", 8), {"auto": "block", "grid": "grid", "cluster": "cluster"}, 64),
    "two-units": (TWO.format(n=64, m=33), {"block": "op-by-op", "grid": "op-by-op"}, 3),
}


@pytest.mark.parametrize("name,regime", [(name, regime) for name, case in CASES.items() for regime in case[1]])
def test_loops(tool, tmp_path, name, regime):
    text, regimes, streams = CASES[name]
    (tmp_path / "model.mlir").write_text(text)
    report, artifact = tmp_path / "report.json", tmp_path / "model.rnnc"
    subprocess.run([tool("rnn-compile"), tmp_path / "model.mlir", "-o", artifact, f"--streams={streams}",
                    f"--regime={regime}", "--target=emulator", "--target=interpreter", "--functions=step",
                    "--keep=gradients", f"--report={report}"], check=True, timeout=120)
    loops = json.loads(report.read_text())["loops"]
    assert [loop["regime"] for loop in loops] == [regimes[regime]] * 2
    if regimes[regime] == "op-by-op":
        assert all((loop["blocks"] > 1) == (regime == "grid") for loop in loops)
    else:
        assert all(loop["weights"] == (name if name.endswith("memory") else "registers") for loop in loops)

    described = json.loads(subprocess.run([tool("rnn-run"), artifact, "--describe"], capture_output=True, text=True,
                                          check=True, timeout=60).stdout)
    rng, inputs = np.random.default_rng(len(name)), {}
    for tensor in described["functions"][0]["tensors"]:
        shape = [FRAMES if size == -1 else size for size in tensor["shape"]]
        if tensor["name"] == "on":
            inputs["on"] = rng.random(shape) < 0.6
        elif tensor["role"] in ("argument", "parameter") and tensor["dtype"] == "f32":
            scale = shape[-1]**-0.5 if tensor["role"] == "parameter" and len(shape) > 1 else 0.5
            inputs[tensor["name"]] = (rng.normal(size=shape) * scale).astype(np.float32)
    np.savez(tmp_path / "in.npz", **inputs)

    def run(order):
        done = subprocess.run([tool("rnn-run"), artifact, "--function=step", f"--input={tmp_path / 'in.npz'}",
                               f"--output={tmp_path / 'out.npz'}", "--keep=gradients", "--target=emulator",
                               "--compare=interpreter", f"--emulator-order={order}"], capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        with np.load(tmp_path / "out.npz") as out:
            return {key: out[key] for key in out.files}

    first, other = run(0), run(7)
    assert any(key.startswith("grad.") and np.any(value) for key, value in first.items())
    assert all(first[key].tobytes() == other[key].tobytes() for key in first)
