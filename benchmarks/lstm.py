# ===- lstm.py - One LSTM, three frameworks -----------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   lstm.py [--hidden=64,256,512] [--streams=1,16] [--frames=128] [--seconds=0.3] [--rounds=7] [--json=<file>]
#
# Trains the same LSTM (inputs as wide as the state, squared error against a target, plain SGD, state carried from chunk
# to chunk) with rnn-mlir, PyTorch's nn.LSTM and JAX's lax.scan, f32 on the CPU. First it checks that loss and gradients
# agree; then every contender runs in a process of its own, all of them in turn, round after round, with one thread and
# with all cores; the better thread setting counts, and of the rounds the median. A framework that cannot be imported
# is left out and named.
#
# Also measured: compile time at T = 16 and T = 100,000, and what the report says of partitioned against sequential
# mode. Newest packages: `pip install -U numpy torch jax`.
#
# ===-------------------------------------------------------------------------===#

import argparse
import ctypes
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("RNN_TEST_BUILD", ROOT / "build"))
LEARNING_RATE = 1e-3
CONTENDERS = ["rnn-mlir", "pytorch", "jax"]

MODEL = """
rnn.parameter @l.wx : tensor<{gates}x{n}xf32> init(#rnn.uniform<>)
rnn.parameter @l.wh : tensor<{gates}x{n}xf32> init(#rnn.uniform<>)
rnn.parameter @l.b : tensor<{gates}xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<{n}xf32>, %target: tensor<{n}xf32>) -> (h: tensor<{n}xf32>, e: tensor<f32>) {{
  %h, %c = rnn.lstm "l" %x wx(@l.wx) wh(@l.wh) b(@l.b) : tensor<{n}xf32> -> tensor<{n}xf32>
  %d = arith.subf %h, %target : tensor<{n}xf32>
  %dd = arith.mulf %d, %d : tensor<{n}xf32>
  %e = rnn.reduce sum %dd over [0] : tensor<{n}xf32> to tensor<f32>
  rnn.output %h, %e : tensor<{n}xf32>, tensor<f32>
}}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = {lr}>)
"""


def arrays(n, streams, frames):
    """The same numbers for everybody: parameters, input, target."""
    rng = np.random.default_rng(n + streams)
    draw = lambda scale, *shape: (rng.normal(size=shape) * scale).astype(np.float32)
    return {"l.wx": draw(n**-0.5, 4 * n, n), "l.wh": draw(n**-0.5, 4 * n, n), "l.b": draw(0.1, 4 * n),
            "x": draw(1.0, frames, streams, n), "target": draw(0.5, frames, streams, n)}


# ===-------------------------------------------------------------------------===#
# Contenders: step() makes one update and returns the loss; gradients() is for the check
# ===-------------------------------------------------------------------------===#


class DLDevice(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("id", ctypes.c_int32)]


class DLDataType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", DLDevice), ("ndim", ctypes.c_int32), ("dtype", DLDataType),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]


class Binding(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("t", ctypes.POINTER(DLTensor))]


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("seed", ctypes.c_uint64), ("threads", ctypes.c_int32),
                ("emulator_order", ctypes.c_uint64)]


