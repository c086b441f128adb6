# ===- test_oracle.py - The oracle judged by what it does not use -------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#

import numpy as np
import pytest

import generate
import oracle


class Graph:
    """A dump written by hand: one network `n`, values known by name, forward references allowed."""

    def __init__(self):
        self.ids, self.dump = {}, {"name": "n", "arguments": [], "results": [], "ops": []}
        self.parameters = []

    def id(self, name):
        return self.ids.setdefault(name, len(self.ids))

    def argument(self, name, shape, dtype="f64", rate="frame", reset=False):
        self.dump["arguments"].append({"name": name, "id": self.id(name), "shape": shape, "dtype": dtype,
                                       "rate": rate, "reset": reset})

    def op(self, result, op, operands, shape, dtype="f64", **attrs):
        self.dump["ops"].append({"op": op, "operands": [self.id(o) for o in operands], "attrs": attrs,
                                 "results": [{"id": self.id(result), "shape": shape, "dtype": dtype}]})

    def param(self, name, shape):
        self.parameters.append({"name": name, "shape": shape, "dtype": "f64", "init": {"kind": "zeros"}, "trainable": True})
        self.op("@" + name, "rnn.param", [], shape, parameter=name)

    def delay(self, result, source, by, shape, init=None, **attrs):
        self.op(result, "rnn.delay", [source] + ([init] if init else []), shape, by=by, name=source, **attrs)

    def oracle(self, results, window=0, advance=0, loss=None, mask=None):
        self.dump["results"] = [{"name": r, "id": self.id(r), "rate": "frame"} for r in results]
        step = {"name": "step", "network": "n", "losses": [{"result": loss, "reduction": "mean", "weight": 1.0, "mask": mask}],
                "metrics": [], "optimizer": {"kind": "sgd", "lr": 0.0}, "clip_norm": None, "window": window, "advance": advance}
        return oracle.Oracle({"format": 1, "parameters": self.parameters, "networks": [self.dump],
                              "train_steps": [step] if loss else []})


def lstm(units, inputs):
    """An LSTM without peepholes, gates i f g o."""
    g = Graph()
    g.argument("x", [inputs])
    for name, shape in (("wx", [4 * units, inputs]), ("wh", [4 * units, units]), ("b", [4 * units])):
        g.param(name, shape)
    g.delay("h1", "h", 1, [units])
    g.delay("c1", "c", 1, [units])
    g.op("gx", "rnn.linear", ["x", "@wx", "@b"], [4 * units])
    g.op("gh", "rnn.linear", ["h1", "@wh"], [4 * units])
    g.op("gates", "rnn.sum", ["gx", "gh"], [4 * units])
    for i, gate in enumerate("ifgo"):
        g.op(gate, "tensor.extract_slice", ["gates"], [units], static_offsets=[i * units], static_sizes=[units],
             static_strides=[1])
        g.op(gate + "a", "math.tanh" if gate == "g" else "rnn.sigmoid", [gate], [units])
    g.op("keep", "arith.mulf", ["fa", "c1"], [units])
    g.op("write", "arith.mulf", ["ia", "ga"], [units])
    g.op("c", "arith.addf", ["keep", "write"], [units])
    g.op("tc", "math.tanh", ["c"], [units])
    g.op("h", "arith.mulf", ["oa", "tc"], [units])
    g.op("hh", "arith.mulf", ["h", "h"], [units])
    g.op("e", "rnn.reduce", ["hh"], [], kind="sum", dims=[0])
    return g


def lstm_arrays(units, inputs, frames, streams, seed=0):
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.normal(size=shape) * 0.5
    return {"x": draw(frames, streams, inputs), "wx": draw(4 * units, inputs), "wh": draw(4 * units, units),
            "b": draw(4 * units)}


