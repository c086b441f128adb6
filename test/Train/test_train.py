# ===- test_train.py - rnn-train ----------------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
import csv
import json
import math
import re
import signal
import struct
import time
import xml.etree.ElementTree

import numpy as np
import pytest

import tiny_models


def checkpoint(path):
    """Tensors and metadata of a .safetensors file, read independently."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    kinds = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "BOOL": "?"}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            data = raw[8 + length + begin : 8 + length + end]
            tensors[name] = np.frombuffer(data, kinds[entry["dtype"]]).reshape(entry["shape"])
    return tensors, header["__metadata__"]


def log_rows(folder):
    with open(folder / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


def same_run(a, b):
    """Two folders hold the same run, byte for byte but for the measured speed."""
    for name in ("last.safetensors", "best.safetensors", "loss.svg"):
        assert (a / name).read_bytes() == (b / name).read_bytes(), name
    rows = [[{k: v for k, v in row.items() if k != "frames_per_s"} for row in log_rows(f)] for f in (a, b)]
    assert rows[0] == rows[1]


def train(tools, *arguments, check=0):
    return tools.run("rnn-train", *arguments, check=check)


# Training ---------------------------------------------------------------------


def test_learns(tools, bigram, text):
    done = train(tools, bigram, f"--data={text}", "--lr=10", "--epochs=2", "--log-every=50")
    out = tools.work / "rnn-out"
    assert sorted(p.name for p in out.iterdir()) == ["best.safetensors", "last.safetensors", "log.csv", "loss.svg"]
    rows = log_rows(out)
    assert list(rows[0]) == ("step,epoch,frames,lr,loss,val_loss,bpc,val_bpc,grad_norm,frames_per_s,"
                             "skipped").split(",")
    steps = len(rows)
    assert [int(r["step"]) for r in rows] == list(range(1, steps + 1))
    assert float(rows[0]["loss"]) == pytest.approx(math.log(256), abs=0.1)
    assert float(rows[-1]["val_loss"]) < 0.6
    assert float(rows[-1]["val_bpc"]) == pytest.approx(float(rows[-1]["val_loss"]) / math.log(2), rel=1e-6)
    assert {r["epoch"] for r in rows} == {"1", "2"}
    assert re.search(r"^step 50/\d+ epoch 1 loss \d\.\d{4} bpc \d\.\d{4} lr 10 grad_norm \d\.\d\d frames/s \d+$",
                     done.err, re.M)
    assert re.search(rf"^val step {steps // 2} val_loss \d\.\d{{4}} val_bpc \d\.\d{{4}} best$", done.err, re.M)
    assert re.fullmatch(rf"done: {steps} steps, best val_loss \d\.\d{{4}} at step \d+, rnn-out/best.safetensors\n",
                        done.out)


def test_first_loss_is_right(tools, bigram, text):
    """Streams, targets and carried state: the first losses against numpy."""
    train(tools, bigram, f"--data={text}", "--lr=10", "--max-steps=3", "--val-split=0")
    zero, _ = checkpoint(tools.work / "rnn-out" / "last.safetensors")
    assert zero["opt.step"] == 3
    data = np.frombuffer(text.read_bytes(), np.uint8).astype(int)
    piece = len(data) // 4
    x = np.stack([data[b * piece : (b + 1) * piece] for b in range(4)], 1)
    # Start again from the parameters of step 0.
    train(tools, bigram, f"--data={text}", "--lr=0", "--max-steps=1", "--val-split=0", "--out=zero")
    start, _ = checkpoint(tools.work / "zero" / "last.safetensors")
    w, v = start["w"].astype(float).copy(), start["v"].astype(float).copy()
    for step, row in enumerate(log_rows(tools.work / "rnn-out")):
        gw, gv, total = np.zeros_like(w), np.zeros_like(v), 0.0
        for t in range(8 * step, 8 * step + 8):
            for b in range(4):
                logits = w[x[t, b]] + (v[x[t - 1, b]] if t else 0)
                p = np.exp(logits - logits.max())
                p /= p.sum()
                total -= math.log(p[x[t + 1, b]])
                p[x[t + 1, b]] -= 1
                gw[x[t, b]] += p / 32
                if t:
                    gv[x[t - 1, b]] += p / 32
        assert float(row["loss"]) == pytest.approx(total / 32, rel=1e-5)
        assert float(row["grad_norm"]) == pytest.approx(math.sqrt((gw**2).sum() + (gv**2).sum()), rel=1e-4)
        w -= 10 * gw
        v -= 10 * gv
    np.testing.assert_allclose(zero["w"], w, atol=1e-5)


def test_reruns_are_equal(tools, bigram, text):
    for out in ("a", "b"):
        train(tools, bigram, f"--data={text}", "--lr=10", "--val-every=60", f"--out={out}")
    same_run(tools.work / "a", tools.work / "b")


def test_quiet(tools, bigram, text):
    done = train(tools, bigram, f"--data={text}", "--quiet", "--max-steps=5")
    assert done.err == "" and done.out.startswith("done: 5 steps, ") and done.out.count("\n") == 1


def test_samples(tools, bigram, text):
    done = train(tools, bigram, f"--data={text}", "--lr=10", "--sample=30", "--prime=the ", "--temperature=0")
    tensors, _ = checkpoint(tools.work / "rnn-out" / "last.safetensors")
    assert done.out.startswith(tiny_models.greedy(tensors["w"], tensors["v"], "the ", 30) + "\ndone: ")


def test_schedules(tools, bigram, text):
    train(tools, bigram, f"--data={text}", "--lr=1", "--lr-schedule=cosine", "--warmup-steps=10", "--max-steps=60",
          "--lr-min=0.1")
    rates = [float(r["lr"]) for r in log_rows(tools.work / "rnn-out")]
    assert rates[:10] == pytest.approx([0.1 * k for k in range(1, 11)])
    assert rates[-1] == pytest.approx(0.1)
    assert all(a > b for a, b in zip(rates[10:], rates[11:]))
    done = train(tools, bigram, f"--data={text}", "--lr=1", "--lr-schedule=plateau", "--val-every=5", "--patience=1",
                 "--min-delta=10", "--lr-factor=0.1", "--lr-min=0.01", "--out=plateau", "--epochs=5")
    rates = sorted({float(r["lr"]) for r in log_rows(tools.work / "plateau")}, reverse=True)
    assert rates == pytest.approx([1, 0.1, 0.01], rel=1e-6) and "done: 20 steps" in done.out
    done = train(tools, bigram, f"--data={text}", "--val-every=5", "--early-stop=3", "--min-delta=10", "--out=early")
    assert "done: 20 steps" in done.out
    # On a plateau the run goes back to its best parameters: those of step 5, whatever steps 6 to 10 made of them.
    for schedule in ("constant", "plateau"):
        train(tools, bigram, f"--data={text}", "--lr=1000", f"--lr-schedule={schedule}", "--val-every=5", "--patience=1",
              "--min-delta=10", "--max-steps=10", "--out=back", "--overwrite")
        (last, _), (best, of) = (checkpoint(tools.work / "back" / f"{name}.safetensors") for name in ("last", "best"))
        assert of["rnn.step"] == "5" and all(np.array_equal(last[n], best[n]) for n in "wv") == (schedule == "plateau")


# TensorBoard ----------------------------------------------------------------------


def crc(data):
    """CRC-32C, bit by bit, masked as in TFRecord files."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def fields(message):
    """(number, value) of a protocol buffer: an integer, or the bytes of the others."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        size = {0: 0, 1: 8, 5: 4}.get(key & 7)
        if size == 0:
            yield key >> 3, varint()
            continue
        if size is None:
            assert key & 7 == 2
            size = varint()
        yield key >> 3, message[at : at + size]
        at += size


def events(path):
    """(step, version or None, {tag: value}, status of a session or None) of each record of a file."""
    raw, records = path.read_bytes(), []
    while raw:
        (length, check) = struct.unpack("<QI", raw[:12])
        assert check == crc(raw[:8])
        data, (check,) = raw[12 : 12 + length], struct.unpack("<I", raw[12 + length : 16 + length])
        assert check == crc(data)
        raw = raw[16 + length :]
        event = dict(fields(data))
        assert abs(struct.unpack("<d", event[1])[0] - time.time()) < 600
        values = {}
        for number, value in fields(event.get(5, b"")):
            assert number == 1
            value = dict(fields(value))
            values[value[1].decode()] = struct.unpack("<f", value[2])[0]
        records.append((event[2], event.get(3), values, dict(fields(event[7]))[1] if 7 in event else None))
    return records


def test_tensorboard(tools, bigram, text):
    options = [bigram, f"--data={text}", "--lr=10", "--val-every=20", "--tensorboard"]
    train(tools, *options, "--max-steps=50")
    out = tools.work / "rnn-out"
    (path,) = out.glob("events.out.tfevents.*")
    (first, *rest), rows = events(path), log_rows(out)
    assert first == (0, b"brain.Event:2", {}, None)
    assert [step for step, *_ in rest] == [int(row["step"]) for row in rows] == list(range(1, 51))
    for (_, version, values, status), row in zip(rest, rows):
        want = {tag: float(text) for tag, text in row.items() if tag not in ("step", "frames_per_s") and text}
        assert values.pop("frames_per_s") >= 0  # the first step has no speed yet
        assert version is status is None and values == pytest.approx(want, rel=1e-5)
    assert "val_bpc" in rest[19][2] and "val_loss" not in rest[20][2]
    # A run that goes on begins another file, and says that later steps are void.
    train(tools, *options, "--max-steps=60", "--resume")
    old, new = sorted(out.glob("events.out.tfevents.*"))
    assert old == path
    records = events(new)
    assert records[1] == (51, None, {}, 1) and [step for step, *_ in records[2:]] == list(range(51, 61))
    # One that starts again does not keep them, and without the option there are none.
    train(tools, *options, "--max-steps=3", "--overwrite")
    (path,) = out.glob("events.out.tfevents.*")
    assert len(events(path)) == 4
    train(tools, *options[:-1], "--max-steps=3", "--overwrite")
    assert not list(out.glob("events.out.tfevents.*"))


# Resume -------------------------------------------------------------------------


def test_resume_is_no_interruption(tools, bigram, text):
    options = [bigram, f"--data={text}", "--lr=10", "--val-every=50", "--epochs=2"]
    train(tools, *options, "--out=whole")
    train(tools, *options, "--out=parts", "--max-steps=77")
    done = train(tools, *options, "--out=parts", "--resume", "--max-steps=301")
    assert "resume at step 77" in done.err
    train(tools, *options, "--out=parts", "--resume", "--threads=1")
    same_run(tools.work / "whole", tools.work / "parts")


def test_kill_and_resume(tools, bigram, text):
    options = [bigram, f"--data={text}", "--lr=10", "--val-every=50", "--epochs=6", "--save-every=7"]
    train(tools, *options, "--out=whole")
    run = tools.start("rnn-train", *options, "--out=killed")
    for delay in (0.05, 0.11, 0.02, 0.07):
        time.sleep(delay)
        run.kill()
        run.communicate()
        resume = ["--resume"] if (tools.work / "killed" / "last.safetensors").exists() else ["--overwrite"]
        run = tools.start("rnn-train", *options, "--out=killed", *resume)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    same_run(tools.work / "whole", tools.work / "killed")


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt(tools, bigram, text, number, code):
    options = [bigram, f"--data={text}", "--lr=10", "--log-every=1"]
    run = tools.start("rnn-train", *options, "--epochs=100000")
    for line in run.stderr:
        if line.startswith("step 20/"):
            break
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert run.returncode == code
    found = re.search(r"^rnn-train: interrupted at step (\d+); saved rnn-out/last.safetensors, continue with --resume$",
                      err, re.M)
    assert found, err
    _, metadata = checkpoint(tools.work / "rnn-out" / "last.safetensors")
    assert metadata["rnn.step"] == found[1]
    done = train(tools, *options, f"--max-steps={int(found[1]) + 10}", "--epochs=100000", "--resume")
    assert f"done: {int(found[1]) + 10} steps" in done.out
    assert len(log_rows(tools.work / "rnn-out")) == int(found[1]) + 10


@pytest.mark.parametrize("val_every, max_steps", [(20, 40), (1000, 20)])
def test_interrupt_in_validation(tools, bigram, text, val_every, max_steps):
    long = tools.work / "long.txt"
    long.write_bytes(text.read_bytes() * 80)
    options = [bigram, f"--data={text}", f"--val-data={long}", "--lr=10", f"--val-every={val_every}",
               f"--max-steps={max_steps}"]
    train(tools, *options, "--out=whole")
    run = tools.start("rnn-train", *options, "--log-every=1", "--out=parts")
    for line in run.stderr:
        if line.startswith("step 20/"):
            break
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err == "rnn-train: interrupted at step 20; saved parts/last.safetensors, continue with --resume\n"
    assert log_rows(tools.work / "parts")[-1]["val_loss"] == ""
    done = train(tools, *options, "--out=parts", "--resume")
    assert "\nval step 20 " in done.err
    same_run(tools.work / "whole", tools.work / "parts")


def test_checkpoint(tools, bigram, text):
    train(tools, bigram, f"--data={text}", "--lr=10", "--max-steps=12", "--seed=3")
    tensors, metadata = checkpoint(tools.work / "rnn-out" / "last.safetensors")
    assert set(tensors) == {"w", "v", "opt.step", "state.prev", "state.age", "ring.0"}
    assert tensors["opt.step"] == 12 and (tensors["state.age"] == 95).all()
    data = text.read_bytes()
    piece = (len(data) - len(data) // 10) // 4
    assert tensors["state.prev"].ravel().tolist() == [data[b * piece + 95] for b in range(4)]
    for key in "format version network_hash step epoch frame seed lr best options".split():
        assert f"rnn.{key}" in metadata
    assert (metadata["rnn.step"], metadata["rnn.seed"], metadata["rnn.frame"]) == ("12", "3", str(12 * 32))


def test_resume_errors(tools, bigram, linear, text, tmp_path):
    train(tools, bigram, f"--data={text}", "--lr=0.5", "--max-steps=5")
    failed = train(tools, bigram, f"--data={text}", check=2)
    assert failed.err == ("rnn-train: error: 'rnn-out' holds a run\n"
                          "note: use --resume to continue it or --overwrite to start again\n")
    failed = train(tools, bigram, f"--data={text}", "--resume", "--lr=0.01", check=2)
    assert failed.err == "rnn-train: error: --resume with --lr=0.01, but the run used --lr=0.5\n"
    train(tools, bigram, f"--data={text}", "--resume", "--lr=0.50", "--max-steps=6")
    assert log_rows(tools.work / "rnn-out")[-1]["lr"] == "0.5"
    other = tmp_path / "other.txt"
    other.write_bytes(text.read_bytes() + b"x")
    failed = train(tools, bigram, f"--data={other}", "--resume", check=1)
    assert "is not the data of the run" in failed.err
    failed = train(tools, bigram, f"--data={text}", "--resume", f"--val-data={text}", check=2)
    assert failed.err == f"rnn-train: error: --resume with --val-data={text}, but the run used no --val-data\n"
    failed = train(tools, bigram, f"--data={text}", "--resume", "--out=none", check=1)
    assert "holds no run to continue" in failed.err
    other = tiny_models.build(tmp_path / "other.rnnc", change=lambda t: t.update(network_hash="91bc" + "0" * 60))
    failed = train(tools, other, f"--data={text}", "--resume", check=1)
    assert "'rnn-out/last.safetensors' belongs to another network (hash 3f2a…, expected 91bc…)" in failed.err
    train(tools, bigram, f"--data={text}", "--overwrite", "--max-steps=2")
    assert len(log_rows(tools.work / "rnn-out")) == 2
    raw = (tools.work / "rnn-out" / "last.safetensors").read_bytes()
    (tools.work / "rnn-out" / "last.safetensors").write_bytes(raw[:-100])
    failed = train(tools, bigram, f"--data={text}", "--resume", check=1)
    assert "is truncated: 'w' ends at byte" in failed.err


def test_resume_keeps_the_validation_data(tools, bigram, text):
    """What is not given is what the run used; another spelling of its path is fine, another file is not."""
    (tools.work / "val.txt").write_bytes(text.read_bytes()[:900])
    shared = [bigram, f"--data={text}", "--lr=0.5"]
    train(tools, *shared, "--val-data=val.txt", "--max-steps=20", "--out=whole")
    train(tools, *shared, "--val-data=val.txt", "--max-steps=10", "--out=parts")
    train(tools, *shared, "--max-steps=15", "--out=parts", "--resume")
    train(tools, *shared, "--max-steps=20", "--out=parts", "--resume", "--val-data=./val.txt")
    losses = [[row["loss"] for row in log_rows(tools.work / folder)] for folder in ("whole", "parts")]
    assert losses[0] == losses[1] and len(losses[0]) == 20
    (tools.work / "val.txt").write_bytes(text.read_bytes()[:901])
    failed = train(tools, *shared, "--max-steps=30", "--out=parts", "--resume", check=1)
    assert failed.err == "rnn-train: error: './val.txt' is not the validation data of the run in 'parts'\n"


def test_edited_checkpoints(tools, text):
    """Wrong counts are errors; messages name the model, not the artifact that was compiled from it."""
    (tools.work / "m.mlir").write_text("// model: bigram\n")
    train(tools, "m.mlir", f"--data={text}", "--max-steps=3", "--streams=4")
    last = tools.work / "rnn-out" / "last.safetensors"
    whole = last.read_bytes()
    for old, new, message in ((b'"rnn.frame":"96"', b'"rnn.frame":"-6"', "has metadata that is wrong"),
                              (b'streams\\":\\"4', b'streams\\":\\"8', "but 'rnn-out/model.mlir' was compiled for 8")):
        assert whole.count(old) == 1
        last.write_bytes(whole.replace(old, new))
        failed = train(tools, f"--data={text}", "--resume", "--max-steps=5", check=1)
        assert message in failed.err


def test_out_is_no_folder(tools, bigram, text):
    (tools.work / "file").write_text("")
    failed = train(tools, bigram, f"--data={text}", "--out=file", "--overwrite", check=1)
    assert failed.err == "rnn-train: error: 'file' is not a folder\n"


# Non-finite steps -----------------------------------------------------------------


def test_one_bad_chunk_is_skipped(tools, text, tmp_path):
    model = tiny_models.build(tmp_path / "poison.rnnc", poison=1)
    data = bytearray(text.read_bytes())
    data[100] = 1
    (tmp_path / "bad.txt").write_bytes(data)
    done = train(tools, model, f"--data={tmp_path / 'bad.txt'}", "--lr=1", "--max-steps=20", "--val-split=0")
    rows = log_rows(tools.work / "rnn-out")
    assert [r["skipped"] for r in rows] == ["0"] * 12 + ["1"] * 8 and rows[12]["loss"] == "nan"
    assert "rnn-train: warning: loss is nan at step 13; nothing is updated, 1 skipped so far\n" in done.err
    tensors, _ = checkpoint(tools.work / "rnn-out" / "last.safetensors")
    assert tensors["opt.step"] == 19 and np.isfinite(tensors["w"]).all()


def test_ten_bad_steps_end_the_run(tools, text, tmp_path):
    model = tiny_models.build(tmp_path / "poison.rnnc", poison=1)
    data = bytearray(text.read_bytes())
    data[8 * 5 : 8 * 20] = b"\1" * (8 * 15)
    (tmp_path / "bad.txt").write_bytes(data)
    failed = train(tools, model, f"--data={tmp_path / 'bad.txt'}", "--lr=1", check=6)
    assert "rnn-train: error: loss is nan for 10 steps, first at step 6\n" in failed.err
    assert "note: last finite checkpoint: rnn-out/last.safetensors\n" in failed.err
    tensors, metadata = checkpoint(tools.work / "rnn-out" / "last.safetensors")
    assert metadata["rnn.step"] == "5" and tensors["opt.step"] == 5


# Data -------------------------------------------------------------------------------


def test_csv(tools, linear):
    rng = np.random.default_rng(0)
    x = rng.normal(5, 2, (400, 2))
    rows = ["a,b,y"] + [f"{a:.6f},{b:.6f}," for a, b in x[:1]]
    for (a, b), (c, d) in zip(x[1:], x[:-1]):
        rows.append(f"{a:.6f},{b:.6f},{3 * c - d + 1:.6f}" if a < 8 else f"{a:.6f},{b:.6f},")
    (tools.work / "s.csv").write_text("\n".join(rows) + "\n")
    train(tools, linear, "--data=s.csv", "--inputs=a,b", "--targets=y", "--lr=0.1", "--epochs=5")
    rows = log_rows(tools.work / "rnn-out")
    assert float(rows[-1]["val_loss"]) < 1e-3 and "bpc" not in rows[0]
    tensors, _ = checkpoint(tools.work / "rnn-out" / "last.safetensors")
    np.testing.assert_allclose(tensors["data.mean"][:2], x[:360].mean(0), atol=1e-4)
    np.testing.assert_allclose(tensors["data.std"][:2], x[:360].std(0), atol=1e-4)
    assert int(rows[0]["frames"]) < 8 + 1


@pytest.mark.parametrize("line, message", [
    ("1,n/a,3", "s.csv:3: column 2 'b' is not a number: 'n/a'"),
    ("1,2,3,4", "s.csv:3: 4 columns, expected 3"),
    (",2,3", "s.csv:3: column 1 'a' is not a number: ''"),
])
def test_bad_csv(tools, linear, line, message):
    (tools.work / "s.csv").write_text("a,b,y\n1,2,3\n" + line + "\n1,2,3\n" * 20)
    failed = train(tools, linear, "--data=s.csv", "--inputs=a,b", "--targets=y", check=1)
    assert failed.err == f"rnn-train: error: {message}\n"
    assert not (tools.work / "rnn-out").exists()


def test_sequences_and_lengths(tools, linear):
    """Sequences are dealt to streams; each starts afresh; padding does not count."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6, 5, 2)).astype(np.float32)
    target = (x @ np.array([2, -1], np.float32) + 0.5)[..., None].astype(np.float32)
    lengths = np.array([6, 3, 5, 6, 1])
    for n, length in enumerate(lengths):
        x[length:, n] = target[length:, n] = 1e9
    np.savez(tools.work / "d.npz", x=x, target=target, lengths=lengths)
    train(tools, linear, "--data=d.npz", "--val-split=0", "--lr=0")
    rows = log_rows(tools.work / "rnn-out")
    # Stream 0: sequences 0, 2, 4 of 6, 5, 1 frames in chunks of 4: 2 + 2 + 1; stream 1: 1, 3 of 3, 6: 1 + 2.
    assert [int(r["frames"]) for r in rows] == [7, 13, 19, 20, 21]
    y = target[..., 0].astype(float)
    chunks = [[y[0:4, 0], y[0:3, 1]], [y[4:6, 0], y[0:4, 3]], [y[0:4, 2], y[4:6, 3]], [y[4:5, 2]], [y[0:1, 4]]]
    expected = [float(np.mean(np.concatenate(c) ** 2)) for c in chunks]
    assert [float(r["loss"]) for r in rows] == pytest.approx(expected, rel=1e-5)
    tensors, _ = checkpoint(tools.work / "rnn-out" / "last.safetensors")
    # Stream 0 was reset for its last sequence, one frame and three of padding.
    assert tensors["state.total"][0, 0] == pytest.approx(float(x[0, 4, 0]), rel=1e-5)