class Ours:
    """An artifact through the C interface of the runtime, tensors bound in place."""

    def __init__(self, n, streams, frames, threads):
        self.lib = ctypes.CDLL(str(BUILD / "lib" / "librnn-runtime.so"))
        self.lib.rnnLastError.restype = ctypes.c_char_p
        self.n, self.streams = n, streams
        self.a = arrays(n, streams, frames)
        self.folder = tempfile.TemporaryDirectory()
        self.threads = threads
        self.loss = np.zeros((), np.float32)
        self.open(compile_model(n, streams, self.folder.name), {"loss": self.loss})

    def call(self, name, *args):
        if getattr(self.lib, name)(*args) != 0:
            raise RuntimeError(f"{name}: {self.lib.rnnLastError().decode()}")

    def open(self, artifact, outputs):
        self.artifact, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("rnnArtifactOpen", str(artifact).encode(), ctypes.byref(self.artifact))
        options = SessionOptions(ctypes.sizeof(SessionOptions), 0, self.threads, 0)
        self.call("rnnSessionCreate", self.artifact, b"cpu", ctypes.byref(options), ctypes.byref(self.session))
        self.keep = []
        for name in ("l.wx", "l.wh", "l.b"):
            self.call("rnnSessionSet", self.session, name.encode(), ctypes.byref(self.tensor(self.a[name])))
        bound = {"x": self.a["x"], "target": self.a["target"], **outputs}
        self.bindings = (Binding * len(bound))(*[Binding(k.encode(), ctypes.pointer(self.tensor(v)))
                                                 for k, v in bound.items()])

    def tensor(self, array):
        shape = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
        t = DLTensor(array.ctypes.data, DLDevice(1, 0), array.ndim, DLDataType(2, 32, 1), shape, None, 0)
        self.keep += [array, shape, t]
        return t

    def step(self):
        self.call("rnnSessionRun", self.session, b"step", self.bindings, ctypes.c_size_t(len(self.bindings)), None)
        return float(self.loss)

    def gradients(self):
        out = {"loss": self.loss, **{f"grad.{k}": np.zeros_like(self.a[k]) for k in ("l.wx", "l.wh", "l.b")}}
        self.open(compile_model(self.n, self.streams, self.folder.name, "--keep=gradients"), out)
        self.step()
        return {k: v.copy() for k, v in out.items()}


class PyTorch:
    def __init__(self, n, streams, frames, threads):
        import torch
        self.torch = torch
        torch.set_num_threads(threads)
        a = arrays(n, streams, frames)
        self.cell = torch.nn.LSTM(n, n)
        for name, value in (("weight_ih_l0", a["l.wx"]), ("weight_hh_l0", a["l.wh"]), ("bias_ih_l0", a["l.b"])):
            getattr(self.cell, name).data = torch.tensor(value)
        # One bias, as in the others: the second is zero and stays.
        self.cell.bias_hh_l0.data.zero_()
        self.cell.bias_hh_l0.requires_grad_(False)
        self.x, self.target = torch.tensor(a["x"]), torch.tensor(a["target"])
        self.optimizer = torch.optim.SGD([p for p in self.cell.parameters() if p.requires_grad], lr=LEARNING_RATE)
        self.state = None

    def backward(self):
        self.optimizer.zero_grad()
        h, state = self.cell(self.x, self.state)
        self.state = tuple(s.detach() for s in state)
        loss = (h - self.target).square().sum(-1).mean()
        loss.backward()
        return loss.item()

    def step(self):
        loss = self.backward()
        self.optimizer.step()
        return loss

    def gradients(self):
        loss = self.backward()
        c = self.cell
        return {"loss": np.float32(loss), "grad.l.wx": c.weight_ih_l0.grad.numpy(),
                "grad.l.wh": c.weight_hh_l0.grad.numpy(), "grad.l.b": c.bias_ih_l0.grad.numpy()}


