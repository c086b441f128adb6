# ===- test_faults.py - Files when the system fails -----------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Every call that writes, syncs or renames a file fails once, or the process dies in it: files are old or new."""

import os
import pathlib
import subprocess

import pytest

from crashes import preloaded
from test_train import checkpoint, same_run

HERE = pathlib.Path(__file__).resolve().parent
STEPS = ["--lr=10", "--epochs=1", "--max-steps=4", "--save-every=2", "--val-every=3"]


@pytest.fixture(scope="module")
def preload(tmp_path_factory):
    library = tmp_path_factory.mktemp("preload") / "failing_calls.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "failing_calls.c", "-ldl"], check=True)
    return library


def run_failing(tools, preload, at, by, *arguments):
    environment = {**os.environ, "LD_PRELOAD": preloaded(preload), "FAIL_AT": str(at), "FAIL_BY": by}
    return subprocess.run([str(tools.folder / "rnn-train"), *map(str, arguments)], cwd=tools.work, env=environment,
                          capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("by", ["error", "kill"])
def test_every_call(tools, preload, bigram, text, by):
    command = [bigram, f"--data={text}", *STEPS]
    tools.run("rnn-train", *command, "--out=whole", check=0)
    out = tools.work / "run"
    counted = run_failing(tools, preload, 0, by, *command, "--out=run")
    calls = int(counted.stderr.split("calls: ")[1])
    assert calls > 20
    harmless = 0  # loading the artifact has another way
    for at in range(1, calls + 1):
        done = run_failing(tools, preload, at, by, *command, "--out=run", "--overwrite")
        if by == "error" and done.returncode == 0:
            harmless += 1
            continue
        if by == "error":
            assert done.returncode == 1, done
            assert "rnn-train: error: cannot write 'run/" in done.stderr and "No space left on device" in done.stderr
            assert not list(out.glob("*.tmp.*")), at
        last = out / "last.safetensors"
        if not last.exists():
            assert at < 16
            continue
        tensors, metadata = checkpoint(last)
        assert int(metadata["rnn.step"]) % 2 == 0 and tensors["opt.step"] == int(metadata["rnn.step"])
        tools.run("rnn-train", *command, "--out=run", "--resume", check=0)
        same_run(tools.work / "whole", out)
    assert harmless <= 3
