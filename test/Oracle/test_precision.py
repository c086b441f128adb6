# ===- test_precision.py - Products of rounded operands on the emulator ---------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""`--matmul-precision=bf16`: training steps on the emulator, judged by the interpreter, which rounds as they do, and on the
CPU, whose bits are those of sums in the order of the depth.

With five streams or more a grid multiplies on tensor cores, whose emulated tiles are those of PTX. Sizes divide
nothing: units, streams and the depth leave rows and columns of the last tile over.
"""

import json
import subprocess

import numpy as np
import pytest

import test_wavefront

LSTM = """
!X = tensor<{inputs}xf32>
!V = tensor<{units}xf32>
rnn.parameter @wx : tensor<{gates}x{inputs}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @wh : tensor<{gates}x{units}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @b : tensor<{gates}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.network @net(%x: !X, %first: tensor<i1> {{rnn.reset}}, %target: !V) -> (h: !V, e: tensor<f32>) {{
  %h, %c = rnn.lstm "l" %x wx(@wx) wh(@wh) b(@b) : !X -> !V
  %e = rnn.mean_squared_error %h, %target : (!V, !V) -> tensor<f32>
  rnn.output %h, %e : !V, tensor<f32>
}}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>)
"""
# Reads what a learned vector stands for before the first frame, and two frames back.
LEARNED = """
!V = tensor<{units}xf32>
rnn.parameter @h0 : !V init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @w : tensor<{units}x{units}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @u : tensor<{units}x{units}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.network @net(%x: !V, %first: tensor<i1> {{rnn.reset}}, %target: !V) -> (h: !V, e: tensor<f32>) {{
  %h0 = rnn.param @h0 : !V
  %w = rnn.param @w : tensor<{units}x{units}xf32>
  %u = rnn.param @u : tensor<{units}x{units}xf32>
  %h1 = rnn.delay %h by 1 init(%h0) : !V
  %h2 = rnn.delay %h by 2 : !V
  %a = rnn.linear %h1, %w : (!V, tensor<{units}x{units}xf32>) -> !V
  %b = rnn.linear %h2, %u : (!V, tensor<{units}x{units}xf32>) -> !V
  %s = rnn.sum %x, %a, %b : !V
  %h = math.tanh %s : !V
  %e = rnn.mean_squared_error %h, %target : (!V, !V) -> tensor<f32>
  rnn.output %h, %e : !V, tensor<f32>
}}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>)
"""
# Two loops that overlap piece by piece; three elements of a unit are exchanged backwards.
STACKED = """
!V = tensor<{units}xf32>
rnn.parameter @wx : tensor<{rows}x{units}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @wh : tensor<{rows}x{units}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @b : tensor<{rows}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @vx : tensor<{rows}x{units}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @vh : tensor<{rows}x{units}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.network @net(%x: !V, %first: tensor<i1> {{rnn.reset}}, %target: !V) -> (h: !V, e: tensor<f32>) {{
  %a = rnn.gru "a" %x wx(@wx) wh(@wh) b(@b) : !V -> !V
  %h = rnn.gru "b" %a wx(@vx) wh(@vh) b(@b) : !V -> !V
  %e = rnn.mean_squared_error %h, %target : (!V, !V) -> tensor<f32>
  rnn.output %h, %e : !V, tensor<f32>
}}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>)
"""
NETWORKS = {"lstm": LSTM, "learned": LEARNED, "stacked": STACKED}


def compile_step(tool, folder, name, units, inputs, streams, regime):
    """The artifact for emulator and interpreter, and its loops by the report."""
    model, out, report = folder / "net.mlir", folder / "net.rnnc", folder / "report.json"
    model.write_text(NETWORKS[name].format(units=units, inputs=inputs, gates=4 * units, rows=3 * units))
    done = subprocess.run([tool("rnn-compile"), model, "-o", out, "--target=emulator", "--target=interpreter",
                           f"--streams={streams}", f"--regime={regime}", "--matmul-precision=bf16",
                           "--piece-frames=3",
                           "--keep=gradients,results", f"--report={report}"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return out, json.loads(report.read_text())["loops"]


@pytest.mark.parametrize("name,units,inputs,streams,regime", [
    ("lstm", 20, 7, 3, "block"), ("lstm", 20, 7, 3, "cluster"), ("lstm", 20, 7, 3, "grid"), ("lstm", 20, 7, 5, "grid"),
    ("lstm", 37, 33, 13, "grid"), ("lstm", 64, 16, 17, "grid"), ("lstm", 16, 9, 64, "grid"), ("learned", 20, 20, 3, "grid"),
    ("learned", 20, 20, 9, "grid"), ("learned", 33, 33, 8, "grid"),
    ("stacked", 24, 24, 6, "grid")])
def test_step(tool, tmp_path, name, units, inputs, streams, regime):
    artifact, loops = compile_step(tool, tmp_path, name, units, inputs, streams, regime)
    assert {loop["regime"] for loop in loops} == {regime}
    products = "tensor cores" if regime == "grid" and streams >= 5 else "multiply-adds"
    assert {loop["products"] for loop in loops} == {products}
    rng = np.random.default_rng(units)
    frames = 6
    carried = {}
    for call in range(2):  # the second goes on from what the first has left
        np.savez(tmp_path / "in.npz", x=rng.normal(size=(frames, streams, inputs)).astype(np.float32),
                 target=rng.normal(size=(frames, streams, units)).astype(np.float32),
                 first=rng.random((frames, streams)) < 0.2 * call, **carried)
        for order in (0, 3):
            done = subprocess.run([tool("rnn-run"), artifact, "--function=step", f"--input={tmp_path / 'in.npz'}",
                                   "--target=emulator", f"--emulator-order={order}", "--compare=interpreter",
                                   f"--output={tmp_path / 'out.npz'}"], capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stdout + done.stderr
        with np.load(tmp_path / "out.npz") as results:
            carried = {name: results[name] for name in results.files if name.startswith("state.")}


PRODUCTS = """
rnn.parameter @w : tensor<1600x37xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @v : tensor<3x1600xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.network @net(%x: tensor<37xf32>, %target: tensor<3xf32>) -> (y: tensor<3xf32>, e: tensor<f32>) {
  %w = rnn.param @w : tensor<1600x37xf32>
  %v = rnn.param @v : tensor<3x1600xf32>
  %s = rnn.linear %x, %w : (tensor<37xf32>, tensor<1600x37xf32>) -> tensor<1600xf32>
  %h = math.tanh %s : tensor<1600xf32>
  %y = rnn.linear %h, %v : (tensor<1600xf32>, tensor<3x1600xf32>) -> tensor<3xf32>
  %e = rnn.mean_squared_error %y, %target : (tensor<3xf32>, tensor<3xf32>) -> tensor<f32>
  rnn.output %y, %e : tensor<3xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>)