class Jax:
    def __init__(self, n, streams, frames, threads):
        os.environ["JAX_PLATFORMS"] = "cpu"
        if threads == 1:  # XLA's pool is as large as the set of cores at start
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        import jax
        import jax.numpy as jnp
        a = arrays(n, streams, frames)
        self.parameters = {k: jnp.asarray(a[k]) for k in ("l.wx", "l.wh", "l.b")}
        self.x, self.target = jnp.asarray(a["x"]), jnp.asarray(a["target"])
        self.state = (jnp.zeros((streams, n)), jnp.zeros((streams, n)))

        def loss(p, state, x, target):
            def frame(carry, gx):
                h, c = carry
                i, f, g, o = jnp.split(gx + h @ p["l.wh"].T, 4, axis=1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                h = jax.nn.sigmoid(o) * jnp.tanh(c)
                return (h, c), h
            state, h = jax.lax.scan(frame, state, x @ p["l.wx"].T + p["l.b"])
            return jnp.mean(jnp.sum(jnp.square(h - target), axis=-1)), state

        gradient = jax.value_and_grad(loss, has_aux=True)

        def update(p, state, x, target):
            (value, state), g = gradient(p, state, x, target)
            return {k: p[k] - LEARNING_RATE * g[k] for k in p}, state, value

        self.gradient = jax.jit(gradient)
        self.update = jax.jit(update, donate_argnums=(0, 1))

    def step(self):
        self.parameters, self.state, value = self.update(self.parameters, self.state, self.x, self.target)
        return float(value)

    def gradients(self):
        (value, _), g = self.gradient(self.parameters, self.state, self.x, self.target)
        return {"loss": np.float32(value), **{f"grad.{k}": np.asarray(v) for k, v in g.items()}}


def compile_model(n, streams, folder, *options):
    """The artifact's path; raises with the compiler's message."""
    model = pathlib.Path(folder) / "lstm.mlir"
    model.write_text(MODEL.format(n=n, gates=4 * n, lr=LEARNING_RATE))
    artifact = pathlib.Path(folder) / f"lstm{len(options)}.rnnc"
    done = subprocess.run([BUILD / "bin" / "rnn-compile", model, "-o", artifact, "--target=cpu", f"--streams={streams}",
                           *options], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[0] if done.stderr else f"exit {done.returncode}")
    return artifact


# ===-------------------------------------------------------------------------===#
# Workers: one process per contender and thread setting
# ===-------------------------------------------------------------------------===#


def worker(name, n, streams, frames, threads, folder):
    """Answers lines of stdin: `check <file>` writes loss and gradients, a number runs for so many seconds."""
    kind = {"rnn-mlir": Ours, "pytorch": PyTorch, "jax": Jax}[name]
    began = time.perf_counter()
    try:
        contender = kind(n, streams, frames, threads)
        if threads == 1:
            np.savez(os.path.join(folder, f"{name}.npz"), **contender.gradients())
            contender = kind(n, streams, frames, threads)
        contender.step()
    except Exception as error:  # reported as the contender's absence
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
        return
    print(json.dumps({"ready": time.perf_counter() - began}), flush=True)
    for line in sys.stdin:
        seconds, steps, began = float(line), 0, time.perf_counter()
        while (now := time.perf_counter()) - began < seconds or steps == 0:
            contender.step()
            steps += 1
        print(json.dumps({"frames_per_s": steps * frames * streams / (time.perf_counter() - began)}), flush=True)


class Worker:
    def __init__(self, name, n, streams, frames, threads, folder):
        self.name, self.threads, self.rates = name, threads, []
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", name, str(n), str(streams), str(frames), str(threads), folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        self.error = json.loads(line).get("error") if line.strip() else "the process ended"

    def measure(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        self.rates.append(json.loads(self.process.stdout.readline())["frames_per_s"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def agree(folder, names):
    """Largest difference of loss and gradients from the first contender, relative to the largest element."""
    first = np.load(os.path.join(folder, f"{names[0]}.npz"))
    worst = 0.0
    for name in names[1:]:
        other = np.load(os.path.join(folder, f"{name}.npz"))
        for key in first:
            worst = max(worst, float(np.max(np.abs(first[key] - other[key])) / np.max(np.abs(first[key]))))
    return worst


def compete(n, streams, frames, options):
    """One row: frames per second of each contender at its best thread setting."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        workers = [Worker(name, n, streams, frames, threads, folder)
                   for name in CONTENDERS for threads in sorted({1, cores})]
        errors = {w.name: w.error for w in workers if w.error}
        running = [w for w in workers if not w.error]
        names = list(dict.fromkeys(w.name for w in running))
        difference = agree(folder, names) if names else None
        if difference is not None and difference > 1e-3:
            raise SystemExit(f"lstm.py: error: results differ by {difference:.2g} at H={n} B={streams}")
        for _ in range(options.rounds):
            for w in running:
                w.measure(options.seconds)
        for w in running:
            w.close()
    row = {"hidden": n, "streams": streams, "frames": frames, "largest_difference": difference, "errors": errors}
    for name in names:
        best = max((w for w in running if w.name == name), key=lambda w: statistics.median(w.rates))
        row[name] = {"frames_per_s": statistics.median(best.rates), "threads": best.threads, "rounds": best.rates}
    return row


# ===-------------------------------------------------------------------------===#
# Compile time, and what partitioning is good for
# ===-------------------------------------------------------------------------===#


def compile_times(n):
    """Seconds to compile and to run the first chunk, for short and long chunks."""
    rows = []
    for frames in (16, 100_000):
        row = {"frames": frames}
        with tempfile.TemporaryDirectory() as folder:
            try:
                began = time.perf_counter()
                compile_model(n, 1, folder)
                row["rnn-mlir compile_s"] = time.perf_counter() - began
                ours = Ours(n, 1, frames, 1)
                began = time.perf_counter()
                ours.step()
                row["rnn-mlir first_step_s"] = time.perf_counter() - began
            except (RuntimeError, OSError) as error:
                row["rnn-mlir error"] = str(error)
        try:
            theirs = Jax(n, 1, frames, 0)
            began = time.perf_counter()
            compiled = theirs.update.lower(theirs.parameters, theirs.state, theirs.x, theirs.target).compile()
            row["jax compile_s"] = time.perf_counter() - began
            began = time.perf_counter()
            float(compiled(theirs.parameters, theirs.state, theirs.x, theirs.target)[2])
            row["jax first_step_s"] = time.perf_counter() - began
        except ImportError as error:
            row["jax error"] = str(error)
        rows.append(row)
    return rows


def modes(n, streams, frames):
    """The report of both modes: launches, and FLOPs and bytes per frame inside loops and outside."""
    rows = []
    for mode in ("split", "sequential"):
        row = {"mode": mode, "hidden": n, "streams": streams}
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "report.json")
            try:
                compile_model(n, streams, folder, f"--mode={mode}", f"--report={report}")
                with open(report) as f:
                    data = json.load(f)
                loops = [c for c in data["components"] if c["kind"] in ("recurrent", "scan")]
                rest = [c for c in data["components"] if c not in loops]
                row.update(launches_per_step=data["launches_per_step"], launches_per_frame=data["launches_per_frame"])
                for key in ("flops_per_frame", "bytes_per_frame"):
                    row[f"loops {key}"] = sum(c[key] for c in loops)
                    row[f"outside {key}"] = sum(c[key] for c in rest)
            except (RuntimeError, OSError, KeyError) as error:
                row["error"] = str(error)
        rows.append(row)
    return rows


def machine():
    info = {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version(), "numpy": np.__version__}
    with open("/proc/cpuinfo") as f:
        info["cpu"] = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown")
    for module in ("torch", "jax"):
        try:
            info[module] = __import__(module).__version__
        except ImportError:
            info[module] = None
    return info


def show(row):
    cells = [f"H {row['hidden']:4} B {row['streams']:3} T {row['frames']:4}"]
    ours = row.get("rnn-mlir", {}).get("frames_per_s")
    for name in CONTENDERS:
        if name in row:
            ratio = f" ({ours / row[name]['frames_per_s']:.2f}x)" if ours and name != "rnn-mlir" else ""
            cells.append(f"{name} {row[name]['frames_per_s']:9.0f} frames/s, {row[name]['threads']} threads{ratio}")
        elif name in row["errors"]:
            cells.append(f"{name}: {row['errors'][name]}")
    print("   ".join(cells), flush=True)


def main():
    if sys.argv[1:2] == ["--worker"]:
        name, n, streams, frames, threads, folder = sys.argv[2:]
        return worker(name, int(n), int(streams), int(frames), int(threads), folder)
    parser = argparse.ArgumentParser(description="Trains one LSTM with rnn-mlir, PyTorch and JAX.")
    sizes = lambda text: [int(n) for n in text.split(",")]
    parser.add_argument("--hidden", type=sizes, default=[64, 256, 512])
    parser.add_argument("--streams", type=sizes, default=[1, 16])
    parser.add_argument("--frames", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json")
    options = parser.parse_args()
    result = {"machine": machine(), "training": [], "compile": [], "modes": []}
    print("training, frames per second (ratio: rnn-mlir over the other)")
    for n in options.hidden:
        for streams in options.streams:
            result["training"].append(compete(n, streams, options.frames, options))
            show(result["training"][-1])
    print(f"compile time, H {options.hidden[0]} B 1")
    result["compile"] = compile_times(options.hidden[0])
    for row in result["compile"]:
        print("   ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
    print("partitioned against sequential")
    result["modes"] = modes(options.hidden[-1], options.streams[0], options.frames)
    for row in result["modes"]:
        print("   ".join(f"{k} {v}" for k, v in row.items()))
    if options.json:
        with open(options.json, "w") as f:
            json.dump(result, f, indent=1)


if __name__ == "__main__":
    main()
