# ===- seeded_bugs.py - Known bugs, and what finds them -------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   seeded_bugs.py        prints the table of docs/Testing.md: each bug, and which checks find it
#   seeded_bugs.py <bug>  prints the IR that the bug is in
#
# A bug is a change of the text of a module behind some passes, as if the last of them had made it. It is found by
#
#   interpreter   run before and after, as --test-rnn-interpret-each does after every pass
#   oracle        results, losses, gradients and updates against JAX in f64 (oracle.py), which knows the network's dump
#   differences   gradients against central differences of the step's own loss (test-rnn-gradients)
#   CPU           run as machine code, against machine code of what the passes really made
#
# ===-------------------------------------------------------------------------===#

import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

import oracle
import test_interpreter as probes

HERE = pathlib.Path(__file__).resolve().parent
CHUNKS = 6  # windows go back over two of them, and resets make them shorter
CHECKS = ["interpreter", "oracle", "differences", "CPU"]
KEEP = "keep=gradients,results"
STAGES = {"graph": "rnn-to-graph", "gradient": f"rnn-to-gradient{{{KEEP}}}",
          "schedule": f"rnn-to-schedule{{{KEEP} streams={probes.STREAMS}}}"}
ZERO_RATE = ("rnn.default = 5.000000e-02", "rnn.default = 0.0")


class Bug:
    """`change` is (pattern, replacement) or a function of a function's text; `where` begins that function."""

    def __init__(self, name, what, stage, where, change, network="window"):
        self.name, self.what, self.stage, self.where, self.change, self.network = name, what, stage, where, change, network

    def apply(self, text):
        begin = text.index(self.where)
        end = text.find("\n  }\n", begin)
        body = text[begin:end]
        if callable(self.change):
            changed = self.change(body)
        else:
            changed = re.sub(*self.change, body, count=1)
        if changed == body:
            raise ValueError(f"{self.name}: nothing to change")
        return text[:begin] + changed + text[end:]


