# ===- test_gpu_benchmark.py - scripts/bundle and benchmarks/gpu.py --------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""A bundle with tiny networks, run from its own folder on the emulator; PyTorch and JAX are left out."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

np = pytest.importorskip("numpy")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run_bundle(bundle, tmp_path):
    """What gpu.py wrote; it must not need the build."""
    environment = {name: value for name, value in os.environ.items() if name != "RNN_TEST_BUILD"}
    done = subprocess.run([sys.executable, bundle / "benchmarks" / "gpu.py", "--target=emulator", "--quick", "--no-peers",
                           "--round=0.01", f"--json={tmp_path / 'gpu.json'}"],
                          capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((tmp_path / "gpu.json").read_text()), done.stdout


def test_bundle(tool, tmp_path):
    tool("rnn-compile")
    bundle = tmp_path / "bundle"
    done = subprocess.run([sys.executable, ROOT / "scripts" / "bundle", f"--output={bundle}", "--quick"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

    result, text = run_bundle(bundle, tmp_path)
    assert result["machine"]["left out"] == ["torch", "jax"]
    assert len(result["cases"]) == 4
    for name, answer in result["cases"].items():
        assert (answer["other_bits"], answer["differs"]) == ([], []), name
    assert "4 cases, 4 with the bits of the emulator, 0 outside the budget, 0 with errors" in text
    assert [row["name"] for row in result["points"]] == ["lstm-H16-B1", "gru-H8-B2", "peephole-H8-B1",
                                                         "invented-H8-B1-L2"]
    for row in result["points"]:
        assert row["ours"]["train"] > 0 and row["ours"]["forward"] > 0, row

    # A wrong number, a damaged artifact and a missing one become lines, and the rest goes on.
    with np.load(bundle / "cases" / "tagger.npz") as file:
        arrays = dict(file)
    arrays["0.ulps.loss"] = arrays["0.ulps.loss"] + 10000
    np.savez(bundle / "cases" / "tagger.npz", **arrays)
    (bundle / "cases" / "random-300.rnnc").write_bytes(b"RNNC")
    (bundle / "points" / "gru-H8-B2.rnnc").unlink()
    result, text = run_bundle(bundle, tmp_path)
    assert "loss in call 0" in result["cases"]["tagger"]["differs"][0]
    assert "FileError" in result["cases"]["random-300"]["error"]
    assert "FileError" in result["points"][1]["ours"]["error"] and result["points"][2]["ours"]["train"] > 0
    assert "4 cases, 3 with the bits of the emulator, 1 outside the budget, 1 with errors" in text
