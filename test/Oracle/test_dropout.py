# ===- test_dropout.py - What is drawn while training, and only then ----------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Dropout, zoneout and noise on weights, with the numbers that rule N1 says: a training step by its formula, its
evaluation and the network without a draw.
"""

import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtri

import test_cells
import test_random

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

CELLS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "Cells.md"
TARGETS, FRAMES, STREAMS, SIZE = ("interpreter", "cpu", "emulator"), 5, 3, 6


def uniform(number, shape, rate, frames, step):
    """[T, B, shape] of the draws of one op; `frames` are absolute."""
    if rate == "frame":
        return test_random.draws(number, shape, range(STREAMS), frames) * 2.0**-24
    streams = [0] * STREAMS if rate == "static" else range(STREAMS)
    once = test_random.draws(number, shape, streams, [step]) * 2.0**-24
    return np.broadcast_to(once, (len(frames), *once.shape[1:]))


def run(tool, folder, place, function, kind="f64", **given):
    np.savez(folder / "in.npz", **given)
    test_cells.run(tool("rnn-run"), folder / f"{kind}.rnnc", f"--function={function}", f"--input={folder / 'in.npz'}",
                   f"--output={folder / 'out.npz'}", f"--target={place}", f"--seed={test_random.SEED}")
    with np.load(folder / "out.npz") as out:
        return dict(out)


def compile(tool, folder, module):
    (folder / "net.mlir").write_text(module)
    for kind, options in (("f64", ["--dtype=f64"]), ("f32", [])):
        test_cells.run(tool("rnn-compile"), folder / "net.mlir", "-o", folder / f"{kind}.rnnc", "--target=cpu",
                       "--target=emulator", "--target=interpreter", f"--streams={STREAMS}", "--keep=gradients,results",
                       *options)


@pytest.mark.parametrize("rate", ["frame", "stream", "static"])
def test_dropout(tool, tmp_path, rate):
    compile(tool, tmp_path, f"""
