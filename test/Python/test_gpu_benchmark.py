# ===- test_gpu_benchmark.py - scripts/bundle and what runs in a bundle ----===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""A bundle with tiny networks, run from its own folder on the emulator; PyTorch and JAX are left out."""

import gzip
import json
import os
import pathlib
import subprocess
import sys

import pytest

np = pytest.importorskip("numpy")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
import models  # noqa: E402


def run_script(bundle, tmp_path, script, *options):
    """Exit status, JSON and text of a script on the emulator; it must not need the build."""
    environment = {name: value for name, value in os.environ.items() if name != "RNN_TEST_BUILD"}
    done = subprocess.run([sys.executable, bundle / "benchmarks" / script, "--target=emulator", *options,
                           f"--json={tmp_path / 'out.json'}"], capture_output=True, text=True, env=environment, cwd=tmp_path)
    return done.returncode, json.loads((tmp_path / "out.json").read_text()), done.stdout + done.stderr


def run_bundle(bundle, tmp_path):
    status, result, text = run_script(bundle, tmp_path, "gpu.py", "--quick", "--no-peers", "--round=0.01")
    assert status == 0, text
    return result, text


def check_parallelism(bundle, tmp_path):
    """Three ways to train several streams agree, and their launches and bytes are what they must be."""
    status, result, text = run_script(bundle, tmp_path, "parallelism.py", "--networks=lstm-H16,gru-H8-L2")
    assert status == 0, text
    rows = {(row["network"], row["streams"]): row for row in result["rows"]}
    assert sorted(rows) == [("gru-H8-L2", 1), ("gru-H8-L2", 2), ("lstm-H16", 1), ("lstm-H16", 2), ("lstm-H16", 4)]
    for row in rows.values():
        assert sorted(row["check"]) == ["frames", "streams"] and len(row["check"]["frames"]) > 3, row
    one, four = rows["lstm-H16", 1]["ways"], rows["lstm-H16", 4]["ways"]
    assert four["frames"]["launches"] == 4 * one["both"]["launches"] == 4 * four["both"]["launches"]
    # Of further streams only the state is kept: 16 units, h and c, an age and a frame number.
    assert four["frames"]["memory_bytes"] - one["frames"]["memory_bytes"] == 3 * (2 * 16 * 4 + 8 + 8)
    assert four["both"]["memory_bytes"] > 2 * four["frames"]["memory_bytes"]
    assert four["streams"]["flops_in_loops"] > four["both"]["flops_in_loops"]

    # Another network under its name is an error, another loss a difference.
    file = bundle / "parallelism" / "lstm-H16-B2-sequential.rnnc.gz"
    file.write_bytes((bundle / "parallelism" / "lstm-H16-B1-split.rnnc.gz").read_bytes())
    status, result, text = run_script(bundle, tmp_path, "parallelism.py", "--networks=lstm-H16", "--streams=2")
    assert status == 0 and "ShapeError" in result["rows"][0]["check"]["error"], text
    subprocess.run(["rnn-compile", "-", "-o", tmp_path / "sum.rnnc", "--target=emulator", "--streams=2"], check=True,
                   input=models.mlir(models.Point("lstm", 16, 2)).replace('"e" mean', '"e" sum'), text=True)
    file.write_bytes(gzip.compress((tmp_path / "sum.rnnc").read_bytes()))
    status, result, text = run_script(bundle, tmp_path, "parallelism.py", "--networks=lstm-H16", "--streams=2")
    assert status == 1 and "DIFFERS" in text and "1 rows differ" in text, text


@pytest.mark.parametrize("point", [point for point in models.QUICK_POINTS if point.precision == "f32"],
                         ids=lambda point: point.name)
def test_frames(tool, tmp_path, point):
    """What the peers compute, here in NumPy's f64, is the network that we compile."""
    import rnn_mlir
    subprocess.run([tool("rnn-compile"), "-", "-o", tmp_path / "net.rnnc", "--target=interpreter", "--dtype=f64",
                    "--functions=net", f"--streams={point.streams}"], input=models.mlir(point), text=True, check=True)
    values = {name: value.astype(np.float64) for name, value in models.arrays(point, 5).items()}
    program = rnn_mlir.load(tmp_path / "net.rnnc", target="interpreter")
    for name in models.parameters(point):
        program.params[name] = values[name]
    ours = program.run("net", x=values["x"], target=values["target"])["e"].numpy()
    x = values["x"]
    for layer in range(point.layers):
        own = {name.split(".")[1]: value for name, value in values.items() if name.startswith(f"l{layer}.")}
        state, out = tuple(np.zeros((point.streams, size)) for size in models.state_sizes(point)), []
        for gates in models.inputs(point.cell, x, own):
            state = models.frame(point.cell, gates, state, own, np, lambda v: 1 / (1 + np.exp(-v)),
                                 lambda v, n: np.split(v, n, axis=-1))
            out.append(state[0])
        x = np.stack(out)
    np.testing.assert_allclose(((x - values["target"])**2).sum(-1), ours, rtol=1e-9)


def test_bundle(tool, tmp_path):
    tool("rnn-compile")
    bundle = tmp_path / "bundle"
    done = subprocess.run([sys.executable, ROOT / "scripts" / "bundle", f"--output={bundle}", "--quick"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

    result, text = run_bundle(bundle, tmp_path)
    assert result["machine"]["left out"] == ["torch", "jax"]
    assert len(result["cases"]) == 5
    for name, answer in result["cases"].items():
        assert (answer["other_bits"], answer["differs"]) == ([], []), name
    assert "5 cases, 5 with the bits of the emulator, 0 outside the budget, 0 with errors" in text
    assert [row["name"] for row in result["points"]] == [point.name for point in models.QUICK_POINTS]
    for row in result["points"]:
        assert row["ours"]["train"] > 0 and row["ours"]["forward"] > 0, row
    check_parallelism(bundle, tmp_path)

    # A wrong number, a damaged artifact and a missing one become lines, and the rest goes on.
    with np.load(bundle / "cases" / "tagger.npz") as file:
        arrays = dict(file)
    arrays["0.ulps.loss"] = arrays["0.ulps.loss"] + 10000
    np.savez(bundle / "cases" / "tagger.npz", **arrays)
    (bundle / "cases" / "random-300.rnnc.gz").write_bytes(gzip.compress(b"RNNC"))
    (bundle / "points" / "gru-H8-B2.rnnc.gz").unlink()
    result, text = run_bundle(bundle, tmp_path)
    assert "loss in call 0" in result["cases"]["tagger"]["differs"][0]
    assert "FileError" in result["cases"]["random-300"]["error"]
    assert "FileError" in result["points"][1]["ours"]["error"] and result["points"][2]["ours"]["train"] > 0
    assert "5 cases, 4 with the bits of the emulator, 1 outside the budget, 1 with errors" in text
