# ===- conftest.py - Where the Python tests find the build --------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""The build folder is $RNN_TEST_BUILD, else build/ at the top of the sources; its bin/ comes first on PATH."""

import os
import pathlib
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.setdefault("RNN_TEST_BUILD", str(ROOT / "build")))
os.environ["PATH"] = os.pathsep.join([str(BUILD / "bin"), os.environ["PATH"]])
os.environ["NO_COLOR"] = "1"
sys.path.insert(0, str(ROOT / "python"))


@pytest.fixture(scope="session")
def tool():
    """tool(name): the path of a program of the build; the test is skipped when it is not built."""

    def find(name):
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not built")
        return path

    return find
