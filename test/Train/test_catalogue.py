# ===- test_catalogue.py - Every message of the catalogue ----------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""The mistakes that users make: what is done, the messages on stderr, and the exit code.

catalogue.txt has what the command line says, by row; the table below what Python raises.
"""

import os
import pathlib
import re
import shutil
import string
import subprocess

import numpy as np
import pytest

import rnn_mlir as rnn
import tiny_models
from catalogue_models import MODELS

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ["RNN_TEST_BUILD"])
FAKE_CUDA = BUILD / "unittests" / "Runtime" / "FakeCuda"


@pytest.fixture(scope="module")
def place(tool, tmp_path_factory):
    """A folder with all that the rows name."""
    folder = tmp_path_factory.mktemp("catalogue")
    for name, text in MODELS.items():
        (folder / f"{name}.mlir").write_text(text)
    compiled = {"step": 2, "other": 2, "renamed": 2, "activations": 1, "workspace": 1, "parameter": 1}
    for name, streams in compiled.items():
        targets = ["cpu", "cuda:sm_90"] if name == "activations" else ["cpu"]
        subprocess.run([tool("rnn-compile"), f"{name}.mlir", f"--streams={streams}", "-o", f"{name}.rnnc",
                        *[f"--target={target}" for target in targets]], cwd=folder, check=True)
    x = (np.arange(40, dtype=np.float32) / 40).reshape(20, 2)
    wide = np.stack([x] * 3, axis=2)
    steep = np.array([[8e19, 0]] * 20, np.float32)  # the gradient's terms are infinite, and of either sign
    arrays = {
        "xy": {"x": x, "target": x}, "short": {"x": x, "target": x[:19]}, "x": {"x": x}, "none": {"x": x[:0]},
        "eight": {"x": np.tile(x, (1, 4))},
        "double": {"x": x.astype(np.float64)}, "one": {"x": x[:, :1]},
        "long": {"x": np.zeros((1000000, 1), np.float32)},
        "wide": {"x": wide}, "pairs": {"x": wide, "target": wide}, "stray": {"x": x, "wc": x[0, 0]}, "again": {"x": x},
        "nan": {"x": np.full_like(x, np.nan), "target": x},
        "slope": {"x": steep, "target": steep * np.float32([[0], [0.2]] * 10)},
    }
    for name, tensors in arrays.items():
        np.savez(folder / f"{name}.npz", **tensors)
    for model, data in (("step", "xy"), ("other", "pairs"), ("renamed", "xy")):
        subprocess.run([tool("rnn-train"), f"{model}.rnnc", f"--data={data}.npz", f"--out={model}", "--quiet",
                        "--val-split=0"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (folder / "a.bin").write_bytes(b"")
    (folder / "a.txt").write_text("The data are twelve bytes per stream at most, of sixteen.")
    (folder / "a.csv").write_text("time,temp\n1,2\n3,n/a\n")
    (folder / "b.csv").write_text("time,temp\n1,2\n3,4,5\n")
    raw = (folder / "step" / "last.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(raw[:-4])
    (folder / "text.safetensors").write_bytes(b"\4\0\0\0\0\0\0\0[{}]")
    raw = (folder / "step.rnnc").read_bytes()
    (folder / "new.rnnc").write_bytes(raw[:4] + b"\3" + raw[5:])
    (folder / "damaged.rnnc").write_bytes(raw[:5000] + bytes([raw[5000] ^ 1]) + raw[5001:])
    tiny_models.build(folder / "lack.rnnc", "linear", change=lambda tables: tables.update(requires=["no-such-feature"]))
    for name in ("alone", "bin", "lib", "broken"):
        (folder / name).mkdir()
    shutil.copy(tool("rnn-run"), folder / "alone")
    shutil.copy(tool("rnn-run"), folder / "bin")
    shutil.copy(BUILD / "lib" / "librnn-runtime.so", folder / "lib")
    (folder / "broken" / "libcuda.so.1").touch()
    return folder


PASSES = {"cpu": "rnn-plan-memory,convert-rnn-to-cpu", "gpu": "rnn-plan-memory,rnn-assign-schedule,convert-rnn-to-gpu"}


def read_rows():
    """Row, exit code, command and messages of each entry."""
    rows = []
    for line in (HERE / "catalogue.txt").read_text().splitlines():
        if line.startswith("  "):
            rows[-1].values[3].append(line[2:])
        elif line and not line.startswith("#"):
            number, code, command = line.split(" ", 2)
            rows.append(pytest.param(int(number), int(code), command, [], id=f"{number}-{command[:60]}"))
    return rows


def to_pattern(text):
    """`...` is a word that differs between machines."""
    return re.escape(text).replace(re.escape("..."), ".+")


@pytest.mark.parametrize("row, code, command, messages", read_rows())
def test_row(place, tool, row, code, command, messages):
    if "$fake" in command and not (FAKE_CUDA / "libcuda.so.1").exists():
        pytest.skip("the stand-in for libcuda is not built")
    words = string.Template(command).substitute({n: f"builtin.module({p})" for n, p in PASSES.items()}, fake=FAKE_CUDA)
    words = words.split()
    if words[0].startswith("rnn-"):
        words[0] = tool(words[0])
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=120)
    said = done.stderr.splitlines()
    if "rnn-opt" in command:  # shows the line of the source and the op too
        said = [line for line in said if re.search(r"(error|note): (?!see current operation)", line)]
    assert re.fullmatch(to_pattern("\n".join(messages)), "\n".join(said)), done
    assert done.returncode == code, done
    assert not (place / "out.rnnc").exists()


def test_all_rows_are_there():
    """Row 29 is about building networks in Python, which the package cannot do yet."""
    assert {row.values[0] for row in read_rows()} == set(range(1, 33)) - {29}
    assert not hasattr(rnn, "Network")


def test_python(place, monkeypatch):
    """The same mistakes in Python, and the class of each; only a program of one's own can call with too many frames."""
    monkeypatch.chdir(place)
    x, program = np.load("xy.npz")["x"], rnn.Program("step.rnnc")

    def run(*, of="net", **arguments):
        return lambda: program.run(of, **arguments)

    for do, kind, message in (
        (run(x=x[:0]), rnn.ShapeError, "input 'x' has 0 frames; at least 1 is required"),
        (run(of="step", x=x, target=x), rnn.ShapeError,
         "'step' takes at most 2 frames a call, but 'x' has 20"),
        (run(of="step", x=x[:2], target=x[:1]), rnn.ShapeError, "'x' has 2 frames, but 'target' has 1"),
        (run(x=np.tile(x, (1, 4))), rnn.ShapeError,
         "input 'x' has 8 streams, but 'step.rnnc' was compiled for 2\nnote: recompile with --streams=8"),
        (run(of="step", x=x[:2]), rnn.FileError, "no input for 'target' of 'step'\nnote: given: x"),
        (run(x=x, wc=x), rnn.FileError, "'net' has no tensor named 'wc'\nnote: did you mean 'wx'?"),
        (run(x=x.astype(np.float64)), rnn.DTypeError, "input 'x' of 'net' is f64 [20,2], expected f32 [T,2]"),
        (run(x=np.stack([x] * 3, axis=2)), rnn.ShapeError, "input 'x' of 'net' is f32 [20,2,3], expected f32 [T,2]"),
        (lambda: program.load("a.bin"), rnn.FileError, "'a.bin' has unknown extension; expected .npz or .safetensors"),
        (lambda: rnn.Program("damaged.rnnc"), rnn.FileError, "'damaged.rnnc' is damaged: hash does not match"),
        (lambda: rnn.Program("lack.rnnc"), rnn.DeviceError,
         "'lack.rnnc' needs no-such-feature, which this CPU lacks\nnote: recompile with --target=cpu:x86-64-v3"),
        (lambda: rnn.Program("workspace.rnnc"), rnn.OutOfMemoryError,
         "needs 4.0 TiB for T=1, 'cpu' has ... free\nnote: largest: workspace 4.0 TiB"),
        (lambda: program.load("other/last.safetensors"), rnn.FileError,
         "'other/last.safetensors' belongs to another network (hash ...…, expected ...…)\n"
         "note: differs in: 'wx' [] here, [3] there"),
        (lambda: program.load("renamed/last.safetensors"), rnn.FileError,
         "'renamed/last.safetensors' belongs to another network (hash ...…, expected ...…)\n"
         "note: differs in: 'wx' [] here, none there"),
    ):
        with pytest.raises(kind) as caught:
            do()
        assert re.fullmatch(to_pattern(message), str(caught.value)), caught.value
