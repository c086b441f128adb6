# ===- status.py - What works, op by op and feature by feature ----------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   status.py            prints docs/Status.md: its head as it is, and the tables of ops and features made anew
#   status.py --cases    prints each case as one module, split by `// -----`
#
# The ops are those of the verifier's list in lib/Dialect/RNN/IR/VerifyGraph.cpp, their names those of the .td files.
# Features are what the cases of scripts/status-cases.txt name. A cell of a table is found by trying the cases with the
# tools, which are looked for on PATH and then in build/bin. Many cases are tried at once, and one by one where that
# fails. A case that fails makes a cell `no`, and the message is shown below the table. An op without a case is an
# error, and so is a feature whose independent check is not where the case says.
#
# ===-------------------------------------------------------------------------===#

import array
import concurrent.futures
import functools
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CASES = os.path.join(ROOT, "scripts", "status-cases.txt")
PAGE = os.path.join(ROOT, "docs", "Status.md")
HEADING = "## Op by op"
ORACLE = os.path.join(ROOT, "test", "Oracle")
KINDS = os.path.join(ROOT, "test", "Networks", "kinds.mlir")
LIST = os.path.join(ROOT, "lib", "Dialect", "RNN", "IR", "VerifyGraph.cpp")
LLVM = "/usr/lib/llvm-22/bin"
FRAMES, STREAMS = 5, 2
OPTIMIZER = "optimizer(#rnn.sgd<lr = 0.1>)"
# What a case calls a group -> its heading in the table of features.
GROUPS = {"Cells": "Cells", "Graph": "Graph", "Losses": "Losses and metrics",
          "Optimizers": "Optimizers, clipping, regularisers", "Windows": "Windows (BPTT)"}
BATCH = 3    # cases compiled together; what a function costs grows faster than its size
LIMIT = 120  # seconds for one command

ARGUMENTS = {"x": "tensor<3xf32>", "s": 'tensor<3xf32> {rnn.rate = "stream"}',
             "m": 'tensor<3xf32> {rnn.rate = "static"}', "i": "tensor<3xi32>", "j": "tensor<3xi32>", "n": "tensor<i32>"}
COLUMNS = ("adjoint", "interpreter", "CPU", "GPU", "linalg")
# Element type -> its name in safetensors, that of its arrays in Python.
TYPES = {"f32": ("F32", "f"), "f64": ("F64", "d"), "i1": ("BOOL", "B"), "i32": ("I32", "i"),
         "i64": ("I64", "q")}


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
    """A use of one or several ops, of a feature, or of both."""

    def __init__(self, ops, group, feature, result, fields, text, number):
        self.ops, self.group, self.feature, self.result, self.text = ops, group, feature, result, text
        self.id = f"{ops[0] if ops else group}.{number}"
        self.step, self.independent = fields.get("step", ""), fields.get("independent", "")
        self.is_module = bool(re.search(r"^rnn\.(train_)?step ", text, flags=re.MULTILINE))
        self.is_float = result is not None and re.search(r"f(32|64)>$", result) is not None
        # An update has no derivative.
        self.is_differentiated = self.is_float and not re.search(r"optimizer\(|clip<", self.step)
        if "optimizer(" not in self.step:
            self.step = f"{OPTIMIZER} {self.step}".strip()
        for op in ops:
            if not re.search(re.escape(op) + r"\b", text):
                fail(f"the case of '{op}' does not have it")

    def functions(self):
        """The functions to run: the network where there is one, and its step."""
        if not self.is_module:
            return ["all", "step"] if self.is_float else ["all"]
        step = re.search(r"^rnn\.(?:step @(\w+)|train_step @(\w+) of @(\w+))", self.text, flags=re.MULTILINE)
        return [step[1]] if step[1] else [step[3], step[2]]

    def frames(self):
        """How many frames to run: a window and one call more."""
        window = re.search(r"bptt<window = (\d+), advance = (\d+)>", self.step + self.text)
        return int(window[1]) + int(window[2]) if window else FRAMES

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


def modules_of(place):
    """The modules of a file, or of `<file>: <name>` the one below the line `// network <name>`."""
    path, _, name = place.partition(": ")
    with open(os.path.join(ROOT, path)) as f:
        modules = f.read().split("// -----\n")
    return [text for text in modules if f"// network {name} " in text or not name] or fail(f"no network '{place}'")


