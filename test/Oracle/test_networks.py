# ===- test_networks.py - Interpreter and targets judged by the oracle --------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Random and named networks: values, losses and gradients of `rnn-run` against JAX, chunk after chunk.

Each network is compiled twice, as written and in f64. In f64 the interpreter and the cpu must agree with the oracle to
1e-10; as written the cpu must agree with the interpreter within the budget of `--compare`. State goes from call to call
through files, as a user would do it. The tools run in the background while JAX works.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest

import generate
import oracle

HERE = pathlib.Path(__file__).resolve().parent
RANDOM = [("float", seed) for seed in range(60)] + [("window", seed) for seed in range(20)] + [("cells", seed) for seed in range(20)]
RANDOM += [("rounded", seed) for seed in range(10)]  # float, with products of rounded operands
INTEGER = range(20)
NAMED = ["charlm", "two-loops", "bidirectional", "resets-masks", "window-1", "window-2", "window-4"]
# Networks of a file that the targets are tested with: what follows the line that names one.
KINDS = dict(re.findall(r"^// network (\S+) .*\n((?:(?!// -----).*\n)*)",
                        (HERE.parent / "Networks" / "kinds.mlir").read_text(), re.MULTILINE))
TOLERANCE = 1e-10
CALLS, STREAMS = 3, 2


def run(*command):
    """Standard output of a tool; fails with its messages."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(str(c) for c in command)}\nexit {done.returncode}\n{done.stderr[-4000:]}"
    return done.stdout


def save(path, arrays):
    np.savez(path, **arrays)
    return path


def is_carried_name(name):
    return name.startswith(("state.", "ring."))


class Case:
    """A network's text, its dump, and arrays for CALLS calls; the first holds the parameters."""

    def __init__(self, name, folder, text, dump, chunks, function):
        self.name, self.folder, self.dump, self.chunks, self.function = name, folder, dump, chunks, function
        self.model = folder / "net.mlir"
        self.model.write_text(text)

    def compile(self, dtype):
        """An artifact for the cpu and the interpreter, with gradients and results kept."""
        out = self.folder / f"{dtype or 'own'}.rnnc"
        options = ["--dtype=f64"] if dtype == "f64" else []
        keep = ["--keep=gradients,results"] if self.function == "step" else []
        run("rnn-compile", self.model, "-o", out, "--target=cpu", "--target=interpreter", f"--streams={STREAMS}",
            *keep, *options)
        return out

    def calls(self, artifact, target, dtype, extra=()):
        """Outputs of all calls on one target; state goes from one to the next."""
        outputs, carried = [], {}
        parameters = {p["name"]: self.chunks[0][p["name"]] for p in self.dump["parameters"]}
        for i, chunk in enumerate(self.chunks):
            given = {**parameters, **chunk, **carried}
            if dtype == "f64":
                given = {k: (v.astype(np.float64) if v.dtype == np.float32 else v) for k, v in given.items()}
            source = save(self.folder / f"in.{target}.{dtype}.{i}.npz", given)
            out = self.folder / f"out.{target}.{dtype}.{i}.npz"
            run("rnn-run", artifact, f"--function={self.function}", f"--input={source}", f"--output={out}",
                f"--target={target}", *extra)
            with np.load(out) as arrays:
                outputs.append(dict(arrays))
            carried = {k: v for k, v in outputs[-1].items() if is_carried_name(k)}
        return outputs

    def work(self):
        """All that the tools do for this case."""
        f64 = self.compile("f64")
        result = {target: self.calls(f64, target, "f64") for target in ("interpreter", "cpu")}
        own = self.compile(None)
        self.calls(own, "cpu", None, ["--compare=interpreter"])  # exit 3 if they differ
        return result

    def expected(self):
        judge = oracle.Oracle(self.dump)
        if self.function == "step":
            return oracle.deep(judge.train, "step", self.chunks)
        return oracle.deep(judge.run, self.function, self.chunks)


def random_case(mode, seed, folder):
    g = generate.Generator(seed, "float" if mode == "rounded" else mode)
    text, dump = g.mlir(), g.dump()
    if mode == "rounded":
        model = folder / "net.mlir"
        model.write_text(text)
        text = run("rnn-opt", model, "-rnn-expand-cells", "-rnn-set-matmul-precision")
        model.write_text(text)
        dump = json.loads(run("rnn-translate", "--rnn-to-json", model))
    frames = g.bptt[1] if g.bptt else 4
    chunks = [g.inputs(frames, STREAMS, 100 * seed + i, parameters=i == 0) for i in range(CALLS)]
    return Case(f"{mode}-{seed}", folder, text, dump, chunks, "step" if g.step else "net")


