# ===- test_seeded_bugs.py - Known bugs are found --------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Every bug of seeded_bugs.py is found by the checks that docs/Testing.md names, and nothing is found without one."""

import pathlib

import pytest

import seeded_bugs

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "Testing.md"


@pytest.fixture(autouse=True)
def tools(tool):
    for name in ("rnn-opt", "rnn-translate", "rnn-compile"):
        tool(name)


@pytest.mark.parametrize("stage", seeded_bugs.STAGES)
@pytest.mark.parametrize("network", ["window", "ahead"])
def test_no_bug(network, stage):
    assert seeded_bugs.find_nothing(network, stage) == []


@pytest.mark.parametrize("bug", seeded_bugs.BUGS, ids=lambda bug: bug.name)
def test_bug(bug):
    found = seeded_bugs.find(bug)
    assert found, "not found by any check"
    row = seeded_bugs.row(bug, found)
    assert row in PAGE.read_text().splitlines(), f"docs/Testing.md does not say\n{row}"


def test_page_lists_no_others():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and "`: " in line]
    assert len(rows) == len(seeded_bugs.BUGS)
