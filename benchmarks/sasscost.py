# ===- sasscost.py - What a frame of a loop costs, by its machine code -------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   sasscost.py [--points=<globs of models.py>] [--json=<file>] [--trace=<kernel>]
#   sasscost.py net.mlir [--streams=<n>]
#   sasscost.py net.rnnc[.gz] [--report=<report of rnn-compile, default net.json>]
#
# An estimate, without a GPU, of the microseconds per frame of each loop over frames: one warp goes through the loop in
# order, by the stalls and scoreboards that ptxas wrote into the instructions and by assumed latencies. It says where
# the cycles are and which of two versions of a kernel is shorter; it is no measurement.
#
# Needs nvdisasm, on PATH or in /usr/local/cuda/bin, which comes with the CUDA toolkit and with PyPI's
# nvidia-cuda-nvdisasm; for networks also rnn-compile of build/, or of the folder that $RNN_TEST_BUILD names, and ptxas.
#
# What is assumed:
#
#   - Latencies are those of LATENCY, of loads too that find their words in a near cache or in memory.
#   - All warps come to a barrier together, and nobody else is in the way: no conflicts in shared memory, no waiting for
#     the pipes or for the level-2 cache, no more than HOP between a published word and the register of its reader.
#   - At a branch that goes both ways within the loop the code that may be left out is run: the way of the warps that own
#     elements. Slow paths of shuffles are not taken.
#   - A loop that polls runs once; its loads give the published words. A loop around such loops, over streams of a block,
#     runs so often that all of them are polled; its trips stand in the table. Other loops inside a frame are refused.
#   - Where a quarter of a multiprocessor has several warps, a frame takes at least their instructions, one a cycle.
#
# ===-------------------------------------------------------------------------===#

import argparse
import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

import artifact
import models

HERE = pathlib.Path(__file__).resolve().parent
GHZ = 1.98  # an H200 under load; the runs in results/ name the same clock
# From the store of a word to the register of a reader that polls in another multiprocessor, in microseconds.
HOP = 0.28
# The same within a cluster: from a message to the thread that waits at the mbarrier of another block.
CLUSTER_HOP = 0.15
# Cycles until the result of an operation of variable latency is there, and those of a barrier when all have come.
# Assumed: public micro-benchmarks of sm_90 for shared memory, shuffles, special functions and the level-2 cache, rounded;
# none was measured by us.
LATENCY = {"LDS": 30, "STS": 12, "SHFL": 24, "MUFU": 20, "BAR": 35, "LDG": 265, "LD": 265, "LDL": 30, "STG": 12, "ST": 12,
           "STL": 12, "LDC": 30, "ULDC": 30, "S2R": 25, "S2UR": 25, "R2UR": 12, "HMMA": 33, "I2F": 20, "F2I": 20,
           "F2F": 20, "VOTE": 10, "VOTEU": 10, "WARPSYNC": 5}
OTHER_LATENCY = 8
WIDE_LATENCY = 6  # more for 16 bytes
OPERANDS_READ = 12  # until a store has read its registers
ITERATIONS, SETTLED = 8, 4  # frames that are run, and those before the period is taken
QUARTERS = 4  # of a multiprocessor, each issues one instruction a cycle

# Microseconds per frame of a training step that the project wants on an H200 (cell, hidden, streams, layers).
TARGETS = {("lstm", 64, 1, 1): 0.8, ("lstm", 128, 1, 1): 0.8, ("lstm", 256, 1, 1): 1.2, ("lstm", 512, 1, 1): 2.5,
           ("lstm", 1024, 1, 1): 2.5, ("lstm", 256, 1, 4): 3.5, ("lstm", 512, 1, 4): 3.5, ("lstm", 768, 16, 1): 3.52}


class Problem(Exception):
    """What is missing or not understood; ends the tool with its text."""


# ===-------------------------------------------------------------------------===#
# Machine code
# ===-------------------------------------------------------------------------===#