def test_sequences_start_at_once_with_a_reset(tools, tmp_path):
    def add_reset(tables):
        for function in tables["functions"]:
            function["tensors"].append(tiny_models.argument("r", "i1", [-1, 2], reset=True))

    model = tiny_models.build(tmp_path / "reset.rnnc", "linear", streams=2, advance=4, window=4, change=add_reset)
    x = np.zeros((6, 5, 2), np.float32)
    np.savez(tools.work / "d.npz", x=x, target=x[..., :1], lengths=np.array([6, 3, 5, 6, 1]))
    train(tools, model, "--data=d.npz", "--val-split=0")
    # Stream 0 has 6 + 5 + 1 frames, stream 1 has 3 + 6.
    assert [int(r["frames"]) for r in log_rows(tools.work / "rnn-out")] == [8, 16, 21]
    # Resets of the data come on top.
    np.savez(tools.work / "d.npz", x=x, target=x[..., :1], lengths=np.array([6, 3, 5, 6, 1]), r=np.zeros((6, 5), "u1"))
    train(tools, model, "--data=d.npz", "--val-split=0", "--overwrite")
    assert [int(r["frames"]) for r in log_rows(tools.work / "rnn-out")] == [8, 16, 21]


def test_masks_and_lengths_of_any_type(tools, linear):
    rng = np.random.default_rng(2)
    good = {"x": rng.normal(size=(6, 2, 2)).astype("f4"), "target": rng.normal(size=(6, 2, 1)).astype("f4")}
    mask = rng.random((6, 2)) < 0.5
    for kind in ("?", "u1", "i2", "i4", "i8"):
        np.savez(tools.work / "d.npz", **good, mask=mask.astype(kind), lengths=np.array([6, 5], kind.replace("?", "i1")))
        train(tools, linear, "--data=d.npz", "--val-split=0", "--overwrite")
        rows = log_rows(tools.work / "rnn-out")
        assert [int(r["frames"]) for r in rows] == [mask[:4].sum(), mask[:4].sum() + mask[4:6, 0].sum() + mask[4, 1]]


