# ===- crashes.py - Trainings that die ------------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   crashes.py [--kills=500] [--seed=0]
#
# Trains a byte model with dropout, zoneout and noise on weights, and again while every system call of every save fails,
# once with an error and once by killing the process there, and while the training is killed at random moments, as often
# as it takes. A checkpoint must be one that the undisturbed training wrote, and the training that goes on from it must
# end with the same bytes.
#
# ===-------------------------------------------------------------------------===#

import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MODEL = """
rnn.parameter @table : tensor<256x12xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @wx : tensor<48x12xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @wh : tensor<48x12xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @b : tensor<48xf32> init(#rnn.zeros)
rnn.parameter @out : tensor<256x12xf32> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<i32>, %target: tensor<i32>) -> (logits: tensor<256xf32>, nll: tensor<f32>) {
  %table = rnn.param @table : tensor<256x12xf32>
  %out = rnn.param @out : tensor<256x12xf32>
  %row = rnn.gather %table, %x : (tensor<256x12xf32>, tensor<i32>) -> tensor<12xf32>
  %u = rnn.random uniform <frame> : tensor<12xf32>
  %rate = arith.constant dense<0.8> : tensor<12xf32>
  %zero = arith.constant dense<0.0> : tensor<12xf32>
  %kept = arith.cmpf olt, %u, %rate : tensor<12xf32>
  %dropped = arith.select %kept, %row, %zero : tensor<12xi1>, tensor<12xf32>
  %h, %c = rnn.lstm "cell" %dropped wx(@wx) wh(@wh) b(@b) zoneout(0.1, 0.1) : tensor<12xf32> -> tensor<12xf32>
  %drawn = rnn.random normal <static> : tensor<256x12xf32>
  %size = arith.constant dense<0.02> : tensor<256x12xf32>
  %noise = arith.mulf %size, %drawn : tensor<256x12xf32>
  %shaken = arith.addf %out, %noise : tensor<256x12xf32>
  %trains = rnn.training : tensor<256x12xi1>
  %used = arith.select %trains, %shaken, %out : tensor<256x12xi1>, tensor<256x12xf32>
  %logits = rnn.linear %h, %used : (tensor<12xf32>, tensor<256x12xf32>) -> tensor<256xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<256xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<256xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("nll" mean) optimizer(#rnn.adam<lr = 0.01>) clip<norm = 1.0> bptt<window = 8, advance = 4>
"""
FILES = ("last.safetensors", "best.safetensors", "loss.svg")


def preloaded(library):
    """LD_PRELOAD with a library more: a sanitizer's runtime, if there is one, comes first."""
    return ":".join(filter(None, [os.environ.get("LD_PRELOAD", ""), str(library)]))


