# ===- record.py - Values of PyTorch for the tests -----------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   python3 test/Oracle/pytorch/record.py
#
# Needs PyTorch and NumPy, no GPU. Writes reference.npz beside itself: what PyTorch computes in f64 for cells, CTC, losses,
# optimizers and clipping, and a training on the digits of digits.npz in f64 and in f32. test_torch.py compares with it, so
# that the tests need no PyTorch. Cases that the file has already stay as they are; without the file all are written.
#
# `cases` of the file is JSON, a list of {"name", "kind", …}; the arrays of a case are `<name>/<array>`. All numbers that
# are drawn here are f32 numbers, so that an f32 network can be given the same. What the names mean:
#
#   cell       x, g inputs and what the loss weighs the outputs y with; parameters by PyTorch's names, their gradients
#              and that of x as grad.<name>; h_n, c_n last states; h_0, c_0 first ones where they are not zero
#   first      the same, with the gradients of h_0, c_0 of each stream
#   ctc        logits, labels, length, frames; loss per sequence and grad.logits of their sum
#   loss       prediction, target; loss and grad.prediction
#   optimizer  w, v parameters; grad.w, grad.v of each step; after.w, after.v what they are after each
#   clip       w, v gradients; norm before, clipped.w, clipped.v; by norm or by value
#   digits     parameters by PyTorch's names; loss64, loss32 of each step
#
# ===-------------------------------------------------------------------------===#

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
CPU = torch.device("cpu")


class Recorder:
    """The cases so far, with those of a file."""

    def __init__(self, path):
        self.cases, self.arrays, self.path = [], {}, path
        if path.exists():
            with np.load(path) as file:
                self.cases = json.loads(str(file["cases"]))
                self.arrays = {key: file[key] for key in file if "/" in key}

    def add(self, name, kind, options, **arrays):
        if any(case["name"] == name for case in self.cases):
            return
        self.cases.append({"name": name, "kind": kind, **options})
        for key, value in arrays.items():
            value = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
            self.arrays[f"{name}/{key}"] = value.copy()

    def save(self):
        versions = {"torch": torch.__version__, "numpy": np.__version__}
        np.savez_compressed(self.path, cases=json.dumps(self.cases), versions=json.dumps(versions), **self.arrays)


def draw(rng, *shape, scale=1.0):
    """Normal numbers, rounded to f32."""
    return torch.tensor(rng.normal(scale=scale, size=shape).astype(np.float32).astype(np.float64), device=CPU)


# ===- Cells --------------------------------------------------------------------===#

INPUTS, UNITS, FRAMES, STREAMS = 3, 4, 6, 2
CELLS = {
    "rnn-tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
    "rnn-relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "gru": (torch.nn.GRU, {}),
    "lstm": (torch.nn.LSTM, {}),
    "lstm-projection": (torch.nn.LSTM, {"proj_size": 2}),
}
FORMS = {"": {}, "-deep-both-ways": {"num_layers": 2, "bidirectional": True}}


def record_cell(recorder, name, kind, options, seed, with_state=False, what="cell"):
    rng = np.random.default_rng(seed)
    cell = kind(INPUTS, UNITS, **options).double()
    for parameter in cell.parameters():
        parameter.data = draw(rng, *parameter.shape, scale=0.6)
    x = draw(rng, FRAMES, STREAMS, INPUTS).requires_grad_()
    arrays = {}
    if with_state:
        arrays = {key: draw(rng, 1, STREAMS, UNITS).requires_grad_(what == "first") for key in ("h_0", "c_0")}
    y, state = cell(x, tuple(arrays.values()) or None)
    g = draw(rng, *y.shape)
    (y * g).sum().backward()
    states = dict(zip(("h_n", "c_n"), state if isinstance(state, tuple) else (state,)))
    parameters = dict(cell.named_parameters())
    asked = {"x": x, **parameters, **(arrays if what == "first" else {})}
    recorder.add(name, what, {"module": kind.__name__, **options}, x=x, g=g, y=y, **states, **arrays, **parameters,
                 **{f"grad.{key}": value.grad for key, value in asked.items()})


def record_cells(recorder):
    for seed, (name, form) in enumerate((name, form) for name in CELLS for form in FORMS):
        kind, options = CELLS[name]
        record_cell(recorder, name + form, kind, {**options, **FORMS[form]}, seed)
    record_cell(recorder, "lstm-state", torch.nn.LSTM, {}, 100, with_state=True)
    record_cell(recorder, "lstm-first", torch.nn.LSTM, {}, 101, with_state=True, what="first")