def test_lstm_forward():
    units, inputs, frames, streams = 3, 2, 5, 2
    a = lstm_arrays(units, inputs, frames, streams)
    out = lstm(units, inputs).oracle(["h"]).run("n", a)
    h = c = np.zeros((streams, units))
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    for t in range(frames):
        i, f, g, o = np.split(a["x"][t] @ a["wx"].T + h @ a["wh"].T + a["b"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(out["h"][t], h, rtol=1e-14)
    np.testing.assert_allclose(out["state.h"], h[None], rtol=1e-14)
    np.testing.assert_allclose(out["state.c"], c[None], rtol=1e-14)
    assert (out["state.age"] == frames - 1).all()


def delayed(by, init, local, x, reset, age, history):
    """Rules T1 to T5, written down for one scalar signal of one stream."""
    frames, out, ages = len(x), [], []
    for t in range(frames):
        age = 0 if reset[t] else age + 1
        ages.append(age)
    for t in range(frames):
        at = t - by
        if by > 0:
            valid = ages[t] >= by and (at >= 0 or not local)
        else:
            valid = at < frames and ages[at] >= -by
        out.append((x[at] if at >= 0 else history[at]) if valid else init)
    return out


@pytest.mark.parametrize("by", [1, 2, 3, -1, -2])
@pytest.mark.parametrize("local", [False, True])
def test_delay_rules(by, local):
    g = Graph()
    g.argument("x", [])
    g.argument("r", [], "i1", reset=True)
    g.argument("i", [], rate="static")
    g.delay("d", "x", by, [], init="i", **({"local": True} if local else {}))
    net = g.oracle(["d"])
    for seed in range(8):
        rng = np.random.default_rng(seed)
        frames, streams = 5, 3
        age = rng.integers(-1, 4, streams)
        a = {"x": rng.normal(size=(frames, streams)), "r": rng.random((frames, streams)) < 0.25, "i": np.float64(7),
             "state.x": rng.normal(size=(max(by, 1), streams)), "state.age": age}
        out = net.run("n", a)["d"]
        for b in range(streams):
            want = delayed(by, 7.0, local, a["x"][:, b], a["r"][:, b], age[b], a["state.x"][:, b])
            np.testing.assert_array_equal(out[:, b], want)


@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_gradients_against_central_differences(seed):
    g = generate.Generator(seed, "float")
    if any(op.name == "rnn.stop_gradient" for op in g.ops):
        pytest.skip("stop_gradient is not what a difference sees")
    net = oracle.Oracle(g.dump())
    a = g.inputs(5, 2, seed)
    if not net.trainable:
        return
    rng = np.random.default_rng(seed)
    direction = {p: rng.normal(size=a[p].shape) for p in net.trainable}
    moved = lambda e: {**a, **{p: a[p].astype(np.float64) + e * direction[p] for p in direction}}
    loss = lambda e: float(oracle.deep(net.train, "step", moved(e))["loss"])
    out = oracle.deep(net.train, "step", a)
    got = sum(np.sum(out["grad." + p] * direction[p]) for p in direction)
    np.testing.assert_allclose(got, (loss(1e-6) - loss(-1e-6)) / 2e-6, rtol=1e-6, atol=1e-7)


def chunks_of(a, names, sizes):
    chunks, at = [], 0
    for n in sizes:
        chunks.append({k: (v[at : at + n] if k in names else v) for k, v in a.items()})
        at += n
    return chunks


def test_state_makes_chunks_seamless():
    a = lstm_arrays(3, 2, 7, 2)
    net = lstm(3, 2).oracle(["h"])
    whole = net.run("n", a)
    parts = net.run("n", chunks_of(a, ["x"], [3, 1, 3]))
    np.testing.assert_array_equal(np.concatenate([p["h"] for p in parts]), whole["h"])
    np.testing.assert_array_equal(parts[-1]["state.c"], whole["state.c"])


@pytest.mark.parametrize("window", [2, 4, 6])
def test_windows(window):
    """BPTT(h; 2) is full BPTT over the last h frames, with the state before them held constant."""
    a = lstm_arrays(3, 2, 6, 2)
    last = lstm(3, 2).oracle(["h", "e"], window, 2, loss="e").train("step", chunks_of(a, ["x"], [2, 2, 2]))[-1]
    before = 6 - window
    start = dict(a)
    if before:
        old = lstm(3, 2).oracle(["h"]).run("n", {**a, "x": a["x"][:before]})
        start.update({k: old[k] for k in ("state.h", "state.c", "state.age")})
    start["x"] = a["x"][before:]
    start["mask"] = np.repeat(np.arange(window) >= window - 2, 2).reshape(window, 2)  # the loss of the new frames
    full = lstm(3, 2).oracle(["h", "e"], loss="e").train("step", start)
    np.testing.assert_allclose(last["loss"], full["loss"], rtol=1e-14)
    for p in ("wx", "wh", "b"):
        np.testing.assert_allclose(last["grad." + p], full["grad." + p], rtol=1e-12, atol=1e-15)


def test_masks_select():
    """A masked frame may have an infinite loss: it is not read (rule S3)."""
    g = Graph()
    g.argument("x", [])
    g.param("w", [])
    g.op("wx", "arith.mulf", ["x", "@w"], [])
    g.op("zero", "arith.constant", [], [], value={"dtype": "f64", "shape": [], "values": [0.0]})
    g.op("m", "arith.cmpf", ["x", "zero"], [], "i1", predicate="ogt")
    g.op("e", "math.log", ["wx"], [])
    net = g.oracle(["e", "m"], loss="e", mask="m")
    out = net.train("step", {"x": np.array([[2.0], [0.0]]), "w": np.float64(3)})
    np.testing.assert_allclose(out["loss"], np.log(6))
    assert out["count.e"] == 1
    none = net.train("step", {"x": np.array([[2.0], [0.0]]), "w": np.float64(3), "mask": np.zeros((2, 1), bool)})
    assert none["loss"] == 0 and none["count.e"] == 0


ADAM = {"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
# Of each kind what the number 1 is after one update and after two, with the gradient 2, worked out by hand.
UPDATES = [
    ({"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.0}, 0.8, 0.8 - 0.1 * 3.8),
    ({"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.0, "nesterov": True}, 1 - 0.1 * 3.8, 0.62 - 0.1 * 5.42),
    ({"kind": "sgd", "lr": 0.1, "momentum": 0.0, "weight_decay": 0.5}, 0.75, 0.75 - 0.1 * 2.375),
    ({"kind": "adam", **ADAM, "weight_decay": 0.0}, 0.9, 0.8),
    ({"kind": "adamw", **ADAM, "weight_decay": 0.5}, 0.95 - 0.1, 0.85 * 0.95 - 0.1),
    ({"kind": "rmsprop", "lr": 0.1, "alpha": 0.75, "eps": 0.0, "momentum": 0.0, "weight_decay": 0.0}, 0.8,
     0.8 - 0.2 / 1.75**0.5),
    ({"kind": "rmsprop", "lr": 0.1, "alpha": 0.75, "eps": 0.0, "momentum": 0.5, "weight_decay": 0.0}, 0.8,
     0.8 - 0.1 * (1 + 2 / 1.75**0.5)),
    ({"kind": "rmsprop", "lr": 0.1, "alpha": 0.75, "eps": 0.0, "momentum": 0.0, "weight_decay": 0.0, "centered": True},
     1 - 0.2 / 0.75**0.5, 1 - 0.2 / 0.75**0.5 - 0.2 / 0.984375**0.5),
    ({"kind": "adam", **ADAM, "weight_decay": 0.0, "amsgrad": True}, 0.9, 0.8),
    ({"kind": "adamw", **ADAM, "beta2": 0.5, "weight_decay": 0.5, "amsgrad": True}, 0.95 - 0.1, 0.85 * 0.95 - 0.1),
    ({"kind": "adagrad", "lr": 0.1, "lr_decay": 0.0, "eps": 0.0, "weight_decay": 0.0}, 0.9, 0.9 - 0.2 / 8**0.5),
    ({"kind": "adagrad", "lr": 0.1, "lr_decay": 1.0, "eps": 0.0, "weight_decay": 0.0}, 0.9, 0.9 - 0.1 / 8**0.5),
    ({"kind": "adadelta", "lr": 1.0, "rho": 0.5, "eps": 0.25, "weight_decay": 0.0}, 1 - 2 * (1 / 9) ** 0.5,
     1 / 3 - 2 * ((2 / 9 + 0.25) / 3.25) ** 0.5),
]


@pytest.mark.parametrize("optimizer, first, second", UPDATES)
def test_optimizers(optimizer, first, second):
    p, slots = oracle.update(optimizer, 1.0, 2.0, {}, 1)
    assert p == pytest.approx(first, abs=1e-7)
    p, slots = oracle.update(optimizer, p, 2.0, slots, 2)
    assert p == pytest.approx(second, abs=1e-7)


@pytest.mark.parametrize("mode", ["float", "cells", "integer", "window"])
def test_generator(mode):
    """Equal seeds give equal networks; all of them evaluate."""
    for seed in range(6):
        g = generate.Generator(seed, mode)
        assert g.mlir() == generate.Generator(seed, mode).mlir()
        out = oracle.deep(oracle.Oracle(g.dump()).run, "net", g.inputs(3, 2, seed))
        assert all(np.isfinite(v).all() for v in out.values())
