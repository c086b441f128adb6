# ===- test_train_clauses.py - What rnn-train promises about runs ---------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Which rows of a CSV belong together, when streams begin anew, how often one is warned, and how a run is stopped."""

import re
import signal
import time

import numpy as np
import pytest
from safetensors.numpy import save_file

import tiny_models
from test_train import log_rows, train


def losses(tools, out="rnn-out"):
    return [float(row["loss"]) for row in log_rows(tools.work / out)]


def scaled(values):
    values = np.asarray(values)
    return (values - values.mean(0)) / values.std(0)


# CSV: the linear model, whose parameters are zero, predicts zero, so that a loss is the mean of the squared targets.


@pytest.mark.parametrize("horizon", [1, 3])
def test_horizon(tools, linear, horizon):
    """The target of a row stands `horizon` rows below it; each of two streams has half of the rows."""
    values = np.random.default_rng(0).normal(size=(48, 2)).round(3)
    (tools.work / "s.csv").write_text("\n".join(f"{a},{b}" for a, b in values))
    options = [] if horizon == 1 else [f"--horizon={horizon}"]
    train(tools, linear, "--data=s.csv", "--targets=2", "--val-split=0", "--lr=0", *options)
    target = scaled(values)[:, 1].reshape(2, 24)[:, horizon:]
    chunks = target.shape[1] // 4
    expected = (target[:, : 4 * chunks].reshape(2, chunks, 4) ** 2).mean(axis=(0, 2))
    assert losses(tools) == pytest.approx(expected, rel=1e-4)


def test_sequence_column(tools, linear):
    """A new value begins a sequence, though it has been there before; no target is that of another sequence."""
    names, lengths = "abac", [6, 3, 5, 9]
    values = np.random.default_rng(1).normal(size=(sum(lengths), 2)).round(3)
    which = np.repeat(np.arange(4), lengths)
    rows = [f"{names[n]},{a},{b}" for n, (a, b) in zip(which, values)]
    (tools.work / "s.csv").write_text("\n".join(["name,a,b", *rows]) + "\n")
    train(tools, linear, "--data=s.csv", "--sequence-column=name", "--targets=b", "--val-split=0", "--lr=0")
    # Stream 0 reads sequences 0 and 2, of 5 and 4 frames with a next one; stream 1 reads 1 and 3, of 2 and 8.
    assert [int(row["frames"]) for row in log_rows(tools.work / "rnn-out")] == [6, 11, 19]
    targets = [scaled(values)[which == n, 1][1:] for n in range(4)]
    chunks = [[targets[0][:4], targets[1][:4]], [targets[0][4:], targets[3][:4]], [targets[2], targets[3][4:]]]
    assert losses(tools) == pytest.approx([np.mean(np.concatenate(c) ** 2) for c in chunks], rel=1e-4)


def test_safetensors_are_data(tools, linear):
    """The same arrays give the same run in either format."""
    rng = np.random.default_rng(2)
    arrays = {"x": rng.normal(size=(24, 5, 2)).astype(np.float32), "lengths": np.array([24, 9, 1, 20, 7]),
              "target": rng.normal(size=(24, 5, 1)).astype(np.float32)}
    np.savez(tools.work / "d.npz", **arrays)
    save_file(arrays, tools.work / "d.safetensors")
    for kind in ("npz", "safetensors"):
        train(tools, linear, f"--data=d.{kind}", "--val-split=0.4", "--epochs=2", f"--out={kind}")
    first, second = [[{k: v for k, v in row.items() if k != "frames_per_s"} for row in log_rows(tools.work / kind)]
                     for kind in ("npz", "safetensors")]
    assert first == second and first[-1]["val_loss"] and float(first[0]["loss"]) > 0


# State --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The bigram model also reads the byte before; with parameters so large that one byte shows in a loss."""

    def enlarge(tables):
        for variable in tables["variables"][:2]:
            variable["init"] = {"kind": "uniform", "low": -5, "high": 5}

    return tiny_models.build(tmp_path_factory.mktemp("reader") / "reader.rnnc", change=enlarge)


def test_state_is_reset_at_each_epoch(tools, reader, text):
    """At a learning rate of zero every epoch has the same losses."""
    (tools.work / "part.txt").write_bytes(text.read_bytes()[:500])
    train(tools, reader, "--data=part.txt", "--lr=0", "--epochs=3", "--val-split=0")
    found = losses(tools)
    assert len(found) % 3 == 0 and len(set(found)) > 3
    epoch = len(found) // 3
    assert found[:epoch] == found[epoch : 2 * epoch] == found[2 * epoch :]


def test_state_is_reset_before_validation(tools, reader, text):
    """Validation does not see where training is, nor training where validation was."""
    data = text.read_bytes()
    (tools.work / "part.txt").write_bytes(data[:500])
    (tools.work / "val.txt").write_bytes(data[500:696])  # six chunks in each of four streams
    options = [reader, "--data=part.txt", "--lr=0"]
    train(tools, *options, "--val-data=val.txt", "--val-every=1", "--out=often")
    often = log_rows(tools.work / "often")
    assert len({row["val_loss"] for row in often}) == 1 and len(often) > 5
    train(tools, *options, "--val-split=0", "--out=never")
    assert losses(tools, "often") == losses(tools, "never")
    # What it sees is a stream's start: validation data are trained on with the same loss.
    train(tools, reader, "--data=val.txt", "--lr=0", "--val-split=0", "--out=start")
    counted = [(float(row["loss"]), int(row["frames"])) for row in log_rows(tools.work / "start")]
    frames = np.diff([0] + [n for _, n in counted])
    whole = sum(loss * n for (loss, _), n in zip(counted, frames)) / frames.sum()
    assert float(often[0]["val_loss"]) == pytest.approx(whole, rel=1e-5)


# Warnings and signals --------------------------------------------------------------------


def test_one_warning_in_a_hundred(tools, text, tmp_path):
    """Every other chunk is skipped: the 1st, the 101st and the 201st of them are told."""
    model = tiny_models.build(tmp_path / "poison.rnnc", streams=1, poison=1)
    data = bytearray(text.read_bytes()[: 8 * 420 + 1])
    data[: 8 * 420 : 16] = b"\1" * 210
    (tools.work / "bad.txt").write_bytes(data)
    done = train(tools, model, "--data=bad.txt", "--val-split=0", "--quiet", "--lr=0")
    said = re.findall(r"warning: loss is nan at step (\d+); nothing is updated, (\d+) skipped so far\n", done.err)
    assert said == [("1", "1"), ("201", "101"), ("401", "201")]
    assert done.err.count("\n") == 3
    assert log_rows(tools.work / "rnn-out")[-1]["skipped"] == "210"


@pytest.mark.parametrize("second, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_second_interrupt(tools, tmp_path, second, code):
    """The first waits for the end of the step, which takes some seconds; the second does not; files stay whole."""
    model = tiny_models.build(tmp_path / "slow.rnnc", streams=4, window=1 << 20, advance=1 << 20)
    (tools.work / "data.txt").write_bytes(bytes((1 << 22) + 4))
    run = tools.start("rnn-train", model, "--data=data.txt", "--val-split=0")
    last = tools.work / "rnn-out" / "last.safetensors"
    while not last.exists():
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
    start = last.read_bytes()
    time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert run.poll() is None
    run.send_signal(second)
    begin = time.monotonic()
    out, err = run.communicate(timeout=60)
    assert time.monotonic() - begin < 3
    assert (run.returncode, out, err) == (code, "", "")
    assert last.read_bytes() == start