"""


@pytest.mark.parametrize("target", ["emulator", "cpu"])
@pytest.mark.parametrize("streams,frames", [(16, 9), (1, 5)])
def test_products(tool, tmp_path, target, streams, frames):
    """Outside of loops: tiles of all sizes, on the emulator."""
    (tmp_path / "net.mlir").write_text(PRODUCTS)
    rng = np.random.default_rng(frames)
    np.savez(tmp_path / "in.npz", x=rng.normal(size=(frames, streams, 37)).astype(np.float32),
             target=rng.normal(size=(frames, streams, 3)).astype(np.float32))
    done = subprocess.run([tool("rnn-run"), tmp_path / "net.mlir", "--function=step", "--matmul-precision=bf16",
                           f"--input={tmp_path / 'in.npz'}", f"--target={target}", "--keep=gradients",
                           "--compare=interpreter"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    if target == "emulator" and streams > 1:
        code = subprocess.run([tool("rnn-compile"), tmp_path / "net.mlir", "--target=emulator", "--compile-to=gpu",
                               f"--streams={streams}", "--matmul-precision=bf16"], capture_output=True, text=True)
        threads = {int(line.rsplit("array<i32: ", 1)[1].split(",")[0]) for line in code.stdout.splitlines()
                   if "gpu.func" in line and "reqntid" in line}
        assert code.stdout.count("nvvm.mma.sync") > 0 and threads == {64, 256}


LINEAR = """
rnn.parameter @w : tensor<{units}x{inputs}xf32> init(#rnn.uniform<-0.3, 0.3>)
rnn.parameter @u : tensor<{units}x{units}xf32> init(#rnn.uniform<-0.15, 0.15>)
rnn.network @net(%x: tensor<{inputs}xf32>, %t: tensor<{units}xf32>) -> (h: tensor<{units}xf32>, e: tensor<f32>) {{
  %w = rnn.param @w : tensor<{units}x{inputs}xf32>
  %u = rnn.param @u : tensor<{units}x{units}xf32>
  %h1 = rnn.delay %h by 1 : tensor<{units}xf32>
  %a = rnn.linear %x, %w : (tensor<{inputs}xf32>, tensor<{units}x{inputs}xf32>) -> tensor<{units}xf32>
  %b = rnn.linear %h1, %u : (tensor<{units}xf32>, tensor<{units}x{units}xf32>) -> tensor<{units}xf32>
  %h = rnn.sum %a, %b : tensor<{units}xf32>
  %p = arith.mulf %h, %t : tensor<{units}xf32>
  %e = rnn.reduce sum %p over [0] : tensor<{units}xf32> to tensor<f32>
  rnn.output %h, %e : tensor<{units}xf32>, tensor<f32>
}}
rnn.train_step @step of @net loss("e" sum) optimizer(#rnn.sgd<lr = 0.1>)
"""


def rounded(x):
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)


def product(a, b):
    """[M, K] by [K, N] of rounded operands: their products are exact in f32, the sum goes along k."""
    a, b = rounded(a), rounded(b)
    sum = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for k in range(a.shape[1]):
        sum += a[:, k, None] * b[k]
    return sum


@pytest.mark.parametrize("units,inputs,streams", [(37, 20, 5), (64, 33, 1), (8, 2, 2)])
def test_bits_on_a_cpu(tool, tmp_path, units, inputs, streams):
    """Forward, backward and weight gradients, in loops and outside: the same bits for any vectors and threads."""
    (tmp_path / "net.mlir").write_text(LINEAR.format(units=units, inputs=inputs))
    rng, frames = np.random.default_rng(units), 7
    given = {"x": rng.normal(size=(frames, streams, inputs)).astype(np.float32),
             "t": rng.normal(size=(frames, streams, units)).astype(np.float32)}
    w, u = (rng.uniform(-0.2, 0.2, (units, n)).astype(np.float32) for n in (inputs, units))
    np.savez(tmp_path / "in.npz", w=w, u=u, **given)

    h, old = np.zeros((frames, streams, units), np.float32), np.zeros((frames, streams, units), np.float32)
    for t in range(frames):
        old[t] = h[t - 1] if t else 0
        h[t] = product(given["x"][t], w.T) + product(old[t], u.T)
    error = given["t"].copy()
    for t in reversed(range(frames - 1)):
        error[t] += product(error[t + 1], u)
    flat = lambda x: x.reshape(frames * streams, -1)
    expected = {"h": h, "grad.w": product(flat(error).T, flat(given["x"])),
                "grad.u": product(flat(error).T, flat(old))}

    for target in ("cpu:x86-64-v3", "cpu"):
        done = subprocess.run([tool("rnn-compile"), tmp_path / "net.mlir", "-o", tmp_path / "net.rnnc",
                               f"--target={target}", f"--streams={streams}", "--matmul-precision=bf16",
                               "--keep=gradients,results"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        for threads in (1, 3):
            done = subprocess.run([tool("rnn-run"), tmp_path / "net.rnnc", "--function=step",
                                   f"--input={tmp_path / 'in.npz'}", f"--output={tmp_path / 'out.npz'}",
                                   "--target=cpu", f"--threads={threads}"], capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stdout + done.stderr
            with np.load(tmp_path / "out.npz") as got:
                for name, value in expected.items():
                    np.testing.assert_array_equal(got[name], value, err_msg=f"{name} on {target}, {threads} threads")


@pytest.mark.parametrize("window", ["", "bptt<window = 12, advance = 6>"])
def test_steps_on_a_cpu(tool, tmp_path, window):
    model = f"{LSTM.format(units=20, inputs=7, gates=80).rstrip()} {window}\n"
    (tmp_path / "net.mlir").write_text(model)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "in.npz", x=rng.normal(size=(6, 3, 7)).astype(np.float32),
             target=rng.normal(size=(6, 3, 20)).astype(np.float32), first=rng.random((6, 3)) < 0.2)
    done = subprocess.run([tool("rnn-run"), tmp_path / "net.mlir", "--function=step", "--matmul-precision=bf16",
                           f"--input={tmp_path / 'in.npz'}", "--target=cpu", "--keep=gradients,results",
                           "--compare=interpreter"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_training(tool, tmp_path):
    """Training rounds, too: losses are near those of f32 and not the same; --resume keeps to what the run used."""
    (tmp_path / "text.txt").write_text("abcdefgh" * 200)
    options = ["--data=text.txt", "--hidden-size=8", "--num-layers=1", "--streams=6", "--bptt-window=8",
               "--bptt-advance=8", "--val-split=0.2", "--quiet"]

    def train(out, *more):
        return subprocess.run([tool("rnn-train"), *options, f"--out={out}", *more], cwd=tmp_path, capture_output=True,
                              text=True, timeout=120)

    losses = {}
    for target, precision in (("cpu", "f32"), ("cpu", "bf16"), ("emulator", "bf16")):
        out = f"{target}-{precision}"
        done = train(out, f"--target={target}", f"--matmul-precision={precision}", "--max-steps=10")
        assert done.returncode == 0, done.stderr
        losses[out] = [float(line.split(",")[4]) for line in (tmp_path / out / "log.csv").read_text().splitlines()[1:]]
    assert losses["cpu-bf16"] != losses["cpu-f32"]
    for out in ("cpu-bf16", "emulator-bf16"):
        np.testing.assert_allclose(losses[out], losses["cpu-f32"], rtol=1e-2)
    done = train("cpu-bf16", "--resume", "--matmul-precision=f32", "--max-steps=12")
    assert done.returncode == 2 and "but the run used --matmul-precision=bf16" in done.stderr, done.stderr