def test_data_errors(tools, linear, bigram, text):
    good = {"x": np.zeros((4, 2, 2), np.float32), "target": np.zeros((4, 2, 1), np.float32)}

    def fails(message, **arrays):
        np.savez(tools.work / "d.npz", **{**good, **arrays})
        failed = train(tools, linear, "--data=d.npz", check=1)
        assert message in failed.err, failed
        assert not (tools.work / "rnn-out").exists()

    fails("'x' has 3 frames, but 'target' has 4", x=np.zeros((3, 2, 2), np.float32))
    fails("'x' has 3 sequences, but 'target' has 2", x=np.zeros((4, 3, 2), np.float32))
    fails("input 'mask' of 'step' is f32 [T,N], expected i1 [T,2]", mask=np.ones((4, 2), np.float32))
    fails("input 'mask' of 'step' is i1 [T,N,1], expected i1 [T,2]", mask=np.ones((4, 2, 1), bool))
    fails("and a value does not fit i1", mask=np.full((4, 2), 256))
    fails("'lengths' of 'd.npz' is f32 [2], expected i64 [2]", lengths=np.ones(2, np.float32))
    fails("length 5 of sequence 1 in 'd.npz' is not in [1, 4]", lengths=np.array([1, 5], np.uint8))
    fails("input 'x' of 'step' is f32 [T,N,3], expected f32 [T,2,2]", x=np.zeros((4, 2, 3), np.float32))
    fails("input 'x' of 'step' is f64 [T,N,2], expected f32 [T,2,2]", x=np.zeros((4, 2, 2)))
    fails("input 'x' of 'step' is i64 [T,N,2], expected f32 [T,2,2]", x=np.zeros((4, 2, 2), int))
    fails("'step' has no tensor named 'z'", z=np.zeros((4, 2), np.float32))
    (tools.work / "short.txt").write_bytes(b"ab" * 10)
    failed = train(tools, bigram, "--data=short.txt", "--val-split=0", check=1)
    assert failed.err == ("rnn-train: error: 'short.txt' gives 5 frames per stream; one chunk needs 9\n"
                          "note: use fewer --streams or a smaller --bptt-advance\n")
    failed = train(tools, bigram, "--data=missing.txt", check=1)
    assert "cannot read 'missing.txt'" in failed.err
    (tools.work / "d.npz").write_bytes(b"PK junk")
    assert "'d.npz' is not an npz file" in train(tools, linear, "--data=d.npz", check=1).err


