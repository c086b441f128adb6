# ===- test_wavefront.py - Loops that overlap, judged by the interpreter --------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Stacked layers on the emulator, whose loops are cut into pieces of a few frames.

The emulator runs launches that need not wait for each other in an order of the seed's own, and its memory holds NaNs
until something is written: a dependency that is missing shows. Every order gives the same bits.
"""

import json
import subprocess

import numpy as np
import pytest

N = 6
# Each writes %y from %x, both tensor<6xf32>; `L` is the layer's number.
LAYERS = {
    "lstm": """
  %L.h, %L.c = rnn.lstm "L" %x wx(@L.wx) wh(@L.wh) b(@L.b) : !V -> !V
  %y = arith.addf %L.h, %L.h : !V
""",
    # The reset gate acts before the product: two exchanges per frame.
    "gru": """
  %L.h1 = rnn.delay %y by 1 : !V
  %L.pwx = rnn.param @L.wx : tensor<24x6xf32>
  %L.pwh = rnn.param @L.wh : tensor<24x6xf32>
  %L.in = rnn.linear %x, %L.pwx : (!V, tensor<24x6xf32>) -> tensor<24xf32>
  %L.wg = tensor.extract_slice %L.pwh[0, 0] [12, 6] [1, 1] : tensor<24x6xf32> to tensor<12x6xf32>
  %L.wc = tensor.extract_slice %L.pwh[12, 0] [6, 6] [1, 1] : tensor<24x6xf32> to tensor<6x6xf32>
  %L.ig = tensor.extract_slice %L.in[0] [12] [1] : tensor<24xf32> to tensor<12xf32>
  %L.ic = tensor.extract_slice %L.in[12] [6] [1] : tensor<24xf32> to !V
  %L.og = rnn.linear %L.h1, %L.wg : (!V, tensor<12x6xf32>) -> tensor<12xf32>
  %L.sg = rnn.sum %L.ig, %L.og : tensor<12xf32>
  %L.g = rnn.sigmoid %L.sg : tensor<12xf32>
  %L.z = tensor.extract_slice %L.g[0] [6] [1] : tensor<12xf32> to !V
  %L.r = tensor.extract_slice %L.g[6] [6] [1] : tensor<12xf32> to !V
  %L.seen = arith.mulf %L.r, %L.h1 : !V
  %L.oc = rnn.linear %L.seen, %L.wc : (!V, !M) -> !V
  %L.sc = rnn.sum %L.ic, %L.oc : !V
  %L.n = math.tanh %L.sc : !V
  %L.d = arith.subf %L.n, %L.h1 : !V
  %L.zd = arith.mulf %L.z, %L.d : !V
  %y = arith.addf %L.h1, %L.zd : !V
""",
    # Two frames back within the layer, and earlier frames of the layer below.
    "deep": """
  %L.h2 = rnn.delay %y by 2 : !V
  %L.x1 = rnn.delay %x by 1 : !V
  %L.pwx = rnn.param @L.wx : tensor<24x6xf32>
  %L.pwh = rnn.param @L.wh : tensor<24x6xf32>
  %L.a = tensor.extract_slice %L.pwx[0, 0] [6, 6] [1, 1] : tensor<24x6xf32> to !M
  %L.b = tensor.extract_slice %L.pwh[0, 0] [6, 6] [1, 1] : tensor<24x6xf32> to !M
  %L.ax = rnn.linear %L.x1, %L.a : (!V, !M) -> !V
  %L.bh = rnn.linear %L.h2, %L.b : (!V, !M) -> !V
  %L.s = rnn.sum %L.ax, %L.bh, %x : !V
  %y = math.tanh %L.s : !V
""",
    # A reduction within the frame: one block, op by op.
    "norm": """
  %L.h1 = rnn.delay %y by 1 : !V
  %L.pwx = rnn.param @L.wx : tensor<24x6xf32>
  %L.a = tensor.extract_slice %L.pwx[0, 0] [6, 6] [1, 1] : tensor<24x6xf32> to !M
  %L.u = rnn.linear %L.h1, %L.a : (!V, !M) -> !V
  %L.most = rnn.reduce max %L.u over [0] : !V to tensor<f32>
  %L.all = rnn.broadcast %L.most along [0] : tensor<f32> to !V
  %L.s = rnn.sum %x, %L.u, %L.all : !V
  %y = math.tanh %L.s : !V
