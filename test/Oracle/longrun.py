# ===- longrun.py - Thousands of random networks -------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   longrun.py --networks=10000 --seed=0 [--out=build/longrun] [--jobs=2] [--emulator-every=7] [--mode=mixed]
#
# Network i has the seed `seed + i`, a mode of generate.py and, with a training step, an optimizer; all of that follows
# from the seed. Each is interpreted after every pass of both pipelines, compiled for the CPU, and, one in some, for the
# emulator of GPUs, and compared with the interpreter within the error budget of every element (test-rnn-networks).
#
# Results go to <out>/results.jsonl as they come: a run that was interrupted goes on from there. A network that fails is
# reduced with rnn-reduce and written to <out>/failures as a test of test/Networks. At the end <out>/summary.json and
# <out>/summary.md say what was run, and the exit is 1 if anything failed.
#
# ===-------------------------------------------------------------------------===#

import argparse
import collections
import datetime
import json
import os
import pathlib
import platform
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import generate
import mixed

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TURNS = ["float", "window", "cells", "integer", "mixed", "window", "float", "integer", "float", "random",
         "mixed", "window", "cells", "integer", "float", "random", "float", "mixed", "cells", "mixed"]
# Each with all of its options; no eps is so small that the sign of a rounding error decides what a step is.
OPTIMIZERS = ["sgd<lr = 0.05>", "sgd<lr = 0.05, momentum = 0.9>", "sgd<lr = 0.05, momentum = 0.9, nesterov = true>",
              "sgd<lr = 0.05, momentum = 0.9, weight_decay = 0.01>",
              "adam<lr = 0.01, eps = 0.01>", "adam<lr = 0.01, beta1 = 0.8, beta2 = 0.9, eps = 0.01, weight_decay = 0.1>",
              "adam<lr = 0.01, beta2 = 0.5, eps = 0.01, amsgrad = true>",
              "adamw<lr = 0.01, eps = 0.01, weight_decay = 0.1>",
              "adamw<lr = 0.01, beta1 = 0.8, beta2 = 0.5, eps = 0.01, amsgrad = true>",
              "rmsprop<lr = 0.01, eps = 0.01>", "rmsprop<lr = 0.01, eps = 0.01, momentum = 0.5>",
              "rmsprop<lr = 0.01, alpha = 0.8, eps = 0.01, centered = true, weight_decay = 0.1>",
              "adagrad<lr = 0.05, eps = 0.01>", "adagrad<lr = 0.05, lr_decay = 0.25, eps = 0.01, weight_decay = 0.1>",
              "adadelta<lr = 0.5, eps = 0.001>", "adadelta<lr = 0.5, rho = 0.8, eps = 0.001, weight_decay = 0.1>"]
CLIPS = ["", "", " clip<norm = 0.5>", " clip<value = 0.25>"]
BATCH = 25
CPU_LIMIT = 600  # seconds of a processor for one batch
LIMIT = 3600     # seconds without a word from the driver, which may have to wait for others


def tool(name):
    found = shutil.which(name) or shutil.which(name, path=os.environ.get("RNN_TEST_BUILD", str(ROOT / "build")) + "/bin")
    return found or sys.exit(f"longrun: error: {name} is neither on PATH nor in build/bin; build it first")


class Network:
    def __init__(self, number, seed, emulator_every, mode=None):
        self.seed = seed + number
        self.mode = mode or TURNS[self.seed % len(TURNS)]
        self.name = f"{self.mode}-{self.seed}"
        self.stages = "passes,cpu" + (",emulator" if emulator_every and self.seed % emulator_every == 0 else "")

    def generator(self):
        return mixed.Mixed(self.seed) if self.mode == "mixed" else generate.Generator(self.seed, self.mode)

    def text(self):
        """The network, with an optimizer that moves and perhaps clipping."""
        rng = random.Random(f"optimizer {self.seed}")
        clip = rng.choice(CLIPS)
        return self.generator().mlir().replace(
            "optimizer(#rnn.sgd<lr = 0.0>)", f"optimizer(#rnn.{rng.choice(OPTIMIZERS)}){clip}")

    def heading(self, stages=None):
        return f"// network {self.name} {self.seed} {stages or self.stages}\n"


