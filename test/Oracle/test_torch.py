# ===- test_torch.py - Values recorded from PyTorch ----------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Cells, CTC, losses, optimizers, clipping and a training on images of digits against what PyTorch has computed.

`pytorch/record.py` has written pytorch/reference.npz, and says what its arrays are. A value that the recorder has a
gradient of is a parameter here: inputs of all frames are rows of a table, which frames look up. Networks of f64 agree to
1e-12 on every target; the same networks of f32 lie near them.
"""

import json
import pathlib
import subprocess

import numpy as np
import pytest

import oracle

HERE = pathlib.Path(__file__).resolve().parent / "pytorch"
REFERENCE = HERE / "reference.npz"
TARGETS = ("interpreter", "cpu", "emulator")
TOLERANCE = {"f64": {"rtol": 1e-12, "atol": 1e-13}, "f32": {"rtol": 2e-5, "atol": 5e-6}}


def cases_of(kind):
    """Cases of the file, to parametrize with; one that fails where there is no file."""
    if not REFERENCE.exists():
        return [pytest.param(None, id="missing")]
    with np.load(REFERENCE) as file:
        cases = json.loads(str(file["cases"]))
    return [pytest.param(case, id=case["name"]) for case in cases if case["kind"] == kind]


def arrays_of(case):
    if case is None:
        pytest.fail(f"{REFERENCE} is missing; write it with: python3 test/Oracle/pytorch/record.py")
    with np.load(REFERENCE) as file:
        return {key.removeprefix(case["name"] + "/"): file[key] for key in file if key.startswith(case["name"] + "/")}


def test_cases():
    """The file has what its recorder names, and no more than what is compared here."""
    kinds = ("cell", "first", "ctc", "loss", "optimizer", "clip", "digits")
    counts = [sum(arrays_of(each.values[0]) != {} for each in cases_of(kind)) for kind in kinds]
    assert counts == [11, 1, 2, 6, 15, 4, 1]


# ===- Modules --------------------------------------------------------------------===#


class Module:
    """The text of a module, with `real` for the element type, and its parameters."""

    def __init__(self):
        self.parameters, self.body = {}, []

    def parameter(self, name, value):
        """Adds a parameter; gives the signal that reads it."""
        self.parameters[name] = value
        self.body.append(f"%{name} = rnn.param @{name} : {tensor(value.shape)}")
        return f"%{name}"

    def table(self, name, values):
        """A signal whose frames are `values` [T,B,…], looked up by %at; gives its parameter a row per frame and stream."""
        self.parameter(f"{name}.rows", values.reshape(-1, *values.shape[2:]))
        rows, row = tensor((values.shape[0] * values.shape[1], *values.shape[2:])), tensor(values.shape[2:])
        self.body.append(f"%{name} = rnn.gather %{name}.rows, %at : ({rows}, tensor<i32>) -> {row}")
        return f"%{name}"

    def text(self, arguments, results, step):
        """`arguments` and `results` as in a network, the latter by the signals of the same names."""
        lines = [f"rnn.parameter @{name} : {tensor(value.shape)} init(#rnn.zeros)" for name, value in self.parameters.items()]
        outputs = ", ".join(f"{name}: {kind}" for name, kind in results.items())
        lines += [f"rnn.network @n({', '.join(arguments)}) -> ({outputs}) {{", *("  " + line for line in self.body),
                  f"  rnn.output {', '.join('%' + name for name in results)} : {', '.join(results.values())}", "}",
                  f"rnn.train_step @step of @n {step}"]
        return "\n".join(lines) + "\n"


def tensor(shape, kind="real"):
    return "tensor<" + "".join(f"{n}x" for n in shape) + kind + ">"


def places(frames, streams):
    """Where the tables have the row of a frame and stream."""
    return np.arange(frames * streams, dtype=np.int32).reshape(frames, streams)


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def programs(tool, folder, text, streams):
    """The module in f64 and f32 on each target, as (what it is, its type, program)."""
    import rnn_mlir
    # In f32 the interpreter, which computes in f64, has nothing to say.
    for kind, targets in (("f64", TARGETS), ("f32", TARGETS[1:])):
        (folder / f"{kind}.mlir").write_text(text.replace("xreal>", f"x{kind}>").replace("<real>", f"<{kind}>"))
        run(tool("rnn-compile"), folder / f"{kind}.mlir", "-o", folder / f"{kind}.rnnc", f"--streams={streams}",
            "--keep=gradients,results", *(f"--target={target}" for target in targets))
        for target in targets:
            yield f"{kind} on {target}", kind, rnn_mlir.load(folder / f"{kind}.rnnc", target=target, threads=1)


def call(program, kind, given):
    """Results of the step."""
    narrow = {name: value.astype(kind.replace("f", "float")) if value.dtype.kind == "f" else value
              for name, value in given.items()}
    return {name: value.numpy() for name, value in program.run("step", **narrow).items()}


def compare(got, want, kind, what):
    np.testing.assert_allclose(got, want, **TOLERANCE[kind], err_msg=what)


# ===- Cells -----------------------------------------------------------------------===#

OPS = {"RNN": "elman", "GRU": "gru", "LSTM": "lstm"}


def line_of_cell(case, name, source, inputs, units, outputs, reverse):
    op = OPS[case["module"]]
    more = {"gru": f"bn(@{name}.bn)", "elman": f"activation({case.get('nonlinearity')})" if case.get("nonlinearity") == "relu" else "",
            "lstm": f"projection(@{name}.wp)" if outputs != units else ""}[op]
    results = f"%{name}" + (f", %{name}.c" if op == "lstm" else "")
    return (f"{results} = rnn.{op} \"{name}\" {source} wx(@{name}.wx) wh(@{name}.wh) b(@{name}.b) {'reverse' * reverse} {more} : "
            f"{tensor((inputs,))} -> {tensor((outputs,))}" + (f", {tensor((units,))}" if outputs != units else ""))


def weights_of(case, name, arrays, suffix, of=lambda value: value):
    """Parameters of a layer by our names, from values or gradients by PyTorch's (docs/Cells.md)."""
    ih, hh = arrays[f"bias_ih_{suffix}"], arrays[f"bias_hh_{suffix}"]
    weights = {"wx": arrays[f"weight_ih_{suffix}"], "wh": arrays[f"weight_hh_{suffix}"], "b": ih + hh}
    if case["module"] == "GRU":
        cut = 2 * len(hh) // 3
        weights.update(b=np.concatenate([ih[:cut] + hh[:cut], ih[cut:]]), bn=hh[cut:])
    if f"weight_hr_{suffix}" in arrays:
        weights["wp"] = arrays[f"weight_hr_{suffix}"]
    return {f"{name}.{key}": value for key, value in weights.items()}