def capture(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise ValueError(f"no '{pattern}'")
    return found.groups()


def use_old_moment(text):
    old, = capture(r"(%\d+) = rnn\.param @opt\.m\.wx", text)
    new, = capture(r"rnn\.assign @opt\.m\.wx, (%\d+)", text)
    return text.replace(f"arith.divf {new},", f"arith.divf {old},")


def use_old_count(text):
    old, new = capture(r"(%\d+) = rnn\.param @opt\.step : tensor<i64>\n\s*(%\d+) = arith\.addi", text)
    return text.replace(f"arith.sitofp {new} ", f"arith.sitofp {old} ")


def save_next_frame(text):
    before, now = capture(r'(%\d+) = rnn\.delay (%\d+) by 1 name "s"', text)
    return text.replace(f"rnn.save {before} ring", f"rnn.save {now} ring")


def share_memory(text):
    """The second result of the loop with the most results gets the place of the first."""
    first, second = capture(r"rnn\.recurrent causal chunk .*?\{slots = \[(#rnn\.slot<[^>]*>), (#rnn\.slot<[^>]*>)", text)
    return text.replace(second, first, 1)


NET, STEP, SCHEDULE = "rnn.network @net", "rnn.step @step train", "rnn.schedule @step train"
SUM3 = r"(rnn\.sum %\d+, %\d+), %\d+( : tensor<2xf64>)"
BUGS = [
    Bug("swapped-gates", "two gates of an LSTM take each other's part of the sum", "graph", NET,
        (r"(extract_slice %\d+)\[0\]((?:.*\n)+?.*extract_slice %\d+)\[2\]", r"\1[2]\2[0]")),
    Bug("slice-off-by-one", "a gate begins one element too early", "graph", NET, (r"(extract_slice %\d+)\[6\]", r"\1[5]")),
    Bug("transposed-product", "a product takes the transposed weight", "graph", NET,
        (r"\(d0, d1\)(, \(d0, d1\) -> \(d1\), \(d0, d1\) -> \(d0\)\] : \(tensor<2x2xf64>)", r"(d1, d0)\1")),
    Bug("longer-delay", "a delay is one frame longer", "graph", NET, (r"by 2 init", "by 3 init")),
    Bug("wrong-delay-sign", "a delay looks back instead of ahead", "graph", NET,
        (r"by -2 (init\(%\d+\))( local)?(?: name \"\w+\")?", r'by 2 \1\2 name "h" state "cell.h"'), "ahead"),
    Bug("lost-init", "a delay begins with zeros instead of its init", "graph", NET, (r"by 2 init\(%\d+\)", "by 2")),
    Bug("missing-reset", "streams are not reset", "graph", NET, (r" \{rnn\.reset\}", "")),
    Bug("lost-term", "a sum loses its last term", "graph", NET, (SUM3, r"\1\2")),
    Bug("wrong-broadcast", "a vector is spread along the other dimension", "graph", NET,
        (r"along \[0\]( : tensor<2xf64> to tensor<2x2xf64>)", r"along [1]\1")),
    Bug("wrong-reduction", "a maximum becomes a sum", "graph", NET, (r"rnn\.reduce max", "rnn.reduce sum")),
    Bug("lost-mask", "frames that the network's mask leaves out are counted", "gradient", STEP,
        (r"arith\.andi %mask, %counts", "arith.andi %mask, %mask")),
    Bug("dropped-gradient-term", "a use of a signal adds nothing to its gradient", "gradient", STEP,
        (r"(by -1 local : tensor<2xf64>\n\s*%\d+ = rnn\.sum %\d+, %\d+), %\d+", r"\1")),
    Bug("wrong-slope", "the derivative of tanh is 1 + y²", "gradient", STEP,
        (r"arith\.subf (%cst_\d+, %\d+ : tensor<2xf64>)", r"arith.addf \1")),
    Bug("transposed-gradient", "a weight's gradient is transposed", "gradient", STEP,
        (r"\(d0, d1\)(\] sum_to static : \(tensor<2xf64>, tensor<2xf64>\))", r"(d1, d0)\1")),
    Bug("adjoint-off-by-one", "the adjoint of a delay by 2 goes back 1 frame", "gradient", STEP,
        (r"by -2 local", "by -1 local")),
    Bug("lost-init-gradient", "the gradient of an init misses a frame", "gradient", STEP, (r"by 2 init", "by 1 init")),
    Bug("saved-too-late", "a value is saved one frame too late for its gradient", "gradient", STEP, save_next_frame),
    Bug("window-off-by-one", "gradients go back over the new frames alone", "gradient", STEP,
        (r"window = 4", "window = 2")),
    Bug("no-clipping", "a gradient's norm is raised to the limit instead of lowered", "gradient", STEP,
        (r"arith\.minimumf", "arith.maximumf")),
    Bug("old-moment", "Adam divides the moment of the step before", "gradient", STEP, use_old_moment),
    Bug("old-count", "Adam corrects its bias by the steps before this one", "gradient", STEP, use_old_count),
    Bug("missed-carry", "the state that a chunk leaves is one frame old", "schedule", SCHEDULE,
        (r"rnn\.keep %(\d+)#8 as \"state\.cell\.h\"", r'rnn.keep %\1#0 as "state.cell.h"')),
    Bug("short-ring", "the values of older frames are those of another signal", "schedule", SCHEDULE,
        (r"rnn\.keep %(\d+)#1 as \"ring\.9\"", r'rnn.keep %\1#0 as "ring.9"')),
    Bug("chunk-for-window", "a gradient is summed over the chunk instead of the window", "schedule", SCHEDULE,
        (r"reduction window( ins\(%\d+ as %arg0 frame, )", r"reduction chunk\1")),
    Bug("wrong-direction", "the loop of an adjoint runs forwards", "schedule", SCHEDULE,
        (r"rnn\.recurrent anticausal", "rnn.recurrent causal")),
    Bug("shared-memory", "two sequences have the same place in memory", "schedule", SCHEDULE, share_memory),
]

# ===- Checks ----------------------------------------------------------------===#


def opt(text, pipeline, *options):
    """(output, messages) of rnn-opt; the output is None if it fails."""
    done = subprocess.run(["rnn-opt", "-", *options, f"--pass-pipeline=builtin.module({pipeline})"], input=text, capture_output=True,
                          text=True, timeout=120)
    return (done.stdout if done.returncode == 0 else None), done.stderr


@functools.lru_cache(None)
def module(network, stage):
    text, messages = opt((HERE / "networks" / f"bugs-{network}.mlir").read_text(), STAGES[stage])
    if text is None:
        raise RuntimeError(messages)
    return text


@functools.lru_cache(None)
def interpret(text, function):
    """Outputs of all chunks, or what is wrong; `function` may need the gradient phase."""
    pipeline = STAGES["gradient"] + "," if function == "step" and "rnn.train_step" in text else ""
    done, messages = opt(text, f"{pipeline}test-rnn-interpret{{function={function} chunks={CHUNKS}}}", "-o", os.devnull)
    if done is None:
        return messages.strip().splitlines()[0]
    return probes.read_chunks(done)


def differ(want, got, tolerance=1e-10):
    """True if outputs that both have differ; states, which passes name, are left out."""
    if isinstance(got, str) or len(want) != len(got):
        return True
    for before, after in zip(want, got):
        for name in before.keys() & after.keys():
            if name.startswith(("state.", "ring.")) and not name.endswith("age"):
                continue
            a, b = np.asarray(before[name], np.float64), np.asarray(after[name], np.float64)
            if a.shape != b.shape or not np.allclose(b, a, rtol=0, equal_nan=True,
                                                     atol=tolerance * np.max(np.abs(a), initial=0) + 1e-13):
                return True
    return False


def find_by_interpreter(bug, text):
    right = module(bug.network, bug.stage)
    # What a pass leaves is looked at as it is: a step is there from the gradient phase on.
    functions = ["net"] if bug.stage == "graph" else ["net", "step"]
    return any(differ(interpret(right, f), interpret(text, f)) for f in functions)


@functools.lru_cache(None)
def expected(network):
    """Of the oracle: all chunks at learning rate 0, and the parameters after the first update."""
    path = HERE / "networks" / f"bugs-{network}.mlir"
    dump = json.loads(subprocess.run(["rnn-translate", "--rnn-to-json", path], capture_output=True, text=True,
                                     check=True).stdout)
    step = dump["train_steps"][0]
    chunks = probes.host_reset(probes.probe_inputs(dump, step["advance"], True, CHUNKS), dump["networks"][0])
    want = oracle.deep(oracle.Oracle(dump).train, "step", chunks)
    gradients = oracle.clip({n[5:]: g for n, g in want[0].items() if n.startswith("grad.")}, step["clip_norm"])
    updated = {n: oracle.update(step["optimizer"], chunks[0][n], g, {}, 1)[0] for n, g in gradients.items()}
    return want, updated


def find_by_oracle(bug, text):
    want, updated = expected(bug.network)
    slow = text.replace("#rnn.adam<lr = 5.000000e-02", "#rnn.adam<lr = 0.0").replace(*ZERO_RATE)
    return differ([{**want[0], **updated}], interpret(text, "step")[:1], 1e-9) or differ(want, interpret(slow, "step"), 1e-9)


def find_by_differences(bug, text):
    pipeline = STAGES["gradient"] + "," if bug.stage == "graph" else ""
    done, messages = opt(text, pipeline + "test-rnn-gradients", "-o", os.devnull)
    return done is None and "has a wrong gradient" in messages


@functools.lru_cache(None)
def run_on_cpu(text, network):
    """Calls of the step on the CPU, or why they are not possible."""
    import rnn_mlir
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "net.rnnc"
        done = subprocess.run(["rnn-compile", "-", "-o", path, f"--streams={probes.STREAMS}", "--target=cpu"], input=text,
                              capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            return done.stderr.splitlines()[0]
        try:
            program = rnn_mlir.load(path, target="cpu", threads=1)
        except rnn_mlir.Error as error:  # functions that do not agree on a state
            return str(error)
        dump = json.loads(subprocess.run(["rnn-translate", "--rnn-to-json", HERE / "networks" / f"bugs-{network}.mlir"],
                                         capture_output=True, text=True, check=True).stdout)
        chunks = probes.probe_inputs(dump, dump["train_steps"][0]["advance"], True, CHUNKS)
        calls = []
        for chunk in chunks:
            calls.append({n: np.array(v.numpy()) for n, v in program.run("step", **chunk).items()})
        return calls


def find_by_cpu(bug, text):
    right = run_on_cpu(module(bug.network, bug.stage), bug.network)
    if isinstance(right, str):
        raise RuntimeError(right)
    return differ(right, run_on_cpu(text, bug.network), 1e-9)


FIND = dict(zip(CHECKS, [find_by_interpreter, find_by_oracle, find_by_differences, find_by_cpu]))


def find(bug):
    """The checks that find a bug."""
    text = bug.apply(module(bug.network, bug.stage))
    return [check for check in CHECKS if FIND[check](bug, text)]


def find_nothing(network, stage):
    """The same without a bug."""
    text = module(network, stage) + "\n"
    bug = Bug("none", "", stage, "", None, network)
    return [check for check in CHECKS if FIND[check](bug, text)]


def row(bug, found):
    return f"| `{bug.name}`: {bug.what} | `{STAGES[bug.stage].split('{')[0]}` | " + \
        " | ".join("found" if check in found else "–" for check in CHECKS) + " |"


def table():
    """The table of docs/Testing.md."""
    head = ["| bug | behind | " + " | ".join(CHECKS) + " |", "|---|---|" + "---|" * len(CHECKS)]
    return "\n".join(head + [row(bug, find(bug)) for bug in BUGS]) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent / "python"))
    if len(sys.argv) > 1:
        wanted = next(bug for bug in BUGS if bug.name == sys.argv[1])
        print(wanted.apply(module(wanted.network, wanted.stage)), end="")
    else:
        print(table(), end="")
