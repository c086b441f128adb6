# ===- test_ctc.py - CTC against every alignment ------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""rnn.ctc judged by its definition: the probabilities of all paths that spell the labels are added up one by one, and
jax.grad differentiates the sum. No recursion is shared with what is tested.
"""

import itertools
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

CLASSES, LABELS, TARGETS = 4, 3, ("interpreter", "cpu", "emulator")


def text(classes=CLASSES, labels=LABELS, rate="stream", index="i32", options="", step='bptt<window = 8, advance = 8>'):
    logits, given, scalar = f"tensor<{classes}xf32>", f"tensor<{labels}x{index}>", f"tensor<{index}>"
    return f"""
rnn.parameter @w : {logits} init(#rnn.zeros)
rnn.network @n(%x: {logits}, %new: tensor<i1> {{rnn.reset}}, %last: tensor<i1>, %labels: {given} {{rnn.rate = "{rate}"}},
               %length: {scalar} {{rnn.rate = "{rate}"}}) -> (e: tensor<f32>, m: tensor<i1>) {{
  %w = rnn.param @w : {logits}
  %y = arith.addf %x, %w : {logits}
  %e = rnn.ctc "align" %y, %labels, %length {options} : ({logits}, {given}, {scalar}) -> tensor<f32>
  rnn.output %e, %last : tensor<f32>, tensor<i1>
}}
rnn.train_step @step of @n loss("e" mean mask "m") optimizer(#rnn.sgd<lr = 0.0>) {step}
"""


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"


def compile(tool, folder, module, streams, kinds=("f64", "f32")):
    (folder / "net.mlir").write_text(module)
    for kind in kinds:
        run(tool("rnn-compile"), folder / "net.mlir", "-o", folder / f"{kind}.rnnc", "--target=cpu", "--target=emulator",
            "--target=interpreter", f"--streams={streams}", "--keep=gradients,results",
            *(["--dtype=f64"] if kind == "f64" else []))


def outputs(tool, folder, kind, target, given):
    np.savez(folder / "in.npz", **{n: v.astype(np.float32) if kind == "f32" and v.dtype.kind == "f" else v
                                   for n, v in given.items()})
    run(tool("rnn-run"), folder / f"{kind}.rnnc", "--function=step", f"--input={folder / 'in.npz'}",
        f"--output={folder / 'out.npz'}", f"--target={target}")
    with np.load(folder / "out.npz") as out:
        return dict(out)


def collapse(path):
    return tuple(k for k, _ in itertools.groupby(path) if k != 0)


def every_alignment(logits, labels):
    """-log of the summed probabilities of the paths that spell `labels`; infinite where there is none."""
    frames = len(logits)
    paths = [p for p in itertools.product(range(logits.shape[1]), repeat=frames) if collapse(p) == tuple(labels)]
    if not paths:
        return jnp.inf
    logp = jax.nn.log_softmax(logits)
    return -jax.nn.logsumexp(jnp.sum(logp[jnp.arange(frames), jnp.array(paths)], axis=1))


# Sequences of a call: (frames, labels). Repeated labels need a blank between them, the last of a row may fill its frames.
STREAMED = [(5, [1, 2, 3]), (5, [2, 2]), (4, [3]), (3, []), (3, [1, 3, 1]), (5, [1, 1, 1]), (1, [2]), (5, [3, 3, 2])]


@pytest.mark.parametrize("index", ["i32", "i64"])
def test_every_alignment(tool, tmp_path, index):
    compile(tool, tmp_path, text(index=index), len(STREAMED))
    rng = np.random.default_rng(5)
    frames, streams = 6, len(STREAMED)
    draw = lambda *shape: rng.normal(scale=1.5, size=shape).astype(np.float32).astype(np.float64)
    given = {"x": draw(frames, streams, CLASSES), "w": draw(CLASSES), "new": np.zeros((frames, streams), bool),
             "last": np.zeros((frames, streams), bool), "length": np.zeros(streams, index.replace("i", "int")),
             # What stands behind the labels is not read.
             "labels": rng.integers(-9, 99, (streams, LABELS)).astype(index.replace("i", "int"))}
    for b, (count, labels) in enumerate(STREAMED):
        given["last"][count - 1, b], given["length"][b] = True, len(labels)
        given["labels"][b, : len(labels)] = labels

    def loss(w):
        return jnp.mean(jnp.array([every_alignment(given["x"][:count, b] + w, labels)
                                   for b, (count, labels) in enumerate(STREAMED)]))

    value, gradient = jax.value_and_grad(loss)(jnp.asarray(given["w"]))
    for kind, tolerance in (("f64", 1e-12), ("f32", 3e-6)):
        for target in TARGETS:
            got = outputs(tool, tmp_path, kind, target, given)
            assert got["flags"] == 0
            np.testing.assert_allclose(got["loss"], value, rtol=tolerance, err_msg=f"{kind} on {target}")
            np.testing.assert_allclose(got["grad.w"], gradient, rtol=tolerance, atol=tolerance, err_msg=f"{kind} on {target}")
    # A frame's result is the loss of the frames up to it, infinite where they are too few.
    for b, (count, labels) in enumerate(STREAMED):
        for t in range(frames - 1):
            want = every_alignment(given["x"][: t + 1, b] + given["w"], labels)
            np.testing.assert_allclose(got["e"][t, b], want, rtol=3e-6, err_msg=f"stream {b}, frame {t}")


def test_sequences_in_a_row(tool, tmp_path):
    """Resets divide a chunk into sequences with labels of their own, which then have frame rate; and a call ends
    where it may: its successor goes on with the carried logarithms."""
    rows = [[(3, [1, 2]), (2, [3]), (4, [2, 2, 1])], [(4, [2, 1, 2]), (5, [3, 3])]]
    compile(tool, tmp_path, text(rate="frame"), len(rows), kinds=["f64"])
    rng = np.random.default_rng(6)
    frames = 9
    given = {"x": rng.normal(size=(frames, len(rows), CLASSES)), "w": rng.normal(size=CLASSES),
             "new": np.zeros((frames, len(rows)), bool), "last": np.zeros((frames, len(rows)), bool),
             "labels": np.zeros((frames, len(rows), LABELS), np.int32), "length": np.zeros((frames, len(rows)), np.int32)}
    want = np.zeros((frames, len(rows)))
    for b, row in enumerate(rows):
        start = 0
        for count, labels in row:
            given["new"][start, b], given["last"][start + count - 1, b] = True, True
            given["labels"][start : start + count, b, : len(labels)] = labels
            given["length"][start : start + count, b] = len(labels)
            want[start + count - 1, b] = every_alignment(given["x"][start : start + count, b] + given["w"], labels)
            start += count
    per_frame = {n: given[n] for n in ("x", "new", "last", "labels", "length")}
    for target in TARGETS:
        state, got = {}, []
        for first, count in ((0, 4), (4, 1), (5, 4)):
            chunk = {n: v[first : first + count] for n, v in per_frame.items()}
            out = outputs(tool, tmp_path, "f64", target, {**chunk, "w": given["w"], **state})
            state = {n: v for n, v in out.items() if n.startswith("state.")}
            got.append(out["e"])
        got = np.concatenate(got)
        np.testing.assert_allclose(got[given["last"]], want[given["last"]], rtol=1e-12, err_msg=target)


@pytest.mark.parametrize("target", TARGETS)
def test_too_few_frames(tool, tmp_path, target):
    """No path spells three labels in two frames: the step does nothing, or with zero_infinity has no error there."""
    frames, streams = 2, 2
    given = {"x": np.ones((frames, streams, CLASSES)), "w": np.array([0.0, 1.0, -1.0, 0.5]),
             "new": np.zeros((frames, streams), bool), "last": np.array([[False, False], [True, True]]),
             "labels": np.array([[1, 2, 3], [1, 2, 3]], np.int32), "length": np.array([3, 2], np.int32)}
    compile(tool, tmp_path, text(), streams, kinds=["f32"])
    np.savez(tmp_path / "in.npz", **{**given, "x": np.ones_like(given["x"], np.float32), "w": given["w"].astype(np.float32)})
    done = subprocess.run([tool("rnn-run"), tmp_path / "f32.rnnc", "--function=step", f"--input={tmp_path / 'in.npz'}",
                           f"--target={target}"], capture_output=True, text=True)
    assert done.returncode == 6 and "loss is inf" in done.stderr, done.stderr
    compile(tool, tmp_path, text(options="{zero_infinity}"), streams, kinds=["f32"])
    got = outputs(tool, tmp_path, "f32", target, given)
    assert got["flags"] == 0 and got["e"][1, 0] == 0
    value, gradient = jax.value_and_grad(lambda w: every_alignment(given["x"][:, 1] + w, [1, 2]) / 2)(jnp.asarray(given["w"]))
    np.testing.assert_allclose(got["loss"], value, rtol=2e-6)
    np.testing.assert_allclose(got["grad.w"], gradient, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("target", TARGETS)
def test_wrong_labels(tool, tmp_path, target):
    """A label that is no class, and a length that is none, are indices out of range."""
    given = {"x": np.ones((3, 1, CLASSES)), "w": np.zeros(CLASSES), "new": np.zeros((3, 1), bool),
             "last": np.array([[False], [False], [True]]), "labels": np.array([[1, 2, 3]], np.int32),
             "length": np.array([2], np.int32)}
    compile(tool, tmp_path, text(), 1, kinds=["f32"])
    assert outputs(tool, tmp_path, "f32", target, given)["flags"] == 0
    for wrong in ({"labels": np.array([[1, CLASSES, 3]], np.int32)}, {"labels": np.array([[-1, 2, 3]], np.int32)},
                  {"length": np.array([LABELS + 1], np.int32)}, {"length": np.array([-1], np.int32)}):
        assert outputs(tool, tmp_path, "f32", target, {**given, **wrong})["flags"] == 2, wrong


def test_long_sequences(tool, tmp_path):
    """Logarithms of probabilities far below the smallest number: f32 keeps its digits, values and gradients."""
    frames, streams, classes, labels = 300, 2, 20, 40
    rng = np.random.default_rng(8)
    given = {"x": (4 * rng.normal(size=(frames, streams, classes))).astype(np.float32).astype(np.float64), "w": np.zeros(classes),
             "new": np.zeros((frames, streams), bool), "last": np.zeros((frames, streams), bool),
             "labels": rng.integers(1, classes, (streams, labels)).astype(np.int32),
             "length": np.array([labels, 17], np.int32)}
    given["last"][-1, 0] = given["last"][200, 1] = True
    compile(tool, tmp_path, text(classes, labels, step=""), streams)
    exact = outputs(tool, tmp_path, "f64", "cpu", given)
    assert 500 < exact["loss"] < 3000
    for target in ("cpu", "emulator"):
        got = outputs(tool, tmp_path, "f32", target, given)
        np.testing.assert_allclose(got["loss"], exact["loss"], rtol=2e-6)
        np.testing.assert_allclose(got["grad.w"], exact["grad.w"], rtol=1e-3, atol=1e-3)