# Models and the compiler ----------------------------------------------------------------


def test_model_text_goes_through_the_compiler(tools, text):
    (tools.work / "m.mlir").write_text("// model: bigram\n")
    train(tools, "m.mlir", f"--data={text}", "--streams=3", "--bptt-window=16", "--bptt-advance=4", "--optimizer=sgd",
          "--clip-norm=0.5", "--max-steps=3")
    (call,) = tools.compile_calls()
    assert call[0] == "m.mlir" and {"--target=cpu", "--streams=3", "--bptt=16,4", "--optimizer=sgd,lr=0.002,momentum=0.9",
                                    "--clip-norm=0.5"} < set(call)
    assert (tools.work / "rnn-out" / "model.mlir").read_text() == "// model: bigram\n"
    train(tools, f"--data={text}", "--resume", "--max-steps=5")
    assert tools.compile_calls()[1][0] == "rnn-out/model.mlir"
    assert tools.compile_calls()[1][4:] == call[4:]
    train(tools, "m.mlir", f"--data={text}", "--bptt-window=16", "--out=b", "--max-steps=1")
    assert "--bptt=16,8" in tools.compile_calls()[-1]


def test_compiler_errors_pass(tools, text):
    (tools.work / "m.mlir").write_text("broken\n")
    failed = train(tools, "m.mlir", f"--data={text}", check=1)
    assert failed.err == "m.mlir:1:1: error: 'scf.for' op is not allowed in a network\n"
    assert not (tools.work / "rnn-out").exists()
    (tools.folder / "rnn-compile").rename(tools.folder / "away")
    failed = tools.run("rnn-train", "m.mlir", f"--data={text}")
    if failed.code == 4:  # no other rnn-compile on PATH
        assert failed.err == "rnn-train: error: rnn-compile not found; only .rnnc files run here\n"


