# ===- test_longrun.py - Some hundred networks of the long run ------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""500 networks from fixed seeds as longrun.py checks thousands, and what longrun.py does when one fails."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import longrun

HERE = pathlib.Path(__file__).resolve().parent
NETWORKS, SEED = 500, 1_000_000
# Stands in for test-rnn-networks: a network of f64 is wrong, one with truncated windows stops the program.
DRIVER = r"""#!/bin/sh
for last; do :; done
awk -v RS='// -----\n' '{
  name = $2 == "network" ? $3 : "?"
  print "{\"begins\":\"" name "\"}"; fflush()
  if (/bptt</) exit 1
  print "{\"network\":\"" name "\",\"stage\":\"" (/f64/ ? "cpu" : "") "\",\"message\":\"differs\",\"passes\":{}}"; fflush()
}' "$last" || kill -SEGV $$
"""


def run(folder, *options, path=None):
    environment = {**os.environ, "PATH": os.pathsep.join([str(path), os.environ["PATH"]]) if path else os.environ["PATH"]}
    return subprocess.run([sys.executable, HERE / "longrun.py", f"--out={folder}", "--quiet", *options],
                          capture_output=True, text=True, timeout=1200, env=environment)


@pytest.fixture(scope="module")
def summary(tool, tmp_path_factory):
    tool("test-rnn-networks")
    folder = tmp_path_factory.mktemp("longrun")
    done = run(folder, f"--networks={NETWORKS}", f"--seed={SEED}")
    assert (folder / "summary.json").exists(), done.stdout + done.stderr
    return json.loads((folder / "summary.json").read_text())


@pytest.mark.parametrize("mode", sorted(set(longrun.TURNS)))
def test_networks(summary, mode):
    assert {name: f for name, f in summary["failures"].items() if name.startswith(mode)} == {}
    assert summary["modes"][mode] == longrun.TURNS.count(mode) * NETWORKS // len(longrun.TURNS)


def test_all_is_covered(summary):
    """Every pass up to the schedule, every target, and nothing left undecided that many more runs do not decide."""
    assert summary["networks"] == NETWORKS and summary["targets"]["cpu"] == NETWORKS
    assert summary["targets"]["emulator"] >= NETWORKS // 8
    assert {"rnn-simplify-delays", "rnn-differentiate", "rnn-specialise", "rnn-partition", "rnn-sink",
            "rnn-fuse-elementwise", "rnn-plan-memory", "cse"} <= set(summary["passes"])
    assert {"rnn.recurrent", "rnn.reduction", "rnn.parallel"} <= set(summary["ops"])
    # All of the table but the gradient of a gradient, which test/Interpreter/second-derivatives.mlir has.
    graph = set(re.findall(r"^\| `([\w.]+)` \|", (HERE.parent.parent / "docs" / "Status.md").read_text(), re.MULTILINE))
    cells = {"rnn.lstm", "rnn.gru", "rnn.elman", "rnn.indrnn", "rnn.min_gru", "rnn.sru", "rnn.dropout"}
    losses = {"rnn.ctc", "rnn.softmax_cross_entropy", "rnn.sigmoid_cross_entropy", "rnn.mean_squared_error",
              "rnn.mean_absolute_error", "rnn.huber"}
    assert graph > {"rnn.delay", "arith.addf"} and (graph | cells | losses) - set(summary["ops"]) == {"rnn.gradient"}
    assert summary["undecided"] <= 3


# What no op has a name for: what is optional, and where it stands.
OPTIONS = ["zoneout(", "layer_norm(", "projection(", "peephole(", " clip(", "forget(coupled)", "forget(none)", "reset(before)",
           "clock(", "restart(", "init(%", "bptt<", " metric(", ' loss("e2"', ' mask "', 'rnn.rate = "stream"', 'rnn.rate = "static"',
           "rnn.reset", "rnn.default", "round_to bf16", " local ", "<static>", "<stream>", "zero_infinity", "i8>", "i64>"]


def test_options_are_covered():
    """Every optimizer with all of its options, both ways of clipping, and every option of an op; in windows too, but for
    what these exclude."""
    texts = [network.text() for network in (longrun.Network(i, SEED, 7) for i in range(NETWORKS))]
    has = lambda *words: any(all(word in text for word in words) for text in texts)
    known = (HERE.parent.parent / "include" / "rnn" / "Dialect" / "RNN" / "IR" / "RNNAttributes.td").read_text()
    fields = {(kind, field) for kind, body in re.findall(r'RNN_Optimizer<"\w+", "(\w+)"> \{(.*?)^\}', known, re.M | re.S)
              for field in re.findall(r":\$(\w+)", body)}
    assert len(fields) >= 25
    assert fields == {(o.split("<")[0], field) for o in longrun.OPTIMIZERS for field in re.findall(r"(\w+) =", o)}
    assert [o for o in longrun.OPTIMIZERS + longrun.CLIPS if not has(o)] == []
    assert [o for o in [*OPTIONS, " reverse ", "x2x1x"] if not has(o)] == []
    assert [o for o in OPTIONS if o != " local " and not has(o, "bptt<")] == []
    assert [o for o in ("zoneout(", "rnn.dropout", "rnn.random", "rnn.training", "rnn.call", "rnn.ctc") if
            not has(o, "bptt<", "clock(")] == []


@pytest.fixture
def broken(tool, tmp_path):
    """A folder for PATH with the stand-in."""
    for name in ("rnn-reduce", "rnn-opt"):
        tool(name)
    folder = tmp_path / "bin"
    folder.mkdir()
    driver = folder / "test-rnn-networks"
    driver.write_text(DRIVER)
    driver.chmod(0o755)
    return folder


def test_failures_become_small_tests(broken, tmp_path):
    out = tmp_path / "out"
    done = run(out, "--networks=13", "--jobs=1", path=broken)
    summary = json.loads((out / "summary.json").read_text())
    assert done.returncode == 1 and summary["networks"] == 13
    stages = {f["stage"] for f in summary["failures"].values()}
    assert stages == {"cpu", "stopped"}, summary["failures"]
    for name, failure in summary["failures"].items():
        mode, seed = name.split("-")
        text = (out / "failures" / f"{name}.mlir").read_text()
        assert text.startswith("// RUN: test-rnn-networks %s\n") and f"// network {name} {seed} " in text
        assert ("f64" if failure["stage"] == "cpu" else "bptt<") in text
        whole = longrun.Network(int(seed), 0, 7).text()
        assert text.count(" = ") < whole.count(" = ") / 2
        assert "SIGSEGV" in failure["message"] or failure["stage"] == "cpu"


def test_goes_on_where_it_was(broken, tmp_path):
    out = tmp_path / "out"
    run(out, "--networks=5", path=broken)
    lines = (out / "results.jsonl").read_text().splitlines()
    # Of these two no result was written.
    (out / "results.jsonl").write_text("\n".join(lines[:3]) + "\n")
    run(out, "--networks=8", path=broken)
    names = [r["network"] for r in map(json.loads, (out / "results.jsonl").read_text().splitlines()) if "network" in r]
    assert len(names) == len(set(names)) == 8
    assert json.loads((out / "summary.json").read_text())["networks"] == 8
