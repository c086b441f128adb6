# ===- test_run_messages.py - What rnn-run says of wrong commands ---------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Command lines that rnn-run refuses, and what it says when the compiler beside it does not work."""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess

import numpy as np
import pytest

import tiny_models


@pytest.fixture(scope="module")
def two_steps(tmp_path_factory):
    """An artifact with a second network and a second step, so that nothing goes without saying."""

    def change(tables):
        functions = tables["functions"]
        for function, name in zip([dict(f) for f in functions], ("again", "again.eval", "other")):
            functions.append({**function, "name": name, "network": "other"})

    return tiny_models.build(tmp_path_factory.mktemp("two") / "two.rnnc", change=change)


@pytest.fixture
def x(tools):
    np.savez(tools.work / "x.npz", x=np.zeros((3, 2, 2), np.float32))
    np.savez(tools.work / "q.npz", q=np.zeros(3, np.float32))
    np.savez(tools.work / "y.npz", y=np.zeros((3, 2), np.float32))


def fails(tools, message, model, *arguments, code=2):
    failed = tools.run("rnn-run", model, *arguments, check=code)
    assert failed.err == message, failed


RUN = "rnn-run: error: "
NETWORK = ("--function=linear", "--input=x.npz")


@pytest.mark.parametrize("arguments, message", [
    (["more.rnnc"], "unexpected argument 'more.rnnc'"),
    (["--keep=states"], "unknown --keep 'states'\nnote: known: gradients, results, signals"),
    (["--matmul-precision=bf16"], "--matmul-precision needs an .mlir model; 'MODEL' is compiled"),
    (["--dtype=f64"], "--dtype=f64 with 'MODEL' needs --target=interpreter\nnote: on cpu it needs the .mlir model"),
    (["--target=gpu"], "unknown target 'gpu'\nnote: known: cpu, cuda, emulator, interpreter"),
    (["--function=linear", "--outputs=y,loss*"], "--outputs: no output matches 'loss*'"),
])
def test_command_line(tools, linear, x, arguments, message):
    fails(tools, f"{RUN}{message}\n".replace("MODEL", str(linear)), linear, *arguments)


def test_no_model(tools):
    failed = tools.run("rnn-run", check=2)
    assert failed.err == f"{RUN}no model given\nnote: usage: rnn-run <model> [options]\n"


def test_no_second_processor(tools, linear):
    for target in ("cpu", "emulator", "interpreter"):
        fails(tools, f"{RUN}no device 2 for target '{target}', 1 found\n", linear, f"--target={target}", "--device=2",
              code=4)


def test_expectations(tools, linear, x):
    fails(tools, f"{RUN}'linear' has no output named 'q'\n", linear, *NETWORK, "--expect=q.npz", "--rtol=0",
          code=1)
    fails(tools, f"{RUN}output 'y' is f32 [3,2,1], expected f32 [3,2]\n", linear, *NETWORK,
          "--expect=y.npz", "--rtol=0", code=1)


def test_several_functions(tools, two_steps):
    fails(tools, f"{RUN}'{two_steps}' has several functions; choose one with --function\n"
          "note: it has: step, step.eval, bigram, again, again.eval, other\n", two_steps)
    fails(tools, f"{RUN}'{two_steps}' has no single network to sample from; choose one with --function\n", two_steps,
          "--sample=3")


def test_several_networks(tools, tmp_path):
    def change(tables):
        tables["functions"].append({**tables["functions"][0], "name": "other", "network": "other"})

    model = tiny_models.build(tmp_path / "two.rnnc", "linear", change=change)
    fails(tools, f"{RUN}'{model}' has no single network to sample from; choose one with --function\n", model, "--sample=3")


# The compiler beside rnn-run ----------------------------------------------------


