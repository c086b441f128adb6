# ===- test_xlstm.py - The cells of xLSTM, without a stabiliser -----------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""examples/slstm.mlir and mlstm.mlir against the formulas of the paper, in which nothing is divided by exp(m)."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import test_cells

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent / "examples"
FRAMES, STREAMS, INPUTS = 6, 2, 6
sigmoid = jax.nn.sigmoid


def slstm(p, state, x):
    old = jnp.einsum("ghoi,hi->gho", p["wh"], state["h"].reshape(2, 8)).reshape(64)
    i, f, z, o = jnp.split(p["wx"] @ x + p["b"] + old, 4)
    c = sigmoid(f) * state["c"] + jnp.exp(i) * jnp.tanh(z)
    n = sigmoid(f) * state["n"] + jnp.exp(i)
    return {"h": sigmoid(o) * c / n, "c": c, "n": n}


def mlstm(p, state, x):
    q, k, v = p["wq"] @ x, p["wk"] @ x / 2, p["wv"] @ x
    i, f = jnp.exp(p["wi"] @ x), sigmoid(p["wf"] @ x + p["bf"])
    c = f[:, None, None] * state["c"] + i[:, None, None] * v[:, :, None] * k[:, None, :]
    n = f[:, None] * state["n"] + i[:, None] * k
    size = jnp.maximum(jnp.abs(jnp.sum(n * q, axis=1)), 1.0)
    return {"h": sigmoid(p["wo"] @ x) * jnp.einsum("hoi,hi->ho", c, q) / size[:, None], "c": c, "n": n}


CELLS = {
    "slstm": (slstm, {"wx": (64, INPUTS), "wh": (4, 2, 8, 8), "b": (64,)}, {"h": (16,), "c": (16,), "n": (16,)}),
    "mlstm": (mlstm, {"wq": (2, 4, INPUTS), "wk": (2, 4, INPUTS), "wv": (2, 4, INPUTS), "wo": (2, 4, INPUTS),
                      "wi": (2, INPUTS), "wf": (2, INPUTS), "bf": (2,)}, {"h": (2, 4), "c": (2, 4, 4), "n": (2, 4)}),
}


@pytest.mark.parametrize("name", CELLS)
def test_example(tool, tmp_path, name):
    formula, shapes, states = CELLS[name]
    rng = np.random.default_rng(4)
    weights = {n: test_cells.draw(n, s, rng) for n, s in shapes.items()}
    x = 2 * test_cells.draw("x", (FRAMES, STREAMS, INPUTS), rng)
    target = test_cells.draw("target", (FRAMES, STREAMS, *states["h"]), rng)

    @jax.jit
    @jax.value_and_grad
    def loss(weights):
        state, total = {n: jnp.zeros((STREAMS, *s)) for n, s in states.items()}, 0.0
        for t in range(FRAMES):
            state = jax.vmap(lambda s, v: formula(weights, s, v))(state, x[t])
            total += jnp.mean((state["h"] - target[t]) ** 2)
        return total / FRAMES

    value, gradients = loss(weights)
    for kind, tolerance, option in (("f64", 1e-10, ["--dtype=f64"]), ("f32", 1e-4, [])):
        artifact = tmp_path / f"{kind}.rnnc"
        test_cells.run(tool("rnn-compile"), EXAMPLES / f"{name}.mlir", "-o", artifact, "--target=cpu", "--target=emulator",
                       "--target=interpreter", f"--streams={STREAMS}", "--functions=step", "--keep=gradients", *option)
        np.savez(tmp_path / "in.npz", **{n: v.astype(kind.replace("f", "float")) for n, v in
                                         {**weights, "x": x, "target": target}.items()})
        for place in ("interpreter", "cpu", "emulator"):
            test_cells.run(tool("rnn-run"), artifact, "--function=step", f"--input={tmp_path / 'in.npz'}",
                           f"--output={tmp_path / 'out.npz'}", f"--target={place}",
                           *(["--compare=interpreter"] if kind == "f32" else []))
            with np.load(tmp_path / "out.npz") as out:
                np.testing.assert_allclose(out["loss"], value, rtol=tolerance)
                for n, want in gradients.items():
                    scale = np.max(np.abs(want))
                    np.testing.assert_allclose(out["grad." + n], want, rtol=tolerance, atol=tolerance * scale,
                                               err_msg=f"{n} on {place} in {kind}")
