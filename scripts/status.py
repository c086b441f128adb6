# ===- status.py - What works, op by op --------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   status.py            prints docs/Status.md: its head as it is, and the table of ops made anew
#   status.py --cases    prints the case of each op as one module, split by `// -----`
#
# The ops are those of the verifier's list in lib/Dialect/RNN/IR/VerifyGraph.cpp, their names those of the .td files.
# A cell of the table is found by trying the cases of scripts/status-cases.txt with the tools, which are looked for on
# PATH and then in build/bin. All cases are tried at once, and one by one where that fails. An op without a case is an
# error; a case that fails makes a cell `no`, and the message is shown below the table.
#
# ===-------------------------------------------------------------------------===#

import array
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CASES = os.path.join(ROOT, "scripts", "status-cases.txt")
PAGE = os.path.join(ROOT, "docs", "Status.md")
HEADING = "## Op by op"
LIST = os.path.join(ROOT, "lib", "Dialect", "RNN", "IR", "VerifyGraph.cpp")
LLVM = "/usr/lib/llvm-22/bin"
FRAMES, STREAMS = 5, 2
BATCH = 12   # cases compiled together
LIMIT = 120  # seconds for one command

ARGUMENTS = {"x": "tensor<3xf32>", "s": 'tensor<3xf32> {rnn.rate = "stream"}', "i": "tensor<3xi32>",
             "j": "tensor<3xi32>", "n": "tensor<i32>"}


def fail(message):
    sys.exit(f"status: error: {message}")


def tool(name):
    """The path of a program of ours."""
    found = shutil.which(name) or shutil.which(name, path=os.path.join(ROOT, "build", "bin"))
    return found or fail(f"{name} is neither on PATH nor in build/bin; build it first")


def run(command, text=None):
    """Runs a command: (success, stdout, stderr)."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, errors="replace", timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return False, "", f"error: stopped after {LIMIT} seconds"
    return done.returncode == 0, done.stdout, done.stderr


# ===- Ops -------------------------------------------------------------------===#


def documented_ops(folder, file):
    """`Class` -> (op, its documentation), as the TableGen file has them."""
    tblgen = shutil.which("mlir-tblgen-22") or shutil.which("mlir-tblgen") or os.path.join(LLVM, "mlir-tblgen")
    config = shutil.which("llvm-config-22") or os.path.join(LLVM, "llvm-config")
    headers = run([config, "--includedir"])[1].strip()
    own = os.path.join(ROOT, "include")
    ok, text, messages = run([tblgen, "-gen-op-doc", "-I", own, "-I", headers,
                              os.path.join(own if folder == "rnn" else headers, file)])
    if not ok:
        fail(f"mlir-tblgen: {messages.strip()}")
    parts = re.split(r"^### `([\w.]+)` \((\w+)::(\w+)\)$", text, flags=re.MULTILINE)
    return {f"{prefix}::{name}": (op, rest)
            for op, prefix, name, rest in zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4])}


def level_1_ops():
    """The ops of the verifier's closed list, in its order: those of rnn, then those of other dialects."""
    documented = documented_ops("rnn", "rnn/Dialect/RNN/IR/RNNCompositeOps.td")
    for dialect in ("Arith", "Math", "Tensor"):
        documented.update(documented_ops("mlir", f"mlir/Dialect/{dialect}/IR/{dialect}Ops.td"))
    with open(LIST) as f:
        text = f.read()
    functions = re.findall(r"^static bool isListed.*?^}", text, flags=re.MULTILINE | re.DOTALL)
    classes = [name.strip() for body in functions for names in re.findall(r"isa<([^>]*)>", body)
               for name in names.split(",")]
    ops = []
    for name in classes:
        if name == "CompositeOpInterface":
            ops += sorted(op for op, doc in documented.values() if "Interfaces:" in doc and
                          re.search(r"Interfaces:.*`(?:RNN_)?Composite\w*`", doc))
        elif (name if "::" in name else "rnn::" + name) in documented:
            ops.append(documented[name if "::" in name else "rnn::" + name][0])
        else:
            fail(f"'{name}' of {os.path.relpath(LIST, ROOT)} is no op of the .td files")
    if not ops:
        fail(f"no list of ops in {os.path.relpath(LIST, ROOT)}")
    return sorted(dict.fromkeys(ops), key=lambda op: not op.startswith("rnn."))


# ===- Cases -----------------------------------------------------------------===#