# ===- CTC ----------------------------------------------------------------------===#

CLASSES, LABELS = 5, 4
# Frames and labels: all frames needed, equal labels in a row, one label three times, none, and one sequence of one frame.
SEQUENCES = [(8, [1, 2, 3, 4]), (7, [2, 2]), (5, [1, 1, 1]), (4, [3]), (3, []), (8, [4, 3, 4]), (2, [1, 2]), (1, [2]),
             (8, [2, 2, 3, 3])]
IMPOSSIBLE = [(2, [1, 1]), (4, [1, 2]), (1, [1, 2]), (3, [4])]


def record_ctc(recorder, name, sequences, seed, zero_infinity):
    rng = np.random.default_rng(seed)
    labels = np.zeros((len(sequences), LABELS), np.int64)
    for row, (_, word) in zip(labels, sequences):
        row[: len(word)] = word
    frames = np.array([count for count, _ in sequences])
    length = np.array([len(word) for _, word in sequences])
    logits = draw(rng, frames.max(), len(sequences), CLASSES, scale=1.5).requires_grad_()
    loss = F.ctc_loss(F.log_softmax(logits, -1), torch.tensor(labels), torch.tensor(frames), torch.tensor(length), blank=0,
                      reduction="none", zero_infinity=zero_infinity)
    loss.sum().backward()
    mean = F.ctc_loss(F.log_softmax(logits, -1), torch.tensor(labels), torch.tensor(frames), torch.tensor(length), blank=0,
                      reduction="mean", zero_infinity=zero_infinity)
    recorder.add(name, "ctc", {"zero_infinity": zero_infinity}, logits=logits, labels=labels, length=length, frames=frames,
                 loss=loss, mean=mean, **{"grad.logits": logits.grad})


# ===- Losses -------------------------------------------------------------------===#

LOSSES = {
    "cross-entropy": (F.cross_entropy, {}),
    "bce-with-logits": (F.binary_cross_entropy_with_logits, {}),
    "mse": (F.mse_loss, {}),
    "l1": (F.l1_loss, {}),
    "huber": (F.huber_loss, {}),
    "huber-delta": (F.huber_loss, {"delta": 0.25}),
}


def record_losses(recorder):
    for seed, (name, (loss, options)) in enumerate(LOSSES.items()):
        rng = np.random.default_rng(200 + seed)
        prediction = draw(rng, FRAMES, STREAMS, CLASSES, scale=1.5).requires_grad_()
        if name == "cross-entropy":
            target = torch.tensor(rng.integers(0, CLASSES, (FRAMES, STREAMS)))
            value = loss(prediction.flatten(0, 1), target.flatten(), **options)
        else:
            target = draw(rng, FRAMES, STREAMS, CLASSES)
            if name == "bce-with-logits":
                target = torch.tensor(rng.choice([0.0, 1.0, 0.25], target.shape))
            value = loss(prediction, target, **options)
        value.backward()
        recorder.add(name, "loss", options, prediction=prediction, target=target, loss=value,
                     **{"grad.prediction": prediction.grad})


# ===- Optimizers and clipping --------------------------------------------------===#

OPTIMIZERS = {
    "sgd": ("SGD", {"lr": 0.05}),
    "sgd-momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    "sgd-nesterov": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}),
    "adam": ("Adam", {}),
    "adam-decay": ("Adam", {"lr": 0.02, "betas": (0.8, 0.9), "eps": 0.001, "weight_decay": 0.1}),
    "adam-amsgrad": ("Adam", {"lr": 0.02, "betas": (0.9, 0.5), "amsgrad": True}),
    "adamw": ("AdamW", {}),
    "adamw-amsgrad": ("AdamW", {"lr": 0.02, "betas": (0.9, 0.5), "weight_decay": 0.3, "amsgrad": True}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop-momentum": ("RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 0.001, "momentum": 0.7, "weight_decay": 0.1}),
    "rmsprop-centered": ("RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 0.001, "momentum": 0.7, "centered": True}),
    "adagrad": ("Adagrad", {}),
    "adagrad-decay": ("Adagrad", {"lr": 0.1, "lr_decay": 0.25, "eps": 0.001, "weight_decay": 0.1}),
    "adadelta": ("Adadelta", {}),
    "adadelta-decay": ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 0.001, "weight_decay": 0.1}),
}
STEPS = 6