def test_written_model(tools, text):
    train(tools, f"--data={text}", "--cell=peephole-lstm", "--hidden-size=8", "--num-layers=3", "--max-steps=1")
    model = (tools.work / "rnn-out" / "model.mlir").read_text()
    for line in ["rnn.parameter @l0.wx : tensor<256x32xf32> init(#rnn.uniform<-2.0, 2.0>)",
                 "rnn.parameter @l2.wx : tensor<32x8xf32> init(#rnn.uniform<>)",
                 "rnn.parameter @l1.wh : tensor<32x8xf32> init(#rnn.orthogonal<gain = 0.5, blocks = 4>)",
                 "rnn.train_step @step of @net loss(\"nll\" mean) optimizer(#rnn.adam<lr = 0.002>) clip<norm = 1.0> "
                 "bptt<window = 128, advance = 128>"]:
        assert line in model
    assert 'rnn.lstm "l2" %h1 wx(@l2.wx) wh(@l2.wh) b(@l2.b) peephole(@l2.pi, @l2.pf, @l2.po)' in model
    for cell, gates, init in (("gru", 24, "orthogonal<gain = 0.5, blocks = 3>"), ("elman", 8, "orthogonal<gain = 0.5>")):
        train(tools, f"--data={text}", f"--cell={cell}", "--hidden-size=8", "--max-steps=1", f"--out={cell}")
        model = (tools.work / cell / "model.mlir").read_text()
        assert f"rnn.parameter @l0.wx : tensor<256x{gates}xf32> init(#rnn.uniform<-2.0, 2.0>)" in model
        assert f"rnn.parameter @l1.wh : tensor<{gates}x8xf32> init(#rnn.{init})" in model
        assert f'  %h1 = rnn.{cell} "l1" %h0 wx(@l1.wx) wh(@l1.wh) b(@l1.b) : tensor<8xf32> -> tensor<8xf32>\n' in model