def read_cases():
    with open(CASES) as f:
        text = "".join(line for line in f if not line.startswith("#"))
    parts = re.split(r"^\[([\w., ]*)\](?: (\w+): (.+?))?(?: -> (\S+))?\n", text, flags=re.MULTILINE)
    if parts[0].strip():
        fail(f"text before the first case of {os.path.relpath(CASES, ROOT)}")
    cases, field = [], re.compile(r"^(independent|step|file): (.*)\n", flags=re.MULTILINE)
    for ops, group, feature, result, body in zip(*(parts[i::5] for i in range(1, 6))):
        ops, fields = ops.split(", ") if ops else [], dict(field.findall(body))
        if feature is None and not ops or feature and group not in GROUPS:
            fail(f"'[{', '.join(ops)}] {group}: {feature}' names neither an op nor a group of features")
        for text in modules_of(fields["file"]) if "file" in fields else [field.sub("", body).strip() + "\n"]:
            number = 1 + sum(case.id.rsplit(".", 1)[0] == (ops[0] if ops else group) for case in cases)
            kind = None if result == "none" else result or "tensor<3xf32>"
            cases.append(Case(ops, group, feature, kind, fields, text, number))
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
        lines.append(f"rnn.train_step @step of @all {' '.join(losses)} {cases[0].step}")
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
        self.cases, self.work, self.failures = cases, work, {column: {} for column in COLUMNS}

    def passes(self, column, *flags, cases=None):
        """Runs rnn-opt on every case."""
        cases = self.cases if cases is None else cases
        failures = self.failures[column]
        command = [tool("rnn-opt"), *flags, "-o", os.devnull]
        if run([*command, "-split-input-file"], "\n// -----\n\n".join(module([case]) for case in cases))[0]:
            return
        for case in cases:
            ok, _, messages = run(command, module([case]))
            if not ok:
                failures[case.id] = reason(messages)

    def binary(self, cases, target):
        """Compiles, runs, compares with the interpreter: {case id: message}; None if no case can be blamed."""
        source, artifact, data = (os.path.join(self.work, target + end) for end in (".mlir", ".rnnc", ".safetensors"))
        functions = max((case.functions() for case in cases), key=len)
        with open(source, "w") as f:
            f.write(module(cases))
        ok, text, messages = run([tool("rnn-compile"), source, "-o", artifact, f"--target={target}",
                                  "--target=interpreter", f"--streams={STREAMS}", "--keep=gradients",
                                  f"--functions={','.join(functions)}"])
        if ok:
            ok, text, messages = run([tool("rnn-run"), artifact, "--describe"])
        if not ok:
            return {cases[0].id: reason(messages)} if len(cases) == 1 else None
        tensors = {function["name"]: function["tensors"] for function in json.loads(text)["functions"]}
        bad = {}
        for function in functions:
            write_inputs(data, tensors[function], cases[0].frames())
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

    def compiled(self, column, target):
        """Compiles and runs every case: some per artifact, one by one if that fails."""
        failures = self.failures[column]
        batches = [[case] for case in self.cases if case.is_module]
        for step in dict.fromkeys(case.step for case in self.cases if not case.is_module):
            networks = [case for case in self.cases if not case.is_module and case.step == step]
            batches += [networks[i:i + BATCH] for i in range(0, len(networks), BATCH)]
        for batch in batches:
            found = self.binary(batch, target)
            if found is None:
                found = {}
                for case in batch:
                    found.update(self.binary([case], target))
            failures.update(found)


def write_inputs(path, tensors, frames):
    """Writes the arguments among a function's tensors as safetensors; the same numbers every time."""
    state = 12345

    def draw(low, high):
        nonlocal state
        state = (state * 1103515245 + 12345) % 2**31
        return low + state // 65536 % (high - low + 1)

    header, data = {}, b""
    for tensor in tensors:
        name, element = tensor["name"], tensor["dtype"]
        if tensor["role"] != "argument" or name in ("lr", "mask"):
            continue
        shape, count = [frames if n == -1 else n for n in tensor["shape"]], 1
        for n in shape:
            count *= n
        is_float = element in ("f32", "f64")
        low, high = (-60, 60) if is_float else (0, 1) if element == "i1" else (-5, 5) if name == "i" else (0, 2)
        values = [draw(low, high) for _ in range(count)]
        dtype, code = TYPES[element]
        block = array.array(code, (v / 64 for v in values) if is_float else values).tobytes()
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(block)]}
        data += block
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


@functools.cache
def names_of(file):
    """Where the names of a test file's checks stand: in it, or in what it reads them from."""
    if file == "test_torch.py":
        with zipfile.ZipFile(os.path.join(ORACLE, "pytorch", "reference.npz")) as recorded:
            # JSON as NumPy stores text, four bytes a character.
            return set(re.findall(r'"name": "([^"]+)"', recorded.read("cases.npy").decode("latin-1").replace("\0", "")))
    with open(os.path.join(ORACLE, file)) as f:
        text = f.read()
    if file == "test_networks.py":
        with open(KINDS) as f:
            text += f.read()
    found = re.findall(r'"([\w-]+)"|^def (test_\w+)|^// network (\S+)', text, flags=re.MULTILINE)
    return {name for names in found for name in names}


