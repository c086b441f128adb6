# ===- test_sequences.py - Values per sequence, and label errors ---------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Trainings on separate sequences whose files give some arguments once per sequence or once for all: losses and label
errors are worked out here from the data alone, with CTC by adding up every alignment.
"""

import csv
import itertools

import numpy as np
import pytest

from test_compiled import tools  # noqa: F401 (the fixture)

CLASSES, LABELS = 4, 3


def network(rate="stream", reset="", step="", lr=0.0, static=False):
    """Logits are the input plus a parameter, or times a factor that the whole run has."""
    scaled = "%s = arith.mulf %y, %g : tensor<4xf32>" if static else "%s = arith.addf %y, %w : tensor<4xf32>"
    factor = ', %g: tensor<4xf32> {rnn.rate = "static"}' if static else ""
    return f"""
rnn.parameter @w : tensor<4xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>{reset}, %last: tensor<i1>, %labels: tensor<3xi32> {{rnn.rate = "{rate}"}},
                 %length: tensor<i32> {{rnn.rate = "{rate}"}}{factor}) -> (logits: tensor<4xf32>, nll: tensor<f32>, ends: tensor<i1>) {{
  %w = rnn.param @w : tensor<4xf32>
  %y = arith.addf %x, %w : tensor<4xf32>
  {scaled}
  %nll = rnn.ctc "align" %s, %labels, %length : (tensor<4xf32>, tensor<3xi32>, tensor<i32>) -> tensor<f32>
  rnn.output %s, %nll, %last : tensor<4xf32>, tensor<f32>, tensor<i1>
}}
rnn.train_step @step of @net loss("nll" mean mask "ends") optimizer(#rnn.sgd<lr = {lr}>) {step}
"""


def collapse(path):
    return [k for k, _ in itertools.groupby(path) if k != 0]


def loss_of(logits, labels):
    """-log of the summed probabilities of all paths that spell the labels."""
    logp = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    frames = range(len(logits))
    total = sum(np.exp(sum(logp[t, k] for t, k in zip(frames, path)))
                for path in itertools.product(range(CLASSES), repeat=len(logits)) if collapse(path) == list(labels))
    return -np.log(total)


def sequences(count, longest=6, seed=0):
    """Arrays of a file, with labels once per sequence, and the labels as lists. Sequences have the frames they need."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, longest + 1, count)
    words = [list(rng.integers(1, CLASSES, rng.integers(0, min(LABELS, n // 2) + 1))) for n in lengths]
    last = np.arange(longest)[:, None] == lengths - 1
    labels = np.array([word + [0] * (LABELS - len(word)) for word in words], np.int32)
    return {"x": rng.normal(0, 2, (longest, count, CLASSES)).astype(np.float32), "last": last, "lengths": lengths,
            "labels": labels, "length": np.array([len(word) for word in words], np.int32)}, words


def per_frame(data):
    """The same file with labels in every frame."""
    frames = len(data["x"])
    spread = {name: np.broadcast_to(data[name], (frames, *data[name].shape)) for name in ("labels", "length")}
    return {**data, **spread}


def train(tools, text, data, *options, out="run", code=0):
    (tools.folder / "net.mlir").write_text(text)
    np.savez(tools.folder / "data.npz", **data)
    return tools.run("rnn-train", "net.mlir", "--data=data.npz", f"--out={out}", *options, code=code)


def rows(tools, out="run"):
    with open(tools.folder / out / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


# Values per sequence and per run ------------------------------------------------------


@pytest.mark.parametrize("target", ["cpu", "interpreter", "emulator"])
def test_whole_sequences(tools, target):
    """A step without bptt takes a whole sequence of each stream, and its labels once."""
    data, words = sequences(8)
    train(tools, network(), data, "--streams=3", "--val-split=0.25", f"--target={target}")
    losses = [loss_of(data["x"][:n, i].astype(float), words[i]) for i, n in enumerate(data["lengths"])]
    log = rows(tools)
    assert [int(row["frames"]) for row in log] == list(np.cumsum(data["lengths"])[[2, 5]])
    assert [float(row["loss"]) for row in log] == pytest.approx([np.mean(losses[:3]), np.mean(losses[3:6])], rel=1e-5)
    assert float(log[-1]["val_loss"]) == pytest.approx(np.mean(losses[6:]), rel=1e-5)


def test_sequences_longer_than_a_step(tools):
    """Labels stay with their sequence from step to step; the loss comes with its last frame."""
    data, words = sequences(5, seed=1)
    data["lengths"][:] = [6, 3, 5, 6, 1]
    data["last"][:] = np.arange(6)[:, None] == data["lengths"] - 1
    data["length"][:], words = [1, 1, 2, 3, 0], [list(w[:n]) for w, n in zip(data["labels"], [1, 1, 2, 3, 0])]
    data["labels"][:] = [[1, 9, 9], [2, 9, 9], [3, 1, 9], [1, 2, 3], [9, 9, 9]]
    words = [list(row[:n]) for row, n in zip(data["labels"], data["length"])]
    train(tools, network(step="bptt<window = 4, advance = 4>"), data, "--streams=2", "--val-split=0")
    losses = [loss_of(data["x"][:n, i].astype(float), words[i]) for i, n in enumerate(data["lengths"])]
    # Stream 0 has sequences 0, 2, 4 in 2 + 2 + 1 steps, stream 1 has 1, 3 in 1 + 2.
    expected = [losses[1], losses[0], losses[3], losses[2], losses[4]]
    log = rows(tools)
    assert [float(row["loss"]) for row in log] == pytest.approx([expected[0], expected[1], np.mean([expected[2]]), *expected[3:]], rel=1e-5)


@pytest.mark.parametrize("step", ["", "bptt<window = 4, advance = 4>"])
def test_once_or_in_every_frame(tools, step):
    """Labels per sequence train like the same labels in every frame."""
    data, _ = sequences(12, seed=2)
    options = ["--streams=3", "--epochs=3", "--val-split=0.25"]
    train(tools, network(step=step, lr=0.5), data, *options)
    train(tools, network("frame", step=step, lr=0.5), per_frame(data), *options, out="frames")
    log, frames = rows(tools), rows(tools, "frames")
    for name in ("loss", "val_loss", "grad_norm"):
        assert [row[name] for row in log] == [row[name] for row in frames]
    first, last = (sum(float(row["loss"]) for row in log if row["epoch"] == epoch) for epoch in "13")
    assert last < first


def test_reset_argument(tools):
    """With a value per sequence a step has one sequence of a stream, also where resets could divide it."""
    data, words = sequences(4, seed=3)
    train(tools, network(reset=", %new: tensor<i1> {rnn.reset}", step="bptt<window = 8, advance = 8>"), data,
          "--streams=2", "--val-split=0")
    losses = [loss_of(data["x"][:n, i].astype(float), words[i]) for i, n in enumerate(data["lengths"])]
    assert [float(row["loss"]) for row in rows(tools)] == pytest.approx([np.mean(losses[:2]), np.mean(losses[2:])], rel=1e-5)


def test_value_for_the_run(tools):
    data, words = sequences(4, seed=4)
    g = np.array([0.5, -1, 2, 1], np.float32)
    train(tools, network(static=True), {**data, "g": g}, "--streams=4", "--val-split=0")
    losses = [loss_of(data["x"][:n, i] * g.astype(float), words[i]) for i, n in enumerate(data["lengths"])]
    assert float(rows(tools)[0]["loss"]) == pytest.approx(np.mean(losses), rel=1e-5)


def test_errors_of_rates(tools):
    data, _ = sequences(5)

    def fails(message, text=network(), **arrays):
        done = train(tools, text, {**data, **arrays}, "--streams=2", code=1)
        assert message in done.stderr, done.stderr
        assert not (tools.folder / "run").exists()

    fails("'labels' of 'data.npz' is [6,5,3], expected [N,3]\nnote: 'step' reads it once per sequence",
          labels=per_frame(data)["labels"])
    fails("'labels' of 'data.npz' is [5,2], expected [N,3]", labels=data["labels"][:, :2])
    fails("'last' has 5 sequences, but 'labels' has 4", labels=data["labels"][:4])
    fails("input 'labels' of 'step' is f32 [N,3], expected i32 [2,3]", labels=data["labels"].astype(np.float32))
    fails("'length' of 'data.npz' is [5,1], expected [N]", length=data["length"][:, None])
    fails("'g' of 'data.npz' is [5,4], expected [4]\nnote: 'step' reads it once per step", network(static=True),
          g=np.ones((5, 4), np.float32))
    fails("no input for 'g' of 'step'", network(static=True))
    fails("'labels' has 5 frames, but 'last' has 6", network("frame"),
          labels=np.zeros((5, 5, 3), np.int32), length=np.zeros((5, 5), np.int32))
    fails("'lr' is not taken from data, but 'data.npz' has it\nnote: use --lr", lr=np.float32(1))
    np.savez(tools.folder / "few.npz", labels=data["labels"], length=data["length"])
    done = tools.run("rnn-train", "net.mlir", "--data=few.npz", code=1)
    assert "'few.npz' has no array [T,N,…]" in done.stderr
    # Rows of a table are frames.
    (tools.folder / "table.csv").write_text("x,y\n" + "1,2\n" * 100)
    done = tools.run("rnn-train", "net.mlir", "--data=table.csv", code=2)
    assert "'step' has several inputs, but 'table.csv' gives one" in done.stderr