class Case:
    """A use of one or several ops."""

    def __init__(self, ops, result, text, number):
        self.ops, self.result, self.text = ops, result, text
        self.id = f"{ops[0]}.{number}"
        self.is_module = bool(re.search(r"^rnn\.step ", text, flags=re.MULTILINE))
        self.is_float = result is not None and re.search(r"f(32|64)>$", result) is not None
        for op in ops:
            if not re.search(re.escape(op) + r"\b", text):
                fail(f"the case of '{op}' does not have it")

    def parts(self):
        """(what stands in the module, body), names made unique."""
        text = re.sub(r"%(?!(?:" + "|".join(ARGUMENTS) + r")\b)([a-z]\w*)", rf"%{self.id}.\1", self.text)
        text = re.sub(r"(?<=[\s(])@(\w+)", rf"@{self.id}.\1", text)
        text = re.sub(r'"(\w+)"', rf'"{self.id}.\1"', text)
        outside = re.findall(r"^rnn\.parameter .*?$|^rnn\.network .*?^}$", text, flags=re.MULTILINE | re.DOTALL)
        for part in outside:
            text = text.replace(part + "\n", "")
        outside.append(f"rnn.parameter @{self.id}.w0 : tensor<3xf32> init(#rnn.uniform<-0.5, 0.5>)")
        head = [f"%{self.id}.w0 = rnn.param @{self.id}.w0 : tensor<3xf32>",
                f"%{self.id}.k = arith.constant dense<[0.25, -0.5, 0.125]> : tensor<3xf32>",
                f"%{self.id}.v = rnn.sum %{self.id}.w0, %x : tensor<3xf32>",
                f"%{self.id}.t0 = math.tanh %{self.id}.v : tensor<3xf32>",
                f"%{self.id}.p = math.exp %{self.id}.t0 : tensor<3xf32>"]
        body = head + text.strip().split("\n")
        if self.is_float:
            body += [f"%{self.id}.weight = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf32>",
                     f"%{self.id}.sin = math.sin %{self.id}.y : tensor<3xf32>",
                     f"%{self.id}.product = arith.mulf %{self.id}.sin, %{self.id}.weight : tensor<3xf32>",
                     f"%{self.id}.e = rnn.reduce sum %{self.id}.product over [0] : tensor<3xf32> to tensor<f32>"]
        return outside, body


def read_cases():
    with open(CASES) as f:
        text = "".join(line for line in f if not line.startswith("#"))
    parts = re.split(r"^\[([\w., ]+)\](?: -> (\S+))?\n", text, flags=re.MULTILINE)
    if parts[0].strip():
        fail(f"text before the first case of {os.path.relpath(CASES, ROOT)}")
    cases = []
    for ops, result, body in zip(parts[1::3], parts[2::3], parts[3::3]):
        ops = ops.split(", ")
        number = 1 + sum(case.ops[0] == ops[0] for case in cases)
        cases.append(Case(ops, None if result == "none" else result or "tensor<3xf32>", body.strip() + "\n", number))
    return cases


def module(cases):
    """One module with a network that holds all cases and a step that trains them."""
    if len(cases) == 1 and cases[0].is_module:
        return cases[0].text
    outside, body, results, losses = [], [], [], []
    for case in cases:
        around, inside = case.parts()
        outside += around
        body += inside
        results.append((f"{case.id}.y", case.result))
        if case.is_float:
            results.append((f"{case.id}.e", "tensor<f32>"))
            losses.append(f'loss("{case.id}.e" mean)')
    arguments = ", ".join(f"%{name}: {type}" for name, type in ARGUMENTS.items())
    lines = [*outside, f"rnn.network @all({arguments}) -> (" + ", ".join(f"{n}: {t}" for n, t in results) + ") {",
             *("  " + line for line in body),
             "  rnn.output " + ", ".join("%" + n for n, _ in results) + " : " + ", ".join(t for _, t in results), "}"]
    if losses:
        lines.append(f"rnn.train_step @step of @all {' '.join(losses)} optimizer(#rnn.sgd<lr = 0.1>)")
    return "\n".join(lines) + "\n"


# ===- Trying ----------------------------------------------------------------===#


def reason(messages):
    """The first error of a tool, without its place."""
    errors = re.findall(r"(?:error|internal error): (.*)", messages)
    lines = [line for line in messages.splitlines() if line.strip()]
    return errors[0].strip() if errors else lines[0].strip() if lines else "ended without a message"