@pytest.mark.parametrize("options, text_form, flag", [
    ([], "adam<lr = 0.002>", "adam,lr=0.002"),
    (["--weight-decay=0.5"], "adam<lr = 0.002, weight_decay = 0.5>", "adam,lr=0.002,weight_decay=0.5"),
    (["--optimizer=adamw"], "adamw<lr = 0.002, weight_decay = 0.0>", "adamw,lr=0.002,weight_decay=0.0"),
    (["--optimizer=sgd", "--momentum=0"], "sgd<lr = 0.002, momentum = 0.0>", "sgd,lr=0.002,momentum=0.0"),
    (["--optimizer=rmsprop"], "rmsprop<lr = 0.002>", "rmsprop,lr=0.002"),
    (["--optimizer=rmsprop", "--momentum=0.5"], "rmsprop<lr = 0.002, momentum = 0.5>", "rmsprop,lr=0.002,momentum=0.5"),
    (["--optimizer=adagrad"], "adagrad<lr = 0.002>", "adagrad,lr=0.002"),
    (["--optimizer=adadelta"], "adadelta<lr = 1.0>", "adadelta,lr=1.0"),
    (["--optimizer=adadelta", "--lr=0.5"], "adadelta<lr = 0.5>", "adadelta,lr=0.5"),
])
def test_optimizer_options(tools, text, options, text_form, flag):
    """What the command line says of the optimizer, in a written model and as an override of one that is given."""
    train(tools, f"--data={text}", *options, "--max-steps=1", "--out=written")
    assert f" optimizer(#rnn.{text_form}) " in (tools.work / "written" / "model.mlir").read_text()
    (tools.work / "m.mlir").write_text("// model: bigram\n")
    given = options if any("--optimizer" in o for o in options) else ["--optimizer=adam", *options]
    train(tools, "m.mlir", f"--data={text}", *given, "--max-steps=1", "--out=given")
    assert f"--optimizer={flag}" in tools.compile_calls()[-1]
    # What was not said is known again when the run goes on.
    rate = flag.split("lr=")[1].split(",")[0]
    train(tools, f"--data={text}", "--resume", f"--lr={rate}", "--max-steps=2", "--out=given")
    assert log_rows(tools.work / "given")[-1]["lr"] == f"{float(rate):g}"
    failed = train(tools, f"--data={text}", "--resume", "--lr=0.25", "--max-steps=3", "--out=given", check=2)
    assert re.search(r"--resume with --lr=0.25, but the run used --lr=(\S+)\n", failed.err)[1] in (rate, f"{float(rate):g}")


