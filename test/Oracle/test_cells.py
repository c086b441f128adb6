# ===- test_cells.py - Cells judged by their formulas -------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Every cell with every option: values and gradients against formulas written in JAX, values against ONNX.

The oracle reads cells as the compiler has written them out; here nothing of that is used. In f64 all targets must agree
with the formulas; as written they must agree with the interpreter within the budget of `--compare`.
"""

import functools
import re
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

K, H, P, FRAMES, STREAMS, CALLS = 3, 4, 2, 5, 2, 2
EPS = float(np.float32(1e-5))  # a constant of an f32 network keeps its f32 value in f64 (rule N2)
sigmoid = jax.nn.sigmoid


def from_input(p, x):
    return p["wx"][x] if jnp.issubdtype(x.dtype, jnp.integer) else p["wx"] @ x


def norm(v):
    return (v - v.mean()) / jnp.sqrt(((v - v.mean()) ** 2).mean() + EPS)


def elman(p, state, x, relu=False):
    sum = from_input(p, x) + p["wh"] @ state["h"] + p["b"]
    return {"h": jnp.where(sum > 0, sum, 0.0) if relu else jnp.tanh(sum)}


def gru(p, state, x, before=False):
    (ar, az, an), (whr, whz, whn), h = jnp.split(from_input(p, x) + p["b"], 3), jnp.split(p["wh"], 3), state["h"]
    r, z = sigmoid(ar + whr @ h), sigmoid(az + whz @ h)
    n = jnp.tanh(an + (whn @ (r * h) if before else r * (whn @ h + p.get("bn", 0.0))))
    return {"h": (1 - z) * n + z * h}


def lstm(p, state, x, forget="gate", clip=None):
    h, c = state["h"], state["c"]
    ax, ah = from_input(p, x), p["wh"] @ h
    if "ax" in p:
        ax, ah = norm(ax) * p["ax"], norm(ah) * p["ah"]
    gates = jnp.split(ax + ah + p["b"], 4 if forget == "gate" else 3)
    i, o = sigmoid(gates[0] + p.get("pi", 0.0) * c), gates[-1]
    f = {"gate": sigmoid(gates[1] + p.get("pf", 0.0) * c), "coupled": 1 - i, "none": 1.0}[forget]
    c = f * c + i * jnp.tanh(gates[-2])
    if clip is not None:
        c = jnp.clip(c, -clip, clip)
    o = sigmoid(o + p.get("po", 0.0) * c)
    h = o * jnp.tanh(norm(c) * p["ac"] + p["bc"] if "ax" in p else c)
    return {"h": p["wp"] @ h if "wp" in p else h, "c": c}


def indrnn(p, state, x, tanh=False):
    sum = from_input(p, x) + p["u"] * state["h"] + p["b"]
    return {"h": jnp.tanh(sum) if tanh else jnp.where(sum > 0, sum, 0.0)}


def min_gru(p, state, x):
    z, n = jnp.split(from_input(p, x) + p["b"], 2)
    return {"h": state["h"] + sigmoid(z) * (n - state["h"])}


def sru(p, state, x):
    c, (bf, br) = state["c"], jnp.split(p["b"], 2)
    n, f, r, *s = jnp.split(from_input(p, x), len(p["wx"] if x.ndim else p["wx"].T) // H)
    f, r = sigmoid(f + bf + p.get("vf", 0.0) * c), sigmoid(r + br + p.get("vr", 0.0) * c)
    c = f * c + (1 - f) * n
    return {"h": r * c + (1 - r) * (s[0] if s else x), "c": c}


def shapes(gates, **more):
    return {"wx": (gates * H, K), "wh": (gates * H, H), "b": (gates * H,), **more}


UNIT = (H,)
# name -> (op, what follows its three parameters, their shapes, formula, options of the formula)
CELLS = {
    "elman": ("elman", "", shapes(1), elman, {}),
    "elman-relu": ("elman", "activation(relu)", shapes(1), elman, {"relu": True}),
    "elman-table": ("elman", "", shapes(1, wx=(K, H)), elman, {}),
    "gru": ("gru", "", shapes(3), gru, {}),
    "gru-bn": ("gru", "bn(@bn)", shapes(3, bn=UNIT), gru, {}),
    "gru-before": ("gru", "reset(before)", shapes(3), gru, {"before": True}),
    "gru-table": ("gru", "bn(@bn)", shapes(3, wx=(K, 3 * H), bn=UNIT), gru, {}),
    "gru-before-table": ("gru", "reset(before)", shapes(3, wx=(K, 3 * H)), gru, {"before": True}),
    "lstm": ("lstm", "", shapes(4), lstm, {}),
    "lstm-peepholes": ("lstm", "peephole(@pi, @pf, @po)", shapes(4, pi=UNIT, pf=UNIT, po=UNIT), lstm, {}),
    "lstm-projection": ("lstm", "projection(@wp)", shapes(4, wh=(4 * H, P), wp=(P, H)), lstm, {}),
    "lstm-table": ("lstm", "", shapes(4, wx=(K, 4 * H)), lstm, {}),
    "lstm-coupled": ("lstm", "forget(coupled)", shapes(3), lstm, {"forget": "coupled"}),
    "lstm-coupled-peepholes": ("lstm", "forget(coupled) peephole(@pi, @po)", shapes(3, pi=UNIT, po=UNIT), lstm,
                               {"forget": "coupled"}),
    "lstm-none": ("lstm", "forget(none)", shapes(3), lstm, {"forget": "none"}),
    "lstm-none-table": ("lstm", "forget(none) peephole(@pi, @po)", shapes(3, wx=(K, 3 * H), pi=UNIT, po=UNIT), lstm,
                        {"forget": "none"}),
    "lstm-clip": ("lstm", "clip(0.3125)", shapes(4), lstm, {"clip": 0.3125}),
    "lstm-norm": ("lstm", "layer_norm(@ax, @ah, @ac, @bc)",
                  shapes(4, ax=(4 * H,), ah=(4 * H,), ac=UNIT, bc=UNIT), lstm, {}),
    "lstm-all": ("lstm", "forget(coupled) peephole(@pi, @po) projection(@wp) layer_norm(@ax, @ah, @ac, @bc) clip(0.3125)",
                 shapes(3, wh=(3 * H, P), pi=UNIT, po=UNIT, wp=(P, H), ax=(3 * H,), ah=(3 * H,), ac=UNIT, bc=UNIT),
                 lstm, {"forget": "coupled", "clip": 0.3125}),
    "elman-clock": ("elman", "activation(relu) clock(%on)", shapes(1), elman, {"relu": True}),
    "elman-restart": ("elman", "restart(%new)", shapes(1), elman, {}),
    "gru-clock": ("gru", "bn(@bn) clock(%on)", shapes(3, bn=UNIT), gru, {}),
    "gru-clock-restart": ("gru", "reset(before) clock(%on) restart(%new)", shapes(3), gru, {"before": True}),
    "lstm-clock": ("lstm", "clock(%on)", shapes(4), lstm, {}),
    "lstm-restart-table": ("lstm", "restart(%new)", shapes(4, wx=(K, 4 * H)), lstm, {}),
    "lstm-clock-all": ("lstm", "forget(coupled) peephole(@pi, @po) projection(@wp) clip(0.3125) clock(%on) restart(%new)",
                       shapes(3, wh=(3 * H, P), pi=UNIT, po=UNIT, wp=(P, H)), lstm, {"forget": "coupled", "clip": 0.3125}),
    "indrnn": ("indrnn", "", {"wx": (H, K), "u": UNIT, "b": UNIT}, indrnn, {}),
    "indrnn-tanh-table": ("indrnn", "activation(tanh)", {"wx": (K, H), "u": UNIT, "b": UNIT}, indrnn, {"tanh": True}),
    "min_gru": ("min_gru", "", {"wx": (2 * H, K), "b": (2 * H,)}, min_gru, {}),
    "min_gru-table": ("min_gru", "", {"wx": (K, 2 * H), "b": (2 * H,)}, min_gru, {}),
    "sru": ("sru", "", {"wx": (3 * H, H), "b": (2 * H,)}, sru, {}),
    "sru-wide": ("sru", "", {"wx": (4 * H, K), "b": (2 * H,)}, sru, {}),
    "sru-table": ("sru", "", {"wx": (K, 4 * H), "b": (2 * H,)}, sru, {}),
    "elman-reverse": ("elman", "reverse activation(relu) restart(%new)", shapes(1), elman, {"relu": True}),
    "gru-reverse": ("gru", "reverse bn(@bn) clock(%on)", shapes(3, bn=UNIT), gru, {}),
    "gru-reverse-before": ("gru", "reverse reset(before)", shapes(3), gru, {"before": True}),
    "lstm-reverse-table": ("lstm", "reverse", shapes(4, wx=(K, 4 * H)), lstm, {}),
    "lstm-reverse-all": ("lstm", "reverse forget(coupled) peephole(@pi, @po) projection(@wp) layer_norm(@ax, @ah, @ac, @bc) "
                         "clip(0.3125) clock(%on) restart(%new)",
                         shapes(3, wh=(3 * H, P), pi=UNIT, po=UNIT, wp=(P, H), ax=(3 * H,), ah=(3 * H,), ac=UNIT, bc=UNIT),
                         lstm, {"forget": "coupled", "clip": 0.3125}),
    "indrnn-reverse": ("indrnn", "reverse activation(tanh)", {"wx": (H, K), "u": UNIT, "b": UNIT}, indrnn, {"tanh": True}),
    "min_gru-reverse": ("min_gru", "reverse", {"wx": (2 * H, K), "b": (2 * H,)}, min_gru, {}),
    "sru-reverse": ("sru", "reverse", {"wx": (3 * H, H), "b": (2 * H,)}, sru, {}),
    "elman-init": ("elman", "init(%h0) restart(%new)", shapes(1, h0=UNIT), elman, {}),
    "gru-init": ("gru", "bn(@bn) init(%h0)", shapes(3, bn=UNIT, h0=UNIT), gru, {}),
    "gru-init-signal": ("gru", "reset(before) init(%target) clock(%on) restart(%new)", shapes(3), gru, {"before": True}),
    "lstm-init": ("lstm", "init(%h0, %c0)", shapes(4, h0=UNIT, c0=UNIT), lstm, {}),
    "lstm-init-projection": ("lstm", "projection(@wp) init(%target, %c0) clock(%on) restart(%new)",
                             shapes(4, wh=(4 * H, P), wp=(P, H), c0=UNIT), lstm, {}),
    "lstm-init-reverse": ("lstm", "reverse peephole(@pi, @pf, @po) init(%h0, %target) restart(%new)",
                          shapes(4, pi=UNIT, pf=UNIT, po=UNIT, h0=UNIT), lstm, {}),
    "indrnn-init": ("indrnn", "init(%h0)", {"wx": (H, K), "u": UNIT, "b": UNIT, "h0": UNIT}, indrnn, {}),
    "indrnn-init-reverse": ("indrnn", "reverse init(%target)", {"wx": (H, K), "u": UNIT, "b": UNIT}, indrnn, {}),
    "min_gru-init": ("min_gru", "init(%h0)", {"wx": (2 * H, K), "b": (2 * H,), "h0": UNIT}, min_gru, {}),
    "sru-init": ("sru", "peephole(@vf, @vr) init(%c0)",
                 {"wx": (4 * H, K), "b": (2 * H,), "vf": UNIT, "vr": UNIT, "c0": UNIT}, sru, {}),
    "sru-peephole": ("sru", "peephole(@vf, @vr)", {"wx": (4 * H, K), "b": (2 * H,), "vf": UNIT, "vr": UNIT}, sru, {}),
}
STATES = {"lstm": "hc", "sru": "c"}  # of the others h


def first_states(op, options):
    """The names of what the states begin with, by state; none for zeros."""
    given = re.search(r"init\((.*?)\)", options)
    return dict(zip(STATES.get(op, "h"), re.findall(r"%(\w+)", given[1]))) if given else {}


def text(op, options, parameters):
    """A module with one cell, and a step with the squared distance of its outputs from a target as loss."""
    is_table = parameters["wx"][0] == K
    outputs = parameters["wp"][0] if "wp" in parameters else H
    vector, unit = f"tensor<{outputs}xf32>", f"tensor<{H}xf32>"
    source = "tensor<i32>" if is_table else f"tensor<{parameters['wx'][1]}xf32>"
    flags = "".join(f"%{n}: tensor<i1>, " for n in ("on", "new") if f"(%{n})" in options)
    head = " ".join(f"{n}(@{n})" for n in ("wx", "wh", "u", "b") if n in parameters)
    lines = [f"rnn.parameter @{n} : tensor<{'x'.join(map(str, s))}xf32> init(#rnn.zeros)" for n, s in parameters.items()]
    lines += [f"rnn.network @n(%x: {source}, {flags}%target: {vector}) -> (h: {vector}, e: tensor<f32>) {{",
              *(f"  %{n} = rnn.param @{n} : {unit}" for n in first_states(op, options).values() if n in parameters),
              f"  %h{', %c' if 'c' in STATES.get(op, '') else ''} = rnn.{op} \"cell\" %x {head} {options} : {source} "
              f"-> {vector}" + (f", {unit}" if outputs != H else ""),
              f"  %d = arith.subf %h, %target : {vector}", f"  %dd = arith.mulf %d, %d : {vector}",
              f"  %e = rnn.reduce sum %dd over [0] : {vector} to tensor<f32>",
              f"  rnn.output %h, %e : {vector}, tensor<f32>", "}",
              'rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.sgd<lr = 0.0>)']
    return "\n".join(lines) + "\n", is_table, outputs


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"


def draw(name, shape, rng):
    # Gains lie around 1.
    return (rng.normal(scale=0.6, size=shape) + (name in ("ax", "ah", "ac"))).astype(np.float32).astype(np.float64)


def sequence(formula, options, reverse, parameters, first, state, x, on, new):
    """Outputs [T, B, P] and the last state, frame by frame, from the first or the last one on, and stream by stream.
    `first` has the first states of each frame and stream; with them the streams begin where `state` is None."""

    def step(state, first, x, on, new):
        read = {n: jnp.where(new, first[n], v) for n, v in state.items()}
        out = formula(parameters, read, x, **options)
        return {n: jnp.where(on, v, state.get(n, v)) for n, v in out.items()}

    h = []
    frames = range(len(x))[:: -1 if reverse else 1]
    for t in frames:
        now = {n: v[t] for n, v in first.items()}
        out = jax.vmap(step)(now if state is None else state, now, x[t], on[t], new[t])
        h.append(out["h"])
        state = {n: out[n] for n in first}
    return jnp.stack([h[i] for i in frames]), state


@pytest.mark.parametrize("name", CELLS)
def test_cell(tool, tmp_path, name):
    op, after, parameters, formula, options = CELLS[name]
    module, is_table, outputs = text(op, after, parameters)
    (tmp_path / "net.mlir").write_text(module)
    rng = np.random.default_rng(sum(map(ord, name)))
    weights = {n: draw(n, s, rng) for n, s in parameters.items()}
    artifacts = {}
    for kind, option in (("f64", ["--dtype=f64"]), ("f32", [])):
        artifacts[kind] = tmp_path / f"{kind}.rnnc"
        run(tool("rnn-compile"), tmp_path / "net.mlir", "-o", artifacts[kind], "--target=cpu", "--target=emulator",
            "--target=interpreter", f"--streams={STREAMS}", "--keep=gradients,results", *option)
    reverse = after.startswith("reverse")
    state, first = None, first_states(op, after)
    carried = {target: {} for target in ("interpreter", "cpu", "emulator")}

    @jax.jit
    @functools.partial(jax.value_and_grad, has_aux=True)
    def evaluate(parameters, state, x, target, on, new):
        begin = {n: {"target": target, **parameters}.get(first.get(n), 0.0) for n in STATES.get(op, "h")}
        begin = {n: jnp.broadcast_to(v, (*on.shape, outputs if n == "h" else H)) for n, v in begin.items()}
        h, last = sequence(formula, options, reverse, parameters, begin, state, x, on, new)
        return jnp.mean(jnp.sum((h - target) ** 2, axis=-1)), (h, last)

    for call in range(CALLS):
        size = (FRAMES, STREAMS)
        x = rng.integers(0, K, size) if is_table else draw("x", (*size, parameters["wx"][1]), rng)
        on = rng.random(size) < 0.5 if "(%on)" in after else np.ones(size, bool)
        new = rng.random(size) < 0.4 if "(%new)" in after else np.zeros(size, bool)
        flags = {n: v for n, v in (("on", on), ("new", new)) if f"(%{n})" in after}
        target = draw("target", (FRAMES, STREAMS, outputs), rng)
        (value, (h, last)), gradients = evaluate(weights, state, x, target, on, new)
        want = {"loss": value, "h": h, **{"grad." + n: g for n, g in gradients.items()},
                **{f"state.cell.{n}": s[None] for n, s in last.items() if not reverse}}
        for place in carried:
            given = tmp_path / f"in.{place}.npz"
            np.savez(given, **weights, x=x, target=target, **flags, **carried[place])
            run(tool("rnn-run"), artifacts["f64"], "--function=step", f"--input={given}", f"--output={tmp_path / 'out.npz'}",
                f"--target={place}")
            with np.load(tmp_path / "out.npz") as out:
                carried[place] = {n: out[n] for n in out if n.startswith("state.")}
                assert not reverse or not any(n.startswith("state.cell") for n in out)
                for tensor, expected in want.items():
                    np.testing.assert_allclose(out[tensor], expected, rtol=1e-11, atol=1e-12,
                                               err_msg=f"{tensor} on {place}, call {call}")
        state = None if reverse else last
    narrow = {n: w.astype(np.float32) for n, w in {**weights, "target": target}.items()}
    np.savez(tmp_path / "f32.npz", x=x if is_table else x.astype(np.float32), **flags, **narrow)
    for place in ("cpu", "emulator"):
        run(tool("rnn-run"), artifacts["f32"], "--function=step", f"--input={tmp_path / 'f32.npz'}", f"--target={place}",
            "--compare=interpreter")


# Gates of ONNX in its order, and where they are in ours.
ONNX = {"elman": ("RNN", [0], {}), "gru-before": ("GRU", [1, 0, 2], {"linear_before_reset": 0}),
        "gru-bn": ("GRU", [1, 0, 2], {"linear_before_reset": 1}), "lstm": ("LSTM", [0, 3, 1, 2], {}),
        "lstm-peepholes": ("LSTM", [0, 3, 1, 2], {})}


@pytest.mark.parametrize("name", ONNX)
def test_cell_against_onnx(tool, tmp_path, name):
    onnx = pytest.importorskip("onnx", reason="onnx is not importable")
    from onnx import helper, reference

    op, after, parameters, _, _ = CELLS[name]
    kind, order, attributes = ONNX[name]
    module, _, _ = text(op, after, parameters)
    (tmp_path / "net.mlir").write_text(module)
    rng = np.random.default_rng(7)
    weights = {n: draw(n, s, rng) for n, s in parameters.items()}
    x = draw("x", (FRAMES, STREAMS, K), rng)
    ordered = lambda w: np.concatenate([np.split(w, len(order))[k] for k in order])
    recurrent_bias = np.zeros(len(order) * H)
    recurrent_bias[-H:] = weights.get("bn", 0.0)
    given = {"X": x, "W": ordered(weights["wx"])[None], "R": ordered(weights["wh"])[None],
             "B": np.concatenate([ordered(weights["b"]), recurrent_bias])[None]}
    names = list(given)
    if "pi" in weights:  # after the lengths and the two initial states, which are left out
        given["P"] = np.concatenate([weights[n] for n in ("pi", "po", "pf")])[None]
        names += ["", "", "", "P"]
    node = helper.make_node(kind, names, ["Y"], hidden_size=H, **attributes)
    double = onnx.TensorProto.DOUBLE
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info(n, double, v.shape) for n, v in given.items()],
                              [helper.make_tensor_value_info("Y", double, None)])
    (want,) = reference.ReferenceEvaluator(helper.make_model(graph)).run(None, given)
    np.savez(tmp_path / "in.npz", x=x, **weights)
    for place in ("interpreter", "cpu", "emulator"):
        run(tool("rnn-run"), tmp_path / "net.mlir", "--function=n", "--dtype=f64", f"--input={tmp_path / 'in.npz'}",
            f"--output={tmp_path / 'out.npz'}", f"--target={place}")
        with np.load(tmp_path / "out.npz") as out:
            np.testing.assert_allclose(out["h"], want[:, 0], rtol=1e-12, atol=1e-13, err_msg=place)