def check(networks, folder):
    """Results of networks, in their order, as `test-rnn-networks` gives them; one that stops it is a result too."""
    left = collections.deque(networks)
    while left:
        path = folder / f"batch-{threading.get_ident()}.mlir"
        path.write_text("// -----\n".join(n.heading() + n.text() for n in left))
        with open(path.with_suffix(".log"), "w") as log:
            driver = subprocess.Popen(["sh", "-c", f"ulimit -t {CPU_LIMIT} && exec \"$0\" \"$1\"", tool("test-rnn-networks"), path],
                                      stdout=subprocess.PIPE, stderr=log, text=True,
                                      env={**os.environ, "RNN_NUM_THREADS": "1"})
            timer = threading.Timer(LIMIT, driver.kill)
            timer.start()
            for line in driver.stdout:
                timer.cancel()
                timer = threading.Timer(LIMIT, driver.kill)
                timer.start()
                if "network" in (result := json.loads(line)):
                    assert result["network"] == left.popleft().name
                    yield result
            timer.cancel()
            status = driver.wait()
        if left:  # It has not come to its end: the next network is the reason.
            stopped = signal.Signals(-status).name if status < 0 else f"exit {status}"
            log = path.with_suffix(".log").read_text(errors="replace")[-2000:]
            yield {"network": left.popleft().name, "stage": "stopped", "message": f"{stopped}\n{log}"}
    path.unlink(missing_ok=True)
    path.with_suffix(".log").unlink(missing_ok=True)


def reduce(network, result, folder):
    """Writes the network as a test, as small as rnn-reduce makes it without losing the failure."""
    folder.mkdir(exist_ok=True)
    stage = result["stage"]
    stages = stage if stage in ("passes", "cpu", "emulator") else network.stages
    whole, small, script = (folder / f"{network.name}{end}" for end in (".whole.mlir", ".reduced.mlir", ".sh"))
    whole.write_text(network.text())
    # The words that must stay, but for numbers and names.
    kind = re.match(r"(?:'[\w-]+' changed)?", result["message"]).group()
    wanted = "begins" if stage == "stopped" else f'"stage":"{stage}"'
    judge = f"tail -n 1 | grep -q '{wanted}'" if not kind else f"grep -q \"{kind}\""
    script.write_text(f"#!/bin/sh\n# Exit 1: the network still fails.\n"
                      f"! timeout 60 {tool('test-rnn-networks')} --seed={network.seed} --stages={stages} \"$1\" 2>/dev/null | {judge}\n")
    script.chmod(0o755)
    try:
        subprocess.run([tool("rnn-reduce"), f"--test={script}", whole, "-o", small], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=900)
    except subprocess.TimeoutExpired:
        pass
    text = small.read_text() if small.exists() and small.stat().st_size else whole.read_text()
    message = "".join(f"// {line}\n" for line in f"{stage}: {result['message']}".splitlines()[:3])
    (folder / f"{network.name}.mlir").write_text(
        f"// RUN: test-rnn-networks %s\n// Failed once with\n{message}{network.heading(stages)}{text}")
    for path in (whole, small, script):
        path.unlink(missing_ok=True)


class Summary:
    def __init__(self, options):
        self.options, self.results = options, {}

    def add(self, result):
        self.results[result["network"]] = result

    def data(self, seconds):
        total = lambda key: dict(sorted(sum((collections.Counter(r.get(key, {})) for r in self.results.values()),
                                            collections.Counter()).items()))
        seeds = [int(name.rsplit("-", 1)[1]) for name in self.results]
        failures = {n: {"stage": r["stage"], "message": r["message"]} for n, r in self.results.items() if r["stage"]}
        cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout
        version = subprocess.run([tool("rnn-opt"), "--version"], capture_output=True, text=True).stdout.split("\n")
        modes = collections.Counter(name.rsplit("-", 1)[0] for name in self.results)
        return {"what": "random networks: interpreted after every pass, then targets against the interpreter",
                "date": datetime.date.today().isoformat(), "cpu": f"{cpu} ({os.cpu_count()} cores)",
                "system": f"{platform.system()} {platform.machine()}",
                "commit": self.options.commit or commit.strip() or None, "versions": [line.strip() for line in version if line.strip()][:4],
                "networks": len(self.results), "seeds": [min(seeds), max(seeds)], "modes": dict(sorted(modes.items())),
                "targets": {"interpreter": len(self.results), **{
                    t: sum(t in r.get("calls", {}) for r in self.results.values()) for t in ("cpu", "emulator")}},
                "calls": total("calls"), "elements": total("elements"), "passes": total("passes"), "ops": total("ops"),
                "undecided": sum(r.get("undecided", 0) for r in self.results.values()),
                "failures": failures, "seconds": {k: round(v, 1) for k, v in total("seconds").items()},
                "wall_seconds": round(seconds)}