def module_of(case, arrays):
    """The module of a cell, and the names of its layers with PyTorch's suffixes."""
    module, layers = Module(), {}
    source, inputs = module.table("x", arrays["x"]), arrays["x"].shape[2]
    units = arrays["weight_ih_l0"].shape[0] // {"RNN": 1, "GRU": 3, "LSTM": 4}[case["module"]]
    outputs = case.get("proj_size") or units
    for layer in range(case.get("num_layers", 1)):
        ways = []
        for reverse in [False, True] if case.get("bidirectional") else [False]:
            name, suffix = f"{'r' if reverse else 'l'}{layer}", f"l{layer}{'_reverse' * reverse}"
            layers[name] = suffix
            for key, value in weights_of(case, name, arrays, suffix).items():
                module.parameter(key, value)
            module.body.append(line_of_cell(case, name, source, inputs, units, outputs, reverse))
            ways.append(name)
        source, inputs = f"%{ways[0]}", outputs
        if len(ways) == 2:
            one, inputs = tensor((outputs,)), 2 * outputs
            module.body.append(f"%both{layer} = tensor.concat dim(0) %{ways[0]}, %{ways[1]} : ({one}, {one}) -> {tensor((inputs,))}")
            source = f"%both{layer}"
    vector = tensor((inputs,))
    module.body += [f"%y = arith.addf {source}, %none : {vector}", f"%yg = arith.mulf %y, %g : {vector}",
                    f"%e = rnn.reduce sum %yg over [0] : {vector} to tensor<real>"]
    module.body.insert(0, f"%none = arith.constant dense<0.0> : {vector}")
    text = module.text(["%at: tensor<i32>", f"%g: {vector}"], {"y": vector, "e": "tensor<real>"},
                       'loss("e" sum) optimizer(#rnn.sgd<lr = 0.0>)')
    return module, text, layers


