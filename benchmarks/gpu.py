# ===- gpu.py - GPU kernels: right numbers, and their time against peers --------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   gpu.py [--bundle=<folder>] [--target=cuda|emulator] [--json=<file>] [--quick] [--points=<globs>] [--kernels] [--all]
#
# Runs what scripts/bundle made, on a machine that needs no compiler:
#
#   1. verification cases: results on the target against the interpreter's, within its budget, and against the bits of
#      the emulator;
#   2. points: loss and gradients against PyTorch in f64, then the time of a training step (forward, backward, all
#      weight gradients, SGD) and of the forward part, per frame, ours and the peers': nn.LSTM and nn.GRU through cuDNN
#      in f32 (TF32 off), TF32, f16 and bf16, eager and as a CUDA graph; a loop over frames, eager and as a CUDA graph;
#      lax.scan and cuDNN in JAX. --all adds torch.compile, which takes minutes; --kernels the time of each of our
#      kernels in a training step, by PyTorch's profiler.
#
# Everything runs in workers, which are processes of their own: one that crashes, or takes too long, becomes an error of
# its row. The JSON is written after every result, so that a run that is cut short has what it has measured;
# what the workers say goes to <file>.log.
#
# All contenders have their tensors on the GPU, and are waited for after several steps. `ours from host` is wall clock
# around calls whose chunk and loss travel between host and GPU; it is the only one of ours where PyTorch is not there.
#
# ===-------------------------------------------------------------------------===#

import argparse
import collections
import contextlib
import fnmatch
import gzip
import json
import os
import pathlib
import platform
import select
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import models
import peers

HERE = pathlib.Path(__file__).resolve().parent
UNIT = 2.0**-24
CHECK_FRAMES = 24
CASES_SECONDS = 90  # no new case after so many
TOLERANCE = {"f32": 2e-4, "bf16": 3e-2}  # of a gradient, relative to its largest element, by precision of products

# ===-------------------------------------------------------------------------===#
# Workers: processes that answer lines of JSON with lines of JSON
# ===-------------------------------------------------------------------------===#


def load(options, artifact):
    """The program of an artifact of the bundle, on the target."""
    sys.path.insert(0, str(pathlib.Path(options["bundle"]) / "lib" / "python"))
    import rnn_mlir
    file = pathlib.Path(options["bundle"]) / artifact
    if (packed := file.with_name(f"{file.name}.gz")).is_file():
        return rnn_mlir.Program(gzip.decompress(packed.read_bytes()), target=options["target"])
    return rnn_mlir.load(file, target=options["target"])


def bits(array):
    """Elements for comparisons of bits; every NaN is the same."""
    array = np.ascontiguousarray(array)
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
    return array.view(f"u{array.dtype.itemsize}")


def pack(emulator, want, deviation):
    """What a case keeps of a tensor: the emulator's numbers, and how many units of the last place the expected ones are
    above, which is small; the deviation of each group of elements."""
    if want.dtype.kind != "f":
        return {"emulator": emulator, "ulps": want.astype(np.int64) - emulator, "deviation": deviation}
    integer = f"i{emulator.dtype.itemsize}"
    return {"emulator": emulator, "ulps": want.astype(emulator.dtype).view(integer) - emulator.view(integer),
            "deviation": deviation.astype(np.float32)}


