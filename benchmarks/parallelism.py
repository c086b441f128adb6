# ===- parallelism.py - Across streams, inside a stream, and both ------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   parallelism.py [--target=cuda|cpu|emulator] [--seconds=60] [--streams=1,16,64] [--networks=<globs>] [--frames=1024]
#                  [--passes=1] [--json=<file>]
#
# The experiment of Hwang and Sung, "Single stream parallelization of generalized LSTM-like RNNs" (2015): N streams are
# trained in three ways, for N = 1 to 64.
#
#   streams  everything in time order, the N streams of a frame side by side: what is compiled with --mode=sequential
#   frames   partitioned, one stream after another: parallelism comes from inside a stream alone
#   both     partitioned, N streams side by side
#
# First the three must agree: loss and updates of a step from the same parameters; one stream after another counts as
# the mean over its streams. Then each is timed, and next to the time stand what does not depend on the machine: kernel
# launches, threads, bytes. The emulator checks tiny networks and times nothing; counts are those of cuda:sm_90 there.
#
# In a bundle of scripts/bundle it takes the artifacts that are there; elsewhere it compiles them by rnn-compile of
# build/, or of the folder that $RNN_TEST_BUILD names. Workers, time limits and the JSON are those of gpu.py.
#
# ===-------------------------------------------------------------------------===#

import argparse
import concurrent.futures
import fnmatch
import gzip
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import artifact
import gpu
import models

HERE = pathlib.Path(__file__).resolve().parent
MODES = ("sequential", "split")
# In order of importance: a run that is cut short has the first ones.
STREAMS = (1, 16, 64, 4, 8, 32, 2)
FEW_STREAMS = (1, 16, 64, 4)
NETWORKS = {models.Point("lstm", 512): STREAMS, models.Point("lstm", 256): STREAMS,
            models.Point("lstm", 512, layers=2): FEW_STREAMS, models.Point("lstm", 256, layers=2): FEW_STREAMS,
            models.Point("peephole", 256): FEW_STREAMS}
# What the emulator runs in seconds.
TINY = {models.Point("lstm", 16): (1, 2, 4), models.Point("gru", 8, layers=2): (1, 2)}
# 132 multiprocessors of an H100 or H200 with 2048 threads each: what threads are a share of.
CHIP_THREADS = 132 * 2048
CHECK_FRAMES = 24
FEWEST_FRAMES = 16
TOLERANCE = gpu.TOLERANCE["f32"]


def title(point):
    """The name of a network without its streams."""
    return point.name.replace(f"-B{point.streams}", "")


def stem(point, mode, streams):
    return f"{title(point)}-B{streams}-{mode}"


# ===-------------------------------------------------------------------------===#
# Artifacts, and what they say of themselves
# ===-------------------------------------------------------------------------===#


def make(compile_artifact, folder, point, mode, streams, targets):
    """Writes <stem>.rnnc.gz and what is counted of its step, <stem>.json."""
    name = stem(point, mode, streams)
    file, report = folder / f"{name}.rnnc", folder / f"{name}.json"
    compile_artifact(models.mlir(point._replace(streams=streams)), file, *[f"--target={target}" for target in targets],
                     f"--streams={streams}", "--functions=step", f"--mode={mode}", f"--report={report}")
    report.write_text(json.dumps(counts(json.loads(report.read_text()), artifact.Artifact(file)), indent=1) + "\n")
    pack(file)


def pack(file):
    """Replaces an artifact by its .gz, which is several times smaller: much of it is PTX."""
    file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), mtime=0))
    file.unlink()


def counts(report, compiled):
    """Of a training step: memory, FLOPs and bytes per frame in loops over frames and outside, and the launches."""
    loops = [part for part in report["components"] if part["kind"] in ("recurrent", "scan")]
    rest = [part for part in report["components"] if part not in loops]
    answer = {"memory": report["memory"]}
    for key in ("flops_per_frame", "bytes_per_frame"):
        answer[key] = {"loops": sum(part[key] for part in loops), "outside": sum(part[key] for part in rest)}
    chips = [target for target in compiled.targets(artifact.LAUNCHES) if target.startswith("cuda")]
    if chips:
        launches, workspace = compiled.launches("step", chips[0])
        names = {launch["kernel"] for launch in launches}
        answer["workspace on a GPU"] = workspace
        answer["launches"] = launches
        answer["loops"] = [loop for loop in report["loops"] if loop["kernel"] in names and loop["target"] == chips[0]]
    return answer