class Run:
    """Trainings of the model in a folder of their own; `find` gives the path of a tool."""

    def __init__(self, folder, find, steps):
        self.folder, self.train = pathlib.Path(folder), find("rnn-train")
        self.options = ["--data=text.txt", "--streams=3", "--threads=2", "--epochs=100", f"--max-steps={steps}",
                        "--save-every=4", "--val-every=6", "--seed=5", "--quiet"]
        (self.folder / "net.mlir").write_text(MODEL)
        words = ["the cat sat on the mat. ", "a dog ran to the man. ", "no one saw it go. "]
        (self.folder / "text.txt").write_text("".join(words[i * i % 3] for i in range(60)))
        subprocess.run([find("rnn-compile"), "net.mlir", "-o", "net.rnnc", "--streams=3"], cwd=self.folder, check=True)
        self.library = self.folder / "failing_saves.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-w", "-o", self.library, HERE / "failing_saves.c", "-ldl"],
                       check=True)
        copies = self.folder / "copies"
        copies.mkdir()
        done = self.start("whole", SAVE_FAILS_AT="0", SAVE_COPIES=str(copies)).communicate()[1]
        self.calls = int(done.split("calls: ")[1])
        self.whole = self.bytes("whole")
        # All that a file may ever hold, by name.
        self.versions = {name: {p.read_bytes() for p in copies.glob(f"*.{name}")} for name in FILES}

    def start(self, out, *options, **environment):
        preload = {"LD_PRELOAD": preloaded(self.library)} if environment else {}
        return subprocess.Popen([self.train, "net.rnnc", f"--out={out}", *self.options, *options], cwd=self.folder,
                                env={**os.environ, **preload, **environment}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def bytes(self, out):
        """Contents of the run's files, and its log but for the measured speed."""
        folder = self.folder / out
        speed = (folder / "log.csv").read_text().splitlines()[0].split(",").index("frames_per_s")
        log = [",".join(f for i, f in enumerate(line.split(",")) if i != speed)
               for line in (folder / "log.csv").read_text().splitlines()]
        return {"log.csv": log, **{name: (folder / name).read_bytes() for name in FILES}}

    def check(self, out):
        """Every file is old or new; True if there is a checkpoint to go on from."""
        for name in FILES:
            path = self.folder / out / name
            assert not path.exists() or path.read_bytes() in self.versions[name], f"{name} is torn"
        return (self.folder / out / FILES[0]).exists()

    def finish(self, out):
        """Goes on to the end, from the checkpoint or from the beginning."""
        how = "--resume" if self.check(out) else "--overwrite"
        process = self.start(out, how)
        messages = process.communicate()[1]
        assert process.returncode == 0, messages
        assert self.bytes(out) == self.whole, "not the same bytes as without interruption"

    def fail_at(self, call, by):
        """One system call of a save fails. Returns how the training ended."""
        out = f"{by}-{call}"
        process = self.start(out, SAVE_FAILS_AT=str(call), SAVE_FAILS_BY=by)
        messages = process.communicate()[1]
        if by == "kill":
            assert process.returncode == -signal.SIGKILL, messages
        elif process.returncode == 0:  # Closing what is safe on the disk.
            assert self.bytes(out) == self.whole
        else:
            assert process.returncode == 1 and "rnn-train: error: cannot write" in messages, messages
            assert "Input/output error" in messages and not list((self.folder / out).glob("*.tmp.*"))
        self.finish(out)
        shutil.rmtree(self.folder / out)
        return process.returncode

    def kill_at_random(self, rng, name):
        """Kills a training at random moments until it has come to its end. Returns how often it was killed."""
        began = time.monotonic()
        process = self.start(f"time-{name}")
        process.communicate()
        length, kills, out = time.monotonic() - began, 0, f"random-{name}"
        for _ in range(8):
            how = [] if not (self.folder / out).exists() else ["--resume"] if self.check(out) else ["--overwrite"]
            process = self.start(out, *how)
            try:
                process.wait(rng.random() * length)
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
            process.communicate()
            if process.returncode == 0:
                break
            self.check(out)
        self.finish(out)
        for folder in (out, f"time-{name}"):
            shutil.rmtree(self.folder / folder)
        return kills


def main():
    parser = argparse.ArgumentParser(description="Kills trainings, in every system call of a save and at random.")
    parser.add_argument("--kills", type=int, default=500, help="at random moments, at least")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    build = os.environ.get("RNN_TEST_BUILD", str(HERE.parent.parent / "build"))
    find = lambda name: shutil.which(name) or shutil.which(name, path=f"{build}/bin") or sys.exit(f"{name} is not built")
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder, find, options.steps)
        print(f"{run.calls} system calls in saves", flush=True)
        ends = [run.fail_at(call, by) for by in ("error", "kill") for call in range(1, run.calls + 1)]
        print(f"failed: {ends.count(1)}, without effect: {ends.count(0)}, killed: {ends.count(-signal.SIGKILL)}", flush=True)
        rng, kills, trainings = random.Random(options.seed), 0, 0
        while kills < options.kills:
            kills += run.kill_at_random(rng, trainings)
            trainings += 1
        print(f"killed {kills} times in {trainings} trainings at random moments")
        print("every file was old or new, every training ended with the same bytes")


if __name__ == "__main__":
    main()