def gradients_of(case, arrays, layers):
    """What PyTorch has for the parameters of the module."""
    gradients = {key.removeprefix("grad."): value for key, value in arrays.items() if key.startswith("grad.")}
    want = {"x.rows": gradients["x"].reshape(-1, gradients["x"].shape[2])}
    for name, suffix in layers.items():
        want.update(weights_of(case, name, gradients, suffix))
        # One bias has the gradient of each of PyTorch's two.
        want[f"{name}.b"] = gradients[f"bias_ih_{suffix}"]
        agree = slice(0, 2 * len(want[f"{name}.b"]) // 3) if case["module"] == "GRU" else slice(None)
        np.testing.assert_allclose(gradients[f"bias_hh_{suffix}"][agree], want[f"{name}.b"][agree], rtol=1e-12)
    return want


def inputs_of(module, arrays):
    frames, streams = arrays["x"].shape[:2]
    given = {"at": places(frames, streams), "g": arrays["g"], **module.parameters}
    if "h_0" in arrays:
        given.update({"state.l0.h": arrays["h_0"], "state.l0.c": arrays["c_0"], "state.age": np.full(streams, 9)})
    return given


@pytest.mark.parametrize("case", cases_of("cell"))
def test_cell(tool, tmp_path, case):
    arrays = arrays_of(case)
    module, text, layers = module_of(case, arrays)
    want = gradients_of(case, arrays, layers)
    ways = 2 if case.get("bidirectional") else 1
    for what, kind, program in programs(tool, tmp_path, text, arrays["x"].shape[1]):
        got = call(program, kind, inputs_of(module, arrays))
        compare(got["y"], arrays["y"], kind, f"y, {what}")
        for name, value in want.items():
            compare(got[f"grad.{name}"], value, kind, f"gradient of {name}, {what}")
        for layer in range(case.get("num_layers", 1)):
            compare(program.state[f"l{layer}.h"][0], arrays["h_n"][layer * ways], kind, f"last state of layer {layer}, {what}")
            if "c_n" in arrays:
                compare(program.state[f"l{layer}.c"][0], arrays["c_n"][layer * ways], kind, f"last cell of layer {layer}, {what}")


@pytest.mark.parametrize("case", cases_of("cell"))
def test_oracle_of_cells(tool, tmp_path, case):
    """The judge of random networks agrees, which reads cells as they are written out."""
    arrays = arrays_of(case)
    module, text, layers = module_of(case, arrays)
    (tmp_path / "net.mlir").write_text(text.replace("real>", "f64>"))
    dump = json.loads(run(tool("rnn-translate"), "--rnn-to-json", tmp_path / "net.mlir"))
    got = oracle.deep(oracle.Oracle(dump).train, "step", inputs_of(module, arrays))
    for name, value in gradients_of(case, arrays, layers).items():
        compare(got[f"grad.{name}"], value, "f64", f"gradient of {name}")
    compare(got["loss"], np.sum(arrays["y"] * arrays["g"]), "f64", "loss")


FIRST = """
rnn.parameter @x.rows : tensor<{rows}x{k}xreal> init(#rnn.zeros)
rnn.parameter @h0.rows : tensor<{streams}x{n}xreal> init(#rnn.zeros)
rnn.parameter @c0.rows : tensor<{streams}x{n}xreal> init(#rnn.zeros)
rnn.parameter @wx : tensor<{g}x{k}xreal> init(#rnn.zeros)
rnn.parameter @wh : tensor<{g}x{n}xreal> init(#rnn.zeros)
rnn.parameter @b : tensor<{g}xreal> init(#rnn.zeros)
rnn.network @n(%at: tensor<i32>, %stream: tensor<i32> {{rnn.rate = "stream"}}, %g: tensor<{n}xreal>)
    -> (h: tensor<{n}xreal>, e: tensor<real>) {{
  %xs = rnn.param @x.rows : tensor<{rows}x{k}xreal>
  %hs = rnn.param @h0.rows : tensor<{streams}x{n}xreal>
  %cs = rnn.param @c0.rows : tensor<{streams}x{n}xreal>
  %x = rnn.gather %xs, %at : (tensor<{rows}x{k}xreal>, tensor<i32>) -> tensor<{k}xreal>
  %h0 = rnn.gather %hs, %stream : (tensor<{streams}x{n}xreal>, tensor<i32>) -> tensor<{n}xreal>
  %c0 = rnn.gather %cs, %stream : (tensor<{streams}x{n}xreal>, tensor<i32>) -> tensor<{n}xreal>
  %h, %c = rnn.lstm "l" %x wx(@wx) wh(@wh) b(@b) init(%h0, %c0) : tensor<{k}xreal> -> tensor<{n}xreal>
  %hg = arith.mulf %h, %g : tensor<{n}xreal>
  %e = rnn.reduce sum %hg over [0] : tensor<{n}xreal> to tensor<real>
  rnn.output %h, %e : tensor<{n}xreal>, tensor<real>
}}
rnn.train_step @step of @n loss("e" sum) optimizer(#rnn.sgd<lr = 0.0>)
"""


@pytest.mark.parametrize("case", cases_of("first"))
def test_first_state(tool, tmp_path, case):
    """First states that each stream has its own of are rows of tables, and have gradients as the weights have."""
    arrays = arrays_of(case)
    frames, streams, k = arrays["x"].shape
    n = arrays["h_0"].shape[2]
    text = FIRST.format(rows=frames * streams, streams=streams, k=k, n=n, g=4 * n)
    names = {"x.rows": "x", "h0.rows": "h_0", "c0.rows": "c_0", "wx": "weight_ih_l0", "wh": "weight_hh_l0"}
    parameters = {name: arrays[theirs].reshape(-1, arrays[theirs].shape[-1]) for name, theirs in names.items()}
    parameters["b"] = arrays["bias_ih_l0"] + arrays["bias_hh_l0"]
    given = {"at": places(frames, streams), "stream": np.arange(streams, dtype=np.int32), "g": arrays["g"], **parameters}
    want = {name: arrays[f"grad.{theirs}"].reshape(parameters[name].shape) for name, theirs in names.items()}
    want["b"] = arrays["grad.bias_ih_l0"]
    assert all(np.any(want[name]) for name in want)
    for what, kind, program in programs(tool, tmp_path, text, streams):
        got = call(program, kind, given)
        compare(got["h"], arrays["y"], kind, f"h, {what}")
        for name, value in want.items():
            compare(got[f"grad.{name}"], value, kind, f"gradient of {name}, {what}")
        compare(program.state["l.h"][0], arrays["h_n"][0], kind, f"last h, {what}")
        compare(program.state["l.c"][0], arrays["c_n"][0], kind, f"last c, {what}")


# ===- CTC and the other losses -----------------------------------------------------===#


@pytest.mark.parametrize("case", cases_of("ctc"))
def test_ctc(tool, tmp_path, case):
    arrays = arrays_of(case)
    logits, labels, length, count = (arrays[name] for name in ("logits", "labels", "length", "frames"))
    frames, streams, classes = logits.shape
    module = Module()
    module.table("y", logits)
    vector, row, number = tensor((classes,)), tensor((labels.shape[1],), "i32"), "tensor<i32>"
    module.body.append(f"%e = rnn.ctc \"align\" %y, %labels, %length {'{zero_infinity}' * case['zero_infinity']} : "
                       f"({vector}, {row}, {number}) -> tensor<real>")
    module.body += ["%true = arith.constant dense<true> : tensor<i1>", "%last = arith.andi %end, %true : tensor<i1>"]
    text = module.text([f"%at: {number}", "%end: tensor<i1>", f'%labels: {row} {{rnn.rate = "stream"}}',
                        f'%length: {number} {{rnn.rate = "stream"}}'], {"e": "tensor<real>", "last": "tensor<i1>"},
                       'loss("e" sum mask "last") optimizer(#rnn.sgd<lr = 0.0>)')
    last = np.arange(frames)[:, None] == count - 1
    given = {"at": places(frames, streams), "end": last, "labels": labels.astype(np.int32), "length": length.astype(np.int32),
             **module.parameters}
    for what, kind, program in programs(tool, tmp_path, text, streams):
        got = call(program, kind, given)
        ends = got["e"].T[last.T]
        compare(ends, arrays["loss"], kind, f"losses, {what}")
        compare(np.mean(ends / np.maximum(length, 1)), arrays["mean"], kind, f"mean, {what}")
        compare(got["grad.y.rows"].reshape(logits.shape), arrays["grad.logits"], kind, f"gradient of logits, {what}")


LOSSES = {"cross-entropy": "softmax_cross_entropy", "bce-with-logits": "sigmoid_cross_entropy", "mse": "mean_squared_error",
          "l1": "mean_absolute_error", "huber": "huber", "huber-delta": "huber"}


@pytest.mark.parametrize("case", cases_of("loss"))
def test_loss(tool, tmp_path, case):
    arrays = arrays_of(case)
    prediction, target = arrays["prediction"], arrays["target"]
    vector = tensor(prediction.shape[2:])
    compared = "tensor<i32>" if target.dtype.kind == "i" else vector
    options = f"{{delta = {case['delta']}}}" if "delta" in case else ""
    module = Module()
    module.table("y", prediction)
    module.body.append(f"%e = rnn.{LOSSES[case['name']]} %y, %target {options} : ({vector}, {compared}) -> tensor<real>")
    text = module.text(["%at: tensor<i32>", f"%target: {compared}"], {"e": "tensor<real>"},
                       'loss("e" mean) optimizer(#rnn.sgd<lr = 0.0>)')
    given = {"at": places(*prediction.shape[:2]), "target": target.astype(np.int32) if target.dtype.kind == "i" else target,
             **module.parameters}
    for what, kind, program in programs(tool, tmp_path, text, prediction.shape[1]):
        got = call(program, kind, given)
        compare(got["loss"], arrays["loss"], kind, f"loss, {what}")
        compare(got["grad.y.rows"].reshape(prediction.shape), arrays["grad.prediction"], kind, f"gradient, {what}")


# ===- Optimizers and clipping --------------------------------------------------------===#


def updates(tool, folder, optimizer, start, gradients, more=""):
    """A step whose gradients are its arguments; one call per row of them gives (what, type, program, results)."""
    module = Module()
    for name, value in start.items():
        signal, kind = module.parameter(name, value), tensor(value.shape)
        over = ", ".join(map(str, range(value.ndim)))
        module.body += [f"%{name}.d = arith.mulf {signal}, %d{name} : {kind}",
                        f"%{name}.e = rnn.reduce sum %{name}.d over [{over}] : {kind} to tensor<real>"]
    module.body.append(f"%e = rnn.sum {', '.join(f'%{name}.e' for name in start)} : tensor<real>")
    text = module.text([f"%d{name}: {tensor(value.shape)}" for name, value in start.items()], {"e": "tensor<real>"},
                       f'loss("e" sum) optimizer(#rnn.{optimizer}) {more} bptt<window = 1, advance = 1>')
    for what, kind, program in programs(tool, folder, text, 1):
        for name, value in start.items():
            program.params[name] = value.astype(program.params[name].dtype)
        for step in range(len(next(iter(gradients.values())))):
            yield step, what, kind, program, call(program, kind, {f"d{n}": g[step][None, None] for n, g in gradients.items()})


def attribute(kind, fields):
    """`#rnn.…` of an optimizer of PyTorch."""
    fields = dict(fields)
    if "betas" in fields:
        fields["beta1"], fields["beta2"] = fields.pop("betas")
    text = {True: "true", False: "false"}
    return f"{kind.lower()}<{', '.join(f'{n} = {text.get(v, v) if isinstance(v, bool) else v}' for n, v in fields.items())}>"


@pytest.mark.parametrize("case", cases_of("optimizer"))
def test_optimizer(tool, tmp_path, case):
    """Defaults are PyTorch's where the case gives no number."""
    arrays = arrays_of(case)
    names = ("w", "v")
    for step, what, kind, program, _ in updates(tool, tmp_path, attribute(case["optimizer"], case["fields"]),
                                                {n: arrays[n] for n in names}, {n: arrays[f"grad.{n}"] for n in names}):
        for name in names:
            compare(program.params[name], arrays[f"after.{name}"][step], kind, f"{name} after step {step}, {what}")


@pytest.mark.parametrize("case", cases_of("optimizer"))
def test_oracle_of_optimizers(case):
    """So do the formulas of the oracle, which know no defaults."""
    arrays = arrays_of(case)
    rest = {"SGD": {"momentum": 0.0, "nesterov": False},
            "Adam": {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "amsgrad": False},
            "AdamW": {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01, "amsgrad": False},
            "RMSprop": {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False},
            "Adagrad": {"lr": 0.01, "lr_decay": 0.0, "eps": 1e-10}, "Adadelta": {"lr": 1.0, "rho": 0.9, "eps": 1e-6}}
    optimizer = {"kind": case["optimizer"].lower(), "weight_decay": 0.0, **rest[case["optimizer"]], **case["fields"]}
    if "betas" in optimizer:
        optimizer["beta1"], optimizer["beta2"] = optimizer.pop("betas")
    for name in ("w", "v"):
        value, slots = arrays[name], {}
        for step, gradient in enumerate(arrays[f"grad.{name}"]):
            value, slots = oracle.update(optimizer, value, gradient, slots, step + 1)
            compare(value, arrays[f"after.{name}"][step], "f64", f"{name} after step {step}")


@pytest.mark.parametrize("case", cases_of("clip"))
def test_clipping(tool, tmp_path, case):
    arrays = arrays_of(case)
    start = {n: np.zeros_like(arrays[n]) for n in ("w", "v")}
    for _, what, kind, program, got in updates(tool, tmp_path, "sgd<lr = 1.0>", start, {n: arrays[n][None] for n in start},
                                               f"clip<{' '.join(f'{n} = {case[n]}' for n in ('norm', 'value') if n in case)}>"):
        compare(got["grad_norm"], arrays["norm"], kind, f"norm, {what}")
        for name in start:
            compare(-program.params[name], arrays[f"clipped.{name}"], kind, f"{name}, {what}")


# ===- A training on digits ------------------------------------------------------------===#

DIGITS = """
rnn.parameter @wx : tensor<64x8xreal> init(#rnn.zeros)
rnn.parameter @wh : tensor<64x16xreal> init(#rnn.zeros)
rnn.parameter @b : tensor<64xreal> init(#rnn.zeros)
rnn.parameter @wo : tensor<10x16xreal> init(#rnn.zeros)
rnn.parameter @bo : tensor<10xreal> init(#rnn.zeros)
rnn.network @n(%x: tensor<8xreal>, %new: tensor<i1> {rnn.reset}, %last: tensor<i1>, %target: tensor<i32>)
    -> (nll: tensor<real>, ends: tensor<i1>) {
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<8xreal> -> tensor<16xreal>
  %wo = rnn.param @wo : tensor<10x16xreal>
  %bo = rnn.param @bo : tensor<10xreal>
  %logits = rnn.linear %h, %wo, %bo : (tensor<16xreal>, tensor<10x16xreal>, tensor<10xreal>) -> tensor<10xreal>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<10xreal>, tensor<i32>) -> tensor<real>
  rnn.output %nll, %last : tensor<real>, tensor<i1>
}
rnn.train_step @step of @n loss("nll" mean mask "ends") optimizer(#rnn.adam<lr = LR>) bptt<window = 8, advance = 8>
"""
# What a network of f32 may lose over the whole curve; PyTorch's own two lie 2e-7 apart.
CURVE = {"f64": 1e-12, "f32": 2e-6}


@pytest.mark.parametrize("case", cases_of("digits"))
def test_digits(tool, tmp_path, case):
    """Images of digits are read row by row and named after the last: the loss of each of 60 steps is PyTorch's, of the
    first three on the emulator, which is slow."""
    arrays = arrays_of(case)
    with np.load(HERE / "digits.npz") as file:
        images, labels = file["images"], file["labels"]
    start = {"wx": arrays["lstm.weight_ih_l0"], "wh": arrays["lstm.weight_hh_l0"], "b": arrays["lstm.bias_ih_l0"],
             "wo": arrays["out.weight"], "bo": arrays["out.bias"]}
    assert not arrays["lstm.bias_hh_l0"].any()
    frame = np.broadcast_to(np.arange(8)[:, None], (8, case["batch"]))
    for what, kind, program in programs(tool, tmp_path, DIGITS.replace("LR", str(case["lr"])), case["batch"]):
        for name, value in start.items():
            program.params[name] = value.astype(program.params[name].dtype)
        losses, steps = [], 3 if "emulator" in what else case["steps"]
        for step in range(steps):
            chosen = np.arange(step * case["batch"], (step + 1) * case["batch"]) % len(images)
            got = call(program, kind, {"x": (images[chosen] / 16).transpose(1, 0, 2), "new": frame == 0, "last": frame == 7,
                                       "target": np.broadcast_to(labels[chosen].astype(np.int32), frame.shape)})
            losses.append(float(got["loss"]))
        np.testing.assert_allclose(losses, arrays["loss64"][:steps], rtol=CURVE[kind], err_msg=what)
        if kind == "f32":
            np.testing.assert_allclose(losses, arrays["loss32"][:steps], rtol=CURVE[kind], err_msg=what)
