# ===- test_plot.py - Bars of a run --------------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""benchmarks/plot.py on small results of gpu.py and lstm.py: the bars' lengths are logarithms, and nothing is lost."""

import json
import math
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "benchmarks" / "plot.py"
RESULTS = ROOT / "benchmarks" / "results"
GPU = {"machine": {"cpu": "C", "cores": 4, "nvidia-smi": "Card <X>, 1.2, 345 MHz"},
       "points": [{"name": "lstm-H8-B1", "ours": {"train": 2.0, "forward": 0.5},
                   "peers": {"torch f32": {"train": 2000.0, "forward": 3.0}, "torch f16": {"error": "no time"},
                             "jax f32 scan": {"train": 20.0, "forward": 4.0}}},
                  {"name": "gru-H8-B1", "ours": {"error": "lost"}, "peers": {}}]}
CPU = {"machine": {"cpu": "C", "cores": 4},
       "training": [{"hidden": 8, "streams": 2, "rnn-mlir": {"frames_per_s": 1e5}, "jax": {"frames_per_s": 1e4}}]}


def draw(tmp_path, name, result, *options):
    """Texts, and lengths of the bars in their order, of what the script writes beside the file."""
    (tmp_path / name).write_text(json.dumps(result))
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / name, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    picture = xml.etree.ElementTree.parse((tmp_path / name).with_suffix(".svg")).getroot()
    bars = [float(tag.get("width")) for tag in picture.iter() if tag.get("class") == "bar"]
    return [tag.text for tag in picture.iter() if tag.tag.endswith("text")], bars


def test_gpu(tmp_path):
    texts, bars = draw(tmp_path, "2026-01-02-card.json", GPU)
    assert texts[0] == "Training step, Card <X>, driver 1.2, 2026-01-02" and "microseconds per frame," in texts[1]
    # Ours, then the fastest peer; no bar for an error, and no group without a bar.
    at = texts.index("lstm-H8-B1")
    assert texts[at:] == ["lstm-H8-B1", "rnn-mlir", "2", "jax f32 scan", "20", "torch f32", "2000"]
    assert bars[1] - bars[0] == pytest.approx((bars[2] - bars[1]) / 2, abs=0.02)
    assert bars[0] == pytest.approx((bars[1] - bars[0]) * math.log10(2), abs=0.02)  # the axis begins at 1

    texts, bars = draw(tmp_path, "2026-01-02-card.json", GPU, "--forward")
    assert texts[0].startswith("Forward part, ") and len(bars) == 3
    assert texts[-6:] == ["rnn-mlir", "0.5", "torch f32", "3", "jax f32 scan", "4"]


def test_cpu(tmp_path):
    texts, bars = draw(tmp_path, "cpu.json", CPU)
    assert texts[0] == "Training step, C, 4 cores" and "per frame and stream" in texts[1]
    assert texts[-5:] == ["lstm-H8-B2", "rnn-mlir", "10", "jax f32 scan", "100"]
    assert bars[0] > 0 and bars[1] == pytest.approx(2 * bars[0], abs=0.02)


@pytest.mark.parametrize("result,options,message", [
    ([], [], "no run of gpu.py or lstm.py"),
    ({"machine": {"cpu": "C", "cores": 1}, "points": []}, [], "has no numbers"),
    (CPU, ["--forward"], "has no forward part")])
def test_errors(tmp_path, result, options, message):
    (tmp_path / "a.json").write_text(json.dumps(result))
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "a.json", *options], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("plot: error: ") and message in done.stderr
    assert not (tmp_path / "a.svg").exists()


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.svg")), ids=lambda path: path.stem)
def test_kept_pictures(tmp_path, path):
    """A picture beside a result is that result's."""
    subprocess.run([sys.executable, SCRIPT, path.with_suffix(".json"), "-o", tmp_path / "a.svg"], check=True)
    assert (tmp_path / "a.svg").read_bytes() == path.read_bytes()
