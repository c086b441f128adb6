# ===- hops.py - What a word takes from block to block --------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   hops.py [--bundle=<folder>] [--target=cuda|emulator] [--rows=<globs>] [--json=<file>] [--seconds=150] [--round=0.2]
#
# A hop is the time from the store of a word by one block of a loop to the register of its reader in another block. The
# compiler generates every exchange, so hops are measured as loops: h[t] = W h[t-1], whose frame is little else, dealt
# out in each way in which threads give vectors to each other:
#
#   block      one block: shared memory and a barrier; what the others are compared with
#   cluster    messages to the shared memory of the other blocks of a cluster, awaited at an mbarrier
#   grid       words in global memory, polled by all blocks
#   op-by-op   blocks that meet by counting; one block, whose threads meet at its barrier
#
# A row is named by its regime, its blocks, and the words that each of them publishes. Units per block are written into
# the schedule, and the report and the launches must say that the loop is as its name says.
# Every word of every call is known: W reflects and permutes, and has no rounding in any order of its sums, since all
# numbers are short binary fractions. Wrong words are an error, also those of the calls that were timed.
#
# The time of a frame is by how much longer a call of three times as many frames takes, in several rounds: launches
# cancel. That is not the loop alone, since a small kernel counts ages, one frame after another; so PyTorch's profiler
# tells the same of the loop's kernel, and where it does, that counts.
#
# Beside it stands what sasscost.py estimates of the kernel, made with the bundle if nvdisasm was there, else here:
#
#   work   from the arrival of the words to the store of the next; of one block, its whole frame
#   blind  from a store to the answer to the loop's next poll, if the words are there when it asks
#   frame  of all that, with a hop that takes as long as is assumed
#
# What a frame takes besides its work is the hop as the loop sees it, to be held against HOP and CLUSTER_HOP. A hop that
# is shorter than the blind part is not seen. Ordinary loads are assumed to find their words in a near cache, as three
# of four ages do.
#
# Needs PyTorch, whose tensors stay on the GPU. An emulator's time says nothing: there tiny rows go through all of the
# code but the profiler, and are checked.
#
# ===-------------------------------------------------------------------------===#

import argparse
import fnmatch
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np

import artifact
import gpu
import parallelism
import sasscost

HERE = pathlib.Path(__file__).resolve().parent
FRAMES = 4097  # of the shorter call: odd, so that no call has the numbers of the one before
FEW_FRAMES = 5  # the same, for the emulator
CHECKED_FRAMES = (37, 6)  # of the first calls
TIMES_LONGER = 3
ROUNDS = 5
PROFILES = 3
MEETING_CYCLES = 2500  # of blocks that run op by op: what OpByOp.cpp assumes
MEETING = "atom.acq_rel.gpu.global.add"  # in PTX; all of them are in the loops over frames
NEAR_LOAD = 33  # cycles of an ordinary load; assumed
ASSUMED = {"grid": sasscost.HOP, "cluster": sasscost.CLUSTER_HOP}


class Row(NamedTuple):
    regime: str  # as in the report of rnn-compile
    blocks: int
    words: int  # that each block publishes in a frame; for loops by units its units

    @property
    def name(self):
        return f"{self.regime}-{self.blocks}x{self.words}"

    @property
    def size(self):
        """Words of the whole vector."""
        return self.blocks * self.words

    @property
    def in_one_block(self):
        """The same work within one block."""
        return Row("op-by-op" if self.regime == "op-by-op" else "block", 1, self.size)


