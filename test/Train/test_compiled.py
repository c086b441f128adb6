# ===- test_compiled.py - From a network's text to a trained model ------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""The tools as they are installed: rnn-train and rnn-run call the real compiler, and compiled steps train."""

import csv
import math
import os
import pathlib
import re
import subprocess
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Bytes that a recurrent model learns well and a count of single bytes does not."""
    words = ["the cat sat on the mat. ", "a dog ran to the man. ", "no one saw it go. "]
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("".join(words[i * i % 3] for i in range(400)))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The example with 16 units a layer, larger weights, windows of 16 frames and an update every 8."""
    source = (ROOT / "examples" / "charlm.mlir").read_text()
    source = source.replace("512", "64").replace("128", "16").replace("window = 64, advance = 32", "window = 16, advance = 8")
    source = source.replace("uniform<-0.2, 0.2>", "uniform<-0.5, 0.5>").replace("uniform<-0.08, 0.08>", "uniform<-0.5, 0.5>")
    path = tmp_path_factory.mktemp("model") / "small.mlir"
    path.write_text(source)
    return path


class Tools:
    def __init__(self, tool, folder):
        self.tool, self.folder = tool, folder

    def run(self, name, *arguments, code=0, **environment):
        done = subprocess.run([self.tool(name), *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                              timeout=300, env={**os.environ, **environment})
        assert done.returncode == code, f"{done.args}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, name, *arguments):
        return subprocess.Popen([self.tool(name), *map(str, arguments)], cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def losses(self, out):
        with open(self.folder / out / "log.csv") as f:
            return [float(row["loss"]) for row in csv.DictReader(f)]

    def checkpoint(self, out):
        return (self.folder / out / "last.safetensors").read_bytes()


@pytest.fixture
def tools(tool, tmp_path):
    tool("rnn-compile")
    return Tools(tool, tmp_path)


def test_learns(tools, model, text):
    tools.run("rnn-train", model, f"--data={text}", "--streams=8", "--lr=0.01", "--epochs=8", "--val-every=400", "--out=out",
              RNN_NUM_THREADS="1")
    losses = tools.losses("out")
    assert losses[0] == pytest.approx(math.log(256), abs=0.3)
    assert np.mean(losses[-10:]) < 1.8  # single bytes: 2.3


def test_is_reproducible(tools, model, text):
    """Reruns and numbers of threads make no difference to a bit of it."""
    runs = {"one": "1", "again": "1", "two": "2", "three": "3"}
    for run, threads in runs.items():
        tools.run("rnn-train", model, f"--data={text}", "--streams=8", "--lr=0.01", "--epochs=2", "--val-every=40",
                  f"--out={run}", RNN_NUM_THREADS=threads)
    assert len({tools.checkpoint(run) for run in runs}) == 1


def test_kill_and_resume(tools, model, text):
    tools.run("rnn-compile", model, "-o", "small.rnnc", "--streams=8")
    options = ["small.rnnc", f"--data={text}", "--epochs=4", "--save-every=5", "--val-every=60"]
    tools.run("rnn-train", *options, "--out=whole")
    run = tools.start("rnn-train", *options, "--out=killed")
    for delay in (0.15, 0.08, 0.2):
        time.sleep(delay)
        run.kill()
        run.communicate()
        resume = "--resume" if (tools.folder / "killed" / "last.safetensors").exists() else "--overwrite"
        run = tools.start("rnn-train", *options, "--out=killed", resume)
    _, messages = run.communicate(timeout=120)
    assert run.returncode == 0, messages
    assert tools.checkpoint("whole") == tools.checkpoint("killed")


def test_another_cell_trains(tools, text):
    """A cell that nobody has a name for: a minimal gated unit with a skip of three frames."""
    (tools.folder / "own.mlir").write_text("""
rnn.parameter @e : tensor<256x24xf32> init(#rnn.normal<std = 0.3>)
rnn.parameter @wf : tensor<24x24xf32> init(#rnn.orthogonal<>)
rnn.parameter @wh : tensor<24x24xf32> init(#rnn.orthogonal<>)
rnn.parameter @ws : tensor<24x24xf32> init(#rnn.uniform<>)
rnn.parameter @wo : tensor<256x24xf32> init(#rnn.uniform<>)
rnn.parameter @bo : tensor<256xf32> init(#rnn.zeros)
rnn.network @own(%x: tensor<i32>, %target: tensor<i32>) -> (logits: tensor<256xf32>, nll: tensor<f32>) {
  %e = rnn.param @e : tensor<256x24xf32>
  %wf = rnn.param @wf : tensor<24x24xf32>
  %wh = rnn.param @wh : tensor<24x24xf32>
  %ws = rnn.param @ws : tensor<24x24xf32>
  %wo = rnn.param @wo : tensor<256x24xf32>
  %bo = rnn.param @bo : tensor<256xf32>
  %in = rnn.gather %e, %x : (tensor<256x24xf32>, tensor<i32>) -> tensor<24xf32>
  %h1 = rnn.delay %h by 1 : tensor<24xf32>
  %h3 = rnn.delay %h by 3 : tensor<24xf32>
  %af = rnn.linear %h1, %wf : (tensor<24xf32>, tensor<24x24xf32>) -> tensor<24xf32>
  %as = rnn.linear %h3, %ws : (tensor<24xf32>, tensor<24x24xf32>) -> tensor<24xf32>
  %sf = rnn.sum %in, %af, %as : tensor<24xf32>
  %f = rnn.sigmoid %sf : tensor<24xf32>
  %fh = arith.mulf %f, %h1 : tensor<24xf32>
  %ah = rnn.linear %fh, %wh : (tensor<24xf32>, tensor<24x24xf32>) -> tensor<24xf32>
  %sh = rnn.sum %in, %ah : tensor<24xf32>
  %n = math.tanh %sh : tensor<24xf32>
  %d = arith.subf %n, %h1 : tensor<24xf32>
  %fd = arith.mulf %f, %d : tensor<24xf32>
  %h = arith.addf %h1, %fd : tensor<24xf32>
  %logits = rnn.linear %h, %wo, %bo : (tensor<24xf32>, tensor<256x24xf32>, tensor<256xf32>) -> tensor<256xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<256xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<256xf32>, tensor<f32>
}
rnn.train_step @step of @own loss("nll" mean) optimizer(#rnn.adam<lr = 0.01>) clip<norm = 1.0> bptt<window = 24, advance = 8>
""")
    tools.run("rnn-train", "own.mlir", f"--data={text}", "--streams=8", "--epochs=6", "--out=run")
    assert np.mean(tools.losses("run")[-10:]) < 1.0
    done = tools.run("rnn-run", "own.mlir", "--input=run/last.safetensors", "--sample=60", "--temperature=0")
    assert len(done.stdout) == 60 and "the " in done.stdout


@pytest.mark.parametrize("cell", ["lstm", "peephole-lstm", "gru", "elman"])
def test_written_models(tools, text, cell):
    tools.run("rnn-train", f"--data={text}", f"--cell={cell}", "--hidden-size=16", "--num-layers=2", "--streams=8",
              "--lr=0.01", "--bptt-window=16", "--bptt-advance=8", "--max-steps=150", "--out=run")
    losses = tools.losses("run")
    assert np.mean(losses[-10:]) < losses[0] - 2
    assert (tools.folder / "run" / "model.mlir").exists()


@pytest.mark.parametrize("options", [["--optimizer=adamw", "--lr=0.01", "--weight-decay=0.01"],
                                     ["--optimizer=rmsprop", "--lr=0.01"],
                                     ["--optimizer=rmsprop", "--lr=0.003", "--momentum=0.9"],
                                     ["--optimizer=adagrad", "--lr=0.05"],
                                     ["--optimizer=adadelta"],
                                     ["--optimizer=sgd", "--lr=0.3"]])
def test_optimizers_learn_and_resume(tools, text, options):
    options = [f"--data={text}", *options, "--hidden-size=16", "--num-layers=1", "--streams=8", "--bptt-window=16",
               "--bptt-advance=8", "--val-split=0"]
    tools.run("rnn-train", *options, "--max-steps=150", "--out=whole")
    losses = tools.losses("whole")
    assert losses[0] == pytest.approx(math.log(256), abs=0.3)
    assert np.mean(losses[-10:]) < losses[0] - 1.5
    tools.run("rnn-train", *options, "--max-steps=40", "--out=parts")
    tools.run("rnn-train", *options, "--max-steps=150", "--resume", "--out=parts")
    assert tools.checkpoint("whole") == tools.checkpoint("parts")


def test_written_classifier(tools):
    """Whole numbers to predict: the log and the progress have the share that is right."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, (60, 16))
    target = np.concatenate([np.zeros((1, 16), int), x[:-1]]) % 3
    np.savez(tools.folder / "d.npz", x=x, target=target)
    done = tools.run("rnn-train", "--data=d.npz", "--hidden-size=16", "--num-layers=1", "--streams=4", "--lr=0.05",
                     "--bptt-window=10", "--epochs=8", "--val-split=0.25", "--out=run")
    with open(tools.folder / "run" / "log.csv") as f:
        rows = list(csv.DictReader(f))
    assert list(rows[0])[5:8] == ["val_loss", "accuracy", "val_accuracy"]
    assert float(rows[0]["accuracy"]) < 0.7 and float(rows[-1]["val_accuracy"]) == 1
    assert "val_accuracy 1.0000" in done.stderr


def test_step_is_the_interpreter_s(tools, model, text):
    """Five updates by rnn-run: the compiled step stays within the error budget of the interpreter."""
    data = np.frombuffer(text.read_bytes()[: 4 * 41], np.uint8).reshape(4, 41).T.astype(np.int32)
    np.savez(tools.folder / "in.npz", x=data[:-1], target=data[1:])
    done = tools.run("rnn-run", model, "--function=step", "--input=in.npz", "--compare=interpreter", code=0)
    lines = done.stdout.splitlines()
    assert any(line.startswith("l1.wh f32 [64,16]") for line in lines)
    assert all(line.endswith(" ok") for line in lines), done.stdout


def test_checkpoints_hold_everything(tools, model, text):
    tools.run("rnn-train", model, f"--data={text}", "--streams=8", "--max-steps=3", "--out=run")
    tensors = load_file(tools.folder / "run" / "last.safetensors")
    for name in ("l0.wx", "opt.m.l0.wx", "opt.v.out.b", "opt.step", "state.l0.h", "state.l1.c", "state.age", "ring.0",
                 "ring.age", "state.frame"):
        assert name in tensors, sorted(tensors)
    assert tensors["opt.step"] == 3 and tensors["state.frame"] == 24
    assert tensors["ring.age"].shape == (8, 8)


def test_first_difference_names_the_signal(tools, model, text):
    """Held to a tolerance that nothing can keep, the first signal of the earliest frame is told."""
    data = np.frombuffer(text.read_bytes()[: 2 * 9], np.uint8).reshape(2, 9).T.astype(np.int32)
    np.savez(tools.folder / "in.npz", x=data[:-1], target=data[1:])
    done = tools.run("rnn-run", model, "--function=step", "--input=in.npz", "--compare=interpreter", "--atol=1e-30",
                     "--rtol=0", code=3)
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"first difference: %\S+, frame 0, stream \d, unit \[\d+\]: got \S+, expected \S+", lines[-1]), lines[-1]
    assert not any(line.startswith("signals.") for line in lines)
    # An artifact tells what it returns.
    tools.run("rnn-compile", model, "-o", "m.rnnc", "--streams=2", "--target=cpu", "--target=interpreter", "--keep=signals",
              "--functions=charlm")
    done = tools.run("rnn-run", "m.rnnc", "--function=charlm", "--input=in.npz", "--output=out.npz", code=1)
    assert "'charlm' has no tensor named 'target'" in done.stderr
    np.savez(tools.folder / "x.npz", x=data[:-1])
    tools.run("rnn-run", "m.rnnc", "--function=charlm", "--input=x.npz", "--output=out.npz")
    with np.load(tools.folder / "out.npz") as out:
        assert out["signals.l0.h"].shape == (8, 2, 16)


def test_non_finite_signal_is_named(tools):
    """Error 24 says which signal, frame and stream was the first that is not finite."""
    (tools.folder / "log.mlir").write_text("""
rnn.parameter @w : tensor<3xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<3xf32>) -> (y: tensor<3xf32>, e: tensor<f32>) {
  %w = rnn.param @w : tensor<3xf32>
  %a = arith.addf %x, %w : tensor<3xf32>
  %l = math.log %a : tensor<3xf32>
  %y1 = rnn.delay %y by 1 : tensor<3xf32>
  %y = rnn.sum %l, %y1 : tensor<3xf32>
  %e = rnn.reduce sum %y over [0] : tensor<3xf32> to tensor<f32>
  rnn.output %y, %e : tensor<3xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.0>) bptt<window = 8, advance = 4>
""")
    x = np.ones((80, 2, 3), np.float32)
    x[18:, 1, 2] = -1
    np.savez(tools.folder / "x.npz", x=x)
    done = tools.run("rnn-run", "log.mlir", "--function=step", "--input=x.npz", "--output=out.npz", code=6)
    assert re.search(r"error: loss is nan .*first at step 5\nnote: first non-finite signal: %\S+, frame 18, stream 1\n", done.stderr), done.stderr
    assert not (tools.folder / "out.npz").exists()
    done = tools.run("rnn-train", "log.mlir", "--data=x.npz", "--streams=2", "--val-split=0", code=6)
    assert re.search(r"error: loss is nan for 10 steps, first at step 5\nnote: first non-finite signal: %\S+, frame 0, stream 1\n"
                     r"note: last finite checkpoint: rnn-out/last.safetensors\n", done.stderr), done.stderr