@pytest.mark.parametrize("script, message, code", [
    ("#!/bin/sh\necho no table\n", "internal error: rnn-compile --describe printed no JSON", 70),
    ("#!/bin/sh\nkill -KILL $$\n", "internal error: rnn-compile was ended by signal 9", 70),
    ("#!/no/such/shell\n", "error: cannot start '{}': No such file or directory", 4),
    ("not a program\n", "error: cannot start '{}': Exec format error", 4),
])
def test_compiler_that_does_not_work(tools, script, message, code):
    compiler = tools.folder / "rnn-compile"
    compiler.write_text(script)
    (tools.work / "m.mlir").write_text("// model: linear\n")
    fails(tools, f"rnn-run: {message.format(compiler)}\n", "m.mlir", "--function=linear", code=code)


def test_no_room_for_temporary_files(tools, monkeypatch):
    (tools.work / "m.mlir").write_text("// model: linear\n")
    monkeypatch.setenv("TMPDIR", "/proc")
    fails(tools, f"{RUN}cannot create a folder in '/proc': No such file or directory\n", "m.mlir", code=1)


def test_no_more_files(tools):
    (tools.work / "m.mlir").write_text("// model: linear\n")

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

    done = subprocess.run([tools.folder / "rnn-run", "m.mlir"], cwd=tools.work, preexec_fn=limit, capture_output=True,
                          text=True)
    assert done.stderr == f"rnn-run: internal error: cannot create a pipe: {os.strerror(24)}\n"
    assert done.returncode == 70


def test_ptxas_that_writes_nothing(tool, tmp_path):
    (tmp_path / "m.mlir").write_text("rnn.network @n(%x: tensor<f32>) -> (y: tensor<f32>) {\n"
                                     "%y = math.exp %x : tensor<f32>\nrnn.output %y : tensor<f32>\n}\n")
    (tmp_path / "ptxas").write_text("#!/bin/sh\necho release 99.0\n")
    (tmp_path / "ptxas").chmod(0o755)
    done = subprocess.run([tool("rnn-compile"), "m.mlir", "--target=cuda:sm_90", "-o", "m.rnnc"], cwd=tmp_path,
                          capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert (done.returncode, done.stderr) == (1, "rnn-compile: error: ptxas wrote no cubin\n")


# The interpreter's library, in ../lib -------------------------------------------


@pytest.fixture
def interpreted(tools):
    """An artifact that has a module for the interpreter; its library is yet to be written."""
    tables = json.dumps(tiny_models.linear_tables(2, 4, 4)).encode()
    (tools.work / "i.rnnc").write_bytes(tiny_models.pack([(1, "", tables), (3, "", b"module")]))
    library = tools.folder.parent / "lib" / "librnn-interpreter.so"
    library.parent.mkdir()
    shutil.copy(pathlib.Path(os.environ["RNN_TEST_BUILD"]) / "lib" / "librnn-runtime.so", library.parent)
    return library


def interpret(tools, library):
    done = subprocess.run([tools.folder / "rnn-run", "i.rnnc", "--function=linear", "--target=interpreter"],
                          cwd=tools.work, capture_output=True, text=True,
                          env={**os.environ, "LD_LIBRARY_PATH": str(library.parent)})
    assert done.returncode == 4, done
    return done.stderr


def test_interpreter_that_is_no_library(tools, interpreted):
    interpreted.write_bytes(b"")
    name = interpreted.name
    assert re.fullmatch(rf"{RUN}cannot load '\S*{name}'\nnote: \S*{name}: file too short\n",
                        interpret(tools, interpreted))


def test_interpreter_of_another_version(tools, interpreted):
    source = interpreted.with_suffix(".c")
    source.write_text("unsigned rnnInterpreterAbiVersion(void) { return 4096; }\nvoid rnnInterpreterOpen(void) {}\n"
                      "void rnnInterpreterRun(void) {}\nvoid rnnInterpreterClose(void) {}\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", interpreted, source], check=True)
    assert re.fullmatch(rf"{RUN}'\S*{interpreted.name}' is of another version\n", interpret(tools, interpreted))