# In order of importance: 64 blocks of 8 units are what an LSTM of 512 units has; then come one word of each block, and
# 128 words in any number of blocks. Sizes are powers of two.
ROWS = [Row("grid", 64, 8), *(Row("grid", blocks, 1) for blocks in (128, 2, 32, 8)),
        *(Row("block", 1, size) for size in (128, 2, 32, 8, 4, 16)),
        *(Row("cluster", blocks, 1) for blocks in (16, 2, 8, 4)),
        *(Row("cluster", blocks, 128 // blocks) for blocks in (16, 2, 8, 4)),
        *(Row("grid", blocks, 128 // blocks) for blocks in (2, 32, 8)),
        *(Row("op-by-op", blocks, 1) for blocks in (128, 2, 32)), *(Row("op-by-op", 1, size) for size in (128, 2, 32))]
# What the emulator runs in seconds.
TINY = [Row("block", 1, 4), Row("cluster", 2, 2), Row("grid", 2, 2), Row("op-by-op", 2, 2), Row("op-by-op", 1, 4)]


# ===-------------------------------------------------------------------------===#
# The network, and what it computes
# ===-------------------------------------------------------------------------===#


def mlir(size):
    """The network @net. Its input says only how many frames there are."""
    return f"""!V = tensor<{size}xf32>
!W = tensor<{size}x{size}xf32>
rnn.parameter @w : !W init(#rnn.zeros)
rnn.network @net(%x: tensor<f32>) -> (h: !V) {{
  %h1 = rnn.delay %h by 1 : !V
  %w = rnn.param @w : !W
  %h = rnn.linear %h1, %w : (!V, !W) -> !V
  rnn.output %h : !V
}}
"""


def first(size):
    """The h of before the first frame."""
    return 1 + np.arange(size, dtype=np.float32) % 7


def reflected(vector):
    """Every element depends on all; reflected twice, they are again what they were."""
    return vector - vector.dtype.type(2 / len(vector)) * vector.sum()


def matrix(size):
    """Reflects a vector and moves each of its elements on by one place."""
    return np.roll(np.eye(size, dtype=np.float32) - np.float32(2 / size), 1, axis=0)


def expected(size, begin, frames):
    """What h must be in so many frames; the first of them comes `begin` frames after that of `first`."""
    number = np.arange(begin, begin + frames)[:, None]
    both = np.stack([first(size), reflected(first(size))])
    return both[number % 2, (np.arange(size) - number) % size]


def start(program, size):
    """Gives a program its matrix, and a state as if it had computed `first`."""
    program.params["w"] = matrix(size)
    program.state["h"] = first(size).reshape(program.state["h"].shape)
    program.state["age"] = np.ones(1, np.int64)


# ===-------------------------------------------------------------------------===#
# Artifacts, and what they say of themselves
# ===-------------------------------------------------------------------------===#


def left_out(row, chip):
    """Why a bundle for a chip has no such loop; None if it has one."""
    has_clusters = int(re.match(r"sm_(\d+)", chip)[1]) >= 90
    return None if has_clusters or row.regime != "cluster" else f"{chip} has no clusters"


def deal_out(schedule, row):
    """The schedule's text with the attribute that says how its loop runs."""
    how = {"op-by-op": "regime = op_by_op"}.get(row.regime, f"regime = {row.regime}, units = {row.words}, streams = 1")
    text, count = re.subn(r"(rnn\.recurrent [^\n]* \{)(?=slots = )", rf"\1loop = #rnn.loop<{how}>, ", schedule)
    if count != 1:
        raise RuntimeError(f"{row.name}: its schedule has {count} loops, expected one")
    return text


def make(compile_artifact, folder, row, chip):
    """Writes <name>.rnnc.gz and what became of its loop, <name>.json, which it returns."""
    file, report = folder / f"{row.name}.rnnc", folder / f"{row.name}.json"
    if reason := left_out(row, chip):
        described = {"left_out": reason}
        report.write_text(json.dumps(described) + "\n")
        return described
    targets = [f"cuda:{chip}"] + ["emulator"] * (row in TINY)
    # Loops op by op have no units: the option tells whether they spread.
    options = [f"--regime={'grid' if row.blocks > 1 else 'block'}"] if row.regime == "op-by-op" else []
    with tempfile.TemporaryDirectory() as work:
        schedule = pathlib.Path(work) / "schedule.mlir"
        compile_artifact(mlir(row.size), schedule, "--compile-to=schedule")
        compile_artifact(deal_out(schedule.read_text(), row), file, *[f"--target={target}" for target in targets],
                         *options, f"--report={report}")
    compiled = artifact.Artifact(file)
    described = describe(json.loads(report.read_text()), compiled)
    report.write_text(json.dumps(described, indent=1) + "\n")
    for target in targets:
        if wrong := misfit(row, described, compiled, target):
            raise RuntimeError(f"{row.name} for {target}: {wrong}")
    parallelism.pack(file)
    return described


def describe(report, compiled):
    """The loops of all targets, the registers of their kernels, the meetings of blocks, and estimates of a frame."""
    kernels = {(kernel["target"], kernel["name"]): kernel for kernel in report.get("kernels", [])}
    loops = [loop | {key: kernels[loop["target"], loop["kernel"]][key] for key in ("registers", "spills")
                     if (loop["target"], loop["kernel"]) in kernels} for loop in report["loops"]]
    meetings = sum(compiled.sections[artifact.PTX, target].decode().count(MEETING)
                   for target in compiled.targets(artifact.PTX))
    return {"loops": loops, "meetings": meetings, "estimate": estimate_of(compiled, loops)}


def estimate_of(compiled, loops):
    """The estimate of the loop that a GPU has, or why there is none."""
    try:
        return estimate(compiled, next(loop for loop in loops if loop["target"].startswith("cuda")))
    except sasscost.Problem as problem:
        return {"error": str(problem)}


def estimate(compiled, loop):
    """Microseconds of work and of the blind part of a frame, by the machine code."""
    if loop["regime"] == "op-by-op":
        raise sasscost.Problem("op by op: the machine code does not tell how long its loops are")
    cubin = compiled.sections.get((artifact.CUBIN, loop["target"]))
    if not cubin:
        raise sasscost.Problem("no cubin: rnn-compile found no ptxas")
    kernel = sasscost.Kernel(*sasscost.disassemble(cubin)[loop["kernel"]])
    at_once = sasscost.simulate(kernel, 1, hop=0, cluster_hop=0, load=NEAR_LOAD)
    assumed = sasscost.simulate(kernel, 1, load=NEAR_LOAD)
    work = at_once.published
    cycles = {"work_us": at_once.cycles, "blind_us": None, "frame_us": assumed.cycles}
    if work is not None:
        cycles |= {"work_us": work, "blind_us": at_once.cycles - work}
    return {key: None if value is None else value / sasscost.GHZ / 1000 for key, value in cycles.items()}


def misfit(row, described, compiled, target):
    """Why the loop is not what the row's name says, by the report and by the launches; None if it is."""
    loops = [loop for loop in described["loops"] if loop["target"] == target]
    if len(loops) != 1:
        return f"{len(loops)} loops are for {target}, expected one"
    (loop,) = loops
    want = {"regime": row.regime, "blocks": row.blocks}
    if row.regime != "op-by-op":
        want |= {"units_per_block": row.words, "streams_per_block": 1, "weights": "registers", "exchanges": 1,
                 "products": "multiply-adds", "exchanged_bytes": 4 * row.size}
    for key, value in want.items():
        if loop.get(key) != value:
            return f"the loop's {key} is {loop.get(key)}, expected {value}"
    launched = [(artifact.blocks(launch, FRAMES), launch["block"], launch["cluster"], launch["cooperative"])
                for launch in compiled.launches("net", target)[0] if launch["kernel"] == loop["kernel"]]
    waits = row.blocks > 1 and row.regime in ("grid", "op-by-op")
    wanted = (row.blocks, loop["threads"], row.blocks if row.regime == "cluster" else 1, waits)
    if launched != [wanted]:
        return f"(blocks, threads, blocks of a cluster, cooperative) of its launches are {launched}, expected {wanted}"
    if bool(described["meetings"]) != (row.regime == "op-by-op" and waits):
        return f"its blocks meet {described['meetings']} times a frame"
    return None


# ===-------------------------------------------------------------------------===#
# The worker
# ===-------------------------------------------------------------------------===#


class Loop:
    """A row's network on the target. Each call goes on from the state of the one before."""

    def __init__(self, options, row, on_gpu):
        self.program = gpu.load(options, f"hops/{row.name}.rnnc")
        self.size, self.done, self.on_gpu = row.size, 0, on_gpu
        start(self.program, row.size)
        self.wait = lambda: None
        if on_gpu:
            import torch
            self.wait = torch.cuda.synchronize

    def take(self, frames):
        """The next calls have so many frames."""
        self.x = np.zeros((frames, 1), np.float32)
        if self.on_gpu:
            import torch
            self.x = torch.tensor(self.x, device="cuda")

    def forward(self):
        self.h = self.program.run("net", x=self.x)["h"]
        self.done += len(self.x)

    def wrong_words(self):
        """Of the last call, how many of its words are not what they must be."""
        got = self.h.numpy()[:, 0]
        return int(np.sum(got != expected(self.size, 1 + self.done - len(got), len(got))))


def check(options, row):
    """Wrong words of the first calls."""
    loop, wrong = Loop(options, row, on_gpu=False), 0
    for frames in CHECKED_FRAMES:
        loop.take(frames)
        loop.forward()
        wrong += loop.wrong_words()
    return {"wrong_words": wrong, "words": sum(CHECKED_FRAMES) * row.size}


def measure_frame(options, row, kernel, frames, seconds, on_gpu):
    """Microseconds per frame in each round, of a call and of its loop's kernel; and whether all words were right."""
    loop = Loop(options, row, on_gpu)
    both = (frames, TIMES_LONGER * frames)
    wrong, rounds = 0, []
    for _ in range(ROUNDS):
        times = []
        for count in both:
            loop.take(count)
            times += gpu.measure(loop, "forward", seconds / ROUNDS / 2, rounds=1)
            wrong += loop.wrong_words()
        rounds.append(slope(times, both))
    answer = {"us_per_frame": statistics.median(rounds), "rounds": rounds, "frames": both, "wrong_words": wrong}
    if on_gpu:
        try:
            kernel_rounds = [slope([profiled(loop, kernel, count) for count in both], both) for _ in range(PROFILES)]
            answer |= {"kernel_us_per_frame": statistics.median(kernel_rounds), "kernel_rounds": kernel_rounds}
        except Exception as error:  # a machine may have no profiler: the calls were timed all the same
            answer["kernel_error"] = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return answer


def slope(times, frames):
    """How much more a frame takes, of two calls."""
    return (times[1] - times[0]) / (frames[1] - frames[0])


def profiled(loop, kernel, frames):
    """Microseconds of the loop's kernel in one call."""
    loop.take(frames)
    return kernel_time(gpu.profile(loop, "forward")["kernels"], kernel)


def kernel_time(kernels, wanted):
    """Of the profile of one call, which must have launched it once."""
    times = [time_us for name, count, time_us in kernels if name == wanted and count == 1]
    if len(times) != 1:
        raise RuntimeError(f"the profile does not have '{wanted}' once: {kernels}")
    return times[0]


def answer_request(kind, options, request):
    row = Row(*request["row"])
    match request["do"]:
        case "check":
            return check(options, row)
        case "time":
            return measure_frame(options, row, request["kernel"], request["frames"], request["seconds"],
                                 request["on_gpu"])
    raise ValueError(f"no request {request}")


# ===-------------------------------------------------------------------------===#
# The run
# ===-------------------------------------------------------------------------===#


def chosen(options):
    """Rows in the order of the run."""
    return [row for row in (TINY if options.target == "emulator" else ROWS)
            if any(fnmatch.fnmatch(row.name, glob) for glob in options.rows.split(","))]


class Run:
    def __init__(self, options):
        self.options = options
        self.on_gpu = options.target == "cuda"
        self.began = time.monotonic()
        self.log = open(f"{options.json}.log", "w") if options.json else subprocess.DEVNULL
        shared = {"bundle": str(options.bundle), "target": "cuda:0" if self.on_gpu else "emulator"}
        self.worker = gpu.Worker("hops", shared, self.log, script=__file__)
        self.result = {"machine": gpu.machine(options.target), "ghz": sasscost.GHZ, "assumed_us": ASSUMED, "rows": []}

    def left(self):
        return self.options.seconds - (time.monotonic() - self.began)

    def save(self):
        self.result["seconds"] = round(time.monotonic() - self.began, 1)
        gpu.write(self.options.json, self.result)

    def loop_of(self, row, entry):
        """The loop in the artifact of the bundle, which must be what the row's name says."""
        folder = self.options.bundle / "hops"
        described = json.loads((folder / f"{row.name}.json").read_text())
        if reason := described.get("left_out"):
            entry["left_out"] = reason
            return
        compiled = artifact.Artifact(folder / f"{row.name}.rnnc.gz")
        targets = [target for target in compiled.targets(artifact.LAUNCHES) if target.startswith(self.options.target)]
        if len(targets) != 1:
            raise ValueError(f"'{row.name}.rnnc.gz' has {len(targets)} targets '{self.options.target}', expected one")
        if wrong := misfit(row, described, compiled, targets[0]):
            raise ValueError(wrong)
        (entry["loop"],) = (loop for loop in described["loops"] if loop["target"] == targets[0])
        entry["meetings"], entry["estimate"] = described["meetings"], described["estimate"]
        if "error" in entry["estimate"]:  # nvdisasm may be here, if not where the bundle was made
            entry["estimate"] = estimate_of(compiled, described["loops"])

    def row(self, row):
        entry = {"name": row.name, **row._asdict()}
        self.result["rows"].append(entry)
        if self.left() < 0:
            entry["left_out"] = "no time"
            return
        try:
            self.loop_of(row, entry)
        except (OSError, ValueError) as error:
            entry["error"] = str(error)
        if "loop" not in entry:
            return
        entry["check"] = self.worker.ask(30, do="check", row=row)
        self.save()
        timed = self.worker.ask(60, do="time", row=row, kernel=entry["loop"]["kernel"], on_gpu=self.on_gpu,
                                frames=FRAMES if self.on_gpu else FEW_FRAMES,
                                seconds=self.options.round if self.on_gpu else 0)
        # What an emulator takes is not the time of anything.
        entry["time"] = timed if self.on_gpu or "error" in timed else {
            key: timed[key] for key in ("frames", "wrong_words")}

    def all(self):
        print("   ".join(f"{key} {value}" for key, value in self.result["machine"].items()))
        print(f"estimates at {sasscost.GHZ} GHz; assumed: {ASSUMED['grid']} us across the grid, "
              f"{ASSUMED['cluster']} in a cluster")
        if not self.on_gpu:
            print("an emulator: its numbers are checked, and nothing is timed")
        print(f"\n{header(self.on_gpu)}")
        for row in chosen(self.options):
            self.row(row)
            self.save()
            print(line(self.result["rows"][-1], self.on_gpu), flush=True)
        self.worker.stop()
        if self.on_gpu:
            self.result["machine"]["nvidia-smi after"] = gpu.machine("cuda").get("nvidia-smi")
            compare(self.result["rows"])
            print(*summary(self.result["rows"]), sep="\n")
        for note in notes(self.result["rows"]):
            print(note)
        self.save()
        wrong = [entry for entry in self.result["rows"] if "left_out" not in entry and verdict(entry) != "ok"]
        return f"hops.py: error: {len(wrong)} of {len(self.result['rows'])} rows are wrong" if wrong else 0


def notes(entries):
    """What is missing in some rows, and why."""
    missing = {}
    for entry in entries:
        for title, reason in (("estimate", entry.get("estimate", {}).get("error")),
                              ("profile", entry.get("time", {}).get("kernel_error"))):
            if reason:
                missing.setdefault(f"no {title}: {reason}", []).append(entry["name"])
    return [f"{reason} ({', '.join(names)})" for reason, names in missing.items()]


def verdict(entry):
    """`ok` if all words were right, in calls that were timed, too."""
    if "left_out" in entry:
        return f"left out: {entry['left_out']}"
    for answer in (entry, entry.get("check", {}), entry.get("time", {})):
        if "error" in answer:
            return f"ERROR {answer['error']}"
        if wrong := answer.get("wrong_words"):
            return f"DIFFERS in {wrong} words"
    return "ok"


def frame_time(entry):
    """Of the loop's kernel where the profiler knows it, else of a call; None where nothing was timed, or was wrong."""
    timed = entry.get("time", {})
    return timed.get("kernel_us_per_frame", timed.get("us_per_frame")) if verdict(entry) == "ok" else None


def difference(entry):
    """What a frame takes besides its estimated work: the hop as the loop sees it, or of one block what is not known."""
    taken, work = frame_time(entry), entry.get("estimate", {}).get("work_us")
    return None if taken is None or work is None else taken - work


def compare(entries):
    """Notes what each row takes besides its work, and what more than the same work within one block."""
    by_name = {entry["name"]: entry for entry in entries}
    for entry in entries:
        one = by_name.get(Row(entry["regime"], entry["blocks"], entry["words"]).in_one_block.name, {})
        taken, within = frame_time(entry), frame_time(one) if one else None
        entry["besides_work_us"] = difference(entry)
        entry["over_one_block_us"] = None if taken is None or within is None or one is entry else taken - within


def number(value):
    return f"{value:7.3f}" if value is not None else "      -"


def header(on_gpu):
    times = "  a call (  least    most)   kernel   besides the work" if on_gpu else ""
    return f"{'row':15} threads registers spilled     work   blind   frame{times}   us per frame"


def line(entry, on_gpu):
    """One row: its loop, the estimates, the times, what is left."""
    loop, estimated, timed = (entry.get(key, {}) for key in ("loop", "estimate", "time"))
    threads, registers, spills = (loop.get(key, "-") for key in ("threads", "registers", "spills"))
    text = (f"{entry['name']:15} {threads:>7} {registers:>9} {spills:>7}  "
            + " ".join(number(estimated.get(key)) for key in ("work_us", "blind_us", "frame_us")))
    if on_gpu:
        rounds = timed.get("rounds", [None])
        text += (f"  {number(timed.get('us_per_frame'))} ({number(min(rounds))} {number(max(rounds))})  "
                 f"{number(timed.get('kernel_us_per_frame'))}            {number(difference(entry))}")
    return f"{text}   {verdict(entry)}"


def summary(entries):
    """What the rows say of a hop, and of a meeting of blocks that run op by op."""
    def list_rows(regime, key):
        rows = [(entry["name"], entry[key] / (entry["meetings"] or 1)) for entry in entries
                if entry["regime"] == regime and entry[key] is not None]
        return ", ".join(f"{name} {value:.3f}" for name, value in rows) or "not known"

    return ["", "us of a frame besides the estimated work",
            *(f"  {regime}, a hop is assumed to take {assumed}: {list_rows(regime, 'besides_work_us')}"
              for regime, assumed in ASSUMED.items()),
            f"  block, where there is none: {list_rows('block', 'besides_work_us')}",
            "us of a frame more than of the same work within one block",
            *(f"  {regime}: {list_rows(regime, 'over_one_block_us')}" for regime in ASSUMED),
            f"  op-by-op, a meeting against a barrier, assumed {MEETING_CYCLES / sasscost.GHZ / 1000:.2f}: "
            f"{list_rows('op-by-op', 'over_one_block_us')}"]


def main():
    if sys.argv[1:2] == ["--worker"]:
        return gpu.worker(sys.argv[2], json.loads(sys.argv[3]), answer_request)
    parser = argparse.ArgumentParser(description="Times loops that exchange little; scripts/bundle makes what it runs.")
    parser.add_argument("--bundle", type=pathlib.Path, default=HERE.parent)
    parser.add_argument("--target", choices=["cuda", "emulator"], default="cuda")
    parser.add_argument("--rows", default="*", help="names of rows, with wildcards, separated by commas")
    parser.add_argument("--seconds", type=float, default=150, help="no new measurement after so many")
    parser.add_argument("--round", type=float, default=0.2, help="seconds of the measurement of a row")
    parser.add_argument("--json")
    options = parser.parse_args()
    options.bundle = options.bundle.resolve()
    return Run(options).all()


if __name__ == "__main__":
    sys.exit(main())