def worst(got, emulator, ulps, deviation):
    """Largest error over its budget, 0 where the numbers are equal, and the largest error. The budget is that of
    rnn-run, and half a unit for the rounding of what is expected."""
    if emulator.dtype.kind == "f":
        want = (emulator.view(ulps.dtype) + ulps).view(emulator.dtype).astype(np.float64)
        budget = 8 * deviation.astype(np.float64) + 4.5 * UNIT * np.abs(want)
    else:
        want, budget = emulator + ulps, deviation
    got, budget = got.astype(np.float64), np.broadcast_to(budget, want.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where((got == want) | (np.isnan(got) & np.isnan(want)), 0.0, np.abs(got - want))
    error = np.where(np.isnan(error), np.inf, error)
    ratio = np.where(error == 0, 0.0, error / np.maximum(budget, 1e-300))
    return float(ratio.max(initial=0)), float(error[np.isfinite(budget)].max(initial=0))


def run_case(options, name):
    """One verification case: `<call>.in.<name>` are inputs; `.emulator.`, `.ulps.` and `.deviation.` belong to a result
    or to a tensor of the session after the call."""
    program = load(options, f"cases/{name}.rnnc")
    calls = collections.defaultdict(lambda: collections.defaultdict(dict))
    with np.load(pathlib.Path(options["bundle"]) / "cases" / f"{name}.npz") as file:
        function = str(file["function"])
        for key in file.files:
            if "." in key:
                call, part, tensor = key.split(".", 2)
                calls[int(call)][part][tensor] = file[key]
    answer = {"over_budget": 0.0, "largest_error": 0.0, "other_bits": [], "differs": []}
    for number, call in sorted(calls.items()):
        results = {key: value.numpy() for key, value in program.run(function, **call["in"]).items()}
        for tensor, emulator in call["emulator"].items():
            got = results[tensor] if tensor in results else np.array(program.tensors[tensor])
            over, error = worst(got, emulator, call["ulps"][tensor], call["deviation"][tensor])
            answer["over_budget"] = max(answer["over_budget"], over)
            answer["largest_error"] = max(answer["largest_error"], error)
            if over > 1:
                answer["differs"].append(f"{tensor} in call {number}: {error:.3g}, {over:.3g} times its budget")
            if not np.array_equal(bits(got), bits(emulator)):
                answer["other_bits"].append(f"{tensor} in call {number}")
    return answer


class Ours:
    """Our steps, on tensors of PyTorch that are on the GPU, or on NumPy's: then a call returns when all is done."""

    def __init__(self, options, point, frames, on_gpu):
        values = models.arrays(point, frames)
        self.program = load(options, f"points/{point.name}.rnnc")
        for name in models.parameters(point):
            self.program.params[name] = values[name]
        self.chunk = {"x": values["x"], "target": values["target"]}
        self.wait = lambda: None
        if on_gpu:
            import torch
            self.chunk = {name: torch.tensor(value, device="cuda") for name, value in self.chunk.items()}
            self.wait = torch.cuda.synchronize

    def train(self):
        self.program.run("step", **self.chunk)

    def forward(self):
        self.program.run("net", **self.chunk)


def our_gradients(options, point, frames, file):
    values = models.arrays(point, frames)
    program = load(options, f"points/{point.name}-gradients.rnnc")
    for name in models.parameters(point):
        program.params[name] = values[name]
    results = program.run("step", x=values["x"], target=values["target"])
    np.savez(file, **{name: value.numpy() for name, value in results.items() if name.startswith(("loss", "grad."))})
    return {}


def agree(point, frames, device, file):
    """Largest difference of our loss and gradients from PyTorch's in f64, relative to the largest element of each."""
    want = peers.Torch(point, frames, "f64 loop", device).gradients()
    with np.load(file) as got:
        return {name: float(np.max(np.abs(got[name] - value)) / np.max(np.abs(value))) for name, value in want.items()}


def measure(contender, call, seconds, rounds=5):
    """Microseconds of one call: the median of rounds; the calls before it warm up."""
    function = getattr(contender, call)

    def timed(count):
        began = time.perf_counter()
        for _ in range(count):
            function()
        contender.wait()
        return (time.perf_counter() - began) / count

    timed(1)  # allocates, compiles
    if (once := timed(1)) > seconds:
        return [1e6 * once]
    count = max(1, int(seconds / rounds / once))
    return [1e6 * timed(count) for _ in range(rounds)]


def time_both(contender, frames, seconds):
    """Microseconds per frame of a training step and of the forward part, with all rounds."""
    answer = {}
    for call in ("forward", "train"):
        rounds = [us / frames for us in measure(contender, call, seconds)]
        answer[call], answer[f"{call} rounds"] = statistics.median(rounds), rounds
    return answer


def profile(contender, call="train"):
    """[kernel, launches, microseconds] of one call, the slowest first."""
    from torch import profiler
    function = getattr(contender, call)
    for _ in range(2):
        function()
        contender.wait()
    with profiler.profile(activities=[profiler.ProfilerActivity.CUDA]) as trace:
        function()
        contender.wait()
    kernels = [[event.key, event.count, event.device_time_total] for event in trace.key_averages()]
    return {"kernels": sorted(kernels, key=lambda kernel: -kernel[2])}


def answer_request(kind, options, request):
    point = models.Point(*request["point"]) if "point" in request else None
    frames, seconds = request.get("frames"), request.get("seconds")
    match kind, request["do"]:
        case "ours", "case":
            return run_case(options, request["case"])
        case "ours", "gradients":
            return our_gradients(options, point, frames, request["file"])
        case "ours", "time":
            return time_both(Ours(options, point, frames, request["on_gpu"]), frames, seconds)
        case "ours", "profile":
            return profile(Ours(options, point, frames, on_gpu=True))
        case "torch", "versions":
            return peers.versions()
        case "torch", "agree":
            return agree(point, frames, options["device"], request["file"])
        case "torch", "time":
            return time_both(peers.Torch(point, frames, request["variant"], options["device"]), frames, seconds)
        case "jax", "time":
            return time_both(peers.Jax(point, frames, request["variant"], options["device"]), frames, seconds)
    raise ValueError(f"no request {request}")


def worker(kind, options, answer=answer_request):
    """Answers requests of stdin, one a line. Whatever a library prints goes to stderr."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            reply = answer(kind, options, json.loads(line))
        except Exception as error:  # becomes the text of the row
            reply = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
        print(json.dumps(reply), file=out, flush=True)


class Worker:
    """A process that is started when asked, and anew after an error: a session on a GPU may be lost with it."""

    def __init__(self, kind, options, log, script=__file__):
        self.kind, self.options, self.log, self.script, self.process = kind, options, log, script, None

    def start(self):
        if self.process is None:
            self.process = subprocess.Popen([sys.executable, self.script, "--worker", self.kind, json.dumps(self.options)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)

    def ask(self, timeout, **request):
        self.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], timeout)
            line = self.process.stdout.readline() if ready else None
        except BrokenPipeError:
            line = ""
        if line:
            reply = json.loads(line)
        elif line is None:
            reply = {"error": f"no answer within {timeout:.0f} s"}
        else:
            reply = {"error": f"the process ended with {self.process.wait()}"}
        if "error" in reply:
            self.stop()
        return reply

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None


# ===-------------------------------------------------------------------------===#
# The run
# ===-------------------------------------------------------------------------===#


def machine(target):
    """What a result is worth nothing without: processor, GPU, driver, versions."""
    info = {"target": target, "python": platform.python_version(), "numpy": np.__version__}
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    info["cpu"], info["cores"] = names[0] if names else "unknown", len(os.sched_getaffinity(0))
    if target == "cuda":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            query = ["nvidia-smi", "--query-gpu=name,driver_version,clocks.sm,clocks.max.sm,memory.total",
                     "--format=csv,noheader"]
            info["nvidia-smi"] = subprocess.run(query, capture_output=True, text=True, timeout=20).stdout.strip()
    from importlib import metadata
    for package in ("torch", "jax", "jaxlib"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            info[package] = metadata.version(package)
    return info


def write(path, result):
    """The JSON, whole or not at all; nothing without a path."""
    if path:
        with open(f"{path}.part", "w") as file:
            json.dump(result, file, indent=1)
        os.replace(f"{path}.part", path)


class Run:
    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.result = {"machine": {}, "cases": {}, "points": []}
        self.log = open(f"{options.json}.log", "w") if options.json else subprocess.DEVNULL
        shared = {"bundle": str(options.bundle), "device": "cuda" if options.target == "cuda" else "cpu",
                  "target": "cuda:0" if options.target == "cuda" else "emulator"}
        self.ours, self.torch, self.jax = (Worker(kind, shared, self.log) for kind in ("ours", "torch", "jax"))
        self.folder = tempfile.TemporaryDirectory()

    def left(self):
        return self.options.seconds - (time.monotonic() - self.began)

    def save(self):
        self.result["seconds"] = round(time.monotonic() - self.began, 1)
        write(self.options.json, self.result)

    def machine(self):
        info = machine(self.options.target)
        self.result["machine"] = info
        self.has = {package: package in info and not self.options.no_peers for package in ("torch", "jax")}
        left_out = [name for name, present in self.has.items() if not present]
        if left_out:
            info["left out"] = left_out
        print("   ".join(f"{key} {value}" for key, value in info.items()), flush=True)

    def verify(self):
        """All cases; a line for each that is not equal to the emulator bit for bit."""
        names = sorted(path.stem for path in (self.options.bundle / "cases").glob("*.npz"))
        same = 0
        for name in names:
            late = time.monotonic() - self.began > CASES_SECONDS
            answer = {"error": "left out: no time"} if late else self.ours.ask(20, do="case", case=name)
            self.result["cases"][name] = answer
            if "error" in answer:
                print(f"case {name}: ERROR {answer['error']}", flush=True)
            elif answer["other_bits"] or answer["differs"]:
                other = answer["other_bits"]
                text = f"{len(other)} tensors have other bits than on the emulator, first {other[0]}" if other else (
                    "the bits of the emulator")
                text += f"; DIFFERS: {answer['differs'][0]}" if answer["differs"] else "; within the budget"
                print(f"case {name}: {text}", flush=True)
            same += answer.get("other_bits") == []
            self.save()
        print(f"{len(names)} cases, {same} with the bits of the emulator, "
              f"{sum(bool(a.get('differs')) for a in self.result['cases'].values())} outside the budget, "
              f"{sum('error' in a for a in self.result['cases'].values())} with errors; {self.spent()}", flush=True)

    def spent(self):
        return f"{time.monotonic() - self.began:.0f} s"

    def check(self, point, row):
        file = os.path.join(self.folder.name, "gradients.npz")
        answer = self.ours.ask(30, do="gradients", point=point, frames=CHECK_FRAMES, file=file)
        if "error" not in answer and self.has["torch"]:
            answer = self.torch.ask(60, do="agree", point=point, frames=CHECK_FRAMES, file=file)
            if "error" not in answer:
                answer = {"largest": max(answer.values()), "tensors": answer}
        row["check"] = answer

    def ours_and_torch(self, point):
        row = {"name": point.name, "frames": point.frames, "precision": point.precision, "peers": {}}
        self.result["points"].append(row)
        self.check(point, row)
        for name, on_gpu in (("ours", True), ("ours from host", False)):
            if not on_gpu or (self.has["torch"] and self.options.target == "cuda"):
                row[name] = self.ours.ask(40, do="time", point=point, frames=point.frames, seconds=self.options.round,
                                          on_gpu=on_gpu)
                self.save()
        row.setdefault("ours", row["ours from host"])
        if self.options.kernels:
            row["profile"] = self.ours.ask(40, do="profile", point=point, frames=point.frames)
            self.save()
        until = time.monotonic() + self.options.point_seconds
        if self.has["torch"]:
            for variant in peers.torch_variants(point, self.options.all):
                frames = min(point.frames, peers.LOOP_FRAMES) if "loop" in variant else point.frames
                if "graph" in variant and self.options.target != "cuda":
                    continue
                self.peer(row, self.torch, f"torch {variant}", until, point, variant, frames)
        print(line(row), f"  {self.spent()}", flush=True)
        for kernel, launches, time_us in row.get("profile", {}).get("kernels", [])[:8]:
            print(f"  {time_us / point.frames:8.3f} us per frame  {launches:5} x {kernel[:100]}", flush=True)

    def peer(self, row, process, name, until, point, variant, frames):
        if time.monotonic() > until or self.left() < 0:
            row["peers"][name] = {"error": "left out: no time"}
            return
        timeout = min(60, max(10, self.left() + 10))
        answer = process.ask(timeout, do="time", point=point, frames=frames, variant=variant,
                             seconds=self.options.round)
        row["peers"][name] = {"frames": frames, **answer}
        self.save()

    def with_jax(self, point, row):
        for variant in peers.jax_variants(point):
            if "cudnn" in variant and self.options.target != "cuda":
                continue
            self.peer(row, self.jax, f"jax {variant}", time.monotonic() + self.left(), point, variant, point.frames)

    def all(self):
        self.machine()
        if self.has["torch"]:
            self.torch.start()
        self.verify()
        if self.has["torch"]:
            self.result["machine"].update(self.torch.ask(90, do="versions"))
            print("   ".join(f"{k} {v}" for k, v in self.result["machine"].items() if k in ("gpu", "cudnn")))
        points = [p for p in (models.QUICK_POINTS if self.options.quick else models.POINTS)
                  if any(fnmatch.fnmatch(p.name, glob) for glob in self.options.points.split(","))]
        for point in points:
            if self.left() > 0:
                self.ours_and_torch(point)
            else:
                print(f"{point.name}: left out: no time")
        if self.has["jax"]:
            self.torch.stop()
            for point, row in zip(points, self.result["points"]):
                if self.left() > 0:
                    self.with_jax(point, row)
                    print(f"{point.name} with JAX  {self.spent()}", flush=True)
        for process in (self.ours, self.torch, self.jax):
            process.stop()
        self.save()
        self.table()
        print(f"{self.spent()}")

    def table(self):
        print("\nmicroseconds per frame, training step (forward only); ratio: best peer / ours, best f32 peer / ours")
        for row in self.result["points"]:
            print(line(row))
        print("\nerrors")
        for row in self.result["points"]:
            ours = [(name, row[name]) for name in ("ours", "ours from host", "profile", "check") if name in row]
            for name, answer in ours + list(row["peers"].items()):
                if "error" in answer:
                    print(f"{row['name']} {name}: {answer['error']}")


def best(row, call, precision=""):
    """(time, name) of the fastest peer."""
    times = [(answer[call], name) for name, answer in row["peers"].items() if call in answer and precision in name]
    return min(times, default=(None, ""))


def line(row):
    """One point: ours, what the check said, the best peers and the ratios."""
    check = row["check"]
    if "largest" in check:
        verdict = f"{'ok' if check['largest'] < TOLERANCE[row['precision']] else 'DIFFERS'} {check['largest']:.1e}"
    else:
        verdict = "ERROR" if "error" in check else "unchecked"
    cells = [f"{row['name']:18}", f"{verdict:12}"]
    if "error" in row["ours"]:
        cells.append("ours ERROR")
    for call, title in (("train", "train"), ("forward", "forward")):
        ours = row["ours"].get(call)
        (any_time, any_name), (f32_time, f32_name) = best(row, call), best(row, call, " f32")
        text = f"{title} {ours:8.3f}" if ours else f"{title}        -"
        for value, name in dict.fromkeys([(any_time, any_name), (f32_time, f32_name)]):
            if value:
                text += f" | {name} {value:.3f}" + (f" {value / ours:.2f}x" if ours else "")
        cells.append(text)
    return "  ".join(cells)


def main():
    if sys.argv[1:2] == ["--worker"]:
        return worker(sys.argv[2], json.loads(sys.argv[3]))
    parser = argparse.ArgumentParser(description="Checks and times GPU kernels; scripts/bundle makes what it runs.")
    parser.add_argument("--bundle", type=pathlib.Path, default=HERE.parent)
    parser.add_argument("--target", choices=["cuda", "emulator"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny points only, which the emulator can run")
    parser.add_argument("--points", default="*", help="names of points, with wildcards, separated by commas")
    parser.add_argument("--no-peers", action="store_true", help="do not time PyTorch and JAX")
    parser.add_argument("--kernels", action="store_true", help="the time of each of our kernels")
    parser.add_argument("--all", action="store_true", help="torch.compile too")
    parser.add_argument("--seconds", type=float, default=230, help="no new measurement after so many")
    parser.add_argument("--point-seconds", type=float, default=14, help="for PyTorch at one point")
    parser.add_argument("--round", type=float, default=0.25, help="seconds of one measurement")
    parser.add_argument("--json")
    options = parser.parse_args()
    options.bundle = options.bundle.resolve()
    Run(options).all()


if __name__ == "__main__":
    main()
