# ===- test_sasscost.py - The estimate of a frame by its machine code -----------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Inputs/loops.sass has small loops whose cycles are counted by hand below; real kernels where nvdisasm is there."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("numpy")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
import models  # noqa: E402
import sasscost  # noqa: E402

SCRIPT = ROOT / "benchmarks" / "sasscost.py"


@pytest.fixture(scope="module")
def kernels():
    text = (pathlib.Path(__file__).parent / "Inputs" / "loops.sass").read_text()
    return {name: sasscost.Kernel(*kernel) for name, kernel in sasscost.parse(text).items()}


def test_reads_control_words(kernels):
    by_text = {instruction.text: instruction for instruction in kernels["units"].instructions}
    assert by_text["LDS.128 R4, [R3]"][2:] == (1, 2, 7, 0)
    assert by_text["BAR.SYNC.DEFER_BLOCKING 0x0"].stall == 6
    assert by_text["BRA P2, `(.L_x_0)"].predicate == "@P0" and by_text["BRA P2, `(.L_x_0)"].label == ".L_x_0"
    assert by_text["BRA.DIV UR6, `(.L_x_4)"].is_conditional and not by_text["BRA `(.L_x_5)"].is_conditional


def test_blocks_that_exchange(kernels):
    """From the arrival: test 13, branch 5, STS; 12 later its register is read, the barrier takes 6 and 35; LDS.128 36, of
    which the branch not taken hides 5; FFMA 4, branch 5, MUFU 20, FMUL 4, then the store: 140. What is behind the store
    fits into the way to the reader, unless that takes no time: then the load's own 265 cycles count, and before it the
    12 that the barrier waits for the store, 41, 5 and 2."""
    frame = sasscost.simulate(kernels["units"], 1)
    hop = sasscost.HOP * sasscost.GHZ * 1000
    assert frame.published == 140 and frame.cycles == pytest.approx(140 + hop) and frame.trips == []
    assert frame.instructions == 15
    assert sasscost.simulate(kernels["units"], 1, hop=0).cycles == 140 + 12 + 41 + 5 + 2 + 265


def test_streams_of_a_block(kernels):
    """The inner loop polls one stream: four trips for four streams, each with 2 and the 265 of a load, 13, 5 and 5; the
    first load comes after 2 more, the store and the branch are 1 and 5."""
    frame = sasscost.simulate(kernels["streams"], 4, hop=0)
    assert frame.trips == [4] and frame.cycles == 2 + 4 * (2 + 265 + 13 + 5 + 5) + 1 + 5


def test_refuses_loops_of_unknown_length(kernels):
    with pytest.raises(sasscost.Problem, match="inner loop whose length"):
        kernels["tiles"].path(1)
    loop = {"kernel": "k", "regime": "op-by-op", "blocks": 1, "threads": 64, "streams_per_block": 1}
    assert "op by op" in sasscost.estimate(kernels["tiles"], loop)["error"]


def test_issue_is_a_floor(kernels):
    loop = {"kernel": "units", "regime": "grid", "blocks": 2, "threads": 1024, "streams_per_block": 1}
    row = sasscost.estimate(kernels["units"], loop)
    assert (row["path_cycles"], row["issue_cycles"]) == (694, 15 * 8)
    assert row["us_per_frame"] == pytest.approx((140 / sasscost.GHZ / 1000) + sasscost.HOP)


def run(*options, **environment):
    return subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True,
                          env={**os.environ, **environment})


def test_says_what_is_missing(tool, tmp_path):
    tool("rnn-compile")
    model = tmp_path / "net.mlir"
    model.write_text(models.mlir(models.Point("lstm", 16)))
    subprocess.run(["rnn-compile", model, "-o", tmp_path / "net.rnnc", "--target=cuda:sm_90"], check=True)
    done = run(tmp_path / "net.rnnc")
    assert done.returncode == 1 and "no report" in done.stderr and "--report" in done.stderr
    subprocess.run(["rnn-compile", model, "-o", tmp_path / "net.rnnc", "--target=emulator", "--report",
                    tmp_path / "net.json"], check=True)
    done = run(tmp_path / "net.rnnc")
    assert done.returncode == 1 and "has no cubin" in done.stderr
    if not os.path.exists("/usr/local/cuda/bin/nvdisasm"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(tmp_path))
            with pytest.raises(sasscost.Problem, match="nvdisasm not found on PATH"):
                sasscost.nvdisasm()


def test_generated_kernels(tool, tmp_path):
    """One block, a cluster, a grid: the time loops are found, with their exchanges, and the report's numbers beside."""
    tool("rnn-compile")
    try:
        sasscost.nvdisasm()
    except sasscost.Problem as problem:
        pytest.skip(str(problem))
    if not shutil.which("ptxas", path=os.pathsep.join([os.environ["PATH"], "/usr/local/cuda/bin"])):
        pytest.skip("ptxas not found")
    done = run("--points=lstm-H512-B1,lstm-H64-B1,lstm-H128-B1", f"--json={tmp_path / 'out.json'}")
    assert done.returncode == 0, done.stderr
    grid, one, cluster = json.loads((tmp_path / "out.json").read_text())["networks"]
    assert [(row["phase"], row["regime"]) for row in one["loops"]] == [("forward", "block"), ("backward", "block")]
    for several, regime in ((cluster, "cluster"), (grid, "grid")):
        assert [(row["phase"], row["regime"]) for row in several["loops"]] == [("forward", regime), ("backward", regime)]
    for row in one["loops"] + cluster["loops"] + grid["loops"]:
        assert "error" not in row and row["spills"] == 0 and 100 < row["path_cycles"] < 3000, row
        assert (row["arrived_to_published_cycles"] is None) == (row["regime"] == "block"), row
    # A frame cannot be shorter than the way between blocks.
    assert all(row["us_per_frame"] > sasscost.HOP for row in grid["loops"])
    assert all(row["us_per_frame"] > sasscost.CLUSTER_HOP for row in cluster["loops"])