def record_optimizers(recorder):
    for seed, (name, (kind, fields)) in enumerate(OPTIMIZERS.items()):
        rng = np.random.default_rng(300 + seed)
        parameters = {key: torch.nn.Parameter(draw(rng, *shape)) for key, shape in (("w", (3,)), ("v", (2, 2)))}
        arrays = {key: value.detach().clone() for key, value in parameters.items()}
        arrays.update({f"grad.{key}": draw(rng, STEPS, *value.shape) for key, value in parameters.items()})
        arrays.update({f"after.{key}": np.zeros((STEPS, *value.shape)) for key, value in parameters.items()})
        optimizer = getattr(torch.optim, kind)(list(parameters.values()), **fields)
        for step in range(STEPS):
            for key, parameter in parameters.items():
                parameter.grad = arrays[f"grad.{key}"][step].clone()
            optimizer.step()
            for key, parameter in parameters.items():
                arrays[f"after.{key}"][step] = parameter.detach().numpy()
        recorder.add("optimizer-" + name, "optimizer", {"optimizer": kind, "fields": fields}, **arrays)


def record_clipping(recorder):
    for name, scale in (("clip", 3.0), ("clip-none", 0.1)):
        rng = np.random.default_rng(400)
        gradients = {"w": draw(rng, 3, scale=scale), "v": draw(rng, 2, 2, scale=scale)}
        parameters = {key: torch.nn.Parameter(torch.zeros_like(value)) for key, value in gradients.items()}
        for key, parameter in parameters.items():
            parameter.grad = gradients[key].clone()
        norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), 1.5)
        recorder.add(name, "clip", {"norm": 1.5}, norm=norm, **gradients,
                     **{f"clipped.{key}": value.grad for key, value in parameters.items()})


def record_clipping_by_value(recorder):
    for name, bound in (("clip-value", 0.5), ("clip-value-none", 100.0)):
        rng = np.random.default_rng(401)
        gradients = {"w": draw(rng, 3), "v": draw(rng, 2, 2)}
        gradients["w"][0] = -bound  # one lies on the border
        parameters = {key: torch.nn.Parameter(torch.zeros_like(value)) for key, value in gradients.items()}
        for key, parameter in parameters.items():
            parameter.grad = gradients[key].clone()
        norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), float("inf"))
        torch.nn.utils.clip_grad_value_(list(parameters.values()), bound)
        recorder.add(name, "clip", {"value": bound}, norm=norm, **gradients,
                     **{f"clipped.{key}": value.grad for key, value in parameters.items()})


# ===- A training on digits -----------------------------------------------------===#

BATCH, BATCHES_RUN = 32, 60


class Reader(torch.nn.Module):
    """Reads an image row by row, and names the digit after the last."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(8, 16)
        self.out = torch.nn.Linear(16, 10)
        # Of two biases that are only added up, Adam would move each by a whole step.
        self.lstm.bias_hh_l0.requires_grad_(False).zero_()

    def forward(self, x):
        return self.out(self.lstm(x)[0][-1])


def train_digits(start, images, labels, dtype):
    """The loss of each step, in mini-batches one after another."""
    model = Reader().to(dtype)
    model.load_state_dict({key: value.to(dtype) for key, value in start.items()})
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for step in range(BATCHES_RUN):
        chosen = np.arange(step * BATCH, (step + 1) * BATCH) % len(images)
        x = torch.tensor(images[chosen] / 16).to(dtype).transpose(0, 1)  # rows are frames
        loss = F.cross_entropy(model(x), torch.tensor(labels[chosen].astype(np.int64)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def record_digits(recorder):
    with np.load(HERE / "digits.npz") as file:
        images, labels = file["images"], file["labels"]
    rng = np.random.default_rng(500)
    start = {key: torch.tensor(rng.uniform(-0.25, 0.25, value.shape).astype(np.float32).astype(np.float64))
             for key, value in Reader().state_dict().items()}
    start["lstm.bias_hh_l0"].zero_()
    recorder.add("digits", "digits", {"lr": 0.01, "batch": BATCH, "steps": BATCHES_RUN}, **start,
                 loss64=train_digits(start, images, labels, torch.float64),
                 loss32=train_digits(start, images, labels, torch.float32))


def main():
    torch.set_num_threads(1)
    path = HERE / "reference.npz"
    recorder = Recorder(path)
    record_cells(recorder)
    record_ctc(recorder, "ctc", SEQUENCES, 150, zero_infinity=False)
    record_ctc(recorder, "ctc-zero-infinity", IMPOSSIBLE, 151, zero_infinity=True)
    record_losses(recorder)
    record_optimizers(recorder)
    record_clipping(recorder)
    record_clipping_by_value(recorder)
    record_digits(recorder)
    recorder.save()
    print(f"{path}: {len(recorder.cases)} cases, {path.stat().st_size} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