def test_clipping_options(tools, text):
    """One way of clipping takes the place of the other, in a written model and in one that is given."""
    for option, form in ((["--clip-value=0.25"], "clip<value = 0.25> "), (["--clip-norm=0.25"], "clip<norm = 0.25> "),
                         ([], "clip<norm = 1.0> "), (["--clip-norm=0"], ""), (["--clip-value=0"], "")):
        train(tools, f"--data={text}", *option, "--max-steps=1", "--overwrite")
        assert f"adam<lr = 0.002>) {form}bptt<" in (tools.work / "rnn-out" / "model.mlir").read_text()
    (tools.work / "m.mlir").write_text("// model: bigram\n")
    for option in ("--clip-value=0.25", "--clip-norm=0.25", None):
        train(tools, "m.mlir", f"--data={text}", *filter(None, [option]), "--max-steps=1", "--overwrite")
        assert [o for o in tools.compile_calls()[-1] if o.startswith("--clip")] == list(filter(None, [option]))
    train(tools, "m.mlir", f"--data={text}", "--clip-value=0.25", "--max-steps=1", "--overwrite")
    train(tools, f"--data={text}", "--resume", "--max-steps=2")
    assert "--clip-value=0.25" in tools.compile_calls()[-1]
    assert train(tools, f"--data={text}", "--clip-value=1", "--clip-norm=1", "--overwrite", check=2).err == (
        "rnn-train: error: --clip-norm and --clip-value exclude each other\n")


