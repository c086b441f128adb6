# ===- test_windows.py - BPTT(h; h') in all its sizes ----------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Every window of up to 12 frames that its advance divides, judged by the oracle in f64, on the interpreter and the CPU.

The loop has delays of 1 and 3 frames, so that delays reach beyond advances and windows; streams begin within windows,
and one begins anew in the middle of one. Calls go on until a window has seen nothing but frames of older calls.
"""

import json
import subprocess

import numpy as np
import pytest

import oracle
from test_networks import compare

FRAMES, STREAMS = 12, 2
WINDOWS = [(h, advance) for advance in range(1, FRAMES + 1) for h in range(advance, FRAMES + 1, advance)]
NETWORK = """
rnn.parameter @w : tensor<4x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @u : tensor<4x4xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @v : tensor<4x4xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<2xf64>, %target: tensor<4xf64>, %r: tensor<i1> {rnn.reset}) -> (e: tensor<f64>) {
  %w = rnn.param @w : tensor<4x2xf64>
  %u = rnn.param @u : tensor<4x4xf64>
  %v = rnn.param @v : tensor<4x4xf64>
  %h1 = rnn.delay %h by 1 : tensor<4xf64>
  %h3 = rnn.delay %h by 3 : tensor<4xf64>
  %a = rnn.linear %x, %w : (tensor<2xf64>, tensor<4x2xf64>) -> tensor<4xf64>
  %b = rnn.linear %h1, %u : (tensor<4xf64>, tensor<4x4xf64>) -> tensor<4xf64>
  %c = rnn.linear %h3, %v : (tensor<4xf64>, tensor<4x4xf64>) -> tensor<4xf64>
  %s = rnn.sum %a, %b, %c : tensor<4xf64>
  %h = math.tanh %s : tensor<4xf64>
  %e = rnn.mean_squared_error %h, %target : (tensor<4xf64>, tensor<4xf64>) -> tensor<f64>
  rnn.output %e : tensor<f64>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.0>) bptt<window = WINDOW, advance = ADVANCE>
"""


@pytest.mark.parametrize("window, advance", WINDOWS)
def test_window(tool, tmp_path, window, advance):
    import rnn_mlir
    model, artifact = tmp_path / "net.mlir", tmp_path / "net.rnnc"
    model.write_text(NETWORK.replace("WINDOW", str(window)).replace("ADVANCE", str(advance)))
    subprocess.run([tool("rnn-compile"), model, "-o", artifact, "--target=cpu", "--target=interpreter",
                    f"--streams={STREAMS}", "--functions=step", "--keep=gradients,results"], check=True, timeout=120)
    dump = json.loads(subprocess.run([tool("rnn-translate"), "--rnn-to-json", model], check=True, capture_output=True,
                                     text=True, timeout=120).stdout)
    rng = np.random.default_rng(100 * window + advance)
    calls = -(-FRAMES // advance) + window // advance
    resets = np.zeros((calls * advance, STREAMS), bool)
    resets[FRAMES // 2, 1] = resets[0] = True
    chunks = [{"x": rng.normal(size=(advance, STREAMS, 2)), "target": rng.normal(size=(advance, STREAMS, 4)),
               "r": resets[i * advance:(i + 1) * advance]} for i in range(calls)]
    chunks[0].update(w=rng.normal(size=(4, 2)), u=0.5 * rng.normal(size=(4, 4)), v=0.5 * rng.normal(size=(4, 4)))
    want = oracle.deep(oracle.Oracle(dump).train, "step", chunks)
    for target in ("interpreter", "cpu"):
        program = rnn_mlir.load(artifact, target=target, threads=1)
        for name in ("w", "u", "v"):
            program.tensors[name] = chunks[0][name]
        for i, chunk in enumerate(chunks):
            inputs = {name: chunk[name] for name in ("x", "target", "r")}
            got = {name: np.array(value.numpy()) for name, value in program.run("step", **inputs).items()}
            assert any(name.startswith("grad.") for name in got)
            compare(want[i], got, f"{target}, call {i}")
