# ===- test_train_messages.py - What rnn-train says of wrong commands and data --===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Each message word for word; a run that is refused leaves no folder."""

import json
import struct
import subprocess

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file


def fails(tools, message, *arguments, code=1):
    failed = tools.run("rnn-train", *arguments, check=code)
    assert failed.err == f"rnn-train: error: {message}\n", failed
    assert not (tools.work / "rnn-out").exists()


def arrays(tools, **given):
    np.savez(tools.work / "d.npz", **given)


@pytest.mark.parametrize("options, message", [
    (["--weight-decay=0.1"], "--weight-decay with a model needs --optimizer"),
    (["--cell=gru"], "--cell and a model exclude each other"),
    (["--hidden-size=4"], "--hidden-size and a model exclude each other"),
    (["--num-layers=1"], "--num-layers and a model exclude each other"),
    (["--dry-run"], "--dry-run needs an .mlir model; 'MODEL' is compiled"),
    (["--function=bigram"], "'bigram' of 'MODEL' is not a train step"),
    (["--function=step.eval"], "'step.eval' of 'MODEL' is not a train step"),
    (["more.rnnc"], "unexpected argument 'more.rnnc'"),
])
def test_command_line(tools, bigram, text, options, message):
    fails(tools, message.replace("MODEL", str(bigram)), bigram, f"--data={text}", *options, code=2)


def test_resume_or_overwrite(tools, bigram, text):
    tools.run("rnn-train", bigram, f"--data={text}", "--max-steps=1", "--out=run", check=0)
    fails(tools, "--resume and --overwrite exclude each other", bigram, f"--data={text}", "--out=run", "--resume",
          "--overwrite", code=2)


def test_streams_of_an_artifact(tools, bigram, text):
    fails(tools, f"--streams is 3, but '{bigram}' was compiled for 4\nnote: recompile with --streams=3", bigram,
          f"--data={text}", "--streams=3")


def test_kinds_of_data(tools, bigram, text):
    (tools.work / "v.csv").write_text("1,2\n" * 100)
    fails(tools, f"'v.csv' and '{text}' are of different kinds", bigram, f"--data={text}", "--val-data=v.csv")


X, TARGET = np.zeros((4, 2, 3), np.float32), np.zeros((4, 2, 1), np.float32)


@pytest.mark.parametrize("given, code, message", [
    ({"x": X}, 1, "'d.npz' has no array named 'target'"),
    ({"target": TARGET}, 1, "'d.npz' has no array named 'x'"),
    ({"x": X[..., None], "target": TARGET}, 2,
     "no model can be fitted to 'x' of 'd.npz'; expected whole numbers [T,N] or floats [T,N,F]"),
    ({"x": X.astype(int), "target": TARGET}, 2,
     "no model can be fitted to 'x' of 'd.npz'; expected whole numbers [T,N] or floats [T,N,F]"),
    ({"x": X, "target": TARGET[..., 0]}, 2,
     "no model can be fitted to 'target' of 'd.npz'; expected whole numbers [T,N] or floats [T,N,F]"),
    ({"x": X, "u": X, "target": TARGET}, 2,
     "'d.npz' has several inputs; write a model for it\nnote: the array to predict is named 'target'"),
    ({"x": X[:, 0, 0], "target": TARGET}, 1, "'x' of 'd.npz' is [4], expected [T,N,…]"),
    ({"x": X[:0], "target": TARGET[:0]}, 1, "input 'x' has 0 frames of 2 sequences; at least 1 is required"),
    ({"x": X[:, :0], "target": TARGET[:, :0]}, 1, "input 'x' has 4 frames of 0 sequences; at least 1 is required"),
])
def test_arrays_without_a_model(tools, given, code, message):
    arrays(tools, **given)
    fails(tools, message, "--data=d.npz", code=code)


def test_sequences_that_are_too_short(tools, linear):
    """Rows that are to predict the one three rows on."""
    (tools.work / "s.csv").write_text("s,a,b\n" + "".join(f"{i // 3},1,2\n" for i in range(12)))
    columns = ["--inputs=a,b", "--targets=a", "--sequence-column=s", "--horizon=3", "--val-split=0"]
    fails(tools, "'s.csv' has no sequence of more than 3 frames", linear, "--data=s.csv", *columns)


def test_not_a_checkpoint(tools, bigram, text):
    header = json.dumps({"__metadata__": {"rnn.format": "2"}}).encode()
    (tools.work / "run").mkdir()
    (tools.work / "run" / "last.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    fails(tools, "'run/last.safetensors' is not a checkpoint of rnn-train", bigram, f"--data={text}", "--out=run",
          "--resume")


def test_no_validation(tools, bigram, text):
    """A part that is too small for a frame in each stream: the run goes on without."""
    (tools.work / "few.txt").write_bytes(text.read_bytes()[:200])
    done = tools.run("rnn-train", bigram, "--data=few.txt", "--val-split=0.02", check=0)
    assert done.err == "rnn-train: warning: no validation: 'few.txt' gives 1 frames per stream; one chunk needs 2\n"
    assert done.out == "done: 6 steps, rnn-out/last.safetensors\n"


LOOKUP = """
rnn.parameter @table : tensor<4x2xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<i32>) -> (e: tensor<f32>) {
  %table = rnn.param @table : tensor<4x2xf32>
  %row = rnn.gather %table, %x : (tensor<4x2xf32>, tensor<i32>) -> tensor<2xf32>
  %e = rnn.reduce sum %row over [0] : tensor<2xf32> to tensor<f32>
  rnn.output %e : tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>) bptt<window = 2, advance = 2>
"""


def test_an_index_out_of_range(tool, tmp_path):
    """It is told once, and the step is made."""
    (tmp_path / "m.mlir").write_text(LOOKUP)
    np.savez(tmp_path / "d.npz", x=np.array([0, 1, 2, 3, 9, 0, 9, 9, 9, 9])[:, None])
    command = [tool("rnn-train"), "m.mlir", "--data=d.npz", "--streams=1", "--val-split=0"]
    assert tool("rnn-compile")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    warnings = [line for line in done.stderr.splitlines() if "warning" in line]
    assert warnings == ["rnn-train: warning: an index is out of range at step 3"], done
    assert (done.returncode, done.stdout) == (0, "done: 5 steps, rnn-out/last.safetensors\n")


def test_runs_that_cannot_go_on(tools, bigram, text):
    resume = [bigram, "--out=run", "--resume"]
    fails(tools, "'run' holds no run to continue: last.safetensors is missing", *resume, f"--data={text}")
    tools.run("rnn-train", bigram, f"--data={text}", "--max-steps=1", "--out=run", check=0)
    (tools.work / "other.txt").write_bytes(text.read_bytes()[:-1])
    fails(tools, "'other.txt' is not the data of the run in 'run'", *resume, "--data=other.txt")
    last = tools.work / "run" / "last.safetensors"
    with safe_open(last, "numpy") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
    del tensors["v"]
    save_file(tensors, last, metadata)
    fails(tools, "'run/last.safetensors' lacks 'v'", *resume, f"--data={text}")