def made(options):
    """The folder of artifacts; outside a bundle they are compiled into a temporary one, which is returned too."""
    bundled = HERE.parent / "parallelism"
    if bundled.is_dir():
        return bundled, None
    build = pathlib.Path(os.environ.setdefault("RNN_TEST_BUILD", str(HERE.parent / "build")))
    temporary = tempfile.TemporaryDirectory()
    targets = {"cuda": ["cuda:sm_90"], "cpu": ["cpu"], "emulator": ["emulator", "cuda:sm_90"]}[options.target]

    def compile_artifact(text, out, *flags):
        done = subprocess.run([build / "bin" / "rnn-compile", "-", "-o", out, *flags], input=text, capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{out.name}: {done.stderr.strip()}")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: make(compile_artifact, pathlib.Path(temporary.name), *job), [
            (point, mode, streams, targets if options.target != "emulator" or point in TINY else ["cuda:sm_90"])
            for point, streams in chosen(options) for mode in MODES]))
    return pathlib.Path(temporary.name), temporary


def chosen(options):
    """(network, streams) in the order of the run."""
    networks = {**(TINY if options.target == "emulator" else {}), **NETWORKS}
    for streams in dict.fromkeys(n for several in networks.values() for n in several):
        for point, several in networks.items():
            if streams in several and (not options.streams or streams in options.streams) and any(
                    fnmatch.fnmatch(title(point), glob) for glob in options.networks.split(",")):
                yield point, streams


# ===-------------------------------------------------------------------------===#
# The worker
# ===-------------------------------------------------------------------------===#