def differs(line):
    """What a line of the comparison says, without numbers, which depend on the machine."""
    return f"'{line.split()[0]}' {'differs from the interpreter' if line.endswith('DIFFERS') else 'is undecided'}"


class Trial:
    """Tries all cases; `failures` says what went wrong: {column: {case id: message}}."""

    def __init__(self, cases, work):
        self.cases, self.work, self.failures = cases, work, {}

    def passes(self, column, *flags, cases=None):
        """Runs rnn-opt on every case."""
        cases = self.cases if cases is None else cases
        failures = self.failures.setdefault(column, {})
        command = [tool("rnn-opt"), *flags, "-o", os.devnull]
        if run([*command, "-split-input-file"], "\n// -----\n\n".join(module([case]) for case in cases))[0]:
            return
        for case in cases:
            ok, _, messages = run(command, module([case]))
            if not ok:
                failures[case.id] = reason(messages)

    def binary(self, cases, target):
        """Compiles, runs, compares with the interpreter: {case id: message}; None if no case can be blamed."""
        source, artifact, data = (os.path.join(self.work, name) for name in ("all.mlir", "all.rnnc", "in.safetensors"))
        with open(source, "w") as f:
            f.write(module(cases))
        write_inputs(data, ["x"] if cases[0].is_module else ARGUMENTS)
        ok, _, messages = run([tool("rnn-compile"), source, "-o", artifact, f"--target={target}", "--target=interpreter",
                               f"--streams={STREAMS}", "--keep=gradients"])
        if not ok:
            return {cases[0].id: reason(messages)} if len(cases) == 1 else None
        bad = {}
        functions = ["step"] if cases[0].is_module else ["all", "step"] if any(c.is_float for c in cases) else ["all"]
        for function in functions:
            ok, text, messages = run([tool("rnn-run"), artifact, f"--function={function}", f"--input={data}",
                                      f"--target={target}", "--compare=interpreter"])
            lines = [line for line in text.splitlines() if " budget " in line]
            differing = [line for line in lines if not line.endswith(" ok")]
            if ok and lines and not differing:
                continue
            if len(cases) == 1:
                return {cases[0].id: differs(differing[0]) if differing else reason(messages)}
            for line in differing:
                found = [case.id for case in cases if re.search(re.escape(case.id) + r"\.", line.split()[0])]
                if not found:
                    return None
                bad[found[0]] = differs(line)
            if not differing:
                return None
        return bad

    def compiled(self, column, pipeline, target):
        """Compiles and runs every case that the pipeline can lower: some per artifact, one by one if that fails."""
        self.passes(column, pipeline)
        failures = self.failures[column]
        rest = [case for case in self.cases if case.id not in failures]
        networks = [case for case in rest if not case.is_module]
        batches = [networks[i:i + BATCH] for i in range(0, len(networks), BATCH)]
        batches += [[case] for case in rest if case.is_module]
        for batch in batches:
            found = self.binary(batch, target)
            if found is None:
                found = {}
                for case in batch:
                    found.update(self.binary([case], target))
            failures.update(found)


def write_inputs(path, names):
    """Writes arguments of the networks as safetensors; the same numbers every time."""
    state = 12345

    def draw(low, high):
        nonlocal state
        state = (state * 1103515245 + 12345) % 2**31
        return low + state // 65536 % (high - low + 1)

    shapes = {"x": [FRAMES, STREAMS, 3], "s": [STREAMS, 3], "i": [FRAMES, STREAMS, 3], "j": [FRAMES, STREAMS, 3],
              "n": [FRAMES, STREAMS]}
    header, data = {}, b""
    for name in names:
        shape, count = shapes[name], 1
        for n in shape:
            count *= n
        low, high = {"i": (-5, 5), "j": (0, 2), "n": (0, 2)}.get(name, (-60, 60))
        values = [draw(low, high) for _ in range(count)]
        block = array.array("f", (v / 64 for v in values)) if name in "xs" else array.array("i", values)
        header[name] = {"dtype": "F32" if name in "xs" else "I32", "shape": shape,
                        "data_offsets": [len(data), len(data) + 4 * count]}
        data += block.tobytes()
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


# ===- The page --------------------------------------------------------------===#


