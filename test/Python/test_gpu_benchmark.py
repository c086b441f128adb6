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
import shutil
import subprocess
import sys

import pytest

np = pytest.importorskip("numpy")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
import hops  # noqa: E402
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


def check_hops(bundle, tmp_path):
    """Loops are what their names say, and their words are right; what is not so is an error of its row."""
    status, result, text = run_script(bundle, tmp_path, "hops.py")
    assert status == 0, text
    rows = {row["name"]: row for row in result["rows"]}
    assert list(rows) == [row.name for row in hops.TINY]
    assert "nothing is timed" in text and "besides" not in text
    for name, row in rows.items():
        assert row["check"] == {"wrong_words": 0, "words": 43 * 4} and hops.verdict(row) == "ok", name
        assert row["time"] == {"frames": [5, 15], "wrong_words": 0}, name
    assert [row["meetings"] for row in rows.values()] == [0, 0, 0, 2, 0]
    if shutil.which("ptxas", path=os.pathsep.join([os.environ["PATH"], "/usr/local/cuda/bin"])):
        for row in hops.TINY:
            loop = json.loads((bundle / "hops" / f"{row.name}.json").read_text())["loops"][0]
            assert (loop["target"], loop["spills"]) == ("cuda:sm_90", 0), loop

    # A loop of one block under the name of a grid, by its launches and by its report; other words; no loop at all.
    folder, work = bundle / "hops", tmp_path / "hops"
    shutil.copytree(folder, work)
    other = lambda suffix: shutil.copy(work / f"block-1x4{suffix}", folder / f"grid-2x2{suffix}")
    other(".rnnc.gz")
    status, result, text = run_script(bundle, tmp_path, "hops.py", "--rows=grid*")
    assert status == 1 and "of its launches are [" in result["rows"][0]["error"] and "1 of 1 rows are wrong" in text
    other(".json")
    status, result, text = run_script(bundle, tmp_path, "hops.py", "--rows=grid*")
    assert status == 1 and "the loop's regime is block, expected grid" in result["rows"][0]["error"], text
    wrong = hops.mlir(4).replace("%h = rnn.linear %h1", "%n = arith.negf %h1 : !V\n  %h = rnn.linear %n")
    compile_text = lambda text, out, *options: subprocess.run(["rnn-compile", "-", "-o", out, *options], check=True,
                                                              input=text, text=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hops, "mlir", lambda size: wrong)
        hops.make(compile_text, folder, hops.Row("grid", 2, 2), "sm_90")
    (folder / "op-by-op-1x4.rnnc.gz").unlink()
    status, result, text = run_script(bundle, tmp_path, "hops.py", "--rows=grid*,op-by-op-1*,block*")
    assert status == 1 and "2 of 3 rows are wrong" in text, text
    assert [hops.verdict(row).split(" ")[0] for row in result["rows"]] == ["ok", "DIFFERS", "ERROR"], text


def test_hops_expects_the_interpreter(tool, tmp_path):
    """The words that hops.py expects, of all its sizes, without a tolerance."""
    import rnn_mlir
    for size in sorted({row.size for row in hops.ROWS + hops.TINY}):
        subprocess.run([tool("rnn-compile"), "-", "-o", tmp_path / "net.rnnc", "--target=interpreter"],
                       input=hops.mlir(size), text=True, check=True)
        program = rnn_mlir.load(tmp_path / "net.rnnc", target="interpreter")
        hops.start(program, size)
        got = [program.run("net", x=np.zeros((frames, 1), np.float32))["h"].numpy()[:, 0] for frames in (4, 3)]
        np.testing.assert_array_equal(np.concatenate(got), hops.expected(size, 1, 7))


def hop_entry(row, call=None, kernel=None, **estimate):
    """A row of hops.py as if it had run on a GPU."""
    timed = {"us_per_frame": call, "rounds": [call, call]} if call else {"error": "no such device"}
    timed |= {"kernel_us_per_frame": kernel} if kernel else {}
    return {"name": row.name, **row._asdict(), "meetings": 2 * (row.regime == "op-by-op" and row.blocks > 1),
            "loop": {"threads": 32}, "estimate": estimate or {"error": "op by op"}, "time": timed}


def test_hops_of_times():
    """What is made of times that no emulator has: numbers by hand."""
    assert hops.slope([100, 400], (50, 150)) == 3
    kernels = [["k1", 1, 700.0], ["k0", 1, 30.0], ["copy", 4, 9.0]]
    assert hops.kernel_time(kernels, "k1") == 700
    for name in ("k2", "copy"):
        with pytest.raises(RuntimeError, match=f"does not have '{name}' once"):
            hops.kernel_time(kernels, name)
    row = hops.Row
    entries = [hop_entry(row("grid", 2, 2), 0.52, 0.5, work_us=0.2, blind_us=0.1, frame_us=0.48),
               hop_entry(row("block", 1, 4), 0.25, work_us=0.125, blind_us=None, frame_us=0.125),
               hop_entry(row("grid", 8, 1)), hop_entry(row("op-by-op", 2, 2), 4.5),
               hop_entry(row("op-by-op", 1, 4), 1.5)]
    hops.compare(entries)
    assert [entry["besides_work_us"] for entry in entries] == [pytest.approx(0.3), 0.125, None, None, None]
    assert [entry["over_one_block_us"] for entry in entries] == [0.25, None, None, 3.0, None]
    text = "\n".join(hops.summary(entries))
    assert "grid, a hop is assumed to take 0.28: grid-2x2 0.300\n" in text
    assert "cluster, a hop is assumed to take 0.15: not known\n" in text
    assert "block, where there is none: block-1x4 0.125\n" in text
    assert "a meeting against a barrier, assumed 1.26: op-by-op-2x2 1.500" in text
    assert hops.line(entries[0], True).split() == ["grid-2x2", "32", "-", "-", "0.200", "0.100", "0.480", "0.520", "(",
                                                   "0.520", "0.520)", "0.500", "0.300", "ok"]
    assert hops.line(entries[2], True).endswith("ERROR no such device")
    assert hops.notes(entries) == ["no estimate: op by op (grid-8x1, op-by-op-2x2, op-by-op-1x4)"]
    # A wrong word takes a row's time away, and chips without clusters have no such rows.
    entries[0]["time"]["wrong_words"] = 1
    assert hops.difference(entries[0]) is None and hops.verdict(entries[0]) == "DIFFERS in 1 words"
    assert hops.left_out(row("cluster", 2, 2), "sm_80") and not hops.left_out(row("cluster", 2, 2), "sm_90a")
    assert not hops.left_out(row("grid", 2, 2), "sm_80")


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
    check_hops(bundle, tmp_path)

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