def test_names_in_written_models(tools):
    y = np.zeros((4, 2, 1), np.float32)
    for name in ("a b", "loss", "state.x", "h0", "y", "l0.wx", "out.b"):
        np.savez(tools.work / "d.npz", **{name: y, "target": y})
        failed = train(tools, "--data=d.npz", "--streams=2", check=1)
        assert failed.err == (f"rnn-train: error: '{name}' of 'd.npz' cannot name the input of a written model\n"
                              "note: call it 'x', or write a model\n")
    np.savez(tools.work / "d.npz", x=y, y=y)
    failed = train(tools, "--data=d.npz", "--streams=2", check=2)
    assert failed.err.endswith("several inputs; write a model for it\nnote: the array to predict is named 'target'\n")
    np.savez(tools.work / "d.npz", x=y, target=y)
    failed = train(tools, "--data=d.npz", "--bptt-window=200", "--bptt-advance=128", check=1)
    assert failed.err == "rnn-train: error: bptt window 200 is not a multiple of advance 128\n"
    assert not tools.compile_calls()


def test_picture_is_xml(tools, text):
    (tools.work / "a<b&c.mlir").write_text("// model: bigram\n")
    train(tools, "a<b&c.mlir", f"--data={text}", "--streams=4", "--max-steps=3")
    picture = xml.etree.ElementTree.parse(tools.work / "rnn-out" / "loss.svg")
    assert "a<b&c" in [element.text for element in picture.iter()]


def test_dry_run(tools, text):
    done = train(tools, f"--data={text}", "--dry-run")
    assert done.out == "network bigram\n" and not (tools.work / "rnn-out").exists()


# Command line ----------------------------------------------------------------------------


@pytest.mark.parametrize("option, message", [
    ("--batch-size=3", "unknown option '--batch-size'\nnote: did you mean '--streams'?"),
    ("--epoch=3", "unknown option '--epoch'\nnote: did you mean '--epochs'?"),
    ("--val-split=1.5", "--val-split must be in [0, 1), got 1.5"),
    ("--lr=fast", "--lr must be a number, got 'fast'"),
    ("--streams=0", "--streams must be in [1, 1048576], got 0"),
    ("--target=tpu", "unknown target 'tpu'\nnote: known: cpu, cuda, emulator, interpreter"),
    ("--emulator-order=-1", "--emulator-order must be in [0, "),
    ("--cell=ugru", "unknown --cell 'ugru'\nnote: known: lstm, peephole-lstm, gru, elman"),
    ("--optimizer=lion", "unknown --optimizer 'lion'\nnote: known: adam, adamw, sgd, rmsprop, adagrad, adadelta"),
    ("--quiet=1", "option '--quiet' takes no value"),
    ("--momentum=0.5", "--momentum needs --optimizer=sgd or --optimizer=rmsprop"),
    ("--bptt-window=4", "--bptt-window needs an .mlir model"),
    ("--clip-value=4", "--clip-value needs an .mlir model"),
    ("--out", "option '--out' needs a value"),
])
def test_command_line(tools, bigram, text, option, message):
    failed = train(tools, bigram, f"--data={text}", option, check=2)
    assert failed.err.startswith(f"rnn-train: error: {message}"), failed
    assert not (tools.work / "rnn-out").exists()


def test_no_data(tools, bigram):
    assert "no data given" in train(tools, bigram, check=2).err


def test_terminal(tools, bigram, text):
    """On a terminal progress is one rewritten bar."""
    import os
    import pty
    import subprocess

    main, side = pty.openpty()
    run = subprocess.Popen([str(tools.folder / "rnn-train"), str(bigram), f"--data={text}", "--max-steps=20"],
                           cwd=tools.work, stderr=side, stdout=subprocess.DEVNULL)
    os.close(side)
    shown = b""
    try:
        while piece := os.read(main, 4096):
            shown += piece
    except OSError:
        pass
    os.close(main)
    assert run.wait() == 0
    bar = r"\repoch 1/1: 100%\|██████████\| 20/20 \[00:00<00:00, [\d.]+step/s, loss=4\.\d\d, bpc=\d\.\d\d, lr=0\.5\]"
    assert re.search(bar, shown.decode()), shown