""",
    # The other way through the frames.
    "backward": """
  %L.h1 = rnn.delay %y by -1 : !V
  %L.pwx = rnn.param @L.wx : tensor<24x6xf32>
  %L.pwh = rnn.param @L.wh : tensor<24x6xf32>
  %L.a = tensor.extract_slice %L.pwx[0, 0] [6, 6] [1, 1] : tensor<24x6xf32> to !M
  %L.b = tensor.extract_slice %L.pwh[0, 0] [6, 6] [1, 1] : tensor<24x6xf32> to !M
  %L.ax = rnn.linear %x, %L.a : (!V, !M) -> !V
  %L.bh = rnn.linear %L.h1, %L.b : (!V, !M) -> !V
  %L.s = rnn.sum %L.ax, %L.bh : !V
  %y = math.tanh %L.s : !V
""",
}


def network(layers, step):
    """Layers one above the other; `a|b` are side by side, and their sum goes on."""
    text = ["!V = tensor<6xf32>", "!M = tensor<6x6xf32>"]
    body, x, number = [], "%x", 0
    for level, cells in enumerate(layers):
        outputs = []
        for cell in cells.split("|"):
            name = f"l{number}"
            number += 1
            text += [f"rnn.parameter @{name}.{p} : tensor<{shape}xf32> init(#rnn.uniform<-0.5, 0.5>)"
                     for p, shape in (("wx", "24x6"), ("wh", "24x6"), ("b", "24"))]
            outputs.append(f"%{name}.y")
            lines = LAYERS[cell].replace("%x", x).replace("%y", outputs[-1])
            body.append(lines.replace("@L", f"@{name}").replace("%L", f"%{name}").replace('"L"', f'"{name}"'))
        x = f"%level{level}"
        body.append(f"  {x} = rnn.sum {', '.join(outputs)} : !V")
    return "\n".join(text) + f"""
