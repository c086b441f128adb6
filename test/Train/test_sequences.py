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
    words = [list(rng.integers(1, CLASSES, rng.integers(0, min(LABELS, (n + 1) // 2) + 1))) for n in lengths]
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
    return tools.run("rnn-train", "net.mlir", "--data=data.npz", f"--out={out}", *options, code=code, RNN_NUM_THREADS="1")


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


def test_one_sequence(tools):
    """With a value of its own it is no series to be cut into pieces."""
    data, words = sequences(1, seed=8)
    train(tools, network(), data, "--streams=2", "--val-split=0", "--label-errors=logits", "--epochs=2")
    n = data["lengths"][0]
    log = rows(tools)
    assert len(log) == 2 and [int(row["frames"]) for row in log] == [n, 2 * n]
    assert float(log[0]["loss"]) == pytest.approx(loss_of(data["x"][:n, 0].astype(float), words[0]), rel=1e-5)
    assert rates(log)[0] == pytest.approx(error_rate(data, words, [0]))


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


# Label errors ---------------------------------------------------------------------------


def fewest_edits(a, b):
    """Straight from the definition: every first edit is tried."""
    if not a or not b:
        return len(a) + len(b)
    if a[0] == b[0]:
        return fewest_edits(a[1:], b[1:])
    return 1 + min(fewest_edits(a[1:], b), fewest_edits(a, b[1:]), fewest_edits(a[1:], b[1:]))


def error_rate(data, words, which):
    """Errors of the best classes of some sequences per label; '' where there are no labels."""
    best = [collapse(data["x"][: data["lengths"][i], i].argmax(1)) for i in which]
    edits = sum(fewest_edits(spelt, list(words[i])) for spelt, i in zip(best, which))
    labels = sum(len(words[i]) for i in which)
    return edits / labels if labels else None


def rates(log, name="label_error_rate"):
    return [float(row[name]) if row[name] else None for row in log]


@pytest.mark.parametrize("target", ["cpu", "interpreter", "emulator"])
def test_label_errors(tools, target):
    data, words = sequences(12, longest=7, seed=5)
    words[4], data["length"][4] = [], 0
    done = train(tools, network(), data, "--streams=4", "--val-split=0.34", "--label-errors=logits", "--log-every=1",
                 f"--target={target}")
    log = rows(tools)
    assert list(log[0])[5:8] == ["val_loss", "label_error_rate", "val_label_error_rate"]
    expected = [error_rate(data, words, range(4)), error_rate(data, words, range(4, 8))]
    assert rates(log) == pytest.approx(expected) and 0 < expected[0] != expected[1] > 0, expected
    held = error_rate(data, words, range(8, 12))
    assert float(log[-1]["val_label_error_rate"]) == pytest.approx(held)
    assert f" label_error_rate {expected[0]:.4f} " in done.stderr and f" val_label_error_rate {held:.4f}" in done.stderr


def test_label_errors_of_parts(tools):
    """Sequences are spelt on from step to step, over resets and the end of a run that is continued."""
    data, words = sequences(40, longest=7, seed=6)
    new = ", %new: tensor<i1> {rnn.reset}"
    text = network("frame", reset=new, step="bptt<window = 6, advance = 3>").replace("labels", "word").replace("length", "size")
    data = per_frame(data)
    lengths = data["lengths"]
    given = {("word" if n == "labels" else "size" if n == "length" else n): v for n, v in data.items()}
    options = ["--streams=2", "--val-split=0.1", "--label-errors=logits,word,size", "--val-every=7"]
    train(tools, text, given, *options)
    log = rows(tools)
    # Sequences follow one another in the two streams; each counts in the step that has its last frame.
    ends = {i: sum(lengths[i % 2 : i + 1 : 2]) for i in range(36)}
    for step, rate in enumerate(rates(log)):
        ended = [i for i, end in ends.items() if 3 * step < end <= 3 * step + 3]
        expected = error_rate(data, words, ended)
        assert rate == (expected if expected is None else pytest.approx(expected)), step
    assert rates(log, "val_label_error_rate")[6] == pytest.approx(error_rate(data, words, range(36, 40)))
    for stop in (1, 4, 5, 6, 11):
        train(tools, text, given, *options, f"--max-steps={stop}", "--overwrite", out="parts")
        train(tools, text, given, *options, "--resume", "--max-steps=1000", out="parts")
        for a, b in zip(log, rows(tools, "parts"), strict=True):
            assert {**a, "frames_per_s": ""} == {**b, "frames_per_s": ""}, stop
        assert tools.checkpoint("run") == tools.checkpoint("parts")
    last = tools.folder / "parts" / "last.safetensors"
    whole = last.read_bytes()
    for old, new in ((b'\\"last\\":', b'\\"lost\\":'), (b'\\"labels\\":[', b'\\"labels\\":{')):
        assert old in whole
        last.write_bytes(whole.replace(old, new))
        done = train(tools, text, given, *options, "--resume", out="parts", code=1)
        assert "'parts/last.safetensors' has metadata that is wrong" in done.stderr


def test_masked_sequences_count_no_errors(tools):
    data, words = sequences(6, seed=7)
    mask = np.ones(data["last"].shape, bool)
    mask[data["lengths"][1] - 1, 1] = mask[0, 2] = False
    data["lengths"][2] = max(data["lengths"][2], 2)
    data["last"][:] = np.arange(6)[:, None] == data["lengths"] - 1
    train(tools, network(), {**data, "mask": mask}, "--streams=6", "--val-split=0", "--label-errors=logits")
    assert rates(rows(tools)) == pytest.approx([error_rate(data, words, [0, 2, 3, 4, 5])])


def test_errors_of_label_errors(tools):
    data, _ = sequences(5)

    def fails(message, option="logits", code=2, text=network(), model="net.mlir", arrays=data):
        (tools.folder / "net.mlir").write_text(text)
        np.savez(tools.folder / "data.npz", **arrays)
        done = tools.run("rnn-train", model, "--data=data.npz", "--streams=2", f"--label-errors={option}", code=code)
        assert message in done.stderr, done.stderr

    fails("'step' of 'net.mlir' does not return 'logit' to count label errors with", "logit")
    fails("'ends' of 'step' is i1 [T,2], expected logits [T,B,C]", "ends")
    fails("--label-errors must be <logits> or <logits>,<labels>,<length>, got 'logits,labels'", "logits,labels")
    fails("'step' has no argument named 'word' to count label errors with\nnote: use --label-errors=<logits>,<labels>,<length>",
          "logits,word,length")
    fails("'x' of 'step' is f32 [T,2,4], expected i32 or i64 [B,L] or [T,B,L]", "logits,x,length")
    fails("'labels' of 'step' is i32 [2,3], expected i32 or i64 [B] or [T,B]", "logits,labels,labels")
    fails("--label-errors needs separate sequences, but 'data.npz' is one series",
          arrays=per_frame(sequences(1)[0]), text=network("frame", step="bptt<window = 1, advance = 1>"))
    reset = network("frame", reset=", %new: tensor<i1> {rnn.reset}", step="bptt<window = 8, advance = 8>")
    fails("--label-errors needs separate sequences, but 'data.npz' divides them by resets of its own", text=reset,
          arrays={**per_frame(data), "new": data["last"]})
    tools.run("rnn-compile", "net.mlir", "-o", "net.rnnc", "--streams=2")
    fails("'step' of 'net.rnnc' does not return 'logits' to count label errors with\n"
          "note: it must be a result of '@net', and an artifact compiled with --keep=results", model="net.rnnc",
          text=reset, arrays=per_frame(data))
    tools.run("rnn-compile", "net.mlir", "-o", "net.rnnc", "--streams=2", "--keep=results")
    tools.run("rnn-train", "net.rnnc", "--data=data.npz", "--label-errors=logits")
    done = tools.run("rnn-train", "net.rnnc", "--data=data.npz", "--resume", "--label-errors=nll", code=2)
    assert "--resume with --label-errors=nll, but the run used --label-errors=logits" in done.stderr