def named_case(name, folder):
    path = HERE.parent.parent / "examples" / "charlm.mlir" if name == "charlm" else HERE / "networks" / f"{name}.mlir"
    text = KINDS[name] if name in KINDS else path.read_text()
    # At learning rate 0 the gradients of a window are those of one set of parameters.
    text = re.sub(r"optimizer\(#rnn\.\w+<.*?>\)( clip<.*?>)?", "optimizer(#rnn.sgd<lr = 0.0>)", text)
    (folder / "net.mlir").write_text(text)
    dump = json.loads(run("rnn-translate", "--rnn-to-json", folder / "net.mlir"))
    rng = np.random.default_rng(len(name))
    network, step = dump["networks"][0], dump["train_steps"][0]
    frames = {"charlm": 4}.get(name, step["advance"] or 5)
    chunks = []
    for i in range(CALLS + (name == "window-4") * 2):
        chunk = {}
        for a in network["arguments"]:
            shape = {"frame": (frames, STREAMS), "stream": (STREAMS,), "static": ()}[a["rate"]] + tuple(a["shape"])
            kind = generate.NUMPY[a["dtype"]]
            if a["dtype"] == "i1":
                chunk[a["name"]] = rng.random(shape) < (0.2 if a["reset"] else 0.7)
            elif a["dtype"].startswith("i"):
                chunk[a["name"]] = rng.integers(0, {"charlm": 256}.get(name, 2 if name in KINDS else 5), shape).astype(kind)
            else:
                chunk[a["name"]] = rng.normal(size=shape).astype(kind)
        if i == 1:
            chunk["mask"] = rng.random((frames, STREAMS)) < 0.6
        if i == 0:
            for p in dump["parameters"]:
                scale = 0.5 / np.sqrt(p["shape"][-1]) if len(p["shape"]) > 1 else 0.3
                chunk[p["name"]] = rng.normal(scale=scale, size=p["shape"]).astype(generate.NUMPY[p["dtype"]])
        chunks.append(chunk)
    return Case(name, folder, text, dump, chunks, "step")


def agree(value, expected, what):
    """Integers to the bit, others within the tolerance of the largest element, or of 1."""
    if value.dtype.kind in "iub":
        np.testing.assert_array_equal(value, expected, err_msg=what)
    else:
        scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
        np.testing.assert_allclose(value, expected, rtol=0, atol=TOLERANCE * scale, err_msg=what)


def compare(want, got, what):
    """Every tensor that the oracle knows and the tool wrote; parameters' gradients must all be there."""
    for name, expected in want.items():
        if name.startswith(("state.", "grad_norm")) and name not in got:
            continue
        assert name in got, f"{what}: no '{name}' in the output"
        value = got[name]
        # Of equal signals one is kept, of unused delays none: in a random network that decides how deep a state is.
        if name.startswith("state.") and value.shape[1:] == np.shape(expected)[1:] and len(value) != len(expected):
            continue
        assert value.shape == np.shape(expected), f"{what}: '{name}' is {value.shape}, expected {np.shape(expected)}"
        if value.dtype.kind in "iub" or not name.startswith("state."):
            agree(value, expected, f"{what}: {name}")


def states_agree(case, result):
    """State of the interpreter and of the cpu, where it is valid, is the same."""
    for i, (a, b) in enumerate(zip(result["interpreter"], result["cpu"])):
        for name in a:
            if is_carried_name(name):
                np.testing.assert_allclose(b[name], a[name], rtol=1e-10, atol=1e-10,
                                           err_msg=f"{case.name}: {name} after call {i}")


@pytest.fixture(scope="module")
def jobs(tmp_path_factory, request):
    """Futures of the tools' work, by test id; all are started before the first test waits for one."""
    for name in ("rnn-compile", "rnn-run", "rnn-translate"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not built")
    wanted = {item.nodeid: item.callspec.params for item in request.session.items
              if item.path == request.path and "jobs" in item.fixturenames}
    pool = concurrent.futures.ThreadPoolExecutor(max(1, os.cpu_count() or 1))

    def start(params, folder):
        if "random" in params:
            case = random_case(*params["random"], folder)
        elif "integer" in params:
            case = random_case("integer", params["integer"], folder)
        else:
            case = named_case(params["named"], folder)
        return case, case.work()

    # Folders are made here: pytest's first one is not safe among threads.
    yield {key: pool.submit(start, params, tmp_path_factory.mktemp("net")) for key, params in wanted.items()}
    pool.shutdown(cancel_futures=True)


def judge(jobs, request):
    case, result = jobs[request.node.nodeid].result()
    for i, want in enumerate(case.expected()):
        for target, outputs in result.items():
            compare(want, outputs[i], f"{case.name}, {target}, call {i}")
    states_agree(case, result)


@pytest.mark.parametrize("named", [*NAMED, *KINDS])
def test_named(jobs, request, named):
    judge(jobs, request)


@pytest.mark.parametrize("random", RANDOM, ids=lambda r: f"{r[0]}-{r[1]}")
def test_random(jobs, request, random):
    judge(jobs, request)


@pytest.mark.parametrize("integer", INTEGER)
def test_integer(jobs, request, integer):
    """Wrap-around arithmetic: schedules must agree bit for bit."""
    judge(jobs, request)


@pytest.mark.parametrize("seed", range(10))
def test_dump(seed, tmp_path):
    """The compiler's dump says what the generator says."""
    if shutil.which("rnn-translate") is None:
        pytest.skip("rnn-translate is not built")
    for mode in ("float", "cells", "integer", "window"):
        g = generate.Generator(seed, mode)
        (tmp_path / "net.mlir").write_text(g.mlir())
        dump = json.loads(run("rnn-translate", "--rnn-to-json", tmp_path / "net.mlir"))
        # What is compared is the meaning: rnn.linear may come written out, ids may differ.
        inputs = g.inputs(3, 2, seed)
        want, got = (oracle.deep(oracle.Oracle(d).run, "net", inputs) for d in (g.dump(), dump))
        assert want.keys() == got.keys()
        for name in want:
            np.testing.assert_allclose(got[name], want[name], rtol=1e-13, atol=1e-13, err_msg=name)