rnn.network @net(%x: !V, %first: tensor<i1> {{rnn.reset}}, %target: !V) -> (h: !V, e: tensor<f32>) {{
{''.join(body)}
  %d = arith.subf {x}, %target : !V
  %dd = arith.mulf %d, %d : !V
  %e = rnn.reduce sum %dd over [0] : !V to tensor<f32>
  rnn.output {x}, %e : !V, tensor<f32>
}}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>) {step}
"""


def compile_network(tool, folder, layers, step, regime, streams):
    return compile_text(tool, folder, network(layers, step), regime, streams)


def compile_text(tool, folder, text, regime, streams):
    """The artifact, and its wavefronts by the report."""
    model, out = folder / "net.mlir", folder / "net.rnnc"
    model.write_text(text)
    done = subprocess.run([tool("rnn-compile"), model, "-o", out, f"--streams={streams}", "--target=emulator",
                           "--target=interpreter", f"--regime={regime}", "--piece-frames=3",
                           f"--report={folder / 'report.json'}"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "report.json").read_text())
    return out, [entry for entry in report.get("wavefronts", []) if entry["overlaps"]]


def run_all(artifact, function, chunks, **options):
    """Results of all calls, and all tensors of the session after the last."""
    import rnn_mlir
    program = rnn_mlir.load(artifact, **options)
    known = {tensor.name for tensor in program.functions[function]}
    calls = [{name: value.numpy().copy() for name, value in
              program.run(function, **{k: v for k, v in chunk.items() if k in known}).items()} for chunk in chunks]
    calls.append({name: np.array(value) for name, value in program.tensors.items()})
    return calls


def compare(artifact, function, frames, streams):
    rng = np.random.default_rng(7)
    chunks = [{"x": rng.normal(size=(t, streams, N)).astype(np.float32),
               "target": rng.normal(size=(t, streams, N)).astype(np.float32),
               "first": rng.random((t, streams)) < 0.15} for t in frames]
    want = run_all(artifact, function, chunks, target="interpreter")
    first = run_all(artifact, function, chunks, target="emulator")
    for number, (a, b) in enumerate(zip(want, first)):
        for name in a:
            np.testing.assert_allclose(b[name], a[name], rtol=2e-4, atol=2e-5, err_msg=f"{name} in call {number}")
    for order in (1, 5):
        other = run_all(artifact, function, chunks, target="emulator", emulator_order=order)
        for number, (a, b) in enumerate(zip(first, other)):
            for name in a:
                np.testing.assert_array_equal(b[name], a[name], err_msg=f"{name} in call {number}, order {order}")


INTEGER = """
!V = tensor<6xi32>
!M = tensor<6x6xi32>
rnn.parameter @a : !M init(#rnn.zeros)
rnn.parameter @b : !M init(#rnn.zeros)
rnn.parameter @c : !M init(#rnn.zeros)
rnn.parameter @d : !M init(#rnn.zeros)
rnn.network @net(%x: !V, %first: tensor<i1> {rnn.reset}) -> (low: !V, high: !V) {
  %a = rnn.param @a : !M
  %b = rnn.param @b : !M
  %c = rnn.param @c : !M
  %d = rnn.param @d : !M
  %low1 = rnn.delay %low by 1 : !V
  %al = rnn.contract %a, %low1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (!M, !V) -> !V
  %low = rnn.sum %al, %x : !V
  %bl = rnn.contract %b, %low [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (!M, !V) -> !V
  %high1 = rnn.delay %high by 1 : !V
  %high2 = rnn.delay %high by 2 : !V
  %ch = rnn.contract %c, %high1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (!M, !V) -> !V
  %dh = rnn.contract %d, %high2 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (!M, !V) -> !V
  %high = rnn.sum %bl, %ch, %dh : !V
  rnn.output %low, %high : !V, !V
}
"""


@pytest.mark.parametrize("regime", ["grid", "block"])
def test_integers(tool, tmp_path, regime):
    """Arithmetic that wraps around has one right result, whatever the order of sums: a frame, a piece or a product too
    many or too few shows in every bit."""
    artifact, wavefronts = compile_text(tool, tmp_path, INTEGER, regime, streams=3)
    assert wavefronts
    rng = np.random.default_rng(11)
    draw = lambda *shape: rng.integers(-2**31, 2**31, shape, np.int32)
    chunks = [{"x": draw(t, 3, N), "first": rng.random((t, 3)) < 0.15} for t in (10, 1, 7, 5)]
    chunks[0].update({name: draw(N, N) for name in "abcd"})
    want = run_all(artifact, "net", chunks, target="interpreter")
    assert all(np.abs(call["high"].astype(np.int64)).max() > 2**29 for call in want[:-1])
    for order in (0, 1, 5):
        got = run_all(artifact, "net", chunks, target="emulator", emulator_order=order)
        for number, (a, b) in enumerate(zip(want, got)):
            for name in a:
                np.testing.assert_array_equal(b[name], a[name], err_msg=f"{name} in call {number}, order {order}")


STACKS = [["lstm", "lstm"], ["lstm", "lstm", "lstm"], ["gru", "gru"], ["deep", "lstm", "deep"], ["norm", "lstm"],
          ["lstm|backward", "gru"], ["backward", "backward"]]


@pytest.mark.parametrize("regime", ["grid", "block"])
@pytest.mark.parametrize("layers", STACKS, ids=" ".join)
def test_inference(tool, tmp_path, layers, regime):
    artifact, wavefronts = compile_network(tool, tmp_path, layers, "", regime, streams=2)
    assert wavefronts
    compare(artifact, "net", frames=[10, 1, 7, 5], streams=2)


@pytest.mark.parametrize("regime", ["grid", "block"])
@pytest.mark.parametrize("layers", STACKS, ids=" ".join)
def test_training(tool, tmp_path, layers, regime):
    """Whole chunks: forward and backward loops overlap."""
    artifact, wavefronts = compile_network(tool, tmp_path, layers, "", regime, streams=1)
    assert sum(entry["function"] == "step" for entry in wavefronts) == 2
    compare(artifact, "step", frames=[10, 1, 7], streams=1)


@pytest.mark.parametrize("layers", [["lstm", "lstm"], ["gru", "lstm", "deep"]], ids=" ".join)
def test_windows(tool, tmp_path, layers):
    """The backward loops go over the window, the forward loops over the chunk."""
    artifact, wavefronts = compile_network(tool, tmp_path, layers, "bptt<window = 16, advance = 8>", "grid", streams=2)
    assert sum(entry["function"] == "step" for entry in wavefronts) == 2
    compare(artifact, "step", frames=[8, 8, 3, 8], streams=2)