class Instruction(NamedTuple):
    """Text without predicate, the predicate, and what ptxas says of issuing it: cycles to the next instruction, the
    scoreboards that its result and its operands release (7: none), a bit for each scoreboard that it waits for."""

    text: str
    predicate: str
    stall: int
    write: int
    read: int
    wait: int

    @property
    def operation(self):
        return self.text.split(" ")[0]

    @property
    def kind(self):
        return self.operation.split(".")[0]

    @property
    def label(self):
        """Where a branch goes; None for what is no branch, or one to a register."""
        found = re.search(r"`\((\S+)\)", self.text) if self.kind == "BRA" else None
        return found[1] if found else None

    @property
    def is_conditional(self):
        """A branch on a predicate: before it, or as its first operand."""
        return bool(self.predicate) or "DIV" in self.operation or bool(re.match(r"BRA\S* !?U?P\d", self.text))

    @property
    def polls(self):
        return self.kind in ("LDG", "LD") and "STRONG" in self.operation or "TRYWAIT" in self.operation

    @property
    def publishes(self):
        return self.kind in ("STG", "ST") and "STRONG" in self.operation or self.kind == "STAS"

    @property
    def latency(self):
        return LATENCY.get(self.kind, OTHER_LATENCY) + (WIDE_LATENCY if ".128" in self.operation else 0)


INSTRUCTION = re.compile(r"\s*/\*[0-9a-f]{4,}\*/\s+(@!?U?P\w+)?\s*(\S.*?)\s*;\s+/\* 0x[0-9a-f]{16} \*/")
SECOND_WORD = re.compile(r"\s*/\* 0x([0-9a-f]{16}) \*/")


def parse(text):
    """Kernels of `nvdisasm -c -hex`: name to (instructions, label to the number of the instruction behind it)."""
    kernels, lines = {}, iter(text.splitlines())
    instructions, labels = [], {}
    for line in lines:
        if found := re.match(r"\.text\.(\S+):", line):
            instructions, labels = kernels.setdefault(found[1], ([], {}))
        elif found := re.match(r"(\.L_\S+):", line):
            labels[found[1]] = len(instructions)
        elif found := INSTRUCTION.match(line):
            second = SECOND_WORD.match(next(lines, ""))
            if not second:
                raise Problem(f"no second word behind '{found[2]}'; expected the output of nvdisasm -c -hex")
            # Of 128 bits: 105-108 stall, 109 yield, 110-112 and 113-115 scoreboards, 116-121 wait.
            control = int(second[1], 16) >> 41
            instructions.append(Instruction(found[2], found[1] or "", control & 15, control >> 5 & 7, control >> 8 & 7,
                                            control >> 11 & 63))
    return kernels


class Loop(NamedTuple):
    header: int
    body: frozenset


