# ===- peers.py - The models of models.py in PyTorch and JAX -------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""What gpu.py compares with. A contender has train() and forward(), which queue one chunk, and wait()."""

import contextlib
import functools
import inspect
import os

import numpy as np

import models
from lstm import LEARNING_RATE

# In order of importance, each with what `f32` means to it. `loop` is the cell written frame by frame, which is all that
# PyTorch has for a cell that its library lacks.
TORCH_VARIANTS = ["f32", "f32 graph", "f16 graph", "tf32 graph", "bf16 graph", "f16", "tf32", "bf16"]
LOOP_VARIANTS = ["f32 loop graph", "f32 loop"]
JAX_VARIANTS = ["f32 scan", "f32 cudnn"]
LOOP_FRAMES = 128  # a loop's time per frame does not depend on the number of frames, its graph's size does


def torch_variants(point, everything):
    variants = TORCH_VARIANTS if point.cell in ("lstm", "gru", "projection") else LOOP_VARIANTS
    return variants + (["f32 compiled loop"] if everything else [])


def jax_variants(point):
    return JAX_VARIANTS if point.cell == "lstm" else JAX_VARIANTS[:1]


# ===-------------------------------------------------------------------------===#
# PyTorch
# ===-------------------------------------------------------------------------===#


class Torch:
    """A variant: a precision, then `loop` for a loop over frames, `compiled`, and `graph` for a CUDA graph."""

    def __init__(self, point, frames, variant, device):
        import torch
        self.torch, self.point, self.device = torch, point, torch.device(device)
        words = variant.split()
        # The switches of every version that gpu.py may meet; f32 means f32.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = words[0] == "tf32"
        self.dtype = {"f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16}.get(words[0], torch.float32)
        tensor = lambda value: torch.tensor(value, dtype=self.dtype, device=self.device)
        values = models.arrays(point, frames)
        self.x, self.target = tensor(values["x"]), tensor(values["target"])
        self.p = {name: tensor(values[name]).requires_grad_() for name in models.parameters(point)}
        self.cell = None
        self.run = self.loop if "loop" in words else self.library()
        if "compiled" in words:
            self.run = torch.compile(self.run)
        self.state = [torch.zeros((point.layers, point.streams, size), dtype=self.dtype, device=self.device)
                      for size in models.state_sizes(point)]
        self.optimizer = torch.optim.SGD(self.p.values(), lr=LEARNING_RATE)
        self.train, self.forward = self.step, self.inference
        if "graph" in words:
            self.train, self.forward = self.captured(self.step), self.captured(self.inference)

    def library(self):
        """nn.LSTM or nn.GRU, one bias as in the others: the second is zero and stays."""
        torch, point = self.torch, self.point
        kind, more = torch.nn.GRU if point.cell == "gru" else torch.nn.LSTM, {}
        names = [("wx", "weight_ih"), ("wh", "weight_hh"), ("b", "bias_ih")]
        if point.cell == "projection":
            more["proj_size"] = point.width
            names.append(("wp", "weight_hr"))
        self.cell = kind(point.width, point.hidden, point.layers, device=self.device, dtype=self.dtype, **more)
        for layer in range(point.layers):
            for ours, theirs in names:
                parameter = getattr(self.cell, f"{theirs}_l{layer}")
                parameter.data.copy_(self.p[f"l{layer}.{ours}"].detach())
                self.p[f"l{layer}.{ours}"] = parameter
            second = getattr(self.cell, f"bias_hh_l{layer}")
            second.data.zero_()
            second.requires_grad_(False)
        self.cell.flatten_parameters()

        def run(x, state):
            h, new = self.cell(x, tuple(state) if len(state) == 2 else state[0])
            return h, list(new) if len(state) == 2 else [new]

        return run

    def loop(self, x, state):
        torch, point = self.torch, self.point
        ends = []
        for layer in range(point.layers):
            p = {name.split(".")[1]: value for name, value in self.p.items() if name.startswith(f"l{layer}.")}
            gates = models.inputs(point.cell, x, p)
            carried, out = tuple(s[layer] for s in state), []
            for t in range(len(gates)):
                carried = models.frame(point.cell, gates[t], carried, p, torch, torch.sigmoid,
                                       functools.partial(torch.chunk, dim=-1))
                out.append(carried[0])
            x = torch.stack(out)
            ends.append(carried)
        return x, [torch.stack([end[i] for end in ends]) for i in range(len(state))]

    def loss(self, training=True):
        if self.cell is not None:
            self.cell.train(training)
        h, new = self.run(self.x, self.state)
        loss = (h - self.target).to(self.torch.promote_types(self.dtype, self.torch.float32)).square().sum(-1).mean()
        return loss, new

    def carry(self, new):
        with self.torch.no_grad():
            for state, value in zip(self.state, new):
                state.copy_(value)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss, new = self.loss()
        loss.backward()
        self.optimizer.step()
        self.carry(new)
        return loss

    def inference(self):
        with self.torch.no_grad():
            loss, new = self.loss(training=False)
            self.carry(new)
        return loss

    def captured(self, call):
        torch = self.torch
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                call()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            call()
        return graph.replay

    def wait(self):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def gradients(self):
        loss, _ = self.loss()
        loss.backward()
        return {"loss": loss.detach().cpu().numpy(),
                **{f"grad.{name}": p.grad.double().cpu().numpy() for name, p in self.p.items()}}


# ===-------------------------------------------------------------------------===#
# JAX
# ===-------------------------------------------------------------------------===#


class Jax:
    """`scan` is lax.scan, `cudnn` is jax.experimental.rnn."""

    def __init__(self, point, frames, variant, device):
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        if device == "cpu":
            os.environ["JAX_PLATFORMS"] = "cpu"
        import jax
        import jax.numpy as jnp
        if jax.default_backend() != ("gpu" if device == "cuda" else "cpu"):
            raise RuntimeError(f"JAX runs on '{jax.default_backend()}' here")
        self.jax, self.point = jax, point
        jax.config.update("jax_default_matmul_precision", "highest")
        values = models.arrays(point, frames)
        self.x, self.target = jnp.asarray(values["x"]), jnp.asarray(values["target"])
        self.p = {name: jnp.asarray(values[name]) for name in models.parameters(point)}
        run = self.cudnn(point) if "cudnn" in variant else self.scan
        self.state = tuple(jnp.zeros((point.layers, point.streams, size)) for size in models.state_sizes(point))

        def loss(p, state, x, target):
            h, state = run(p, state, x)
            return jnp.mean(jnp.sum(jnp.square(h - target), axis=-1)), state

        def update(p, state, x, target):
            (value, state), g = jax.value_and_grad(loss, has_aux=True)(p, state, x, target)
            return {k: p[k] - LEARNING_RATE * g[k] for k in p}, state, value

        self.update, self.loss = jax.jit(update, donate_argnums=(0, 1)), jax.jit(loss)

    def scan(self, p, state, x):
        jax = self.jax
        ends = []
        for layer in range(self.point.layers):
            own = {name.split(".")[1]: value for name, value in p.items() if name.startswith(f"l{layer}.")}

            def frame(carried, gates):
                new = models.frame(self.point.cell, gates, carried, own, jax.numpy, jax.nn.sigmoid,
                                   lambda v, n: jax.numpy.split(v, n, axis=-1))
                return new, new[0]

            end, x = jax.lax.scan(frame, tuple(s[layer] for s in state), models.inputs(self.point.cell, x, own))
            ends.append(end)
        return x, tuple(jax.numpy.stack([end[i] for end in ends]) for i in range(len(state)))

    def cudnn(self, point):
        """Its weights are one flat array with an order of its own, so random ones are taken: only time counts here."""
        jax = self.jax
        from jax.experimental import rnn
        sizes = (point.hidden, point.hidden, point.layers)
        self.p = {"flat": rnn.init_lstm_weight(jax.random.PRNGKey(0), *sizes, False) * 0.1}
        lengths = jax.numpy.full((point.streams, ), len(self.x), dtype=jax.numpy.int32)
        precision = (jax.lax.Precision.HIGHEST, ) if "precision" in inspect.signature(rnn.lstm).parameters else ()

        def run(p, state, x):
            y, h, c = rnn.lstm(x.swapaxes(0, 1), *state, p["flat"], lengths, *sizes, 0.0, False, *precision)
            return y.swapaxes(0, 1), (h, c)

        return run

    def train(self):
        self.p, self.state, self.last = self.update(self.p, self.state, self.x, self.target)

    def forward(self):
        self.last, self.state = self.loss(self.p, self.state, self.x, self.target)

    def wait(self):
        self.jax.block_until_ready((self.last, self.state, self.p))


def versions():
    """Versions of what can be imported here, and the GPU by PyTorch."""
    found = {"numpy": np.__version__}
    with contextlib.suppress(ImportError):
        import torch
        found["torch"], found["torch cuda"] = torch.__version__, torch.version.cuda
        if torch.cuda.is_available():
            found["gpu"] = torch.cuda.get_device_name(0)
            found["cudnn"] = torch.backends.cudnn.version()
    return found
