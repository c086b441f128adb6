# ===- suites.py - Runs all test suites and counts ---------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   suites.py <source folder> <build folder> [<lit filter>…]
#
# One function per suite: it adds to the tally what passed, failed or was skipped, and never raises for a failing test.
# Within a suite as many tests run at a time as there are processors: lit's, programs, or files of pytest.
# A suite whose folder or program does not exist is skipped with the reason; one that crashes or takes too long has
# failed under its own name. Output of failing suites goes to build/test-logs.
#
# ===-------------------------------------------------------------------------===#

import concurrent.futures
import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

LIMIT = 1500  # seconds for one suite


class Tally:
    """What all suites add up to."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def skip(self, suite, reason):
        self.skipped.append(f"skipped: {suite} ({reason})")

    def fail(self, test):
        self.failed.append(f"failed: {test}")

    def check(self, test, ok):
        if ok:
            self.passed += 1
        else:
            self.fail(test)


class Suites:
    def __init__(self, root, build, filters):
        self.root, self.build, self.filters = root, build, filters
        self.tally = Tally()
        self.logs = os.path.join(build, "test-logs")
        os.makedirs(self.logs, exist_ok=True)
        self.llvm = next((d for d in ("/usr/lib/llvm-22/bin",) if os.path.isdir(d)), "")
        self.environment = dict(os.environ, RNN_TEST_BUILD=build, NO_COLOR="1", PYTHONDONTWRITEBYTECODE="1")
        self.environment["PATH"] = os.pathsep.join(
            [os.path.join(build, "bin")] + [d for d in [self.llvm] if d] + [os.environ["PATH"]])
        # What JAX has compiled for one test serves the others of this run.
        cache = os.path.join(self.logs, "jax")
        shutil.rmtree(cache, ignore_errors=True)
        self.environment.update(JAX_COMPILATION_CACHE_DIR=cache, JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
                                JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1")
        self.sanitizers = self.cached("RNN_SANITIZE")
        if "address" in self.sanitizers:
            # Python and mlir-opt load libraries of ours, and leak. LLVM is not built with sanitizers: of an allocator of
            # both it takes what only we have poisoned. Emulated threads have stacks that ASan does not know.
            compiler = self.cached("CMAKE_CXX_COMPILER")
            name = "libclang_rt.asan-x86_64.so" if "clang" in compiler else "libasan.so"
            runtime = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
            self.environment.setdefault("LD_PRELOAD", runtime)
            options = ("leaks=0", "container_overflow=0", "stack_use_after_return=0")
            self.environment.setdefault("ASAN_OPTIONS", "allow_user_poisoning=0:" + ":".join("detect_" + o for o in options))

    # ===- Helpers -----------------------------------------------------------===#

    def cached(self, variable):
        """A variable of the build folder's CMakeCache.txt, or an empty text."""
        with open(os.path.join(self.build, "CMakeCache.txt")) as cache:
            lines = [line.strip().partition("=") for line in cache if line.startswith(variable + ":")]
        return lines[0][2] if lines else ""

    def log(self, name):
        return os.path.join(self.logs, name.replace("/", "-") + ".log")

    def run(self, name, command, **options):
        """Runs a command; returns its exit status, None for a timeout. Output is added to the log of that name."""
        with open(self.log(name), "a") as log:
            log.write("$ " + " ".join(command) + "\n")
            log.flush()
            try:
                return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                      env=self.environment, timeout=LIMIT, **options).returncode
            except subprocess.TimeoutExpired:
                log.write(f"\nstopped after {LIMIT} seconds\n")
                return None

    def show(self, name, lines=60):
        """Prints the end of a suite's log."""
        with open(self.log(name), errors="replace") as f:
            for line in f.read().splitlines()[-lines:]:
                print("    " + line)

    def suite(self, name, function):
        """Runs one suite and prints a line about it."""
        before, failed, began = self.tally.passed, len(self.tally.failed), time.time()
        try:
            os.remove(self.log(name))
        except FileNotFoundError:
            pass
        try:
            function(name)
        except Exception as error:  # A suite that breaks has failed; the others still run.
            self.tally.fail(f"{name} ({type(error).__name__}: {error})")
        passed, failures = self.tally.passed - before, len(self.tally.failed) - failed
        if passed or failures:
            print(f"      {name}: {passed} passed, {failures} failed, {time.time() - began:.0f} s", flush=True)
        if failures and os.path.exists(self.log(name)):
            self.show(name)
            sys.stdout.flush()

    # ===- The suites --------------------------------------------------------===#

    def lit(self, name):
        lit = shutil.which("lit", path=self.environment["PATH"])
        if not lit:
            return self.tally.skip(name, "lit not found")
        results = os.path.join(self.logs, "lit.json")
        if os.path.exists(results):
            os.remove(results)
        command = [sys.executable, lit, "-sv", "--allow-empty-runs", "-o", results, f"--max-time={LIMIT}"]
        if self.filters:
            command.append("--filter=" + "|".join(self.filters))
        self.run(name, command + [os.path.join(self.build, "test")])
        if not os.path.exists(results):
            return self.tally.fail(name)
        with open(results) as f:
            tests = json.load(f)["tests"]
        left_out = 0
        for test in tests:
            if test["code"] in ("PASS", "XFAIL", "FLAKYPASS"):
                self.tally.passed += 1
            elif test["code"] in ("UNSUPPORTED", "EXCLUDED"):
                left_out += test["code"] == "UNSUPPORTED"
            else:
                self.tally.fail(test["name"].split(" :: ")[-1])
        if left_out:
            self.tally.skip(f"{left_out} lit tests", "unsupported here")

    def unit(self, name):
        programs = [p for p in sorted(glob.glob(os.path.join(self.build, "unittests", "*")))
                    if os.path.isfile(p) and os.access(p, os.X_OK)]
        if not programs:
            return self.tally.skip(name, "none built")
        # A shard of each program per processor, so that none waits for the longest program.
        shards = os.cpu_count()

        def start(task):
            """Runs a part of a program. Returns its name, its exit status, what it printed, and its tests if it told."""
            program, shard = task
            own = os.path.basename(program)
            part = f"{own}-{shard}"
            results = os.path.join(self.logs, part + ".json")
            for old in (results, self.log(part)):
                if os.path.exists(old):
                    os.remove(old)
            status = self.run(part, ["env", f"GTEST_TOTAL_SHARDS={shards}", f"GTEST_SHARD_INDEX={shard}", program,
                                     f"--gtest_output=json:{results}", "--gtest_brief=1"], cwd=self.logs)
            groups = None
            if os.path.exists(results):
                with open(results) as f:
                    groups = json.load(f)["testsuites"]
            with open(self.log(part), errors="replace") as log:
                return own, status, log.read(), groups

        with concurrent.futures.ThreadPoolExecutor(shards) as pool:
            ended = list(pool.map(start, [(program, shard) for program in programs for shard in range(shards)]))
        for own, status, text, groups in ended:
            with open(self.log(name), "a") as log:
                log.write(text)
            if groups is None:
                self.tally.fail(f"{own} (exit {status})")
                continue
            for test in (t for g in groups for t in g["testsuite"]):
                if test.get("result") != "SKIPPED" and test.get("status") == "RUN":
                    self.tally.check(f"{own}: {test['classname']}.{test['name']}", not test.get("failures"))

    def pytest(self, folder):
        def suite(name):
            if not glob.glob(os.path.join(self.root, folder, "**", "test_*.py"), recursive=True):
                return self.tally.skip(name, "no tests")
            results = os.path.join(self.logs, name.replace("/", "-") + ".xml")
            if os.path.exists(results):
                os.remove(results)
            # In the order of their names, files that take long come early enough; the most tests first would leave a
            # long one for the end.
            status = self.run(name, [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
                                     f"--numprocesses={os.cpu_count()}", "--dist=loadfile", "--no-loadscope-reorder",
                                     f"--junitxml={results}", folder], cwd=self.root)
            if not os.path.exists(results):
                return self.tally.fail(f"{folder} (exit {status})")
            reasons = {}
            for case in xml.parse(results).getroot().iter("testcase"):
                skipped = case.find("skipped")
                if skipped is not None:
                    reason = skipped.get("message", "").splitlines() or ["skipped"]
                    reasons[reason[0]] = reasons.get(reason[0], 0) + 1
                else:
                    bad = case.find("failure") is not None or case.find("error") is not None
                    self.tally.check(f"{case.get('classname')}::{case.get('name')}", not bad)
            for reason, count in sorted(reasons.items()):
                self.tally.skip(f"{count} of {name}", reason)
        return suite

    def embedding(self, name):
        """Another project builds against the install tree, which was moved after the installation."""
        source = os.path.join(self.root, "test", "Embedding")
        if not os.path.exists(os.path.join(source, "CMakeLists.txt")):
            return self.tally.skip(name, "no project")
        if self.sanitizers:
            return self.tally.skip(name, "our libraries have sanitizers, the other project has not")
        first, prefix, work = (os.path.join(self.build, d) for d in ("install", "install-moved", "embedding"))
        for folder in (first, prefix, work):
            shutil.rmtree(folder, ignore_errors=True)
        if self.run(name, ["cmake", "--install", self.build, "--prefix", first]) != 0:
            return self.tally.fail(f"{name}: install")
        os.rename(first, prefix)
        self.tally.passed += 1
        for step, command in (
                ("configure", ["cmake", "-G", "Ninja", "-S", source, "-B", work, "-DCMAKE_BUILD_TYPE=Release",
                               f"-DCMAKE_PREFIX_PATH={prefix}"]),
                ("build", ["ninja", "-C", work]),
                ("run", ["ctest", "--test-dir", work, "--output-on-failure"])):
            ok = self.run(name, command) == 0
            self.tally.check(f"{name}: {step}", ok)
            if not ok:
                return

    def plugin(self, name):
        """The plugin turns every example into upstream dialects inside stock mlir-opt."""
        plugin = os.path.join(self.build, "lib", "librnn-plugin.so")
        mlir_opt = shutil.which("mlir-opt", path=self.environment["PATH"]) or shutil.which("mlir-opt-22")
        if not os.path.exists(plugin):
            return self.tally.skip(name, "librnn-plugin.so is not built")
        if not mlir_opt:
            return self.tally.skip(name, "mlir-opt not found")
        for example in sorted(glob.glob(os.path.join(self.root, "examples", "*.mlir"))):
            out = os.path.join(self.logs, "plugin.mlir")
            ok = self.run(name, [mlir_opt, f"--load-dialect-plugin={plugin}",
                                 "--pass-pipeline=builtin.module(rnn-to-linalg)", example, "-o", out]) == 0
            if ok:
                with open(out) as f:
                    ok = "func.func" in (text := f.read()) and " rnn." not in text.replace("{rnn.", "{")
            self.tally.check(f"{name}: {os.path.basename(example)}", ok)

    def docs(self, name):
        """The generated pages of docs/ are what the sources say."""
        self.tally.check(name, self.run(name, [os.path.join(self.root, "scripts", "docs"), "--check"]) == 0)

    def absent(self):
        """Suites that this machine or this version cannot run, by name."""
        if not os.path.exists("/dev/nvidia0"):
            self.tally.skip("gpu", "no CUDA device")
        for module in ("onnx", "jax"):
            if importlib.util.find_spec(module) is None:
                self.tally.skip(module, f"{module} is not importable")

    def all(self):
        self.suite("lit", self.lit)
        if not self.filters:
            self.suite("unit", self.unit)
            for folder in ("test/Python", "test/Train", "test/Oracle"):
                self.suite(folder, self.pytest(folder))
            self.suite("embedding", self.embedding)
            self.suite("plugin", self.plugin)
            self.suite("docs", self.docs)
            self.absent()
        for line in self.tally.skipped + self.tally.failed:
            print(line)
        print(f"{self.tally.passed} passed, {len(self.tally.failed)} failed")
        return 0 if self.tally.passed and not self.tally.failed else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(Suites(sys.argv[1], sys.argv[2], sys.argv[3:]).all())