def values_of(point, frames):
    """As models.arrays; what is behind the first frames repeats them, since drawing takes longer than running."""
    values = models.arrays(point, min(frames, 64))
    for name in ("x", "target"):
        values[name] = np.tile(values[name], (-(-frames // 64), 1, 1))[:frames]
    return values


class Step:
    """A training step of an artifact on the target."""

    def __init__(self, options, point, mode, streams):
        package = HERE.parent / "lib" / "python"
        sys.path.insert(0, str(package if package.is_dir() else HERE.parent / "python"))
        import rnn_mlir
        file = pathlib.Path(options["artifacts"]) / f"{stem(point, mode, streams)}.rnnc.gz"
        self.program = rnn_mlir.Program(gzip.decompress(file.read_bytes()), target=options["target"],
                                        threads=options["threads"])
        self.point = point._replace(streams=streams)
        self.wait = lambda: None
        self.on_gpu = options["on_gpu"]

    def updates(self, values, stream=None):
        """Loss and change of every parameter by a step of rate 1 from `values`, of one of its streams or of all."""
        picked = slice(None) if stream is None else slice(stream, stream + 1)
        self.program.reset()
        for name in models.parameters(self.point):
            self.program.params[name] = values[name]
        results = self.program.run("step", x=values["x"][:, picked], target=values["target"][:, picked],
                                   lr=np.float32(1))
        answer = {name: np.array(self.program.params[name], np.float64) - values[name]
                  for name in models.parameters(self.point)}
        return {"loss": np.float64(results["loss"].numpy()), **answer}

    def bind(self, values):
        """Takes parameters and the whole chunk, to the GPU where PyTorch is there to hold it."""
        for name in models.parameters(self.point):
            self.program.params[name] = values[name]
        self.whole = {name: values[name] for name in ("x", "target")}
        if self.on_gpu:
            import torch
            self.whole = {name: torch.tensor(value, device="cuda") for name, value in self.whole.items()}
            self.wait = torch.cuda.synchronize

    def take(self, frames):
        self.chunk = {name: value[:frames] for name, value in self.whole.items()}

    def train(self):
        self.program.run("step", **self.chunk)


def largest_difference(got, want):
    """Of loss and updates, relative to the largest element of each."""
    return {name: float(np.max(np.abs(got[name] - value)) / np.max(np.abs(value))) for name, value in want.items()}


def check(options, point, streams):
    """How far the other two ways are from `both`."""
    values = values_of(point._replace(streams=streams), CHECK_FRAMES)
    want = Step(options, point, "split", streams).updates(values)
    one = Step(options, point, "split", 1)
    runs = [one.updates(values, stream) for stream in range(streams)]
    mean = {name: sum(run[name] for run in runs) / streams for name in want}
    ways = {"streams": Step(options, point, "sequential", streams).updates(values), "frames": mean}
    return {way: largest_difference(got, want) for way, got in ways.items()}


def time_step(options, point, mode, streams, frames, seconds):
    """Microseconds per frame and stream. A chunk has fewer frames where one call would take too long."""
    step = Step(options, point, mode, streams)
    step.bind(values_of(step.point, frames))
    step.take(FEWEST_FRAMES)
    step.train()
    step.wait()
    began = time.perf_counter()
    step.train()
    step.wait()
    probed = (time.perf_counter() - began) / FEWEST_FRAMES
    while frames > FEWEST_FRAMES and frames * probed > seconds / 2:
        frames //= 2
    step.take(frames)
    rounds = [us / frames / streams for us in gpu.measure(step, "train", seconds)]
    return {"us_per_frame_and_stream": typical(options["target"], rounds), "rounds": rounds, "frames": frames}


def typical(target, rounds):
    """A CPU is shared with others more often than not: there the best round is the one nearest the truth."""
    return min(rounds) if target == "cpu" else statistics.median(rounds)


def worker(options):
    """Answers requests of stdin, one a line. Whatever a library prints goes to stderr."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            point, streams = models.Point(*request["point"]), request["streams"]
            if request["do"] == "check":
                reply = check(options, point, streams)
            else:
                reply = time_step(options, point, request["mode"], streams, request["frames"], request["seconds"])
        except Exception as error:  # becomes the text of the row
            reply = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
        print(json.dumps(reply), file=out, flush=True)


# ===-------------------------------------------------------------------------===#
# The run
# ===-------------------------------------------------------------------------===#


def memory(counted, target, frames, threads, streams=1):
    """Bytes of a training step, parameters and state included; of further streams only the state is kept."""
    total, workspace = counted["memory"], counted["memory"]
    if target != "cpu":
        workspace = counted["workspace on a GPU"]
    return (total["parameters"] + total["optimizer"] + total["ring"] + streams * total["state"] +
            workspace["constant"] + workspace.get("per_thread", 0) * threads + workspace["per_frame"] * frames)


def way_of(counted, repeats, options):
    """What is known of a way without running it, for a chunk of all frames; `repeats` streams one after another."""
    answer = {"memory_bytes": memory(counted, options.target, options.frames, options.cores, repeats),
              "flops_in_loops": counted["flops_per_frame"]["loops"] / sum(counted["flops_per_frame"].values())}
    if "launches" in counted:
        loops = {loop["kernel"]: loop for loop in counted["loops"]}
        outside = [artifact.blocks(launch, options.frames) * launch["block"] for launch in counted["launches"]
                   if launch["kernel"] not in loops]
        threads = [loop["blocks"] * loop["threads"] for loop in loops.values()]
        answer |= {"launches": repeats * len(counted["launches"]), "loop_threads": threads,
                   "loop_occupancy": [count / CHIP_THREADS for count in threads],
                   "widest_launch_threads": max(outside),
                   "loops": [{key: loop[key] for key in ("kernel", "regime", "blocks", "threads")}
                             for loop in loops.values()]}
    return answer


class Run:
    def __init__(self, options):
        self.options = options
        self.folder, self.temporary = made(options)
        self.began = time.monotonic()
        self.log = open(f"{options.json}.log", "w") if options.json else subprocess.DEVNULL
        machine = gpu.machine(options.target)
        on_gpu = options.target == "cuda" and "torch" in machine
        options.cores = options.threads or len(os.sched_getaffinity(0))
        self.worker = gpu.Worker("parallelism", {
            "artifacts": str(self.folder), "target": {"cuda": "cuda:0"}.get(options.target, options.target),
            "on_gpu": on_gpu, "threads": options.threads}, self.log, script=__file__)
        self.result = {"machine": machine, "target": options.target,
                       "chunk and loss": "on the GPU" if on_gpu else "in host memory", "frames": options.frames,
                       "rows": []}
        self.times = {}

    def left(self):
        return self.options.seconds - (time.monotonic() - self.began)

    def save(self):
        self.result["seconds"] = round(time.monotonic() - self.began, 1)
        gpu.write(self.options.json, self.result)

    def ask(self, **request):
        if self.left() < 0:
            return {"error": "left out: no time"}
        return self.worker.ask(max(15, min(60, self.left() + 10)), **request)

    def timed(self, point, mode, streams):
        """One stream is timed once for all rows of a network."""
        key = point, mode, streams
        if key not in self.times:
            self.times[key] = self.ask(do="time", point=point, mode=mode, streams=streams, frames=self.options.frames,
                                       seconds=self.options.round)
        return self.times[key]

    def again(self):
        """Another pass over all that was timed, some time later, in the place of the first."""
        for (point, mode, streams), timed in self.times.items():
            if "error" in timed or self.left() < 0:
                continue
            more = self.ask(do="time", point=point, mode=mode, streams=streams, frames=timed["frames"],
                            seconds=self.options.round)
            if more.get("frames") == timed["frames"]:
                timed["rounds"] += more["rounds"]
                timed["us_per_frame_and_stream"] = typical(self.options.target, timed["rounds"])

    def row(self, point, streams):
        row = {"network": title(point), "streams": streams, "ways": {}}
        self.result["rows"].append(row)
        counted = {(mode, n): json.loads((self.folder / f"{stem(point, mode, n)}.json").read_text())
                   for mode, n in (("sequential", streams), ("split", 1), ("split", streams))}
        runs = self.options.target != "emulator" or point in TINY
        if runs:
            row["check"] = self.ask(do="check", point=point, streams=streams)
        # One stream after another is as fast for many as for one; what is compiled for one is what runs.
        for way, mode, at_once in (("streams", "sequential", streams), ("frames", "split", 1), ("both", "split", streams)):
            timed = self.timed(point, mode, at_once) if self.options.target != "emulator" else {}
            row["ways"][way] = {"time": timed, **way_of(counted[mode, at_once], streams // at_once, self.options)}
            self.save()
        print(line(row), f"  {time.monotonic() - self.began:.0f} s", flush=True)

    def all(self):
        print("   ".join(f"{key} {value}" for key, value in self.result["machine"].items()))
        print(f"\n{HEADER}")
        for point, streams in chosen(self.options):
            self.row(point, streams)
        for _ in range(1, self.options.passes):
            self.again()
            self.save()
        self.worker.stop()
        self.result["rows"].sort(key=lambda row: (row["network"], row["streams"]))
        self.save()
        if self.options.passes > 1:
            print("\nall passes", *(line(row) for row in self.result["rows"]), sep="\n")
        wrong = [row for row in self.result["rows"] if verdict(row) == "DIFFERS"]
        return f"parallelism.py: error: {len(wrong)} rows differ" if wrong else 0


HEADER = ("several streams only | one stream after another | both: us per frame and stream, launches, threads of each "
          "loop, MiB, frames of a chunk that was timed")


def verdict(row):
    """`ok` if the three ways agree."""
    if "check" not in row:
        return "not run"
    if "error" in row["check"]:
        return "ERROR"
    worst = max(value for way in row["check"].values() for value in way.values())
    return "ok" if worst < TOLERANCE else "DIFFERS"


def cell(way):
    timed = way["time"]
    time_us = timed.get("us_per_frame_and_stream")
    parts = [f"{time_us:8.3f} us" if time_us else "ERROR" if "error" in timed else "       -   "]
    if "launches" in way:
        parts += [f"{way['launches']:4} l", f"{'+'.join(map(str, way['loop_threads']))} t"]
    return " ".join(parts + [f"{way['memory_bytes'] / (1 << 20):7.1f} MiB", f"T {timed.get('frames', '-')}"])


def line(row):
    cells = [cell(way) for way in row["ways"].values()]
    return f"{row['network']:14} N {row['streams']:2} {verdict(row):8} " + " | ".join(cells)


def main():
    if sys.argv[1:2] == ["--worker"]:
        return worker(json.loads(sys.argv[3]))
    parser = argparse.ArgumentParser(description="Trains several streams side by side, one by one, and both.")
    parser.add_argument("--target", choices=["cuda", "cpu", "emulator"], default="cuda")
    parser.add_argument("--networks", default="*", help="names of networks, with wildcards, separated by commas")
    parser.add_argument("--streams", type=lambda text: [int(n) for n in text.split(",")], help="numbers of streams")
    parser.add_argument("--frames", type=int, default=1024, help="of a chunk, halved where a call takes too long")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU")
    parser.add_argument("--seconds", type=float, default=60, help="no new measurement after so many")
    parser.add_argument("--round", type=float, default=0.25, help="seconds of one measurement")
    parser.add_argument("--passes", type=int, default=1, help="over all measurements; more for a busy CPU")
    parser.add_argument("--json")
    return Run(parser.parse_args()).all()


if __name__ == "__main__":
    sys.exit(main())