def mentions():
    """The ops that the specification has, and those that an error test names."""
    try:
        with open(os.path.join(ROOT, "docs", "Spec.md")) as f:
            spec = f.read()
    except FileNotFoundError:
        spec = ""
    # A line of the list of rule L1 is "  - `dialect`…: `op`, `op`, …".
    specified = {f"{dialect}.{op}" for dialect, rest in re.findall(r"^\s+- `(\w+)`(.*)$", spec, flags=re.MULTILINE)
                 for op in re.findall(r"`(\w+)`", rest)}
    specified.update(re.findall(r"\b(?:rnn|arith|math|tensor)\.[a-z]\w*", spec))
    tested = set()
    for path in glob.glob(os.path.join(ROOT, "test", "**", "*.*"), recursive=True):
        if not path.endswith((".mlir", ".test")):
            continue
        with open(path, errors="replace") as f:
            for line in f:
                if line.lstrip().startswith("//") and "error" in line:
                    tested.update(re.findall(r"'((?:rnn|arith|math|tensor)\.\w+)'", line))
    return specified, tested


def page(ops, cases):
    with tempfile.TemporaryDirectory() as work:
        trial = Trial(cases, work)
        trial.passes("adjoint", "--rnn-set-float=type=f64", "--rnn-to-gradient=keep=gradients", "-test-rnn-gradients",
                     cases=[case for case in cases if case.is_float])
        trial.passes("interpreter", "--rnn-to-gradient", "-test-rnn-interpret")
        trial.compiled("CPU", "--rnn-to-cpu", "cpu")
        trial.compiled("GPU", "--rnn-to-gpu", "emulator")
        trial.passes("linalg", "--rnn-to-linalg")
    specified, tested = mentions()

    def tried(op, column):
        mine = [case for case in cases if op in case.ops]
        return "no" if any(case.id in trial.failures[column] for case in mine) else "yes"

    rows = []
    for op in ops:
        mine = [case for case in cases if op in case.ops]
        verifier = "yes" if op in tested else "no" if op.startswith("rnn.") else "upstream"
        adjoint = tried(op, "adjoint") if any(case.is_float for case in mine) else "–"
        rows.append([f"`{op}`", "yes" if op in specified else "no", verifier, adjoint, tried(op, "interpreter"),
                     tried(op, "CPU"), tried(op, "linalg"), tried(op, "GPU")])
    with open(PAGE) as f:
        head = f.read().split(HEADING)[0].rstrip()
    lines = [head, "", HEADING,
             "Generated by `scripts/docs` from the cases of `scripts/status-cases.txt`: what stands here was tried.",
             "",
             "- *spec*: [Spec.md](Spec.md) has the op.",
             "- *verifier*: an error test names the op; an op of another dialect that none names has upstream's verifier.",
             "- *adjoint*: the derivative agrees with central differences; `–` where no floating-point value comes out.",
             "- *interpreter*: the reference runs networks and training steps with it.",
             "- *CPU*: compiled, run as a network and in a training step, and equal to the interpreter within its budget.",
             "- *linalg*: `rnn-to-linalg` ends without an op of ours.",
             "- *GPU*: as *CPU*, with the kernels of a GPU on the emulator.",
             "",
             "| op | spec | verifier | adjoint | interpreter | CPU | linalg | GPU |",
             "|---|---|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    broken = {}
    for column, failures in trial.failures.items():
        for case in cases:
            if case.id in failures:
                number = case.id.rsplit(".", 1)[1]
                broken.setdefault((column, "`, `".join(case.ops), failures[case.id]), []).append(number)
    if broken:
        lines += ["", "What failed, with the number of the case:", ""]
        lines += [f"- {column}, `{ops}` ({', '.join(numbers)}): {message}"
                  for (column, ops, message), numbers in broken.items()]
    return "\n".join(lines) + "\n"


def main():
    cases = read_cases()
    if sys.argv[1:] == ["--cases"]:
        print("\n// -----\n\n".join(module([case]) for case in cases), end="")
        return
    if sys.argv[1:]:
        fail(f"unknown option '{sys.argv[1]}'")
    ops = level_1_ops()
    covered = {op for case in cases for op in case.ops}
    for op in ops:
        if op not in covered:
            fail(f"'{op}' has no case in {os.path.relpath(CASES, ROOT)}")
    for op in sorted(covered - set(ops)):
        fail(f"'{op}' has a case, but is no op of level 1")
    print(page(ops, cases), end="")


if __name__ == "__main__":
    main()