class Kernel:
    """Control flow between single instructions, and its natural loops."""

    def __init__(self, instructions, labels):
        self.instructions, self.labels = instructions, labels
        count = len(instructions)
        self.after = [self.successors(index) for index in range(count)]
        self.before = [[] for _ in range(count)]
        order, seen, stack = [], {0}, [(0, iter(self.after[0]))]
        while stack:
            index, successors = stack[-1]
            for successor in successors:
                self.before[successor].append(index)
                if successor not in seen:
                    seen.add(successor)
                    stack.append((successor, iter(self.after[successor])))
                    break
            else:
                order.append(index)
                stack.pop()
        self.loops = self.natural_loops(order[::-1])

    def successors(self, index):
        instruction, following = self.instructions[index], [index + 1] if index + 1 < len(self.instructions) else []
        if instruction.kind == "EXIT":
            return following if instruction.predicate else []
        if instruction.kind == "BRA":
            if instruction.label not in self.labels:
                raise Problem(f"branch to '{instruction.text}'")
            return (following if instruction.is_conditional else []) + [self.labels[instruction.label]]
        if instruction.kind == "CALL" and "slowpath" in instruction.text:
            return following  # for operands that are rare, as of a square root
        if instruction.kind == "RET":
            return []
        if instruction.kind in ("BRX", "JMP", "JMX", "CALL"):
            raise Problem(f"'{instruction.text}' is not understood")
        return following

    def natural_loops(self, order):
        """Loops by header; a back edge goes to an instruction that all ways to its source lead through."""
        position = {index: number for number, index in enumerate(order)}
        dominator = {order[0]: order[0]}
        changed = True
        while changed:
            changed = False
            for index in order[1:]:
                best = None
                for source in self.before[index]:
                    if source in dominator:
                        best = source if best is None else self.common(source, best, dominator, position)
                if dominator.get(index) != best:
                    dominator[index], changed = best, True
        bodies = {}
        for source in order:
            for header in self.after[source]:
                if self.common(source, header, dominator, position) == header:
                    body = bodies.setdefault(header, {header})
                    stack = [source]
                    while stack:
                        index = stack.pop()
                        if index not in body:
                            body.add(index)
                            stack += [before for before in self.before[index] if before in position]
        return [Loop(header, frozenset(body)) for header, body in bodies.items()]

    @staticmethod
    def common(a, b, dominator, position):
        while a != b:
            while position[a] > position[b]:
                a = dominator[a]
            while position[b] > position[a]:
                b = dominator[b]
        return a

    def time_loop(self):
        """The smallest loop that has all barriers and published words that are in loops."""
        everywhere = {index for loop in self.loops for index in loop.body
                      if (found := self.instructions[index]).kind == "BAR" or found.publishes}
        candidates = [loop for loop in self.loops if everywhere and everywhere <= loop.body]
        if not candidates:
            raise Problem("no loop has all of its barriers and published words")
        return min(candidates, key=lambda loop: len(loop.body))

    def polls_in(self, loop):
        return {index for index in loop.body if self.instructions[index].polls}

    def is_polling(self, loop):
        return bool(self.polls_in(loop)) and not any(
            self.instructions[index].kind == "BAR" or self.instructions[index].publishes for index in loop.body)

    def path(self, streams):
        """The numbers of the instructions of a frame in order, and the trips of inner loops."""
        outer = self.time_loop()
        inner = sorted((loop for loop in self.loops if loop.body < outer.body), key=lambda loop: len(loop.body))
        polling = [loop for loop in inner if self.is_polling(loop)
                   and not any(self.is_polling(other) and other.body < loop.body for other in inner)]
        trips = {}
        for loop in inner:
            polls = sum(poll.body < loop.body for poll in polling)
            if loop not in polling and not polls:
                raise Problem("it has an inner loop whose length the machine code does not tell")
            trips[loop] = max(1, streams // polls) if polls else 1
        counts = dict.fromkeys(inner, 0)
        index, path = outer.header, []
        while not path or index != outer.header:
            path.append(index)
            if len(path) > 1000000:
                raise Problem("no way through the loop of a frame was found")
            for loop in inner:
                counts[loop] = counts[loop] + 1 if loop.header == index else 0 if index not in loop.body else counts[loop]
            choices = [choice for choice in self.after[index] if choice in outer.body]
            if not choices:
                raise Problem("a way through the loop of a frame ends in it")
            if len(choices) > 1:
                around = next((loop for loop in inner if index in loop.body
                               and any(choice not in loop.body for choice in choices)), None)
                if around:
                    leaves = counts[around] >= trips[around]
                    choices = [choice for choice in choices if (choice not in around.body) == leaves] or choices
                elif outer.header in choices:
                    # Both ways go on, one of them to the next frame: the other has something to do before.
                    choices = [choice for choice in choices if choice != outer.header]
            index = choices[0]
        return path, [trips[loop] for loop in inner if trips[loop] > 1]


# ===-------------------------------------------------------------------------===#
# One warp
# ===-------------------------------------------------------------------------===#


class Frame(NamedTuple):
    cycles: float  # from frame to frame
    instructions: int
    published: float | None  # cycles from the arrival of the words to the store of the next, where blocks exchange
    marks: list  # (cycle of the frame, instruction, cycles that it waited)
    trips: list


def simulate(kernel, streams, hop=HOP, cluster_hop=CLUSTER_HOP, load=None):
    """Runs a few frames; operations come in order, results when their scoreboard is released. `load`: the cycles of a
    load that does not poll, if not those of LATENCY."""
    path, trips = kernel.path(streams)
    time = 0.0
    scoreboards = [0.0] * 8
    published = arrived = response = None
    ends, marks = [0.0], []
    for iteration in range(ITERATIONS):
        for index in path:
            instruction, came = kernel.instructions[index], time
            for number in range(6):
                if instruction.wait >> number & 1:
                    time = max(time, scoreboards[number])
            if iteration == ITERATIONS - 1:
                marks.append((time - ends[-1], instruction, time - came))
            is_load = instruction.kind == "LDG" and not instruction.polls
            done = time + (instruction.latency if load is None or not is_load else load)
            if instruction.polls and published is not None:
                way = cluster_hop if instruction.kind == "SYNCS" else hop
                done = max(done, published + way * GHZ * 1000)
                arrived = done
            if instruction.publishes:
                published = time
                response = None if arrived is None else published - arrived
            if instruction.write < 6:
                scoreboards[instruction.write] = max(scoreboards[instruction.write], done)
            if instruction.read < 6:
                scoreboards[instruction.read] = max(scoreboards[instruction.read], time + OPERANDS_READ)
            time += max(instruction.stall, 1) + (LATENCY["BAR"] if instruction.kind == "BAR" else 0)
        ends.append(time)
    return Frame((ends[-1] - ends[SETTLED]) / (ITERATIONS - SETTLED), len(path), response, marks, trips)


def estimate(kernel, loop):
    """A row of the table; `loop` is an entry of `loops` of the report."""
    row = {key: loop.get(key) for key in ("kernel", "regime", "blocks", "threads", "streams_per_block", "weights")}
    if loop["regime"] == "op-by-op":
        return {**row, "error": "op by op: it has loops whose lengths the machine code does not tell"}
    try:
        frame = simulate(kernel, loop["streams_per_block"])
    except Problem as problem:
        return {**row, "error": str(problem)}
    warps = -(-loop["threads"] // 32)
    issue = frame.instructions * -(-warps // QUARTERS)
    cycles = max(frame.cycles, issue)
    return {**row, "instructions": frame.instructions, "path_cycles": round(frame.cycles), "issue_cycles": issue,
            "arrived_to_published_cycles": None if frame.published is None else round(frame.published),
            "inner_trips": frame.trips, "us_per_frame": cycles / GHZ / 1000}


# ===-------------------------------------------------------------------------===#
# Networks and artifacts
# ===-------------------------------------------------------------------------===#


def nvdisasm():
    path = shutil.which("nvdisasm", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"]))
    if not path:
        raise Problem("nvdisasm not found on PATH or in /usr/local/cuda/bin; it is in the CUDA toolkit (package "
                      "cuda-nvdisasm) and in PyPI's nvidia-cuda-nvdisasm")
    return path


def disassemble(cubin):
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        done = subprocess.run([nvdisasm(), "-c", "-hex", file.name], capture_output=True, text=True)
    if done.returncode != 0:
        raise Problem(f"nvdisasm: {done.stderr.strip()}")
    return parse(done.stdout)


def analyse(path, report):
    """Rows of all loops of an artifact, in the order of their launches."""
    compiled = artifact.Artifact(path)
    targets = compiled.targets(artifact.CUBIN)
    if not targets:
        raise Problem(f"'{path}' has no cubin: rnn-compile found no ptxas, or it has no target cuda")
    rows = []
    for target in targets:
        code = disassemble(compiled.sections[artifact.CUBIN, target])
        assembled = {entry["name"]: entry for entry in report["kernels"] if entry["target"] == target}
        for loop in report["loops"]:
            if loop["target"] == target:
                row = {"target": target, **estimate(Kernel(*code[loop["kernel"]]), loop)}
                rows.append(row | {key: assembled[loop["kernel"]][key] for key in ("registers", "spills")})
    return rows


def phases(rows, report):
    """Marks rows of a step as forward or backward, where each of its recurrent components is one loop."""
    recurrent = [part["phase"] for part in report["components"] if part["kind"] == "recurrent"]
    if len(recurrent) == len(rows):
        for row, phase in zip(rows, recurrent):
            row["phase"] = phase
    return rows


def compiled_rows(model, *options):
    build = pathlib.Path(os.environ.get("RNN_TEST_BUILD", HERE.parent / "build"))
    with tempfile.TemporaryDirectory() as folder:
        out, report = pathlib.Path(folder) / "net.rnnc", pathlib.Path(folder) / "net.json"
        done = subprocess.run([build / "bin" / "rnn-compile", "-", "-o", out, "--target=cuda:sm_90", *options,
                               f"--report={report}"], input=model, capture_output=True, text=True)
        if done.returncode != 0:
            raise Problem(f"rnn-compile: {done.stderr.strip()}")
        report = json.loads(report.read_text())
        return phases(analyse(out, report), report)


def measured():
    """What the newest run of gpu.py in results/ has, by point, and its name."""
    runs = [(path, json.loads(path.read_text()).get("points") or []) for path in (HERE / "results").glob("*gpu*.json")]
    path, points = max(runs, key=lambda run: (len(run[1]), run[0].name), default=(None, []))
    return ({row["name"]: row["ours"] for row in points}, path.name) if points else ({}, None)


def of_points(globs):
    """Rows of the networks of models.py, with what was measured and wanted of the whole step."""
    times, source = measured()
    networks = []
    for point in [point for point in models.POINTS if point.precision == "f32"]:  # no model of tensor cores
        if any(fnmatch.fnmatch(point.name, glob) for glob in globs.split(",")):
            rows = compiled_rows(models.mlir(point), "--functions=step", f"--streams={point.streams}")
            networks.append({"name": point.name, "loops": rows, "target_step": TARGETS.get(tuple(point[:4])),
                             "measured": {call: times.get(point.name, {}).get(call) for call in ("forward", "train")}})
            show(networks[-1])
    return {"ghz": GHZ, "hop_us": HOP, "cluster_hop_us": CLUSTER_HOP, "latency": LATENCY, "measured_in": source, "networks": networks}


# ===-------------------------------------------------------------------------===#
# Output
# ===-------------------------------------------------------------------------===#


def total(rows, phase=None):
    """Sum of the estimates; None if one is missing."""
    picked = [row for row in rows if phase is None or row.get("phase") == phase]
    return None if not picked or any("error" in row for row in picked) else sum(row["us_per_frame"] for row in picked)


def number(value):
    return f"{value:.2f}" if value is not None else "-"


def show(network):
    for row in network["loops"]:
        about = f"{network['name']:15} {row.get('phase', ''):8} {row['kernel']:14} {row['regime']:8} " \
                f"{row['blocks']:3} x {row['threads']:4}  {row['registers']:3} registers, {row['spills']} spilled  "
        if "error" in row:
            print(f"{about}not estimated: {row['error']}")
            continue
        published = row["arrived_to_published_cycles"]
        exchange = f" ({published} from arrived to published)" if published is not None else ""
        trips = f", inner loop x {row['inner_trips']}" if row["inner_trips"] else ""
        print(f"{about}{row['path_cycles']:5} cycles{exchange}, issue {row['issue_cycles']:5}{trips}: "
              f"{row['us_per_frame']:.2f} us")
    if "measured" in network:
        rows, times = network["loops"], network["measured"]
        print(f"{network['name']:15} estimate of loops forward {number(total(rows, 'forward'))}, all "
              f"{number(total(rows))}; measured forward part {number(times['forward'])}, step "
              f"{number(times['train'])}; wanted step {number(network['target_step'])} us per frame", flush=True)


def trace(path, report, name):
    """Every instruction of a frame: when it is issued, and how long it waited."""
    compiled = artifact.Artifact(path)
    loop = next((loop for loop in report["loops"] if loop["kernel"] == name), None)
    if loop is None:
        raise Problem(f"no loop '{name}'; there are: {', '.join(loop['kernel'] for loop in report['loops'])}")
    kernel = Kernel(*disassemble(compiled.sections[artifact.CUBIN, loop["target"]])[name])
    for cycle, instruction, waited in simulate(kernel, loop["streams_per_block"]).marks:
        print(f"{cycle:6.0f} {f'+{waited:.0f}' if waited else '':>5}  {instruction.predicate:5} {instruction.text}")


def main():
    parser = argparse.ArgumentParser(description="Estimates a frame of a loop on a GPU from its machine code.")
    parser.add_argument("file", nargs="?", type=pathlib.Path, help="a network or an artifact; none: points of models.py")
    parser.add_argument("--points", default="*", help="names of points, with wildcards, separated by commas")
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--report", type=pathlib.Path, help="the report of an artifact")
    parser.add_argument("--trace", help="prints a frame of this kernel of an artifact")
    parser.add_argument("--json")
    options = parser.parse_args()
    print(f"estimates at {GHZ} GHz with {HOP} us from block to block, {CLUSTER_HOP} in a cluster; not measured")
    if options.file and options.file.name.endswith((".rnnc", ".rnnc.gz")):
        file = options.report or options.file.with_name(options.file.name[:options.file.name.index(".rnnc")] + ".json")
        if not file.is_file():
            raise Problem(f"no report '{file}'; rnn-compile --report writes it")
        report = json.loads(file.read_text())
        if options.trace:
            return trace(options.file, report, options.trace)
        result = {"networks": [{"name": options.file.stem, "loops": analyse(options.file, report)}]}
        show(result["networks"][0])
    elif options.trace:
        raise Problem("--trace needs an artifact")
    elif options.file:
        rows = compiled_rows(options.file.read_text(), f"--streams={options.streams}")
        result = {"networks": [{"name": options.file.stem, "loops": rows}]}
        show(result["networks"][0])
    else:
        result = of_points(options.points)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except (Problem, ValueError, OSError) as problem:
        sys.exit(f"sasscost.py: error: {problem}")
