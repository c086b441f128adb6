# ===- conftest.py - Fixtures of the tools' tests -----------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""rnn-run and rnn-train are copied into a folder of their own, with a stand-in for rnn-compile beside them."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import tiny_models

HERE = pathlib.Path(__file__).resolve().parent


class Outcome:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


class Tools:
    """The tools in `folder`; `work` is where they run."""

    def __init__(self, folder, work):
        self.folder, self.work = folder, work

    def run(self, tool, *arguments, check=None, binary=False):
        done = subprocess.run([str(self.folder / tool), *map(str, arguments)], cwd=self.work, capture_output=True,
                              text=not binary, timeout=120)
        outcome = Outcome(done)
        assert check is None or outcome.code == check, outcome
        return outcome

    def start(self, tool, *arguments):
        return subprocess.Popen([str(self.folder / tool), *map(str, arguments)], cwd=self.work,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def compile_calls(self):
        """The command lines that the stand-in has seen."""
        log = self.folder / "rnn-compile.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def tools(tool, tmp_path):
    folder, work = tmp_path / "bin", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    for name in ("rnn-run", "rnn-train"):
        shutil.copy(tool(name), folder / name)
    compiler = folder / "rnn-compile"
    compiler.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(HERE)!r})\n"
                        "import fake_compile\nsys.exit(fake_compile.main(sys.argv[1:]))\n")
    compiler.chmod(0o755)
    return Tools(folder, work)


@pytest.fixture(scope="session")
def bigram(tmp_path_factory):
    """An artifact of the bigram model: 4 streams, 8 frames a step."""
    return tiny_models.build(tmp_path_factory.mktemp("bigram") / "bigram.rnnc")


@pytest.fixture(scope="session")
def linear(tmp_path_factory):
    return tiny_models.build(tmp_path_factory.mktemp("linear") / "linear.rnnc", "linear", streams=2, advance=4, window=4)


@pytest.fixture(scope="session")
def text(tmp_path_factory):
    """Bytes that a bigram model learns well."""
    words = ["the cat sat on the mat. ", "a dog ran to the man. ", "no one saw it go. "]
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("".join(words[i * i % 3] for i in range(400)))
    return path
