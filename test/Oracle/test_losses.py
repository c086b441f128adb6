# ===- test_losses.py - Losses judged by their formulas -----------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Every loss: values and gradients against formulas written in JAX, and far from zero against exact ones."""

import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

FRAMES, STREAMS = 6, 2


def softmax_cross_entropy(y, target):
    return jax.nn.logsumexp(y) - y[target]


def sigmoid_cross_entropy(y, target):
    p = 1 / (1 + jnp.exp(-y))
    return jnp.mean(-target * jnp.log(p) - (1 - target) * jnp.log(1 - p))


def huber(y, target, delta=1.0):
    d = jnp.abs(y - target)
    return jnp.mean(jnp.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta)))


# name -> (op, attributes, shape of the prediction, formula)
LOSSES = {
    "softmax": ("softmax_cross_entropy", "", (5,), softmax_cross_entropy),
    "sigmoid": ("sigmoid_cross_entropy", "", (5,), sigmoid_cross_entropy),
    "sigmoid-scalar": ("sigmoid_cross_entropy", "", (), sigmoid_cross_entropy),
    "squared": ("mean_squared_error", "", (5,), lambda y, t: jnp.mean((y - t) ** 2)),
    "squared-matrix": ("mean_squared_error", "", (2, 3), lambda y, t: jnp.mean((y - t) ** 2)),
    "squared-one": ("mean_squared_error", "", (1,), lambda y, t: jnp.mean((y - t) ** 2)),
    "absolute": ("mean_absolute_error", "", (5,), lambda y, t: jnp.mean(jnp.abs(y - t))),
    "absolute-scalar": ("mean_absolute_error", "", (), lambda y, t: jnp.abs(y - t)),
    "huber": ("huber", "", (5,), huber),
    "huber-delta": ("huber", "{delta = 0.25}", (5,), lambda y, t: huber(y, t, 0.25)),
    "huber-matrix": ("huber", "{delta = 2.5}", (2, 3), lambda y, t: huber(y, t, 2.5)),
}


def text(op, attributes, shape):
    """A module whose prediction is w∘x + b."""
    tensor = "tensor<" + "".join(f"{n}x" for n in shape) + "f32>"
    target = "tensor<i32>" if op == "softmax_cross_entropy" else tensor
    return f"""
rnn.parameter @w : {tensor} init(#rnn.zeros)
rnn.parameter @b : {tensor} init(#rnn.zeros)
rnn.network @n(%x: {tensor}, %target: {target}) -> (e: tensor<f32>) {{
  %w = rnn.param @w : {tensor}
  %b = rnn.param @b : {tensor}
  %wx = arith.mulf %w, %x : {tensor}
  %y = arith.addf %wx, %b : {tensor}
  %e = rnn.{op} %y, %target {attributes} : ({tensor}, {target}) -> tensor<f32>
  rnn.output %e : tensor<f32>
}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<lr = 0.0>)
"""


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"


def outputs(tool, folder, kind, target, given):
    np.savez(folder / "in.npz", **given)
    run(tool("rnn-run"), folder / f"{kind}.rnnc", "--function=step", f"--input={folder / 'in.npz'}",
        f"--output={folder / 'out.npz'}", f"--target={target}")
    with np.load(folder / "out.npz") as out:
        return dict(out)


def compile(tool, folder, module):
    (folder / "net.mlir").write_text(module)
    for kind, options in (("f64", ["--dtype=f64"]), ("f32", [])):
        run(tool("rnn-compile"), folder / "net.mlir", "-o", folder / f"{kind}.rnnc", "--target=cpu", "--target=emulator",
            "--target=interpreter", f"--streams={STREAMS}", "--keep=gradients,results", *options)