def judges(case):
    """The independent checks of a feature, each of which must be there; none if the case says why."""
    if case.independent.startswith("– "):
        return "–"
    if not case.independent:
        fail(f"'{case.feature}' says neither what else judges it nor, after `–`, why nothing does")
    for judge in case.independent.split(", "):
        file, _, name = judge.partition(": ")
        if not os.path.exists(os.path.join(ORACLE, file)) or name not in names_of(file):
            fail(f"'{case.feature}' is to be judged by '{judge}', which is not in test/Oracle")
    return ", ".join(f"`{judge}`" for judge in case.independent.split(", "))


def try_all(cases):
    """What goes wrong where: {column: {case id: message}}."""
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        trial = Trial(cases, work)
        done = [pool.submit(trial.compiled, "GPU", "emulator"), pool.submit(trial.compiled, "CPU", "cpu"),
                pool.submit(trial.passes, "adjoint", "--rnn-set-float=type=f64", "--rnn-to-gradient=keep=gradients",
                            "-test-rnn-gradients", cases=[case for case in cases if case.is_differentiated]),
                pool.submit(trial.passes, "interpreter", "--rnn-to-gradient", "-test-rnn-interpret"),
                pool.submit(trial.passes, "linalg", "--rnn-to-linalg")]
        for each in done:
            each.result()
    return trial.failures


def tried(failures, cases):
    """Cells of a row: what the cases, all of which must succeed, say of each column."""
    cell = lambda column: "no" if any(case.id in failures[column] for case in cases) else "yes"
    adjoint = cell("adjoint") if any(case.is_differentiated for case in cases) else "–"
    return [adjoint, *map(cell, ("interpreter", "CPU", "linalg", "GPU"))]


def table(columns, rows):
    line = lambda row: "| " + " | ".join(row) + " |"
    return [line(columns), "|" + "---|" * len(columns), *map(line, rows)]


def broken(failures, cases, name):
    """What went wrong in cases, which are named by `name` and numbered."""
    found = {}
    for column, messages in failures.items():
        for case in cases:
            if case.id in messages:
                found.setdefault((column, name(case), messages[case.id]), []).append(case.id.rsplit(".", 1)[1])
    lines = [f"- {column}, {which} ({', '.join(numbers)}): {message}"
             for (column, which, message), numbers in found.items()]
    return ["", "What failed, with the number of the case:", "", *lines] if lines else []


def op_table(ops, cases, failures):
    specified, tested = mentions()
    rows = []
    for op in ops:
        verifier = "yes" if op in tested else "no" if op.startswith("rnn.") else "upstream"
        rows.append([f"`{op}`", "yes" if op in specified else "no", verifier,
                     *tried(failures, [case for case in cases if op in case.ops])])
    return table(["op", "spec", "verifier", "adjoint", "interpreter", "CPU", "linalg", "GPU"], rows) + \
        broken(failures, [case for case in cases if case.ops], lambda case: "`" + "`, `".join(case.ops) + "`")


def feature_table(cases, failures):
    lines, reasons = [], {}
    for group, heading in GROUPS.items():
        rows, mine = [], [case for case in cases if case.feature and case.group == group]
        for feature in dict.fromkeys(case.feature for case in mine):
            same = [case for case in mine if case.feature == feature]
            rows.append([feature, *tried(failures, same), judges(same[0])])
            if rows[-1][-1] == "–":
                reasons.setdefault(same[0].independent.removeprefix("– "), []).append(feature)
        lines += ["", f"### {heading}",
                  *table(["feature", "adjoint", "interpreter", "CPU", "linalg", "GPU", "independent"], rows)]
    lines += ["", "No independent check:", ""] if reasons else []
    lines += [f"- {', '.join(features)}: {reason}" for reason, features in reasons.items()]
    return lines + broken(failures, [case for case in cases if case.feature], lambda case: case.feature)


def page(ops, cases):
    failures = try_all(cases)
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
             "", *op_table(ops, cases, failures),
             "", "## Feature by feature",
             "Generated as the table above, with the same columns; of an update no derivative is asked.",
             "",
             "- *independent*: who says so besides us: a file of `test/Oracle`, and the name of the check in it. "
             "`test_torch.py` compares with PyTorch's recorded values, `test_onnx_nodes.py` with ONNX's; the others "
             "with formulas in JAX, which differentiates them, or NumPy. Those of `test_networks.py` and "
             "`test_windows.py` are the rules of [Spec.md](Spec.md), for any graph.",
             *feature_table(cases, failures)]
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
    for case in cases:
        if case.feature:
            judges(case)
    for op in sorted(covered - set(ops)):
        fail(f"'{op}' has a case, but is no op of level 1")
    print(page(ops, cases), end="")


if __name__ == "__main__":
    main()
