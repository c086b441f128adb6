# ===- test_optimizers.py - Updates judged by the oracle ----------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Seven updates of a small network by each optimizer: gradients of JAX, formulas of PyTorch written in NumPy.

In f64 every target must come to the same parameters and slots; as written they must lie near them.
"""

import json
import subprocess

import numpy as np
import pytest

import oracle

NETWORK = """
rnn.parameter @wx : tensor<4x3xf32> init(#rnn.uniform<>)
rnn.parameter @wh : tensor<4x4xf32> init(#rnn.uniform<>)
rnn.parameter @b : tensor<4xf32> init(#rnn.zeros)
rnn.parameter @gain : tensor<f32> init(#rnn.constant<1.0>)
rnn.network @n(%x: tensor<3xf32>, %target: tensor<4xf32>) -> (e: tensor<f32>) {
  %wx = rnn.param @wx : tensor<4x3xf32>
  %wh = rnn.param @wh : tensor<4x4xf32>
  %b = rnn.param @b : tensor<4xf32>
  %gain = rnn.param @gain : tensor<f32>
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %gx = rnn.linear %x, %wx, %b : (tensor<3xf32>, tensor<4x3xf32>, tensor<4xf32>) -> tensor<4xf32>
  %gh = rnn.linear %h1, %wh : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %g = rnn.sum %gx, %gh : tensor<4xf32>
  %h = math.tanh %g : tensor<4xf32>
  %d = arith.subf %h, %target : tensor<4xf32>
  %dd = arith.mulf %d, %d : tensor<4xf32>
  %s = rnn.reduce sum %dd over [0] : tensor<4xf32> to tensor<f32>
  %e = arith.mulf %s, %gain : tensor<f32>
  rnn.output %e : tensor<f32>
}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.OPTIMIZER) clip<CLIP> bptt<window = 3, advance = 3>
"""
OPTIMIZERS = {
    "sgd": "sgd<lr = 0.05>",
    "sgd-value": "sgd<lr = 0.05>",
    "momentum": "sgd<lr = 0.05, momentum = 0.9, weight_decay = 0.01>",
    "nesterov": "sgd<lr = 0.05, momentum = 0.9, weight_decay = 0.01, nesterov = true>",
    "adam": "adam<lr = 0.02, weight_decay = 0.1>",
    "adamw": "adamw<lr = 0.02>",
    "adamw-decay": "adamw<lr = 0.02, beta1 = 0.8, beta2 = 0.9, eps = 0.001, weight_decay = 0.3>",
    "adamw-no-decay": "adamw<lr = 0.02, weight_decay = 0.0>",
    "rmsprop": "rmsprop<>",
    "rmsprop-momentum": "rmsprop<lr = 0.02, alpha = 0.8, eps = 0.001, momentum = 0.7, weight_decay = 0.1>",
    "rmsprop-centered": "rmsprop<lr = 0.02, alpha = 0.8, eps = 0.001, centered = true>",
    "rmsprop-all": "rmsprop<lr = 0.02, alpha = 0.8, eps = 0.001, momentum = 0.7, weight_decay = 0.1, centered = true>",
    "adam-amsgrad": "adam<lr = 0.02, beta2 = 0.5, amsgrad = true>",
    "adamw-amsgrad": "adamw<lr = 0.02, beta2 = 0.5, weight_decay = 0.3, amsgrad = true>",
    "adagrad": "adagrad<>",
    "adagrad-decay": "adagrad<lr = 0.1, lr_decay = 0.25, eps = 0.001, weight_decay = 0.1>",
    "adadelta": "adadelta<>",
    "adadelta-decay": "adadelta<lr = 0.5, rho = 0.8, eps = 0.001, weight_decay = 0.1>",
}
NORM = "norm = 1.5"
CLIPS = {"sgd-value": "value = 0.25"}
FRAMES, STREAMS, UPDATES = 3, 2, 7


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def network(optimizer, clip):
    return NETWORK.replace("OPTIMIZER", optimizer).replace("CLIP", clip)


def expected(dump, given):
    """Parameters and slots after all updates, and the losses before each."""
    judge, step = oracle.Oracle(dump), dump["train_steps"][0]
    now = {k: v for k, v in given.items() if k not in ("x", "target")}
    slots, losses = {name: {} for name in now}, []
    parameters, state = dict(now), {}
    for k in range(UPDATES):
        chunk = {name: given[name][k * FRAMES : (k + 1) * FRAMES] for name in ("x", "target")}
        out = judge.train("step", {**parameters, **state, **chunk})
        losses.append(out["loss"])
        state = {name: value for name, value in out.items() if name.startswith("state.")}
        gradients = oracle.clip({name: out["grad." + name] for name in parameters},
                                step["clip_norm"], step["clip_value"])
        for name in parameters:
            parameters[name], slots[name] = oracle.update(step["optimizer"], parameters[name], gradients[name],
                                                            slots[name], k + 1)
    want = {**parameters, "loss": np.array(losses), "opt.step": np.int64(UPDATES)}
    want.update({f"opt.{slot}.{name}": value for name in slots for slot, value in slots[name].items()})
    return want


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates(tool, tmp_path, name):
    (tmp_path / "net.mlir").write_text(network(OPTIMIZERS[name], CLIPS.get(name, NORM)))
    dump = json.loads(run(tool("rnn-translate"), "--rnn-to-json", tmp_path / "net.mlir"))
    rng = np.random.default_rng(3)
    given = {p["name"]: rng.normal(scale=0.5, size=p["shape"]).astype(np.float32) for p in dump["parameters"]}
    given["gain"] = np.float32(1.25)
    for argument, size in (("x", 3), ("target", 4)):
        given[argument] = rng.normal(size=(UPDATES * FRAMES, STREAMS, size)).astype(np.float32)
    wide = {k: v.astype(np.float64) for k, v in given.items()}
    want = oracle.deep(expected, dump, wide)
    np.savez(tmp_path / "f32.npz", **given)
    np.savez(tmp_path / "f64.npz", **wide)
    for kind, tolerance, option in (("f64", 1e-12, ["--dtype=f64"]), ("f32", 2e-4, [])):
        artifact = tmp_path / f"{kind}.rnnc"
        run(tool("rnn-compile"), tmp_path / "net.mlir", "-o", artifact, "--target=cpu", "--target=emulator",
            "--target=interpreter", f"--streams={STREAMS}", *option)
        for target in ("interpreter", "cpu", "emulator"):
            out = tmp_path / f"{kind}.{target}.npz"
            run(tool("rnn-run"), artifact, "--function=step", f"--input={tmp_path / kind}.npz", f"--output={out}",
                f"--target={target}")
            with np.load(out) as got:
                slots = {n for n in got if n.startswith("opt.")}
                assert slots == {n for n in want if n.startswith("opt.")}, target
                for tensor, value in want.items():
                    np.testing.assert_allclose(got[tensor], value, rtol=tolerance, atol=tolerance,
                                               err_msg=f"{tensor} on {target} in {kind}")


def test_command_line(tool, tmp_path):
    """`--optimizer` of rnn-compile replaces that of the model, field by field, `--clip-…` the clipping."""
    (tmp_path / "net.mlir").write_text(network("sgd<>", NORM))

    def same(option, text):
        (tmp_path / "same.mlir").write_text(text)
        steps = []
        for arguments in ([tmp_path / "net.mlir", option], [tmp_path / "same.mlir"]):
            steps.append(run(tool("rnn-compile"), *arguments, "-o", "-", "--compile-to=gradient"))
        assert steps[0] == steps[1], option

    for given, printed in (("adamw,lr=0.5", "adamw<lr = 5.000000e-01>"),
                           ("rmsprop,momentum=0.5", "rmsprop<lr = 1.000000e-02, momentum = 5.000000e-01>"),
                           ("rmsprop,centered=true", "rmsprop<lr = 1.000000e-02, centered = true>"),
                           ("adam,amsgrad=true", "adam<lr = 1.000000e-03, amsgrad = true>"),
                           ("adagrad,lr_decay=0.5", "adagrad<lr = 1.000000e-02, lr_decay = 5.000000e-01>"),
                           ("adadelta,rho=0.5", "adadelta<lr = 1.000000e+00, rho = 5.000000e-01>"),
                           ("sgd,momentum=0.5,nesterov=true",
                            "sgd<lr = 1.000000e-02, momentum = 5.000000e-01, nesterov = true>")):
        same(f"--optimizer={given}", network(printed, NORM))
    same("--clip-value=0.5", network("sgd<>", "value = 0.5"))
    same("--clip-norm=0.5", network("sgd<>", "norm = 0.5"))
    same("--clip-value=0", network("sgd<>", NORM).replace(f"clip<{NORM}>", ""))
    done = subprocess.run([tool("rnn-compile"), tmp_path / "net.mlir", "--clip-value=1", "--clip-norm=1", "-o", "-"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr == "rnn-compile: error: --clip-norm and --clip-value exclude each other\n"