rnn.parameter @w : tensor<{SIZE}xf32> init(#rnn.zeros)
rnn.network @n(%x: tensor<{SIZE}xf32>) -> (y: tensor<{SIZE}xf32>, e: tensor<f32>) {{
  %w = rnn.param @w : tensor<{SIZE}xf32>
  %a = arith.mulf %w, %x : tensor<{SIZE}xf32>
  %y = rnn.dropout %a <{rate}> p(0.25) : tensor<{SIZE}xf32>
  %e = rnn.reduce sum %y over [0] : tensor<{SIZE}xf32> to tensor<f32>
  rnn.output %y, %e : tensor<{SIZE}xf32>, tensor<f32>
}}
rnn.train_step @step of @n loss("e" sum) optimizer(#rnn.sgd<lr = 0.0>)
""")
    rng = np.random.default_rng(1)
    w = rng.normal(size=SIZE).astype(np.float32)
    for target in TARGETS:
        state = {}
        for step in range(2):
            x = rng.normal(size=(FRAMES, STREAMS, SIZE)).astype(np.float32)
            frames = range(step * FRAMES, (step + 1) * FRAMES)
            keep = uniform(0, (SIZE,), rate, frames, step) >= 0.25
            assert 0.4 < keep.mean() < 1
            wide = {"x": x.astype(np.float64), "w": w.astype(np.float64)}
            got = run(tool, tmp_path, target, "step", **wide, **state)
            np.testing.assert_allclose(got["y"], np.where(keep, wide["w"] * wide["x"] / 0.75, 0), rtol=1e-14)
            np.testing.assert_allclose(got["grad.w"], np.sum(np.where(keep, wide["x"] / 0.75, 0), axis=(0, 1)), rtol=1e-13)
            narrow = run(tool, tmp_path, target, "step", "f32", x=x, w=w, **state)
            np.testing.assert_allclose(narrow["y"], np.where(keep, w * x / 0.75, 0), rtol=3e-7)
            state = {n: v for n, v in got.items() if n.startswith(("state.", "opt."))}
            # Elsewhere the signal itself, bit for bit.
            for function in ("step.eval", "n"):
                assert np.array_equal(run(tool, tmp_path, target, function, "f32", x=x, w=w)["y"], w * x)


def test_noise_on_weights(tool, tmp_path):
    """The network of docs/Cells.md in f64: its weights are shaken anew in each training step, elsewhere left alone."""
    module = re.search(r"^```mlir noise\n(.*?)^```$", CELLS.read_text(), re.MULTILINE | re.DOTALL)[1]
    compile(tool, tmp_path, module.replace("f32", "f64").replace("#rnn.adam<>", "#rnn.sgd<lr = 0.0>"))
    rng = np.random.default_rng(4)
    w = rng.normal(size=(4, 3))
    for target in TARGETS:
        state = {}
        for step in range(2):
            x, goal = rng.normal(size=(FRAMES, STREAMS, 3)), rng.normal(size=(FRAMES, STREAMS, 4))
            drawn = ndtri((test_random.draws(0, w.shape, [0], [step])[0, 0] + 0.5) * 2.0**-24)
            y = x @ (w + 0.05 * drawn).T
            got = run(tool, tmp_path, target, "step", x=x, target=goal, w=w, **state)
            np.testing.assert_allclose(got["y"], y, rtol=1e-12, atol=1e-13, err_msg=f"step {step} on {target}")
            gradient = 2 * np.einsum("tbo,tbi->oi", y - goal, x) / y.size
            np.testing.assert_allclose(got["grad.w"], gradient, rtol=1e-12, atol=1e-13)
            state = {n: v for n, v in got.items() if n.startswith(("state.", "opt."))}
            for function, more in (("step.eval", {"target": goal}), ("noisy", {})):
                got = run(tool, tmp_path, target, function, x=x, w=w, **more)
                np.testing.assert_allclose(got["y"], x @ w.T, rtol=1e-12, atol=1e-13, err_msg=f"{function} on {target}")


# name -> (op, options, parameters, formula of test_cells, probability of each state, number of its draws)
ZONEOUT = {
    "elman": ("elman", "zoneout(0.25)", test_cells.shapes(1), test_cells.elman, {"h": (0.25, 0)}),
    "gru": ("gru", "zoneout(0.5)", test_cells.shapes(3), test_cells.gru, {"h": (0.5, 0)}),
    "gru-clock": ("gru", "zoneout(0.5) clock(%on) restart(%new)", test_cells.shapes(3), test_cells.gru, {"h": (0.5, 0)}),
    "lstm": ("lstm", "zoneout(0.25, 0.5)", test_cells.shapes(4), test_cells.lstm, {"h": (0.25, 0), "c": (0.5, 1)}),
    "lstm-clock": ("lstm", "zoneout(0.25, 0.5) clock(%on) restart(%new)", test_cells.shapes(4), test_cells.lstm,
                   {"h": (0.25, 0), "c": (0.5, 1)}),
    "lstm-reverse": ("lstm", "reverse zoneout(0.25, 0.5) clock(%on) restart(%new)", test_cells.shapes(4), test_cells.lstm,
                     {"h": (0.25, 0), "c": (0.5, 1)}),
}


@pytest.mark.parametrize("name", ZONEOUT)
def test_zoneout(tool, tmp_path, name):
    op, options, parameters, formula, zones = ZONEOUT[name]
    module, _, outputs = test_cells.text(op, options, parameters)
    compile(tool, tmp_path, module)
    units, clocked, reverse = test_cells.H, "clock" in options, options.startswith("reverse")
    rng = np.random.default_rng(2)
    weights = {n: test_cells.draw(n, s, rng) for n, s in parameters.items()}

    def evaluate(weights, state, x, target, on, new, draws):
        """The loss, outputs and last state; without draws the average."""
        h, way = [], slice(None, None, -1 if reverse else 1)
        for t in range(FRAMES)[way]:
            read = {n: jnp.where(new[t][:, None], 0.0, v) for n, v in state.items()}
            out = jax.vmap(lambda s, v: formula(weights, s, v))(read, x[t])
            for n, (p, _) in zones.items():
                kept = read[n] if draws is None else jnp.where(draws[n][t] < p, read[n], out[n])
                out[n] = kept if draws is not None else out[n] + p * (read[n] - out[n])
            state = {n: jnp.where(on[t][:, None], out[n], state[n]) for n in state}
            h.append(state["h"])
        h = jnp.stack(h[way])
        return jnp.mean(jnp.sum((h - target) ** 2, axis=-1)), (h, state)

    for target in TARGETS:
        state, carried = {n: jnp.zeros((STREAMS, units)) for n in zones}, {}
        for call in range(2):
            x, goal = (test_cells.draw("", (FRAMES, STREAMS, n), rng) for n in (test_cells.K, outputs))
            on = rng.random((FRAMES, STREAMS)) < 0.6 if clocked else np.ones((FRAMES, STREAMS), bool)
            new = rng.random((FRAMES, STREAMS)) < 0.3 if clocked else np.zeros((FRAMES, STREAMS), bool)
            flags = {"on": on, "new": new} if clocked else {}
            frames = range(call * FRAMES, (call + 1) * FRAMES)
            draws = {n: uniform(number, (units,), "frame", frames, call) for n, (_, number) in zones.items()}
            given = {**weights, **flags, "x": x}
            average = evaluate(weights, state, x, goal, on, new, None)[1][0]
            states = {n: v for n, v in carried.items() if n.startswith("state.")}
            for function, more in (("step.eval", {"target": goal}), ("n", {})):
                known = {n: v for n, v in states.items() if n != "state.frame"}
                got = run(tool, tmp_path, target, function, **given, **more, **known)
                np.testing.assert_allclose(got["h"], average, rtol=1e-12, atol=1e-13, err_msg=f"{function} on {target}")
            (value, (h, state)), gradients = jax.value_and_grad(evaluate, has_aux=True)(
                weights, state, x, goal, on, new, draws)
            if reverse:  # it begins anew in every call
                state = {n: jnp.zeros((STREAMS, units)) for n in zones}
            got = run(tool, tmp_path, target, "step", **given, target=goal, **carried)
            carried = {n: v for n, v in got.items() if n.startswith(("state.", "opt."))}
            np.testing.assert_allclose(got["h"], h, rtol=1e-12, atol=1e-13, err_msg=f"{target}, call {call}")
            for n, want in gradients.items():
                np.testing.assert_allclose(got["grad." + n], want, rtol=1e-11, atol=1e-12, err_msg=f"{n} on {target}")


@pytest.mark.parametrize("target", ["cpu", "emulator"])
def test_window(tool, tmp_path, target):
    """Where the window is longer than the advance, errors meet the numbers that were drawn then."""
    module, _, size = test_cells.text("lstm", "zoneout(0.25, 0.5) clock(%on)", test_cells.shapes(4))
    module = module.replace(f"rnn.network @n(%x: tensor<{test_cells.K}xf32>", f"rnn.network @n(%raw: tensor<{test_cells.K}xf32>")
    module = module.replace("  %h, %c =", f"  %x = rnn.dropout %raw <frame> p(0.25) : tensor<{test_cells.K}xf32>\n  %h, %c =")
    (tmp_path / "net.mlir").write_text(module.rstrip() + " bptt<window = 9, advance = 3>\n")
    rng = np.random.default_rng(3)
    draw = lambda *shape: rng.normal(size=shape).astype(np.float32)
    np.savez(tmp_path / "in.npz", raw=draw(15, STREAMS, test_cells.K), target=draw(15, STREAMS, size),
             on=rng.random((15, STREAMS)) < 0.6, **{n: draw(*s) for n, s in test_cells.shapes(4).items()})
    test_cells.run(tool("rnn-run"), tmp_path / "net.mlir", "--function=step", f"--input={tmp_path / 'in.npz'}",
                   f"--target={target}", "--compare=interpreter")
