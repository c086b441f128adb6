# ===- test_crashes.py - A sample of crashes.py -----------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Some system calls of saves fail, or are where the process dies; and a training dies at random moments."""

import random
import re
import signal

import pytest

import crashes


STEPS = [0, 4, 8, 12, 13]


@pytest.fixture(scope="module")
def run(tool, tmp_path_factory):
    return crashes.Run(tmp_path_factory.mktemp("crashes"), tool, steps=13)


def test_versions(run):
    """The checkpoints are all different, so that an old one is not taken for a new one."""
    steps = sorted(int(re.search(rb'"rnn.step":"(\d+)"', v).group(1)) for v in run.versions["last.safetensors"])
    assert steps == STEPS
    assert run.calls >= 7 * len(steps)


@pytest.mark.parametrize("by", ["error", "kill"])
def test_calls_of_saves(run, by):
    """One in some of all saves, and those that end the last one."""
    calls = [*range(1, run.calls - 8, 29), *range(run.calls - 7, run.calls + 1)]
    ends = [run.fail_at(call, by) for call in calls]
    assert set(ends) == ({0, 1} if by == "error" else {-signal.SIGKILL})


def test_random_moments(run):
    """Of a busy machine a training may come to its end before its moment."""
    rng, kills, trainings = random.Random(3), 0, 0
    while kills < 3:
        kills += run.kill_at_random(rng, trainings)
        trainings += 1
        assert trainings < 30, f"only {kills} of {trainings} trainings were killed"