def markdown(data):
    """The summary to read."""
    table = lambda head, rows: [f"| {' | '.join(head)} |", "|" + "---|" * len(head)] + \
        [f"| {' | '.join(map(str, row))} |" for row in rows] + [""]
    lines = [f"# {data['networks']} random networks", "",
             f"{data['date']}, {data['cpu']}; {'; '.join(data['versions'])}.",
             f"Seeds {data['seeds'][0]} to {data['seeds'][1]}; {data['wall_seconds']} s; "
             f"**{len(data['failures'])} failures**; {data['undecided']} calls were decided by "
             "more perturbed runs than usual, since a comparison of almost equal numbers may flip.", ""]
    lines += table(["mode", "networks"], data["modes"].items())
    lines += table(["target", "networks", "calls compared", "elements compared"],
                   [(t, n, data["calls"].get(t, "–"), data["elements"].get(t, "–")) for t, n in data["targets"].items()])
    lines += table(["pass", "functions interpreted after it"], [(f"`{p}`", n) for p, n in data["passes"].items()])
    lines += table(["op", "networks with it"], [(f"`{o}`", n) for o, n in data["ops"].items()])
    if data["failures"]:
        lines += table(["failure", "stage", "message"], [(n, f["stage"], f["message"].splitlines()[0] if f["message"] else "")
                                                         for n, f in data["failures"].items()])
    return "\n".join(lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description="Checks many random networks.")
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first network")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "longrun")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--emulator-every", type=int, default=7, help="one network in so many; 0: none")
    parser.add_argument("--mode", choices=sorted(set(TURNS)), help="of all networks; else they take turns")
    parser.add_argument("--commit", help="of the tools, for the summary, where these are not of this tree")
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    began, kept = time.time(), 0
    summary, lock = Summary(options), threading.Lock()
    wanted = {n.name: n for n in (Network(i, options.seed, options.emulator_every, options.mode)
                                  for i in range(options.networks))}
    log = options.out / "results.jsonl"
    for line in log.read_text().splitlines() if log.exists() else []:
        result = json.loads(line)
        kept += result.get("took", 0)
        if result.get("network") in wanted:
            summary.add(result)
    todo = queue.Queue()
    left = [n for name, n in wanted.items() if name not in summary.results]
    for i in range(0, len(left), BATCH):
        todo.put(left[i : i + BATCH])

    def work():
        while True:
            try:
                batch = todo.get_nowait()
            except queue.Empty:
                return
            for result in check(batch, options.out):
                if result["stage"]:
                    reduce(wanted[result["network"]], result, options.out / "failures")
                with lock:
                    summary.add(result)
                    with open(log, "a") as f:
                        f.write(json.dumps(result) + "\n")
                    if result["stage"]:
                        print(f"{result['network']}: {result['stage']}: {result['message'][:300]}", flush=True)
            if not options.quiet:
                print(f"{len(summary.results)} of {options.networks}, {time.time() - began:.0f} s", flush=True)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(options.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with open(log, "a") as f:
        f.write(json.dumps({"took": time.time() - began}) + "\n")
    data = summary.data(kept + time.time() - began)
    (options.out / "summary.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    (options.out / "summary.md").write_text(markdown(data))
    print(f"{data['networks']} networks, {len(data['failures'])} failures; {options.out / 'summary.md'}")
    sys.exit(1 if data["failures"] or data["networks"] != options.networks else 0)


if __name__ == "__main__":
    main()