@pytest.mark.parametrize("name", LOSSES)
def test_loss(tool, tmp_path, name):
    op, attributes, shape, formula = LOSSES[name]
    compile(tool, tmp_path, text(op, attributes, shape))
    rng = np.random.default_rng(len(name))
    draw = lambda *lead: rng.normal(scale=1.5, size=(*lead, *shape)).astype(np.float32).astype(np.float64)
    given = {"w": draw(), "b": draw(), "x": draw(FRAMES, STREAMS), "target": draw(FRAMES, STREAMS)}
    if op == "softmax_cross_entropy":
        given["target"] = rng.integers(0, shape[0], (FRAMES, STREAMS)).astype(np.int32)
    if op == "sigmoid_cross_entropy":
        given["target"] = rng.choice([0.0, 1.0, 0.25], given["target"].shape)

    def loss(p):
        each = jax.vmap(jax.vmap(lambda x, t: formula(p["w"] * x + p["b"], t)))(given["x"], given["target"])
        return jnp.mean(each), each

    (value, each), gradients = jax.value_and_grad(loss, has_aux=True)({n: jnp.asarray(given[n]) for n in ("w", "b")})
    want = {"loss": value, "e": each, "grad.w": gradients["w"], "grad.b": gradients["b"]}
    for target in ("interpreter", "cpu", "emulator"):
        got = outputs(tool, tmp_path, "f64", target, given)
        for tensor, expected in want.items():
            np.testing.assert_allclose(got[tensor], expected, rtol=1e-12, atol=1e-14, err_msg=f"{tensor} on {target}")
    np.savez(tmp_path / "f32.npz", **{n: v if v.dtype.kind == "i" else v.astype(np.float32) for n, v in given.items()})
    for target in ("cpu", "emulator"):
        run(tool("rnn-run"), tmp_path / "f32.rnnc", "--function=step", f"--input={tmp_path / 'f32.npz'}",
            f"--target={target}", "--compare=interpreter")


@pytest.mark.parametrize("target", ["cpu", "emulator"])
def test_confident_logits(tool, tmp_path, target):
    """In f32 a sigmoid's cross-entropy keeps its digits where the sigmoid itself is 0 or 1, and so does its gradient."""
    compile(tool, tmp_path, text("sigmoid_cross_entropy", "", ()))
    logits = np.array([0, 1e-3, 5, 20, 60, 88, 100, 1e4, 1e30], np.float32)
    logits = np.concatenate([-logits[:0:-1], logits])
    for label in (0.0, 1.0):
        for logit in logits:
            x = np.zeros((1, STREAMS), np.float32)
            given = {"w": np.float32(1), "b": logit, "x": x, "target": np.full_like(x, label)}
            got = outputs(tool, tmp_path, "f32", target, given)
            z = float(logit) * (1 - 2 * label)  # the loss is softplus(z), its derivative ±sigmoid(z)
            with np.errstate(under="ignore"):
                value = max(z, 0.0) + np.log1p(np.exp(-abs(z)))
                slope = (1 - 2 * label) * (1 / (1 + np.exp(-z)) if z >= 0 else np.exp(z) / (1 + np.exp(z)))
            # Below the smallest normal number of f32 digits may end.
            np.testing.assert_allclose(got["loss"], value, rtol=4e-7, atol=1.2e-38, err_msg=f"{logit}, {label}")
            np.testing.assert_allclose(got["grad.b"], slope, rtol=4e-7, atol=1.2e-38, err_msg=f"{logit}, {label}")


def test_kinks(tool, tmp_path):
    """Where a loss has a kink its derivative is the one of rule A2: 0 for an error of 0."""
    for op, attributes, offset, want in (("mean_absolute_error", "", 0.0, 0.0), ("mean_absolute_error", "", -0.5, -1.0),
                                         ("huber", "{delta = 0.5}", 0.0, 0.0), ("huber", "{delta = 0.5}", 0.5, 0.5),
                                         ("huber", "{delta = 0.5}", -0.75, -0.5), ("huber", "{delta = 0.5}", 0.25, 0.25)):
        compile(tool, tmp_path, text(op, attributes, ()))
        x = np.ones((1, STREAMS), np.float32)
        given = {"w": np.float32(1), "b": np.float32(offset), "x": x, "target": x}
        for target in ("interpreter", "cpu", "emulator"):
            assert outputs(tool, tmp_path, "f32", target, given)["grad.b"] == np.float32(want), (op, offset, target)
